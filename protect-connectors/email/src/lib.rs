#![doc = include_str!("docs.md")]

pub mod name;
pub mod resolve;
pub mod spf;

/// The kind, as it stands in the configuration.
pub const KIND: &str = "email";
