//! The native half of the Python package `protect`; Python sees it as `protect._protect`.

use pyo3::prelude::*;

/// The native half of `protect`.
#[pymodule(gil_used = false)]
mod _protect {
    #[pymodule_export]
    use super::version;
}

/// The version of the engine inside this package.
#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
