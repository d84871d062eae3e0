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

/// Verifies a signed message that arrived; seconds since 1970 for `now`. Gives JSON.
#[pyfunction]
#[pyo3(signature = (headers, body, secrets, now))]
#[expect(
    clippy::needless_pass_by_value,
    reason = "Python hands over a list, which is made anew"
)]
pub(crate) fn webhook_verify(
    py: Python<'_>,
    headers: Vec<(String, String)>,
    body: &[u8],
    secrets: Vec<String>,
    now: Option<i64>,
) -> PyResult<String> {
    let verified = operations::webhook_verify(&headers, body, secrets, now);
    verified.map_err(|error| exception(py, &error, "webhook.verify"))
}

/// Reads one report from its bytes, in whatever they are wrapped: its kind, its JSON without records,
/// and the JSON of each record.
#[pyfunction]
pub(crate) fn email_parse_report(
    py: Python<'_>,
    data: &[u8],
) -> PyResult<(&'static str, String, Vec<String>)> {
    let read = py.detach(|| operations::email_parse_report(data));
    read.map(|report| (report.kind, report.head, report.records))
        .map_err(|error| exception(py, &error, "email.parse_report"))
}

/// Reads a file of reports, or every file below a folder; gives the JSON of what they say together.
#[pyfunction]
pub(crate) fn email_read_reports(py: Python<'_>, path: &str) -> PyResult<String> {
    let read = py.detach(|| operations::email_read_reports(path));
    read.map_err(|error| exception(py, &error, "email.read_reports"))
}
