//! A connector that is no part of protect: door badges.
//!
//! It depends on `protect-core` alone, so it can live in a repository of its own. A program that
//! wants it adds it to the kinds it knows:
//!
//! ```
//! let mut registry = protect_core::registry::Registry::new();
//! protect_example_connector::register(&mut registry);
//! assert!(registry.spec("badge").is_some());
//! ```
//!
//! With the facade crate that is `Protect::builder().register(protect_example_connector::register)`.
//! From then on the configuration may say:
//!
//! ```toml
//! [connections.doors]
//! kind = "badge"
//! endpoints = { api = "https://badges.example" }
//! scan = { token = { env = "BADGE_READ_TOKEN" } }
//! respond = { token = { env = "BADGE_WRITE_TOKEN" } }
//! tenants = ["acme"]
//!
//! [tenants.acme.connectors.doors]
//! connection = "doors"
//! ```
//!
//! A connector is four small things: what it may be given (`spec`), a client with one function for
//! each endpoint (`client`), the vendor's JSON (`wire`), and the roles it plays. This one
//! lists who has a badge (Directory), finds badges of people who left (Scanner), and blocks and
//! unblocks badges (Remediator).

mod client;
mod roles;
mod wire;

use std::sync::Arc;

use protect_core::Context;
use protect_core::Result;
use protect_core::config::{CredentialSpec, EndpointSpec, KindSpec};
use protect_core::connector::Connector;
use protect_core::registry::{ConnectorSetup, Registry};

use crate::client::Badges;
pub use crate::roles::BadgeConnector;

/// The kind's name in the configuration, and the provider's in subjects and accounts.
pub const KIND: &str = "badge";

/// Adds the kind to a registry.
pub fn register(registry: &mut Registry) {
    registry.register(spec(), |setup, context| {
        Ok(Arc::new(build(&setup, context)?) as Arc<dyn Connector>)
    });
}

/// What the configuration may say. The check of the configuration, its JSON Schema and its
/// reference page come from this.
fn spec() -> KindSpec {
    let token = |docs: &str| CredentialSpec::new().secret("token", docs);
    KindSpec::new(
        KIND,
        "Door badges: who has one, and whether it opens doors.",
    )
    .endpoint(EndpointSpec::new("api", "Root of the badge system's API.").required())
    .scan(token("A token that may read."))
    .respond(token("A token that may block and unblock."))
}

/// Reads the configuration and makes the connector. No I/O; a secret stays a reference until the
/// first request.
fn build(setup: &ConnectorSetup, context: &Context) -> Result<BadgeConnector> {
    // `setup.error` names tenant, connector and connection by itself.
    let missing = |field: &'static str| setup.error(field, "a badge connector needs this");
    let (_, connection) = setup
        .connection
        .as_ref()
        .ok_or_else(|| missing("connection"))?;
    let api = connection
        .endpoints
        .get("api")
        .ok_or_else(|| missing("endpoints.api"))?;
    let client = |token| {
        Badges::new(context, api, token)
            .map_err(|error| setup.error("endpoints.api", error.message()))
    };
    let scan = connection
        .scan_secret("token")
        .ok_or_else(|| missing("scan.token"))?;
    // Without a second credential nothing can be changed, whatever the rules say.
    let respond = connection.respond_secret("token").map(client).transpose()?;
    Ok(BadgeConnector::new(
        setup.info.clone(),
        client(scan)?,
        respond,
    ))
}

#[cfg(test)]
mod tests;
