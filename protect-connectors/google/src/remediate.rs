//! Changing accounts, with what was before and what was read back. The steps of each action stand
//! in `actions.rs`.

use async_trait::async_trait;
use protect_core::connector::{Applied, OpContext, Probe, Remediator};
use protect_core::model::{
    Action, ActionKind, ActionTarget, Attributes, EffectClass, Preview, Protection,
};
use protect_core::remedy::{self, Remedy, Sent};
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

#[async_trait]
impl Remediator for GoogleConnector {
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

/// A change of one account, and by whom.
struct Attempt<'a> {
    connector: &'a GoogleConnector,
    workspace: &'a Workspace,
    action: &'a Action,
    change: Change<'a>,
}

#[async_trait]
impl Remedy for Attempt<'_> {
    type Looked = (User, Looked);

    async fn look(&self, cx: &OpContext) -> Result<Self::Looked> {
        let user = self.workspace.user(cx, self.change.user).await?;
        let looked = self.change.look(self.workspace, cx, &user).await?;
        Ok((user, looked))
    }

    fn facts(&self, (_, looked): &Self::Looked) -> Attributes {
        looked.facts.clone()
    }

    fn wanted(&self, (_, now): &Self::Looked) -> Attributes {
        self.change.wanted(now)
    }

    fn is_so(&self, (_, now): &Self::Looked) -> bool {
        self.change.is_so(now)
    }

    fn can_be_seen(&self) -> bool {
        self.change.can_be_seen()
    }

    fn told(&self, _: &Self::Looked, (_, after): &Self::Looked) -> Attributes {
        self.change.told(after)
    }

    fn objection(&self, (user, _): &Self::Looked) -> Option<&'static str> {
        if user.id != self.change.user {
            return Some("Google gave an account with another id");
        }
        if !remedy::is_meant(&self.action.parameters, user.primary_email.as_deref()) {
            return Some("the account's address is not the one that was meant");
        }
        self.change.is_googles(user)
    }

    /// Giving back what was taken harms nobody.
    async fn protection(
        &self,
        cx: &OpContext,
        (user, _): &Self::Looked,
    ) -> Result<Option<Protection>> {
        if self.change.gives_back() {
            return Ok(None);
        }
        self.connector.protection(cx, self.workspace, user).await
    }

    fn words(&self, protection: Protection) -> &'static str {
        refusal(protection)
    }

    async fn send(
        &self,
        cx: &OpContext,
        (user, before): &Self::Looked,
    ) -> Result<Sent<Self::Looked>> {
        let sent = self.change.send(self.workspace, cx, self.action, before);
        match sent.await {
            Ok(()) => Ok(Sent::Accepted),
            // Google keeps super administrators from everybody else.
            Err(error) if is_about_power(&error) && user.is_admin == Some(true) => Ok(
                Sent::Refused("Google refuses: only a super administrator may change another"),
            ),
            Err(error) => Err(error),
        }
    }

    fn unconfirmed(&self) -> &'static str {
        "Google accepted the change, and still shows another state"
    }

    fn probed(&self, (_, now): Self::Looked) -> Probe {
        self.change.probe(now)
    }
}

impl GoogleConnector {
    fn change<'a>(&'a self, action: &'a Action) -> Result<Attempt<'a>> {
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
        Ok(Attempt {
            connector: self,
            workspace,
            action,
            change: Change::of(action, &account.id, &self.options)?,
        })
    }

    /// Why nothing may change the account.
    async fn protection(
        &self,
        cx: &OpContext,
        workspace: &Workspace,
        user: &User,
    ) -> Result<Option<Protection>> {
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
