//! Functions that ask nobody: what they cost is their arguments, so they are called directly and
//! not by name.

use protect_core::{Error, Result};
use protect_hibp::{Policy, SeverityProfile, evaluate};

/// Judges breaches, as the JSON that Have I Been Pwned answers or as the models cross; gives JSON.
///
/// # Errors
/// `invalid_input` for a profile that there is not, and for what is no list of breaches.
pub fn hibp_evaluate(
    breaches: &str,
    profile: &str,
    unknown_form_is_critical: bool,
) -> Result<String> {
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
