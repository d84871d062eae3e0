//! Secrets that Python hands over: a string, or a callable that gives one each time.

use std::collections::HashMap;
use std::sync::Arc;

use protect_connectors::core::secret::SecretString;
use protect_connectors::core::{Error, ErrorKind, Result};
use protect_connectors::http::SystemSecrets;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::callback::{self, EventLoop};

/// Puts every secret of a dict under its name.
pub(crate) fn hand_over(
    py: Python<'_>,
    secrets: HashMap<String, Py<PyAny>>,
    to: &SystemSecrets,
    event_loop: &EventLoop,
) -> PyResult<()> {
    for (name, secret) in secrets {
        if let Ok(text) = secret.bind(py).cast::<PyString>() {
            to.provide(name, SecretString::from(text.to_str()?.to_owned()));
        } else {
            let function = Arc::new(secret);
            let event_loop = event_loop.clone();
            to.provide_async(name, move || ask(Arc::clone(&function), event_loop.clone()));
        }
    }
    Ok(())
}

async fn ask(function: Arc<Py<PyAny>>, event_loop: EventLoop) -> Result<SecretString> {
    let Some(function) = Python::try_attach(|py| function.clone_ref(py)) else {
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
