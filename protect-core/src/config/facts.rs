//! Whether a rule's `when` holds: a pure function of what is known about a finding.

use super::rule::{Condition, SeverityBound, When};
use crate::model::{Account, CheckId, Finding};

/// What a rule is held against.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The kind of the connector that saw it (`hibp`).
    pub source_kind: &'a str,
    /// The account it would be acted on, where there is one. A condition over the account does not
    /// hold without one.
    pub account: Option<&'a Account>,
    /// The department of the employee behind it, where known. A condition over the employee does
    /// not hold without one.
    pub department: Option<&'a str>,
    /// Whether a connector has an alert about the login; `None` where nobody was asked, and then a
    /// condition over it does not hold.
    pub under_attack: Option<bool>,
}

impl When {
    /// Whether the condition holds.
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(facts)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(facts)),
            Self::Not(part) => !part.matches(facts),
            Self::Is(condition) => condition.holds(facts),
        }
    }

    /// Why the condition does not hold, a line for each part that is to blame; empty where it
    /// holds.
    pub fn explain(&self, facts: &Facts<'_>) -> Vec<String> {
        if self.matches(facts) {
            return Vec::new();
        }
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().flat_map(|part| part.explain(facts)).collect()
            }
            Self::Not(part) => vec![format!("not so: {}", part.described())],
            Self::Is(condition) => vec![format!(
                "{} asked, {}",
                condition.described(),
                condition.seen(facts)
            )],
        }
    }

    /// Whether some part of it is a condition over the employee.
    pub fn is_about_employees(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::is_about_employees),
            Self::Not(part) => part.is_about_employees(),
            Self::Is(condition) => matches!(condition, Condition::EmployeeDepartment(_)),
        }
    }

    /// The condition in words.
    fn described(&self) -> String {
        let list = |parts: &[Self], word: &str| {
            let parts: Vec<_> = parts.iter().map(Self::described).collect();
            format!("({})", parts.join(word))
        };
        match self {
            Self::All(parts) => list(parts, " and "),
            Self::Any(parts) => list(parts, " or "),
            Self::Not(part) => format!("not {}", part.described()),
            Self::Is(condition) => condition.described(),
        }
    }
}

impl Condition {
    fn holds(&self, facts: &Facts<'_>) -> bool {
        let finding = facts.finding;
        let seen = &finding.observation;
        match self {
            Self::Kind(kinds) => kinds.contains(&seen.kind),
            Self::Severity(SeverityBound::Exactly(severity)) => seen.severity == *severity,
            Self::Severity(SeverityBound::AtLeast(severity)) => seen.severity >= *severity,
            Self::Severity(SeverityBound::AtMost(severity)) => seen.severity <= *severity,
            Self::Confidence(least) => seen.confidence >= *least,
            Self::Check(checks) => checks.contains(&seen.check),
            Self::CheckPrefix(prefix) => seen.check.as_str().starts_with(prefix.as_str()),
            Self::Source(sources) => sources
                .iter()
                .any(|source| source == finding.source.as_str() || source == facts.source_kind),
            Self::AccountPrivileged(asked) => facts
                .account
                .is_some_and(|account| account.privileged.unwrap_or(false) == *asked),
            Self::AccountProvider(providers) => facts
                .account
                .is_some_and(|account| providers.contains(&account.provider)),
            Self::AccountState(states) => facts
                .account
                .is_some_and(|account| states.iter().any(|state| state == account.state.as_str())),
            Self::EmployeeDepartment(departments) => facts.department.is_some_and(|department| {
                let department = department.trim().to_lowercase();
                departments
                    .iter()
                    .any(|asked| asked.trim().to_lowercase() == department)
            }),
            Self::OccurrenceAtLeast(times) => finding.occurrence >= *times,
            Self::UnderAttack(asked) => facts.under_attack == Some(*asked),
        }
    }

    /// What is asked, in the words of the configuration.
    fn described(&self) -> String {
        let one_of = |key: &str, words: Vec<&str>| format!("{key} {}", words.join(" or "));
        let texts = |words: &'_ [String]| words.join(" or ");
        match self {
            Self::Kind(kinds) => one_of("kind", kinds.iter().map(|kind| kind.as_str()).collect()),
            Self::Severity(SeverityBound::Exactly(severity)) => format!("severity {severity}"),
            Self::Severity(SeverityBound::AtLeast(severity)) => format!("severity >={severity}"),
            Self::Severity(SeverityBound::AtMost(severity)) => format!("severity <={severity}"),
            Self::Confidence(least) => format!("confidence >={}", least.as_str()),
            Self::Check(ids) => one_of("check", ids.iter().map(CheckId::as_str).collect()),
            Self::CheckPrefix(prefix) => format!("check {prefix}*"),
            Self::Source(sources) => format!("source {}", texts(sources)),
            Self::AccountPrivileged(asked) => format!("account.privileged {asked}"),
            Self::AccountProvider(words) => format!("account.provider {}", texts(words)),
            Self::AccountState(words) => format!("account.state {}", texts(words)),
            Self::EmployeeDepartment(words) => format!("employee.department {}", texts(words)),
            Self::OccurrenceAtLeast(times) => format!("occurrence >={times}"),
            Self::UnderAttack(asked) => format!("under_attack {asked}"),
        }
    }

    /// What there is instead.
    fn seen(&self, facts: &Facts<'_>) -> String {
        let seen = &facts.finding.observation;
        let account = |fact: fn(&Account) -> String| {
            facts
                .account
                .map_or_else(|| "there is no account".to_owned(), fact)
        };
        match self {
            Self::Kind(_) => format!("it is {}", seen.kind.as_str()),
            Self::Severity(_) => format!("it is {}", seen.severity),
            Self::Confidence(_) => format!("it is {}", seen.confidence.as_str()),
            Self::Check(_) | Self::CheckPrefix(_) => format!("it is {}", seen.check),
            Self::Source(_) => format!("it is {} ({})", facts.finding.source, facts.source_kind),
            Self::AccountPrivileged(_) => account(|account| match account.privileged {
                Some(privileged) => format!("it is {privileged}"),
                None => "the vendor does not say, which counts as false".to_owned(),
            }),
            Self::AccountProvider(_) => account(|account| format!("it is {}", account.provider)),
            Self::AccountState(_) => account(|account| format!("it is {}", account.state.as_str())),
            Self::EmployeeDepartment(_) => match facts.department {
                Some(department) => format!("it is {department}"),
                None => "no department is known".to_owned(),
            },
            Self::OccurrenceAtLeast(_) => format!("it is {}", facts.finding.occurrence),
            Self::UnderAttack(_) => match facts.under_attack {
                Some(is) => format!("it is {is}"),
                None => "only planning asks whoever keeps alerts".to_owned(),
            },
        }
    }
}
