//! What happened, as the logs in a snapshot tell of it: the same signals and the same detections as
//! of a live scan, with nothing before the snapshot for a history.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::Evaluation;
use super::reader::{Read, Reader, Unread};
use crate::connector::Detection;
use crate::model::{Attributes, CheckId, CheckResult, Confidence, Observation, Severity};
use crate::model::{Signal, Subject, Verdict};

/// The logs of a vendor, and what finds in them.
#[derive(Clone, Copy, Debug)]
pub struct Logs {
    /// The logs that a snapshot may hold. One that it does not hold says nothing.
    pub logs: &'static [Log],
    /// What finds in their signals.
    pub detections: fn() -> Vec<Box<dyn Detection>>,
}

impl Logs {
    /// For a vendor of which a snapshot never tells what happened.
    pub const NONE: Self = Self {
        logs: &[],
        detections: Vec::new,
    };
}

/// One log.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// Where it lies.
    pub path: &'static str,
    /// What else is read to tell whom an event is about, where it is there.
    pub beside: &'static [&'static str],
    /// The checks that it feeds: not evaluated where the log is there and cannot be read.
    pub checks: fn() -> Vec<&'static str>,
    /// Its events as signals.
    pub signals: fn(&Reader<'_>) -> Read<Vec<Signal>>,
}

impl Evaluation<'_> {
    /// What happened: a `fail` for each thing that a detection finds in the logs, and what was not
    /// evaluated since a log cannot be read. In the order of the detections, then of the subjects.
    pub fn happened(&self) -> Vec<CheckResult> {
        let mut unread = BTreeMap::new();
        let mut told: BTreeMap<Subject, Told> = BTreeMap::new();
        for log in self.catalogue.logs.logs {
            if !self.holds(log.path) {
                continue;
            }
            let paths = std::iter::once(log.path).chain(log.beside.iter().copied());
            match (log.signals)(&Reader::of_paths(self, paths)) {
                Ok(signals) => {
                    for signal in signals {
                        told.entry(signal.subject.clone())
                            .or_default()
                            .add(log, signal);
                    }
                }
                Err(why) => {
                    for check in (log.checks)() {
                        unread.entry(check).or_insert_with(|| why.clone());
                    }
                }
            }
        }
        let detections = (self.catalogue.logs.detections)();
        let mut results = Vec::new();
        // What was made of one subject's signals is larger than they are, so they go at once.
        for told in told.into_values().map(Told::by_kind) {
            for (turn, detection) in detections.iter().enumerate() {
                results.extend(told.found(&**detection).map(|result| (turn, result)));
            }
        }
        results.sort_by_key(|(turn, _)| *turn);
        let results = results.into_iter().map(|(_, result)| result);
        let unread = unread.into_iter().filter_map(not_evaluated);
        results.chain(unread).collect()
    }
}

/// What the logs tell about one subject. Small, since there may be as many as there are accounts.
#[derive(Debug, Default)]
struct Told {
    signals: Vec<Signal>,
    logs: Vec<&'static str>,
}

impl Told {
    fn add(&mut self, log: &Log, signal: Signal) {
        if !self.logs.contains(&log.path) {
            self.logs.push(log.path);
        }
        self.signals.push(signal);
    }

    /// The signals by kind, each kind in order.
    fn by_kind(self) -> Sorted {
        let mut by_kind: BTreeMap<String, Vec<Signal>> = BTreeMap::new();
        for signal in self.signals {
            by_kind.entry(signal.kind.clone()).or_default().push(signal);
        }
        by_kind.values_mut().for_each(sort);
        Sorted {
            by_kind,
            source: self.logs.join(", "),
        }
    }
}

/// The same, ready to be looked at.
#[derive(Debug)]
struct Sorted {
    by_kind: BTreeMap<String, Vec<Signal>>,
    source: String,
}

impl Sorted {
    /// The signals of some kinds.
    fn of(&self, kinds: &[&str]) -> Cow<'_, [Signal]> {
        let mut lists = kinds.iter().filter_map(|kind| self.by_kind.get(*kind));
        let first = lists.next().map_or(&[][..], Vec::as_slice);
        let mut all = Cow::Borrowed(first);
        for list in lists {
            all.to_mut().extend_from_slice(list);
            sort(all.to_mut());
        }
        all
    }

    /// What a detection finds, each once: two logs may tell of one thing.
    fn found(&self, detection: &dyn Detection) -> impl Iterator<Item = CheckResult> {
        let signals = self.of(detection.signal_kinds());
        let observed = if signals.is_empty() {
            Vec::new()
        } else {
            detection.evaluate(&signals, &[])
        };
        let mut seen = BTreeSet::new();
        let once = observed
            .into_iter()
            .filter(move |it| seen.insert(it.discriminator.clone()));
        once.map(|it| self.result(it))
    }

    fn result(&self, observed: Observation) -> CheckResult {
        let reasons = observed.reasons.join("; ");
        CheckResult {
            check: observed.check,
            verdict: Verdict::Fail,
            not_evaluated: None,
            severity: observed.severity,
            reason: format!("{}: {reasons}", observed.title),
            affected: vec![observed.subject.id],
            source: self.source.clone(),
            confidence: observed.confidence,
            references: observed.references,
            details: observed.details,
        }
    }
}

/// By time, each once, wherever pages were cut.
fn sort(signals: &mut Vec<Signal>) {
    signals.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    signals.dedup_by(|one, other| one.id == other.id);
}

/// A log is there, and nobody knows what it tells.
fn not_evaluated((check, unread): (&str, Unread)) -> Option<CheckResult> {
    Some(CheckResult {
        check: CheckId::new(check).ok()?,
        verdict: Verdict::NotEvaluated,
        not_evaluated: Some(unread.reason),
        severity: Severity::Info,
        reason: format!("{}: {}", unread.path, unread.why),
        affected: Vec::new(),
        source: unread.path,
        confidence: Confidence::High,
        references: Vec::new(),
        details: Attributes::new(),
    })
}
