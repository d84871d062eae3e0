//! What the receiver tells of its own items, by Standard Webhooks: a reason to look, and never what is to
//! be seen.

use std::time::Duration;

use async_trait::async_trait;
use protect_core::connector::{CredentialDiagnosis, OpContext};
use protect_core::inbound::{Inbound, InboundAnswer, InboundRequest, News, Route, SignedMessage};
use protect_core::secret::SecretRef;
use protect_core::{Context, Error, ErrorKind, Result};
use serde::Deserialize;

use crate::sink::WebhookConnector;
use crate::verify::{VerifiedMessage, verify};

/// Below the connector's own path.
const PATH: &str = "/events";

/// The field of the `scan` credential that holds the secret.
pub(crate) const SECRET: &str = "webhook_secret";

/// The field with the secret before.
pub(crate) const PREVIOUS: &str = "webhook_secret_previous";

/// How long the id of a message is kept: it may be signed five minutes ahead of us, and is good for five
/// minutes after that.
const REMEMBER: Duration = Duration::from_mins(15);

/// The way in for a receiver's messages.
#[derive(Debug)]
pub(crate) struct Messages {
    secrets: Vec<SecretRef>,
    context: Context,
    routes: [Route; 1],
}

/// A message: `{"type": "ticket.updated", "data": {"id": "..."}}`.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: About,
}

#[derive(Default, Deserialize)]
struct About {
    id: Option<String>,
}

impl Messages {
    pub(crate) fn new(secrets: Vec<SecretRef>, context: &Context) -> Self {
        Self {
            secrets,
            context: context.clone(),
            routes: [Route::post("webhook.events", PATH).signed()],
        }
    }

    /// What `doctor` says of the secrets. Whether they are the receiver's shows the first message.
    pub(crate) async fn credential(&self) -> CredentialDiagnosis {
        let mut problem = None;
        for reference in &self.secrets {
            if let Err(error) = self.context.secrets.resolve(reference).await {
                problem = problem.or_else(|| Some(format!("{reference}: {}", error.message())));
            }
        }
        let cannot_tell =
            "cannot tell whether the receiver signs with it: the first message shows that";
        CredentialDiagnosis {
            name: format!("scan.{SECRET}"),
            accepted: problem.is_some().then_some(false),
            missing: Vec::new(),
            excess: Vec::new(),
            note: Some(problem.unwrap_or_else(|| cannot_tell.to_owned())),
        }
    }

    async fn verified(&self, request: &InboundRequest) -> Result<VerifiedMessage> {
        let mut secrets = Vec::new();
        for reference in &self.secrets {
            secrets.push(self.context.secrets.resolve(reference).await?);
        }
        let now = self.context.clock.now();
        verify(|name| request.header(name), &request.body, &secrets, now)
    }
}

#[async_trait]
impl Inbound for WebhookConnector {
    fn routes(&self) -> &[Route] {
        self.messages.as_ref().map_or(&[], |it| &it.routes)
    }

    async fn verify(&self, _: &OpContext, request: &InboundRequest) -> Result<SignedMessage> {
        let Some(messages) = &self.messages else {
            return Err(Error::new(ErrorKind::NotFound, "there is nothing here"));
        };
        let message = messages.verified(request).await?;
        Ok(SignedMessage {
            id: message.id,
            signed_at: Some(message.sent_at),
            remember: REMEMBER,
        })
    }

    async fn handle(&self, _: &OpContext, request: &InboundRequest) -> Result<InboundAnswer> {
        let Message { kind, data } = request.json()?;
        let answer = InboundAnswer::no_content();
        if !kind.starts_with("ticket.") {
            return Ok(answer);
        }
        let id = data.id.filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::invalid_input("the message does not say which ticket it is about")
                .with_context("field", "data.id")
        })?;
        Ok(answer.with_news(vec![News::Item(id)]))
    }
}
