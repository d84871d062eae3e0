//! What runs, what waits, and what went wrong last.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tenant;
use super::identify::{DirectoryState, directory_key};
use super::run::{RUNS, Run, RunState, ScanCounts};
use super::schedule::Schedule;
use super::triage::{OPEN_FINDINGS, OPEN_INCIDENTS};
use crate::connector::{Connector, Progress};
use crate::error::{ErrorEnvelope, Result};
use crate::model::{
    ConnectorName, Finding, Incident, Intent, IntentState, Mode, Severity, TenantId,
};
use crate::store::{Query, RecordKind};

/// Where a tenant stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantStatus {
    /// Which tenant.
    pub tenant: TenantId,
    /// Whether anything may be changed.
    pub mode: Mode,
    /// By connector, in order of their names.
    pub connectors: Vec<ConnectorStatus>,
    /// Open findings, by severity.
    pub open_findings: BTreeMap<Severity, u64>,
    /// Open incidents, by severity.
    pub open_incidents: BTreeMap<Severity, u64>,
    /// Actions that are approved and not done, by where they stand.
    pub waiting_actions: BTreeMap<IntentState, u64>,
}

/// Where a connector stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorStatus {
    /// The connector.
    pub connector: ConnectorName,
    /// Its kind.
    pub kind: String,
    /// The roles it plays: `scanner`, `directory`, `remediator`, `sink`.
    pub roles: Vec<String>,
    /// Its latest run, where it is a scanner that ever ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunStatus>,
    /// When a run of it last came to its end.
    pub last_complete_at: Option<Timestamp>,
    /// When its directory was last read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory_read_at: Option<Timestamp>,
    /// Why the latest run, or reading of the directory, did not come to its end.
    pub last_error: Option<ErrorEnvelope>,
    /// When it is scanned next, where a scheduler ever ran.
    pub next_scan_at: Option<Timestamp>,
}

/// Where the latest run of a connector stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunStatus {
    /// Running, left incomplete, or complete.
    pub state: RunState,
    /// When it began.
    pub started_at: Timestamp,
    /// What it came to so far.
    pub counts: ScanCounts,
    /// Done and expected, where the scanner says so.
    pub progress: Option<Progress>,
}

impl Tenant {
    /// Where everything stands. Calls no vendor.
    ///
    /// # Errors
    /// `store`.
    pub async fn status(&self) -> Result<TenantStatus> {
        let in_group = |group: &str| Query::all(RecordKind::Run).in_groups(vec![group.to_owned()]);
        let runs = self.read_all::<Run>(in_group(RUNS)).await?;
        let runs: Vec<Run> = runs.into_iter().map(|found| found.value).collect();
        let schedules = self
            .read_all::<Schedule>(Query::all(RecordKind::Schedule))
            .await?;
        let mut connectors = Vec::new();
        for connector in self.connectors() {
            let name = &connector.info().name;
            let run = runs.iter().find(|run| run.connector == *name);
            let schedule = schedules
                .iter()
                .find(|found| found.value.connector == *name);
            let directory = self
                .read::<DirectoryState>(RecordKind::Run, &directory_key(name))
                .await?;
            let directory = directory.map(|found| found.value).unwrap_or_default();
            connectors.push(ConnectorStatus {
                connector: name.clone(),
                kind: connector.info().kind.clone(),
                roles: roles(connector.as_ref()),
                run: run.filter(|run| run.number > 0).map(RunStatus::of),
                last_complete_at: run.and_then(|run| run.last_complete_at),
                directory_read_at: directory.last_complete_at,
                last_error: run.and_then(|run| run.error.clone()).or(directory.error),
                next_scan_at: schedule.map(|found| found.value.next),
            });
        }
        Ok(TenantStatus {
            tenant: self.id().clone(),
            mode: self.shared.config.mode,
            connectors,
            open_findings: self.open_findings().await?,
            open_incidents: self.open_incidents_by_severity().await?,
            waiting_actions: self.waiting_actions().await?,
        })
    }

    async fn open_findings(&self) -> Result<BTreeMap<Severity, u64>> {
        let query = Query::all(RecordKind::Finding).in_states(OPEN_FINDINGS);
        let found = self.read_all::<Finding>(query).await?;
        Ok(count(
            found
                .into_iter()
                .map(|found| found.value.observation.severity),
        ))
    }

    async fn open_incidents_by_severity(&self) -> Result<BTreeMap<Severity, u64>> {
        let query = Query::all(RecordKind::Incident).in_states(OPEN_INCIDENTS);
        let found = self.read_all::<Incident>(query).await?;
        Ok(count(found.into_iter().map(|found| found.value.severity)))
    }

    async fn waiting_actions(&self) -> Result<BTreeMap<IntentState, u64>> {
        let states = [
            IntentState::Ready,
            IntentState::InFlight,
            IntentState::Unknown,
        ];
        let query = Query::all(RecordKind::Intent).in_states(&states.map(IntentState::as_str));
        let found = self.read_all::<Intent>(query).await?;
        Ok(count(found.into_iter().map(|found| found.value.state)))
    }
}

impl RunStatus {
    fn of(run: &Run) -> Self {
        Self {
            state: run.state,
            started_at: run.started_at,
            counts: run.counts.clone(),
            progress: run.progress,
        }
    }
}

fn roles(connector: &dyn Connector) -> Vec<String> {
    let roles = [
        ("scanner", connector.as_scanner().is_some()),
        ("directory", connector.as_directory().is_some()),
        ("remediator", connector.as_remediator().is_some()),
        ("sink", connector.as_sink().is_some()),
    ];
    let played = roles.into_iter().filter(|(_, plays)| *plays);
    played.map(|(role, _)| role.to_owned()).collect()
}

fn count<T: Ord>(things: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for thing in things {
        *counts.entry(thing).or_insert(0) += 1;
    }
    counts
}
