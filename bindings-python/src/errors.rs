//! How errors cross: outwards as the envelope, which Python makes an exception of.

use std::fmt;
use std::time::Duration;

use protect_connectors::core::{Error, ErrorKind};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::attach::attached;

/// An exception on its way through the engine. Its text may hold anything, so it is not shown.
pub(crate) struct Raised {
    exception: PyErr,
    as_it_is: bool,
}

impl Raised {
    /// An exception that ends the call and reaches the caller as it is.
    pub(crate) fn as_it_is(exception: PyErr) -> Error {
        Error::new(ErrorKind::Cancelled, "Python raised an exception").with_source(Self {
            exception,
            as_it_is: true,
        })
    }

    /// An exception that somebody's callback raised: the caller sees an error of `kind` with it as
    /// its cause.
    pub(crate) fn by_callback(kind: ErrorKind, message: &'static str, exception: PyErr) -> Error {
        let said = attached(|py| said_by(py, &exception, message)).flatten();
        let error = said.unwrap_or_else(|| Error::new(kind, message));
        error.with_source(Self {
            exception,
            as_it_is: false,
        })
    }
}

/// The error that an exception stands for which is one of ours, with a message of our own.
fn said_by(py: Python<'_>, exception: &PyErr, message: &'static str) -> Option<Error> {
    let ours = py.import("protect.exceptions").ok()?;
    let ours = ours.getattr("ProtectError").ok()?;
    let value = exception.value(py);
    if !value.is_instance(&ours).ok()? {
        return None;
    }
    let kind: String = value.getattr("kind").ok()?.extract().ok()?;
    let known = ErrorKind::ALL.into_iter().find(|it| it.as_str() == kind)?;
    let mut error = Error::new(known, message);
    if value.getattr("retryable").ok()?.extract().ok()? {
        error = error.temporary();
    }
    let wait: Option<f64> = value.getattr("retry_after").ok()?.extract().ok()?;
    match wait.map(Duration::try_from_secs_f64) {
        Some(Ok(wait)) => Some(error.with_retry_after(wait)),
        _ => Some(error),
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Python exception")
    }
}

impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Raised(…)")
    }
}

impl std::error::Error for Raised {}

/// The exception for an error of a call: the class of its kind, or what Python itself raised.
pub(crate) fn exception(py: Python<'_>, error: &Error, called: &str) -> PyErr {
    let raised = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Raised>());
    if let Some(raised) = raised.filter(|raised| raised.as_it_is) {
        return raised.exception.clone_ref(py);
    }
    let mut envelope = error.envelope();
    if envelope.operation.is_empty() {
        called.clone_into(&mut envelope.operation);
    }
    match from_envelope(py, &envelope) {
        Ok(exception) => {
            if let Some(raised) = raised {
                exception.set_cause(py, Some(raised.exception.clone_ref(py)));
            }
            exception
        }
        Err(broken) => broken,
    }
}

fn from_envelope<T: serde::Serialize>(py: Python<'_>, envelope: &T) -> PyResult<PyErr> {
    let json = serde_json::to_string(envelope)
        .map_err(|_| PyRuntimeError::new_err("an error is not JSON"))?;
    let make = py.import("protect.exceptions")?.getattr("_from_envelope")?;
    Ok(PyErr::from_value(make.call1((json,))?))
}
