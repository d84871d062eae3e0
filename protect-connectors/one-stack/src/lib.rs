#![doc = include_str!("docs.md")]

pub mod bus;
mod client;
pub mod compliance;
mod config;
mod conventions;
pub mod defend;
mod direct;
mod error;
pub mod events;
mod hr;
pub mod hub;
mod item;
mod key;
pub mod legal;
mod message;
pub mod oncall;
pub mod portal;
pub mod psa;
pub mod rmm;
pub mod security;
mod sso;
mod webhooks;

use std::sync::Arc;

use protect_core::connector::Connector;
use protect_core::registry::Registry;

pub use bus::Bus;
pub use client::{Access, Credential};
pub use compliance::Compliance;
pub use conventions::Conventions;
pub use defend::Defend;
pub use hub::Hub;
pub use legal::Legal;
pub use oncall::OnCall;
pub use portal::Portal;
pub use psa::Psa;
pub use rmm::Rmm;
pub use security::Security;

/// Adds every kind to a registry.
pub fn register(registry: &mut Registry) {
    registry.register(psa::spec(), |setup, context| {
        psa::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(security::spec(), |setup, context| {
        security::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(rmm::spec(), |setup, context| {
        rmm::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(compliance::spec(), |setup, context| {
        compliance::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(oncall::spec(), |setup, context| {
        oncall::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(hub::spec(), |setup, context| hub::build(&setup, context));
    registry.register(portal::spec(), |setup, context| {
        portal::build(&setup, context)
    });
    registry.register(hr::spec(), |setup, _| {
        hr::build(&setup).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(defend::spec(), |setup, context| {
        defend::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(legal::spec(), |setup, context| {
        legal::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
    registry.register(bus::spec(), |setup, context| {
        bus::build(&setup, context).map(|made| Arc::new(made) as Arc<dyn Connector>)
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protect_core::config::Config;
    use protect_core::engine::Engine;
    use protect_core::registry::Registry;
    use protect_core::store::MemoryStore;

    #[test]
    fn the_documented_configuration_makes_a_connector() {
        let docs = include_str!("docs.md");
        let (_, rest) = docs.split_once("```toml").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let mut registry = Registry::new();
        super::register(&mut registry);
        let config = Config::from_toml(example, &registry).unwrap();
        let context = protect_core::testing::context().context;
        let engine = Engine::builder(config, registry, context);
        let engine = engine.build(Arc::new(MemoryStore::new())).unwrap();
        assert_eq!(engine.tenant("acme").unwrap().connectors().len(), 1);
    }
}
