//! Suspending and reactivating users, with what was before and what was read back.

use std::time::Duration;

use async_trait::async_trait;
use protect_core::connector::{Applied, AppliedStatus, OpContext, Probe, Remediator};
use protect_core::model::{
    AccountState, Action, ActionKind, ActionTarget, Address, Attributes, EffectClass, Preview,
};
use protect_core::{Error, ErrorKind, Result};

use crate::api::Api;
use crate::connector::ScimConnector;
use crate::model::User;

/// The actions, with how a repeat behaves: `replace` sets a state (RFC 7644 section 3.5.2.3).
pub(crate) const ACTIONS: [(ActionKind, EffectClass); 2] = [
    (ActionKind::SuspendAccount, EffectClass::StateIdempotent),
    (ActionKind::ReactivateAccount, EffectClass::StateIdempotent),
];

/// The parameter of an action that says whose account is meant, by address.
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
impl Remediator for ScimConnector {
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview> {
        let change = Change::of(action)?;
        let user = self.looked_up(cx, &change).await?;
        let before = state_of(user.as_ref());
        let already_so = change.is_done(&before);
        Ok(Preview {
            after: facts(if already_so { &before } else { &change.wanted }),
            before: facts(&before),
            already_so,
            protection: None,
        })
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        let change = Change::of(action)?;
        let user = self.looked_up(cx, &change).await?;
        let before = state_of(user.as_ref());
        let applied = |status, reason: &str, after: &AccountState| Applied {
            status,
            reason: reason.to_owned(),
            before: facts(&before),
            after: facts(after),
        };
        if change.is_done(&before) {
            let gone = before == AccountState::Deleted;
            let reason = if gone { "the user is gone" } else { "" };
            return Ok(applied(AppliedStatus::AlreadySo, reason, &before));
        }
        if let Some(reason) = user.as_ref().and_then(|user| change.mismatch(user)) {
            return Ok(applied(AppliedStatus::Refused, reason, &before));
        }
        let version = user.as_ref().and_then(|user| user.version.as_deref());
        match change.send(self.respond_api()?, cx, version).await {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Refused => {
                return Ok(applied(AppliedStatus::Refused, error.message(), &before));
            }
            // It was deleted between looking and changing: nobody can sign in any more.
            Err(error) if error.kind() == ErrorKind::NotFound && change.suspends() => {}
            Err(error) => return Err(error),
        }
        let after = self.read_back(cx, &change).await?;
        Ok(if change.is_done(&after) {
            applied(AppliedStatus::Applied, "", &after)
        } else {
            let reason = "the service provider accepted the change, and the user is as before; it may take `active` as text: set `active_as`";
            applied(AppliedStatus::NotConfirmed, reason, &after)
        })
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        let change = Change::of(action)?;
        let state = state_of(self.looked_up(cx, &change).await?.as_ref());
        Ok(match state {
            state if change.is_done(&state) => Probe::Happened(facts(&state)),
            AccountState::Other(_) => Probe::CannotTell,
            state => Probe::DidNotHappen(facts(&state)),
        })
    }
}

impl ScimConnector {
    /// The user, or `None` where it is gone, which is as good as suspended and no state to
    /// reactivate from.
    async fn looked_up(&self, cx: &OpContext, change: &Change<'_>) -> Result<Option<User>> {
        match self.respond_api()?.get_user(cx, change.user).await {
            Ok(user) if user.id == change.user => Ok(Some(user)),
            Ok(_) => Err(Error::new(
                ErrorKind::InvalidResponse,
                "the service provider gave a user with another id",
            )),
            Err(error) if error.kind() == ErrorKind::NotFound && change.suspends() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The state after a change. Reads may lag behind a write, so they are repeated for a while
    /// before the change counts as not confirmed.
    async fn read_back(&self, cx: &OpContext, change: &Change<'_>) -> Result<AccountState> {
        let mut last = None;
        for wait in READ_BACK_WAITS {
            self.clock.sleep(wait).await;
            match self.looked_up(cx, change).await {
                Ok(user) => {
                    let state = state_of(user.as_ref());
                    if change.is_done(&state) {
                        return Ok(state);
                    }
                    last = Some(state);
                }
                // A permanent error would claim that nothing was changed.
                Err(error) => return Err(error.temporary()),
            }
        }
        last.ok_or_else(|| Error::unexpected("nothing was read back"))
    }

    fn respond_api(&self) -> Result<&Api> {
        self.respond.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "without a `respond` token nothing can be changed",
            )
        })
    }
}

/// A change of one user's state.
struct Change<'a> {
    user: &'a str,
    wanted: AccountState,
    address: Option<&'a str>,
}

impl<'a> Change<'a> {
    fn of(action: &'a Action) -> Result<Self> {
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
        let address = action.parameters.get(ADDRESS);
        Ok(Self {
            user: &account.id,
            wanted,
            address: address.and_then(|value| value.as_str()),
        })
    }

    fn suspends(&self) -> bool {
        self.wanted == AccountState::Suspended
    }

    fn is_done(&self, state: &AccountState) -> bool {
        *state == self.wanted || (self.suspends() && *state == AccountState::Deleted)
    }

    /// Why the user is not the one that was meant. A user without a readable address is told by its id
    /// alone: service providers may leave addresses out.
    fn mismatch(&self, user: &User) -> Option<&'static str> {
        let meant = Address::new(self.address?).ok()?;
        let has: Vec<Address> = [user.email.as_deref(), Some(&*user.user_name)]
            .into_iter()
            .flatten()
            .filter_map(|text| Address::new(text).ok())
            .collect();
        (!has.is_empty() && !has.contains(&meant))
            .then_some("the user's address is not the one that was meant")
    }

    async fn send(&self, api: &Api, cx: &OpContext, version: Option<&str>) -> Result<()> {
        let (operation, active) = if self.suspends() {
            ("scim.suspend_user", false)
        } else {
            ("scim.reactivate_user", true)
        };
        api.set_active(cx, operation, self.user, active, version)
            .await
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
