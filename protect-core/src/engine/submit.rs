//! Evidence for compliance products: made from the store, planned and approved like any other action,
//! handed in when it changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Tenant;
use super::decide::{Wanted, routed};
use super::records::{message_about, message_group};
use super::scan::StoredVerdict;
use crate::connector::{Connector, Watches};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Action, ActionId, ActionKind, ActionTarget, Actor, Artifact, ArtifactKind, Attributes,
    ConnectorName, Finding, FindingKind, Incident, IncidentStatus, Intent, OutcomeStatus, Plan,
    Verdict,
};
use crate::store::{Query, RecordKind};

/// The parameters of a `submit_evidence` that say what is handed in.
const KIND: &str = "artifact";
const DIGEST: &str = "sha256";
const PERIOD: &str = "period";

impl Tenant {
    /// What there is to show, as it stands now.
    ///
    /// # Errors
    /// `store`.
    pub async fn artifacts(&self) -> Result<Vec<Artifact>> {
        let verdicts: Vec<StoredVerdict> = self
            .read_all(Query::all(RecordKind::Verdict))
            .await?
            .into_iter()
            .map(|verdict| verdict.value)
            .collect();
        let mut artifacts = Vec::new();
        for kind in [ArtifactKind::SspmScanResult, ArtifactKind::EmailAuthStatus] {
            artifacts.extend(self.verdicts_of(kind, &verdicts));
        }
        artifacts.extend(self.monitoring().await?);
        artifacts.extend(self.responses().await?);
        Ok(artifacts)
    }

    /// Plans to hand in what changed since it was last handed in, and what is about to run out. Changes
    /// nothing anywhere.
    ///
    /// # Errors
    /// `unsupported` where no connector takes evidence; `store`.
    pub async fn plan_evidence(&self) -> Result<Plan> {
        let kind = ActionKind::SubmitEvidence;
        let receivers = routed(self.config(), self.connectors(), kind);
        let receiver = receivers.first().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "no connector of this tenant takes evidence",
            )
            .with_context("tenant", self.id().as_str())
        })?;
        let mut wanted = Vec::new();
        for artifact in self.artifacts().await? {
            let Some(action) = self.submission(&artifact, &receiver.info().name).await? else {
                continue;
            };
            let delivery = self.delivery(&action, Some(&artifact)).await?;
            let declined = receiver.as_sink().map(|sink| sink.declines(&delivery));
            if let Some(Ok(Some(_))) = declined {
                continue;
            }
            wanted.push(Wanted {
                action,
                account: None,
                consent: Some("evidence leaves the organisation".to_owned()),
                refusal: None,
            });
        }
        self.make_plan(wanted, "evidence").await
    }

    /// The artifact that an action hands in, as it stands now; that of a rule is the record of its
    /// incident.
    ///
    /// # Errors
    /// `conflict` where there is none, or it changed since the action was approved: what was consented
    /// to is not there any more.
    pub(super) async fn submitted(&self, action: &Action) -> Result<Artifact> {
        let name = kind_of(action);
        let about = action.incident.as_ref().map_or("", |id| id.as_str());
        let of_kind =
            |artifact: &Artifact| artifact.kind.as_str() == name && artifact.about == about;
        let artifact = self.artifacts().await?.into_iter().find(of_kind);
        let digest = action.parameters.get(DIGEST).and_then(Value::as_str);
        let changed = || {
            Error::new(
                ErrorKind::Conflict,
                "there is no such evidence, or it changed since it was planned; plan it again",
            )
        };
        let artifact = artifact.ok_or_else(changed)?;
        match digest {
            Some(digest) if digest != artifact.sha256()? => Err(changed()),
            _ => Ok(artifact),
        }
    }

    /// The action that hands it in; `None` where it was handed in as it is, or waits to be.
    async fn submission(
        &self,
        artifact: &Artifact,
        connector: &ConnectorName,
    ) -> Result<Option<Action>> {
        let digest = artifact.sha256()?;
        let period = artifact.period(self.now());
        let mut parameters = Attributes::new();
        parameters.insert(KIND.to_owned(), artifact.kind.as_str().into());
        parameters.insert(DIGEST.to_owned(), digest.clone().into());
        parameters.insert(PERIOD.to_owned(), period.into());
        let incident = Some(&artifact.about).filter(|about| !about.is_empty());
        let mut action = Action {
            id: ActionId::of(self.id(), &[]),
            kind: ActionKind::SubmitEvidence,
            target: ActionTarget::Sink {
                connector: connector.clone(),
            },
            reason: artifact.title.clone(),
            requested_by: Actor::engine(),
            incident: incident.map(|about| about.parse()).transpose()?,
            undoes: None,
            lasts: None,
            parameters,
        };
        let earlier = self.earlier(&action, connector).await?;
        let last = earlier.iter().rfind(|intent| holds(intent));
        if last.is_some_and(|last| is_same(&last.action, &action)) {
            return Ok(None);
        }
        let reference = reference(&action);
        // A state that comes back after another one is handed in again: the number keeps them apart.
        let number = earlier.len().to_string();
        let parts = ["evidence", connector.as_str(), &reference, &digest, &number];
        action.id = ActionId::of(self.id(), &parts);
        Ok(Some(action))
    }

    /// What was done with the same artifact before, oldest first.
    async fn earlier(&self, action: &Action, connector: &ConnectorName) -> Result<Vec<Intent>> {
        let group = message_group(connector, &message_about(action));
        let query = Query::all(RecordKind::Intent).in_groups(vec![group]);
        let found = self.read_all::<Intent>(query).await?;
        let mut earlier: Vec<Intent> = found.into_iter().map(|intent| intent.value).collect();
        earlier.sort_by_key(|intent| intent.created_at);
        Ok(earlier)
    }

    /// What the checks decided last, by connector and check; nothing where none were decided.
    fn verdicts_of(&self, kind: ArtifactKind, verdicts: &[StoredVerdict]) -> Option<Artifact> {
        let is_mail = kind == ArtifactKind::EmailAuthStatus;
        let mut checks: Vec<_> = verdicts
            .iter()
            .filter(|verdict| match self.watches(&verdict.connector) {
                Watches::Mail => is_mail,
                Watches::Exposures => false,
                Watches::Settings => !is_mail,
            })
            .collect();
        checks
            .sort_by(|a, b| (&a.connector, &a.result.check).cmp(&(&b.connector, &b.result.check)));
        let passed = checks
            .iter()
            .filter(|it| it.result.verdict == Verdict::Pass);
        let failed = checks
            .iter()
            .filter(|it| it.result.verdict == Verdict::Fail);
        let content = json!({
            "passed": passed.count(),
            "failed": failed.count(),
            "checks": checks.iter().map(|it| shown(it)).collect::<Vec<_>>(),
        });
        (!checks.is_empty()).then(|| self.artifact(kind, "", content))
    }

    /// What is watched, and how many exposures stand where; nothing where nobody watches.
    async fn monitoring(&self) -> Result<Option<Artifact>> {
        let looks = |it: &Arc<dyn Connector>| it.capability().watches == Watches::Exposures;
        if !self.connectors().iter().any(looks) {
            return Ok(None);
        }
        let watched = self.watch_list().await?;
        let mut counts: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        let findings: Vec<Finding> = self.all(RecordKind::Finding).await?;
        for finding in &findings {
            if finding.observation.kind == FindingKind::CredentialExposure {
                let severity = counts
                    .entry(finding.observation.severity.as_str())
                    .or_default();
                *severity.entry(finding.status.as_str()).or_default() += 1;
            }
        }
        let content = json!({
            "domains": watched.domains,
            "watched_addresses": watched.addresses.len(),
            "exposures": counts,
        });
        Ok(Some(self.artifact(
            ArtifactKind::DarkWebMonitoringStatus,
            "",
            content,
        )))
    }

    /// One record for each leak whose answer is settled: contained, resolved or closed.
    async fn responses(&self) -> Result<Vec<Artifact>> {
        let incidents: Vec<Incident> = self.all(RecordKind::Incident).await?;
        let intents: Vec<Intent> = self.all(RecordKind::Intent).await?;
        let settled = incidents.iter().filter(|incident| {
            incident.kind == FindingKind::CredentialExposure
                && matches!(
                    incident.status,
                    IncidentStatus::Contained | IncidentStatus::Resolved | IncidentStatus::Closed
                )
        });
        Ok(settled
            .map(|incident| {
                let content = self.response(incident, &intents);
                let about = incident.id.as_str();
                self.artifact(ArtifactKind::CredentialResponseRecord, about, content)
            })
            .collect())
    }

    fn response(&self, incident: &Incident, intents: &[Intent]) -> Value {
        let is_part = |intent: &&Intent| {
            intent.action.incident.as_ref() == Some(&incident.id)
                && intent.action.kind != ActionKind::SubmitEvidence
        };
        let mut actions: Vec<_> = intents.iter().filter(is_part).collect();
        actions.sort_by_key(|intent| (intent.created_at, &intent.action.id));
        let actions: Vec<_> = actions
            .into_iter()
            .map(|intent| {
                json!({
                    "action": intent.action.kind,
                    "at": self.kind_of(intent.action.target.connector()),
                    "approved_by": intent.approved_by.kind,
                    "approved": intent.created_at,
                    "outcome": intent.outcome.as_ref().map(|outcome| outcome.status),
                    "known": intent.outcome.as_ref().map(|outcome| outcome.at),
                })
            })
            .collect();
        json!({
            "incident": incident.id,
            "severity": incident.severity,
            "status": incident.status,
            "opened": incident.opened_at,
            "findings": incident.findings.len(),
            "actions": actions,
        })
    }

    /// What a connector's checks are about; of one that is gone nobody can say more than that it had
    /// settings.
    fn watches(&self, connector: &ConnectorName) -> Watches {
        let connector = self.connector(connector).ok();
        connector
            .map(|it| it.capability().watches)
            .unwrap_or_default()
    }

    fn artifact(&self, kind: ArtifactKind, about: &str, content: Value) -> Artifact {
        let mut whole = json!({ "kind": kind, "tenant": self.id() });
        whole["content"] = content;
        Artifact {
            kind,
            about: about.to_owned(),
            title: format!("{}: {}", self.config().name, kind.title()),
            content: whole,
        }
    }

    async fn all<T: serde::de::DeserializeOwned>(&self, kind: RecordKind) -> Result<Vec<T>> {
        let found = self.read_all(Query::all(kind)).await?;
        Ok(found.into_iter().map(|versioned| versioned.value).collect())
    }
}

/// Whether it was handed in, or may still be.
fn holds(intent: &Intent) -> bool {
    let status = intent.outcome.as_ref().map(|outcome| outcome.status);
    matches!(
        status,
        None | Some(OutcomeStatus::Applied | OutcomeStatus::AlreadySo | OutcomeStatus::Unknown)
    )
}

/// Whether two hand in the same bytes for the same stretch of time.
fn is_same(one: &Action, other: &Action) -> bool {
    let of = |action: &Action, name: &str| action.parameters.get(name).cloned();
    [DIGEST, PERIOD]
        .iter()
        .all(|name| of(one, name) == of(other, name))
}

/// What an artifact is found by again: the next state of the same has the same reference.
pub(super) fn reference(action: &Action) -> String {
    let about = action.incident.as_ref().map_or("", |id| id.as_str());
    format!("{}:{about}", kind_of(action))
        .trim_end_matches(':')
        .to_owned()
}

fn kind_of(action: &Action) -> &str {
    let named = action.parameters.get(KIND).and_then(Value::as_str);
    named.unwrap_or(ArtifactKind::CredentialResponseRecord.as_str())
}

/// A verdict without the subjects, which may be people, and without the time.
fn shown(verdict: &StoredVerdict) -> Value {
    let result = &verdict.result;
    json!({
        "connector": verdict.connector,
        "check": result.check,
        "verdict": result.verdict,
        "not_evaluated": result.not_evaluated,
        "severity": result.severity,
        "affected": result.affected.len(),
        "references": result.references,
    })
}
