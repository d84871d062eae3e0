use jiff::Timestamp;
use protect_core::model::Attributes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::item::Item;
use crate::message::put;

/// A remediation to be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRemediation {
    /// `force_password_reset`, `account_lockout`, `account_unlock` or `mfa_enrollment`.
    pub action: String,
    /// Whose login it is, by address.
    pub email: String,
    /// `entra`, `google` or `local_ad`.
    #[serde(default)]
    pub directory: Option<String>,
    /// Why, without personal data.
    pub reason: String,
    /// `critical`, `high`, `medium` or `low`.
    #[serde(default)]
    pub severity: Option<String>,
    /// What we call ourselves there; `protect` where nobody says.
    #[serde(default)]
    pub source: Option<String>,
    /// What the remediation is found by again.
    pub source_ref: String,
    /// The client company's id.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Who asked for it.
    pub requested_by: String,
    /// Who consented to it: somebody else than who asked. Destructive ones wait at RMM for an approval
    /// where this is missing.
    #[serde(default)]
    pub approved_by: Option<String>,
    /// Why it is right to do it.
    #[serde(default)]
    pub justification: Option<String>,
    /// How long a lockout lasts, in minutes.
    #[serde(default)]
    pub duration_minutes: Option<u64>,
    /// Whether sessions are ended too.
    #[serde(default)]
    pub revoke_sessions: Option<bool>,
}

/// A remediation as RMM shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Remediation {
    /// RMM's id.
    pub id: String,
    /// `pending_approval`, `queued`, `executing`, `completed`, `failed`, `cancelled`, or another word.
    pub status: Option<String>,
    /// What is done.
    pub action: Option<String>,
    /// Whose login it is.
    pub email: Option<String>,
    /// Our reference.
    pub source_ref: Option<String>,
    /// How long a lockout lasts, in minutes.
    pub duration_minutes: Option<u64>,
    /// When it was asked for.
    pub created_at: Option<Timestamp>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// Everything else, as it came.
    pub attributes: Attributes,
}

impl NewRemediation {
    pub(super) fn body(self, source: &str, organisation: &str) -> Map<String, Value> {
        let mut target = Map::new();
        put(&mut target, "email", self.email);
        put(&mut target, "directory", self.directory);
        let mut params = Map::new();
        if let Some(minutes) = self.duration_minutes {
            params.insert("duration_minutes".to_owned(), json!(minutes));
        }
        if let Some(sessions) = self.revoke_sessions {
            params.insert("revoke_sessions".to_owned(), json!(sessions));
        }
        let mut body = Map::new();
        put(&mut body, "tenant_id", organisation.to_owned());
        put(&mut body, "client_id", self.client_id);
        put(&mut body, "action", self.action);
        body.insert("target".to_owned(), target.into());
        put(&mut body, "reason", self.reason);
        put(&mut body, "severity", self.severity);
        put(&mut body, "source", source.to_owned());
        put(&mut body, "source_ref", self.source_ref);
        put(&mut body, "requested_by", self.requested_by);
        put(&mut body, "approved_by", self.approved_by);
        put(&mut body, "justification", self.justification);
        if !params.is_empty() {
            body.insert("params".to_owned(), params.into());
        }
        body
    }
}

impl Remediation {
    pub(super) fn of(mut item: Item) -> Self {
        let time = |name: &str| item.text(name).and_then(|text| text.parse().ok());
        let (created_at, finished_at) = (time("created_at"), time("finished_at"));
        let email = member(&item, "target", "email").and_then(Value::as_str);
        let email = email.map(str::to_owned);
        let minutes = member(&item, "params", "duration_minutes").and_then(Value::as_u64);
        Self {
            status: item.take("status"),
            action: item.take("action"),
            email,
            source_ref: item.take("source_ref"),
            duration_minutes: minutes,
            created_at,
            finished_at,
            id: item.id.clone(),
            attributes: item.rest(),
        }
    }
}

fn member<'a>(item: &'a Item, object: &str, name: &str) -> Option<&'a Value> {
    item.value(object)?.get(name)
}
