//! Remediations asked of RMM and followed until they are over. One is `applied` when RMM says
//! `completed`, and not before.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use protect_core::config::Rule;
use protect_core::connector::{
    Applied, AppliedStatus, Capability, Connector, ConnectorInfo, Diagnosis, OpContext, Probe,
    Remediator,
};
use protect_core::inbound::Inbound;
use protect_core::model::{
    Action, ActionKind, ActionTarget, Address, Attributes, EffectClass, Preview, Protection,
    Severity,
};
use protect_core::{Error, ErrorKind, Result};
use serde::Deserialize as _;

use super::auto::AutoActions;
use super::client::Rmm;
use super::remediation::{NewRemediation, Remediation};
use super::standing::{Stage, duplicate, is_locked, was_done};
use crate::config::Common;
use crate::error::is_harmless;
use crate::message::severity_word;
use crate::webhooks::Webhooks;

/// What RMM calls each action.
const ACTIONS: [(ActionKind, &str); 4] = [
    (ActionKind::ForcePasswordReset, "force_password_reset"),
    (ActionKind::SuspendAccount, "account_lockout"),
    (ActionKind::ReactivateAccount, "account_unlock"),
    (ActionKind::EnrollMfa, "mfa_enrollment"),
];

/// How long to wait before each look at a remediation that was just asked for; what takes longer is
/// followed by the engine.
const LOOKS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// RMM as a tenant's connector.
#[derive(Debug)]
pub(crate) struct RmmConnector {
    pub(super) info: ConnectorInfo,
    pub(super) client: Rmm,
    pub(super) common: Common,
    pub(super) webhooks: Option<Webhooks>,
    pub(super) owners: Vec<Address>,
    pub(super) directory: String,
    pub(super) max_per_hour: usize,
    pub(super) lockout: Duration,
    pub(super) revoke_sessions: bool,
    pub(super) auto_actions: AutoActions,
}

#[async_trait]
impl Connector for RmmConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        let class = EffectClass::SearchBeforeCreate;
        let ends = (ActionKind::SuspendAccount, self.lockout.as_secs());
        Capability {
            actions: ACTIONS.map(|(kind, _)| (kind, class)).into(),
            reaches_by_address: true,
            ends_after_seconds: BTreeMap::from([ends]),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let mut diagnosis = self.client.diagnose(cx).await;
        if let Some(webhooks) = &self.webhooks {
            diagnosis.credentials.push(webhooks.credential().await);
        }
        Ok(diagnosis)
    }

    fn as_remediator(&self) -> Option<&dyn Remediator> {
        Some(self)
    }

    fn as_inbound(&self) -> Option<&dyn Inbound> {
        self.webhooks.as_ref()?.as_inbound()
    }

    fn rules(&self) -> Vec<Rule> {
        self.auto_actions.rules(&self.info.name, self.lockout)
    }
}

#[async_trait]
impl Remediator for RmmConnector {
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview> {
        let change = self.change(cx, action)?;
        let client = self.client.within(cx);
        let known = client.remediations_of(change.email.as_str()).await?;
        Ok(Preview {
            before: self.facts(&change, &known),
            after: facts(change.kind.state_word(false)),
            already_so: self.already_so(&change, &known).is_some(),
            protection: self.protection(&change, action),
        })
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        let change = self.change(cx, action)?;
        let client = self.client.within(cx);
        let known = client.remediations_of(change.email.as_str()).await?;
        let before = self.facts(&change, &known);
        let is_own = |it: &&Remediation| it.source_ref.as_deref() == Some(&change.reference);
        let asked = if let Some(own) = known.iter().find(is_own) {
            own.clone()
        } else {
            let unchanged = |status, reason: &str| Applied {
                status,
                reason: reason.to_owned(),
                before: before.clone(),
                after: before.clone(),
            };
            if self.protection(&change, action).is_some() {
                let reason = "it is an owner's, or the auto-action leaves it out";
                return Ok(unchanged(AppliedStatus::Refused, reason));
            }
            if let Some(reason) = self.already_so(&change, &known) {
                return Ok(unchanged(AppliedStatus::AlreadySo, reason));
            }
            self.keep_the_cap(&client).await?;
            let wanted = self.wanted(cx, action, &change);
            client.request_remediation(wanted).await?
        };
        self.wait_for(&client, &change, asked, before).await
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        let change = self.change(cx, action)?;
        let client = self.client.within(cx);
        let found = client
            .remediations_under(&self.common.source, &change.reference)
            .await?;
        let Some(asked) = found.first() else {
            return Ok(Probe::DidNotHappen(Attributes::new()));
        };
        let state = asked_facts(asked);
        Ok(match Stage::of(asked) {
            Stage::Completed => Probe::Happened(state),
            Stage::Failed => Probe::DidNotHappen(state),
            Stage::Cancelled => Probe::CalledOff(state),
            stage => Probe::Underway {
                reason: stage.waits_for().to_owned(),
                state,
            },
        })
    }
}

/// One change of one login.
struct Change {
    kind: Kind,
    email: Address,
    reference: String,
}

/// An action, with RMM's word for it.
#[derive(Clone, Copy)]
struct Kind {
    action: ActionKind,
    word: &'static str,
}

impl Kind {
    /// The state that is read before, or after, the change.
    fn state_word(self, before: bool) -> &'static str {
        match (self.action, before) {
            (ActionKind::SuspendAccount, true) | (ActionKind::ReactivateAccount, false) => {
                "not_locked_out"
            }
            (ActionKind::SuspendAccount, false) | (ActionKind::ReactivateAccount, true) => {
                "locked_out"
            }
            (ActionKind::EnrollMfa, true) => "not_asked_to_enroll",
            (ActionKind::EnrollMfa, false) => "asked_to_enroll",
            (_, true) => "not_reset",
            (_, false) => "reset",
        }
    }
}

impl RmmConnector {
    fn change(&self, cx: &OpContext, action: &Action) -> Result<Change> {
        let known = ACTIONS.iter().find(|(kind, _)| *kind == action.kind);
        let (kind, word) = *known.ok_or_else(|| {
            let message = format!("RMM cannot do {}", action.kind);
            Error::new(ErrorKind::Unsupported, message)
        })?;
        let ActionTarget::Account(account) = &action.target else {
            return Err(Error::invalid_input("the target is no account"));
        };
        Ok(Change {
            kind: Kind { action: kind, word },
            email: Address::new(&account.id)?,
            reference: format!("{}:{}:{}", self.common.source, cx.tenant, action.id),
        })
    }

    fn protection(&self, change: &Change, action: &Action) -> Option<Protection> {
        if self.owners.contains(&change.email) {
            return Some(Protection::Administrator);
        }
        let requested_by = &action.requested_by;
        let excluded =
            self.auto_actions
                .excludes(&self.info.name, action.kind, requested_by, &change.email);
        excluded.then_some(Protection::BreakGlass)
    }

    /// Why nothing is asked of RMM, where it is so or was asked of it already.
    fn already_so(&self, change: &Change, known: &[Remediation]) -> Option<&'static str> {
        let now = self.client.context().clock.now();
        let is_locked = is_locked(known, now);
        let other = duplicate(known, change.kind.word, &change.reference, now);
        let other = match change.kind.action {
            ActionKind::SuspendAccount if is_locked => return Some("RMM has it locked out"),
            ActionKind::ReactivateAccount if !is_locked => {
                return Some("RMM does not have it locked out");
            }
            // Who was let in again may have to be locked out again on the same day.
            ActionKind::SuspendAccount | ActionKind::ReactivateAccount => {
                other.filter(|it| !Stage::of(it).is_over())
            }
            _ => other,
        };
        other.map(|_| "the same was asked of RMM within 24 hours, so that it is not asked again")
    }

    /// The state now, as RMM's list shows it.
    fn facts(&self, change: &Change, known: &[Remediation]) -> Attributes {
        let now = self.client.context().clock.now();
        let word = match change.kind.action {
            ActionKind::SuspendAccount => change.kind.state_word(!is_locked(known, now)),
            ActionKind::ReactivateAccount => change.kind.state_word(is_locked(known, now)),
            _ => {
                let done = was_done(known, change.kind.word, now);
                change.kind.state_word(!done)
            }
        };
        facts(word)
    }

    /// # Errors
    /// `rate_limited`, with when the next may be asked for: nothing was sent.
    async fn keep_the_cap(&self, client: &Rmm) -> Result<()> {
        let now = self.client.context().clock.now();
        let since = now.checked_sub(HOUR).unwrap_or(now);
        let asked = client.asked_since(&self.common.source, since).await?;
        if asked.len() < self.max_per_hour {
            return Ok(());
        }
        let oldest = asked.iter().min().copied().unwrap_or(now);
        let left = HOUR - now.duration_since(oldest);
        Err(Error::new(
            ErrorKind::RateLimited,
            format!(
                "{} remediations within an hour; `max_per_hour` is {}",
                asked.len(),
                self.max_per_hour
            ),
        )
        .temporary()
        .persistent()
        .untouched()
        .with_retry_after(Duration::try_from(left).unwrap_or_default()))
    }

    fn wanted(&self, cx: &OpContext, action: &Action, change: &Change) -> NewRemediation {
        let is_lockout = action.kind == ActionKind::SuspendAccount;
        let lasts = action.lasts.unwrap_or(self.lockout);
        let ends_sessions = matches!(
            action.kind,
            ActionKind::SuspendAccount | ActionKind::ForcePasswordReset
        );
        NewRemediation {
            action: change.kind.word.to_owned(),
            email: change.email.as_str().to_owned(),
            directory: Some(self.directory.clone()),
            reason: action.reason.clone(),
            severity: severity(action).map(|it| severity_word(it).to_owned()),
            source: Some(self.common.source.clone()),
            source_ref: change.reference.clone(),
            client_id: self.common.client_id.clone(),
            requested_by: action.requested_by.id.clone(),
            approved_by: cx.approved_by.as_ref().map(|actor| actor.id.clone()),
            justification: Some(action.reason.clone()),
            duration_minutes: is_lockout.then(|| lasts.as_secs().div_ceil(60).max(1)),
            revoke_sessions: ends_sessions.then_some(self.revoke_sessions),
        }
    }

    /// Looks a few times whether it is over.
    async fn wait_for(
        &self,
        client: &Rmm,
        change: &Change,
        mut asked: Remediation,
        before: Attributes,
    ) -> Result<Applied> {
        for wait in LOOKS {
            if Stage::of(&asked).is_over() {
                break;
            }
            self.client.context().clock.sleep(wait).await;
            // It is asked for: that it cannot be looked at is no reason to say that nothing happened.
            asked = client
                .get_remediation(&asked.id)
                .await
                .map_err(Error::temporary)?;
        }
        let applied = |status, reason: &str, after: Attributes| Applied {
            status,
            reason: reason.to_owned(),
            before: before.clone(),
            after,
        };
        match Stage::of(&asked) {
            Stage::Completed => {
                let after = facts(change.kind.state_word(false));
                Ok(applied(AppliedStatus::Applied, "", after))
            }
            Stage::Cancelled => {
                let reason = "somebody called it off at the RMM";
                Ok(applied(AppliedStatus::Refused, reason, before.clone()))
            }
            Stage::Failed => Err(failed(&asked)),
            stage => {
                let after = asked_facts(&asked);
                Ok(applied(
                    AppliedStatus::NotConfirmed,
                    stage.waits_for(),
                    after,
                ))
            }
        }
    }
}

/// How bad it is that made somebody ask for it, where the action says so.
fn severity(action: &Action) -> Option<Severity> {
    let given = action.parameters.get("severity")?;
    Severity::deserialize(given).ok()
}

/// RMM tried and could not; its own words are repeated only where they cannot name anybody.
fn failed(asked: &Remediation) -> Error {
    let said = asked.attributes.get("error").and_then(|it| it.as_str());
    let why = said
        .filter(|said| !said.is_empty() && is_harmless(said))
        .map_or_else(String::new, |said| format!(": {said}"));
    Error::new(ErrorKind::Conflict, format!("the RMM could not do it{why}"))
}

fn facts(word: &str) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("state".to_owned(), word.into());
    facts
}

/// What RMM calls the request and where it stands.
fn asked_facts(asked: &Remediation) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("remediation".to_owned(), asked.id.as_str().into());
    let status = asked.status.as_deref().unwrap_or_default();
    facts.insert("status".to_owned(), status.into());
    facts
}
