//! Closer watching of somebody who leaves: it ends with the offboarding that began it, by itself. The
//! consent to it was for that time, so that its end needs no other.

use super::plan::ends_access;
use crate::engine::{Tenant, put_intent};
use crate::error::Result;
use crate::model::{
    ActionKind, Actor, AutomatedStep, Intent, IntentState, OutcomeStatus, Workflow,
};
use crate::store::{Commit, Expect};

/// Why it ends.
const OVER: &str = "the offboarding is over";

impl Tenant {
    /// Has closer watching ended that a workflow began which is over: one intent for each, in the same
    /// transaction as the workflow that names it.
    pub(super) async fn end_watching(
        &self,
        workflow: &mut Workflow,
        commit: &mut Commit,
    ) -> Result<()> {
        let begun: Vec<AutomatedStep> = workflow
            .steps
            .iter()
            .filter(|step| is_begun(step))
            .cloned()
            .collect();
        for step in begun {
            if end_of(workflow, &step).is_some() {
                continue;
            }
            let action = [step.action.clone()];
            let Some(intent) = self.intents(&action).await?.remove(&step.action) else {
                continue;
            };
            let action = self.undoing(&intent, Actor::engine(), OVER)?;
            workflow.steps.push(AutomatedStep {
                action: action.id.clone(),
                kind: action.kind,
                account: step.account.clone(),
                approved: true,
                outcome: None,
                reason: String::new(),
            });
            let ends = Intent {
                plan: intent.plan,
                approved_by: intent.approved_by,
                approval_expires_at: jiff::Timestamp::MAX,
                state: IntentState::Ready,
                attempts: 0,
                last_error: None,
                outcome: None,
                created_at: self.now(),
                undo_at: None,
                action,
            };
            let facts = self.action_facts(&ends).await?;
            let entry = self.entry("action.ends", &Actor::engine(), facts);
            let put = put_intent(&ends, Expect::Absent)?;
            *commit = std::mem::take(commit).put(put).append(entry);
        }
        Ok(())
    }
}

/// Whether somebody is watched for a workflow, or may be, or nobody knows yet that it ended.
pub(super) fn is_watched(workflow: &Workflow) -> bool {
    let steps = || workflow.steps.iter();
    let is_open = |step: &AutomatedStep| match end_of(workflow, step) {
        None => true,
        Some(end) => matches!(end.outcome, None | Some(OutcomeStatus::Unknown)),
    };
    steps().filter(|step| may_watch(step)).any(is_open)
}

/// Whether the step had somebody watched.
fn is_begun(step: &AutomatedStep) -> bool {
    step.kind == ActionKind::ElevateMonitoring && step.is_done()
}

/// The same, or it may yet.
fn may_watch(step: &AutomatedStep) -> bool {
    let is_underway = matches!(step.outcome, None | Some(OutcomeStatus::Unknown));
    step.kind == ActionKind::ElevateMonitoring && (step.is_done() || (step.approved && is_underway))
}

fn end_of<'a>(workflow: &'a Workflow, begun: &AutomatedStep) -> Option<&'a AutomatedStep> {
    workflow
        .steps
        .iter()
        .find(|step| step.kind == ActionKind::EndMonitoring && step.account == begun.account)
}

/// What it means for people that a step came to nothing.
pub(super) fn says(step: &AutomatedStep, state: &str) -> String {
    let (kind, connector) = (step.kind, &step.account.connector);
    match kind {
        ActionKind::ElevateMonitoring => {
            format!("Closer watching did not begin: {kind} at {connector} is {state}")
        }
        ActionKind::EndMonitoring => {
            format!("Closer watching did not end: {kind} at {connector} is {state}")
        }
        _ => {
            debug_assert!(ends_access(kind));
            format!("Access was not revoked: {kind} at {connector} is {state}")
        }
    }
}
