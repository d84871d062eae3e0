//! Remediations: errands of RMM. One is `applied` when RMM says `completed`, and not before.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use protect_core::config::Rule;
use protect_core::connector::{
    Applied, Capability, Connector, ConnectorInfo, Diagnosis, OpContext, Probe, Remediator,
};
use protect_core::errand::{self, Begun, Errand, Stage};
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
use super::standing::{duplicate, is_locked, stage, was_done};
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
            // The cap is kept by counting what was asked for before.
            one_at_a_time: true,
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
        errand::preview(&self.change(cx, action)?, cx).await
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        let change = self.change(cx, action)?;
        errand::apply(&change, cx, &*self.client.context().clock).await
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        errand::probe(&self.change(cx, action)?, cx).await
    }
}

/// One change of one login.
struct Change<'a> {
    connector: &'a RmmConnector,
    client: Rmm,
    action: &'a Action,
    kind: Kind,
    email: Address,
    reference: String,
}

#[async_trait]
impl Errand for Change<'_> {
    type Known = Vec<Remediation>;
    type Asked = Remediation;

    async fn look(&self, _: &OpContext) -> Result<Vec<Remediation>> {
        self.client.remediations_of(self.email.as_str()).await
    }

    async fn find(&self, _: &OpContext) -> Result<Option<Remediation>> {
        let source = &self.connector.common.source;
        let found = self
            .client
            .remediations_under(source, &self.reference)
            .await?;
        Ok(found.into_iter().next())
    }

    fn own(&self, known: &Vec<Remediation>) -> Option<Remediation> {
        let is_own = |it: &&Remediation| it.source_ref.as_deref() == Some(&self.reference);
        known.iter().find(is_own).cloned()
    }

    /// The state now, as RMM's list shows it.
    fn before(&self, known: &Vec<Remediation>) -> Attributes {
        let now = self.now();
        facts(match self.kind.action {
            ActionKind::SuspendAccount => self.kind.state_word(!is_locked(known, now)),
            ActionKind::ReactivateAccount => self.kind.state_word(is_locked(known, now)),
            _ => {
                let done = was_done(known, self.kind.word, now);
                self.kind.state_word(!done)
            }
        })
    }

    fn wanted(&self) -> Attributes {
        facts(self.kind.state_word(false))
    }

    fn already_so(&self, known: &Vec<Remediation>) -> Option<&'static str> {
        let now = self.now();
        let is_locked = is_locked(known, now);
        let other = duplicate(known, self.kind.word, &self.reference, now);
        let other = match self.kind.action {
            ActionKind::SuspendAccount if is_locked => return Some("RMM has it locked out"),
            ActionKind::ReactivateAccount if !is_locked => {
                return Some("RMM does not have it locked out");
            }
            // Who was let in again may have to be locked out again on the same day.
            ActionKind::SuspendAccount | ActionKind::ReactivateAccount => {
                other.filter(|it| !stage(it).is_over())
            }
            _ => other,
        };
        other.map(|_| "the same was asked of RMM within 24 hours, so that it is not asked again")
    }

    fn protection(&self) -> Option<Protection> {
        let connector = self.connector;
        if connector.owners.contains(&self.email) {
            return Some(Protection::Administrator);
        }
        let excluded = connector.auto_actions.excludes(
            &connector.info.name,
            self.action.kind,
            &self.action.requested_by,
            &self.email,
        );
        excluded.then_some(Protection::BreakGlass)
    }

    fn words(&self) -> &'static str {
        "it is an owner's, or the auto-action leaves it out"
    }

    async fn ask(&self, cx: &OpContext, _: &Vec<Remediation>) -> Result<Begun<Remediation>> {
        self.connector.keep_the_cap(&self.client).await?;
        let asked = self.client.request_remediation(self.request(cx)).await?;
        Ok(Begun::Asked(asked))
    }

    fn waits(&self) -> &[Duration] {
        &LOOKS
    }

    async fn again(&self, _: &OpContext, asked: Remediation) -> Result<Remediation> {
        self.client.get_remediation(&asked.id).await
    }

    fn stage(&self, asked: &Remediation) -> Stage {
        stage(asked)
    }

    /// What RMM calls the request and where it stands.
    fn facts(&self, asked: &Remediation) -> Attributes {
        let mut facts = Attributes::new();
        facts.insert("remediation".to_owned(), asked.id.as_str().into());
        let status = asked.status.as_deref().unwrap_or_default();
        facts.insert("status".to_owned(), status.into());
        facts
    }

    /// RMM's own words are repeated only where they cannot name anybody.
    fn failure(&self, asked: &Remediation) -> Error {
        let said = asked.attributes.get("error").and_then(|it| it.as_str());
        let why = said
            .filter(|said| !said.is_empty() && is_harmless(said))
            .map_or_else(String::new, |said| format!(": {said}"));
        Error::new(ErrorKind::Conflict, format!("the RMM could not do it{why}"))
    }

    fn called_off(&self) -> &'static str {
        "somebody called it off at the RMM"
    }
}

impl Change<'_> {
    fn now(&self) -> Timestamp {
        self.client.context().clock.now()
    }

    fn request(&self, cx: &OpContext) -> NewRemediation {
        let (connector, action) = (self.connector, self.action);
        let is_lockout = action.kind == ActionKind::SuspendAccount;
        let lasts = action.lasts.unwrap_or(connector.lockout);
        let ends_sessions = matches!(
            action.kind,
            ActionKind::SuspendAccount | ActionKind::ForcePasswordReset
        );
        NewRemediation {
            action: self.kind.word.to_owned(),
            email: self.email.as_str().to_owned(),
            directory: Some(connector.directory.clone()),
            reason: action.reason.clone(),
            severity: severity(action).map(|it| severity_word(it).to_owned()),
            source: Some(connector.common.source.clone()),
            source_ref: self.reference.clone(),
            client_id: connector.common.client_id.clone(),
            requested_by: action.requested_by.id.clone(),
            approved_by: cx.approved_by.as_ref().map(|actor| actor.id.clone()),
            justification: Some(action.reason.clone()),
            duration_minutes: is_lockout.then(|| lasts.as_secs().div_ceil(60).max(1)),
            revoke_sessions: ends_sessions.then_some(connector.revoke_sessions),
        }
    }
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
    fn change<'a>(&'a self, cx: &OpContext, action: &'a Action) -> Result<Change<'a>> {
        let known = ACTIONS.iter().find(|(kind, _)| *kind == action.kind);
        let (kind, word) = *known.ok_or_else(|| {
            let message = format!("RMM cannot do {}", action.kind);
            Error::new(ErrorKind::Unsupported, message)
        })?;
        let ActionTarget::Account(account) = &action.target else {
            return Err(Error::invalid_input("the target is no account"));
        };
        Ok(Change {
            connector: self,
            client: self.client.within(cx),
            action,
            kind: Kind { action: kind, word },
            email: Address::new(&account.id)?,
            reference: format!("{}:{}:{}", self.common.source, cx.tenant, action.id),
        })
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
}

/// How bad it is that made somebody ask for it, where the action says so.
fn severity(action: &Action) -> Option<Severity> {
    let given = action.parameters.get("severity")?;
    Severity::deserialize(given).ok()
}

fn facts(word: &str) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("state".to_owned(), word.into());
    facts
}
