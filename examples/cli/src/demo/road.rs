//! The road, walked once: scan, plan, approve, apply.

use protect_connectors::core::Result;
use protect_connectors::core::engine::{
    FindingFilter, IncidentFilter, ScanOptions, ScanSummary, Step,
};
use protect_connectors::core::model::{
    AccountRef, ActionTarget, Actor, Approval, Finding, FindingStatus, Incident, Plan,
};
use serde::Serialize;

use super::stage::Stage;
use crate::exit::Exit;
use crate::output::Output;
use crate::progress::Progress;
use crate::words;

/// Who consents.
pub(super) const APPROVER: &str = "bob";

/// What a scan left behind.
#[derive(Serialize)]
pub(super) struct Found {
    pub(super) scan: ScanSummary,
    pub(super) findings: Vec<Finding>,
    pub(super) incidents: Vec<Incident>,
}

/// What was decided and done about it.
#[derive(Serialize)]
pub(super) struct Done {
    pub(super) plan: Plan,
    pub(super) approval: Option<Approval>,
    pub(super) steps: Vec<Step>,
}

/// Scans everything and lists what is open, the worst first.
pub(super) async fn look(stage: &Stage, output: Output) -> Result<Found> {
    let progress = Progress::start(output, "scanning");
    let options = ScanOptions {
        forced: true,
        progress: Some(progress.of_scan()),
        ..ScanOptions::default()
    };
    let scan = stage.tenant.scan_with(options).await?;
    drop(progress);
    let filter = FindingFilter {
        statuses: vec![FindingStatus::New, FindingStatus::Acknowledged],
        limit: Some(usize::MAX),
        ..FindingFilter::default()
    };
    let mut findings = stage.tenant.findings(&filter).await?.findings;
    findings.sort_by(|a, b| {
        let worst_first = b.observation.severity.cmp(&a.observation.severity);
        worst_first.then_with(|| a.observation.subject.cmp(&b.observation.subject))
    });
    let mut incidents = stage.tenant.incidents(&IncidentFilter::default()).await?;
    incidents.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.id.cmp(&b.id)));
    Ok(Found {
        scan,
        findings,
        incidents,
    })
}

/// Plans what the rules want, has it approved, applies it, and whatever else waits.
pub(super) async fn act(stage: &Stage, plan: Plan, output: Output) -> Result<Done> {
    let tenant = &stage.tenant;
    if plan.actions.is_empty() {
        let steps = tenant.apply_waiting().await?;
        return Ok(Done {
            plan,
            approval: None,
            steps,
        });
    }
    let progress = Progress::start(output, "applying");
    let approved = tenant
        .approve(plan.clone(), &Actor::unverified(APPROVER))
        .await?;
    let approval = approved.approval().clone();
    let steps = tenant.apply(approved).await?;
    drop(progress);
    Ok(Done {
        plan,
        approval: Some(approval),
        steps,
    })
}

/// Hands evidence in at Compliance, with somebody's consent.
pub(super) async fn hand_in(stage: &Stage, output: Output) -> Result<Done> {
    let plan = stage.tenant.plan_evidence().await?;
    act(stage, plan, output).await
}

/// The account that a step was about, if one.
pub(super) fn account_of(step: &Step) -> Option<&AccountRef> {
    match &step.action.target {
        ActionTarget::Account(account) => Some(account),
        ActionTarget::Setting { .. } | ActionTarget::Sink { .. } => None,
    }
}

impl Found {
    /// New findings and those that came back.
    pub(super) fn new_findings(&self) -> u64 {
        let counts = self.scan.connectors.iter().map(|scan| &scan.counts);
        counts.map(|counts| counts.new + counts.reopened).sum()
    }

    pub(super) fn exit(&self) -> Exit {
        Exit::trouble(!self.scan.complete)
    }
}

impl Done {
    pub(super) fn exit(&self) -> Exit {
        words::exit_of(&self.steps, false)
    }
}
