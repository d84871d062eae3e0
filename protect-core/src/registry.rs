//! Which kinds of connector there are: an explicit map, no code that runs before `main`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::config::{ConnectionConfig, KindSpec};
use crate::connector::{Connector, ConnectorInfo};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::ConnectionName;
use crate::posture::{Catalogue, EvaluateConfig};

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

    /// Puts an error about a value to its field.
    pub fn at<'a>(&'a self, field: &'a str) -> impl FnOnce(Error) -> Error + 'a {
        move |error| self.error(field, error.message())
    }

    /// Takes a text out of some fields of this connector.
    ///
    /// # Errors
    /// `config_invalid` for what is no text.
    pub fn take_text(&self, fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>> {
        match fields.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.error(name, "write it as text")),
        }
    }

    /// Reads everything that is left of some fields.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub fn read_rest<T: DeserializeOwned>(&self, fields: Map<String, Value>) -> Result<T> {
        serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
            let path = error.path().to_string();
            self.error(path, error.into_inner().to_string())
        })
    }

    /// Takes profile and settings of a catalogue's checks out of some fields, written as they are in a
    /// snapshot.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub fn take_evaluate(
        &self,
        catalogue: &Catalogue,
        fields: &mut Map<String, Value>,
    ) -> Result<EvaluateConfig> {
        let mut given = Map::new();
        for name in ["profile", "checks"] {
            given.extend(fields.remove(name).map(|value| (name.to_owned(), value)));
        }
        let text = Value::Object(given).to_string();
        let here = |error: Error| {
            let field = error.context().iter().find(|(key, _)| *key == "field");
            let field = field.map_or("checks", |(_, field)| field.as_str());
            self.error(field, error.message())
        };
        let evaluate = EvaluateConfig::parse(&text).map_err(here)?;
        catalogue.verify(&evaluate).map_err(here)?;
        Ok(evaluate)
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
