//! What a product tells by webhook: a route below the connector's name, which takes a message for a
//! reason to look, and never for what is to be seen.
//!
//! Hub, Settings, Webhooks sends to an address of ours, with a secret for each. What is documented of
//! that, and what is ours, stands at [`events`].

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use protect_core::config::{CredentialSpec, KindSpec};
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, CredentialDiagnosis, Diagnosis, OpContext,
};
use protect_core::inbound::{Inbound, InboundAnswer, InboundRequest, News, Route, SignedMessage};
use protect_core::registry::ConnectorSetup;
use protect_core::secret::{ExposeSecret, SecretRef};
use protect_core::{Context, Error, ErrorKind, Result};
use serde_json::{Map, Value};

use crate::config::{self, Product, text};
use crate::conventions::{Conventions, Header};
use crate::events::{self, Event, EventHeaders};

/// Below the connector's own path.
const PATH: &str = "/events";

/// The field of the `scan` credential that holds the secret, and the one that holds the secret before.
const SECRET: &str = "webhook_secret";
const PREVIOUS: &str = "webhook_secret_previous";

/// How old a message may be that says when it was: whoever was not answered sends again for three days,
/// if it does as Standard Webhooks has it.
const OLDEST: SignedDuration = SignedDuration::from_hours(4 * 24);

/// How far its clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// How long a message must be remembered that says when it was: until it is too old.
const REMEMBER: Duration = Duration::from_hours(5 * 24);

/// The same for one that does not say. A copy that comes later has us look once more, and does nothing
/// else.
const REMEMBER_TIMELESS: Duration = Duration::from_hours(30 * 24);

/// Adds the secret to a kind whose product tells by webhook.
pub(crate) fn add_to(spec: KindSpec) -> KindSpec {
    let credential = CredentialSpec::new()
        .secret(
            SECRET,
            "The secret of the webhook, Hub, Settings, Webhooks; with it the product tells what has moved, and without it is asked every hour.",
        )
        .optional_secret(
            PREVIOUS,
            "The secret before: messages signed with it are still taken.",
        );
    spec.optional_scan(credential)
}

/// What of an event is worth a look; an error where it is about something and does not say about what.
pub(crate) type Read = fn(&Event) -> Result<Vec<News>>;

/// The webhooks of one connector.
#[derive(Debug)]
pub(crate) struct Webhooks {
    info: ConnectorInfo,
    context: Context,
    organisation: String,
    secrets: Vec<SecretRef>,
    headers: EventHeaders,
    conventions: Conventions,
    routes: [Route; 1],
    news: Read,
}

impl Webhooks {
    /// As the configuration has it; `None` where the connection holds no secret.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub(crate) fn read(
        setup: &ConnectorSetup,
        product: &Product,
        name: &'static str,
        news: Read,
        context: &Context,
    ) -> Result<Option<Self>> {
        let Some((_, connection)) = &setup.connection else {
            return Err(setup.error("connection", "this kind needs it"));
        };
        let Some(secret) = connection.scan_secret(SECRET) else {
            return Ok(None);
        };
        let previous = connection.scan_secret(PREVIOUS);
        let organisation = text(setup, "organisation_id")
            .ok_or_else(|| setup.error("organisation_id", "this kind needs it"))?;
        let conventions = config::conventions(setup, connection)?;
        Ok(Some(Self {
            info: setup.info.clone(),
            context: context.clone(),
            organisation,
            secrets: [Some(secret), previous].into_iter().flatten().collect(),
            headers: headers(product, &conventions),
            conventions,
            routes: [Route::post(name, PATH).signed()],
            news,
        }))
    }

    /// What `doctor` says of the secrets. Whether they are Hub's shows the first message.
    pub(crate) async fn credential(&self) -> CredentialDiagnosis {
        let problem = self.problem().await;
        let cannot_tell = "cannot tell whether Hub signs with it: the first webhook shows that";
        CredentialDiagnosis {
            name: format!("scan.{SECRET}"),
            accepted: problem.is_some().then_some(false),
            missing: Vec::new(),
            excess: Vec::new(),
            note: Some(problem.unwrap_or_else(|| cannot_tell.to_owned())),
        }
    }

    async fn problem(&self) -> Option<String> {
        for reference in &self.secrets {
            match self.context.secrets.resolve(reference).await {
                Err(error) => return Some(format!("{reference}: {}", error.message())),
                Ok(secret) if secret.expose_secret().is_empty() => {
                    return Some(format!("{reference}: the secret is empty"));
                }
                Ok(_) => {}
            }
        }
        None
    }

    /// The event of a message that is signed, for this organisation, and not too old.
    async fn verified(&self, request: &InboundRequest) -> Result<Event> {
        let mut secrets = Vec::new();
        for reference in &self.secrets {
            secrets.push(self.context.secrets.resolve(reference).await?);
        }
        let now = self.context.clock.now();
        let header = |name: &str| request.header(name);
        let event = events::verify(header, &request.body, &secrets, &self.headers, now)?;
        let is_ours = event.organisation.as_ref() == Some(&self.organisation);
        if event.organisation.is_some() && !is_ours {
            return Err(refused("the message is of another organisation"));
        }
        if event.at.is_some_and(|at| !is_recent(at, now)) {
            return Err(refused(
                "the message is older than four days, or of a time that has not come",
            ));
        }
        Ok(event)
    }
}

#[async_trait]
impl Connector for Webhooks {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability::default()
    }

    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        Ok(Diagnosis {
            reachable: true,
            credentials: vec![self.credential().await],
            ..Diagnosis::default()
        })
    }

    fn as_inbound(&self) -> Option<&dyn Inbound> {
        Some(self)
    }
}

#[async_trait]
impl Inbound for Webhooks {
    fn routes(&self) -> &[Route] {
        &self.routes
    }

    async fn verify(&self, _: &OpContext, request: &InboundRequest) -> Result<SignedMessage> {
        let event = self.verified(request).await?;
        Ok(SignedMessage {
            id: event.id,
            // The time is not what was signed last: a repeat is told by its id alone.
            signed_at: None,
            remember: match event.at {
                Some(_) => REMEMBER,
                None => REMEMBER_TIMELESS,
            },
        })
    }

    async fn handle(&self, _: &OpContext, request: &InboundRequest) -> Result<InboundAnswer> {
        let mut event = events::read(&request.body)?;
        event.data = self.conventions.read(event.data);
        let news = (self.news)(&event)?;
        Ok(InboundAnswer::no_content().with_news(news))
    }
}

/// The thing that an event `<thing>.<what happened>` is about, by the product's id: in `<thing>_id`, in
/// `<thing>.id` or in `id`.
///
/// # Errors
/// `invalid_input` where none of them is there.
pub(crate) fn item(event: &Event, thing: &str) -> Result<Vec<News>> {
    let is_about = event
        .event
        .strip_prefix(thing)
        .is_some_and(|rest| rest.starts_with('.'));
    if !is_about {
        return Ok(Vec::new());
    }
    let member = format!("{thing}_id");
    let data = &event.data;
    let whole = data.get(thing).and_then(Value::as_object);
    let found = id(data, &member)
        .or_else(|| id(whole?, "id"))
        .or_else(|| id(data, "id"));
    let found = found.ok_or_else(|| {
        Error::invalid_input(
            "the event does not say what it is about; say in `conventions.members` what that is called",
        )
        .with_context("field", format!("data.{member}"))
    })?;
    Ok(vec![News::Item(found)])
}

fn id(object: &Map<String, Value>, member: &str) -> Option<String> {
    match object.get(member)? {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Which headers are read, where the connection does not say.
fn headers(product: &Product, conventions: &Conventions) -> EventHeaders {
    let named = |header| {
        let name = conventions.header(header);
        (!name.is_empty()).then(|| name.to_ascii_lowercase())
    };
    let mut headers = EventHeaders::of_product(product.kind);
    if let Some(name) = named(Header::WebhookSignature) {
        headers.signature = vec![name];
    }
    headers.timestamp = named(Header::WebhookTimestamp);
    headers
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    -AHEAD <= age && age <= OLDEST
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::Unauthenticated, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(name: &str, data: &Value) -> Event {
        let body = json!({ "id": "e-1", "event": name, "data": data }).to_string();
        events::read(body.as_bytes()).unwrap()
    }

    #[test]
    fn an_event_is_about_what_it_names_in_any_of_the_usual_ways() {
        for (data, id) in [
            (json!({ "ticket_id": "7" }), "7"),
            (json!({ "ticket": { "id": 7 }, "id": "note" }), "7"),
            (json!({ "id": "7", "status": "closed" }), "7"),
        ] {
            let news = item(&event("ticket.updated", &data), "ticket").unwrap();
            assert_eq!(news, [News::Item(id.to_owned())]);
        }
        for other in ["time_entry.created", "tickets.updated", "ticket"] {
            let news = item(&event(other, &json!({ "id": "7" })), "ticket").unwrap();
            assert_eq!(news, [], "{other}");
        }
        for nothing in [json!({}), json!({ "ticket_id": "" }), json!({ "id": null })] {
            let error = item(&event("ticket.updated", &nothing), "ticket").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn what_is_too_old_or_not_yet_is_not_recent() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        assert!(is_recent(now, now) && is_recent(now - OLDEST, now) && is_recent(now + AHEAD, now));
        let second = SignedDuration::from_secs(1);
        assert!(!is_recent(now - OLDEST - second, now) && !is_recent(now + AHEAD + second, now));
    }
}
