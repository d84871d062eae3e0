//! The Entra token endpoint: client credentials (identity-platform/v2-oauth2-client-creds-grant-flow).

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex},
};

use axum::http::header;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;

use super::assertion::Assertions;
use crate::{
    assertion::Certificate,
    bearer::Bearers,
    clock::{later, seconds},
    request::{Call, Context, Reply, decode, pairs},
    rng::Rng,
    token::unsigned_jwt,
};

const LIFE: SignedDuration = SignedDuration::from_secs(3599);
const PUBLIC_GRAPH: &str = "https://graph.microsoft.com";
pub(crate) const PUBLIC_VAULT: &str = "https://vault.azure.net";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An application registered in the tenant.
pub(crate) struct Application {
    pub(crate) name: &'static str,
    pub(crate) client_id: String,
    pub(crate) secret: String,
    /// Object id of its service principal.
    pub(crate) principal: String,
    /// Application permissions that an administrator consented to.
    pub(crate) permissions: BTreeSet<String>,
    /// The sandbox's own where none was uploaded.
    pub(crate) certificates: Option<Vec<Certificate>>,
    pub(crate) standing: Standing,
    /// Whether it may read the secrets of the key vault.
    pub(crate) reads_vault: bool,
}

/// What stands between right credentials and a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    #[default]
    Good,
    /// Nobody consented: the tenant has no service principal of it.
    NoConsent,
    Disabled,
    SecretExpired,
    /// By Conditional Access for workload identities.
    Blocked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    Graph,
    Vault,
}

/// What an access token grants: the permissions are those at the time it was issued.
pub(crate) struct Grant {
    pub(crate) application: usize,
    pub(crate) audience: Audience,
    pub(crate) roles: Arc<BTreeSet<String>>,
    /// Method and template of what was denied to this token: to be asked once.
    pub(crate) denied: Denied,
}

pub(crate) type Denied = Arc<Mutex<HashSet<(&'static str, &'static str)>>>;

pub(crate) struct Login {
    pub(crate) tenant: String,
    /// Verified domains, which may stand in the place of the tenant's identifier.
    domains: Vec<String>,
    pub(crate) applications: Vec<Application>,
    pub(crate) tokens: Bearers<Grant>,
    /// Roots of the sandbox: of the token endpoint, of Graph, of the key vault.
    roots: [String; 3],
    assertions: Assertions,
    rng: Rng,
}

/// Why there is no token: the code of AADSTS, the HTTP status, `error` and what it says.
pub(crate) struct Refused {
    pub(crate) code: u32,
    status: u16,
    error: &'static str,
    message: &'static str,
    /// The rule that a correct client would have kept; none for what it cannot know.
    rule: Option<&'static str>,
}

impl Refused {
    pub(crate) const fn client(code: u32, message: &'static str, rule: &'static str) -> Self {
        Self {
            code,
            status: 401,
            error: "invalid_client",
            message,
            rule: Some(rule),
        }
    }

    const fn request(code: u32, error: &'static str, message: &'static str) -> Self {
        Self {
            code,
            status: 400,
            error,
            message,
            rule: Some("token_request"),
        }
    }

    pub(crate) const fn unforeseen(mut self) -> Self {
        self.rule = None;
        self
    }
}

impl Login {
    pub(crate) fn new(
        tenant: &str,
        domains: &[&str],
        applications: Vec<Application>,
        roots: [String; 3],
        rng: Rng,
    ) -> Self {
        Self {
            tenant: tenant.to_owned(),
            domains: domains.iter().map(|it| (*it).to_owned()).collect(),
            applications,
            tokens: Bearers::new(),
            roots,
            assertions: Assertions::default(),
            rng,
        }
    }

    /// Client identifier and secret of the application of this name.
    pub(crate) fn credentials(&self, name: &str) -> (String, String) {
        let found = self.applications.iter().find(|it| it.name == name);
        found.map_or_else(Default::default, |it| {
            (it.client_id.clone(), it.secret.clone())
        })
    }

    pub(crate) fn application_mut(&mut self, name: &str) -> Option<&mut Application> {
        self.applications.iter_mut().find(|it| it.name == name)
    }

    pub(crate) fn token(&mut self, call: &Call, cx: &mut Context) -> Reply {
        match self.grant(call, cx) {
            Ok(grant) => self.issue(grant, cx),
            Err(refused) => {
                if let Some(rule) = refused.rule {
                    cx.violate(rule, refused.message);
                }
                self.refuse(&refused, cx)
            }
        }
    }

    fn grant(&mut self, call: &Call, cx: &mut Context) -> Result<Grant, Refused> {
        if !call.content_type_is("application/x-www-form-urlencoded") {
            return Err(missing());
        }
        let form = pairs(&String::from_utf8_lossy(&call.body));
        self.check_tenant(call)?;
        cx.tenant = Some(self.tenant.clone());
        match field(&form, "grant_type") {
            Some("client_credentials") => {}
            Some(_) => return Err(unsupported_grant()),
            None => return Err(missing()),
        }
        let (client, secret) = credentials(call, &form);
        let application = self.find(&client.ok_or_else(missing)?)?;
        let audience = self.audience(field(&form, "scope").ok_or_else(missing)?)?;
        match (secret, field(&form, "client_assertion")) {
            (Some(secret), None) => self.check_secret(application, &secret)?,
            (None, Some(jwt)) if field(&form, "client_assertion_type") == Some(ASSERTION_TYPE) => {
                let audience = format!("{}/{}/oauth2/v2.0/token", self.roots[0], tenant_of(call));
                let known = &self.applications[application];
                self.assertions.check(jwt, known, &audience, cx)?;
            }
            _ => return Err(no_credential()),
        }
        let known = &self.applications[application];
        if known.standing == Standing::Blocked {
            return Err(blocked());
        }
        Ok(Grant {
            application,
            audience,
            roles: Arc::new(match audience {
                Audience::Graph => known.permissions.clone(),
                Audience::Vault => BTreeSet::new(),
            }),
            denied: Denied::default(),
        })
    }

    fn check_tenant(&self, call: &Call) -> Result<(), Refused> {
        let asked = tenant_of(call).to_lowercase();
        if matches!(asked.as_str(), "common" | "consumers" | "organizations") {
            return Err(Refused::request(
                9_001_023,
                "invalid_request",
                "The grant type is not supported over the /common or /consumers endpoints.",
            ));
        }
        if asked == self.tenant || self.domains.contains(&asked) {
            return Ok(());
        }
        Err(Refused::request(
            90_002,
            "invalid_request",
            "Tenant not found. Check to make sure you have the correct tenant ID and are signing \
             into the correct cloud.",
        ))
    }

    fn find(&self, client: &str) -> Result<usize, Refused> {
        let place = self
            .applications
            .iter()
            .position(|it| it.client_id.eq_ignore_ascii_case(client));
        let unknown = Refused::request(
            700_016,
            "unauthorized_client",
            "Application with this identifier was not found in the directory. This can happen if \
             the application has not been installed by the administrator of the tenant or \
             consented to by any user in the tenant.",
        );
        let Some(place) = place else {
            return Err(unknown);
        };
        match self.applications[place].standing {
            Standing::NoConsent => Err(unknown.unforeseen()),
            Standing::Disabled => Err(disabled()),
            _ => Ok(place),
        }
    }

    /// The one resource of the scope, which must end in `/.default`.
    fn audience(&self, scope: &str) -> Result<Audience, Refused> {
        let mut scopes = scope.split_whitespace();
        let (Some(scope), None) = (scopes.next(), scopes.next()) else {
            return Err(Refused::request(
                700_022,
                "invalid_scope",
                "The provided value for the input parameter 'scope' isn't valid because it \
                 contains more than one resource.",
            ));
        };
        let Some(resource) = scope.strip_suffix("/.default") else {
            return Err(Refused::request(
                70_011,
                "invalid_scope",
                "The provided value for the input parameter 'scope' is not valid. Client \
                 credential flows must have a scope value with /.default suffixed to the resource.",
            ));
        };
        if resource == PUBLIC_GRAPH || resource == self.roots[1] {
            return Ok(Audience::Graph);
        }
        if resource == PUBLIC_VAULT || resource == self.roots[2] {
            return Ok(Audience::Vault);
        }
        Err(Refused::request(
            500_011,
            "invalid_resource",
            "The resource principal was not found in the tenant.",
        ))
    }

    fn check_secret(&self, application: usize, secret: &str) -> Result<(), Refused> {
        let known = &self.applications[application];
        if known.secret != secret {
            return Err(Refused::client(
                7_000_215,
                "Invalid client secret provided. Ensure the secret being sent in the request is \
                 the client secret value, not the client secret ID.",
                "client_secret",
            ));
        }
        if known.standing == Standing::SecretExpired {
            let message = "The provided client secret keys are expired.";
            return Err(Refused::client(7_000_222, message, "client_secret").unforeseen());
        }
        Ok(())
    }

    fn issue(&mut self, grant: Grant, cx: &Context) -> Reply {
        let application = &self.applications[grant.application];
        let expires = later(cx.now, LIFE);
        let audience = match grant.audience {
            Audience::Graph => &self.roots[1],
            Audience::Vault => PUBLIC_VAULT,
        };
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": self.rng.hex(27)});
        let mut claims = json!({
            "aud": audience,
            "iss": format!("https://sts.windows.net/{}/", self.tenant),
            "iat": cx.now.as_second(),
            "nbf": cx.now.as_second(),
            "exp": expires.as_second(),
            "app_displayname": application.name,
            "appid": application.client_id,
            "idtyp": "app",
            "oid": application.principal,
            "sub": application.principal,
            "tid": self.tenant,
            "uti": self.rng.hex(22),
            "ver": "1.0",
        });
        if !grant.roles.is_empty() {
            claims["roles"] = json!(*grant.roles);
        }
        let text = unsigned_jwt(&mut self.rng, &header, &claims);
        let body = json!({
            "token_type": "Bearer",
            "expires_in": LIFE.as_secs(),
            "ext_expires_in": LIFE.as_secs(),
            "access_token": text,
        });
        self.tokens.add(text, grant, expires);
        Reply::json(200, &body).with(header::CACHE_CONTROL, "no-store, no-cache")
    }

    fn refuse(&mut self, refused: &Refused, cx: &Context) -> Reply {
        let (trace, correlation) = (self.rng.uuid(), self.rng.uuid());
        let at = seconds(cx.now).replace('T', " ");
        let body = json!({
            "error": refused.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}",
                refused.code, refused.message
            ),
            "error_codes": [refused.code],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", refused.code),
        });
        Reply::json(refused.status, &body)
    }
}

/// The error of a status that a fault asks for.
pub(crate) fn by_status(status: u16) -> Reply {
    let (error, code) = match status {
        401 => ("invalid_client", 7_000_215),
        403 => ("unauthorized_client", 7_000_112),
        _ => ("temporarily_unavailable", 90_033),
    };
    let body = json!({
        "error": error,
        "error_description": format!("AADSTS{code}: The request could not be served."),
        "error_codes": [code],
    });
    Reply::json(status, &body)
}

pub(super) fn new_application(
    name: &'static str,
    permissions: &[&str],
    rng: &mut Rng,
) -> Application {
    Application {
        name,
        client_id: rng.uuid(),
        // Characters that a form must encode, so that whoever does not is found out.
        secret: format!("{}~+&={}", rng.hex(12), rng.hex(24)),
        principal: rng.uuid(),
        permissions: permissions.iter().map(|it| (*it).to_owned()).collect(),
        certificates: None,
        standing: Standing::Good,
        reads_vault: name == "vault",
    }
}

fn tenant_of(call: &Call) -> String {
    let segment = call.segments.get(1).map_or("", String::as_str);
    decode(segment).unwrap_or_default()
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = form.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// Client id and secret from the form or by HTTP Basic.
fn credentials(call: &Call, form: &[(String, String)]) -> (Option<String>, Option<String>) {
    let owned = |name| field(form, name).map(str::to_owned);
    let basic = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|encoded| String::from_utf8(STANDARD.decode(encoded).ok()?).ok())
        .and_then(|pair| {
            pair.split_once(':')
                .map(|(id, secret)| (id.to_owned(), secret.to_owned()))
        });
    match basic {
        Some((id, secret)) => (decode(&id), decode(&secret)),
        None => (owned("client_id"), owned("client_secret")),
    }
}

const fn missing() -> Refused {
    Refused::request(
        900_144,
        "invalid_request",
        "The request body must contain grant_type, client_id and scope, as a form.",
    )
}

const fn unsupported_grant() -> Refused {
    Refused::request(
        70_003,
        "unsupported_grant_type",
        "The app requested an unsupported grant type.",
    )
}

const fn no_credential() -> Refused {
    Refused::client(
        7_000_218,
        "The request body must contain the following parameter: 'client_assertion' or \
         'client_secret'.",
        "client_credential",
    )
}

const fn disabled() -> Refused {
    Refused::request(7_000_112, "unauthorized_client", "Application is disabled.").unforeseen()
}

const fn blocked() -> Refused {
    Refused::request(
        53_003,
        "invalid_grant",
        "Access has been blocked by Conditional Access policies.",
    )
    .unforeseen()
}
