//! Functions without a vendor: called directly, since what they cost is their arguments.

use protect_connectors::core::{Error, Result};
use protect_connectors::hibp::{Policy, SeverityProfile, evaluate};
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
    let judged = py.detach(|| judge(breaches, profile, unknown_form_is_critical));
    judged.map_err(|error| exception(py, &error, "hibp.evaluate"))
}

fn judge(breaches: &str, profile: &str, unknown_form_is_critical: bool) -> Result<String> {
    let profile: SeverityProfile = serde_json::from_value(profile.into())
        .map_err(|_| Error::invalid_input("the profile is `default` or `one_protect`"))?;
    let policy = Policy {
        profile,
        unknown_form_is_critical,
        ..Policy::default()
    };
    serde_json::to_string(&evaluate(breaches, &policy)?)
        .map_err(|_| Error::unexpected("a result is not JSON"))
}
