#![doc = include_str!("docs.md")]

/// The kind, as it stands in the configuration.
pub const KIND: &str = "email";

pub mod reports;
