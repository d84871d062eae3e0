//! What a token says, once its signature is known to be good.

use jiff::{SignedDuration, Timestamp};
use protect_core::Result;
use protect_core::authenticate::Shown;
use protect_core::model::{Address, Authority, ClientAccess, Role};
use serde_json::{Map, Value};

use super::{Users, client_access, refused};

/// How far two clocks may be apart.
const LEEWAY: SignedDuration = SignedDuration::from_secs(5);

/// How long a token that is handed over may be good. Documented are 60 and 70 seconds.
const LONGEST_HAND_OFF: SignedDuration = SignedDuration::from_secs(90);

/// How long a session lasts from sign-in on, and a token of one may be good
/// (<https://docs.theonestack.com/docs/hub/session-management>).
const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(8);

/// What the token of a client's user says it is.
const CLIENT_CONTEXT: &str = "client_portal";

/// Longer texts are no names.
const MAX_TEXT: usize = 256;

/// What a token is measured against.
pub(crate) struct Limits {
    pub(crate) now: Timestamp,
    pub(crate) shown: Shown,
    pub(crate) users: Users,
}

/// What a good token says.
pub(crate) struct Claims {
    pub(crate) subject: String,
    pub(crate) name: String,
    pub(crate) address: Address,
    pub(crate) organisation: String,
    /// The token's own id.
    pub(crate) id: Option<String>,
    /// When nobody takes the token any more.
    pub(crate) worthless_at: Timestamp,
    pub(crate) session_ends: Timestamp,
    pub(crate) staff: Authority,
    pub(crate) client: Option<ClientAccess>,
}

impl Claims {
    /// Reads claims under our names.
    ///
    /// # Errors
    /// `unauthenticated`, saying what is missing, over or too long.
    pub(crate) fn read(claims: &Map<String, Value>, limits: &Limits) -> Result<Self> {
        let expires = lifetime(claims, limits)?;
        let address = Address::new(needed(claims, "email")?)
            .map_err(|_| refused("`email` of the token is no address"))?;
        let client = match (limits.users, is_of_client(claims)) {
            (Users::Staff, false) => None,
            (Users::Clients, true) => Some(client(claims)?),
            (Users::Staff, true) => return Err(refused("the token is of a client's user")),
            (Users::Clients, false) => return Err(refused("the token is of no client's user")),
        };
        if limits.users == Users::Staff {
            needed(claims, "role")?;
        }
        let organisation = organisation(claims).ok_or_else(|| missing("tenant_id"))?;
        let name = text(claims, "name").unwrap_or_else(|| address.as_str());
        Ok(Self {
            subject: needed(claims, "sub")?.to_owned(),
            name: name.to_owned(),
            organisation: organisation.to_owned(),
            id: text(claims, "jti").map(str::to_owned),
            worthless_at: plus(expires, LEEWAY),
            session_ends: session_ends(claims, expires, limits),
            staff: staff(claims),
            address,
            client,
        })
    }
}

/// Which organisation a token names.
pub(crate) fn organisation(claims: &Map<String, Value>) -> Option<&str> {
    text(claims, "tenant_id").or_else(|| text(claims, "org_id"))
}

/// Which client company a token names.
pub(crate) fn client_id(claims: &Map<String, Value>) -> Option<&str> {
    text(claims, "client_id")
}

/// Whether it is the token of a client's user.
pub(crate) fn is_of_client(claims: &Map<String, Value>) -> bool {
    claims.get("context").and_then(Value::as_str) == Some(CLIENT_CONTEXT)
}

/// When the token ends, where it is neither over nor good for too long.
fn lifetime(claims: &Map<String, Value>, limits: &Limits) -> Result<Timestamp> {
    let now = limits.now;
    let expires = time(claims, "exp")?.ok_or_else(|| missing("exp"))?;
    if plus(expires, LEEWAY) <= now {
        return Err(refused("the token is over; sign in again"));
    }
    let issued = time(claims, "iat")?;
    for begins in [issued, time(claims, "nbf")?].into_iter().flatten() {
        if begins > plus(now, LEEWAY) {
            return Err(refused(
                "the token is of a time to come; compare the clocks of this machine and Hub",
            ));
        }
    }
    let longest = match limits.shown {
        Shown::Once => LONGEST_HAND_OFF,
        Shown::Always => LONGEST_SESSION,
    };
    let from_issue = issued.is_some_and(|issued| expires.duration_since(issued) > longest);
    if from_issue || expires.duration_since(now) > longest + LEEWAY {
        let most = longest.as_secs();
        return Err(refused(format!(
            "the token is good for longer than the {most} seconds that such a one may be"
        )));
    }
    Ok(expires)
}

/// A session ends with its token. One that begins with a hand-off, which is over at once, ends when the
/// token says in `session_exp`, and after eight hours at the latest.
fn session_ends(claims: &Map<String, Value>, expires: Timestamp, limits: &Limits) -> Timestamp {
    match limits.shown {
        Shown::Always => expires,
        Shown::Once => {
            let latest = plus(limits.now, LONGEST_SESSION);
            let said = time(claims, "session_exp").ok().flatten();
            said.map_or(latest, |said| said.min(latest))
        }
    }
}

fn client(claims: &Map<String, Value>) -> Result<ClientAccess> {
    let client = needed(claims, "client_id")?;
    let level = needed(claims, "access_level")?;
    client_access(client, level)
        .ok_or_else(|| refused("`access_level` is none of own, company, company_admin"))
}

/// Role and permissions, less those of products that are none of ours.
fn staff(claims: &Map<String, Value>) -> Authority {
    let role = Role::named(text(claims, "role").unwrap_or_default());
    let permissions = claims.get("permissions").and_then(Value::as_array);
    let granted = permissions.into_iter().flatten().filter_map(Value::as_str);
    let ours = granted.filter(|name| name.starts_with("protect.") || name.starts_with("people."));
    let mut authority = Authority::staff(role, ours);
    if let Some(products) = claims.get("products").and_then(Value::as_object) {
        for (product, role) in products {
            if let Some(role) = role.as_str().filter(|role| role.len() <= MAX_TEXT) {
                authority.products.insert(product.clone(), role.to_owned());
            }
        }
    }
    authority
}

fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    // RFC 7519 section 2 allows a fraction.
    let seconds = value.as_i64().or_else(|| whole(value.as_f64()?));
    let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map(Some)
        .ok_or_else(|| refused(format!("`{name}` of the token is no time")))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the fraction is left out on purpose, and the range is checked"
)]
fn whole(seconds: f64) -> Option<i64> {
    (0.0..1e12).contains(&seconds).then_some(seconds as i64)
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = claims.get(name)?.as_str()?;
    let is_name =
        !text.trim().is_empty() && text.len() <= MAX_TEXT && !text.chars().any(char::is_control);
    is_name.then_some(text)
}

fn needed<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str> {
    text(claims, name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> protect_core::Error {
    refused(format!(
        "the token has no `{name}`; say in `conventions.members` what it is called"
    ))
}

fn plus(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
