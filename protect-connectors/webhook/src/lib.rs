#![doc = include_str!("docs.md")]

mod client;
mod config;
mod inbound;
mod signature;
mod sink;
mod verify;
mod wire;

pub use client::{Format, Item, Webhook};
pub use config::register;
pub use verify::{VerifiedMessage, verify};

/// The kind, as it stands in the configuration.
pub const KIND: &str = "webhook";
