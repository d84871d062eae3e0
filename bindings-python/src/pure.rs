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
