//! Guards: what keeps a mistake small. Asked at planning and again just before each effect.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Tenant, rule_limits};
use crate::config::TenantConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Account, Action, ActionKind, ActionTarget, Guard, GuardDecision, Intent, IntentState,
    OutcomeStatus, Preview, Protection,
};
use crate::store::{Change, Expect, Put, Query, Record, RecordKind};

/// The window of the blast radius.
const WINDOW: Duration = Duration::from_hours(1);

/// What the guards say of one action, apart from how many there are.
pub(crate) fn judge(
    config: &TenantConfig,
    action: &Action,
    preview: &Preview,
    account: Option<&Account>,
    reversal: &Reversal,
) -> Guard {
    if action.kind.tells() {
        return allow();
    }
    let protection = preview.protection.or_else(|| {
        let named = account.is_some_and(|account| is_protected(config, account))
            || matches!(&action.target, ActionTarget::Account(target) if names(config, &target.id));
        named.then_some(Protection::BreakGlass)
    });
    if let Some(protection) = protection
        && !gives_back(action.kind)
    {
        return refuse(format!("protected: {}", protection_reason(protection)));
    }
    if reversal.cools_down && action.incident.is_some() {
        return refuse(
            "a person took this back; it is not repeated within the cool-down".to_owned(),
        );
    }
    if reversal.cools_down {
        let reason = "a person took this back before".to_owned();
        return strictest(allow(), GuardDecision::NeedsApproval, reason);
    }
    if action.kind.changes_a_setting() && !gives_back(action.kind) {
        let reason = "it changes a setting for everybody".to_owned();
        return strictest(allow(), GuardDecision::NeedsApproval, reason);
    }
    if action.kind == ActionKind::StartOffboarding {
        let reason = "that somebody leaves is for a person to decide".to_owned();
        return strictest(allow(), GuardDecision::NeedsApproval, reason);
    }
    allow()
}

/// The verdict where the state now could not be read, or reading it told that nothing is to be done.
pub(crate) fn could_not_look(error: &Error) -> Guard {
    match error.kind() {
        ErrorKind::Refused => refuse(error.message().to_owned()),
        kind => refuse(format!("the state now could not be read: {kind}")),
    }
}

/// The verdict where the vendor is away, and the state now is looked at before the change.
pub(crate) fn not_looked_yet(
    config: &TenantConfig,
    action: &Action,
    account: Option<&Account>,
    error: &Error,
) -> Guard {
    let verdict = judge(
        config,
        action,
        &Preview::default(),
        account,
        &Reversal::default(),
    );
    let reason = format!(
        "the state now could not be read ({}); it is read before the change",
        error.kind()
    );
    strictest(verdict, GuardDecision::NeedsApproval, reason)
}

/// Adds a reason to a verdict; of several the strictest counts.
pub(crate) fn strictest(mut guard: Guard, decision: GuardDecision, reason: String) -> Guard {
    guard.decision = guard.decision.max(decision);
    guard.reasons.push(reason);
    guard
}

/// How many accounts changed within the last hour, and how many may.
#[derive(Debug)]
pub(crate) struct BlastRadius {
    changed: BTreeSet<String>,
    allowed: usize,
}

impl BlastRadius {
    /// Counts the action in, and asks for consent once too many accounts are.
    pub(crate) fn judge(&mut self, action: &Action, guard: Guard) -> Guard {
        let Some(key) = counted(action) else {
            return guard;
        };
        if guard.decision == GuardDecision::Refuse {
            return guard;
        }
        self.changed.insert(key);
        if self.changed.len() <= self.allowed {
            return guard;
        }
        let reason = format!(
            "account {} within an hour; {} may change without consent",
            self.changed.len(),
            self.allowed
        );
        strictest(guard, GuardDecision::NeedsApproval, reason)
    }
}

/// Whether a person took back what we did to an account or a setting.
#[derive(Debug, Default)]
pub(crate) struct Reversal {
    /// Whether the cool-down still runs.
    pub(crate) cools_down: bool,
    noticed: Option<(String, Noticed)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Noticed {
    noticed_at: Timestamp,
}

impl Reversal {
    /// What to store so that the cool-down runs from when it was first noticed.
    pub(crate) fn new_record(&self) -> Result<Option<Put>> {
        let put = |(key, noticed): &(String, Noticed)| {
            Put::new(RecordKind::Control, key.as_str(), noticed)
        };
        self.noticed.as_ref().map(put).transpose()
    }
}

impl Tenant {
    /// The accounts changed within the last hour, by us, in this tenant.
    pub(crate) async fn blast_radius(&self) -> Result<BlastRadius> {
        let since = self.now() - jiff::SignedDuration::try_from(WINDOW).unwrap_or_default();
        let query = Query::prefix(RecordKind::Control, CHANGED).after(changed_key(since, ""));
        let mut changed = BTreeSet::new();
        let mut after = query;
        loop {
            let page = self.store().query(self.id(), after.clone()).await?;
            changed.extend(page.records.iter().map(|record| record.group.clone()));
            match page.next {
                Some(next) => after.after = Some(next),
                None => break,
            }
        }
        let accounts = self.count_accounts().await?;
        Ok(BlastRadius {
            changed,
            allowed: allowed(self.config(), accounts),
        })
    }

    /// The same, and the accounts whose change was approved and is still to come.
    pub(crate) async fn blast_radius_to_come(&self) -> Result<BlastRadius> {
        let mut limits = self.blast_radius().await?;
        let waiting = Query::all(RecordKind::Intent)
            .in_states(&[IntentState::Ready.as_str(), IntentState::InFlight.as_str()]);
        let intents = self.read_all::<Intent>(waiting).await?;
        let accounts = intents.iter().filter_map(|i| counted(&i.value.action));
        limits.changed.extend(accounts);
        Ok(limits)
    }

    /// What an attempt writes, so that it counts.
    pub(crate) fn count_attempt(&self, action: &Action) -> Result<Option<Change>> {
        let Some(group) = counted(action) else {
            return Ok(None);
        };
        let key = changed_key(self.now(), action.id.as_str());
        let put = Put::new(RecordKind::Control, key, &action.kind)?.group(group);
        Ok(Some(Change::Put(put)))
    }

    /// Forgets attempts older than the window.
    pub(crate) async fn forget_old_attempts(&self) -> Result<Vec<Change>> {
        let until = self.now() - jiff::SignedDuration::try_from(WINDOW).unwrap_or_default();
        let mut old = Vec::new();
        for (prefix, until) in [
            (CHANGED, changed_key(until, "")),
            (rule_limits::DONE, rule_limits::done_key(until, "")),
        ] {
            let query = Query::prefix(RecordKind::Control, prefix);
            let page = self.store().query(self.id(), query).await?;
            old.extend(page.records.into_iter().filter(|record| record.key < until));
        }
        let forget = |record: Record| Change::Delete {
            kind: RecordKind::Control,
            key: record.key,
            expect: Expect::Anything,
        };
        Ok(old.into_iter().map(forget).collect())
    }

    /// Whether the target is no longer as we left it, and nobody asked us to take it back.
    pub(crate) async fn reversal(&self, action: &Action, preview: &Preview) -> Result<Reversal> {
        let can_be_reversed = action.kind.undo().is_some() && !gives_back(action.kind);
        if preview.already_so || action.undoes.is_some() || !can_be_reversed {
            return Ok(Reversal::default());
        }
        let target = super::records::group_of(action);
        let Some(applied_at) = self.last_left_standing(&target, action.kind).await? else {
            return Ok(Reversal::default());
        };
        let key = format!("reversed/{}/{target}", action.kind);
        let known = self.read::<Noticed>(RecordKind::Control, &key).await?;
        let known = known.map(|noticed| noticed.value.noticed_at);
        let since = known.filter(|at| *at >= applied_at);
        let now = self.now();
        let cool_down = jiff::SignedDuration::try_from(self.config().guard.cool_down)
            .unwrap_or(jiff::SignedDuration::MAX);
        let noticed = since
            .is_none()
            .then_some((key, Noticed { noticed_at: now }));
        Ok(Reversal {
            cools_down: now.duration_since(since.unwrap_or(now)) < cool_down,
            noticed,
        })
    }

    /// When we last did this to the target, where it was not undone by us since.
    async fn last_left_standing(
        &self,
        target: &str,
        kind: ActionKind,
    ) -> Result<Option<Timestamp>> {
        let query = Query::all(RecordKind::Intent)
            .in_states(&[IntentState::Done.as_str()])
            .in_groups(vec![target.to_owned()]);
        let intents: Vec<Intent> = self
            .read_all(query)
            .await?
            .into_iter()
            .map(|intent| intent.value)
            .collect();
        let last = |kind: ActionKind, came_out: &[OutcomeStatus]| {
            intents
                .iter()
                .filter(|intent| intent.action.kind == kind)
                .filter_map(|intent| intent.outcome.as_ref())
                .filter(|outcome| came_out.contains(&outcome.status))
                .map(|outcome| outcome.at)
                .max()
        };
        let done = last(kind, &[OutcomeStatus::Applied]);
        // What ended at the vendor by itself was over when we came to end it.
        let ended = [OutcomeStatus::Applied, OutcomeStatus::AlreadySo];
        let undone = kind.undo().and_then(|undo| last(undo, &ended));
        Ok(done.filter(|done| undone.is_none_or(|undone| undone < *done)))
    }
}

fn allowed(config: &TenantConfig, accounts: usize) -> usize {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count of accounts, rounded down"
    )]
    let share = (accounts as f64 * config.guard.max_percent.max(0.0) / 100.0) as usize;
    share.max(config.guard.max_accounts as usize)
}

/// Whether the tenant's configuration says that nothing may change the account.
fn is_protected(config: &TenantConfig, account: &Account) -> bool {
    names(config, &account.reference.id)
        || account
            .address
            .as_ref()
            .is_some_and(|address| names(config, address.as_str()))
}

fn names(config: &TenantConfig, name: &str) -> bool {
    let name = name.to_lowercase();
    config
        .protected
        .iter()
        .any(|protected| protected.to_lowercase() == name)
}

fn protection_reason(protection: Protection) -> &'static str {
    match protection {
        Protection::BreakGlass => "the tenant's configuration names it",
        Protection::OwnPrincipal => "it is the identity this program acts as",
        Protection::LastOwner => "it is the last owner or administrator",
        Protection::Administrator => {
            "it holds the highest role, and the connector is not told to act on such accounts"
        }
        Protection::ExternallyManaged => "it is managed outside this vendor",
        Protection::ServiceAccount => "it is a service account",
    }
}

/// Giving back what was taken harms nobody: it is neither counted nor kept from protected accounts.
fn gives_back(kind: ActionKind) -> bool {
    matches!(
        kind,
        ActionKind::ReactivateAccount
            | ActionKind::RestoreAccess
            | ActionKind::EndMonitoring
            | ActionKind::RestoreAppConsent
            | ActionKind::CancelWorkflow
    )
}

fn counted(action: &Action) -> Option<String> {
    match &action.target {
        // A workflow was approved as a batch, which is its own blast radius.
        ActionTarget::Account(_) if action.workflow().is_some() => None,
        ActionTarget::Account(account) if !gives_back(action.kind) => {
            Some(super::records::target_group(account))
        }
        _ => None,
    }
}

const CHANGED: &str = "changed/";

fn changed_key(at: Timestamp, action: &str) -> String {
    format!("{CHANGED}{:020}/{action}", at.as_millisecond().max(0))
}

/// Nothing against it.
pub(crate) fn allow() -> Guard {
    Guard {
        decision: GuardDecision::Allow,
        reasons: Vec::new(),
    }
}

fn refuse(reason: String) -> Guard {
    Guard {
        decision: GuardDecision::Refuse,
        reasons: vec![reason],
    }
}
