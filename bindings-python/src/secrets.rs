//! Secrets that Python hands over: a string, or a callable that gives one each time.

use std::sync::Arc;

use protect_connectors::core::secret::SecretString;
use protect_connectors::core::{Error, ErrorKind, Result};
use protect_connectors::http::SystemSecrets;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::attach::attached;
use crate::callback::{self, EventLoop};

/// Puts a secret under a name.
pub(crate) fn hand_over(
    py: Python<'_>,
    name: &str,
    secret: Py<PyAny>,
    to: &SystemSecrets,
    event_loop: &EventLoop,
) -> PyResult<()> {
    if let Ok(text) = secret.bind(py).cast::<PyString>() {
        to.provide(name, SecretString::from(text.to_str()?.to_owned()));
        return Ok(());
    }
    if !secret.bind(py).is_callable() {
        return Err(PyTypeError::new_err(
            "a secret is a string, or a callable that gives one",
        ));
    }
    let function = Arc::new(secret);
    let event_loop = event_loop.clone();
    to.provide_async(name, move || ask(Arc::clone(&function), event_loop.clone()));
    Ok(())
}

async fn ask(function: Arc<Py<PyAny>>, event_loop: EventLoop) -> Result<SecretString> {
    let Some(function) = attached(|py| function.clone_ref(py)) else {
        return Err(Error::new(ErrorKind::Cancelled, "Python is shutting down"));
    };
    callback::call(
        function,
        event_loop,
        ErrorKind::ConfigInvalid,
        "the callback for a secret raised an exception, or gave no string",
        |py| Ok(PyTuple::empty(py)),
        |answer| Ok(SecretString::from(answer.extract::<String>()?)),
    )
    .await
}
