//! Email authentication: whether mail in a domain's name can be forged, and what to publish so that it cannot.
#![doc = include_str!("docs.md")]

mod audit;
pub mod checks;
mod config;
mod connector;
pub mod dkim;
pub mod dmarc;
mod gate;
pub mod name;
mod propose;
pub mod reports;
pub mod resolve;
mod scan;
pub mod score;
pub mod spf;
mod tags;
pub mod transport;

pub use audit::{AT_ONCE, AuditOptions, DomainAudit, audit, audit_all, auditable};
pub use connector::{EmailConnector, register};
pub use gate::{CLASS, OPERATIONS, connect};
pub use propose::{Proposal, PublishedAs};
pub use spf::SpfAudit;
pub use tags::{Problem, RecordIssue, Tag};

/// The kind, as it stands in the configuration.
pub const KIND: &str = "email";
