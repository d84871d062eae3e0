//! What the library talks about: data with serde, no I/O.
//!
//! The words are those of the field, one word for one thing. Everything here serialises to the
//! JSON that `--json`, Python and Node show, so a change of a field name is a breaking change.

mod account;
mod action;
mod actor;
mod artifact;
mod authority;
mod check;
mod employee;
mod event;
mod evidence;
mod finding;
mod hash;
mod id;
mod incident;
mod monitor;
mod month;
mod plan;
mod signal;
mod subject;
mod workflow;

pub use account::{Account, AccountRef, AccountState, Person, Protection};
pub use action::{
    Action, ActionKind, ActionTarget, EffectClass, Intent, IntentState, Outcome, OutcomeStatus,
};
pub use actor::{Actor, ActorKind, Approval};
pub use artifact::{Artifact, ArtifactKind};
pub use authority::{AccessLevel, Authority, ClientAccess, Permission, Role};
pub use check::{CheckResult, Confidence, NotEvaluatedReason, Reference, Severity, Verdict};
pub use employee::{
    Employee, Employment, EmploymentStatus, EmploymentType, Leaving, PrivateDetails,
};
pub use event::Event;
pub use evidence::EvidenceEntry;
pub use finding::{
    Acceptance, Attribution, Finding, FindingKind, FindingStatus, Observation, RejectedItem,
};
pub use hash::hash_fields;
#[cfg(feature = "engine")]
pub(crate) use hash::hex;
pub use id::{
    ActionId, Address, CheckId, ConnectionName, ConnectorName, EmployeeId, FindingId, IncidentId,
    PersonId, PlanId, TenantId, WorkflowId,
};
pub use incident::{Incident, IncidentStatus};
pub use monitor::{WatchCensus, WatchList, WatchedAddress};
pub use month::Month;
pub use plan::{ApprovedPlan, Guard, GuardDecision, Mode, Plan, PlannedAction, Preview};
pub use signal::Signal;
pub use subject::{Subject, SubjectKind};
pub use workflow::{
    AutomatedStep, Task, TaskStatus, TaskTemplate, Workflow, WorkflowKind, WorkflowStatus,
};

/// Free-form facts, in a stable order.
pub type Attributes = serde_json::Map<String, serde_json::Value>;
