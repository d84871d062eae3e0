//! The accounts
//! ([users](https://developers.google.com/workspace/admin/directory/reference/rest/v1/users)).

use jiff::Timestamp;
use protect_core::posture::{Read, Reader, View};
use serde::Deserialize;

use super::each;
use crate::workspace::USERS;

/// The accounts, by id. A field that Google did not answer is unknown, which is not the same as false.
#[derive(Debug)]
pub(crate) struct Users(Vec<User>);

/// An account.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: Box<str>,
    /// In lower case.
    pub(crate) email: Box<str>,
    pub(crate) super_admin: Option<bool>,
    pub(crate) delegated_admin: Option<bool>,
    pub(crate) enrolled: Option<bool>,
    pub(crate) enforced: Option<bool>,
    pub(crate) suspended: Option<bool>,
    pub(crate) archived: Option<bool>,
    pub(crate) guest: Option<bool>,
    pub(crate) ip_listed: Option<bool>,
    /// Whether there is an address or number of its owner's.
    pub(crate) recovery: bool,
    pub(crate) created: Option<Timestamp>,
    /// The last sign-in; the year 1970 for an account that never was used.
    seen: Option<Timestamp>,
}

/// When an account was used last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Never,
    At(Timestamp),
}

impl View for Users {
    const PATHS: &'static [&'static str] = &[USERS];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let mut users = Vec::new();
        each(read, USERS, |user: Wire| users.push(User::from(user)))?;
        users.sort_unstable_by(|one: &User, other| one.id.cmp(&other.id));
        users.dedup_by(|one, other| one.id == other.id);
        Ok(Self(users))
    }
}

impl Users {
    pub(crate) fn all(&self) -> impl Iterator<Item = &User> {
        self.0.iter()
    }

    /// Whether anybody has a recovery contact, so that it is known to have been asked for.
    pub(crate) fn know_recovery(&self) -> bool {
        self.0.iter().any(|user| user.recovery)
    }
}

impl User {
    /// Whether it can be used.
    pub(crate) fn active(&self) -> Option<bool> {
        both(not(self.suspended), not(self.archived))
    }

    /// Whether it is an administrator of any kind.
    pub(crate) fn admin(&self) -> Option<bool> {
        either(self.super_admin, self.delegated_admin)
    }

    pub(crate) fn seen(&self) -> Option<Seen> {
        let at = self.seen?;
        Some(if at == Timestamp::UNIX_EPOCH {
            Seen::Never
        } else {
            Seen::At(at)
        })
    }

    /// Whether it was made before a moment.
    pub(crate) fn older_than(&self, moment: Timestamp) -> Option<bool> {
        Some(self.created? < moment)
    }

    /// Whether a list names it, by id or address.
    pub(crate) fn is_in(&self, list: &[String]) -> bool {
        let is = |name: &String| {
            name.eq_ignore_ascii_case(&self.id) || name.eq_ignore_ascii_case(&self.email)
        };
        list.iter().any(is)
    }
}

/// Whether both hold: one that does not is enough to know that they do not.
pub(crate) fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Whether one of both holds.
fn either(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    not(both(not(one), not(other)))
}

fn not(it: Option<bool>) -> Option<bool> {
    it.map(|it| !it)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: Box<str>,
    #[serde(default)]
    primary_email: String,
    is_admin: Option<bool>,
    is_delegated_admin: Option<bool>,
    #[serde(rename = "isEnrolledIn2Sv")]
    enrolled: Option<bool>,
    #[serde(rename = "isEnforcedIn2Sv")]
    enforced: Option<bool>,
    suspended: Option<bool>,
    archived: Option<bool>,
    is_guest_user: Option<bool>,
    ip_whitelisted: Option<bool>,
    recovery_email: Option<String>,
    recovery_phone: Option<String>,
    creation_time: Option<Timestamp>,
    last_login_time: Option<Timestamp>,
}

impl From<Wire> for User {
    fn from(wire: Wire) -> Self {
        let is_there = |it: &Option<String>| it.as_ref().is_some_and(|it| !it.is_empty());
        Self {
            recovery: is_there(&wire.recovery_email) || is_there(&wire.recovery_phone),
            id: wire.id,
            email: wire.primary_email.to_lowercase().into(),
            super_admin: wire.is_admin,
            delegated_admin: wire.is_delegated_admin,
            enrolled: wire.enrolled,
            enforced: wire.enforced,
            suspended: wire.suspended,
            archived: wire.archived,
            guest: wire.is_guest_user,
            ip_listed: wire.ip_whitelisted,
            created: wire.creation_time,
            seen: wire.last_login_time,
        }
    }
}
