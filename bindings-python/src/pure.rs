//! Functions without a vendor: called directly, since what they cost is their arguments.

use protect_connectors::operations;
use pyo3::prelude::*;

use crate::errors::exception;

/// Judges breaches, as the JSON that Have I Been Pwned answers; gives JSON.
#[pyfunction]
pub(crate) fn hibp_evaluate(
    py: Python<'_>,
    breaches: &str,
    profile: &str,
    unknown_form_is_critical: bool,
) -> PyResult<String> {
    let judged =
        py.detach(|| operations::hibp_evaluate(breaches, profile, unknown_form_is_critical));
    judged.map_err(|error| exception(py, &error, "hibp.evaluate"))
}

/// Decides the checks of a kind over a snapshot: its JSON text or, where `is_path`, a file or folder.
/// `config` is JSON; gives JSON.
#[pyfunction]
#[pyo3(signature = (kind, snapshot, is_path, profile, config))]
pub(crate) fn posture_evaluate(
    py: Python<'_>,
    kind: &str,
    snapshot: &str,
    is_path: bool,
    profile: Option<&str>,
    config: Option<&str>,
) -> PyResult<String> {
    let decided =
        py.detach(|| operations::posture_evaluate(kind, snapshot, is_path, profile, config));
    decided.map_err(|error| exception(py, &error, "posture.evaluate"))
}
