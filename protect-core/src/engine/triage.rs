//! Findings become incidents: one for each person, or one for a cause that hits many at once.
//!
//! An open incident of the same cause takes further findings; after it was resolved or closed, the
//! same cause opens the next generation. What is accepted, was never wrong, or was only recorded as
//! known opens nothing. An incident none of whose findings is open any more is resolved.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Tenant;
use super::observe::{CONFLICT_RETRIES, too_busy};
use super::records::{Versioned, put_finding, put_incident, subject_group};
use crate::error::{ErrorKind, Result};
use crate::model::{
    Actor, Attributes, Finding, FindingId, FindingStatus, Incident, IncidentId, IncidentStatus,
    PersonId,
};
use crate::store::{Commit, Expect, Query, RecordKind};

/// From so many subjects on, one cause makes one incident, unless the engine was told otherwise.
pub(crate) const MANY_SUBJECTS: usize = 10;

/// How many findings join an incident in one transaction.
const JOIN_AT_ONCE: usize = 500;

/// What became of incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Triaged {
    /// Incidents that were opened.
    pub opened: Vec<IncidentId>,
    /// Open incidents that took further findings.
    pub updated: Vec<IncidentId>,
    /// Incidents that were resolved, since none of their findings is open.
    pub resolved: Vec<IncidentId>,
}

impl Tenant {
    /// Makes incidents of the findings that wait for one. A scan does it by itself.
    ///
    /// # Errors
    /// `store`; `conflict` where others keep changing the same records.
    pub async fn triage(&self) -> Result<Triaged> {
        let mut triaged = Triaged::default();
        for _ in 0..CONFLICT_RETRIES {
            match self.triage_once(&mut triaged).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|()| triaged),
            }
        }
        Err(too_busy())
    }

    async fn triage_once(&self, triaged: &mut Triaged) -> Result<()> {
        let query = Query::all(RecordKind::Finding).in_states(OPEN_FINDINGS);
        let findings = self.read_all::<Finding>(query).await?;
        let open: HashSet<FindingId> = findings
            .iter()
            .map(|finding| finding.value.id.clone())
            .collect();
        let waiting: Vec<_> = findings
            .into_iter()
            .filter(|finding| finding.value.incident.is_none() && !finding.value.baseline)
            .collect();
        self.resolve_incidents(&open, triaged).await?;
        for (cause, findings) in self.by_cause(waiting).await? {
            self.join(cause, findings, triaged).await?;
        }
        Ok(())
    }

    /// Resolves the open incidents that have no open finding.
    async fn resolve_incidents(
        &self,
        open: &HashSet<FindingId>,
        triaged: &mut Triaged,
    ) -> Result<()> {
        for found in self.open_incidents().await? {
            if found.value.findings.iter().any(|id| open.contains(id)) {
                continue;
            }
            let id = found.value.id.clone();
            self.resolve_incident(found).await?;
            triaged.resolved.push(id);
        }
        Ok(())
    }

    pub(crate) async fn resolve_incident(&self, found: Versioned<Incident>) -> Result<()> {
        let expect = found.expect();
        let mut incident = found.value;
        incident.status = IncidentStatus::Resolved;
        incident.updated_at = self.now();
        let entry = self.entry("incident.resolved", &Actor::engine(), facts(&incident));
        let commit = Commit::default()
            .put(put_incident(&incident, expect)?)
            .append(entry);
        self.store().commit(self.id(), commit).await?;
        Ok(())
    }

    async fn open_incidents(&self) -> Result<Vec<Versioned<Incident>>> {
        let query = Query::all(RecordKind::Incident).in_states(OPEN_INCIDENTS);
        self.read_all(query).await
    }

    /// Puts findings together by what made them: a cause that hits many or has an open incident, the
    /// person, or else the subject.
    async fn by_cause(&self, waiting: Vec<Versioned<Finding>>) -> Result<BTreeMap<Cause, Group>> {
        let subjects = waiting.iter().map(|f| &f.value.observation.subject);
        let people = self.people_of(subjects).await?;
        let shared = self.shared_causes(&waiting).await?;
        let mut groups: BTreeMap<Cause, Group> = BTreeMap::new();
        for finding in waiting {
            let observation = &finding.value.observation;
            let shared = observation
                .cause
                .as_ref()
                .filter(|cause| shared.contains(*cause));
            let person = people.get(&observation.subject);
            let cause = match (shared, person) {
                (Some(cause), _) => Cause {
                    text: cause.clone(),
                    person: None,
                },
                (None, Some(person)) => Cause {
                    text: format!("person:{person}"),
                    person: Some(person.clone()),
                },
                (None, None) => Cause {
                    text: format!("subject:{}", subject_group(&observation.subject)),
                    person: None,
                },
            };
            groups.entry(cause).or_default().push(finding);
        }
        Ok(groups)
    }

    /// The causes that hit many subjects now, or have an open incident of their own.
    async fn shared_causes(&self, waiting: &[Versioned<Finding>]) -> Result<HashSet<String>> {
        let mut subjects: HashMap<&str, BTreeSet<String>> = HashMap::new();
        for finding in waiting {
            let observation = &finding.value.observation;
            if let Some(cause) = &observation.cause {
                let hit = subjects.entry(cause).or_default();
                hit.insert(subject_group(&observation.subject));
            }
        }
        if subjects.is_empty() {
            return Ok(HashSet::new());
        }
        let many = self.shared.many_subjects;
        let causes = subjects.keys().map(|cause| (*cause).to_owned()).collect();
        let query = Query::all(RecordKind::Incident)
            .in_groups(causes)
            .in_states(OPEN_INCIDENTS);
        let open = self.read_all::<Incident>(query).await?;
        let mut shared: HashSet<String> = open.into_iter().map(|found| found.value.cause).collect();
        let hit = subjects.into_iter().filter(|(_, hit)| hit.len() >= many);
        shared.extend(hit.map(|(cause, _)| cause.to_owned()));
        Ok(shared)
    }

    /// Puts the findings of one cause into its open incident, or into a new one.
    async fn join(&self, cause: Cause, findings: Group, triaged: &mut Triaged) -> Result<()> {
        let groups = vec![cause.text.clone()];
        let query = Query::all(RecordKind::Incident).in_groups(groups);
        let mut latest = self.read_all::<Incident>(query).await?;
        latest.sort_by_key(|found| found.value.generation);
        let latest = latest.pop();
        let generation = latest.as_ref().map_or(1, |found| {
            found.value.generation + u32::from(!found.value.status.is_open())
        });
        let mut known = latest.filter(|found| found.value.status.is_open());
        let mut findings = findings.into_iter().peekable();
        while findings.peek().is_some() {
            let part: Group = findings.by_ref().take(JOIN_AT_ONCE).collect();
            known = Some(
                self.join_part(&cause, generation, known, part, triaged)
                    .await?,
            );
        }
        Ok(())
    }

    async fn join_part(
        &self,
        cause: &Cause,
        generation: u32,
        known: Option<Versioned<Incident>>,
        part: Group,
        triaged: &mut Triaged,
    ) -> Result<Versioned<Incident>> {
        let is_new = known.is_none();
        let (mut incident, expect, version) = match known {
            Some(found) => (
                found.value,
                Expect::Version(found.version),
                found.version + 1,
            ),
            None => (self.opened(cause, generation, &part), Expect::Absent, 1),
        };
        incident.updated_at = self.now();
        let mut commit = Commit::default();
        let listed: HashSet<FindingId> = {
            let new: HashSet<&FindingId> = part.iter().map(|found| &found.value.id).collect();
            let known = incident.findings.iter();
            known.filter(|id| new.contains(id)).cloned().collect()
        };
        for found in part {
            let expect = found.expect();
            let mut finding = found.value;
            if !listed.contains(&finding.id) {
                incident.findings.push(finding.id.clone());
            }
            take(&mut incident, &finding);
            finding.incident = Some(incident.id.clone());
            commit = commit.put(put_finding(&finding, expect)?);
        }
        let what = if is_new {
            "incident.opened"
        } else {
            "incident.updated"
        };
        let entry = self.entry(what, &Actor::engine(), facts(&incident));
        let commit = commit.put(put_incident(&incident, expect)?).append(entry);
        self.store().commit(self.id(), commit).await?;
        if is_new {
            triaged.opened.push(incident.id.clone());
        } else if !triaged.opened.contains(&incident.id) && !triaged.updated.contains(&incident.id)
        {
            triaged.updated.push(incident.id.clone());
        }
        Ok(Versioned {
            value: incident,
            version,
        })
    }

    fn opened(&self, cause: &Cause, generation: u32, part: &Group) -> Incident {
        let worst = part
            .iter()
            .map(|found| &found.value.observation)
            .max_by_key(|observation| observation.severity);
        let now = self.now();
        Incident {
            id: IncidentId::of(self.id(), &cause.text, generation),
            tenant: self.id().clone(),
            cause: cause.text.clone(),
            generation,
            title: worst.map_or_else(String::new, |worst| worst.title.clone()),
            kind: worst.map_or(crate::model::FindingKind::Operational, |worst| worst.kind),
            severity: worst.map_or(crate::model::Severity::Info, |worst| worst.severity),
            status: IncidentStatus::New,
            person: cause.person.clone(),
            findings: Vec::new(),
            opened_at: now,
            updated_at: now,
        }
    }
}

type Group = Vec<Versioned<Finding>>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    text: String,
    person: Option<PersonId>,
}

/// The states of findings that wait for somebody.
pub(crate) const OPEN_FINDINGS: &[&str] = &[
    FindingStatus::New.as_str(),
    FindingStatus::Acknowledged.as_str(),
];

/// The states of incidents that need somebody.
pub(crate) const OPEN_INCIDENTS: &[&str] = &[
    IncidentStatus::New.as_str(),
    IncidentStatus::Open.as_str(),
    IncidentStatus::Investigating.as_str(),
    IncidentStatus::Contained.as_str(),
];

/// Lets a finding count; the worst one gives the incident its title, kind and severity. What comes to a
/// contained incident makes it open again.
fn take(incident: &mut Incident, finding: &Finding) {
    if incident.status == IncidentStatus::Contained {
        incident.status = IncidentStatus::Open;
    }
    let observation = &finding.observation;
    if observation.severity > incident.severity {
        incident.severity = observation.severity;
        incident.kind = observation.kind;
        incident.title.clone_from(&observation.title);
    }
}

fn facts(incident: &Incident) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("incident".to_owned(), json!(incident.id));
    facts.insert("kind".to_owned(), json!(incident.kind));
    facts.insert("severity".to_owned(), json!(incident.severity));
    facts.insert("findings".to_owned(), json!(incident.findings.len()));
    facts
}
