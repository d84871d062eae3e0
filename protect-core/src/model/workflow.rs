use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account::AccountRef;
use super::action::{ActionKind, OutcomeStatus};
use super::actor::Actor;
use super::employee::Leaving;
use super::id::{ActionId, ConnectorName, EmployeeId, IncidentId, PlanId, TenantId, WorkflowId};

/// The tasks of an onboarding or offboarding, and where they stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workflow {
    /// The id.
    pub id: WorkflowId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Which of the two.
    pub kind: WorkflowKind,
    /// About whom.
    pub employee: EmployeeId,
    /// Where it stands.
    pub status: WorkflowStatus,
    /// Why it was started, without addresses.
    pub reason: String,
    /// The last day of an offboarding, the first of an onboarding.
    pub day: Date,
    /// The time zone that the day is counted in.
    pub time_zone: String,
    /// How they leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<Leaving>,
    /// When access ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_ends_at: Option<Timestamp>,
    /// What people do.
    pub tasks: Vec<Task>,
    /// What the engine does, on the same road as every other change.
    pub steps: Vec<AutomatedStep>,
    /// Directories that could not be read when it was looked at: whether there are accounts is not
    /// known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<ConnectorName>,
    /// When directories were last asked after access had ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// Its incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The plan that was made last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanId>,
    /// Who called it off, as long as the plan that takes back what was done is still to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_off: Option<CalledOff>,
    /// Whether every access is known to be gone.
    pub access_gone: bool,
    /// Who started it.
    pub started_by: Actor,
    /// The action that began it, or the key under which another product asked for it, where there was
    /// one: it begins nothing twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_by: Option<ActionId>,
    /// When.
    pub started_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// That a workflow was called off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CalledOff {
    /// By whom.
    pub by: Actor,
    /// Why, without addresses.
    pub reason: String,
}

/// Which sort of workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowKind {
    /// Somebody comes.
    Onboarding,
    /// Somebody leaves.
    Offboarding,
}

/// Where a workflow stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowStatus {
    /// Something is left to do.
    Open,
    /// Everything is done.
    Completed,
    /// Somebody called it off.
    Cancelled,
}

/// Something that a person does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// Counted from 1 within the workflow.
    pub number: u32,
    /// What to do.
    pub title: String,
    /// `orientation`, `equipment`, `it_setup`, or another word.
    pub category: String,
    /// Whose it is: `hr`, `manager`, `it`, or another word.
    pub assignee: String,
    /// By when.
    pub due: Date,
    /// Where it stands.
    pub status: TaskStatus,
    /// Who said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_by: Option<Actor>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
    /// What else they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// To be done.
    Open,
    /// Done.
    Done,
    /// Not needed.
    Skipped,
}

/// An action of the workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AutomatedStep {
    /// The action, also its intent's id once somebody approved it.
    pub action: ActionId,
    /// What it does.
    pub kind: ActionKind,
    /// To which account.
    pub account: AccountRef,
    /// Whether somebody consented to it.
    pub approved: bool,
    /// What came of it; `None` while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeStatus>,
    /// Why it waits, or why it came to nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl AutomatedStep {
    /// Whether the access it takes is known to be gone.
    pub const fn is_done(&self) -> bool {
        matches!(
            self.outcome,
            Some(OutcomeStatus::Applied | OutcomeStatus::AlreadySo)
        )
    }
}

/// A task before it is somebody's: from the configuration, or built in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskTemplate {
    /// What to do.
    pub title: String,
    /// `orientation`, `equipment`, `it_setup`, or another word.
    pub category: String,
    /// Whose it is: `hr`, `manager`, `it`, or another word.
    pub assignee: String,
    /// By when, in days from the last (or first) day: -5 is five days before.
    pub due: i32,
}

impl WorkflowKind {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Onboarding => "onboarding",
            Self::Offboarding => "offboarding",
        }
    }
}

impl WorkflowStatus {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Workflow {
    /// How many of its tasks are still to be done.
    pub fn tasks_left(&self) -> usize {
        let open = |task: &&Task| task.status == TaskStatus::Open;
        self.tasks.iter().filter(open).count()
    }

    /// The steps whose access is not known to be gone.
    pub fn steps_left(&self) -> impl Iterator<Item = &AutomatedStep> {
        self.steps.iter().filter(|step| !step.is_done())
    }
}
