//! That a change was asked for on a page of ours, and not by another site in the name of who is signed in
//! (<https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html>):
//! a token that only our pages know, and what the browser says of where the request comes from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{HOST, ORIGIN};
use protect_core::inbound::InboundRequest;
use protect_core::secret::SecretString;
use protect_core::{Error, ErrorKind, Result};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::app::{Options, Visitor, exposed};
use crate::form;

/// The field of a form, and the header of a program in a page.
pub(crate) const FIELD: &str = "csrf";
const HEADER: &str = "x-csrf-token";

/// The token of a session: made from what the browser alone holds, so that nothing more is kept.
pub(crate) fn token(credential: &SecretString) -> String {
    let mut digest = Sha256::new();
    digest.update(b"csrf\0");
    digest.update(exposed(credential).as_bytes());
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

pub(crate) fn is_same(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

/// Lets a change pass that comes from a page of ours. One whose credential no browser sends by itself
/// needs no proof.
///
/// # Errors
/// `permission_denied`.
pub(crate) fn check(
    request: &InboundRequest,
    visitor: Option<&Visitor>,
    options: &Options,
) -> Result<()> {
    let Some(visitor) = visitor.filter(|visitor| visitor.csrf.is_some()) else {
        return Ok(());
    };
    if !is_from_here(request, options) {
        return Err(refused());
    }
    let in_form = form::value(request, FIELD);
    let given = request.header(HEADER).map(str::to_owned).or(in_form);
    match given {
        Some(given) if visitor.is_token(&given) => Ok(()),
        _ => Err(refused()),
    }
}

/// What the browser says; one that says nothing is left to the token.
fn is_from_here(request: &InboundRequest, options: &Options) -> bool {
    if let Some(site) = request.header("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = request.header(ORIGIN.as_str()) else {
        return true;
    };
    if let Some(ours) = &options.origin {
        return origin == ours;
    }
    let host = request.header(HOST.as_str());
    let named = origin.split_once("://").map(|(_, host)| host);
    named.is_some() && named == host
}

fn refused() -> Error {
    Error::new(
        ErrorKind::PermissionDenied,
        "this was not asked for on a page of ours; open the page anew and try again",
    )
}
