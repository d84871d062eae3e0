//! Client credentials (RFC 6749 section 4.4) by HTTP Basic only, and revocation (RFC 7009).

use std::collections::BTreeSet;

use axum::http::header;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::rpc_status;
use crate::{
    bearer::Bearers,
    clock::later,
    request::{Call, Context, Reply, pairs},
    rng::Rng,
};

/// The documented life of an access token.
const LIFE: SignedDuration = SignedDuration::from_secs(900);

/// A permission of an application, set in the vendor's console and never sent in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    List,
    Get,
    Suspend,
    Reactivate,
}

#[derive(Debug, Clone)]
pub(crate) struct Application {
    pub(crate) name: &'static str,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) scopes: BTreeSet<Scope>,
}

pub(crate) struct OAuth {
    pub(crate) applications: Vec<Application>,
    /// Each grants what the application at this place may do.
    pub(crate) tokens: Bearers<usize>,
    rng: Rng,
}

impl OAuth {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let applications = vec![
            application("scan", &[Scope::List, Scope::Get], rng),
            application(
                "respond",
                &[Scope::Get, Scope::Suspend, Scope::Reactivate],
                rng,
            ),
        ];
        Self {
            applications,
            tokens: Bearers::new(),
            rng: Rng::new(rng.next(), "tokens"),
        }
    }

    pub(crate) fn application(&self, name: &str) -> Option<&Application> {
        self.applications.iter().find(|app| app.name == name)
    }

    /// False where no application has this name.
    pub(crate) fn set_scopes(&mut self, name: &str, scopes: BTreeSet<Scope>) -> bool {
        let found = self.applications.iter_mut().find(|app| app.name == name);
        found.map(|app| app.scopes = scopes).is_some()
    }

    pub(crate) fn token(&mut self, call: &Call, cx: &mut Context) -> Reply {
        let (application, form) = match self.client(call, cx) {
            Ok(client) => client,
            Err(reply) => return reply,
        };
        for (name, value) in &form {
            let refused = match name.as_str() {
                "grant_type" => (value != "client_credentials").then_some("unsupported_grant_type"),
                "scope" => (value != "openid").then_some("invalid_scope"),
                _ => Some("invalid_request"),
            };
            if let Some(refused) = refused {
                cx.violate(refused_rule(name), "not what the token endpoint takes");
                return error(400, refused);
            }
        }
        if form.iter().filter(|(name, _)| name == "grant_type").count() != 1 {
            cx.violate("grant_type", "exactly one grant_type is needed");
            return error(400, "invalid_request");
        }
        let access_token = self.issue(application, cx.now);
        let body = json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": LIFE.as_secs(),
            "scope": "openid",
        });
        Reply::json(200, &body).with(header::CACHE_CONTROL, "no-store")
    }

    pub(crate) fn revoke(&mut self, call: &Call, cx: &mut Context) -> Reply {
        let (application, form) = match self.client(call, cx) {
            Ok(client) => client,
            Err(reply) => return reply,
        };
        let [(name, token)] = form.as_slice() else {
            cx.violate("revoke_form", "revocation takes the field token alone");
            return error(400, "invalid_request");
        };
        if name != "token" {
            cx.violate("revoke_form", "revocation takes the field token alone");
            return error(400, "invalid_request");
        }
        // RFC 7009 section 2.2: an unknown token is no error.
        self.tokens.revoke(token, |grant| *grant == application);
        Reply::empty(200)
    }

    /// Checks the bearer token and its application's scope.
    pub(crate) fn authorize(
        &self,
        scope: Scope,
        call: &Call,
        cx: &mut Context,
    ) -> Result<(), Reply> {
        let Some(application) = self.tokens.check(call, cx) else {
            return Err(rpc_status(401, "unauthenticated"));
        };
        if !self.applications[*application].scopes.contains(&scope) {
            cx.violate("scope_missing", "the application lacks this permission");
            return Err(rpc_status(403, "missing_scope"));
        }
        Ok(())
    }

    /// The index of the application whose credentials came by Basic, and the form.
    fn client(
        &self,
        call: &Call,
        cx: &mut Context,
    ) -> Result<(usize, Vec<(String, String)>), Reply> {
        if !call.content_type_is("application/x-www-form-urlencoded") {
            cx.violate("form_content_type", "the body must be a form");
            return Err(error(400, "invalid_request"));
        }
        let form = pairs(&String::from_utf8_lossy(&call.body));
        if form
            .iter()
            .any(|(name, _)| name == "client_id" || name == "client_secret")
        {
            cx.violate("credentials_in_body", "only HTTP Basic is accepted");
            return Err(error(401, "invalid_client"));
        }
        let Some((id, secret)) = basic(call) else {
            cx.violate("basic_missing", "HTTP Basic is needed");
            return Err(error(401, "invalid_client"));
        };
        let found = self
            .applications
            .iter()
            .position(|app| app.client_id == id && app.client_secret == secret);
        found.map(|application| (application, form)).ok_or_else(|| {
            cx.violate("client_credentials", "no application has these credentials");
            error(401, "invalid_client")
        })
    }

    fn issue(&mut self, application: usize, now: Timestamp) -> String {
        let text = format!("opat_{}", self.rng.hex(48));
        self.tokens.add(text.clone(), application, later(now, LIFE));
        text
    }
}

/// RFC 6749 section 5.2.
pub(crate) fn error(status: u16, code: &str) -> Reply {
    let body = json!({"error": code, "error_description": "the request was refused"});
    let reply = Reply::json(status, &body);
    if status == 401 {
        return reply.with(header::WWW_AUTHENTICATE, "Basic");
    }
    reply
}

fn application(name: &'static str, scopes: &[Scope], rng: &mut Rng) -> Application {
    Application {
        name,
        client_id: rng.uuid(),
        // A colon, so that whoever splits or encodes the pair wrongly is found out.
        client_secret: format!("{}:{}/+=", rng.hex(20), rng.hex(20)),
        scopes: scopes.iter().copied().collect(),
    }
}

fn basic(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn refused_rule(field: &str) -> &'static str {
    match field {
        "grant_type" => "grant_type",
        "scope" => "scope_not_openid",
        _ => "unknown_form_field",
    }
}
