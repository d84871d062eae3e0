//! Calling Python from the engine's threads.

use std::sync::{Arc, Mutex, PoisonError};

use protect_connectors::core::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::attach::attached;
use crate::errors::Raised;

/// The event loop that coroutines of callbacks run on: that of the latest awaited call.
#[derive(Clone, Default)]
pub(crate) struct EventLoop(Arc<Mutex<Option<Py<PyAny>>>>);

impl EventLoop {
    /// Remembers the loop of a call.
    pub(crate) fn set(&self, event_loop: Py<PyAny>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(event_loop);
    }

    fn get(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.as_ref().map(|event_loop| event_loop.clone_ref(py))
    }
}

/// Calls a Python function, `def` or `async def`, on a thread where it may take its time.
///
/// # Errors
/// `kind` with `message` where it raised, with the exception as the cause.
pub(crate) async fn call<T: Send + 'static>(
    function: Py<PyAny>,
    event_loop: EventLoop,
    kind: ErrorKind,
    message: &'static str,
    arguments: impl FnOnce(Python<'_>) -> PyResult<Bound<'_, PyTuple>> + Send + 'static,
    read: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T> + Send + 'static,
) -> Result<T> {
    let work = move || {
        attached(|py| {
            let arguments = arguments(py)?;
            let run = py.import("protect._bridge")?.getattr("run")?;
            read(&run.call1((function, event_loop.get(py), arguments))?)
        })
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Some(Ok(answer))) => Ok(answer),
        Ok(Some(Err(raised))) => Err(Raised::by_callback(kind, message, raised)),
        Ok(None) => Err(Error::new(ErrorKind::Cancelled, "Python is shutting down")),
        Err(_) => Err(Error::unexpected("a callback's thread broke down")),
    }
}
