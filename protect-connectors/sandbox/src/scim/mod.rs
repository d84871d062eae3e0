//! A service provider of SCIM 2.0 (RFC 7643, RFC 7644), strict where the standard is.

mod filter;
mod users;

use axum::http::Method;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    limits::Window,
    request::{Call, Context, Reply, Route, changes, reads},
    rng::Rng,
    scenario::Cast,
};
use users::Users;

const MEDIA_TYPE: &str = "application/scim+json";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    List,
    Get,
    Patch,
    Config,
}

/// How the service provider is, within what the standard lets it be, and a little beyond.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Answers a change with 204 and nothing, instead of 200 and the user.
    pub(crate) no_content: bool,
    /// Takes `"False"` alone: a boolean is answered as if it had been taken, and changes nothing.
    pub(crate) active_as_text: bool,
    /// Shows `active` as text.
    pub(crate) shows_text: bool,
    /// Takes no path in a change.
    pub(crate) no_path: bool,
    /// Resources have versions, and a change must name the current one.
    pub(crate) versions: bool,
    /// Takes no PATCH.
    pub(crate) no_patch: bool,
    /// Gives the first page whatever is asked for.
    pub(crate) ignores_start: bool,
}

pub(crate) struct Scim {
    pub(crate) scan_token: String,
    pub(crate) respond_token: String,
    users: Users,
    settings: Settings,
    limit: Window,
}

impl Scim {
    pub(crate) fn new(seed: u64, cast: &Cast) -> Self {
        let mut rng = Rng::new(seed, "scim");
        Self {
            scan_token: format!("scim_scan_{}", rng.hex(24)),
            respond_token: format!("scim_respond_{}", rng.hex(24)),
            users: Users::new(cast, &mut rng),
            settings: Settings::default(),
            limit: Window::new(25, SignedDuration::from_secs(1)),
        }
    }

    pub(crate) fn settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Deletes a user, as an administrator would. The state before, or `None` for an unknown one.
    pub(crate) fn delete(&mut self, id: &str) -> Option<&'static str> {
        self.users.delete(id)
    }

    /// The id of the user with this address.
    pub(crate) fn id_of(&self, email: &str) -> Option<String> {
        self.users.id_of(email)
    }

    pub(crate) fn snapshot(&self) -> Value {
        json!({ "users": self.users.snapshot() })
    }

    pub(crate) fn route(call: &Call) -> Option<Route<Endpoint>> {
        match (&call.method, &call.path()[..]) {
            (&Method::GET, ["v2", "Users"]) => reads(Endpoint::List, "/Users"),
            (&Method::GET, ["v2", "Users", _]) => reads(Endpoint::Get, "/Users/{id}"),
            (&Method::PATCH, ["v2", "Users", _]) => changes(Endpoint::Patch, "/Users/{id}"),
            (&Method::GET, ["v2", "ServiceProviderConfig"]) => {
                reads(Endpoint::Config, "/ServiceProviderConfig")
            }
            _ => None,
        }
    }

    /// An error as RFC 7644 section 3.12 writes it: the status is text.
    pub(crate) fn error(status: u16, detail: &str) -> Reply {
        refusal(status, "", detail)
    }

    pub(crate) fn handle(&mut self, endpoint: Endpoint, call: &Call, cx: &mut Context) -> Reply {
        let takes = call.header("accept").unwrap_or("*/*");
        if ![MEDIA_TYPE, "application/json", "*/*"]
            .iter()
            .any(|kind| takes.contains(kind))
        {
            cx.violate("scim_accept", "the media type of SCIM is not accepted");
            return Self::error(406, "not acceptable");
        }
        let may_change = match call.bearer() {
            Some(token) if token == self.respond_token => true,
            Some(token) if token == self.scan_token => false,
            _ => {
                cx.violate("scim_token", "not a token of this sandbox");
                return Self::error(401, "Authorization failure.");
            }
        };
        if cx.limits && self.limit.take(cx.now, 1).is_err() {
            cx.violate("rate_limit_exceeded", "25 a second");
            return Self::error(429, "Too many requests.");
        }
        match endpoint {
            Endpoint::Config => self.config(),
            Endpoint::List => self.users.list(&self.settings, call, cx),
            Endpoint::Get => self.users.get(&self.settings, call, cx),
            Endpoint::Patch if self.settings.no_patch => {
                Self::error(501, "PATCH is not supported.")
            }
            // A token may lose a permission without its holder knowing.
            Endpoint::Patch if !may_change => Self::error(403, "The token may only read."),
            Endpoint::Patch => self.users.patch(&self.settings, call, cx),
        }
    }

    fn config(&self) -> Reply {
        let supported = |is: bool| json!({ "supported": is });
        reply(
            200,
            &json!({
                "schemas": [CONFIG],
                "documentationUri": "https://wiki.example/help/scim",
                "patch": supported(!self.settings.no_patch),
                "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
                "filter": { "supported": true, "maxResults": users::MOST },
                "changePassword": supported(false),
                "sort": supported(false),
                "etag": supported(self.settings.versions),
                "authenticationSchemes": [{
                    "type": "oauthbearertoken",
                    "name": "OAuth Bearer Token",
                    "description": "RFC 6750",
                }],
                "meta": { "resourceType": "ServiceProviderConfig" },
            }),
        )
    }
}

fn reply(status: u16, body: &Value) -> Reply {
    Reply::of_type(status, MEDIA_TYPE, body)
}

fn refusal(status: u16, scim_type: &str, detail: &str) -> Reply {
    let mut body = json!({
        "schemas": [ERROR],
        "detail": detail,
        "status": status.to_string(),
    });
    if !scim_type.is_empty() {
        body["scimType"] = json!(scim_type);
    }
    reply(status, &body)
}
