use protect_core::model::Attributes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::item::Item;
use crate::message::put;

/// An incident to be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecurityIncident {
    /// One line.
    pub title: String,
    /// `critical`, `high`, `medium` or `low`: the product has no `info`.
    pub severity: String,
    /// Text for people.
    #[serde(default)]
    pub description: Option<String>,
    /// `credential_exposure`, `saas_misconfiguration`, `email_authentication`, `insider_threat`, or
    /// another word.
    #[serde(default)]
    pub category: Option<String>,
    /// What we call ourselves there; `protect` where nobody says.
    #[serde(default)]
    pub source: Option<String>,
    /// What the incident is found by again.
    pub source_ref: String,
    /// Where people look it up at our side.
    #[serde(default)]
    pub source_url: Option<String>,
    /// The client company's id.
    #[serde(default)]
    pub client_id: Option<String>,
    /// The login or address that it is about.
    #[serde(default)]
    pub affected_account: Option<String>,
    /// The breach's name.
    #[serde(default)]
    pub breach_name: Option<String>,
    /// The breach's date.
    #[serde(default)]
    pub breach_date: Option<String>,
    /// The classes of data that were in the breach.
    #[serde(default)]
    pub breach_data_types: Option<Vec<String>>,
    /// What to do next, in words.
    #[serde(default)]
    pub recommended_actions: Option<Vec<String>>,
    /// Security's alerts about the same account.
    #[serde(default)]
    pub alert_ids: Option<Vec<String>>,
}

/// An incident as Security shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SecurityIncident {
    /// Security's id.
    pub id: String,
    /// One line.
    pub title: Option<String>,
    /// `new`, `open`, `investigating`, `contained`, `resolved`, `closed`, or another word.
    pub status: Option<String>,
    /// `critical`, `high`, `medium`, `low`, or another word.
    pub severity: Option<String>,
    /// Our reference.
    pub source_ref: Option<String>,
    /// Everything else, as it came.
    pub attributes: Attributes,
}

impl NewSecurityIncident {
    pub(super) fn body(self, source: &str, organisation: &str) -> Map<String, Value> {
        let mut body = Map::new();
        put(&mut body, "title", self.title);
        put(&mut body, "severity", self.severity);
        put(&mut body, "description", self.description);
        put(&mut body, "category", self.category);
        put(&mut body, "source", source.to_owned());
        put(&mut body, "source_ref", self.source_ref);
        put(&mut body, "source_url", self.source_url);
        put(&mut body, "tenant_id", organisation.to_owned());
        put(&mut body, "client_id", self.client_id);
        put(&mut body, "affected_account", self.affected_account);
        if let Some(name) = self.breach_name.filter(|name| !name.is_empty()) {
            let mut breach = Map::new();
            put(&mut breach, "name", name);
            put(&mut breach, "date", self.breach_date);
            breach.insert(
                "data_types".to_owned(),
                json!(self.breach_data_types.unwrap_or_default()),
            );
            body.insert("breach".to_owned(), Value::Object(breach));
        }
        let actions = self.recommended_actions.unwrap_or_default();
        if !actions.is_empty() {
            body.insert("recommended_actions".to_owned(), json!(actions));
        }
        let alerts = self.alert_ids.unwrap_or_default();
        if !alerts.is_empty() {
            body.insert("correlation".to_owned(), json!({ "alert_ids": alerts }));
        }
        body
    }
}

impl SecurityIncident {
    pub(super) fn of(mut item: Item) -> Self {
        Self {
            title: item.take("title"),
            status: item.take("status"),
            severity: item.take("severity"),
            source_ref: item.take("source_ref"),
            id: item.id.clone(),
            attributes: item.rest(),
        }
    }
}
