//! Google Workspace connector of protect: how a customer is set up, judged from what Google's interfaces
//! answered.
#![doc = include_str!("docs.md")]
#![doc = include_str!("checks.md")]

mod actions;
mod admins;
mod api;
mod auth;
mod calls;
pub mod checks;
mod client;
mod collect;
mod config;
mod connector;
mod detections;
mod directory;
mod doctor;
mod endpoints;
mod error;
mod happened;
mod history;
mod key;
mod model;
mod operations;
mod questions;
mod remediate;
mod scan;
mod scope;
mod settings;
mod signals;
mod spec;
mod streams;
mod time;
mod views;
mod wire;
mod workspace;

pub use checks::CATALOGUE;
pub use client::{Google, GoogleBuilder};
pub use connector::GoogleConnector;
pub use key::JwtSigner;
pub use model::{
    Activity, ActivityEvent, Alert, AppPassword, Domain, Grant, Group, NewPassword, OrgUnit, Page,
    Role, RoleAssignment, Usage, User, UserPage,
};
pub use operations::{CLASS, OPERATIONS, connect};
use protect_core::connector::Detection;
use protect_core::model::CheckResult;
use protect_core::posture::{Evaluation, Profile, Snapshot, reference_markdown};
pub use signals::signals;
pub use spec::register;
pub use workspace::FORMAT;

/// The kind's name in the configuration.
pub const KIND: &str = "google";

/// Every check of [`CATALOGUE`], decided over a snapshot, and what the logs in it tell of, a `fail` for
/// each thing that happened. No I/O but the snapshot's own files, and no
/// clock but its `collected_at`.
///
/// ```
/// # fn main() -> protect_core::Result<()> {
/// use protect_core::posture::{Profile, Snapshot};
///
/// let text = r#"{
///     "provider": "google", "customer_id": "C01", "collected_at": "2026-11-01T00:00:00Z",
///     "granted": ["https://www.googleapis.com/auth/admin.reports.audit.readonly"],
///     "activities": { "admin": { "items": [{
///         "id": { "time": "2026-10-01T00:00:00Z", "uniqueQualifier": "1" },
///         "events": [{ "name": "TOGGLE_CAA_ENABLEMENT", "parameters": [
///             { "name": "NEW_VALUE", "value": "ENABLED" }
///         ] }]
///     }] } }
/// }"#;
/// let snapshot = Snapshot::parse(text, &protect_google::FORMAT)?;
/// let results = protect_google::evaluate(&snapshot, &Profile::scuba());
/// let passed: Vec<_> = results
///     .iter()
///     .filter(|result| result.not_evaluated.is_none())
///     .map(|result| result.check.as_str())
///     .collect();
/// assert_eq!(passed, ["google.auth.context_aware_access"]);
/// # Ok(())
/// # }
/// ```
pub fn evaluate(snapshot: &Snapshot, profile: &Profile) -> Vec<CheckResult> {
    Evaluation::new(&CATALOGUE, snapshot, profile).evaluate()
}

/// Every detection with the limits that hold where nobody tunes them, over what [`signals()`] makes.
pub fn detections() -> Vec<Box<dyn Detection>> {
    detections::all(&config::Options::default())
}

/// The scopes that the product asks for, all of them to read.
pub const PERMISSIONS: &[&str] = &[
    "https://www.googleapis.com/auth/admin.directory.user.readonly",
    "https://www.googleapis.com/auth/admin.directory.domain.readonly",
    "https://www.googleapis.com/auth/admin.reports.audit.readonly",
];

/// The reference of the checks, as it stands in the crate's documentation: made from [`CATALOGUE`].
pub fn checks_markdown() -> String {
    reference_markdown(&CATALOGUE, PERMISSIONS)
}
