//! Incidents for people: list, show, and say where they stand. Each word is in the ledger.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Tenant;
use super::observe::{CONFLICT_RETRIES, too_busy};
use super::records::put_incident;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Actor, Attributes, FindingKind, Incident, IncidentId, IncidentStatus, Permission, PersonId,
    Severity,
};
use crate::store::{Commit, Query, RecordKind};

/// Which incidents to list; what is left out does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IncidentFilter {
    /// In one of these states.
    pub statuses: Vec<IncidentStatus>,
    /// Of one of these kinds.
    pub kinds: Vec<FindingKind>,
    /// At least so bad.
    pub min_severity: Option<Severity>,
    /// About this person.
    pub person: Option<PersonId>,
}

impl Tenant {
    /// Incidents, the latest first.
    ///
    /// # Errors
    /// `store`.
    pub async fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>> {
        let mut query = Query::all(RecordKind::Incident);
        let statuses = filter.statuses.iter().map(|status| status.as_str());
        query.states = statuses.map(str::to_owned).collect();
        let found = self.read_all::<Incident>(query).await?;
        let mut incidents: Vec<Incident> = found
            .into_iter()
            .map(|found| found.value)
            .filter(|incident| filter.wants(incident))
            .collect();
        incidents.sort_by(|a, b| (b.opened_at, &a.id).cmp(&(a.opened_at, &b.id)));
        Ok(incidents)
    }

    /// One incident.
    ///
    /// # Errors
    /// `not_found`; `store`.
    pub async fn incident(&self, id: &IncidentId) -> Result<Incident> {
        let found = self
            .read::<Incident>(RecordKind::Incident, id.as_str())
            .await?;
        found.map(|found| found.value).ok_or_else(|| no_such(id))
    }

    /// Says where an incident stands. A resolved or closed one stays so: its cause opens a new one
    /// when it comes back.
    ///
    /// # Errors
    /// `conflict` where it was resolved or closed and is to be open again; `not_found`; `store`.
    pub async fn set_incident_status(
        &self,
        id: &IncidentId,
        status: IncidentStatus,
        actor: &Actor,
    ) -> Result<Incident> {
        actor.need(Permission::FindingsManage)?;
        for _ in 0..CONFLICT_RETRIES {
            let found = self
                .read::<Incident>(RecordKind::Incident, id.as_str())
                .await?
                .ok_or_else(|| no_such(id))?;
            let expect = found.expect();
            let mut incident = found.value;
            if incident.status == status {
                return Ok(incident);
            }
            if !incident.status.is_open() && status != IncidentStatus::Closed {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!("the incident is {}", incident.status.as_str()),
                )
                .with_context("incident", id.as_str()));
            }
            let mut facts = Attributes::new();
            facts.insert("incident".to_owned(), json!(id));
            facts.insert("from".to_owned(), json!(incident.status));
            facts.insert("to".to_owned(), json!(status));
            incident.status = status;
            incident.updated_at = self.now();
            let commit = Commit::default()
                .put(put_incident(&incident, expect)?)
                .append(
                    self.entry_by("incident.status_changed", actor, facts)
                        .await?,
                );
            match self.store().commit(self.id(), commit).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|_| incident),
            }
        }
        Err(too_busy())
    }
}

impl IncidentFilter {
    fn wants(&self, incident: &Incident) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&incident.kind))
            && self
                .min_severity
                .is_none_or(|least| incident.severity >= least)
            && self
                .person
                .as_ref()
                .is_none_or(|person| incident.person.as_ref() == Some(person))
    }
}

fn no_such(id: &IncidentId) -> Error {
    Error::new(ErrorKind::NotFound, "no such incident").with_context("incident", id.as_str())
}
