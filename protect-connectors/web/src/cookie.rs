//! The session's cookie (RFC 6265), with the prefix by which a browser keeps it to this host
//! (<https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie>).

use http::HeaderValue;
use http::header::COOKIE;
use jiff::{SignedDuration, Timestamp};
use protect_core::inbound::InboundRequest;
use protect_core::secret::SecretString;
use protect_core::{Error, Result};

use crate::app::exposed;

/// Ours.
pub(crate) const SESSION: &str = "__Host-protect_session";

/// Hub's, which holds a signed token
/// (<https://docs.theonestack.com/docs/hub/session-management>).
pub(crate) const HUB_SESSION: &str = "hub_session";

/// A cookie by its name, where the browser sent just one of it.
pub(crate) fn read(request: &InboundRequest, name: &str) -> Option<SecretString> {
    let headers = request.headers.get_all(COOKIE).iter();
    let pairs = headers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs
        .filter(|(given, _)| *given == name)
        .map(|(_, value)| value);
    let value = values.next().filter(|value| !value.is_empty())?;
    values.next().is_none().then(|| SecretString::from(value))
}

/// Sets ours; it goes when the session ends.
pub(crate) fn set(token: &SecretString, until: Timestamp, now: Timestamp) -> Result<HeaderValue> {
    let left = until.duration_since(now).max(SignedDuration::ZERO);
    written(exposed(token), left.as_secs())
}

/// Takes ours away.
pub(crate) fn clear() -> Result<HeaderValue> {
    written("", 0)
}

fn written(value: &str, seconds: i64) -> Result<HeaderValue> {
    let cookie =
        format!("{SESSION}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Lax");
    let mut cookie = HeaderValue::try_from(cookie)
        .map_err(|_| Error::unexpected("a session's name cannot stand in a header"))?;
    cookie.set_sensitive(true);
    Ok(cookie)
}
