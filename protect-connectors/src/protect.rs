use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use protect_core::config::{Config, StoreConfig};
use protect_core::engine::Engine;
use protect_core::registry::Registry;
use protect_core::store::{MemoryStore, SqliteOptions, SqliteStore, Store};
use protect_core::{Context, Result};
use serde_json::Value;

/// The engine with every connector of this build, a real transport, clock and secrets, and the
/// store that the configuration names. Cheap to clone; everything an [`Engine`] can do, it can.
#[derive(Clone, Debug)]
pub struct Protect {
    engine: Engine,
    #[cfg(feature = "web")]
    web: protect_web::Web,
}

/// What a [`Protect`] is opened with, where the defaults will not do.
pub struct ProtectBuilder {
    registry: Registry,
    context: Option<Context>,
}

impl Protect {
    /// Opens a configuration file: JSON where its name ends in `.json`, otherwise TOML.
    /// No vendor is called.
    ///
    /// # Errors
    /// `config_invalid` with every problem and its place; `store` where the store cannot be opened.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder().open(path).await
    }

    /// Opens a configuration of the same shape as the file's, as a program made it.
    ///
    /// # Errors
    /// As for [`Protect::open`].
    pub async fn open_config(config: &Value) -> Result<Self> {
        Self::builder().open_config(config).await
    }

    /// Begins to open one with something of one's own.
    pub fn builder() -> ProtectBuilder {
        ProtectBuilder {
            registry: crate::registry(),
            context: None,
        }
    }

    /// Answers a request that came in: connectors' routes, the API and the pages; see [`crate::web`].
    #[cfg(feature = "web")]
    pub async fn handle(
        &self,
        request: ::http::Request<bytes::Bytes>,
    ) -> ::http::Response<bytes::Bytes> {
        self.web.handle(request).await
    }

    /// The most bytes of a body for this method and path that are worth reading, before anybody reads them.
    #[cfg(feature = "web")]
    pub fn body_limit(&self, method: &::http::Method, path: &str) -> usize {
        self.web.body_limit(method, path)
    }

    /// The answer to a body that is larger than [`Protect::body_limit`] and was not read.
    #[cfg(feature = "web")]
    pub fn too_large(&self, limit: usize) -> ::http::Response<bytes::Bytes> {
        self.web.too_large(limit)
    }

    /// The engine inside.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl Deref for Protect {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl ProtectBuilder {
    /// Uses this transport, clock, DNS, secrets and randomness instead of [`context`](crate::context).
    #[must_use]
    pub fn context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// Changes which kinds of connector there are, such as by registering one's own.
    #[must_use]
    pub fn register(mut self, change: impl FnOnce(&mut Registry)) -> Self {
        change(&mut self.registry);
        self
    }

    /// As [`ProtectBuilder::register`], for a change that may be refused.
    ///
    /// # Errors
    /// What `change` says.
    pub fn try_register(
        mut self,
        change: impl FnOnce(&mut Registry) -> Result<()>,
    ) -> Result<Self> {
        change(&mut self.registry)?;
        Ok(self)
    }

    /// As [`Protect::open`].
    ///
    /// # Errors
    /// As there.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<Protect> {
        let config = Config::load(path.as_ref(), &self.registry)?;
        self.build(config).await
    }

    /// As [`Protect::open_config`].
    ///
    /// # Errors
    /// As there.
    pub async fn open_config(self, config: &Value) -> Result<Protect> {
        let config = Config::from_value(config, &self.registry)?;
        self.build(config).await
    }

    /// As [`Protect::open_config`], with a store of its own in memory, whatever the configuration says.
    ///
    /// # Errors
    /// As there.
    #[cfg(feature = "sandbox")]
    pub(crate) fn in_memory(self, config: &Value) -> Result<Protect> {
        let config = Config::from_value(config, &self.registry)?;
        self.over(config, Arc::new(MemoryStore::new()))
    }

    async fn build(self, config: Config) -> Result<Protect> {
        let store = open_store(&config.store).await?;
        self.over(config, store)
    }

    fn over(self, config: Config, store: Arc<dyn Store>) -> Result<Protect> {
        let context = match self.context {
            Some(context) => context,
            None => crate::context()?.0,
        };
        let context = with_key_vaults(context, &config)?;
        let mut builder = Engine::builder(config, self.registry, context);
        for area in protect_core::people::routes() {
            builder = builder.routes(area);
        }
        #[cfg(feature = "email")]
        let builder = builder.report_sections(crate::report::sections());
        let engine = builder.build(store)?;
        Ok(Protect {
            #[cfg(feature = "web")]
            web: protect_web::Web::new(&engine),
            engine,
        })
    }
}

impl fmt::Debug for ProtectBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectBuilder")
            .field("registry", &self.registry)
            .field("context", &self.context)
            .finish()
    }
}

/// The context with secrets of key vaults, where the configuration says who may read them.
fn with_key_vaults(context: Context, config: &Config) -> Result<Context> {
    #[cfg(feature = "m365")]
    if let Some(vault) = &config.key_vault {
        let secrets = protect_m365::KeyVaultSecrets::new(&context, vault)?;
        return Ok(Context {
            secrets: Arc::new(secrets),
            ..context
        });
    }
    #[cfg(not(feature = "m365"))]
    let _ = config;
    Ok(context)
}

async fn open_store(config: &StoreConfig) -> Result<Arc<dyn Store>> {
    match config {
        StoreConfig::Memory => Ok(Arc::new(MemoryStore::new())),
        StoreConfig::Sqlite { path } => {
            let opened = SqliteStore::open(SqliteOptions::new(path)).await;
            let store = opened.map_err(|error| {
                let path = path.display().to_string();
                error
                    .with_context("field", "store.path")
                    .with_context("path", path)
            })?;
            Ok(Arc::new(store))
        }
    }
}
