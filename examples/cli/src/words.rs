//! How the model reads, in a line or a cell.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use protect_connectors::core::engine::{Step, Tenant};
use protect_connectors::core::model::{
    AccountRef, Action, ActionTarget, Attributes, EmployeeId, Finding, GuardDecision, Incident,
    OutcomeStatus, Plan, Severity, Subject, Verdict,
};
use protect_connectors::core::people::EmployeeFilter;
use protect_connectors::core::{ErrorEnvelope, Result};
use serde_json::Value;

use crate::exit::Exit;
use crate::page::{Page, Table, Text, Tone};

/// A severity.
pub(crate) fn severity(severity: Severity) -> Text {
    let tone = match severity {
        Severity::Critical => Tone::Bad,
        Severity::High => Tone::Warn,
        Severity::Medium => Tone::Plain,
        Severity::Low | Severity::Info => Tone::Faint,
    };
    Text::new(severity.as_str(), tone)
}

/// Where something stands, as a word: open things catch the eye.
pub(crate) fn state(word: &str, open: bool) -> Text {
    Text::new(word, if open { Tone::Plain } else { Tone::Faint })
}

/// A moment, as far as anybody wants to know.
pub(crate) fn moment(at: Timestamp) -> Text {
    Text::faint(at.strftime("%Y-%m-%d %H:%M").to_string())
}

/// A moment that may be missing.
pub(crate) fn moment_or(at: Option<Timestamp>, otherwise: &str) -> Text {
    at.map_or_else(|| Text::faint(otherwise), moment)
}

/// `1 finding`, `2 findings`.
pub(crate) fn count(n: impl Into<u64>, what: &str) -> String {
    let n = n.into();
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// As [`count`], of a collection.
pub(crate) fn count_of(n: usize, what: &str) -> String {
    count(n as u64, what)
}

/// `3 critical, 1 low`, the worst first.
pub(crate) fn by_severity(counts: &BTreeMap<Severity, u64>) -> String {
    let words: Vec<_> = counts
        .iter()
        .rev()
        .filter(|(_, count)| **count > 0)
        .map(|(severity, count)| format!("{count} {severity}"))
        .collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}

/// Attributes in one line: `state active`.
pub(crate) fn attributes(attributes: &Attributes) -> String {
    let words: Vec<_> = attributes
        .iter()
        .map(|(key, value)| format!("{key} {}", value_of(value)))
        .collect();
    words.join(", ")
}

/// A JSON value without the quotes of text.
pub(crate) fn value_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A verdict.
pub(crate) fn verdict(verdict: Verdict) -> Text {
    match verdict {
        Verdict::Pass => Text::new("pass", Tone::Good),
        Verdict::Fail => Text::new("fail", Tone::Bad),
        Verdict::NotApplicable => Text::faint("not applicable"),
        Verdict::Manual => Text::new("manual", Tone::Plain),
        Verdict::NotEvaluated => Text::new("not evaluated", Tone::Warn),
    }
}

/// What the guards say.
pub(crate) fn guard(decision: GuardDecision) -> Text {
    match decision {
        GuardDecision::Allow => Text::new("allow", Tone::Good),
        GuardDecision::NeedsApproval => Text::new("needs approval", Tone::Warn),
        GuardDecision::Refuse => Text::new("refuse", Tone::Bad),
    }
}

/// What came of an action.
pub(crate) fn outcome(status: Option<OutcomeStatus>) -> Text {
    let Some(status) = status else {
        return Text::new("waits", Tone::Warn);
    };
    let (word, tone) = match status {
        OutcomeStatus::Applied => ("applied", Tone::Good),
        OutcomeStatus::AlreadySo => ("already so", Tone::Good),
        OutcomeStatus::Refused => ("refused", Tone::Warn),
        OutcomeStatus::Failed => ("failed", Tone::Bad),
        OutcomeStatus::Cancelled => ("cancelled", Tone::Faint),
        OutcomeStatus::Expired => ("expired", Tone::Warn),
        OutcomeStatus::Unknown => ("unknown", Tone::Bad),
    };
    Text::new(word, tone)
}

/// An error in one line of a table, whose row names tenant and connector.
pub(crate) fn error(error: &ErrorEnvelope) -> Text {
    let context = error.context.iter();
    let status = error.http_status.map(|status| format!("status {status}"));
    let facts: Vec<String> = context
        .filter(|(key, _)| !matches!(key.as_str(), "tenant" | "connector"))
        .map(|(key, value)| format!("{} {value}", key.replace('_', " ")))
        .chain(status)
        .collect();
    if facts.is_empty() {
        return Text::new(&error.message, Tone::Bad);
    }
    Text::new(
        format!("{} ({})", error.message, facts.join(", ")),
        Tone::Bad,
    )
}

/// What employees are called, by id.
pub(crate) async fn employees(tenant: &Tenant) -> Result<HashMap<EmployeeId, String>> {
    let employees = tenant.employees(&EmployeeFilter::default()).await?;
    let named = employees.into_iter().map(|it| {
        let name = it.display_name();
        (it.id, name)
    });
    Ok(named.collect())
}

/// Names of accounts, as people know them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    accounts: BTreeMap<AccountRef, String>,
    ids: BTreeMap<(String, String), String>,
}

impl Names {
    /// The accounts that the directories gave.
    pub(crate) async fn of(tenant: &Tenant) -> Result<Self> {
        let mut names = Self::default();
        for account in tenant.accounts().await? {
            if let Some(address) = account.address {
                let id = account.reference.id.clone();
                names
                    .ids
                    .insert((account.provider, id), address.to_string());
                names
                    .accounts
                    .insert(account.reference, address.to_string());
            }
        }
        Ok(names)
    }

    /// What a finding is about.
    pub(crate) fn subject(&self, subject: &Subject) -> String {
        let name = self
            .ids
            .get(&(subject.provider.clone(), subject.id.clone()));
        name.unwrap_or(&subject.id).clone()
    }

    /// Whom or what an action is about.
    pub(crate) fn target(&self, action: &Action) -> String {
        match &action.target {
            ActionTarget::Account(account) => self
                .accounts
                .get(account)
                .cloned()
                .unwrap_or_else(|| format!("{}:{}", account.connector, account.id)),
            ActionTarget::Setting { connector } | ActionTarget::Sink { connector } => {
                connector.to_string()
            }
        }
    }
}

/// Findings in rows.
pub(crate) fn findings<'a>(
    findings: impl IntoIterator<Item = &'a Finding>,
    names: &Names,
) -> Table {
    let mut table = Table::new(["severity", "what", "about", "status", "seen", "id"]);
    for finding in findings {
        let seen = &finding.observation;
        table.row([
            severity(seen.severity),
            seen.title.as_str().into(),
            names.subject(&seen.subject).into(),
            state(finding.status.as_str(), finding.status.is_open()),
            moment(finding.last_seen),
            Text::faint(finding.id.as_str()),
        ]);
    }
    table
}

/// Whom to credit for findings: a line each.
pub(crate) fn credit<'a>(page: &mut Page, findings: impl IntoIterator<Item = &'a Finding>) {
    let mut lines: Vec<_> = findings
        .into_iter()
        .filter_map(|finding| finding.observation.attribution.as_ref())
        .map(|credit| {
            format!(
                "  Source: {} ({}), {}",
                credit.source, credit.url, credit.licence
            )
        })
        .collect();
    lines.sort();
    lines.dedup();
    for line in lines {
        page.line(Text::faint(line));
    }
}

/// Incidents in rows.
pub(crate) fn incidents<'a>(incidents: impl IntoIterator<Item = &'a Incident>) -> Table {
    let mut table = Table::new(["severity", "what", "status", "findings", "opened", "id"]);
    for incident in incidents {
        table.row([
            severity(incident.severity),
            incident.title.as_str().into(),
            state(incident.status.as_str(), incident.status.is_open()),
            incident.findings.len().to_string().into(),
            moment(incident.opened_at),
            Text::faint(incident.id.as_str()),
        ]);
    }
    table
}

/// A plan: every action with the state now, the state after, and what the guards say.
pub(crate) fn plan(page: &mut Page, plan: &Plan, names: &Names) {
    let mut table = Table::new(["  action", "on", "now", "after", "guard"]).indent(2);
    let mut reasons: Vec<(&str, u64)> = Vec::new();
    let mut group = None;
    for planned in &plan.actions {
        if group != Some(&planned.action.reason) {
            group = Some(&planned.action.reason);
            table.group(planned.action.reason.as_str().into());
        }
        let preview = &planned.preview;
        let after = if preview.already_so {
            "already so".to_owned()
        } else {
            attributes(&preview.after)
        };
        table.row([
            format!("  {}", planned.action.kind).into(),
            names.target(&planned.action).into(),
            attributes(&preview.before).into(),
            after.into(),
            guard(planned.guard.decision),
        ]);
        for reason in &planned.guard.reasons {
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, times)) => *times += 1,
                None => reasons.push((reason, 1)),
            }
        }
    }
    page.table(table);
    if !reasons.is_empty() {
        page.gap();
    }
    for (reason, times) in reasons {
        page.mixed([
            Text::faint(format!("  {}: ", count(times, "action"))),
            reason.into(),
        ]);
    }
}

/// What came of actions.
pub(crate) fn steps(steps: &[Step], names: &Names) -> Table {
    let mut table = Table::new(["outcome", "action", "on", "state", "id", "why"]);
    for step in steps {
        let outcome_of = step.outcome.as_ref();
        let reason = outcome_of.map(|outcome| outcome.reason.as_str());
        let reference = outcome_of.and_then(|outcome| outcome.vendor_reference.as_deref());
        let after = outcome_of.map(|outcome| attributes(&outcome.after));
        let state = reference.map(str::to_owned).or(after).unwrap_or_default();
        table.row([
            outcome(step.status()),
            step.action.kind.as_str().into(),
            names.target(&step.action).into(),
            state.into(),
            Text::faint(step.action.id.as_str()),
            step.waits.as_deref().or(reason).unwrap_or_default().into(),
        ]);
    }
    table
}

/// What outcomes mean for the exit status. `halted` says that nothing may be changed just now:
/// then waiting is no trouble.
pub(crate) fn exit_of(steps: &[Step], halted: bool) -> Exit {
    let is_trouble = |step: &Step| match step.status() {
        Some(status) => matches!(status, OutcomeStatus::Failed | OutcomeStatus::Unknown),
        None => !halted,
    };
    Exit::trouble(steps.iter().any(is_trouble))
}
