//! Email authentication: whether mail in a domain's name can be forged, and what to publish so that it cannot.
#![doc = include_str!("docs.md")]

pub mod checks;
pub mod dkim;
pub mod dmarc;
pub mod name;
pub mod resolve;
pub mod score;
pub mod spf;
mod tags;
pub mod transport;

pub use tags::{Problem, RecordIssue, Tag};

/// The kind, as it stands in the configuration.
pub const KIND: &str = "email";
