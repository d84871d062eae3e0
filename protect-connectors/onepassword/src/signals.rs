//! Events as signals: which facts a detection finds under which name.

use protect_core::model::{Attributes, Signal, Subject};
use serde_json::Value;

use crate::KIND;
use crate::model::{AuditEvent, ClientInfo, ItemUsage, Location, SignInAttempt, UserInfo};

/// An attempt to sign in; the subject is whose sign-in it was.
pub(crate) const SIGN_IN: &str = "onepassword.sign_in";
/// A use of an item; the subject is who used it.
pub(crate) const ITEM_USAGE: &str = "onepassword.item_usage";
/// Something done to the account; the subject is who did it.
pub(crate) const AUDIT: &str = "onepassword.audit";

impl From<SignInAttempt> for Signal {
    fn from(event: SignInAttempt) -> Self {
        let mut facts = Facts::default();
        facts.put("category", Some(event.category));
        facts.put("type", Some(event.kind));
        facts.user(&event.target_user);
        facts.client(event.client);
        facts.location(event.location);
        // The event's own country is an ISO code; the location's may be a name.
        facts.put("country", event.country);
        facts.put(
            "blocked_by",
            event.details.and_then(|details| details.value),
        );
        facts.put("session", event.session_uuid);
        Self {
            id: event.uuid,
            kind: SIGN_IN.to_owned(),
            at: event.timestamp,
            subject: Subject::account(KIND, event.target_user.uuid),
            attributes: facts.0,
        }
    }
}

impl From<ItemUsage> for Signal {
    fn from(event: ItemUsage) -> Self {
        let mut facts = Facts::default();
        facts.put("action", Some(event.action));
        facts.put("item", event.item_uuid);
        facts.put("vault", event.vault_uuid);
        facts.user(&event.user);
        facts.client(event.client);
        facts.location(event.location);
        Self {
            id: event.uuid,
            kind: ITEM_USAGE.to_owned(),
            at: event.timestamp,
            subject: Subject::account(KIND, event.user.uuid),
            attributes: facts.0,
        }
    }
}

impl From<AuditEvent> for Signal {
    fn from(event: AuditEvent) -> Self {
        let mut facts = Facts::default();
        facts.put("action", Some(event.action));
        facts.put("object_type", Some(event.object_type));
        facts.put("object", event.object_uuid);
        facts.put("aux", event.aux_uuid);
        facts.put("aux_info", event.aux_info);
        facts.put("actor_type", event.actor_type);
        if let Some(actor) = &event.actor_details {
            facts.user(actor);
        }
        facts.put("ip", event.session.and_then(|session| session.ip));
        facts.location(event.location);
        Self {
            id: event.uuid,
            kind: AUDIT.to_owned(),
            at: event.timestamp,
            subject: Subject::account(KIND, event.actor_uuid),
            attributes: facts.0,
        }
    }
}

#[derive(Default)]
struct Facts(Attributes);

impl Facts {
    fn put(&mut self, name: &str, text: Option<String>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.0.insert(name.to_owned(), Value::String(text));
        }
    }

    fn number(&mut self, name: &str, number: Option<f64>) {
        if let Some(number) = number.and_then(serde_json::Number::from_f64) {
            self.0.insert(name.to_owned(), Value::Number(number));
        }
    }

    fn user(&mut self, user: &UserInfo) {
        self.put("address", user.email.clone());
        self.put("user_type", user.user_type.clone());
    }

    fn client(&mut self, client: Option<ClientInfo>) {
        let client = client.unwrap_or_default();
        self.put("app", client.app_name);
        self.put("platform", client.platform_name);
        self.put("os", client.os_name);
        self.put("ip", client.ip_address);
    }

    fn location(&mut self, location: Option<Location>) {
        let location = location.unwrap_or_default();
        self.put("country", location.country);
        self.put("region", location.region);
        self.put("city", location.city);
        self.number("latitude", location.latitude);
        self.number("longitude", location.longitude);
    }
}

/// How detections read a signal's facts.
pub(crate) trait SignalExt {
    /// A fact, where the event had it.
    fn fact(&self, name: &str) -> Option<&str>;

    /// A fact that is a number.
    fn number(&self, name: &str) -> Option<f64>;

    /// A sign-in that succeeded.
    fn is_success(&self) -> bool {
        self.fact("category") == Some("success")
    }

    /// A sign-in that failed for a wrong password, key or second factor.
    fn is_failure(&self) -> bool {
        matches!(
            self.fact("category"),
            Some("credentials_failed" | "mfa_failed")
        )
    }

    /// The country in capitals, so that two spellings of a code are one.
    fn country(&self) -> Option<String> {
        self.fact("country").map(str::to_uppercase)
    }
}

impl SignalExt for Signal {
    fn fact(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.attributes.get(name).and_then(Value::as_f64)
    }
}
