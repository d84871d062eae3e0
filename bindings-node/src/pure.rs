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
