//! Functions without a vendor: called directly, since what they cost is their arguments.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use protect_connectors::operations;

use crate::errors::to_js;

/// Judges breaches, as the JSON that Have I Been Pwned answers; gives JSON.
///
/// # Errors
/// The envelope of whatever went wrong, as JSON in the message.
#[napi]
pub fn hibp_evaluate(
    breaches: String,
    profile: String,
    unknown_form_is_critical: bool,
) -> napi::Result<String> {
    operations::hibp_evaluate(&breaches, &profile, unknown_form_is_critical)
        .map_err(|error| to_js(&error, "hibp.evaluate"))
}

/// Decides the checks of a kind over a snapshot: its JSON text or, where `is_path`, a file or folder.
/// `config` is JSON; gives JSON.
///
/// # Errors
/// As for [`hibp_evaluate`].
#[napi]
pub fn posture_evaluate(
    kind: String,
    snapshot: String,
    is_path: bool,
    profile: Option<String>,
    config: Option<String>,
) -> napi::Result<String> {
    operations::posture_evaluate(
        &kind,
        &snapshot,
        is_path,
        profile.as_deref(),
        config.as_deref(),
    )
    .map_err(|error| to_js(&error, "posture.evaluate"))
}

/// Verifies a signed message that arrived: pairs of name and value, the body as it came; seconds since
/// 1970 for `now`. Gives JSON.
///
/// # Errors
/// As for [`hibp_evaluate`].
#[napi]
pub fn webhook_verify(
    headers: Vec<(String, String)>,
    body: Buffer,
    secrets: Vec<String>,
    now: Option<i64>,
) -> napi::Result<String> {
    operations::webhook_verify(&headers, &body, secrets, now)
        .map_err(|error| to_js(&error, "webhook.verify"))
}

/// A report as JSON.
#[napi(object)]
pub struct PlainReport {
    /// `aggregate`, `failure` or `tls`.
    pub kind: String,
    /// The report, without its records.
    pub head: String,
    /// The list of its records.
    pub records: String,
}

/// Reads one report from its bytes, in whatever they are wrapped.
///
/// # Errors
/// As for [`hibp_evaluate`].
#[napi]
pub fn email_parse_report(data: Buffer) -> napi::Result<PlainReport> {
    operations::email_parse_report(&data)
        .map(|report| PlainReport {
            kind: report.kind.to_owned(),
            head: report.head,
            records: format!("[{}]", report.records.join(",")),
        })
        .map_err(|error| to_js(&error, "email.parse_report"))
}

/// Reads a file of reports, or every file below a folder; gives the JSON of what they say together.
///
/// # Errors
/// As for [`hibp_evaluate`].
#[napi]
pub async fn email_read_reports(path: String) -> napi::Result<String> {
    let read = tokio::task::spawn_blocking(move || operations::email_read_reports(&path)).await;
    let stopped = |_| protect_connectors::core::Error::unexpected("reading stopped");
    read.map_err(stopped)
        .and_then(|read| read)
        .map_err(|error| to_js(&error, "email.read_reports"))
}
