use jiff::Timestamp;
use protect_core::model::NotEvaluatedReason;
use protect_core::posture::{Read, Reader, Unread, View};
use serde::Deserialize;

use super::Answer;
use crate::graph::{SIGN_IN_ACTIVITY, USERS};
use crate::id::{Name, Names};

/// The users of the tenant, by id.
#[derive(Debug)]
pub(crate) struct Users {
    users: Vec<User>,
    asked: Asked,
}

/// What the checks keep of a user.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: Name,
    /// In lower case; empty where Graph was not asked.
    pub(crate) upn: Box<str>,
    pub(crate) enabled: bool,
    pub(crate) guest: bool,
    pub(crate) synced: bool,
    pub(crate) strong_password_disabled: bool,
    pub(crate) created: Option<Timestamp>,
    pub(crate) hired: Option<Timestamp>,
    /// The last sign-in of any kind.
    pub(crate) seen: Option<Timestamp>,
}

/// Which fields Graph was asked for: it answers a small set unless told, and what it does not answer
/// is not known to be false.
#[derive(Debug, Default)]
struct Asked {
    nobody_lacks_enabled: bool,
    policies: bool,
    source: bool,
    activity: bool,
}

impl View for Users {
    const PATHS: &'static [&'static str] = &[USERS];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let mut users = Vec::new();
        let mut asked = Asked {
            nobody_lacks_enabled: true,
            ..Asked::default()
        };
        read.each(USERS, |user: Wire| {
            asked.nobody_lacks_enabled &= user.account_enabled.is_some();
            asked.policies |= !user.password_policies.is_missing();
            asked.source |= !user.on_premises_immutable_id.is_missing();
            asked.activity |= user.sign_in_activity.is_some();
            users.push(User::from(user));
        })?;
        users.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        users.dedup_by(|one, other| one.id == other.id);
        Ok(Self { users, asked })
    }
}

impl Users {
    pub(crate) fn all(&self) -> impl Iterator<Item = &User> {
        self.users.iter()
    }

    pub(crate) fn by_id(&self, id: &Name) -> Option<&User> {
        let at = self.users.binary_search_by(|user| user.id.cmp(id)).ok()?;
        self.users.get(at)
    }

    /// Those who can sign in.
    pub(crate) fn enabled(&self) -> Read<impl Iterator<Item = &User>> {
        self.asked_enabled()?;
        Ok(self.users.iter().filter(|user| user.enabled))
    }

    /// That each says whether it can sign in.
    pub(crate) fn asked_enabled(&self) -> Read<()> {
        self.asked(self.asked.nobody_lacks_enabled, "accountEnabled")
    }

    /// That password policies were asked for.
    pub(crate) fn asked_password_policies(&self) -> Read<()> {
        self.asked(self.asked.policies, "passwordPolicies")
    }

    /// That it was asked where accounts come from.
    pub(crate) fn asked_source(&self) -> Read<()> {
        self.asked(self.asked.source, "onPremisesImmutableId")
    }

    /// Whether anybody's sign-ins were answered.
    pub(crate) fn knows_activity(&self) -> bool {
        self.asked.activity
    }

    fn asked(&self, so: bool, field: &str) -> Read<()> {
        if so || self.users.is_empty() {
            return Ok(());
        }
        let why = format!("the users were collected without `{field}`");
        Err(Unread::new(NotEvaluatedReason::NoObservation, USERS, why))
    }

    /// Why nobody's sign-ins are known.
    pub(crate) fn without_activity() -> Unread {
        Unread::absent(SIGN_IN_ACTIVITY)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: Name,
    #[serde(default)]
    user_principal_name: Option<Name>,
    account_enabled: Option<bool>,
    user_type: Option<Name>,
    on_premises_sync_enabled: Option<bool>,
    #[serde(default)]
    on_premises_immutable_id: Answer<Name>,
    #[serde(default)]
    password_policies: Answer<Names>,
    created_date_time: Option<Timestamp>,
    employee_hire_date: Option<Timestamp>,
    sign_in_activity: Option<Activity>,
}

/// The first two count failed attempts; the third is younger and not filled in backwards.
#[derive(Deserialize)]
struct Activity {
    #[serde(rename = "lastSignInDateTime")]
    interactive: Option<Timestamp>,
    #[serde(rename = "lastNonInteractiveSignInDateTime")]
    non_interactive: Option<Timestamp>,
    #[serde(rename = "lastSuccessfulSignInDateTime")]
    successful: Option<Timestamp>,
}

impl From<Wire> for User {
    fn from(wire: Wire) -> Self {
        let has_source = wire.on_premises_immutable_id.value();
        let policies = wire.password_policies.value().unwrap_or_default();
        let seen = wire
            .sign_in_activity
            .and_then(|it| it.interactive.max(it.non_interactive).max(it.successful));
        Self {
            id: wire.id,
            upn: wire
                .user_principal_name
                .map(|upn| upn.as_str().into())
                .unwrap_or_default(),
            enabled: wire.account_enabled.unwrap_or_default(),
            guest: wire.user_type.is_some_and(|kind| kind.is("Guest")),
            synced: wire.on_premises_sync_enabled == Some(true)
                || has_source.is_some_and(|id| !id.as_str().is_empty()),
            strong_password_disabled: policies.has("DisableStrongPassword"),
            created: wire.created_date_time,
            hired: wire.employee_hire_date,
            seen,
        }
    }
}
