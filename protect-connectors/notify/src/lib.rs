#![doc = include_str!("docs.md")]

mod chat;
mod client;
mod config;
mod format;
mod mail;
mod notice;
mod operations;
mod sink;
mod smtp;
mod wire;

pub use client::{Notify, NotifyBuilder};
pub use config::register;
pub use format::ChatFormat;
pub use notice::{Notice, Sent};
pub use operations::{CLASS, OPERATIONS, connect};

/// The kind, as it stands in the configuration.
pub const KIND: &str = "notify";
