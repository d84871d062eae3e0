//! Making what a handle stands for.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use protect_connectors::core::{Error, Result};
use protect_connectors::{Protect, ProtectBuilder, operations};
use pyo3::prelude::*;

use crate::callback::EventLoop;
use crate::errors::exception;
use crate::handle::Handle;
use crate::{connector, runtime, secrets};

/// Makes a vendor's own client from the JSON of its constructor's parameters; secrets stand in it as
/// `{"provided": name}` and are in the dict under that name, as a string or a callable.
#[pyfunction]
pub(crate) fn connect(
    py: Python<'_>,
    class_name: &str,
    constructor: &str,
    secrets: HashMap<String, Py<PyAny>>,
) -> PyResult<Handle> {
    let event_loop = EventLoop::default();
    let made = (|| -> Result<_> {
        let _inside = runtime::runtime()?.enter();
        let (context, provided) = protect_connectors::context()?;
        let constructor = serde_json::from_str(constructor)
            .map_err(|_| Error::invalid_input("the arguments are no JSON"))?;
        Ok((
            operations::connect(class_name, constructor, &context)?,
            provided,
        ))
    })();
    let (callable, provided) = made.map_err(|error| exception(py, &error, class_name))?;
    secrets::hand_over(py, secrets, &provided, &event_loop)?;
    Ok(Handle::new(callable, event_loop))
}

/// Opens the engine: from a file, or from the JSON of a configuration. Kinds of connector written in
/// Python come as (JSON of what they declare, function that makes one).
#[pyfunction]
pub(crate) fn open(
    py: Python<'_>,
    path: Option<PathBuf>,
    config: Option<&str>,
    secrets: HashMap<String, Py<PyAny>>,
    kinds: Vec<(String, Py<PyAny>)>,
) -> PyResult<Handle> {
    let event_loop = EventLoop::default();
    let raise = |error: &Error| exception(py, error, "engine.open");
    let (context, provided) = {
        let runtime = runtime::runtime().map_err(|error| raise(&error))?;
        let _inside = runtime.enter();
        protect_connectors::context().map_err(|error| raise(&error))?
    };
    secrets::hand_over(py, secrets, &provided, &event_loop)?;
    let mut builder = Protect::builder().context(context);
    for (declared, make) in kinds {
        builder = connector::register(builder, &declared, make, &event_loop)
            .map_err(|error| raise(&error))?;
    }
    let source = match (path, config) {
        (Some(path), _) => Source::File(path),
        (None, config) => Source::Json(config.unwrap_or("null").to_owned()),
    };
    let opened = runtime::wait(py, None, open_from(builder, source));
    match opened {
        Ok(protect) => Ok(Handle::new(Arc::new(protect), event_loop)),
        Err(error) => Err(raise(&error)),
    }
}

enum Source {
    File(PathBuf),
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
