use http::{Method, StatusCode};
use protect_core::cloud_event::{CloudEvent, MEDIA_TYPE};
use protect_core::connector::{Diagnosis, OpContext};
use protect_core::http::ErrorAnswer;
use protect_core::model::{Actor, Attributes, TenantId};
use protect_core::{Context, Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Format, PRODUCT, Style};
use crate::client::{Access, Platform, per_call};
use crate::config::SOURCE;
use crate::conventions::Path;
use crate::direct::nobody;
use crate::error;
use crate::message::put;

/// Acts at once at The One Bus: without plan, guards, store or ledger. For those, use the engine.
///
/// Retries, the limit of the organisation and typed errors are inside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bus {
    platform: Platform,
    style: Style,
    format: Format,
    cx: OpContext,
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusEvent {
    /// What it is: the same event again has the same id.
    pub event_id: String,
    /// What it is called (`protect.finding.created`).
    pub event_type: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// One line.
    pub title: String,
    /// What we call ourselves there; `protect` where nobody says.
    #[serde(default)]
    pub source: Option<String>,
    /// Text for people.
    #[serde(default)]
    pub detail: Option<String>,
    /// What it is about.
    #[serde(default)]
    pub entity_id: Option<String>,
    /// Where people look that up.
    #[serde(default)]
    pub entity_url: Option<String>,
    /// Who did it.
    #[serde(default)]
    pub actor_id: Option<String>,
    /// The client company's id.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Anything else.
    #[serde(default)]
    pub metadata: Option<Attributes>,
}

/// What the bus did with an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Emitted {
    /// The bus's id, where it gives one; else the event's.
    pub id: String,
    /// Whether it was buffered rather than written.
    pub buffered: bool,
}

per_call!(Bus);

impl Bus {
    /// A client for one organisation. No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is none, or an empty organisation.
    pub fn new(access: Access, style: Style, context: &Context) -> Result<Self> {
        let platform = Platform::new(access, &PRODUCT, false, context)?;
        Ok(Self::over(platform, style, &nobody()?))
    }

    pub(crate) fn over(platform: Platform, style: Style, tenant: &TenantId) -> Self {
        let cx = OpContext::new(tenant.clone(), "bus", Actor::engine());
        Self {
            platform,
            style,
            format: Format::default(),
            cx,
        }
    }

    /// What an event is wrapped in.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Puts an event on the bus. An answer that gets lost has it sent again under the same id, as the
    /// vendor's own client does; whether the bus then drops one of the two is not documented.
    ///
    /// # Errors
    /// `not_found` where the bus has no such path, with a hint at the other style, which is never tried
    /// by itself; otherwise as for every call.
    pub async fn emit(&self, event: BusEvent) -> Result<Emitted> {
        let must = [
            &event.event_id,
            &event.event_type,
            &event.severity,
            &event.title,
        ];
        if must.iter().any(|text| text.is_empty()) {
            let message = "an event needs an id, a type, a severity and a title";
            return Err(Error::invalid_input(message));
        }
        let id = event.event_id.clone();
        let (path, hint): (_, fn(&ErrorAnswer) -> Error) = match self.style {
            Style::A => (Path::EventsA, not_a),
            Style::B => (Path::EventsB, not_b),
        };
        let request = self
            .platform
            .request(Method::POST, "bus.emit", path)
            .errors(hint)
            .idempotent(true);
        let answer = match self.format {
            Format::Platform => {
                let body = self.body(event);
                self.platform.post(&self.cx, request, body, Some(&id)).await
            }
            Format::CloudEvents => {
                let body = (MEDIA_TYPE, self.wrapped(event)?);
                self.platform.post_as(&self.cx, request, body, &id).await
            }
        }?;
        Ok(Emitted {
            buffered: answer.status() == StatusCode::ACCEPTED,
            id: self.id_in(answer.body()).unwrap_or(id),
        })
    }

    pub(super) async fn diagnose(&self, cx: &OpContext) -> Diagnosis {
        self.platform.diagnose_blindly(cx).await
    }

    fn body(&self, event: BusEvent) -> Map<String, Value> {
        let mut body = Map::new();
        put(
            &mut body,
            "source",
            event.source.unwrap_or_else(|| SOURCE.to_owned()),
        );
        if self.style == Style::B {
            put(&mut body, "type", event.event_type.clone());
        }
        put(&mut body, "event_type", event.event_type);
        put(
            &mut body,
            "tenant_id",
            self.platform.organisation().to_owned(),
        );
        put(&mut body, "severity", event.severity);
        put(&mut body, "title", event.title);
        put(&mut body, "detail", event.detail);
        put(&mut body, "entity_id", event.entity_id);
        put(&mut body, "entity_url", event.entity_url);
        put(&mut body, "actor_id", event.actor_id);
        put(&mut body, "client_id", event.client_id);
        let mut metadata = event.metadata.unwrap_or_default();
        metadata.insert("event_id".to_owned(), event.event_id.into());
        body.insert("metadata".to_owned(), Value::Object(metadata));
        body
    }

    /// The same as the data of a Cloud Event.
    fn wrapped(&self, event: BusEvent) -> Result<String> {
        let source = format!("urn:protect:organisation:{}", self.platform.organisation());
        let (id, kind) = (event.event_id.clone(), event.event_type.clone());
        let about = event.entity_id.clone().unwrap_or_default();
        let body = self.platform.conventions().write(self.body(event));
        CloudEvent::new(source, id, kind, Value::Object(body))?
            .subject(about.as_str())
            .extension("partitionkey", about)?
            .to_json()
    }

    /// "Any 2xx" is success, whatever the body.
    fn id_in(&self, body: &[u8]) -> Option<String> {
        let body: Map<String, Value> = serde_json::from_slice(body).ok()?;
        self.platform.item(body).ok().map(|item| item.id)
    }
}

fn not_a(answer: &ErrorAnswer) -> Error {
    hinted(
        answer,
        "the bus has no such path; its other clients use `style = \"b\"`",
    )
}

fn not_b(answer: &ErrorAnswer) -> Error {
    hinted(
        answer,
        "the bus has no such path; its other clients use `style = \"a\"`",
    )
}

fn hinted(answer: &ErrorAnswer, hint: &str) -> Error {
    match answer.status {
        StatusCode::NOT_FOUND => Error::new(ErrorKind::NotFound, hint),
        _ => error::table(answer),
    }
}
