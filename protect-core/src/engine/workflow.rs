//! What the engine does for workflows: their intents, and a look at them once something was applied.

use std::collections::{BTreeSet, HashMap};

use super::{Step, Tenant};
use crate::error::Result;
use crate::model::{ActionId, Actor, Intent, IntentState, OutcomeStatus, WorkflowId};
use crate::store::{Query, RecordKind};

impl Tenant {
    /// The intents of some actions, where somebody approved them.
    pub(crate) async fn intents(&self, ids: &[ActionId]) -> Result<HashMap<ActionId, Intent>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let keys = ids.iter().map(ToString::to_string).collect();
        let found = self
            .read_all::<Intent>(Query::keys(RecordKind::Intent, keys))
            .await?;
        let by_id = |found: super::records::Versioned<Intent>| {
            let intent = found.value;
            (intent.action.id.clone(), intent)
        };
        Ok(found.into_iter().map(by_id).collect())
    }

    /// Calls off what was approved and not attempted. Gives whether it was called off.
    pub(crate) async fn call_off(
        &self,
        action: &ActionId,
        actor: &Actor,
        reason: &str,
    ) -> Result<bool> {
        let found = self
            .read::<Intent>(RecordKind::Intent, action.as_str())
            .await?;
        let Some(found) = found.filter(|found| found.value.state == IntentState::Ready) else {
            return Ok(false);
        };
        let expect = found.expect();
        let outcome = self.outcome(OutcomeStatus::Cancelled, reason);
        self.conclude(found.value, outcome, expect, actor).await?;
        Ok(true)
    }

    /// Looks after the workflows that were among these, or whose steps were.
    pub(super) async fn workflows_after(&self, steps: &[Step]) -> Result<()> {
        let named = steps.iter().filter_map(|step| step.action.workflow());
        let begun = steps.iter().filter_map(crate::people::begun_by);
        let ids: BTreeSet<&str> = named.chain(begun).collect();
        let ids = ids.into_iter().filter_map(|id| WorkflowId::new(id).ok());
        self.review_these(ids.collect::<Vec<_>>()).await?;
        Ok(())
    }
}
