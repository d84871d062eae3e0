//! How errors cross: outwards as the envelope, which Python makes an exception of.

use std::fmt;

use protect_connectors::core::{Error, ErrorKind};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

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
        Error::new(kind, message).with_source(Self {
            exception,
            as_it_is: false,
        })
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
