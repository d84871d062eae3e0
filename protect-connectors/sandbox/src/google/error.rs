//! Errors as Google prints them: one form for the Admin SDK, a newer one for the other services.

use axum::http::header;
use serde_json::{Value, json};

use super::operation::Api;
use crate::request::Reply;

pub(crate) type Answer = Result<Reply, Refusal>;

/// A refused request, before it is printed in the form of the service that refuses.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: u16,
    reason: &'static str,
    domain: &'static str,
    message: String,
    /// What `google.rpc.ErrorInfo` says, where it is told.
    info: Option<Value>,
}

impl Refusal {
    pub(crate) fn new(code: u16, reason: &'static str, message: &str) -> Self {
        Self {
            code,
            reason,
            domain: "global",
            message: message.to_owned(),
            info: None,
        }
    }

    pub(crate) fn invalid(message: &str) -> Self {
        Self::new(400, "invalid", message)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        let message = format!("Resource Not Found: {what}");
        Self::new(404, "notFound", &message)
    }

    /// The subject lacks the privilege of an administrator.
    pub(crate) fn forbidden() -> Self {
        let message = "Not Authorized to access this resource/api";
        Self::new(403, "forbidden", message)
    }

    pub(crate) fn unauthenticated() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access \
                       token, login cookie or other valid authentication credential.";
        Self::new(401, "authError", message)
    }

    /// Too many requests, in one of the ways that Google says so.
    pub(crate) fn quota(code: u16, reason: &'static str) -> Self {
        let message = match reason {
            "userRateLimitExceeded" => "User Rate Limit Exceeded",
            "rateLimitExceeded" => "Rate Limit Exceeded",
            _ => "Quota exceeded.",
        };
        Self {
            domain: "usageLimits",
            ..Self::new(code, reason, message)
        }
    }

    /// The API was not switched on in the project of the service account.
    pub(crate) fn switched_off(api: Api, project: &str) -> Self {
        let (service, name) = (api.service(), api.name());
        let message = format!(
            "{name} has not been used in project {project} before or it is disabled. Enable it by \
             visiting https://console.developers.google.com/apis/api/{service}/overview?project=\
             {project} then retry."
        );
        let info = json!({
            "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com",
            "metadata": {"service": service, "consumer": format!("projects/{project}")},
        });
        Self {
            domain: "usageLimits",
            info: Some(info),
            ..Self::new(403, "accessNotConfigured", &message)
        }
    }

    /// The token was not issued for a scope of this method.
    pub(crate) fn insufficient_scope(api: Api) -> Self {
        let message = "Request had insufficient authentication scopes.";
        let info = json!({
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
            "metadata": {"service": api.service()},
        });
        Self {
            info: Some(info),
            ..Self::new(403, "insufficientPermissions", message)
        }
    }

    pub(crate) fn into_reply(self, api: Api) -> Reply {
        let mut error = json!({"code": self.code, "message": self.message});
        if api.is_admin_sdk() {
            error["errors"] = json!([{
                "message": self.message, "domain": self.domain, "reason": self.reason,
            }]);
        }
        if !api.is_admin_sdk() || self.info.is_some() || self.code == 401 {
            error["status"] = Value::from(state(self.code));
        }
        if let Some(mut info) = self.info {
            info["@type"] = Value::from("type.googleapis.com/google.rpc.ErrorInfo");
            error["details"] = json!([info]);
        }
        let mut reply = Reply::json(self.code, &json!({"error": error}));
        if self.code == 401 {
            reply = reply.with(
                header::WWW_AUTHENTICATE,
                "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"",
            );
        }
        reply
    }
}

/// The error of a status that a fault asks for.
pub(crate) fn by_status(api: Api, status: u16) -> Reply {
    let refusal = match status {
        401 => Refusal::unauthenticated(),
        403 => Refusal::forbidden(),
        404 => Refusal::not_found("userKey"),
        429 => Refusal::quota(429, "rateLimitExceeded"),
        503 => Refusal::new(503, "backendError", "The service is currently unavailable."),
        _ => Refusal::new(500, "backendError", "Internal error encountered."),
    };
    refusal.into_reply(api)
}

/// The canonical code of an HTTP status (google.rpc.Code).
fn state(code: u16) -> &'static str {
    match code {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ALREADY_EXISTS",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}
