//! Suspending and reactivating users, with what was before and what was read back.

use std::time::Duration;

use async_trait::async_trait;
use protect_core::connector::{Applied, AppliedStatus, OpContext, Probe, Remediator};
use protect_core::model::{
    Action, ActionKind, ActionTarget, Address, Attributes, EffectClass, Preview, Protection,
};
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

/// The parameter of an action that says whose account is meant, by address. Events and users have
/// ids of the same form, and nothing in writing says that they are the same ids.
const ADDRESS: &str = "address";

/// How long to wait before each reading back.
const READ_BACK_WAITS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

#[async_trait]
impl Remediator for OnePasswordConnector {
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview> {
        let change = Change::of(action)?;
        let user = self.respond_api()?.get_user(cx, change.user).await?;
        Ok(Preview {
            before: facts(&user.state),
            after: facts(&change.wanted),
            already_so: user.state == change.wanted,
            protection: None,
        })
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        let change = Change::of(action)?;
        let api = self.respond_api()?;
        let before = api.get_user(cx, change.user).await?;
        let applied = |status, reason: &str, after: &UserState| Applied {
            status,
            reason: reason.to_owned(),
            before: facts(&before.state),
            after: facts(after),
        };
        if let Some(reason) = change.mismatch(&before) {
            return Ok(applied(AppliedStatus::Refused, reason, &before.state));
        }
        if before.state == change.wanted {
            return Ok(applied(AppliedStatus::AlreadySo, "", &before.state));
        }
        let answered = match change.send(api, cx).await {
            Ok(user) => Some(user.state),
            Err(error) if let Some(protection) = protection_of(&error) => {
                let reason = refusal(protection);
                return Ok(applied(AppliedStatus::Refused, reason, &before.state));
            }
            // The vendor accepted it and nobody knows what it said: only reading back tells.
            Err(error) if error.kind() == ErrorKind::InvalidResponse => None,
            Err(error) => return Err(error),
        };
        let after = self.read_back(cx, &change, answered).await?;
        Ok(if after == change.wanted {
            applied(AppliedStatus::Applied, "", &after)
        } else {
            let reason = "1Password accepted the change, and the user is still in another state";
            applied(AppliedStatus::NotConfirmed, reason, &after)
        })
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        let change = Change::of(action)?;
        let user = self.respond_api()?.get_user(cx, change.user).await?;
        Ok(match user.state {
            state if state == change.wanted => Probe::Happened(facts(&state)),
            state @ (UserState::Active | UserState::Suspended) => {
                Probe::DidNotHappen(facts(&state))
            }
            UserState::Unspecified | UserState::Other(_) => Probe::CannotTell,
        })
    }
}

impl OnePasswordConnector {
    /// The state after a change. Reads may lag behind a write, so they are repeated for a while
    /// before the change counts as not confirmed.
    async fn read_back(
        &self,
        cx: &OpContext,
        change: &Change<'_>,
        answered: Option<UserState>,
    ) -> Result<UserState> {
        let mut last = None;
        for wait in READ_BACK_WAITS {
            self.clock.sleep(wait).await;
            match (
                self.respond_api()?.get_user(cx, change.user).await,
                &answered,
            ) {
                (Ok(user), _) if user.state == change.wanted => return Ok(user.state),
                (Ok(user), _) => last = Some(user.state),
                (Err(_), Some(state)) => return Ok(state.clone()),
                // A permanent error would claim that nothing was changed.
                (Err(error), None) => return Err(error.temporary()),
            }
        }
        last.ok_or_else(|| Error::unexpected("nothing was read back"))
    }

    fn respond_api(&self) -> Result<&UsersApi> {
        self.respond_users.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "without a `respond` credential nothing can be changed",
            )
        })
    }
}

/// A change of one user's state.
struct Change<'a> {
    user: &'a str,
    wanted: UserState,
    address: Option<&'a str>,
}

impl<'a> Change<'a> {
    fn of(action: &'a Action) -> Result<Self> {
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
        Ok(Self {
            user: &account.id,
            wanted,
            address: action
                .parameters
                .get(ADDRESS)
                .and_then(|value| value.as_str()),
        })
    }

    /// Why the user at the vendor is not the one that was meant.
    fn mismatch(&self, user: &User) -> Option<&'static str> {
        if user.id != self.user {
            return Some("1Password gave a user with another id");
        }
        let meant = self.address?;
        let normal = |text: &str| Address::new(text).ok();
        let has = user.email.as_deref().and_then(normal);
        (has.is_none() || has != normal(meant))
            .then_some("the user's address is not the one that was meant")
    }

    async fn send(&self, api: &UsersApi, cx: &OpContext) -> Result<User> {
        if self.wanted == UserState::Suspended {
            api.suspend_user(cx, self.user).await
        } else {
            api.reactivate_user(cx, self.user).await
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
