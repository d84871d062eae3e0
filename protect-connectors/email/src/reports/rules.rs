//! What the volumes say about a domain: pure functions over stored months and a day.
//!
//! The day comes from the caller's clock. What is under test is never part of what it is compared
//! with. Reports arrive late and are claims, so confidence is never high and nothing here acts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;
use protect_core::Result;
use protect_core::model::{
    Attributes, CheckId, CheckResult, Confidence, NotEvaluatedReason, Severity, Verdict,
};

use super::volumes::{Counts, MailSource, Month};

/// A rule about a domain's reports.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The id of its check.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it says is wrong, in one line.
    pub says: &'static str,
}

/// `email.rua.new_unauthorised_sender`.
pub const NEW_UNAUTHORISED_SENDER: Rule = Rule {
    id: "email.rua.new_unauthorised_sender",
    severity: Severity::Medium,
    says: "A source that nobody knew sends in the domain's name",
};

/// `email.rua.alignment_drop`.
pub const ALIGNMENT_DROP: Rule = Rule {
    id: "email.rua.alignment_drop",
    severity: Severity::High,
    says: "Less of the domain's mail passes than before",
};

/// `email.rua.fail_spike`.
pub const FAIL_SPIKE: Rule = Rule {
    id: "email.rua.fail_spike",
    severity: Severity::Medium,
    says: "Many more messages fail than before",
};

/// `email.rua.no_reports`.
pub const NO_REPORTS: Rule = Rule {
    id: "email.rua.no_reports",
    severity: Severity::Medium,
    says: "No report came for three days",
};

/// `email.rua.selector_seen`.
pub const SELECTOR_SEEN: Rule = Rule {
    id: "email.rua.selector_seen",
    severity: Severity::Info,
    says: "A selector signs for the domain that the configuration does not name",
};

/// Every rule here.
pub const ALL: [Rule; 5] = [
    NEW_UNAUTHORISED_SENDER,
    ALIGNMENT_DROP,
    FAIL_SPIKE,
    NO_REPORTS,
    SELECTOR_SEEN,
];

/// Messages of a day from which on a new source is worth a word.
const NEW_SENDER_MESSAGES: u64 = 20;
/// Days in which a source counts as known.
const KNOWN_DAYS: i32 = 30;
/// Days under test.
const RECENT_DAYS: i32 = 7;
/// Days that they are compared with.
const BASELINE_DAYS: i32 = 28;
/// Messages below which a rate says little.
const RATE_MESSAGES: u64 = 200;
/// By how much the rate must fall.
const RATE_DROP: f64 = 0.05;
/// How many times more messages must fail in a day than on an average day before.
const SPIKE_FACTOR: u64 = 3;
/// Failing messages of a day below which there is no spike.
const SPIKE_MESSAGES: u64 = 100;

/// A domain's mail over all months that are given.
#[derive(Clone, Debug, Default)]
pub struct History {
    days: BTreeMap<Date, Counts>,
    unauthorised: BTreeMap<MailSource, BTreeMap<Date, u64>>,
    seen: BTreeMap<MailSource, BTreeSet<Date>>,
    selectors: BTreeMap<(String, String), Date>,
}

impl History {
    /// From the stored months of one domain, in any order.
    pub fn of<'m>(months: impl IntoIterator<Item = &'m Month>) -> Self {
        let mut history = Self::default();
        for month in months {
            for (day, counts) in month.days() {
                history.days.entry(day).or_default().add(&counts);
            }
            for row in month.rows() {
                history.seen.entry(row.source).or_default().insert(row.day);
                if row.counts.unauthorised > 0 {
                    let days = history.unauthorised.entry(row.source).or_default();
                    let sum = days.entry(row.day).or_default();
                    *sum = sum.saturating_add(row.counts.unauthorised);
                }
            }
            for (domain, selector, day) in month.selectors() {
                let key = (domain.to_owned(), selector.to_owned());
                let last = history.selectors.entry(key).or_insert(day);
                *last = day.max(*last);
            }
        }
        history
    }

    /// Signing domains and selectors that passed and were aligned since a day.
    pub fn selectors_since(&self, day: Date) -> impl Iterator<Item = (&str, &str)> {
        let recent = self.selectors.iter().filter(move |(_, last)| **last >= day);
        recent.map(|((domain, selector), _)| (domain.as_str(), selector.as_str()))
    }

    fn sum(&self, from: Date, until: Date) -> Counts {
        let mut sum = Counts::default();
        for (_, counts) in self.days.range(from..until) {
            sum.add(counts);
        }
        sum
    }

    fn has_before(&self, day: Date) -> bool {
        self.days.keys().next().is_some_and(|first| *first <= day)
    }

    /// `email.rua.new_unauthorised_sender`: a source that fails both ways sent twenty messages or more
    /// on one of the last seven days, and nothing at all in the thirty days before that day.
    ///
    /// # Errors
    /// None but a defect.
    pub fn new_unauthorised_sender(&self, domain: &str, today: Date) -> Result<CheckResult> {
        let answer = Answer::new(NEW_UNAUTHORISED_SENDER, domain);
        if !self.has_before(back(today, KNOWN_DAYS)) {
            return answer.not_evaluated("there are reports of less than thirty days");
        }
        let recent = back(today, RECENT_DAYS)..=today;
        let mut sources = Vec::new();
        for (source, days) in &self.unauthorised {
            let is_new = |day: Date| {
                let before = back(day, KNOWN_DAYS)..day;
                let seen = self.seen.get(source);
                seen.is_none_or(|seen| seen.range(before).next().is_none())
            };
            let mut busy = days.range(recent.clone());
            if busy.any(|(day, messages)| *messages >= NEW_SENDER_MESSAGES && is_new(*day)) {
                sources.push(source.to_string());
            }
        }
        let reason = match sources.len() {
            0 => "no unknown source sent in the domain's name".to_owned(),
            1 => "one unknown source sends in the domain's name".to_owned(),
            several => format!("{several} unknown sources send in the domain's name"),
        };
        answer.failing_where(!sources.is_empty(), reason, &[("sources", sources.into())])
    }

    /// `email.rua.alignment_drop`: of the last seven days' mail five points less pass than of the
    /// twenty-eight days before, and there are two hundred messages or more.
    ///
    /// # Errors
    /// None but a defect.
    pub fn alignment_drop(&self, domain: &str, today: Date) -> Result<CheckResult> {
        let answer = Answer::new(ALIGNMENT_DROP, domain);
        let since = back(today, RECENT_DAYS);
        let recent = self.sum(since, after(today));
        let before = self.sum(back(since, BASELINE_DAYS), since);
        let (Some(now), Some(then)) = (recent.pass_rate(), before.pass_rate()) else {
            return answer.not_evaluated("there are no reports to compare");
        };
        if recent.messages < RATE_MESSAGES {
            return answer.not_evaluated("there are too few messages to compare");
        }
        let reason = format!(
            "{:.1} % of the last seven days' mail passes; {:.1} % before",
            now * 100.0,
            then * 100.0
        );
        let facts = [("pass_rate", now.into()), ("pass_rate_before", then.into())];
        answer.failing_where(then - now >= RATE_DROP, reason, &facts)
    }

    /// `email.rua.fail_spike`: on one of the last three days a hundred messages or more failed, and
    /// three times as many as on an average day of the twenty-eight before.
    ///
    /// # Errors
    /// None but a defect.
    pub fn fail_spike(&self, domain: &str, today: Date) -> Result<CheckResult> {
        let answer = Answer::new(FAIL_SPIKE, domain);
        let since = back(today, 3);
        let from = back(since, BASELINE_DAYS);
        let days = self.days.range(from..since).count() as u64;
        if days == 0 {
            return answer.not_evaluated("there are no reports to compare");
        }
        let failed = |counts: &Counts| counts.messages.saturating_sub(counts.passed);
        let usual = failed(&self.sum(from, since)) / days;
        let recent = self.days.range(since..=today);
        let worst = recent.map(|(_, counts)| failed(counts)).max().unwrap_or(0);
        let spike = worst >= SPIKE_MESSAGES && worst >= usual.saturating_mul(SPIKE_FACTOR);
        let reason = format!("{worst} messages failed in a day; {usual} on a usual day");
        let facts = [("failed", worst.into()), ("failed_usually", usual.into())];
        answer.failing_where(spike, reason, &facts)
    }

    /// `email.rua.no_reports`: the domain's record sends reports to us, and none covers the last three
    /// days.
    ///
    /// # Errors
    /// None but a defect.
    pub fn no_reports(&self, domain: &str, ours: bool, today: Date) -> Result<CheckResult> {
        let answer = Answer::new(NO_REPORTS, domain);
        let Some((last, _)) = self.days.last_key_value().filter(|_| ours) else {
            return answer.not_evaluated("no report of the domain was ever read here");
        };
        let reason = format!("the last report is about {last}");
        let silent = *last < back(today, 3);
        answer.failing_where(silent, reason, &[("last_day", last.to_string().into())])
    }

    /// `email.rua.selector_seen`: a selector passed and was aligned within thirty days that `known`
    /// does not hold. Worth knowing, not wrong: it becomes a name under which a key is looked for.
    ///
    /// # Errors
    /// None but a defect.
    pub fn selector_seen(
        &self,
        domain: &str,
        known: &BTreeSet<String>,
        today: Date,
    ) -> Result<CheckResult> {
        let answer = Answer::new(SELECTOR_SEEN, domain);
        if self.days.is_empty() {
            return answer.not_evaluated("no report of the domain was ever read here");
        }
        let recent = self.selectors_since(back(today, KNOWN_DAYS));
        let new: Vec<String> = recent
            .filter(|(_, selector)| !known.contains(*selector))
            .map(|(domain, selector)| format!("{selector}._domainkey.{domain}"))
            .collect();
        let reason = match new.len() {
            0 => "every selector in use is known".to_owned(),
            1 => "one selector in use is not in the configuration".to_owned(),
            several => format!("{several} selectors in use are not in the configuration"),
        };
        answer.failing_where(!new.is_empty(), reason, &[("selectors", new.into())])
    }
}

/// The parts that all answers share.
struct Answer<'a> {
    rule: Rule,
    domain: &'a str,
}

impl<'a> Answer<'a> {
    const fn new(rule: Rule, domain: &'a str) -> Self {
        Self { rule, domain }
    }

    fn failing_where(
        &self,
        fails: bool,
        reason: String,
        facts: &[(&str, serde_json::Value)],
    ) -> Result<CheckResult> {
        let verdict = if fails { Verdict::Fail } else { Verdict::Pass };
        let details = facts
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let mut result = self.result(verdict, reason)?;
        result.details = details.collect();
        if fails {
            result.affected = vec![self.domain.to_owned()];
        }
        Ok(result)
    }

    fn not_evaluated(&self, reason: &str) -> Result<CheckResult> {
        let mut result = self.result(Verdict::NotEvaluated, reason.to_owned())?;
        result.not_evaluated = Some(NotEvaluatedReason::NoObservation);
        Ok(result)
    }

    fn result(&self, verdict: Verdict, reason: String) -> Result<CheckResult> {
        Ok(CheckResult {
            check: CheckId::new(self.rule.id)?,
            verdict,
            not_evaluated: None,
            severity: self.rule.severity,
            reason,
            affected: Vec::new(),
            source: "aggregate reports".to_owned(),
            confidence: Confidence::Medium,
            references: Vec::new(),
            details: Attributes::new(),
        })
    }
}

fn back(day: Date, days: i32) -> Date {
    day.saturating_sub(days.days())
}

fn after(day: Date) -> Date {
    day.saturating_add(1.day())
}
