//! Contracts, model and engine of protect.
pub mod auth;
pub mod authenticate;
pub mod burst;
pub mod clock;
pub mod cloud_event;
pub mod config;
pub mod connector;
pub mod context;
#[cfg(feature = "engine")]
mod csv_table;
pub mod dns;
#[cfg(feature = "engine")]
pub mod engine;
pub mod errand;
mod error;
pub mod handover;
pub mod http;
pub mod inbound;
#[cfg(feature = "engine")]
pub mod ledger;
pub mod listing;
pub mod model;
pub mod operation;
pub mod password;
#[cfg(feature = "people")]
pub mod people;
pub mod posture;
pub mod publisher;
pub mod registry;
pub mod remedy;
#[cfg(feature = "report")]
pub mod report;
pub mod secret;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use context::{Context, Random};
pub use error::{Error, ErrorEnvelope, ErrorKind, Result, Retry};

#[cfg(all(feature = "engine", any(test, feature = "testing")))]
pub(crate) use testing::kill_point;

/// Where a test can have the process killed; nothing in any other build.
#[cfg(all(feature = "engine", not(any(test, feature = "testing"))))]
pub(crate) fn kill_point(_name: &str) {}
