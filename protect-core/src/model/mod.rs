//! What the library talks about: data with serde, no I/O.
//!
//! The words are those of the field, one word for one thing. Everything here serialises to the
//! JSON that `--json`, Python and Node show, so a change of a field name is a breaking change.

mod account;
mod action;
mod actor;
mod artifact;
mod authority;
mod certification;
mod check;
mod employee;
mod event;
mod evidence;
mod finding;
mod hash;
mod id;
mod incident;
mod insider;
mod monitor;
mod month;
mod people_role;
mod personnel;
mod plan;
mod policy;
mod signal;
mod subject;
mod time_off;
mod workflow;

pub use account::{Account, AccountRef, AccountState, Person, Protection};
pub use action::{
    Action, ActionKind, ActionTarget, EffectClass, Intent, IntentState, Outcome, OutcomeStatus,
};
pub use actor::{Actor, ActorKind, Approval};
pub use artifact::{Artifact, ArtifactKind};
pub use authority::{AccessLevel, Authority, ClientAccess, Permission, Role};
pub use certification::{Certification, CertificationStatus};
pub use check::{CheckResult, Confidence, NotEvaluatedReason, Reference, Severity, Verdict};
pub use employee::{
    Employee, Employment, EmploymentStatus, EmploymentType, Gone, Leaving, PrivateDetails,
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
    ActionId, Address, CertificationId, CheckId, ConnectionName, ConnectorName, EmployeeId,
    FindingId, IncidentId, InsiderSignalId, PersonId, PlanId, TenantId, TimeOffId, WorkflowId,
};
pub use incident::{Incident, IncidentStatus};
pub use insider::{InsiderSignal, InsiderStatus, SignalSeverity};
pub use monitor::{WatchCensus, WatchList, WatchedAddress};
pub use month::Month;
pub use people_role::PeopleRole;
pub use personnel::{PersonnelKind, PersonnelRecord};
pub use plan::{ApprovedPlan, Guard, GuardDecision, Mode, Plan, PlannedAction, Preview};
pub use policy::{Acknowledgement, AcknowledgementStatus, Policy, PolicyStanding};
pub use signal::Signal;
pub use subject::{Subject, SubjectKind};
pub use time_off::{LeaveType, TimeOff, TimeOffBalance, TimeOffStatus};
pub use workflow::{
    AutomatedStep, CalledOff, Task, TaskStatus, TaskTemplate, Workflow, WorkflowKind,
    WorkflowStatus,
};

/// Free-form facts, in a stable order.
pub type Attributes = serde_json::Map<String, serde_json::Value>;
