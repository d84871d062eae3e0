//! Signals become observations: stored once each, grouped by subject, and put to the connector's
//! detections together with what was stored before.
//!
//! The signals commit with the page and its cursor, so that none is lost and none looked at twice.
//! A signal that comes late, behind others that were already looked at, brings these with it as
//! `new`; a finding that such a replay repeats stays as it is.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::Tenant;
use super::observe::is_storable;
use super::records::{put_signal, signal_group, signal_key};
use crate::clock::later;
use crate::connector::{Connector, Detection};
use crate::error::Result;
use crate::model::{ConnectorName, Observation, Signal};
use crate::store::{Change, Commit, Expect, Put, Query, RecordKind};

/// How many signals are forgotten in one transaction.
const PRUNE_AT_ONCE: usize = 500;

/// What the signals of one page come to.
#[derive(Debug, Default)]
pub(crate) struct Detected {
    /// What the detections saw, each with whether it is a replay.
    pub(crate) observations: Vec<(Observation, bool)>,
    /// The signals to store with the page.
    pub(crate) puts: Vec<Put>,
    /// How many were not known.
    pub(crate) new: u64,
    /// How many cannot be kept.
    pub(crate) rejected: u64,
}

impl Tenant {
    /// Looks at the signals of a page. Writes nothing.
    pub(crate) async fn detect(
        &self,
        connector: &dyn Connector,
        signals: Vec<Signal>,
        now: Timestamp,
    ) -> Result<Detected> {
        let mut detected = Detected::default();
        let name = &connector.info().name;
        let detections = connector.detections();
        let wanted: HashSet<&str> = kinds(detections).collect();
        let mut new = BTreeMap::new();
        for signal in signals {
            if !is_storable(&signal.subject) || signal.kind.contains('\0') {
                detected.rejected += 1;
            } else if wanted.contains(signal.kind.as_str()) {
                new.entry(signal_key(name, &signal)).or_insert(signal);
            }
        }
        self.drop_known(&mut new).await?;
        if new.is_empty() {
            return Ok(detected);
        }
        let keep_until = |at: Timestamp| later(at.max(now), longest_window(detections));
        for (key, signal) in &new {
            let put = put_signal(name, key, signal, keep_until(signal.at))?;
            detected.puts.push(put);
        }
        detected.new = new.len() as u64;
        let stored = self.stored_signals(name, new.values()).await?;
        for (group, new) in by_group(name, new.into_values()) {
            let stored = stored.get(&group).map_or(&[][..], Vec::as_slice);
            for detection in detections {
                evaluate(detection.as_ref(), &new, stored, &mut detected.observations);
            }
        }
        Ok(detected)
    }

    /// Forgets the signals that no detection can need any more.
    pub(crate) async fn prune_signals(&self) -> Result<u64> {
        let mut pruned = 0;
        loop {
            let query = Query::all(RecordKind::Signal)
                .due_by(self.now())
                .limit(PRUNE_AT_ONCE);
            let page = self.store().query(self.id(), query).await?;
            if page.records.is_empty() {
                return Ok(pruned);
            }
            pruned += page.records.len() as u64;
            let deletes = page.records.into_iter().map(|record| Change::Delete {
                kind: RecordKind::Signal,
                key: record.key,
                expect: Expect::Anything,
            });
            let commit = Commit {
                changes: deletes.collect(),
                entries: Vec::new(),
            };
            self.store().commit(self.id(), commit).await?;
        }
    }

    async fn drop_known(&self, new: &mut BTreeMap<String, Signal>) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let query = Query::keys(RecordKind::Signal, new.keys().cloned().collect());
        for record in self.store().query(self.id(), query).await?.records {
            new.remove(&record.key);
        }
        Ok(())
    }

    /// What is stored about the subjects of these signals, by group, in the order of time.
    async fn stored_signals(
        &self,
        connector: &ConnectorName,
        new: impl Iterator<Item = &Signal>,
    ) -> Result<BTreeMap<String, Vec<Signal>>> {
        let groups: BTreeSet<String> = new
            .map(|signal| signal_group(connector, &signal.subject))
            .collect();
        let query = Query::all(RecordKind::Signal).in_groups(groups.into_iter().collect());
        let stored = self.read_all::<Signal>(query).await?;
        Ok(by_group(
            connector,
            stored.into_iter().map(|found| found.value),
        ))
    }
}

/// Puts one subject's signals to one detection.
fn evaluate(
    detection: &dyn Detection,
    new: &[Signal],
    stored: &[Signal],
    observations: &mut Vec<(Observation, bool)>,
) {
    let kinds = detection.signal_kinds();
    let wanted = |signal: &&Signal| kinds.contains(&signal.kind.as_str());
    let mut under_test: Vec<Signal> = new.iter().filter(wanted).cloned().collect();
    let (Some(first), Some(last)) = (under_test.first(), under_test.last()) else {
        return;
    };
    let (start, end) = (first.at, later(last.at, detection.window()));
    let fresh: HashSet<String> = under_test.iter().map(|signal| signal.id.clone()).collect();
    let reaches_back = |at: Timestamp| later(at, detection.window()) >= start;
    let (history, after): (Vec<Signal>, Vec<Signal>) = stored
        .iter()
        .filter(wanted)
        .filter(|signal| reaches_back(signal.at) && signal.at <= end)
        .cloned()
        .partition(|signal| signal.at <= start);
    under_test.extend(after);
    sort(&mut under_test);
    for mut observation in detection.evaluate(&under_test, &history) {
        observation.from_event = true;
        let replayed = under_test
            .iter()
            .any(|signal| signal.id == observation.discriminator);
        let replay = replayed && !fresh.contains(&observation.discriminator);
        observations.push((observation, replay));
    }
}

fn kinds(detections: &[Box<dyn Detection>]) -> impl Iterator<Item = &str> {
    detections
        .iter()
        .flat_map(|detection| detection.signal_kinds().iter().copied())
}

fn longest_window(detections: &[Box<dyn Detection>]) -> Duration {
    let windows = detections.iter().map(|detection| detection.window());
    windows.max().unwrap_or_default()
}

fn by_group(
    connector: &ConnectorName,
    signals: impl Iterator<Item = Signal>,
) -> BTreeMap<String, Vec<Signal>> {
    let mut groups: BTreeMap<String, Vec<Signal>> = BTreeMap::new();
    for signal in signals {
        let group = signal_group(connector, &signal.subject);
        groups.entry(group).or_default().push(signal);
    }
    for signals in groups.values_mut() {
        sort(signals);
    }
    groups
}

/// By time; the id settles a tie, so that the order of arrival does not.
fn sort(signals: &mut [Signal]) {
    signals.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
}
