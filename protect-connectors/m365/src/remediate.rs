//! Changing accounts and what users may consent to, with what was before and what was read back. The steps of each action stand
//! in `actions.rs`.

use std::time::Duration;

use async_trait::async_trait;
use protect_core::connector::{Applied, AppliedStatus, OpContext, Probe, Remediator};
use protect_core::model::{
    Action, ActionKind, ActionTarget, Address, Attributes, EffectClass, Preview, Protection,
};
use protect_core::{Error, ErrorKind, Result};

use crate::actions::{Change, Looked};
use crate::api::Graph;
use crate::config::{Options, is_guid};
use crate::connector::M365Connector;
use crate::consent;
use crate::id::Name;
use crate::model::User;

/// An action, how a repeat behaves, and what it needs.
pub(crate) struct Act {
    pub(crate) kind: ActionKind,
    pub(crate) class: EffectClass,
    /// Any of these will do; of an action on accounts besides one that reads users.
    pub(crate) permissions: &'static [&'static str],
}

const ALL_OF_USERS: &str = "User.ReadWrite.All";
const ALL_METHODS: &str = "UserAuthenticationMethod.ReadWrite.All";
const RISK: &[&str] = &["IdentityRiskyUser.ReadWrite.All"];
const CONSENT: &[&str] = &["Policy.ReadWrite.Authorization"];
const ROLES: &[&str] = &["RoleManagement.ReadWrite.Directory"];

/// The actions, the permission that is least first
/// (<https://learn.microsoft.com/graph/permissions-reference>).
pub(crate) const ACTIONS: &[Act] = &[
    idempotent(
        ActionKind::SuspendAccount,
        &["User.EnableDisableAccount.All", ALL_OF_USERS],
    ),
    idempotent(
        ActionKind::ReactivateAccount,
        &["User.EnableDisableAccount.All", ALL_OF_USERS],
    ),
    idempotent(
        ActionKind::ForcePasswordReset,
        &["User-PasswordProfile.ReadWrite.All", ALL_OF_USERS],
    ),
    idempotent(
        ActionKind::RevokeSessions,
        &["User.RevokeSessions.All", ALL_OF_USERS],
    ),
    idempotent(
        ActionKind::RevokeGrants,
        &["DelegatedPermissionGrant.ReadWrite.All"],
    ),
    Act {
        kind: ActionKind::EnrollMfa,
        class: EffectClass::NonIdempotent,
        permissions: &["UserAuthMethod-TAP.ReadWrite.All", ALL_METHODS],
    },
    idempotent(ActionKind::RemoveMfaMethods, &[ALL_METHODS]),
    idempotent(ActionKind::RemoveRoles, ROLES),
    idempotent(ActionKind::RestoreRoles, ROLES),
    idempotent(ActionKind::ConfirmCompromised, RISK),
    idempotent(ActionKind::DismissRisk, RISK),
    idempotent(ActionKind::BlockAppConsent, CONSENT),
    idempotent(ActionKind::RestoreAppConsent, CONSENT),
];

const fn idempotent(kind: ActionKind, permissions: &'static [&'static str]) -> Act {
    Act {
        kind,
        class: EffectClass::StateIdempotent,
        permissions,
    }
}

impl Act {
    /// Whether it can be done as configured: a pass that nobody is told is worth nothing.
    pub(crate) fn is_possible(&self, options: &Options) -> bool {
        self.kind != ActionKind::EnrollMfa || options.handover.is_some()
    }
}

/// The parameter of an action that says whose account is meant, by address.
const ADDRESS: &str = "address";

/// How long to wait before each reading back: reads lag behind writes.
pub(crate) const READ_BACK_WAITS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

#[async_trait]
impl Remediator for M365Connector {
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview> {
        if action.kind.changes_a_setting() {
            return consent::preview(self.able(action)?, cx, action).await;
        }
        let (graph, change) = self.change(action)?;
        let user = graph.user(cx, change.user).await?;
        let looked = change.look(graph, cx, &user).await?;
        Ok(Preview {
            after: change.wanted(&looked),
            already_so: change.is_so(&looked),
            protection: self.protection(cx, graph, &change, &user).await?,
            before: looked.facts,
        })
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        if action.kind.changes_a_setting() {
            return self.change_consent(self.able(action)?, cx, action).await;
        }
        let (graph, change) = self.change(action)?;
        let user = graph.user(cx, change.user).await?;
        let before = change.look(graph, cx, &user).await?;
        let applied = |status, reason: &str, after: Attributes| Applied {
            status,
            reason: reason.to_owned(),
            before: before.facts.clone(),
            after,
        };
        if let Some(reason) = mismatch(action, &change, &user) {
            let after = before.facts.clone();
            return Ok(applied(AppliedStatus::Refused, reason, after));
        }
        if change.is_so(&before) {
            let after = before.facts.clone();
            return Ok(applied(AppliedStatus::AlreadySo, "", after));
        }
        if let Some(protection) = self.protection(cx, graph, &change, &user).await? {
            let after = before.facts.clone();
            return Ok(applied(AppliedStatus::Refused, refusal(protection), after));
        }
        let handover = self.options.handover.as_deref();
        let sent = change.send(graph, cx, action, &before, handover).await;
        match sent {
            Ok(()) => {}
            // Nothing else says that an account holds a role that only a higher role may touch.
            Err(error) if is_about_roles(&error) && self.may_change(cx, graph, &change).await? => {
                let reason = "Microsoft 365 refuses: the account holds a role that only a higher role may touch";
                return Ok(applied(
                    AppliedStatus::Refused,
                    reason,
                    before.facts.clone(),
                ));
            }
            // It was accepted and nobody knows what was said: only reading back tells.
            Err(error) if error.kind() == ErrorKind::InvalidResponse && change.can_be_seen() => {}
            Err(error) => return Err(error),
        }
        let (after, is_so) = self.read_back(cx, graph, &change, &before).await?;
        Ok(if is_so {
            applied(AppliedStatus::Applied, "", after)
        } else {
            let reason = "Microsoft 365 accepted the change, and still shows another state";
            applied(AppliedStatus::NotConfirmed, reason, after)
        })
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        if action.kind.changes_a_setting() {
            return consent::probe(self.able(action)?, cx, action).await;
        }
        let (graph, change) = self.change(action)?;
        let user = graph.user(cx, change.user).await?;
        let looked = change.look(graph, cx, &user).await?;
        Ok(change.probe(looked, self.clock.now()))
    }
}

impl M365Connector {
    /// What changes things, where the action can be done.
    fn able(&self, action: &Action) -> Result<&Graph> {
        let graph = self.respond.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "without a `respond` credential nothing can be changed",
            )
        })?;
        let known = ACTIONS.iter().find(|it| it.kind == action.kind);
        if known.is_none_or(|it| !it.is_possible(&self.options)) {
            let message = format!("Microsoft 365 cannot do {} as configured", action.kind);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        Ok(graph)
    }

    fn change<'a>(&'a self, action: &'a Action) -> Result<(&'a Graph, Change<'a>)> {
        let graph = self.able(action)?;
        let ActionTarget::Account(account) = &action.target else {
            return Err(Error::invalid_input("the target is no account"));
        };
        if !is_guid(&account.id) {
            return Err(Error::invalid_input("an account's id is a GUID"));
        }
        Ok((graph, Change::of(action, &account.id)?))
    }

    /// Why nothing may change the account; giving back what was taken harms nobody. An answer that
    /// cannot be had is an error, never a yes.
    async fn protection(
        &self,
        cx: &OpContext,
        graph: &Graph,
        change: &Change<'_>,
        user: &User,
    ) -> Result<Option<Protection>> {
        if change.gives_back() {
            return Ok(None);
        }
        if graph.client_id().eq_ignore_ascii_case(change.user) {
            return Ok(Some(Protection::OwnPrincipal));
        }
        let reader = self.scan.as_ref().unwrap_or(graph);
        let holders = self.holders.again(reader, cx).await?;
        if let Some(protection) = self.people(&holders).protection(user) {
            return Ok(Some(protection));
        }
        let id = Name::new(&user.id);
        if !holders.is_administrator(&id) {
            return Ok(None);
        }
        for other in holders.administrators().filter(|other| **other != id) {
            // What is no user cannot sign in and put things right.
            let other = reader.user(cx, other.as_str()).await;
            if other.is_ok_and(|other| other.account_enabled == Some(true)) {
                return Ok(None);
            }
        }
        Ok(Some(Protection::LastOwner))
    }

    /// Whether the credential has the permission, so that a refusal is about the account.
    async fn may_change(&self, cx: &OpContext, graph: &Graph, change: &Change<'_>) -> Result<bool> {
        let granted = graph.granted(cx).await?.unwrap_or_default();
        let act = ACTIONS.iter().find(|act| act.kind == change.kind);
        let mut needed = act.into_iter().flat_map(|act| act.permissions);
        Ok(needed.any(|permission| granted.contains(*permission)))
    }

    /// The state after a change, and whether it is what was wanted. Reads may lag behind a write, so
    /// they are repeated for a while before the change counts as not confirmed.
    async fn read_back(
        &self,
        cx: &OpContext,
        graph: &Graph,
        change: &Change<'_>,
        before: &Looked,
    ) -> Result<(Attributes, bool)> {
        let mut last = Err(Error::unexpected("nothing was read back"));
        for wait in READ_BACK_WAITS {
            self.clock.sleep(wait).await;
            last = self.look_again(cx, graph, change).await;
            if let Ok(after) = &last
                && change.happened_since(before, after)
            {
                return last.map(|after| (change.told(before, &after), true));
            }
        }
        match last {
            Ok(after) => Ok((change.told(before, &after), !change.can_be_seen())),
            // A permanent error would claim that nothing was changed.
            Err(error) => Err(error.temporary()),
        }
    }

    async fn look_again(
        &self,
        cx: &OpContext,
        graph: &Graph,
        change: &Change<'_>,
    ) -> Result<Looked> {
        let user = graph.user(cx, change.user).await?;
        change.look(graph, cx, &user).await
    }
}

/// Why the user at the vendor is not the one that was meant.
fn mismatch(action: &Action, change: &Change<'_>, user: &User) -> Option<&'static str> {
    if !user.id.eq_ignore_ascii_case(change.user) {
        return Some("Microsoft 365 gave a user with another id");
    }
    let meant = action.parameters.get(ADDRESS)?.as_str()?;
    let meant = Address::new(meant).ok();
    let has = [&user.mail, &user.user_principal_name];
    let is_meant = has
        .into_iter()
        .flatten()
        .any(|text| meant.is_some() && Address::new(text.as_str()).ok() == meant);
    (!is_meant).then_some("the user's address is not the one that was meant")
}

fn is_about_roles(error: &Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied && error.http_status() == Some(403)
}

fn refusal(protection: Protection) -> &'static str {
    match protection {
        Protection::LastOwner => "it is the last global administrator who can sign in",
        Protection::Administrator => {
            "it is a global administrator, and `act_on_administrators` is not set"
        }
        Protection::OwnPrincipal => "it is the application that this program acts as",
        Protection::ExternallyManaged => {
            "an on-premises directory keeps the account, and `act_on_synced` is not set"
        }
        _ => "it is an emergency account",
    }
}

/// An error that means that nothing is known to have changed.
pub(crate) fn unsupported(message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}
