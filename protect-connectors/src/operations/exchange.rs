//! A request and its response as JSON, so that a web server in Python or Node can hand over what it got.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use protect_core::inbound::PeerAddress;
use protect_core::operation::{
    Effect, Model, Operation, Parameter, ParameterKind, ResultType, answer, arguments,
};
use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Protect;

pub(super) const OPERATION: Operation = Operation {
    name: "exchange",
    parameters: &[
        Parameter::required("method", ParameterKind::Text, "The method: `GET`."),
        Parameter::required(
            "path",
            ParameterKind::Text,
            "The path with its query, as it came.",
        ),
        Parameter::required(
            "headers",
            ParameterKind::Object,
            "The headers by name; of a name that came more than once the values, joined.",
        ),
        Parameter::optional("body", ParameterKind::Text, "The body, in base64."),
        Parameter::optional(
            "peer",
            ParameterKind::Text,
            "The network address that it comes from, where the server knows it: whoever signs a policy signs from there.",
        ),
    ],
    result: ResultType::One(Model::of::<WebResponse>("WebResponse")),
    effect: Effect::Change,
    permission: "",
    docs: "Answers one HTTP request: connectors' routes, the API and the pages. For web servers; the module \
           `web` of this package has it in their own form.",
};

pub(super) const BODY_LIMIT: Operation = Operation {
    name: "body_limit",
    parameters: &[
        Parameter::required("method", ParameterKind::Text, "The method: `POST`."),
        Parameter::required(
            "path",
            ParameterKind::Text,
            "The path, with or without its query.",
        ),
    ],
    result: ResultType::Integer,
    effect: Effect::Read,
    permission: "",
    docs: "The most bytes of a body that are worth reading for `exchange`, before anybody reads them: a larger \
           one is answered with 413, whatever it holds.",
};

/// What a web server is to answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WebResponse {
    /// The status.
    pub status: u16,
    /// The headers, in order; a name may come more than once.
    pub headers: Vec<WebHeader>,
    /// The body, in base64.
    pub body: String,
}

/// One header.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WebHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    peer: Option<String>,
}

pub(super) async fn exchange(protect: &Protect, given: Value) -> Result<Value> {
    let given: Exchange = arguments(given)?;
    let body = given.body.unwrap_or_default();
    let limit = limit_of(protect, &given.method, &given.path)?;
    // At most two of the bytes are none, at the end.
    if body.len() / 4 * 3 > limit + 2 {
        return shown(protect.too_large(limit));
    }
    let in_base64 = |_| wrong("body", "write it in base64");
    let body = STANDARD.decode(body).map_err(in_base64)?;
    let mut request = Request::builder()
        .method(given.method.as_str())
        .uri(given.path);
    for (name, value) in &given.headers {
        request = request.header(name, value);
    }
    let mut request = request
        .body(Bytes::from(body))
        .map_err(|_| wrong("headers", "method, path and headers must be those of HTTP"))?;
    if let Some(peer) = given.peer {
        let no_address = |_| wrong("peer", "not a network address");
        let address = peer.parse().map_err(no_address)?;
        request.extensions_mut().insert(PeerAddress(address));
    }
    shown(protect.handle(request).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    method: String,
    path: String,
}

pub(super) fn body_limit(protect: &Protect, given: Value) -> Result<Value> {
    let Before { method, path } = arguments(given)?;
    answer(&limit_of(protect, &method, &path)?)
}

fn limit_of(protect: &Protect, method: &str, path: &str) -> Result<usize> {
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| wrong("method", "it must be one of HTTP"))?;
    let path = path.split('?').next().unwrap_or_default();
    Ok(protect.body_limit(&method, path))
}

/// A response as plain data.
fn shown(response: http::Response<Bytes>) -> Result<Value> {
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| WebHeader {
        name: name.as_str().to_owned(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    });
    answer(&WebResponse {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: STANDARD.encode(body),
    })
}

fn wrong(argument: &'static str, message: &'static str) -> Error {
    Error::invalid_input(message).with_context("argument", argument)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protect_core::operation::Callable;
    use protect_core::testing;
    use serde_json::json;

    use super::*;

    async fn answered(given: Value) -> Result<WebResponse> {
        let config = json!({ "tenants": { "acme": { "name": "Acme" } } });
        let context = testing::context().context;
        let opened = Protect::builder().context(context).open_config(&config);
        let protect: Arc<dyn Callable> = Arc::new(opened.await.unwrap());
        let answer = protect.call("exchange", given).await?;
        Ok(serde_json::from_value(answer).unwrap())
    }

    #[tokio::test]
    async fn a_request_that_another_languages_server_got_is_answered() {
        let style = json!({ "method": "GET", "path": "/assets/style.css", "headers": {} });
        let style = answered(style).await.unwrap();
        assert_eq!(style.status, 200);
        let body = STANDARD.decode(style.body).unwrap();
        assert!(String::from_utf8(body).unwrap().contains("color-scheme"));
        let page = json!({ "method": "GET", "path": "/", "headers": { "Accept": "text/html" } });
        assert_eq!(answered(page).await.unwrap().status, 401);
    }

    #[tokio::test]
    async fn a_body_is_taken_up_to_the_limit_of_its_route_and_no_byte_more() {
        let config = json!({ "tenants": { "acme": { "name": "Acme" } } });
        let context = testing::context().context;
        let opened = Protect::builder().context(context).open_config(&config);
        let protect: Arc<dyn Callable> = Arc::new(opened.await.unwrap());
        for (path, expected) in [
            ("/t/acme/api/people/import?x=1", 16 * 1024 * 1024),
            ("/t/acme/api/people/employees", 1024 * 1024),
            ("/in/acme/x/y", 16 * 1024),
        ] {
            let before = json!({ "method": "POST", "path": path });
            let limit = Arc::clone(&protect)
                .call("body_limit", before)
                .await
                .unwrap();
            assert_eq!(limit, expected, "{path}");
            // Nobody signed in, so that what is not too large is refused for that.
            for (more, status) in [(0, 401), (1, 413), (2, 413), (3, 413), (100_000, 413)] {
                let body = STANDARD.encode(vec![b'x'; expected + more]);
                let post = json!({ "method": "POST", "path": path, "headers": {}, "body": body });
                let answer = Arc::clone(&protect).call("exchange", post).await.unwrap();
                let status = if path.starts_with("/in/") && more == 0 {
                    404
                } else {
                    status
                };
                assert_eq!(answer["status"], status, "{path} {more}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused_by_argument() {
        for wrong in [
            json!({ "method": "G T", "path": "/", "headers": {} }),
            json!({ "method": "GET", "path": "a b", "headers": {} }),
            json!({ "method": "GET", "path": "/", "headers": { "a b": "c" } }),
            json!({ "method": "GET", "path": "/", "headers": {}, "body": "?" }),
            json!({ "method": "GET", "path": "/", "headers": {}, "peer": "here" }),
        ] {
            let error = answered(wrong).await.unwrap_err();
            assert_eq!(error.kind(), protect_core::ErrorKind::InvalidInput);
        }
    }
}
