//! Changing accounts and what users may consent to, with what was before and what was read back. The
//! steps of each action stand in `actions.rs` and `consent.rs`.

use async_trait::async_trait;
use protect_core::connector::{Applied, OpContext, Probe, Remediator};
use protect_core::model::{
    Action, ActionKind, ActionTarget, Attributes, EffectClass, Preview, Protection,
};
use protect_core::remedy::{self, Remedy, Sent};
use protect_core::{Error, ErrorKind, Result};

use crate::actions::{Change, Looked};
use crate::api::Graph;
use crate::config::{Options, is_guid};
use crate::connector::M365Connector;
use crate::consent::Consent;
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

/// What is said where a change does not show.
pub(crate) const UNCONFIRMED: &str =
    "Microsoft 365 accepted the change, and still shows another state";

#[async_trait]
impl Remediator for M365Connector {
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview> {
        if action.kind.changes_a_setting() {
            return remedy::preview(&self.consent(action)?, cx).await;
        }
        remedy::preview(&self.change(action)?, cx).await
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        if action.kind.changes_a_setting() {
            return remedy::apply(&self.consent(action)?, cx, &*self.clock).await;
        }
        remedy::apply(&self.change(action)?, cx, &*self.clock).await
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        if action.kind.changes_a_setting() {
            return remedy::probe(&self.consent(action)?, cx).await;
        }
        remedy::probe(&self.change(action)?, cx).await
    }
}

/// A change of one user, and by whom.
struct Attempt<'a> {
    connector: &'a M365Connector,
    graph: &'a Graph,
    action: &'a Action,
    change: Change<'a>,
}

#[async_trait]
impl Remedy for Attempt<'_> {
    type Looked = (User, Looked);

    async fn look(&self, cx: &OpContext) -> Result<Self::Looked> {
        let user = self.graph.user(cx, self.change.user).await?;
        let looked = self.change.look(self.graph, cx, &user).await?;
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

    fn has_happened(&self, (_, before): &Self::Looked, (_, after): &Self::Looked) -> bool {
        self.change.happened_since(before, after)
    }

    fn told(&self, (_, before): &Self::Looked, (_, after): &Self::Looked) -> Attributes {
        self.change.told(before, after)
    }

    fn objection(&self, (user, _): &Self::Looked) -> Option<&'static str> {
        if !user.id.eq_ignore_ascii_case(self.change.user) {
            return Some("Microsoft 365 gave a user with another id");
        }
        let has = [&user.mail, &user.user_principal_name];
        let has = has.into_iter().flatten().map(String::as_str);
        (!remedy::is_meant(&self.action.parameters, has))
            .then_some("the user's address is not the one that was meant")
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
        let (connector, graph) = (self.connector, self.graph);
        connector.protection(cx, graph, &self.change, user).await
    }

    fn words(&self, protection: Protection) -> &'static str {
        refusal(protection)
    }

    async fn send(&self, cx: &OpContext, (_, before): &Self::Looked) -> Result<Sent<Self::Looked>> {
        let handover = self.connector.options.handover.as_deref();
        let sent = self
            .change
            .send(self.graph, cx, self.action, before, handover);
        match sent.await {
            Ok(()) => Ok(Sent::Accepted),
            // Nothing else says that an account holds a role that only a higher role may touch.
            Err(error) if is_about_roles(&error) && self.may_change(cx).await? => {
                Ok(Sent::Refused(
                    "Microsoft 365 refuses: the account holds a role that only a higher role may touch",
                ))
            }
            Err(error) => Err(error),
        }
    }

    fn unconfirmed(&self) -> &'static str {
        UNCONFIRMED
    }

    fn probed(&self, (_, now): Self::Looked) -> Probe {
        self.change.probe(now, self.connector.clock.now())
    }
}

impl Attempt<'_> {
    /// Whether the credential has the permission, so that a refusal is about the account.
    async fn may_change(&self, cx: &OpContext) -> Result<bool> {
        let granted = self.graph.granted(cx).await?.unwrap_or_default();
        let act = ACTIONS.iter().find(|act| act.kind == self.change.kind);
        let mut needed = act.into_iter().flat_map(|act| act.permissions);
        Ok(needed.any(|permission| granted.contains(*permission)))
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

    fn consent(&self, action: &Action) -> Result<Consent<'_>> {
        Consent::of(self.able(action)?, action)
    }

    fn change<'a>(&'a self, action: &'a Action) -> Result<Attempt<'a>> {
        let graph = self.able(action)?;
        let ActionTarget::Account(account) = &action.target else {
            return Err(Error::invalid_input("the target is no account"));
        };
        if !is_guid(&account.id) {
            return Err(Error::invalid_input("an account's id is a GUID"));
        }
        Ok(Attempt {
            connector: self,
            graph,
            action,
            change: Change::of(action, &account.id)?,
        })
    }

    /// Why nothing may change the account.
    async fn protection(
        &self,
        cx: &OpContext,
        graph: &Graph,
        change: &Change<'_>,
        user: &User,
    ) -> Result<Option<Protection>> {
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
