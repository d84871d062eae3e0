use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::PlanId;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Actor {
    /// A person, a rule, or the program itself.
    pub kind: ActorKind,
    /// The login, the rule's name, or `engine`.
    pub id: String,
    /// How we know: the name of an authenticator, or `unverified` where somebody only typed a name.
    pub authenticated_by: String,
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
        }
    }

    /// A rule of the tenant's configuration, by name.
    pub fn rule(name: &str) -> Self {
        Self {
            kind: ActorKind::Rule,
            id: format!("rule:{name}"),
            authenticated_by: "configuration".to_owned(),
        }
    }

    /// The engine itself: schedules, expiries.
    pub fn engine() -> Self {
        Self {
            kind: ActorKind::Engine,
            id: "engine".to_owned(),
            authenticated_by: "engine".to_owned(),
        }
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
