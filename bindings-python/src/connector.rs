//! Connectors written in Python: which function is called how. What it means is the facade's.

use std::sync::Arc;

use futures::future::BoxFuture;
use protect_connectors::ProtectBuilder;
use protect_connectors::core::{Error, ErrorKind, Result};
use protect_connectors::foreign::{self, ForeignConnector, ForeignKind};
use pyo3::prelude::*;
use serde_json::Value;

use crate::attach::attached;
use crate::callback::{self, EventLoop};
use crate::errors::Raised;

/// Registers a kind from the JSON of what it declares and the function that makes one of it.
pub(crate) fn register(
    builder: ProtectBuilder,
    declared: &str,
    make: Py<PyAny>,
    event_loop: &EventLoop,
) -> Result<ProtectBuilder> {
    let kind: ForeignKind = serde_json::from_str(declared).map_err(|error| {
        Error::invalid_input("what the connector's class declares is not right").with_source(error)
    })?;
    let event_loop = event_loop.clone();
    builder.try_register(|registry| {
        foreign::register(registry, kind, move |setup| {
            let dispatch = attached(|py| make.call1(py, (setup.to_string(),)))
                .ok_or_else(ending)?
                .map_err(|raised| {
                    Raised::by_callback(
                        ErrorKind::ConfigInvalid,
                        "a connector could not be made",
                        raised,
                    )
                })?;
            Ok(Arc::new(PythonConnector {
                dispatch,
                event_loop: event_loop.clone(),
            }) as Arc<dyn ForeignConnector>)
        })
    })
}

/// One connector: a function of (method, JSON) that gives JSON, or a coroutine that does.
struct PythonConnector {
    dispatch: Py<PyAny>,
    event_loop: EventLoop,
}

impl ForeignConnector for PythonConnector {
    fn call(&self, method: &'static str, arguments: Value) -> BoxFuture<'static, Result<Value>> {
        let dispatch = attached(|py| self.dispatch.clone_ref(py));
        let event_loop = self.event_loop.clone();
        Box::pin(async move {
            let Some(dispatch) = dispatch else {
                return Err(ending());
            };
            let answered: String = callback::call(
                dispatch,
                event_loop,
                ErrorKind::Unexpected,
                "a connector written in Python raised an exception",
                move |py| (method, arguments.to_string()).into_pyobject(py),
                |answer| answer.extract(),
            )
            .await?;
            serde_json::from_str(&answered)
                .map_err(|_| Error::new(ErrorKind::InvalidResponse, "a connector gave no JSON"))
        })
    }
}

fn ending() -> Error {
    Error::new(ErrorKind::Cancelled, "Python is shutting down")
}
