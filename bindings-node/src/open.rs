//! Making what a handle stands for.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, within_runtime_if_available};
use napi_derive::napi;
use protect_connectors::core::{Error, Result};
use protect_connectors::{Protect, ProtectBuilder, operations};
use tokio::runtime;

use crate::callback::Callback;
use crate::connector::{self, Wanted};
use crate::errors::to_js;
use crate::handle::Handle;
use crate::secrets::{self, Secrets};

/// The opened engine, and the JavaScript connectors that its configuration asks for.
#[napi]
pub struct Opened {
    handle: Option<Handle>,
    wanted: Wanted,
}

#[napi]
impl Opened {
    /// The engine's handle, once.
    #[napi]
    pub fn handle(&mut self) -> Option<Handle> {
        self.handle.take()
    }

    /// The connectors to make, as a JSON list of `{"id", "kind", "setup"}`.
    #[napi]
    pub fn connectors(&self) -> String {
        serde_json::Value::from(self.wanted.take()).to_string()
    }
}

/// Makes a vendor's own client from the JSON of its constructor's parameters; secrets stand in it as
/// `{"provided": name}` and are handed over under that name, as a string or a function.
///
/// # Errors
/// The envelope of whatever went wrong, as JSON in the message.
#[napi]
pub fn connect(class_name: String, constructor: String, secrets: Secrets) -> napi::Result<Handle> {
    within_runtime_if_available(|| {
        let made = || -> Result<_> {
            let (context, provided) = protect_connectors::context()?;
            secrets::hand_over(secrets, &provided);
            let constructor = serde_json::from_str(&constructor)
                .map_err(|_| Error::invalid_input("the arguments are no JSON"))?;
            let callable = operations::connect(&class_name, constructor, &context)?;
            Ok((callable, provided))
        };
        match made() {
            Ok((callable, provided)) => Ok(Handle::new(
                callable,
                provided,
                runtime::Handle::try_current().ok(),
            )),
            Err(error) => Err(to_js(&error, &class_name)),
        }
    })
}

/// Opens the engine: from a file, or from the JSON of a configuration. A kind of connector written
/// in JavaScript comes as the JSON of what it declares and, in the same place of the other list,
/// the function that its connectors are called through.
///
/// # Errors
/// As for [`connect`].
#[napi]
pub fn open(
    env: &Env,
    path: Option<String>,
    config: Option<String>,
    secrets: Secrets,
    declared: Vec<String>,
    dispatch: Vec<Callback>,
) -> napi::Result<PromiseRaw<'_, Opened>> {
    env.spawn_future(async move {
        let wanted = Wanted::default();
        let source = match path {
            Some(path) => Source::File(path),
            None => Source::Json(config.unwrap_or_default()),
        };
        let opening = async {
            let (context, provided) = protect_connectors::context()?;
            secrets::hand_over(secrets, &provided);
            let mut builder = Protect::builder().context(context);
            for (declared, dispatch) in declared.iter().zip(dispatch) {
                builder = connector::register(builder, declared, dispatch, &wanted)?;
            }
            Ok((open_from(builder, source).await?, provided))
        };
        match opening.await {
            Ok((protect, provided)) => Ok(Opened {
                handle: Some(Handle::new(
                    Arc::new(protect),
                    provided,
                    runtime::Handle::try_current().ok(),
                )),
                wanted,
            }),
            Err(error) => Err(to_js(&error, "engine.open")),
        }
    })
}

enum Source {
    File(String),
    Json(String),
}

async fn open_from(builder: ProtectBuilder, source: Source) -> Result<Protect> {
    match source {
        Source::File(path) => builder.open(path).await,
        Source::Json(text) => {
            let config = serde_json::from_str(&text)
                .map_err(|_| Error::invalid_input("the configuration is no JSON"))?;
            builder.open_config(&config).await
        }
    }
}
