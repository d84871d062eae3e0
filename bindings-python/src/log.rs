//! The log's lines, told to Python.

use protect_connectors::log::{self, LogLevel, LogLine};
use pyo3::prelude::*;

use crate::attach::attached;
use crate::errors::exception;

/// Has the log's lines from a level up told to a function, as JSON each, on a thread of their own.
#[pyfunction]
pub(crate) fn log_send_to(py: Python<'_>, level: &str, receive: Py<PyAny>) -> PyResult<()> {
    let tell = move |line: LogLine| {
        let told = serde_json::to_string(&line);
        attached(|py| {
            if let Ok(line) = told
                && let Err(raised) = receive.call1(py, (line,))
            {
                raised.write_unraisable(py, Some(receive.bind(py)));
            }
        });
    };
    LogLevel::parse(level)
        .and_then(|level| log::send_to(level, tell))
        .map_err(|error| exception(py, &error, "log.send_to"))
}

/// Tells nobody any more, once every line until now is told.
#[pyfunction]
pub(crate) fn log_stop(py: Python<'_>) {
    py.detach(|| log::stop().wait());
}
