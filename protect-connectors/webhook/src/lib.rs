#![doc = include_str!("docs.md")]

mod client;
mod config;
mod sink;
mod wire;

pub use client::{Item, Webhook};
pub use config::register;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "webhook";
