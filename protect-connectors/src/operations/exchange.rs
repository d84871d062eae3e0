//! A request and its response as JSON, so that a web server in Python or Node can hand over what it got.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use protect_core::operation::{
    Effect, Model, Operation, Parameter, ParameterKind, ResultType, answer, arguments,
};
use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Protect;

/// The largest body that is taken; the route's own limit is smaller.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

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
    ],
    result: ResultType::One(Model::of::<WebResponse>("WebResponse")),
    effect: Effect::Change,
    permission: "",
    docs: "Answers one HTTP request: connectors' routes, the API and the pages. For web servers; the module \
           `web` of this package has it in their own form.",
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
}

pub(super) async fn exchange(protect: &Protect, given: Value) -> Result<Value> {
    let given: Exchange = arguments(given)?;
    let body = given.body.unwrap_or_default();
    let body = if body.len() / 4 * 3 > MAX_BODY_BYTES {
        // Refused by the route as any body over its limit is, without being held.
        vec![0; MAX_BODY_BYTES]
    } else {
        let wrong = |_| wrong("body", "write it in base64");
        STANDARD.decode(body).map_err(wrong)?
    };
    let mut request = Request::builder()
        .method(given.method.as_str())
        .uri(given.path);
    for (name, value) in &given.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Bytes::from(body))
        .map_err(|_| wrong("headers", "method, path and headers must be those of HTTP"))?;
    let response = protect.handle(request).await;
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
        let large = STANDARD.encode(vec![b'x'; MAX_BODY_BYTES + 3]);
        let post =
            json!({ "method": "POST", "path": "/in/acme/x/y", "headers": {}, "body": large });
        assert_eq!(answered(post).await.unwrap().status, 413);
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused_by_argument() {
        for wrong in [
            json!({ "method": "G T", "path": "/", "headers": {} }),
            json!({ "method": "GET", "path": "a b", "headers": {} }),
            json!({ "method": "GET", "path": "/", "headers": { "a b": "c" } }),
            json!({ "method": "GET", "path": "/", "headers": {}, "body": "?" }),
        ] {
            let error = answered(wrong).await.unwrap_err();
            assert_eq!(error.kind(), protect_core::ErrorKind::InvalidInput);
        }
    }
}
