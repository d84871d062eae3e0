//! 1Password connector of protect: Users API and Events API.
#![doc = include_str!("docs.md")]

mod config;
mod credential;
mod detections;
mod error;
mod model;
mod signals;
mod wire;

pub use config::{ApiVersion, Region, Thresholds};
pub use credential::Credential;
pub use model::{
    AuditEvent, ClientInfo, EventPage, Introspection, ItemUsage, Location, Session, SignInAttempt,
    SignInDetails, User, UserFilter, UserInfo, UserPage, UserState,
};

/// The kind's name in the configuration, and the provider's in subjects and accounts.
pub const KIND: &str = "onepassword";
