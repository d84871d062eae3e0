//! Changing accounts, with what was before and what was read back. The steps of each action stand
//! in `actions.rs`.

use std::time::Duration;

use async_trait::async_trait;
use protect_core::connector::{Applied, AppliedStatus, OpContext, Probe, Remediator};
use protect_core::model::{
    Action, ActionKind, ActionTarget, Address, Attributes, EffectClass, Preview, Protection,
};
use protect_core::{Error, ErrorKind, Result};

use crate::actions::{Change, Looked};
use crate::admins::is_active_admin;
use crate::api::{Workspace, is_user_id};
use crate::config::Options;
use crate::connector::GoogleConnector;
use crate::model::User;
use crate::scope::Scope;

/// An action and what it needs.
pub(crate) struct Act {
    pub(crate) kind: ActionKind,
    /// All of these.
    pub(crate) scopes: &'static [Scope],
}

const USERS: &[Scope] = &[Scope::ChangeUsers];
const SECURITY: &[Scope] = &[Scope::Security];

/// The actions. Whatever each needs besides, `admin.directory.user` reads accounts as well.
pub(crate) const ACTIONS: &[Act] = &[
    act(ActionKind::SuspendAccount, USERS),
    act(ActionKind::ReactivateAccount, USERS),
    act(ActionKind::ForcePasswordReset, Scope::RESPOND),
    act(ActionKind::RevokeSessions, SECURITY),
    act(ActionKind::RevokeGrants, SECURITY),
    act(ActionKind::EnrollMfa, USERS),
    act(ActionKind::RemoveMfaMethods, SECURITY),
    act(ActionKind::RemoveRoles, USERS),
    act(ActionKind::RestoreRoles, USERS),
];

const fn act(kind: ActionKind, scopes: &'static [Scope]) -> Act {
    Act { kind, scopes }
}

impl Act {
    /// Whether it can be done as configured: where 2-step verification is enforced, somebody must say.
    pub(crate) fn is_possible(&self, options: &Options) -> bool {
        self.kind != ActionKind::EnrollMfa || options.enforced_org_unit.is_some()
    }

    /// How a repeat behaves: a new password each time is another one.
    pub(crate) fn class(&self, options: &Options) -> EffectClass {
        if self.kind == ActionKind::ForcePasswordReset && options.handover.is_some() {
            EffectClass::NonIdempotent
        } else {
            EffectClass::StateIdempotent
        }
    }
}

/// The parameter of an action that says whose account is meant, by address.
const ADDRESS: &str = "address";

/// How long to wait before each reading back: reads lag behind writes.
const READ_BACK_WAITS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

#[async_trait]
impl Remediator for GoogleConnector {
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview> {
        let (workspace, change) = self.change(action)?;
        let user = workspace.user(cx, change.user).await?;
        let looked = change.look(workspace, cx, &user).await?;
        Ok(Preview {
            after: change.wanted(&looked),
            already_so: change.is_so(&looked),
            protection: self.protection(cx, workspace, &change, &user).await?,
            before: looked.facts,
        })
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        let (workspace, change) = self.change(action)?;
        let user = workspace.user(cx, change.user).await?;
        let before = change.look(workspace, cx, &user).await?;
        let applied = |status, reason: &str, after: Attributes| Applied {
            status,
            reason: reason.to_owned(),
            before: before.facts.clone(),
            after,
        };
        let refused = |reason: &str| applied(AppliedStatus::Refused, reason, before.facts.clone());
        if let Some(reason) = mismatch(action, &change, &user) {
            return Ok(refused(reason));
        }
        if change.is_so(&before) {
            let after = before.facts.clone();
            return Ok(applied(AppliedStatus::AlreadySo, "", after));
        }
        if let Some(reason) = change.is_googles(&user) {
            return Ok(refused(reason));
        }
        if let Some(protection) = self.protection(cx, workspace, &change, &user).await? {
            return Ok(refused(refusal(protection)));
        }
        let sent = change.send(workspace, cx, action, &before).await;
        match sent {
            Ok(()) => {}
            // Google keeps super administrators from everybody else.
            Err(error) if is_about_power(&error) && user.is_admin == Some(true) => {
                return Ok(refused(
                    "Google refuses: only a super administrator may change another",
                ));
            }
            // It was accepted and nobody knows what was said: only reading back tells.
            Err(error) if error.kind() == ErrorKind::InvalidResponse && change.can_be_seen() => {}
            Err(error) => return Err(error),
        }
        let (after, is_so) = self.read_back(cx, workspace, &change, &before).await?;
        Ok(if is_so {
            applied(AppliedStatus::Applied, "", after)
        } else {
            let reason = "Google accepted the change, and still shows another state";
            applied(AppliedStatus::NotConfirmed, reason, after)
        })
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        let (workspace, change) = self.change(action)?;
        let user = workspace.user(cx, change.user).await?;
        let looked = change.look(workspace, cx, &user).await?;
        Ok(change.probe(looked))
    }
}

impl GoogleConnector {
    fn change<'a>(&'a self, action: &'a Action) -> Result<(&'a Workspace, Change<'a>)> {
        let workspace = self.respond.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "without a `respond` credential nothing can be changed",
            )
        })?;
        let known = ACTIONS.iter().find(|it| it.kind == action.kind);
        if known.is_none_or(|it| !it.is_possible(&self.options)) {
            let message = format!("Google Workspace cannot do {} as configured", action.kind);
            return Err(unsupported(&message));
        }
        let ActionTarget::Account(account) = &action.target else {
            return Err(Error::invalid_input("the target is no account"));
        };
        if !is_user_id(&account.id) {
            return Err(Error::invalid_input("an account's id is a number"));
        }
        Ok((workspace, Change::of(action, &account.id, &self.options)?))
    }

    /// Why nothing may change the account; giving back what was taken harms nobody. An answer that
    /// cannot be had is an error, never a yes.
    async fn protection(
        &self,
        cx: &OpContext,
        workspace: &Workspace,
        change: &Change<'_>,
        user: &User,
    ) -> Result<Option<Protection>> {
        if change.gives_back() {
            return Ok(None);
        }
        let admins = self.admins.again(workspace, cx).await?;
        if let Some(protection) = self.people(workspace, &admins).protection(user) {
            return Ok(Some(protection));
        }
        if user.is_admin == Some(false) {
            return Ok(None);
        }
        for other in admins.iter().filter(|id| **id != user.id) {
            // The search lags behind; what cannot be looked at counts for nobody.
            let other = workspace.user(cx, other).await;
            if other.is_ok_and(|other| is_active_admin(&other)) {
                return Ok(None);
            }
        }
        Ok(Some(Protection::LastOwner))
    }

    /// The state after a change, and whether it is what was wanted. Reads may lag behind a write, so
    /// they are repeated for a while before the change counts as not confirmed.
    async fn read_back(
        &self,
        cx: &OpContext,
        workspace: &Workspace,
        change: &Change<'_>,
        before: &Looked,
    ) -> Result<(Attributes, bool)> {
        let mut last = Err(Error::unexpected("nothing was read back"));
        for wait in READ_BACK_WAITS {
            self.clock.sleep(wait).await;
            last = look_again(cx, workspace, change).await;
            if let Ok(after) = &last
                && (change.is_so(after) || !change.can_be_seen())
            {
                return last.map(|after| (change.told(&after), true));
            }
        }
        match last {
            Ok(after) if after.facts == before.facts => Ok((after.facts, false)),
            Ok(after) => Ok((change.told(&after), false)),
            // A permanent error would claim that nothing was changed.
            Err(error) => Err(error.temporary()),
        }
    }
}

async fn look_again(cx: &OpContext, workspace: &Workspace, change: &Change<'_>) -> Result<Looked> {
    let user = workspace.user(cx, change.user).await?;
    change.look(workspace, cx, &user).await
}

/// Why the account at the vendor is not the one that was meant.
fn mismatch(action: &Action, change: &Change<'_>, user: &User) -> Option<&'static str> {
    if user.id != change.user {
        return Some("Google gave an account with another id");
    }
    let meant = action.parameters.get(ADDRESS)?.as_str()?;
    let meant = Address::new(meant).ok();
    let has = user.primary_email.as_deref();
    let is_meant = has.is_some_and(|has| meant.is_some() && Address::new(has).ok() == meant);
    (!is_meant).then_some("the account's address is not the one that was meant")
}

/// Whether Google refuses for who asks, and not for a scope.
fn is_about_power(error: &Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied && error.operation() != crate::auth::TOKEN
}

fn refusal(protection: Protection) -> &'static str {
    match protection {
        Protection::LastOwner => "it is the last super administrator who can sign in",
        Protection::Administrator => {
            "it is a super administrator, and `act_on_administrators` is not set"
        }
        Protection::OwnPrincipal => "it is the administrator that this program acts as",
        _ => "it is an emergency account",
    }
}

/// An error that means that nothing is known to have changed.
pub(crate) fn unsupported(message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}
