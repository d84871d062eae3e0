//! Which kinds of connector there are: an explicit map, no code that runs before `main`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::config::{ConnectionConfig, KindSpec};
use crate::connector::{Connector, ConnectorInfo};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ConnectionName;

/// What a connector is made from.
#[derive(Clone, Debug)]
pub struct ConnectorSetup {
    /// What it will be.
    pub info: ConnectorInfo,
    /// The connection it uses, where its kind needs one.
    pub connection: Option<(ConnectionName, ConnectionConfig)>,
    /// The tenant's settings for it.
    pub settings: Map<String, Value>,
}

impl ConnectorSetup {
    /// An error about a field of this connector, naming tenant, connector and connection.
    pub fn error(&self, field: impl Into<String>, message: impl Into<String>) -> Error {
        let mut error = Error::config(field, message)
            .with_context("tenant", self.info.tenant.as_str())
            .with_context("connector", self.info.name.as_str());
        if let Some((name, _)) = &self.connection {
            error = error.with_context("connection", name.as_str());
        }
        error
    }
}

/// Makes a connector. Does all of the validation and no I/O.
pub type Factory =
    Arc<dyn Fn(ConnectorSetup, &Context) -> Result<Arc<dyn Connector>> + Send + Sync>;

/// The kinds of connector a program knows.
#[derive(Clone, Default)]
pub struct Registry {
    kinds: BTreeMap<String, (KindSpec, Factory)>,
}

impl Registry {
    /// A registry without any kind.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind, or replaces the one of that name. A plain name stands for a kind that needs no
    /// connection and takes no settings.
    pub fn register<F>(&mut self, spec: impl Into<KindSpec>, factory: F)
    where
        F: Fn(ConnectorSetup, &Context) -> Result<Arc<dyn Connector>> + Send + Sync + 'static,
    {
        let spec = spec.into();
        self.kinds
            .insert(spec.name.clone(), (spec, Arc::new(factory)));
    }

    /// What a kind may be given in the configuration.
    pub fn spec(&self, kind: &str) -> Option<&KindSpec> {
        self.kinds.get(kind).map(|(spec, _)| spec)
    }

    /// What every kind may be given, sorted by name.
    pub fn specs(&self) -> impl Iterator<Item = &KindSpec> + Clone {
        self.kinds.values().map(|(spec, _)| spec)
    }

    /// The kinds it knows, sorted.
    pub fn kinds(&self) -> impl Iterator<Item = &str> + Clone {
        self.kinds.keys().map(String::as_str)
    }

    /// Makes a connector of the kind that `setup.info` names.
    ///
    /// # Errors
    /// `unsupported` for an unknown kind, with the known ones; otherwise what the factory says.
    pub fn build(&self, setup: ConnectorSetup, context: &Context) -> Result<Arc<dyn Connector>> {
        let Some((_, factory)) = self.kinds.get(&setup.info.kind) else {
            let known = self.kinds().collect::<Vec<_>>().join(", ");
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("unknown kind of connector; this build knows: {known}"),
            )
            .with_context("kind", setup.info.kind.clone())
            .with_context("tenant", setup.info.tenant.as_str()));
        };
        factory(setup, context)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.kinds()).finish()
    }
}
