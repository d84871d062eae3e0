#![doc = include_str!("docs.md")]

mod api;
mod client;
mod config;
mod error;
mod key;
mod model;
mod operations;
mod sink;
mod wire;

pub use client::{Stripe, StripeBuilder};
pub use config::register;
pub use key::KeyMode;
pub use model::{Meter, MeterEvent, UsageTotal};
pub use operations::{CLASS, OPERATIONS, connect};

/// The kind, as it stands in the configuration.
pub const KIND: &str = "stripe";

/// The root of Stripe's API.
pub const API: &str = "https://api.stripe.com";

/// The meter's event name unless the configuration says another.
pub const EVENT_NAME: &str = "protect_monitored_users";
