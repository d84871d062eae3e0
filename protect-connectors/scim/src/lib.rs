#![doc = include_str!("docs.md")]

mod api;
mod client;
mod config;
mod connector;
mod directory;
mod error;
mod model;
mod operations;
mod remediate;
mod wire;

pub use client::{Scim, ScimBuilder};
pub use config::{ActiveAs, PatchStyle, register};
pub use connector::ScimConnector;
pub use model::{ServiceProviderConfig, User, UserPage};
pub use operations::{CLASS, OPERATIONS, connect};

/// The kind's name in the configuration, and the provider's in accounts.
pub const KIND: &str = "scim";
