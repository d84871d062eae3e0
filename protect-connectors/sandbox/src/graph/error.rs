//! Errors as Graph prints them.

use axum::http::{HeaderName, HeaderValue};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{clock::seconds, request::Reply};

pub(crate) type Answer = Result<Reply, Refusal>;

/// A refused request: status, code and message.
#[derive(Debug)]
pub(crate) struct Refusal(Reply);

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"error": {"code": code, "message": message}});
        Self(Reply::json(status, &body))
    }

    pub(crate) fn bad_request(message: &str) -> Self {
        Self::new(400, "Request_BadRequest", message)
    }

    pub(crate) fn unsupported_query(message: &str) -> Self {
        Self::new(400, "Request_UnsupportedQuery", message)
    }

    pub(crate) fn denied() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::new(403, "Authorization_RequestDenied", message)
    }

    pub(crate) fn not_found() -> Self {
        let message = "Resource does not exist or one of its queried reference-property objects \
                       are not present.";
        Self::new(404, "Request_ResourceNotFound", message)
    }

    #[must_use]
    pub(crate) fn with(self, name: &'static str, value: &str) -> Self {
        Self(self.0.with(HeaderName::from_static(name), value))
    }

    pub(crate) fn into_reply(self) -> Reply {
        self.0
    }
}

/// The error of a status that a fault asks for.
pub(crate) fn by_status(status: u16, message: &str) -> Reply {
    let code = match status {
        401 => "InvalidAuthenticationToken",
        403 => "Authorization_RequestDenied",
        404 => "Request_ResourceNotFound",
        429 => "TooManyRequests",
        503 => "serviceNotAvailable",
        _ => "InternalServerError",
    };
    Refusal::new(status, code, message).into_reply()
}

/// Adds the identifiers of the request to the headers and, for an error, to its `innerError`.
pub(crate) fn stamp(reply: &mut Reply, request_id: &str, client_id: Option<&str>, now: Timestamp) {
    let client_id = client_id.unwrap_or(request_id);
    for (name, id) in [("request-id", request_id), ("client-request-id", client_id)] {
        if let Ok(value) = HeaderValue::from_str(id) {
            reply.headers.push((HeaderName::from_static(name), value));
        }
    }
    if !reply.status.is_client_error() && !reply.status.is_server_error() {
        return;
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else {
        return;
    };
    if let Some(Value::Object(error)) = body.get_mut("error") {
        let inner = json!({
            "date": seconds(now).trim_end_matches('Z'),
            "request-id": request_id,
            "client-request-id": client_id,
        });
        error.insert("innerError".to_owned(), inner);
        reply.body = Bytes::from(body.to_string());
    }
}
