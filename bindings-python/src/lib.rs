//! The native half of the Python package `protect`; Python sees it as `protect._protect`.
//!
//! It holds no rules: one opaque `Handle` is called by name with JSON, and
//! everything that people see is Python above it, most of it generated.

mod attach;
mod callback;
mod connector;
mod errors;
mod handle;
mod inbox;
mod log;
mod open;
mod pure;
mod runtime;
mod secrets;

use pyo3::prelude::*;

/// The native half of `protect`.
#[pymodule(gil_used = false)]
mod _protect {
    #[pymodule_export]
    use super::attach::finish;
    #[pymodule_export]
    use super::handle::{Call, Handle};
    #[pymodule_export]
    use super::inbox::Inbox;
    #[pymodule_export]
    use super::log::{log_send_to, log_stop};
    #[pymodule_export]
    use super::open::{connect, open};
    #[pymodule_export]
    use super::pure::{
        email_parse_report, email_read_reports, hibp_evaluate, posture_evaluate, webhook_verify,
    };
    #[pymodule_export]
    use super::version;
}

/// The version of the engine inside this package.
#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
