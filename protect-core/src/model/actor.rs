use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::authority::{Authority, Permission};
use super::id::PlanId;
use crate::error::{Error, ErrorKind, Result};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// A person, a rule, or the program itself.
    pub kind: ActorKind,
    /// The login, the rule's name, or `engine`.
    pub id: String,
    /// How we know: the name of an authenticator, or `unverified` where somebody only typed a name.
    pub authenticated_by: String,
    /// What they may do, where the login says so; nothing restricts an actor without it. An actor that
    /// was stored before there were roles has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
}

impl Actor {
    /// What an actor who only typed a name is recorded as.
    pub const UNVERIFIED: &'static str = "unverified";

    /// Somebody who typed a name and nothing else.
    pub fn unverified(name: impl Into<String>) -> Self {
        Self {
            kind: ActorKind::Person,
            id: name.into(),
            authenticated_by: Self::UNVERIFIED.to_owned(),
            authority: None,
        }
    }

    /// A rule of the tenant's configuration, by name.
    pub fn rule(name: &str) -> Self {
        Self {
            kind: ActorKind::Rule,
            id: format!("rule:{name}"),
            authenticated_by: "configuration".to_owned(),
            authority: None,
        }
    }

    /// The engine itself: schedules, expiries.
    pub fn engine() -> Self {
        Self {
            kind: ActorKind::Engine,
            id: "engine".to_owned(),
            authenticated_by: "engine".to_owned(),
            authority: None,
        }
    }

    /// Somebody whom an authenticator of this name knows.
    pub fn authenticated(by: &str, id: impl Into<String>, authority: Option<Authority>) -> Self {
        Self {
            kind: ActorKind::Person,
            id: id.into(),
            authenticated_by: by.to_owned(),
            authority,
        }
    }

    /// Another program, by the credential that it showed.
    pub fn service(id: impl Into<String>, by: &str) -> Self {
        Self {
            kind: ActorKind::Service,
            id: id.into(),
            authenticated_by: by.to_owned(),
            authority: None,
        }
    }

    /// Lets those do something whose role allows it, and those who have no role.
    ///
    /// # Errors
    /// `permission_denied`, naming the permission.
    pub fn need(&self, permission: Permission) -> Result<()> {
        let authority = self.authority.as_ref();
        if authority.is_none_or(|authority| authority.allows(permission)) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::PermissionDenied,
            "your role does not allow this; ask an admin of the organisation for the permission",
        )
        .with_context("permission", permission.as_str()))
    }

    /// Whether nobody checked who this is.
    pub fn is_unverified(&self) -> bool {
        self.authenticated_by == Self::UNVERIFIED
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.id)?;
        if self.is_unverified() {
            f.write_str(" (unverified)")?;
        }
        Ok(())
    }
}

/// Which sort of actor it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A human.
    Person,
    /// A rule of the tenant's configuration.
    Rule,
    /// Another program, by its credential.
    Service,
    /// The engine itself.
    Engine,
}

/// Somebody's consent to exactly one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// The plan, by the hash of its content.
    pub plan: PlanId,
    /// Who approved.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// When it stops counting for effects not yet attempted.
    pub expires_at: Timestamp,
}
