//! Observations become findings: what is new, what was seen before, what came back, what is gone.
//!
//! [`observe`] and [`vanish`] decide, without I/O; [`Tenant::observe`] reads the findings of a page
//! in one query, decides, and writes them in one commit with one entry in the ledger. Where
//! somebody else wrote one of them in between, it reads again and decides again.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Tenant;
use super::records::{put_finding, subject_group};
use crate::connector::Evaluated;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Actor, Attributes, CheckId, ConnectorName, Finding, FindingId, FindingStatus, Observation,
    Severity, Subject, TenantId, hash_fields,
};
use crate::store::{Change, Commit, Expect, Put, Query, RecordKind};

/// How often a commit is decided anew after somebody else was faster.
pub(crate) const CONFLICT_RETRIES: usize = 20;

/// What became of some observations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observed {
    /// Findings never seen before.
    pub new: u64,
    /// Findings that were known and are still there.
    pub seen: u64,
    /// Findings that had been resolved and came back.
    pub reopened: u64,
    /// Findings that were looked for and are gone.
    pub resolved: u64,
    /// Observations that cannot be kept, such as a subject with a NUL character.
    pub rejected: u64,
}

impl Tenant {
    /// Takes observations from `source` outside a scan, such as an embedding program's own: the
    /// findings and one ledger entry in one transaction. Nothing is resolved by it.
    ///
    /// # Errors
    /// `store`; `conflict` where others keep changing the same findings.
    pub async fn observe(
        &self,
        source: &ConnectorName,
        observations: Vec<Observation>,
    ) -> Result<Observed> {
        let mut batch = Batch::new(self.id(), observations.into_iter().map(|o| (o, false)));
        let look = Look {
            tenant: self.id(),
            source,
            at: self.now(),
            baseline: false,
        };
        for _ in 0..CONFLICT_RETRIES {
            let folded = self.fold(&mut batch, &Coverage::default(), &look).await?;
            let mut data = folded.evidence();
            data.insert("connector".to_owned(), json!(source));
            let entry = self.entry("findings.observed", &Actor::engine(), data);
            let observed = folded.observed;
            match self
                .store()
                .commit(self.id(), folded.commit().append(entry))
                .await
            {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|_| observed),
            }
        }
        Err(too_busy())
    }

    /// Reads what is known of a batch and decides; the batch keeps its observations, so that it can
    /// be decided again.
    pub(crate) async fn fold(
        &self,
        batch: &mut Batch,
        coverage: &Coverage,
        look: &Look<'_>,
    ) -> Result<Folded> {
        let mut known = self.known(batch).await?;
        let mut folded = Folded {
            observed: batch.counted,
            ..Folded::default()
        };
        for item in &mut batch.items {
            let Some(observation) = item.observation.take() else {
                continue;
            };
            let existing = known.remove(item.id.as_str());
            if item.replay && existing.is_some() {
                item.observation = Some(observation);
                continue;
            }
            let expect = existing
                .as_ref()
                .map_or(Expect::Absent, |(_, version)| Expect::Version(*version));
            let existing = existing.map(|(finding, _)| finding);
            let (finding, sighting) = observe(existing, &item.id, observation, look);
            folded.puts.push(put_finding(&finding, expect)?);
            folded.count(&finding, sighting);
            item.observation = Some(finding.observation);
        }
        self.fold_gone(batch, coverage, look, &mut folded).await?;
        Ok(folded)
    }

    async fn known(&self, batch: &Batch) -> Result<HashMap<String, (Finding, u64)>> {
        if batch.items.is_empty() {
            return Ok(HashMap::new());
        }
        let keys = batch.items.iter().map(|item| item.id.as_str().to_owned());
        let query = Query::keys(RecordKind::Finding, keys.collect());
        let page = self.store().query(self.id(), query).await?;
        let mut known = HashMap::with_capacity(page.records.len());
        for record in page.records {
            known.insert(record.key.clone(), (record.read()?, record.version));
        }
        Ok(known)
    }

    /// Resolves what this page looked for, subject by subject, and did not repeat.
    async fn fold_gone(
        &self,
        batch: &Batch,
        coverage: &Coverage,
        look: &Look<'_>,
        folded: &mut Folded,
    ) -> Result<()> {
        if coverage.subjects.is_empty() {
            return Ok(());
        }
        let repeated: HashSet<&str> = batch.items.iter().map(|item| item.id.as_str()).collect();
        let groups = coverage.subjects.keys().cloned().collect();
        let query = Query::all(RecordKind::Finding)
            .in_groups(groups)
            .in_states(UNRESOLVED);
        for found in self.read_all::<Finding>(query).await? {
            let finding = &found.value;
            if repeated.contains(finding.id.as_str()) || !coverage.covers(finding) {
                continue;
            }
            let expect = found.expect();
            if let Some(finding) = vanish(found.value, look) {
                folded.resolve(&finding, expect)?;
            }
        }
        Ok(())
    }
}

/// The states in which a finding can be resolved by its absence.
pub(crate) const UNRESOLVED: &[&str] = &[
    FindingStatus::New.as_str(),
    FindingStatus::Acknowledged.as_str(),
    FindingStatus::Accepted.as_str(),
];

/// Who looks, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) source: &'a ConnectorName,
    pub(crate) at: Timestamp,
    /// Whether what is new is only recorded as known.
    pub(crate) baseline: bool,
}

/// What an observation was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sighting {
    New,
    Again,
    Reopened,
}

/// What an observation makes of what is known.
pub(crate) fn observe(
    existing: Option<Finding>,
    id: &FindingId,
    observation: Observation,
    look: &Look<'_>,
) -> (Finding, Sighting) {
    let Some(mut finding) = existing else {
        return (first(id, observation, look), Sighting::New);
    };
    finding.observation = observation;
    finding.last_seen = finding.last_seen.max(look.at);
    let accepted = finding
        .acceptance
        .as_ref()
        .is_some_and(|acceptance| acceptance.until > look.at);
    let sighting = match finding.status {
        FindingStatus::Resolved => {
            finding.status = if accepted {
                FindingStatus::Accepted
            } else {
                FindingStatus::New
            };
            finding.occurrence = finding.occurrence.saturating_add(1);
            finding.resolved_at = None;
            finding.baseline = look.baseline;
            finding.incident = None;
            finding.source = look.source.clone();
            Sighting::Reopened
        }
        FindingStatus::Accepted => {
            if !accepted {
                end_acceptance(&mut finding);
            }
            Sighting::Again
        }
        FindingStatus::New | FindingStatus::Acknowledged | FindingStatus::FalsePositive => {
            Sighting::Again
        }
    };
    if !accepted {
        finding.acceptance = None;
    }
    (finding, sighting)
}

/// What it makes of a finding that it was looked for and not found; `None` where nothing changes.
/// An acceptance is kept: should it come back before its end, it is accepted still.
pub(crate) fn vanish(mut finding: Finding, look: &Look<'_>) -> Option<Finding> {
    let resolvable = matches!(
        finding.status,
        FindingStatus::New | FindingStatus::Acknowledged | FindingStatus::Accepted
    );
    if !resolvable || finding.observation.from_event || finding.source != *look.source {
        return None;
    }
    finding.status = FindingStatus::Resolved;
    finding.resolved_at = Some(look.at);
    Some(finding)
}

/// An ended acceptance: the finding waits for somebody again, and for an incident.
pub(crate) fn end_acceptance(finding: &mut Finding) {
    finding.status = FindingStatus::New;
    finding.acceptance = None;
    finding.incident = None;
}

/// Somebody else keeps winning.
pub(crate) fn too_busy() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "others keep changing the same records; try again",
    )
    .temporary()
}

fn first(id: &FindingId, observation: Observation, look: &Look<'_>) -> Finding {
    Finding {
        id: id.clone(),
        tenant: look.tenant.clone(),
        source: look.source.clone(),
        observation,
        status: FindingStatus::New,
        baseline: look.baseline,
        occurrence: 1,
        first_seen: look.at,
        last_seen: look.at,
        resolved_at: None,
        acceptance: None,
        incident: None,
    }
}

/// Observations on their way, each finding once.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    items: Vec<Item>,
    /// What is counted before anything is read.
    counted: Observed,
}

#[derive(Debug)]
struct Item {
    id: FindingId,
    /// Taken while it is decided, and put back.
    observation: Option<Observation>,
    /// Whether it comes from signals that were looked at before: then a known finding stays as it is.
    replay: bool,
}

impl Batch {
    /// Observations, each with whether it is a replay. Of two about the same finding the later
    /// counts.
    pub(crate) fn new(
        tenant: &TenantId,
        observations: impl IntoIterator<Item = (Observation, bool)>,
    ) -> Self {
        let mut batch = Self::default();
        let mut places: HashMap<FindingId, usize> = HashMap::new();
        for (observation, replay) in observations {
            if !is_storable(&observation.subject) {
                batch.counted.rejected += 1;
                continue;
            }
            let (check, subject) = (&observation.check, &observation.subject);
            let id = FindingId::of(tenant, check, subject, &observation.discriminator);
            if let Some(place) = places.get(&id) {
                let item: &mut Item = &mut batch.items[*place];
                item.observation = Some(observation);
                item.replay &= replay;
                batch.counted.seen += 1;
                continue;
            }
            places.insert(id.clone(), batch.items.len());
            batch.items.push(Item {
                id,
                observation: Some(observation),
                replay,
            });
        }
        batch
    }
}

/// Which findings a page looked for, subject by subject.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    subjects: BTreeMap<String, HashSet<CheckId>>,
}

impl Coverage {
    pub(crate) fn of(evaluated: &[Evaluated]) -> Self {
        let mut subjects: BTreeMap<String, HashSet<CheckId>> = BTreeMap::new();
        for item in evaluated {
            if let Some(subject) = item.subject.as_ref().filter(|subject| is_storable(subject)) {
                let checks = subjects.entry(subject_group(subject)).or_default();
                checks.insert(item.check.clone());
            }
        }
        Self { subjects }
    }

    fn covers(&self, finding: &Finding) -> bool {
        self.subjects
            .get(&subject_group(&finding.observation.subject))
            .is_some_and(|checks| checks.contains(&finding.observation.check))
    }
}

/// What a batch comes to.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    pub(crate) puts: Vec<Put>,
    pub(crate) observed: Observed,
    /// The ids of the findings that were written, in order.
    ids: Vec<FindingId>,
    /// New or reopened, and of high severity or worse.
    notable: Vec<FindingId>,
}

impl Folded {
    /// The commit that writes it.
    pub(crate) fn commit(self) -> Commit {
        Commit {
            changes: self.puts.into_iter().map(Change::Put).collect(),
            entries: Vec::new(),
        }
    }

    /// What the ledger is told: counts, the digest of the ids, and the ids of what is bad and new.
    pub(crate) fn evidence(&self) -> Attributes {
        let Observed {
            new,
            seen,
            reopened,
            resolved,
            rejected,
        } = self.observed;
        let ids: Vec<&str> = self.ids.iter().map(FindingId::as_str).collect();
        let mut data = Attributes::new();
        for (name, count) in [
            ("new", new),
            ("seen", seen),
            ("reopened", reopened),
            ("resolved", resolved),
            ("rejected", rejected),
        ] {
            if count > 0 {
                data.insert(name.to_owned(), json!(count));
            }
        }
        data.insert(
            "findings_digest".to_owned(),
            Value::String(hash_fields("findings", &ids)),
        );
        if !self.notable.is_empty() {
            data.insert("notable".to_owned(), json!(self.notable));
        }
        data
    }

    /// Adds a finding that is gone.
    pub(crate) fn resolve(&mut self, finding: &Finding, expect: Expect) -> Result<()> {
        self.puts.push(put_finding(finding, expect)?);
        self.ids.push(finding.id.clone());
        self.observed.resolved += 1;
        Ok(())
    }

    fn count(&mut self, finding: &Finding, sighting: Sighting) {
        match sighting {
            Sighting::New => self.observed.new += 1,
            Sighting::Again => self.observed.seen += 1,
            Sighting::Reopened => self.observed.reopened += 1,
        }
        self.ids.push(finding.id.clone());
        if sighting != Sighting::Again && finding.observation.severity >= Severity::High {
            self.notable.push(finding.id.clone());
        }
    }
}

/// Whether the store can keep the subject: a NUL character fits into no database text.
pub(crate) fn is_storable(subject: &Subject) -> bool {
    !subject.id.contains('\0') && !subject.provider.contains('\0')
}
