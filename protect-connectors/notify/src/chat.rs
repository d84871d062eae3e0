//! Incoming webhooks of chat programs. Whoever knows such an address may write there, so it is a
//! secret.

use std::time::Duration;

use http::Method;
use protect_core::connector::OpContext;
use protect_core::http::{Answer, BudgetKey, ErrorAnswer, HttpClient, Limit, UrlPolicy};
use protect_core::model::hash_fields;
use protect_core::secret::{ExposeSecret, SecretRef};
use protect_core::{Context, Error, ErrorKind, Result};
use url::Url;

use crate::format::ChatFormat;
use crate::notice::Notice;
use crate::wire::{SlackMessage, teams_message};

/// An incoming webhook.
#[derive(Clone)]
pub(crate) struct Chat {
    place: Place,
    format: Option<ChatFormat>,
    context: Context,
}

/// Where the address is found.
#[derive(Clone)]
pub(crate) enum Place {
    /// In the configuration itself.
    Address(String),
    /// Behind a reference.
    Secret(SecretRef),
}

/// The address, taken apart.
struct Target {
    url: Url,
    origin: String,
    format: ChatFormat,
}

impl Chat {
    /// The webhook at an address.
    ///
    /// # Errors
    /// `invalid_input` for an address that stands in the configuration and cannot be right.
    pub(crate) fn new(place: Place, format: Option<ChatFormat>, context: &Context) -> Result<Self> {
        if let Place::Address(text) = &place {
            target(text, format)?;
        }
        Ok(Self {
            place,
            format,
            context: context.clone(),
        })
    }

    pub(crate) async fn send(&self, cx: &OpContext, notice: &Notice) -> Result<()> {
        let target = self.target().await.map_err(Error::untouched)?;
        let client = self.client(&target)?;
        let (operation, template) = match target.format {
            ChatFormat::Slack => ("notify.slack", "/services/…"),
            ChatFormat::Teams => ("notify.teams", "/workflows/…"),
        };
        let request = client.at(Method::POST, operation, template, target.url.as_str())?;
        let request = match target.format {
            ChatFormat::Slack => request.json(&SlackMessage::of(notice))?.errors(slack_error),
            ChatFormat::Teams => request.json(&teams_message(notice))?.errors(teams_error),
        };
        let answer = request.sensitive().send(cx).await?;
        if is_confirmed(target.format, &answer) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InvalidResponse,
            "what answers does not confirm the message; something may stand between",
        )
        .temporary()
        .persistent()
        .with_operation(operation))
    }

    /// Whether the host answers; there is no question about a webhook that writes nothing.
    pub(crate) async fn reachable(&self, cx: &OpContext) -> Result<bool> {
        let target = self.target().await?;
        let request = self
            .client(&target)?
            .request(Method::GET, "notify.reach", "/");
        match request.send(cx).await {
            Ok(_) => Ok(true),
            Err(error) if error.http_status().is_some() => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn target(&self) -> Result<Target> {
        match &self.place {
            Place::Address(text) => target(text, self.format),
            Place::Secret(reference) => {
                let text = self.context.secrets.resolve(reference).await?;
                target(text.expose_secret().trim(), self.format)
            }
        }
    }

    fn client(&self, target: &Target) -> Result<HttpClient> {
        let key = BudgetKey(format!(
            "notify:{}",
            hash_fields("notify", &[target.url.as_str()])
        ));
        // Slack: one message a second with short bursts. Teams: four requests a second.
        let limit = match target.format {
            ChatFormat::Slack => Limit::per_second(1, 3),
            ChatFormat::Teams => Limit::per(4, Duration::from_secs(1)),
        };
        self.context.limits.declare(&key, &limit);
        let policy = UrlPolicy {
            allow_loopback: true,
            ..UrlPolicy::default()
        };
        Ok(HttpClient::builder(&self.context, &target.origin)?
            .url_policy(policy)
            .budget(key)
            .build())
    }
}

impl std::fmt::Debug for Chat {
    /// Without the address, which is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chat")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

fn target(text: &str, format: Option<ChatFormat>) -> Result<Target> {
    let wrong = |message: &str| Err(Error::config("url", message));
    let Ok(url) = Url::parse(text) else {
        return wrong("not an address of an incoming webhook");
    };
    let Some(host) = url.host_str().filter(|_| url.fragment().is_none()) else {
        return wrong("not an address of an incoming webhook");
    };
    let Some(format) = format.or_else(|| ChatFormat::of_host(host)) else {
        return wrong("the host does not tell whose webhook it is; add `format`");
    };
    // What else an address may not be, the client says.
    let origin = url.origin().ascii_serialization();
    Ok(Target {
        url,
        origin,
        format,
    })
}

/// Slack confirms with `ok` in words, a Workflow with 202 and whatever it likes.
fn is_confirmed(format: ChatFormat, answer: &Answer) -> bool {
    match format {
        ChatFormat::Slack => answer.body().trim_ascii() == b"ok",
        ChatFormat::Teams => {
            answer.status().as_u16() == 202 || answer.body().trim_ascii().is_empty()
        }
    }
}

/// The words of <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
/// "Handling errors".
fn slack_error(answer: &ErrorAnswer) -> Error {
    let word = std::str::from_utf8(&answer.body).unwrap_or_default().trim();
    let made =
        |kind, message: &str, word: &str| Error::new(kind, message).with_context("reason", word);
    match word {
        "invalid_payload" | "no_text" | "too_many_attachments" => made(
            ErrorKind::InvalidInput,
            "Slack does not take the message",
            word,
        ),
        "action_prohibited" | "posting_to_general_channel_denied" => made(
            ErrorKind::PermissionDenied,
            "an administrator of the Slack workspace forbids the message",
            word,
        ),
        "channel_not_found"
        | "channel_is_archived"
        | "user_not_found"
        | "no_service"
        | "no_service_id"
        | "no_team"
        | "team_disabled"
        | "invalid_token" => made(
            ErrorKind::NotFound,
            "the incoming webhook or its channel is gone; make another in Slack",
            word,
        ),
        _ => told_to_wait(answer),
    }
}

fn teams_error(answer: &ErrorAnswer) -> Error {
    match answer.status.as_u16() {
        401 | 403 => Error::new(
            ErrorKind::Unauthenticated,
            "the address's signature is not accepted; copy it from the Workflow again",
        ),
        404 | 410 => Error::new(
            ErrorKind::NotFound,
            "the Workflow is gone or switched off; make another in Teams",
        ),
        413 => Error::invalid_input("Teams finds the message too large"),
        _ => told_to_wait(answer),
    }
}

/// A 429 says that nothing was written; after a 5xx nobody knows.
fn told_to_wait(answer: &ErrorAnswer) -> Error {
    let error = answer.default_error();
    match error.kind() {
        ErrorKind::RateLimited => error.untouched(),
        _ => error,
    }
}
