//! The workforce: who works here, who comes, who leaves, and that access ends when it should.
//!
//! Records of employees are versioned records like every other; there is no second road: an
//! offboarding is an incident whose plan revokes access everywhere, approved and applied like any
//! other plan. What people do by hand are the tasks of the workflow.

mod access;
mod acknowledgement;
mod aloud;
mod calling_off;
mod certification;
mod change;
mod chart;
mod desk;
mod event;
mod export;
mod import;
mod input;
mod insider;
mod lifecycle;
mod notice;
mod personnel;
mod plan;
mod policies;
mod profile;
mod reach;
mod records;
mod register;
mod remediator;
mod remind;
mod review;
mod role;
mod serve;
mod sign_in;
mod sync;
mod template;
mod time;
mod time_off;
mod watching;
mod workforce;

pub use crate::publisher::PolicyInput;
#[cfg(feature = "report")]
pub(crate) use access::OPEN;
pub use certification::CertificationStanding;
pub use chart::{OrgChart, OrgNode};
pub use desk::WorkforceAs;
pub use import::{ImportOptions, Imported};
pub use input::EmployeeInput;
pub use lifecycle::{NewOffboarding, NewOnboarding, Started, StartedMany, TaskChange};
pub use policies::{PolicyOfEmployee, PolicySignature};
pub use profile::ProfileEdit;
pub(crate) use remediator::{begun_by, built_in};
pub use role::{PeopleOperation, PeopleRole, Reach};
pub use serve::routes;
pub use sync::Synced;
pub use time_off::{NewTimeOff, TimeOffFilter};
pub use workforce::EmployeeFilter;
