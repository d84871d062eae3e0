//! What Graph's errors mean
//! (<https://learn.microsoft.com/graph/errors>).

use protect_core::http::ErrorAnswer;
use protect_core::model::NotEvaluatedReason;
use protect_core::posture::{Refusal, VendorError};
use protect_core::{Error, ErrorKind};
use serde_json::Value;

use crate::config::is_guid;
use crate::graph::vendor_error;

/// The error table of every call to Graph. The innermost code that is known decides, then the
/// status; the message for people is never branched on but for the licence, for which Graph has no
/// code, and is shown to nobody.
pub(crate) fn graph_error(answer: &ErrorAnswer) -> Error {
    let body: Value = answer.json().unwrap_or_default();
    let said = Said::read(&body);
    let error = said.error(answer);
    let error = match said.shown_code() {
        Some(code) => error.with_context("code", code),
        None => error,
    };
    let error = ids(&body, answer)
        .into_iter()
        .fold(error, |error, (name, id)| error.with_context(name, id));
    error.with_source(Refusal::new(&answer.body, answer.status.as_u16()))
}

/// The vendor has no such object, or no longer.
pub(crate) fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

/// Codes from the outside in: `error.code`, then those of `innerError`, which may nest.
struct Said {
    codes: Vec<String>,
    message: String,
}

/// Codes that say more than the status does.
const KNOWN: &[&str] = &[
    "Authorization_RequestDenied",
    "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
    "Request_ResourceNotFound",
    "ResourceNotFound",
    "InvalidAuthenticationToken",
    "TooManyRequests",
    "resyncRequired",
    "syncStateNotFound",
];

impl Said {
    fn read(body: &Value) -> Self {
        let error = &body["error"];
        let mut codes = Vec::new();
        let mut at = error;
        for _ in 0..8 {
            let code = at["code"].as_str().filter(|code| !code.is_empty());
            codes.extend(code.map(ToOwned::to_owned));
            let inner = at.get("innerError").or_else(|| at.get("innererror"));
            let Some(inner) = inner else { break };
            at = inner;
        }
        Self {
            codes,
            message: error["message"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// The innermost known code, or else the outermost.
    fn code(&self) -> Option<&str> {
        let known = |code: &&String| KNOWN.iter().any(|known| known.eq_ignore_ascii_case(code));
        let found = self.codes.iter().rev().find(known);
        found.or(self.codes.first()).map(String::as_str)
    }

    /// The code, where it is a word and not something of the tenant's.
    fn shown_code(&self) -> Option<&str> {
        let is_word = |code: &&str| {
            code.len() <= 80
                && code
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
        };
        self.code().filter(is_word)
    }

    fn error(&self, answer: &ErrorAnswer) -> Error {
        let code = self.code().unwrap_or_default();
        let is = |word: &str| code.eq_ignore_ascii_case(word);
        let status = answer.status.as_u16();
        if matches!(status, 400 | 402 | 403 | 404) && self.is_about_licence() {
            return Error::new(ErrorKind::Unsupported, "the tenant has no licence for this");
        }
        if status == 403 && is("Authorization_RequestDenied") {
            return Error::new(
                ErrorKind::PermissionDenied,
                "the application lacks the permission, or the account holds a role that only a higher role may touch",
            );
        }
        if is("TooManyRequests") {
            let message = "too many requests; wait before the next";
            return Error::new(ErrorKind::RateLimited, message).temporary();
        }
        if is("Request_ResourceNotFound") || is("ResourceNotFound") {
            return Error::new(ErrorKind::NotFound, "the vendor does not know it");
        }
        answer.default_error()
    }

    fn is_about_licence(&self) -> bool {
        let said = VendorError {
            code: self.codes.join(" "),
            message: self.message.clone(),
        };
        vendor_error(&said) == NotEvaluatedReason::MissingLicence
    }
}

/// The ids by which Microsoft's support finds the request.
fn ids(body: &Value, answer: &ErrorAnswer) -> Vec<(&'static str, String)> {
    let inner = [&body["error"]["innerError"], &body["error"]["innererror"]];
    let names = [
        ("request_id", "request-id"),
        ("client_request_id", "client-request-id"),
    ];
    let found = names.into_iter().filter_map(|(ours, theirs)| {
        let header = answer.headers.get(theirs).and_then(|it| it.to_str().ok());
        let in_body = || inner.iter().find_map(|it| it[theirs].as_str());
        let id = header.or_else(in_body).filter(|id| is_guid(id))?;
        Some((ours, id.to_owned()))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    const ID: &str = "11111111-2222-4333-8444-555555555555";

    fn error(status: u16, body: &str) -> Error {
        let mut headers = HeaderMap::new();
        headers.insert("request-id", HeaderValue::from_static(ID));
        graph_error(&ErrorAnswer {
            operation: "m365.test",
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    }

    #[test]
    fn codes_and_statuses_mean_what_graph_documents() {
        use ErrorKind as Kind;
        let table = [
            (
                403,
                r#"{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}}"#,
                Kind::PermissionDenied,
                false,
            ),
            (
                403,
                r#"{"error":{"code":"Forbidden","message":"Your tenant is not licensed for this"}}"#,
                Kind::Unsupported,
                false,
            ),
            (
                403,
                r#"{"error":{"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":""}}"#,
                Kind::Unsupported,
                false,
            ),
            (
                404,
                r#"{"error":{"code":"Request_ResourceNotFound","message":""}}"#,
                Kind::NotFound,
                false,
            ),
            (
                400,
                r#"{"error":{"code":"","innererror":{"code":"Request_ResourceNotFound"}}}"#,
                Kind::NotFound,
                false,
            ),
            (
                429,
                r#"{"error":{"code":"TooManyRequests"}}"#,
                Kind::RateLimited,
                true,
            ),
            (
                400,
                r#"{"error":{"code":"Outer","innerError":{"code":"TooManyRequests"}}}"#,
                Kind::RateLimited,
                true,
            ),
            (503, "<html>", Kind::Unavailable, true),
            (504, "", Kind::Unavailable, true),
            (
                401,
                r#"{"error":{"code":"InvalidAuthenticationToken"}}"#,
                Kind::Unauthenticated,
                false,
            ),
            (
                400,
                r#"{"error":{"code":"Request_BadRequest"}}"#,
                Kind::InvalidInput,
                false,
            ),
            (423, "[]", Kind::Conflict, false),
        ];
        for (status, body, kind, retries) in table {
            let error = error(status, body);
            assert_eq!(
                (error.kind(), error.is_retryable()),
                (kind, retries),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn an_error_shows_code_and_request_id_and_nothing_that_graph_said_to_people() {
        let body = r#"{"error":{"code":"Request_BadRequest","message":"canary a@acme.example"}}"#;
        let error = error(400, body);
        let shown = format!("{error:?} {:?}", error.envelope());
        assert!(
            shown.contains("Request_BadRequest") && shown.contains(ID),
            "{shown}"
        );
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(Refusal::behind(&error).unwrap(), body);
    }

    #[test]
    fn a_code_that_is_no_word_is_not_shown() {
        let error = error(400, r#"{"error":{"code":"user a@acme.example is bad"}}"#);
        assert!(!format!("{error:?}").contains("acme"), "{error:?}");
    }

    #[test]
    fn what_is_not_graphs_is_kept_as_an_error_of_ours() {
        let kept = Refusal::behind(&error(502, "<html>gateway</html>")).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&kept).unwrap()["error"]["code"],
            "protect.http_502"
        );
    }
}
