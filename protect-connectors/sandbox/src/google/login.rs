//! The token endpoint: a service account with domain-wide delegation asks for the rights of an
//! administrator (identity/protocols/oauth2/service-account).

use std::{collections::BTreeSet, sync::Arc};

use axum::http::header;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::routes;
use crate::{
    assertion::{Certificate, Jwt, built_in},
    bearer::Bearers,
    clock::later,
    faults::FaultKind,
    request::{Call, Context, Reply, pairs},
    rng::Rng,
};

/// What stands before the name of every scope.
pub(crate) const SCOPE: &str = "https://www.googleapis.com/auth/";
/// The endpoint as the world knows it; taken for the sandbox's own.
const PUBLIC: &str = "https://oauth2.googleapis.com/token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const LIFE: SignedDuration = SignedDuration::from_secs(3599);
/// How far the clocks may be apart; the vendor says "a reasonable timeframe".
const TOLERANCE: i64 = 300;
/// What is documented, and from where on it is refused.
const LONGEST: i64 = 3600;
const REFUSED_FROM: i64 = 3900;
const TIMES: &str = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable \
                     timeframe. Check your iat and exp values in the JWT claim.";
const SIGNATURE: &str = "Invalid JWT Signature.";
const UNDELEGATED: &str = "Unauthorized client or scope in request.";
const UNKNOWN_CLIENT: &str = "Client is unauthorized to retrieve access tokens using this method, or \
                              client not authorized for any of the scopes requested.";
const DENIED: &str = "Requested client not authorized.";

/// A service account and what an administrator delegated to it.
pub(crate) struct ServiceAccount {
    pub(crate) name: &'static str,
    pub(crate) email: String,
    pub(crate) client_id: String,
    pub(crate) key_id: String,
    /// Delegated scopes, without what stands before their names.
    pub(crate) scopes: BTreeSet<String>,
    pub(crate) standing: Standing,
}

/// What stands between a right assertion and a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    #[default]
    Good,
    /// Nothing was delegated to it in this domain.
    NotDelegated,
    /// Its address was registered in the place of its numeric client identifier.
    RegisteredByEmail,
    /// Access control of apps blocks the scopes.
    BlockedByPolicy,
    KeyDisabled,
    ClientDisabled,
}

/// What an access token grants: the scopes are those at the time it was issued.
pub(crate) struct Grant {
    pub(crate) account: usize,
    /// The number of the administrator; none where the service account acts as itself.
    pub(crate) subject: Option<usize>,
    pub(crate) scopes: Arc<BTreeSet<String>>,
}

/// An address that a token is asked for.
pub(crate) enum Subject {
    /// Not in a domain of this customer.
    Elsewhere,
    Unknown,
    Suspended,
    Known(usize),
}

pub(crate) struct Login {
    pub(crate) project: String,
    pub(crate) accounts: Vec<ServiceAccount>,
    pub(crate) tokens: Bearers<Grant>,
    url: String,
    rng: Rng,
}

/// Why there is no token.
struct Refused {
    status: u16,
    error: &'static str,
    description: &'static str,
    /// Whether a correct client would not have asked so.
    mistake: bool,
}

impl Login {
    pub(crate) fn new(seed: u64, url: String, project: &str) -> Self {
        let mut rng = Rng::new(seed, "google tokens");
        let mut account = |name, scopes: &[&str]| ServiceAccount {
            name,
            email: format!("protect-{name}@{project}.iam.gserviceaccount.com"),
            client_id: format!("1{:020}", rng.below(usize::MAX)),
            key_id: rng.hex(40),
            scopes: scopes.iter().map(|it| (*it).to_owned()).collect(),
            standing: Standing::Good,
        };
        Self {
            accounts: vec![
                account("scan", routes::READING),
                account("respond", routes::CHANGING),
            ],
            project: project.to_owned(),
            tokens: Bearers::new(),
            url,
            rng,
        }
    }

    /// The key file of the service account of this name, as Google's console hands it out.
    pub(crate) fn key(&self, name: &str) -> Value {
        let Some(account) = self.accounts.iter().find(|it| it.name == name) else {
            return Value::Null;
        };
        json!({
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": account.key_id,
            "private_key": built_in().private_key,
            "client_email": account.email,
            "client_id": account.client_id,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": self.url,
            "universe_domain": "googleapis.com",
        })
    }

    pub(crate) fn token(
        &mut self,
        call: &Call,
        find: impl Fn(&str) -> Subject,
        cx: &mut Context,
    ) -> Reply {
        match self.grant(call, find, cx) {
            Ok(grant) => self.issue(grant, cx),
            Err(refused) => {
                if refused.mistake {
                    cx.violate("token_request", refused.description);
                }
                let body = json!({
                    "error": refused.error, "error_description": refused.description,
                });
                Reply::json(refused.status, &body)
            }
        }
    }

    fn grant(
        &self,
        call: &Call,
        find: impl Fn(&str) -> Subject,
        cx: &mut Context,
    ) -> Result<Grant, Refused> {
        let assertion = assertion(call)?;
        let malformed = mistake("invalid_grant", "Bad Request");
        let jwt = Jwt::parse(&assertion).ok_or(malformed)?;
        let place = self.signer(&jwt)?;
        let account = &self.accounts[place];
        if ![PUBLIC, &self.url]
            .iter()
            .any(|it| jwt.claims["aud"] == **it)
        {
            return Err(mistake(
                "invalid_grant",
                "Invalid JWT: Failed audience check.",
            ));
        }
        check_times(&jwt, cx)?;
        if account.standing == Standing::ClientDisabled {
            return Err(refused("disabled_client", "The OAuth client was disabled."));
        }
        let asked = scopes(&jwt)?;
        let Some(subject) = jwt.claims["sub"].as_str() else {
            return Ok(Grant {
                account: place,
                subject: None,
                scopes: Arc::new(asked),
            });
        };
        let subject = account.check_subject(subject, find)?;
        account.check_scopes(&asked, cx)?;
        Ok(Grant {
            account: place,
            subject: Some(subject?),
            scopes: Arc::new(asked),
        })
    }

    /// The service account that signed.
    fn signer(&self, jwt: &Jwt<'_>) -> Result<usize, Refused> {
        let place = self
            .accounts
            .iter()
            .position(|it| jwt.claims["iss"] == it.email);
        let unknown = || mistake("invalid_grant", "Invalid grant: account not found");
        let place = place.ok_or_else(unknown)?;
        let account = &self.accounts[place];
        let certificate = Certificate::parse(&built_in().certificate);
        let named = jwt
            .header
            .get("kid")
            .is_none_or(|kid| *kid == account.key_id);
        let good =
            named && jwt.header["alg"] == "RS256" && certificate.is_some_and(|it| it.verifies(jwt));
        match account.standing {
            Standing::KeyDisabled => Err(refused("invalid_grant", SIGNATURE)),
            _ if good => Ok(place),
            _ => Err(mistake("invalid_grant", SIGNATURE)),
        }
    }

    fn issue(&mut self, grant: Grant, cx: &Context) -> Reply {
        let text = format!("ya29.c.{}", self.rng.hex(120));
        let body = json!({
            "access_token": text,
            "expires_in": LIFE.as_secs(),
            "token_type": "Bearer",
        });
        self.tokens.add(text, grant, later(cx.now, LIFE));
        Reply::json(200, &body).with(header::CACHE_CONTROL, "no-cache, no-store, max-age=0")
    }
}

impl ServiceAccount {
    /// Whether anything was delegated where the subject is; and then whether there is one.
    fn check_subject(
        &self,
        address: &str,
        find: impl Fn(&str) -> Subject,
    ) -> Result<Result<usize, Refused>, Refused> {
        let found = find(address);
        match self.standing {
            Standing::NotDelegated => return Err(refused("unauthorized_client", UNDELEGATED)),
            Standing::RegisteredByEmail => {
                return Err(refused("unauthorized_client", UNKNOWN_CLIENT));
            }
            _ => {}
        }
        let unknown = || refused("invalid_grant", "Invalid email or User ID");
        match found {
            Subject::Elsewhere if !address.contains('@') => {
                Err(refused("invalid_grant", "Not a valid email"))
            }
            Subject::Elsewhere => Err(refused("unauthorized_client", UNDELEGATED)),
            Subject::Unknown | Subject::Suspended => Ok(Err(unknown())),
            Subject::Known(number) => Ok(Ok(number)),
        }
    }

    /// One scope that was not delegated spoils the whole request.
    fn check_scopes(&self, asked: &BTreeSet<String>, cx: &Context) -> Result<(), Refused> {
        let delegated = asked.intersection(&self.scopes).count();
        if delegated == 0 {
            return Err(refused("unauthorized_client", UNKNOWN_CLIENT));
        }
        if delegated < asked.len() || cx.struck.has(FaultKind::ScopeNotDelegated) {
            return Err(refused("access_denied", DENIED));
        }
        if self.standing == Standing::BlockedByPolicy {
            let description = "Access to your account data is restricted by policies within your \
                               organization.";
            return Err(refused("admin_policy_enforced", description));
        }
        Ok(())
    }
}

/// The error of a status that a fault asks for.
pub(crate) fn by_status(status: u16) -> Reply {
    let error = match status {
        401 => "invalid_client",
        403 => "access_denied",
        429 | 503 => "temporarily_unavailable",
        _ => "internal_failure",
    };
    let body = json!({"error": error, "error_description": "The request could not be served."});
    Reply::json(status, &body)
}

fn assertion(call: &Call) -> Result<String, Refused> {
    let missing = |what| mistake("invalid_request", what);
    if !call.content_type_is("application/x-www-form-urlencoded") {
        return Err(missing("The request must be a form."));
    }
    let form = pairs(&String::from_utf8_lossy(&call.body));
    let field = |name: &str| form.iter().find(|(key, _)| key == name);
    match field("grant_type") {
        Some((_, grant)) if grant == GRANT => {}
        Some(_) => return Err(missing_grant()),
        None => return Err(missing("Required parameter is missing: grant_type")),
    }
    let assertion = field("assertion").map(|(_, value)| value.clone());
    assertion.ok_or_else(|| missing("Required parameter is missing: assertion"))
}

fn missing_grant() -> Refused {
    mistake("unsupported_grant_type", "Invalid grant_type.")
}

/// A clock that a fault sets wrong makes right times wrong.
fn check_times(jwt: &Jwt<'_>, cx: &mut Context) -> Result<(), Refused> {
    let skew = cx
        .struck
        .get(FaultKind::ClockSkew)
        .map_or(0, |it| it.seconds);
    let now = cx.now.as_second() + skew;
    let at = |name: &str| jwt.claims[name].as_i64();
    let (Some(issued), Some(ends)) = (at("iat"), at("exp")) else {
        return Err(mistake("invalid_grant", TIMES));
    };
    if ends <= issued || ends - issued > REFUSED_FROM {
        return Err(mistake("invalid_grant", TIMES));
    }
    if (now - issued).abs() > TOLERANCE || ends <= now {
        // Clocks differ through nobody's fault.
        return Err(refused("invalid_grant", TIMES));
    }
    if ends - issued > LONGEST {
        cx.violate("assertion_long_lived", "an hour is asked for at most");
    }
    Ok(())
}

/// The scopes that are asked for, apart by spaces.
fn scopes(jwt: &Jwt<'_>) -> Result<BTreeSet<String>, Refused> {
    let invalid = || {
        let description = "Invalid OAuth scope or ID token audience provided.";
        mistake("invalid_scope", description)
    };
    let asked = jwt.claims["scope"].as_str().unwrap_or_default();
    let asked: Option<BTreeSet<String>> = asked
        .split_whitespace()
        .map(|scope| {
            let name = scope.strip_prefix(SCOPE)?;
            routes::knows_scope(name).then(|| name.to_owned())
        })
        .collect();
    asked.filter(|it| !it.is_empty()).ok_or_else(invalid)
}

const fn refused(error: &'static str, description: &'static str) -> Refused {
    let status = match error.as_bytes() {
        b"unauthorized_client" | b"access_denied" | b"disabled_client" => 401,
        _ => 400,
    };
    Refused {
        status,
        error,
        description,
        mistake: false,
    }
}

const fn mistake(error: &'static str, description: &'static str) -> Refused {
    Refused {
        mistake: true,
        ..refused(error, description)
    }
}

impl Grant {
    /// Whether one of these scopes was granted.
    pub(crate) fn has(&self, scopes: &[&str]) -> bool {
        scopes.iter().any(|it| self.scopes.contains(*it))
    }
}
