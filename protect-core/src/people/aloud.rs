//! What is said aloud of an offboarding: its findings, the incident that holds them, and the ticket about access
//! that is still there.

use jiff::Timestamp;
use serde_json::json;

use crate::engine::{Tenant, Versioned, put_finding, routed};
use crate::error::Result;
use crate::model::{
    Action, ActionId, ActionKind, ActionTarget, Actor, Attributes, Finding, FindingId,
    FindingStatus, Incident, IncidentStatus, Workflow,
};
use crate::store::{Change, Commit, Expect, Put, Query, RecordKind};

/// The findings of an offboarding and its incident, on their way.
pub(super) struct Aloud {
    incident: Option<Versioned<Incident>>,
    findings: Vec<Versioned<Finding>>,
    raised: Vec<Finding>,
    settled: Vec<FindingId>,
    changed: bool,
}

impl Aloud {
    pub(super) async fn of(tenant: &Tenant, workflow: &Workflow) -> Result<Self> {
        let incident = match &workflow.incident {
            Some(id) => {
                tenant
                    .read::<Incident>(RecordKind::Incident, id.as_str())
                    .await?
            }
            None => None,
        };
        let ids = incident.iter().flat_map(|found| &found.value.findings);
        let keys: Vec<String> = ids.map(ToString::to_string).collect();
        let findings = tenant
            .read_all(Query::keys(RecordKind::Finding, keys))
            .await?;
        Ok(Self {
            incident,
            findings,
            raised: Vec::new(),
            settled: Vec::new(),
            changed: false,
        })
    }

    pub(super) fn known(&self, id: &FindingId) -> Option<Versioned<Finding>> {
        let mut findings = self.findings.iter();
        findings.find(|found| found.value.id == *id).cloned()
    }

    pub(super) fn raise(&mut self, finding: Finding) {
        self.raised.push(finding);
    }

    pub(super) fn settle(&mut self, id: FindingId) {
        self.settled.push(id);
    }

    /// Writes what is new; what is known and the same is not written again.
    pub(super) fn write(&mut self, tenant: &Tenant, commit: &mut Commit) -> Result<()> {
        for finding in std::mem::take(&mut self.raised) {
            let known = self.known(&finding.id);
            let is_same = known.as_ref().is_some_and(|known| {
                known.value.status == finding.status
                    && known.value.observation == finding.observation
            });
            if is_same {
                continue;
            }
            let expect = known.as_ref().map_or(Expect::Absent, Versioned::expect);
            push(commit, put_finding(&finding, expect)?);
            self.join(&finding, tenant.now());
            let mut facts = Attributes::new();
            facts.insert("finding".to_owned(), json!(finding.id));
            facts.insert("incident".to_owned(), json!(finding.incident));
            facts.insert("severity".to_owned(), json!(finding.observation.severity));
            let entry = tenant.entry("offboarding.access_left", &Actor::engine(), facts);
            commit.entries.push(entry);
            if let Some(ticket) = tenant.ticket_about(&finding)? {
                push(commit, ticket);
            }
        }
        for id in std::mem::take(&mut self.settled) {
            self.resolve(tenant, &id, commit)?;
        }
        Ok(())
    }

    /// Resolves everything that is open, since access is gone or stays by intent.
    pub(super) fn resolve_all(
        &mut self,
        tenant: &Tenant,
        open: &FindingId,
        commit: &mut Commit,
    ) -> Result<()> {
        let mut ids: Vec<FindingId> = self.findings.iter().map(|it| it.value.id.clone()).collect();
        ids.push(open.clone());
        for id in ids {
            self.resolve(tenant, &id, commit)?;
        }
        if let Some(incident) = &mut self.incident {
            incident.value.status = IncidentStatus::Resolved;
            incident.value.updated_at = tenant.now();
            self.changed = true;
            let mut facts = Attributes::new();
            facts.insert("incident".to_owned(), json!(incident.value.id));
            let entry = tenant.entry("incident.resolved", &Actor::engine(), facts);
            commit.entries.push(entry);
        }
        Ok(())
    }

    fn resolve(&mut self, tenant: &Tenant, id: &FindingId, commit: &mut Commit) -> Result<()> {
        let Some(found) = self.known(id) else {
            return Ok(());
        };
        let is_written = commit.changes.iter().any(|change| match change {
            Change::Put(put) => *put.key == *id.as_str(),
            _ => false,
        });
        if is_written || matches!(found.value.status, FindingStatus::Resolved) {
            return Ok(());
        }
        let expect = found.expect();
        let mut finding = found.value;
        finding.status = FindingStatus::Resolved;
        finding.resolved_at = Some(tenant.now());
        push(commit, put_finding(&finding, expect)?);
        Ok(())
    }

    /// The incident takes a finding: it is as bad as its worst.
    fn join(&mut self, finding: &Finding, now: Timestamp) {
        let Some(incident) = &mut self.incident else {
            return;
        };
        let incident = &mut incident.value;
        if !incident.findings.contains(&finding.id) {
            incident.findings.push(finding.id.clone());
        }
        if finding.observation.severity > incident.severity {
            incident.severity = finding.observation.severity;
            incident.title.clone_from(&finding.observation.title);
        }
        incident.status = IncidentStatus::Open;
        incident.updated_at = now;
        self.changed = true;
    }

    pub(super) fn incident_changed(&self) -> Option<&Versioned<Incident>> {
        self.incident.as_ref().filter(|_| self.changed)
    }
}

impl Tenant {
    /// The ticket about access that was not revoked, where a connector takes tickets: never silent.
    fn ticket_about(&self, finding: &Finding) -> Result<Option<Put>> {
        let kind = ActionKind::OpenTicket;
        let route = routed(self.config(), self.connectors(), kind);
        let Some(receiver) = route.first().filter(|_| self.changes_anything()) else {
            return Ok(None);
        };
        let now = self.now();
        let seen = now.to_string();
        let action = Action {
            id: ActionId::of(self.id(), &["ticket", finding.id.as_str(), &seen]),
            kind,
            target: ActionTarget::Sink {
                connector: receiver.info().name.clone(),
            },
            reason: finding.observation.title.clone(),
            requested_by: Actor::engine(),
            incident: finding.incident.clone(),
            undoes: None,
            lasts: None,
            parameters: Attributes::new(),
        };
        self.told_by_the_engine(action, now).map(Some)
    }
}

pub(super) fn push(commit: &mut Commit, put: Put) {
    commit.changes.push(Change::Put(put));
}
