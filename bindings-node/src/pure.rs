//! Functions without a vendor: called directly, since what they cost is their arguments.

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
