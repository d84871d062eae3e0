use bytes::Bytes;
use http::Method;
use protect_core::connector::OpContext;
use protect_core::http::{Answer, HttpClient};
use protect_core::secret::{ExposeSecret, SecretRef};
use protect_core::{Context, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::{Accepted, Items, Message};

/// Acts at once, without plan, guards, store or ledger: a receiver of signed messages.
#[derive(Clone, Debug)]
pub struct Webhook {
    http: HttpClient,
    secret: SecretRef,
    context: Context,
}

/// What stands at the receiver under a reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// The receiver's id.
    pub id: String,
    /// `ticket`, `incident`, `event`, or a word of the receiver's own.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it stands, in the receiver's words.
    pub status: String,
    /// Our reference.
    pub source_reference: String,
}

impl Item {
    /// Whether somebody may still work on it: anything but `closed` or `resolved`.
    pub fn is_open(&self) -> bool {
        !matches!(self.status.as_str(), "closed" | "resolved")
    }
}

impl Webhook {
    /// A client for the receiver at `url`.
    ///
    /// # Errors
    /// `config_invalid` for a URL that is neither https nor on loopback.
    pub fn new(url: &str, secret: SecretRef, context: &Context) -> Result<Self> {
        Ok(Self {
            http: HttpClient::builder(context, url)?.build(),
            secret,
            context: context.clone(),
        })
    }

    /// Posts a message and gives the receiver's id for what it made. The receiver acts once for
    /// an `id`, however often it arrives.
    ///
    /// # Errors
    /// Whatever the receiver answered but 2xx; `invalid_response` for an answer without an id.
    pub async fn post(
        &self,
        cx: &OpContext,
        id: &str,
        kind: &str,
        source_reference: &str,
        data: Value,
    ) -> Result<String> {
        let message = Message {
            kind,
            source_reference,
            data,
        };
        let body = serde_json::to_vec(&message)
            .map_err(|error| Error::unexpected("a message has no JSON form").with_source(error))?;
        let answer = self
            .send(
                cx,
                Method::POST,
                "webhook.post",
                "",
                id,
                Bytes::from(body),
                &[],
            )
            .await?;
        Ok(answer.json::<Accepted>()?.id)
    }

    /// What stands at the receiver under a reference.
    ///
    /// # Errors
    /// Whatever the receiver answered but 2xx.
    pub async fn items(&self, cx: &OpContext, source_reference: &str) -> Result<Vec<Item>> {
        let query = [("source_reference", source_reference)];
        let answer = self
            .send(
                cx,
                Method::GET,
                "webhook.items",
                "/items",
                &cx.correlation,
                Bytes::new(),
                &query,
            )
            .await?;
        Ok(answer.json::<Items>()?.items)
    }

    #[expect(clippy::too_many_arguments, reason = "one signed request, whole")]
    async fn send(
        &self,
        cx: &OpContext,
        method: Method,
        operation: &'static str,
        path: &'static str,
        id: &str,
        body: Bytes,
        query: &[(&str, &str)],
    ) -> Result<Answer> {
        let secret = self.context.secrets.resolve(&self.secret).await?;
        let timestamp = self.context.clock.now().as_second();
        // The crate's errors would say where in the secret the base64 breaks off.
        let signature = standardwebhooks::Webhook::new(secret.expose_secret())
            .and_then(|webhook| webhook.sign(id, timestamp, &body))
            .map_err(|_| {
                Error::config(
                    "respond.signing_secret",
                    "not a Standard Webhooks secret: `whsec_` and base64",
                )
            })?;
        let mut request = self
            .http
            .request(method, operation, path)
            .header("webhook-id", id)
            .header("webhook-timestamp", &timestamp.to_string())
            .header("webhook-signature", &signature)
            // The receiver knows the id: sending a message again does nothing twice.
            .idempotent(true);
        for (key, value) in query {
            request = request.query(key, value);
        }
        if !body.is_empty() {
            request = request.bytes("application/json", body);
        }
        request.send(cx).await
    }
}
