//! The steps of each action: what is looked at before, what is sent, and how it shows that it
//! happened.

use std::path::Path;

use protect_core::connector::{OpContext, Probe};
use protect_core::model::{Action, ActionKind, Attributes};
use protect_core::{Error, Result, handover, password};
use serde_json::{Value, json};

use crate::api::Workspace;
use crate::config::Options;
use crate::model::{AppPassword, Grant, User};
use crate::remediate::unsupported;

/// A change of one account.
pub(crate) struct Change<'a> {
    pub(crate) kind: ActionKind,
    pub(crate) user: &'a str,
    /// Where a new password leaves by.
    handover: Option<&'a Path>,
    /// Where 2-step verification is enforced.
    enforced: &'a str,
}

/// What was looked at: in facts for people and evidence, and the objects themselves.
#[derive(Default)]
pub(crate) struct Looked {
    pub(crate) facts: Attributes,
    grants: Vec<Grant>,
    app_passwords: Vec<AppPassword>,
}

impl<'a> Change<'a> {
    /// # Errors
    /// `invalid_input` for roles to be given back that nobody wrote down.
    pub(crate) fn of(action: &'a Action, user: &'a str, options: &'a Options) -> Result<Self> {
        if action.kind == ActionKind::RestoreRoles && !was_super_admin(action) {
            return Err(Error::invalid_input(
                "that it was a super administrator is known only from the action that took it",
            ));
        }
        Ok(Self {
            kind: action.kind,
            user,
            handover: options.handover.as_deref(),
            enforced: options.enforced_org_unit.as_deref().unwrap_or_default(),
        })
    }

    /// Whether it gives back what was taken.
    pub(crate) fn gives_back(&self) -> bool {
        self.kind == ActionKind::ReactivateAccount
    }

    /// Why an account that Google itself suspended is not given back: nobody looked into it yet.
    pub(crate) fn is_googles(&self, user: &User) -> Option<&'static str> {
        let reason = user.suspension_reason.as_deref().unwrap_or(BY_ADMIN);
        let is_googles = self.gives_back() && !reason.eq_ignore_ascii_case(BY_ADMIN);
        is_googles.then_some(
            "Google itself suspended the account: look into it and restore it in the Admin console",
        )
    }

    /// The state that the action is about.
    pub(crate) async fn look(
        &self,
        workspace: &Workspace,
        cx: &OpContext,
        user: &User,
    ) -> Result<Looked> {
        let mut looked = Looked::default();
        let facts = &mut looked.facts;
        let mut put = |name: &str, value: Value| facts.insert(name.to_owned(), value);
        match self.kind {
            ActionKind::SuspendAccount | ActionKind::ReactivateAccount => {
                put(SUSPENDED, json!(user.suspended));
            }
            ActionKind::ForcePasswordReset => {
                put(MUST_CHANGE, json!(user.change_password_at_next_login));
            }
            // Google tells of no session.
            ActionKind::RevokeSessions => {}
            ActionKind::RevokeGrants => {
                looked.grants = workspace.grants(cx, self.user).await?;
                looked.app_passwords = workspace.app_passwords(cx, self.user).await?;
                put(GRANTS, looked.grants.len().into());
                put(APP_PASSWORDS, looked.app_passwords.len().into());
            }
            ActionKind::EnrollMfa => {
                put(ORG_UNIT, json!(user.org_unit_path));
            }
            ActionKind::RemoveMfaMethods => {
                put(
                    BACKUP_CODES,
                    workspace.backup_codes(cx, self.user).await?.into(),
                );
            }
            ActionKind::RemoveRoles | ActionKind::RestoreRoles => {
                put(SUPER_ADMIN, json!(user.is_admin));
            }
            other => return Err(cannot(other)),
        }
        Ok(looked)
    }

    /// What will be there afterwards.
    pub(crate) fn wanted(&self, now: &Looked) -> Attributes {
        let mut after = now.facts.clone();
        let mut put = |name: &str, value: Value| after.insert(name.to_owned(), value);
        match self.kind {
            ActionKind::SuspendAccount => put(SUSPENDED, true.into()),
            ActionKind::ReactivateAccount => put(SUSPENDED, false.into()),
            ActionKind::ForcePasswordReset => put(MUST_CHANGE, true.into()),
            ActionKind::RevokeSessions => put(SIGNED_OUT, true.into()),
            ActionKind::RevokeGrants => {
                put(GRANTS, 0.into());
                put(APP_PASSWORDS, 0.into())
            }
            ActionKind::EnrollMfa => put(ORG_UNIT, self.enforced.into()),
            ActionKind::RemoveMfaMethods => put(BACKUP_CODES, 0.into()),
            ActionKind::RemoveRoles => put(SUPER_ADMIN, false.into()),
            ActionKind::RestoreRoles => put(SUPER_ADMIN, true.into()),
            _ => None,
        };
        after
    }

    /// Whether it is that way already. Of sessions nobody can say, and a new password is another one
    /// each time.
    pub(crate) fn is_so(&self, now: &Looked) -> bool {
        self.can_be_seen() && now.facts == self.wanted(now)
    }

    /// Whether reading shows that it happened.
    pub(crate) fn can_be_seen(&self) -> bool {
        match self.kind {
            ActionKind::RevokeSessions => false,
            ActionKind::ForcePasswordReset => self.handover.is_none(),
            _ => true,
        }
    }

    /// The state after, as it goes into the evidence.
    pub(crate) fn told(&self, after: &Looked) -> Attributes {
        let mut facts = if self.can_be_seen() {
            after.facts.clone()
        } else {
            self.wanted(after)
        };
        if self.kind == ActionKind::ForcePasswordReset && self.handover.is_some() {
            facts.insert("new_password".to_owned(), "handed over".into());
        }
        facts
    }

    /// What a probe says to what was read.
    pub(crate) fn probe(&self, looked: Looked) -> Probe {
        if !self.can_be_seen() {
            Probe::CannotTell
        } else if self.is_so(&looked) {
            Probe::Happened(looked.facts)
        } else {
            Probe::DidNotHappen(looked.facts)
        }
    }

    /// Sends it.
    pub(crate) async fn send(
        &self,
        workspace: &Workspace,
        cx: &OpContext,
        action: &Action,
        before: &Looked,
    ) -> Result<()> {
        let id = self.user;
        match self.kind {
            ActionKind::SuspendAccount => {
                self.put(
                    workspace,
                    cx,
                    "google.suspend_account",
                    json!({ "suspended": true }),
                )
                .await
            }
            ActionKind::ReactivateAccount => {
                self.put(
                    workspace,
                    cx,
                    "google.reactivate_account",
                    json!({ "suspended": false }),
                )
                .await
            }
            ActionKind::ForcePasswordReset => self.force_reset(workspace, cx, action).await,
            ActionKind::RevokeSessions => workspace.sign_out(cx, id).await,
            ActionKind::RevokeGrants => self.revoke_grants(workspace, cx, before).await,
            ActionKind::EnrollMfa => {
                let change = json!({ "orgUnitPath": self.enforced });
                self.put(workspace, cx, "google.enroll_mfa", change).await
            }
            ActionKind::RemoveMfaMethods => workspace.invalidate_backup_codes(cx, id).await,
            ActionKind::RemoveRoles => workspace.make_admin(cx, id, false).await,
            ActionKind::RestoreRoles => workspace.make_admin(cx, id, true).await,
            other => Err(cannot(other)),
        }
    }

    async fn put(
        &self,
        workspace: &Workspace,
        cx: &OpContext,
        operation: &'static str,
        change: Value,
    ) -> Result<()> {
        let changed = workspace.change_user(cx, operation, self.user, &change);
        changed.await.map(drop)
    }

    /// Where a folder takes it, a new password is made and handed over, and every session ends;
    /// otherwise the owner must choose another one at the next sign-in.
    async fn force_reset(
        &self,
        workspace: &Workspace,
        cx: &OpContext,
        action: &Action,
    ) -> Result<()> {
        let operation = "google.force_password_reset";
        let Some(folder) = self.handover else {
            let demand = json!({ "changePasswordAtNextLogin": true });
            return self.put(workspace, cx, operation, demand).await;
        };
        // Whether the folder takes it is found out before there is a password.
        let place = handover::prepare(folder, action.id.as_str())?;
        let password = password::generate(&*workspace.context().random);
        let change = json!({ "password": &password, "changePasswordAtNextLogin": true });
        self.put(workspace, cx, operation, change).await?;
        place.write(&password)?;
        let ended = workspace.sign_out(cx, self.user).await;
        ended.map_err(Error::temporary)
    }

    /// Takes both back; one that fails does not keep the others from being taken.
    async fn revoke_grants(
        &self,
        workspace: &Workspace,
        cx: &OpContext,
        before: &Looked,
    ) -> Result<()> {
        let (mut begun, mut failed) = (false, None);
        let mut note = |deleted: Result<()>| match deleted {
            Ok(()) => begun = true,
            Err(error) => {
                failed.get_or_insert(error);
            }
        };
        for grant in &before.grants {
            note(
                workspace
                    .delete_grant(cx, self.user, &grant.client_id)
                    .await,
            );
        }
        for app in &before.app_passwords {
            note(
                workspace
                    .delete_app_password(cx, self.user, app.code_id)
                    .await,
            );
        }
        match failed {
            // Once something was changed, no error may claim that nothing was.
            Some(error) if begun => Err(error.temporary()),
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

const SUSPENDED: &str = "suspended";
const MUST_CHANGE: &str = "must_change_password";
const SIGNED_OUT: &str = "signed_out";
const GRANTS: &str = "grants";
const APP_PASSWORDS: &str = "app_passwords";
const ORG_UNIT: &str = "org_unit";
const BACKUP_CODES: &str = "backup_codes";
const SUPER_ADMIN: &str = "super_admin";

/// Google's word for an account that an administrator suspended.
const BY_ADMIN: &str = "ADMIN";

/// The parameter in which the engine hands over the state before the roles were taken.
const BEFORE: &str = "before";

fn was_super_admin(action: &Action) -> bool {
    let before = action.parameters.get(BEFORE);
    before.is_some_and(|before| before[SUPER_ADMIN] == Value::Bool(true))
}

fn cannot(kind: ActionKind) -> Error {
    unsupported(&format!("Google Workspace cannot do {kind}"))
}
