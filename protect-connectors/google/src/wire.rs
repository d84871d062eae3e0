//! What Google's logs look like
//! ([activities](https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list)).

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::model;

/// One or several events of one moment.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Activity {
    pub(crate) id: Moment,
    #[serde(default)]
    pub(crate) actor: Actor,
    pub(crate) ip_address: Option<String>,
    pub(crate) events: Option<Vec<Event>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Moment {
    pub(crate) time: Timestamp,
    pub(crate) unique_qualifier: Option<Value>,
    pub(crate) application_name: Option<String>,
    pub(crate) customer_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Actor {
    pub(crate) email: Option<String>,
    pub(crate) profile_id: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Event {
    pub(crate) name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    pub(crate) parameters: Option<Vec<Parameter>>,
}

impl From<Activity> for model::Activity {
    fn from(activity: Activity) -> Self {
        let events = activity.events.into_iter().flatten().map(Into::into);
        Self {
            time: activity.id.time,
            unique_qualifier: activity.id.unique_qualifier.as_ref().map(digits),
            application: activity.id.application_name,
            actor_email: activity.actor.email,
            actor_id: activity.actor.profile_id,
            ip_address: activity.ip_address,
            events: events.collect(),
        }
    }
}

impl From<Event> for model::ActivityEvent {
    fn from(event: Event) -> Self {
        let parameters = event.parameters.into_iter().flatten();
        let texts = parameters.filter_map(|it| Some((it.name.clone()?, it.text()?)));
        Self {
            parameters: texts.collect(),
            name: event.name,
            kind: event.kind,
        }
    }
}

impl Event {
    /// The parameter of a name, as text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let mut parameters = self.parameters.iter().flatten();
        let found = parameters.find(|it| it.name.as_deref() == Some(name));
        found.and_then(Parameter::text)
    }

    /// The scopes that it grants and that reach far, without what all scopes begin with.
    pub(crate) fn far_reaching(&self) -> Vec<String> {
        let scopes = self.text("scope").unwrap_or_default();
        let short = scopes.split(',').map(|scope| short_scope(scope.trim()));
        short
            .filter(|it| reaches_far(it))
            .map(ToOwned::to_owned)
            .collect()
    }
}

/// A scope as people say it (`drive.readonly`).
fn short_scope(scope: &str) -> &str {
    let short = scope.strip_prefix("https://www.googleapis.com/auth/");
    short.unwrap_or(scope)
}

/// Whether a scope opens mail, files, the vault or the administration
/// ([scopes](https://developers.google.com/identity/protocols/oauth2/scopes)). One that opens no more
/// than the files that the application made itself, or labels and settings of an add-on, does not.
fn reaches_far(scope: &str) -> bool {
    const NEAR: &[&str] = &[
        "drive.file",
        "drive.appdata",
        "drive.install",
        "gmail.labels",
    ];
    let family = scope.split('.').next().unwrap_or_default();
    let is_mail = scope.trim_end_matches('/') == "https://mail.google.com";
    let is_addon = scope.starts_with("gmail.addons.");
    is_mail
        || (matches!(
            family,
            "admin" | "gmail" | "drive" | "ediscovery" | "cloud-platform"
        ) && !is_addon
            && !NEAR.contains(&scope))
}

/// A parameter has its value in one of several fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Parameter {
    pub(crate) name: Option<String>,
    value: Option<String>,
    int_value: Option<Value>,
    bool_value: Option<bool>,
    multi_value: Option<Vec<String>>,
}

impl Parameter {
    /// The value as text; several are joined by commas.
    pub(crate) fn text(&self) -> Option<String> {
        let integer = || self.int_value.as_ref().map(digits);
        let boolean = || self.bool_value.map(|it| it.to_string());
        let several = || self.multi_value.as_ref().map(|it| it.join(","));
        let value = self.value.clone();
        value.or_else(integer).or_else(boolean).or_else(several)
    }
}

/// A number, which Google writes as a text.
pub(crate) fn digits(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
