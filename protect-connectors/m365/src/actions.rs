//! The steps of each action: what is looked at before, what is sent, and how it shows that it
//! happened.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use protect_core::connector::{OpContext, Probe};
use protect_core::model::{Action, ActionKind, Attributes};
use protect_core::{Error, Result, handover, password};
use serde_json::{Value, json};

use crate::api::Graph;
use crate::endpoints::is_deletable;
use crate::model::{AuthenticationMethod, Grant, RoleAssignment, User};
use crate::remediate::unsupported;

/// A change of one user.
pub(crate) struct Change<'a> {
    pub(crate) kind: ActionKind,
    pub(crate) user: &'a str,
    /// The roles to be given back.
    roles: Vec<(String, String)>,
}

/// What was looked at: in facts for people and evidence, and the objects themselves.
#[derive(Default)]
pub(crate) struct Looked {
    pub(crate) facts: Attributes,
    revoked_at: Option<Timestamp>,
    methods: Vec<AuthenticationMethod>,
    roles: Vec<RoleAssignment>,
    grants: Vec<Grant>,
}

impl<'a> Change<'a> {
    /// # Errors
    /// `invalid_input` for roles to be given back that nobody wrote down.
    pub(crate) fn of(action: &'a Action, user: &'a str) -> Result<Self> {
        let roles = match action.kind {
            ActionKind::RestoreRoles => recorded_roles(action)?,
            _ => Vec::new(),
        };
        Ok(Self {
            kind: action.kind,
            user,
            roles,
        })
    }

    /// Whether it gives back what was taken.
    pub(crate) fn gives_back(&self) -> bool {
        matches!(
            self.kind,
            ActionKind::ReactivateAccount | ActionKind::DismissRisk
        )
    }

    /// The state that the action is about.
    pub(crate) async fn look(&self, graph: &Graph, cx: &OpContext, user: &User) -> Result<Looked> {
        let mut looked = Looked {
            revoked_at: user.sign_in_sessions_valid_from_date_time,
            ..Looked::default()
        };
        let facts = &mut looked.facts;
        let mut put = |name: &str, value: Value| facts.insert(name.to_owned(), value);
        match self.kind {
            ActionKind::SuspendAccount | ActionKind::ReactivateAccount => {
                put(ENABLED, json!(user.account_enabled));
            }
            ActionKind::RevokeSessions => {
                put(VALID_FROM, json!(looked.revoked_at));
            }
            ActionKind::ForcePasswordReset => {
                // Whether it must be changed is told by no documented answer.
                put(CHANGED, json!(user.last_password_change_date_time));
            }
            ActionKind::RevokeGrants => {
                looked.grants = graph.grants(cx, self.user).await?;
                put("grants", looked.grants.len().into());
            }
            ActionKind::EnrollMfa | ActionKind::RemoveMfaMethods => {
                looked.methods = graph.methods(cx, self.user).await?;
                let kinds: Vec<_> = looked.methods.iter().map(|it| &it.kind).collect();
                put("methods", json!(kinds));
            }
            ActionKind::RemoveRoles | ActionKind::RestoreRoles => {
                looked.roles = graph.role_assignments(cx, self.user).await?;
                put(ROLES, roles_as_facts(&looked.roles));
            }
            ActionKind::ConfirmCompromised | ActionKind::DismissRisk => {
                let risk = graph.risky_user(cx, self.user).await?;
                let state = risk.and_then(|risk| risk.risk_state);
                put(RISK, state.unwrap_or_else(|| "none".to_owned()).into());
            }
            other => return Err(unsupported(&format!("Microsoft 365 cannot do {other}"))),
        }
        Ok(looked)
    }

    /// What will be there afterwards.
    pub(crate) fn wanted(&self, now: &Looked) -> Attributes {
        let mut after = now.facts.clone();
        let mut put = |name: &str, value: Value| after.insert(name.to_owned(), value);
        match self.kind {
            ActionKind::SuspendAccount => put(ENABLED, false.into()),
            ActionKind::ReactivateAccount => put(ENABLED, true.into()),
            ActionKind::RevokeSessions => put(VALID_FROM, "now".into()),
            ActionKind::ForcePasswordReset => put(MUST_CHANGE, true.into()),
            ActionKind::RevokeGrants => put("grants", 0.into()),
            ActionKind::EnrollMfa => put("temporary_access_pass", "new".into()),
            ActionKind::RemoveMfaMethods => {
                let rest = now.methods.iter().filter(|it| !is_deletable(it));
                let kinds: Vec<_> = rest.map(|it| &it.kind).collect();
                put("methods", json!(kinds))
            }
            ActionKind::RemoveRoles => put(ROLES, json!([])),
            ActionKind::RestoreRoles => {
                let roles: Vec<_> = self.roles.iter().map(as_fact).collect();
                put(ROLES, roles.into())
            }
            ActionKind::ConfirmCompromised => put(RISK, CONFIRMED.into()),
            ActionKind::DismissRisk => put(RISK, DISMISSED.into()),
            _ => None,
        };
        after
    }

    /// Whether it is that way already. Of sessions, passes and passwords nobody can say: what was
    /// revoked a minute ago may have been opened again since.
    pub(crate) fn is_so(&self, now: &Looked) -> bool {
        let fact = |name: &str| now.facts.get(name);
        match self.kind {
            ActionKind::SuspendAccount => fact(ENABLED) == Some(&Value::Bool(false)),
            ActionKind::ReactivateAccount => fact(ENABLED) == Some(&Value::Bool(true)),
            ActionKind::RevokeGrants => now.grants.is_empty(),
            ActionKind::RemoveMfaMethods => !now.methods.iter().any(is_deletable),
            ActionKind::RemoveRoles => now.roles.is_empty(),
            ActionKind::RestoreRoles => self.missing(now).next().is_none(),
            ActionKind::ConfirmCompromised => fact(RISK) == Some(&CONFIRMED.into()),
            // Nothing is there to be dismissed where there is no risk.
            ActionKind::DismissRisk => {
                let settled = ["none", DISMISSED, "remediated", "confirmedSafe"];
                fact(RISK)
                    .and_then(Value::as_str)
                    .is_some_and(|state| settled.contains(&state))
            }
            _ => false,
        }
    }

    /// Whether reading shows that it happened. Of a password that must be changed, nothing does.
    pub(crate) fn can_be_seen(&self) -> bool {
        self.kind != ActionKind::ForcePasswordReset
    }

    /// Whether it shows in what was read that it happened since.
    pub(crate) fn happened_since(&self, before: &Looked, after: &Looked) -> bool {
        match self.kind {
            ActionKind::RevokeSessions => after.revoked_at > before.revoked_at,
            ActionKind::EnrollMfa => passes(after).any(|id| passes(before).all(|old| old != id)),
            _ => self.is_so(after),
        }
    }

    /// The state after, as it goes into the evidence.
    pub(crate) fn told(&self, before: &Looked, after: &Looked) -> Attributes {
        let mut facts = after.facts.clone();
        if self.kind == ActionKind::EnrollMfa && self.happened_since(before, after) {
            facts.insert("temporary_access_pass".to_owned(), "handed over".into());
        }
        if self.kind == ActionKind::ForcePasswordReset {
            facts.insert(MUST_CHANGE.to_owned(), true.into());
        }
        facts
    }

    /// What a probe says to what was read.
    pub(crate) fn probe(&self, looked: Looked, now: Timestamp) -> Probe {
        let is_recent = |at: Timestamp| now.duration_since(at) < PROBED_WITHIN;
        match self.kind {
            ActionKind::RevokeSessions if looked.revoked_at.is_some_and(is_recent) => {
                Probe::Happened(looked.facts)
            }
            ActionKind::RevokeSessions => Probe::DidNotHappen(looked.facts),
            // A pass that is there may be another one, and nobody was told this one.
            ActionKind::EnrollMfa | ActionKind::ForcePasswordReset => Probe::CannotTell,
            _ if self.is_so(&looked) => Probe::Happened(looked.facts),
            _ => Probe::DidNotHappen(looked.facts),
        }
    }

    /// Sends it.
    pub(crate) async fn send(
        &self,
        graph: &Graph,
        cx: &OpContext,
        action: &Action,
        before: &Looked,
        handover: Option<&Path>,
    ) -> Result<()> {
        let id = self.user;
        let enable = |enabled: bool| json!({ "accountEnabled": enabled });
        match self.kind {
            ActionKind::SuspendAccount => {
                graph
                    .patch_user(cx, "m365.suspend_account", id, &enable(false))
                    .await
            }
            ActionKind::ReactivateAccount => {
                graph
                    .patch_user(cx, "m365.reactivate_account", id, &enable(true))
                    .await
            }
            ActionKind::ForcePasswordReset => self.force_reset(graph, cx, action, handover).await,
            ActionKind::RevokeSessions => graph.revoke_sessions(cx, id).await,
            ActionKind::RevokeGrants => self.revoke_grants(graph, cx, before).await,
            ActionKind::EnrollMfa => self.enroll(graph, cx, action, handover).await,
            ActionKind::RemoveMfaMethods => self.remove_methods(graph, cx, before).await,
            ActionKind::RemoveRoles => self.remove_roles(graph, cx, before).await,
            ActionKind::RestoreRoles => self.restore_roles(graph, cx, before).await,
            ActionKind::ConfirmCompromised => graph.confirm_compromised(cx, id).await,
            ActionKind::DismissRisk => graph.dismiss_risk(cx, id).await,
            other => Err(unsupported(&format!("Microsoft 365 cannot do {other}"))),
        }
    }

    /// Where Graph takes the demand for another password only with a new one, a new one is made and
    /// handed over, or else nothing is done.
    async fn force_reset(
        &self,
        graph: &Graph,
        cx: &OpContext,
        action: &Action,
        folder: Option<&Path>,
    ) -> Result<()> {
        let operation = "m365.force_password_reset";
        let demand = json!({ "passwordProfile": { "forceChangePasswordNextSignIn": true } });
        let sent = graph.patch_user(cx, operation, self.user, &demand).await;
        let Err(error) = sent else { return Ok(()) };
        let Some(folder) = folder.filter(|_| error.http_status() == Some(400)) else {
            return Err(error);
        };
        let place = handover::prepare(folder, action.id.as_str())?;
        let password = password::generate(&*graph.http.context().random);
        let change = json!({
            "passwordProfile": { "password": &password, "forceChangePasswordNextSignIn": true },
        });
        graph.patch_user(cx, operation, self.user, &change).await?;
        place.write(&password)
    }

    async fn revoke_grants(&self, graph: &Graph, cx: &OpContext, before: &Looked) -> Result<()> {
        let mut begun = false;
        for grant in &before.grants {
            let deleted = graph.delete_grant(cx, &grant.id).await;
            deleted.map_err(|error| halfway(error, begun))?;
            begun = true;
        }
        Ok(())
    }

    /// The pass leaves through the folder that was configured, and through nothing else.
    async fn enroll(
        &self,
        graph: &Graph,
        cx: &OpContext,
        action: &Action,
        folder: Option<&Path>,
    ) -> Result<()> {
        let Some(folder) = folder else {
            return Err(unsupported(
                "without `handover` nobody would learn the pass",
            ));
        };
        // Whether the folder takes it is found out before there is a pass.
        let place = handover::prepare(folder, action.id.as_str())?;
        let pass = graph.create_pass(cx, self.user, None, true).await?;
        place.write(&pass.temporary_access_pass)
    }

    /// Graph refuses the default method while others are there, so it is tried again at the end.
    async fn remove_methods(&self, graph: &Graph, cx: &OpContext, before: &Looked) -> Result<()> {
        let (mut begun, mut refused) = (false, Vec::new());
        for method in before.methods.iter().filter(|it| is_deletable(it)) {
            match graph.delete_method(cx, self.user, method).await {
                Err(error) if error.http_status() == Some(400) => refused.push(method),
                deleted => {
                    deleted.map_err(|error| halfway(error, begun))?;
                    begun = true;
                }
            }
        }
        for method in refused {
            let deleted = graph.delete_method(cx, self.user, method).await;
            deleted.map_err(|error| halfway(error, begun))?;
            begun = true;
        }
        Ok(())
    }

    async fn remove_roles(&self, graph: &Graph, cx: &OpContext, before: &Looked) -> Result<()> {
        let mut begun = false;
        for role in &before.roles {
            let deleted = graph.delete_role_assignment(cx, &role.id).await;
            deleted.map_err(|error| halfway(error, begun))?;
            begun = true;
        }
        Ok(())
    }

    async fn restore_roles(&self, graph: &Graph, cx: &OpContext, before: &Looked) -> Result<()> {
        let mut begun = false;
        for (role, scope) in self.missing(before) {
            let added = graph.add_role_assignment(cx, self.user, role, scope).await;
            added.map_err(|error| halfway(error, begun))?;
            begun = true;
        }
        Ok(())
    }

    /// The roles to be given back that the user does not hold.
    fn missing<'s>(&'s self, now: &'s Looked) -> impl Iterator<Item = (&'s str, &'s str)> {
        let wanted = self.roles.iter();
        let is_held = |role: &str, scope: &str| {
            now.roles.iter().any(|it| {
                it.role_definition_id.eq_ignore_ascii_case(role) && it.directory_scope_id == scope
            })
        };
        wanted
            .map(|(role, scope)| (role.as_str(), scope.as_str()))
            .filter(move |(role, scope)| !is_held(role, scope))
    }
}

/// A session that was revoked as lately as this was revoked by the attempt that is asked about.
const PROBED_WITHIN: SignedDuration = SignedDuration::from_mins(15);

const ENABLED: &str = "enabled";
const VALID_FROM: &str = "sessions_valid_from";
const MUST_CHANGE: &str = "must_change_password";
const CHANGED: &str = "password_changed_at";
const ROLES: &str = "roles";
const RISK: &str = "risk_state";
const CONFIRMED: &str = "confirmedCompromised";
const DISMISSED: &str = "dismissed";

/// The parameter in which the engine hands over the state before the roles were taken.
const BEFORE: &str = "before";

fn passes(looked: &Looked) -> impl Iterator<Item = &str> {
    let kind = "temporaryAccessPassAuthenticationMethod";
    let found = looked.methods.iter().filter(move |it| it.kind == kind);
    found.map(|it| it.id.as_str())
}

fn roles_as_facts(roles: &[RoleAssignment]) -> Value {
    let facts = roles.iter().map(|it| {
        let pair = (it.role_definition_id.clone(), it.directory_scope_id.clone());
        as_fact(&pair)
    });
    facts.collect::<Vec<_>>().into()
}

fn as_fact((role, scope): &(String, String)) -> Value {
    json!({ "role": role, "scope": scope })
}

fn recorded_roles(action: &Action) -> Result<Vec<(String, String)>> {
    let recorded = action
        .parameters
        .get(BEFORE)
        .and_then(|before| before.get(ROLES))
        .and_then(Value::as_array)
        .ok_or_else(|| {
            Error::invalid_input(
                "which roles to give back is known only from the action that took them",
            )
        })?;
    let read = |fact: &Value| {
        let text = |name: &str| Some(fact.get(name)?.as_str()?.to_owned());
        Some((text("role")?, text("scope")?))
    };
    Ok(recorded.iter().filter_map(read).collect())
}

/// Once something was changed, no error may claim that nothing was.
fn halfway(error: Error, begun: bool) -> Error {
    if begun { error.temporary() } else { error }
}
