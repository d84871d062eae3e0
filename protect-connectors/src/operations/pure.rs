//! Functions that ask nobody: what they cost is their arguments, so they are called directly and
//! not by name.

use std::path::Path;

use protect_core::posture::EvaluateConfig;
use protect_core::{Error, Result};

use crate::posture::{self, Source};

/// Decides every check of a kind over a snapshot: over its text or, where `is_path`, over the file or
/// folder of that name. `config` is the JSON of [`EvaluateConfig`]. Gives the JSON of a list of
/// [`CheckResult`](protect_core::model::CheckResult).
///
/// # Errors
/// As for [`posture::evaluate`].
pub fn posture_evaluate(
    kind: &str,
    snapshot: &str,
    is_path: bool,
    profile: Option<&str>,
    config: Option<&str>,
) -> Result<String> {
    let source = if is_path {
        Source::Path(Path::new(snapshot))
    } else {
        Source::Text(snapshot)
    };
    let config = config.map(EvaluateConfig::parse).transpose()?;
    let results = posture::evaluate(kind, source, profile, config.as_ref())?;
    serde_json::to_string(&results).map_err(|_| Error::unexpected("a result is not JSON"))
}

/// Verifies a signed message that arrived ([`protect_webhook::verify`]): headers by name in any case,
/// the body as it came, the secrets that may have signed; now is now unless `now` says otherwise, in
/// seconds since 1970. Gives JSON.
///
/// # Errors
/// As for [`protect_webhook::verify`].
#[cfg(feature = "webhook")]
pub fn webhook_verify(
    headers: &[(String, String)],
    body: &[u8],
    secrets: Vec<String>,
    now: Option<i64>,
) -> Result<String> {
    use protect_core::clock::{Clock as _, SystemClock};

    let now = match now {
        Some(seconds) => jiff::Timestamp::from_second(seconds)
            .map_err(|_| Error::invalid_input("`now` is no time"))?,
        None => SystemClock::new().now(),
    };
    let header = |name: &str| {
        let mut named = headers
            .iter()
            .filter(|(it, _)| it.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    };
    let secrets: Vec<_> = secrets.into_iter().map(Into::into).collect();
    let verified = protect_webhook::verify(header, body, &secrets, now)?;
    serde_json::to_string(&verified).map_err(|_| Error::unexpected("a result is not JSON"))
}

/// Judges breaches, as the JSON that Have I Been Pwned answers or as the models cross; gives JSON.
///
/// # Errors
/// `invalid_input` for a profile that there is not, and for what is no list of breaches.
#[cfg(feature = "hibp")]
pub fn hibp_evaluate(
    breaches: &str,
    profile: &str,
    unknown_form_is_critical: bool,
) -> Result<String> {
    use protect_hibp::{Policy, SeverityProfile, evaluate};

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
