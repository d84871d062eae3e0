//! Microsoft 365 connector of protect: how a tenant is set up, judged from what Microsoft Graph
//! answered.
#![doc = include_str!("docs.md")]
#![doc = include_str!("checks.md")]

mod actions;
mod api;
mod auth;
mod batch;
mod calls;
pub mod checks;
mod client;
mod collect;
mod config;
mod connector;
mod consent;
mod detections;
mod directory;
mod doctor;
mod endpoints;
mod error;
mod graph;
mod happened;
mod holders;
mod id;
mod iso;
mod model;
mod objects;
mod operations;
mod questions;
mod remediate;
mod report;
mod scan;
mod signals;
mod spec;
mod streams;
mod vault;
mod views;

pub use checks::CATALOGUE;
pub use client::{M365, M365Builder};
pub use config::Cloud;
pub use connector::M365Connector;
pub use graph::FORMAT;
pub use model::{
    Alert, AuthenticationMethod, Device, DirectoryAudit, Grant, InitiatingApp, InitiatingUser,
    Initiator, Location, NewPassword, Page, RiskDetection, RiskyUser, RoleAssignment, SecureScore,
    SignIn, SignInStatus, TargetResource, TemporaryAccessPass, User, UserConsent, UserPage,
};
pub use operations::{CLASS, OPERATIONS, connect};
use protect_core::model::CheckResult;
use protect_core::posture::{Evaluation, Profile, Snapshot, reference_markdown};
pub use spec::register;

pub use vault::KeyVaultSecrets;

/// The kind's name in the configuration.
pub const KIND: &str = "m365";

/// Every check of [`CATALOGUE`], decided over a snapshot, and what the logs in it tell of, a `fail` for
/// each thing that happened. No I/O but the snapshot's own files, and no
/// clock but its `collected_at`.
///
/// ```
/// # fn main() -> protect_core::Result<()> {
/// use protect_core::posture::{Profile, Snapshot};
///
/// let text = r#"{
///     "provider": "m365", "tenant_id": "t", "collected_at": "2026-11-01T00:00:00Z",
///     "granted": ["Policy.Read.All"],
///     "resources": { "/policies/adminConsentRequestPolicy": { "isEnabled": true } }
/// }"#;
/// let snapshot = Snapshot::parse(text, &protect_m365::FORMAT)?;
/// let results = protect_m365::evaluate(&snapshot, &Profile::scuba());
/// let passed: Vec<_> = results
///     .iter()
///     .filter(|result| result.not_evaluated.is_none())
///     .map(|result| result.check.as_str())
///     .collect();
/// assert_eq!(passed, ["m365.app.admin_consent_workflow"]);
/// # Ok(())
/// # }
/// ```
pub fn evaluate(snapshot: &Snapshot, profile: &Profile) -> Vec<CheckResult> {
    Evaluation::new(&CATALOGUE, snapshot, profile).evaluate()
}

/// The permissions that the product asks for, all of them to read.
pub const PERMISSIONS: &[&str] = &[
    "Directory.Read.All",
    "Policy.Read.All",
    "SecurityEvents.Read.All",
    "Reports.Read.All",
];

/// The reference of the checks, as it stands in the crate's documentation: made from [`CATALOGUE`].
pub fn checks_markdown() -> String {
    reference_markdown(&CATALOGUE, PERMISSIONS)
}
