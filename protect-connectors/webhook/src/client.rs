use bytes::Bytes;
use http::Method;
use protect_core::cloud_event::{CloudEvent, LARGEST, MEDIA_TYPE};
use protect_core::connector::OpContext;
use protect_core::http::{Answer, HttpClient};
use protect_core::secret::SecretRef;
use protect_core::{Context, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::signature::Signer;
use crate::wire::{Accepted, Items, Message};

/// Acts at once, without plan, guards, store or ledger: a receiver of signed messages.
#[derive(Clone, Debug)]
pub struct Webhook {
    http: HttpClient,
    secret: SecretRef,
    context: Context,
    format: Format,
}

/// The form of a message. One is never tried after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `type`, `source_reference` and `data`.
    #[default]
    Plain,
    /// Cloud Events 1.0 in structured JSON.
    CloudEvents,
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
            format: Format::default(),
        })
    }

    /// The form of its messages.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
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
        let (content_type, body) = match self.format {
            Format::Plain => ("application/json", plain(kind, source_reference, data)?),
            Format::CloudEvents => {
                let about = (id, kind, source_reference);
                (MEDIA_TYPE, cloud_event(cx, about, data)?)
            }
        };
        let answer = self
            .send(
                cx,
                Method::POST,
                "webhook.post",
                "",
                id,
                (content_type, Bytes::from(body)),
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
                ("", Bytes::new()),
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
        (content_type, body): (&'static str, Bytes),
        query: &[(&str, &str)],
    ) -> Result<Answer> {
        let secret = self.context.secrets.resolve(&self.secret).await?;
        let timestamp = self.context.clock.now().as_second();
        let signer = Signer::new(&secret, "respond.signing_secret")?;
        let signature = signer.sign(id, timestamp, &body);
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
            request = request.bytes(content_type, body);
        }
        request.send(cx).await
    }
}

fn plain(kind: &str, source_reference: &str, data: Value) -> Result<String> {
    let message = Message {
        kind,
        source_reference,
        data,
    };
    serde_json::to_string(&message)
        .map_err(|error| Error::unexpected("a message has no JSON form").with_source(error))
}

/// Without a time: a message that is sent again must be the same, byte for byte.
fn cloud_event(
    cx: &OpContext,
    (id, kind, source_reference): (&str, &str, &str),
    mut data: Value,
) -> Result<String> {
    let source = CloudEvent::source_of(cx.tenant.as_str());
    let event = CloudEvent::new(source, id, CloudEvent::type_of(kind), data.clone())?
        .subject(source_reference)
        .extension("partitionkey", source_reference)?;
    let text = event.to_json()?;
    let findings = data.get("findings").and_then(Value::as_array);
    let Some(left_out) = findings.map(Vec::len).filter(|_| text.len() > LARGEST) else {
        return Ok(text);
    };
    // Nobody need forward what is larger. The text for people still names what was found.
    if let Some(data) = data.as_object_mut() {
        data.remove("findings");
        data.insert("findings_left_out".to_owned(), json!(left_out));
    }
    event.data(data).to_json()
}
