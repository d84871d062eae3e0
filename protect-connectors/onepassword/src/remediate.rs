//! Suspending and reactivating users, with what was before and what was read back.

use async_trait::async_trait;
use protect_core::connector::{Applied, OpContext, Probe, Remediator};
use protect_core::model::{
    Action, ActionKind, ActionTarget, Attributes, EffectClass, Preview, Protection,
};
use protect_core::remedy::{self, Remedy, Sent};
use protect_core::{Error, ErrorKind, Result};

use crate::api::UsersApi;
use crate::connector::OnePasswordConnector;
use crate::error::protection_of;
use crate::model::{User, UserState};

/// The actions, with how a repeat behaves: the vendor answers 200 to a user who is in that state
/// already (<https://www.1password.dev/users-api/suspend-user>).
pub(crate) const ACTIONS: [(ActionKind, EffectClass); 2] = [
    (ActionKind::SuspendAccount, EffectClass::StateIdempotent),
    (ActionKind::ReactivateAccount, EffectClass::StateIdempotent),
];

#[async_trait]
impl Remediator for OnePasswordConnector {
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview> {
        remedy::preview(&self.change(action)?, cx).await
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        remedy::apply(&self.change(action)?, cx, &*self.clock).await
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        remedy::probe(&self.change(action)?, cx).await
    }
}

impl OnePasswordConnector {
    fn change<'a>(&'a self, action: &'a Action) -> Result<Change<'a>> {
        let api = self.respond_users.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "without a `respond` credential nothing can be changed",
            )
        })?;
        let wanted = match action.kind {
            ActionKind::SuspendAccount => UserState::Suspended,
            ActionKind::ReactivateAccount => UserState::Active,
            other => {
                let message = format!("1Password cannot do {other}");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        let ActionTarget::Account(account) = &action.target else {
            return Err(Error::invalid_input("the target is no account"));
        };
        Ok(Change {
            api,
            user: &account.id,
            wanted,
            parameters: &action.parameters,
        })
    }
}

/// A change of one user's state.
struct Change<'a> {
    api: &'a UsersApi,
    user: &'a str,
    wanted: UserState,
    /// They say whose account is meant, by address: events and users have ids of the same form, and
    /// nothing in writing says that they are the same ids.
    parameters: &'a Attributes,
}

#[async_trait]
impl Remedy for Change<'_> {
    type Looked = User;

    async fn look(&self, cx: &OpContext) -> Result<User> {
        self.api.get_user(cx, self.user).await
    }

    fn facts(&self, user: &User) -> Attributes {
        facts(&user.state)
    }

    fn wanted(&self, _: &User) -> Attributes {
        facts(&self.wanted)
    }

    fn is_so(&self, user: &User) -> bool {
        user.state == self.wanted
    }

    fn objection(&self, user: &User) -> Option<&'static str> {
        if user.id != self.user {
            return Some("1Password gave a user with another id");
        }
        let is_meant = remedy::is_meant(self.parameters, user.email.as_deref());
        (!is_meant).then_some("the user's address is not the one that was meant")
    }

    async fn send(&self, cx: &OpContext, _: &User) -> Result<Sent<User>> {
        let answered = if self.wanted == UserState::Suspended {
            self.api.suspend_user(cx, self.user).await
        } else {
            self.api.reactivate_user(cx, self.user).await
        };
        match answered {
            Ok(user) => Ok(Sent::Answered(user)),
            Err(error) => match protection_of(&error) {
                Some(protection) => Ok(Sent::Refused(refusal(protection))),
                None => Err(error),
            },
        }
    }

    fn unconfirmed(&self) -> &'static str {
        "1Password accepted the change, and the user is still in another state"
    }

    fn probed(&self, user: User) -> Probe {
        let facts = facts(&user.state);
        match user.state {
            state if state == self.wanted => Probe::Happened(facts),
            UserState::Active | UserState::Suspended => Probe::DidNotHappen(facts),
            UserState::Unspecified | UserState::Other(_) => Probe::CannotTell,
        }
    }
}

fn facts(state: &UserState) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("state".to_owned(), state.as_str().into());
    facts
}

fn refusal(protection: Protection) -> &'static str {
    match protection {
        Protection::LastOwner => "1Password does not suspend the last owner",
        _ => "1Password does not change an externally managed user",
    }
}
