//! 1Password: OAuth for the Users API, the Users API itself, and the Events API.
//!
//! Facts: 1password.dev/users-api (authorization, reference) and 1password.dev/events-api
//! (reference, rate limits, status codes). Where the vendor's pages are silent the stricter reading
//! is taken.

mod events;
mod generate;
mod oauth;
mod users;

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use events::{Events, Stream};
pub(crate) use generate::{BURST, FAILURES_COUNTRY, SUCCESS_COUNTRY};
pub(crate) use oauth::{Application, OAuth, Scope};
pub(crate) use users::{UserChange, Users};

use crate::{
    request::{Call, Context, Reply, Route, changes, reads},
    rng::Rng,
    scenario::Cast,
    token::Sealer,
};

pub(crate) struct OnePassword {
    pub(crate) account: String,
    pub(crate) oauth: OAuth,
    pub(crate) users: Users,
    pub(crate) events: Events,
    /// Provisioning by an identity provider: the Users API then refuses to change people.
    pub(crate) automated_provisioning: bool,
}

/// What `/_sandbox/onepassword/settings` takes.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) automated_provisioning: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Endpoint {
    Token,
    Revoke,
    ListUsers,
    GetUser,
    Suspend,
    Reactivate,
    Introspect,
    IntrospectOld,
    Events(Stream, u8),
}

impl OnePassword {
    pub(crate) fn new(seed: u64, cast: &Cast, events_host: &str) -> Self {
        let mut rng = Rng::new(seed, "onepassword");
        let account = rng.base32(26);
        let sealer = Sealer::new(&rng.hex(64));
        let oauth = OAuth::new(&mut rng);
        let mut events = Events::new(&mut rng, events_host, &account, sealer.clone());
        generate::fill(&mut events, cast, &mut Rng::new(seed, "events"));
        Self {
            users: Users::new(cast, &account, sealer),
            account,
            oauth,
            events,
            automated_provisioning: false,
        }
    }

    pub(crate) fn route(call: &Call) -> Option<Route<Endpoint>> {
        use Endpoint as E;
        let get = call.method == Method::GET;
        let post = call.method == Method::POST;
        match call.path()[..] {
            ["api", "v1beta1", "users", "oauth2", "token"] if post => {
                reads(E::Token, "/v1beta1/users/oauth2/token")
            }
            ["api", "v1beta1", "users", "oauth2", "revoke"] if post => {
                reads(E::Revoke, "/v1beta1/users/oauth2/revoke")
            }
            ["api", "v1", "oauth", "token"] if post => reads(E::Token, "/v1/oauth/token"),
            ["api", "v1", "oauth", "revoke"] if post => reads(E::Revoke, "/v1/oauth/revoke"),
            ["api", "v1beta1", "accounts", _, "users"] if get => {
                reads(E::ListUsers, "/v1beta1/accounts/{account}/users")
            }
            ["api", "v1", "accounts", _, "users"] if get => {
                reads(E::ListUsers, "/v1/accounts/{account}/users")
            }
            [
                "api",
                version @ ("v1beta1" | "v1"),
                "accounts",
                _,
                "users",
                user,
            ] => user_route(version == "v1", user, get, post),
            ["events", "api", "v2", "auth", "introspect"] if get => {
                reads(E::Introspect, "/api/v2/auth/introspect")
            }
            ["events", "api", "auth", "introspect"] if get => {
                reads(E::IntrospectOld, "/api/auth/introspect")
            }
            ["events", "api", version, stream] if post => events_route(version, stream),
            _ => None,
        }
    }

    pub(crate) fn handle(&mut self, endpoint: Endpoint, call: &Call, cx: &mut Context) -> Reply {
        match endpoint {
            Endpoint::Token => self.oauth.token(call, cx),
            Endpoint::Revoke => self.oauth.revoke(call, cx),
            Endpoint::Introspect => self.events.introspect(call, cx, true),
            Endpoint::IntrospectOld => self.events.introspect(call, cx, false),
            Endpoint::Events(stream, version) => self.events.page(stream, version, call, cx),
            Endpoint::ListUsers => self.user_call(Scope::List, call, cx, Users::list),
            Endpoint::GetUser => self.user_call(Scope::Get, call, cx, Users::get),
            Endpoint::Suspend => self.write(Scope::Suspend, call, cx, Users::suspend),
            Endpoint::Reactivate => self.write(Scope::Reactivate, call, cx, Users::reactivate),
        }
    }

    /// An error as the API behind this endpoint prints it.
    pub(crate) fn error(endpoint: Option<Endpoint>, status: u16, message: &str) -> Reply {
        match endpoint {
            Some(Endpoint::Introspect | Endpoint::IntrospectOld | Endpoint::Events(..)) => {
                Reply::json(status, &json!({"Error": {"Message": message}}))
            }
            Some(Endpoint::Token | Endpoint::Revoke) => oauth::error(status, message),
            _ => rpc_status(status, message),
        }
    }

    pub(crate) fn settings(&mut self, settings: &Settings) {
        self.automated_provisioning = settings.automated_provisioning;
    }

    fn write(
        &mut self,
        scope: Scope,
        call: &Call,
        cx: &mut Context,
        then: fn(&mut Users, &Call, &mut Context) -> Reply,
    ) -> Reply {
        let provisioned = self.automated_provisioning;
        let before = cx.changes.len();
        let reply = self.user_call(scope, call, cx, |users, call, cx| {
            if provisioned {
                return rpc_status(403, "automated_provisioning_enabled");
            }
            if !call.body.is_empty() {
                cx.violate("body_not_empty", "suspend and reactivate take no body");
                return rpc_status(400, "request body is not expected");
            }
            then(users, call, cx)
        });
        for change in &cx.changes[before..] {
            let action = if change.to == "SUSPENDED" {
                "suspend"
            } else {
                // The vendor spells it so.
                "reactive"
            };
            self.events.audit_user(action, &change.id, cx.now);
        }
        reply
    }

    fn user_call(
        &mut self,
        scope: Scope,
        call: &Call,
        cx: &mut Context,
        then: impl FnOnce(&mut Users, &Call, &mut Context) -> Reply,
    ) -> Reply {
        let account = call.segments.get(3).map_or("", String::as_str);
        cx.tenant = (account == self.account).then(|| self.account.clone());
        if call.header("user-agent").is_none_or(str::is_empty) {
            cx.violate("user_agent_missing", "the vendor asks for a user agent");
        }
        if let Err(reply) = self.oauth.authorize(scope, call, cx) {
            return reply;
        }
        if account != self.account {
            cx.violate("unknown_account", "the token is for another account");
            return rpc_status(404, "account not found");
        }
        then(&mut self.users, call, cx)
    }
}

/// google.rpc.Status as a gRPC gateway prints it, with the code that belongs to the HTTP status.
pub(crate) fn rpc_status(status: u16, message: &str) -> Reply {
    let code = match status {
        400 => 3,
        401 => 16,
        403 => 7,
        404 => 5,
        429 => 8,
        503 => 14,
        _ => 13,
    };
    let body: Value = json!({"code": code, "message": message, "details": []});
    Reply::json(status, &body)
}

fn user_route(v1: bool, user: &str, get: bool, post: bool) -> Option<Route<Endpoint>> {
    use Endpoint as E;
    match user.split_once(':') {
        None if get && v1 => reads(E::GetUser, "/v1/accounts/{account}/users/{user}"),
        None if get => reads(E::GetUser, "/v1beta1/accounts/{account}/users/{user}"),
        Some((_, "suspend")) if post && v1 => {
            changes(E::Suspend, "/v1/accounts/{account}/users/{user}:suspend")
        }
        Some((_, "suspend")) if post => changes(
            E::Suspend,
            "/v1beta1/accounts/{account}/users/{user}:suspend",
        ),
        Some((_, "reactivate")) if post && v1 => changes(
            E::Reactivate,
            "/v1/accounts/{account}/users/{user}:reactivate",
        ),
        Some((_, "reactivate")) if post => changes(
            E::Reactivate,
            "/v1beta1/accounts/{account}/users/{user}:reactivate",
        ),
        _ => None,
    }
}

fn events_route(version: &str, stream: &str) -> Option<Route<Endpoint>> {
    use Stream as S;
    match (version, stream) {
        ("v1", "signinattempts") => reads(Endpoint::Events(S::SignIn, 1), "/api/v1/signinattempts"),
        ("v2", "signinattempts") => reads(Endpoint::Events(S::SignIn, 2), "/api/v2/signinattempts"),
        ("v1", "itemusages") => reads(Endpoint::Events(S::ItemUsage, 1), "/api/v1/itemusages"),
        ("v2", "itemusages") => reads(Endpoint::Events(S::ItemUsage, 2), "/api/v2/itemusages"),
        ("v1", "auditevents") => reads(Endpoint::Events(S::Audit, 1), "/api/v1/auditevents"),
        ("v2", "auditevents") => reads(Endpoint::Events(S::Audit, 2), "/api/v2/auditevents"),
        _ => None,
    }
}
