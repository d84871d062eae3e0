//! Suspending and reactivating users, with what was before and what was read back.

use async_trait::async_trait;
use protect_core::connector::{Applied, OpContext, Probe, Remediator};
use protect_core::model::{
    AccountState, Action, ActionKind, ActionTarget, Address, Attributes, EffectClass, Preview,
};
use protect_core::remedy::{self, Remedy, Sent};
use protect_core::{Error, ErrorKind, Result};

use crate::api::Api;
use crate::connector::ScimConnector;
use crate::model::User;

/// The actions, with how a repeat behaves: `replace` sets a state (RFC 7644 section 3.5.2.3).
pub(crate) const ACTIONS: [(ActionKind, EffectClass); 2] = [
    (ActionKind::SuspendAccount, EffectClass::StateIdempotent),
    (ActionKind::ReactivateAccount, EffectClass::StateIdempotent),
];

#[async_trait]
impl Remediator for ScimConnector {
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

impl ScimConnector {
    fn change<'a>(&'a self, action: &'a Action) -> Result<Change<'a>> {
        let api = self.respond.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "without a `respond` token nothing can be changed",
            )
        })?;
        let wanted = match action.kind {
            ActionKind::SuspendAccount => AccountState::Suspended,
            ActionKind::ReactivateAccount => AccountState::Active,
            other => {
                let message = format!("SCIM cannot do {other}");
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
    api: &'a Api,
    user: &'a str,
    wanted: AccountState,
    parameters: &'a Attributes,
}

impl Change<'_> {
    fn suspends(&self) -> bool {
        self.wanted == AccountState::Suspended
    }
}

#[async_trait]
impl Remedy for Change<'_> {
    /// `None` where the user is gone, which is as good as suspended and no state to reactivate from.
    type Looked = Option<User>;

    async fn look(&self, cx: &OpContext) -> Result<Option<User>> {
        match self.api.get_user(cx, self.user).await {
            Ok(user) if user.id == self.user => Ok(Some(user)),
            Ok(_) => Err(Error::new(
                ErrorKind::InvalidResponse,
                "the service provider gave a user with another id",
            )),
            Err(error) if error.kind() == ErrorKind::NotFound && self.suspends() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn facts(&self, user: &Option<User>) -> Attributes {
        facts(&state_of(user.as_ref()))
    }

    fn wanted(&self, now: &Option<User>) -> Attributes {
        if self.is_so(now) {
            self.facts(now)
        } else {
            facts(&self.wanted)
        }
    }

    fn is_so(&self, now: &Option<User>) -> bool {
        let state = state_of(now.as_ref());
        state == self.wanted || (self.suspends() && state == AccountState::Deleted)
    }

    /// A user without a readable address is told by its id alone: service providers may leave addresses
    /// out.
    fn objection(&self, user: &Option<User>) -> Option<&'static str> {
        let user = user.as_ref()?;
        let has = [user.email.as_deref(), Some(&*user.user_name)];
        let readable = |text: &&str| Address::new(*text).is_ok();
        let has: Vec<&str> = has.into_iter().flatten().filter(readable).collect();
        (!has.is_empty() && !remedy::is_meant(self.parameters, has))
            .then_some("the user's address is not the one that was meant")
    }

    async fn send(&self, cx: &OpContext, before: &Option<User>) -> Result<Sent<Option<User>>> {
        let (operation, active) = if self.suspends() {
            ("scim.suspend_user", false)
        } else {
            ("scim.reactivate_user", true)
        };
        let version = before.as_ref().and_then(|user| user.version.as_deref());
        let sent = self
            .api
            .set_active(cx, operation, self.user, active, version);
        match sent.await {
            Ok(()) => Ok(Sent::Accepted),
            Err(error) if error.kind() == ErrorKind::Refused => Ok(Sent::Refused(
                "the service provider does not let this user be changed by SCIM",
            )),
            // It was deleted between looking and changing: nobody can sign in any more.
            Err(error) if error.kind() == ErrorKind::NotFound && self.suspends() => {
                Ok(Sent::Accepted)
            }
            Err(error) => Err(error),
        }
    }

    fn unconfirmed(&self) -> &'static str {
        "the service provider accepted the change, and the user is as before; it may take `active` as text: set `active_as`"
    }

    fn probed(&self, now: Option<User>) -> Probe {
        let facts = self.facts(&now);
        match state_of(now.as_ref()) {
            _ if self.is_so(&now) => Probe::Happened(facts),
            AccountState::Other(_) => Probe::CannotTell,
            _ => Probe::DidNotHappen(facts),
        }
    }
}

fn state_of(user: Option<&User>) -> AccountState {
    user.map_or(AccountState::Deleted, User::state)
}

fn facts(state: &AccountState) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("state".to_owned(), state.as_str().into());
    facts
}
