//! Contracts, model and engine of protect.
pub mod auth;
pub mod clock;
pub mod config;
pub mod connector;
pub mod context;
pub mod dns;
mod error;
pub mod http;
pub mod model;
pub mod operation;
pub mod registry;
pub mod secret;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use context::{Context, Random};
pub use error::{Error, ErrorEnvelope, ErrorKind, Result, Retry};
