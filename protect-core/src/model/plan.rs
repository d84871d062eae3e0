use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Attributes;
use super::action::Action;
use super::actor::Approval;
use super::id::{PlanId, TenantId};

/// Whether anything may be changed at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Plan and show; change nothing.
    #[default]
    DryRun,
    /// Apply what was approved.
    Enforce,
}

/// Actions with a preview and a guard verdict each. Planning changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The hash of the content (tenant, actions, previews, verdicts).
    pub id: PlanId,
    /// Whose plan it is.
    pub tenant: TenantId,
    /// Whether it can be applied or only shown.
    pub mode: Mode,
    /// What would be done, in order.
    pub actions: Vec<PlannedAction>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One action of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedAction {
    /// The change.
    pub action: Action,
    /// The state now and after.
    pub preview: Preview,
    /// What the guards say.
    pub guard: Guard,
}

/// What an action would do, read without changing anything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Preview {
    /// The state now.
    pub before: Attributes,
    /// The state after.
    pub after: Attributes,
    /// Whether it is that way already.
    pub already_so: bool,
    /// Why the target must not be changed, where the vendor says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<super::Protection>,
}

/// What the guards say of an action, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Guard {
    /// The verdict.
    pub decision: GuardDecision,
    /// Why, for people; empty for a plain `allow`.
    pub reasons: Vec<String>,
}

/// A guard's verdict; of several guards the strictest counts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GuardDecision {
    /// May run without anybody's consent.
    Allow,
    /// Somebody must consent first.
    NeedsApproval,
    /// Must not run.
    Refuse,
}

/// A plan somebody consented to: the only thing that can be applied.
///
/// It is made by the engine's `approve`, which checks the actor and stores the approval; nothing
/// else makes one.
#[derive(Clone, Debug)]
pub struct ApprovedPlan {
    plan: Plan,
    approval: Approval,
}

impl ApprovedPlan {
    /// Joins a plan with the approval of it.
    #[cfg_attr(
        not(feature = "engine"),
        expect(dead_code, reason = "the engine makes these")
    )]
    pub(crate) fn new(plan: Plan, approval: Approval) -> Self {
        Self { plan, approval }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The consent.
    pub fn approval(&self) -> &Approval {
        &self.approval
    }
}
