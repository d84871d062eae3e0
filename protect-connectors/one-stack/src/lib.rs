#![doc = include_str!("docs.md")]

pub mod bus;
mod client;
pub mod compliance;
mod config;
mod conventions;
mod direct;
mod error;
mod item;
mod key;
mod message;
pub mod oncall;
pub mod psa;
pub mod security;

use std::sync::Arc;

use protect_core::connector::Connector;
use protect_core::registry::Registry;

pub use bus::Bus;
pub use client::{Access, Credential};
pub use compliance::Compliance;
pub use conventions::Conventions;
pub use oncall::OnCall;
pub use psa::Psa;
pub use security::Security;

/// Adds every kind to a registry.
pub fn register(registry: &mut Registry) {
    registry.register(psa::spec(), |setup, context| {
        psa::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(security::spec(), |setup, context| {
        security::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(compliance::spec(), |setup, context| {
        compliance::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(oncall::spec(), |setup, context| {
        oncall::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(bus::spec(), |setup, context| {
        bus::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
}
