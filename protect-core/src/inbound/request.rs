use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ::http::{HeaderMap, Method};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Result};

/// From which network address a request comes: a host that knows it puts it into the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// A request, parsed: what was asked, not yet by whom.
#[derive(Clone)]
pub struct InboundRequest {
    /// The method.
    pub method: Method,
    /// The path, without the mount.
    pub path: String,
    /// What the `{names}` of the route's path stand for.
    pub parameters: BTreeMap<String, String>,
    /// The query, in its order.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The network address that it comes from, where the host said so ([`PeerAddress`]).
    pub peer: Option<IpAddr>,
}

impl InboundRequest {
    /// Reads path, query, headers, body and where it comes from of a request.
    pub fn of(request: ::http::Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes());
        Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            parameters: BTreeMap::new(),
            query: query.into_owned().collect(),
            headers: parts.headers,
            body,
            peer: parts
                .extensions
                .get()
                .map(|PeerAddress(address)| address.to_canonical()),
        }
    }

    /// What a `{name}` of the route's path stands for.
    ///
    /// # Errors
    /// `invalid_input` where it is not what it must be.
    pub fn parameter<T: FromStr<Err = Error>>(&self, name: &'static str) -> Result<T> {
        let value = self.parameters.get(name).map_or("", String::as_str);
        value
            .parse()
            .map_err(|error: Error| at(name, error.message()))
    }

    /// The first value of a parameter of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter of the query as what it must be, where it is there.
    ///
    /// # Errors
    /// `invalid_input`, naming it.
    pub fn query_as<T: FromStr>(&self, name: &'static str) -> Result<Option<T>>
    where
        T::Err: fmt::Display,
    {
        let value = self.query(name).filter(|value| !value.is_empty());
        let parsed = value.map(|value| value.parse().map_err(|error: T::Err| at(name, error)));
        parsed.transpose()
    }

    /// A parameter of the query that holds values between commas; empty where it is left out.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let value = self.query(name).unwrap_or_default();
        let values = value.split(',').map(str::trim);
        values.filter(|value| !value.is_empty()).collect()
    }

    /// A header, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// `invalid_input` naming the member that is wrong.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        let reader = &mut serde_json::Deserializer::from_slice(&self.body);
        serde_path_to_error::deserialize(reader).map_err(|error| {
            let member = error.path().to_string();
            let error = error.into_inner();
            match error.classify() {
                serde_json::error::Category::Data => {
                    Error::invalid_input(without_values(&error)).with_context("field", member)
                }
                _ => Error::invalid_input("the body is not JSON"),
            }
        })
    }

    /// One member of a JSON body as text, where the body is an object and has it.
    pub fn body_text(&self, member: &str) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        body.get(member)?.as_str().map(str::to_owned)
    }
}

/// What serde says of a member, without the value that was there.
fn without_values(error: &serde_json::Error) -> Cow<'static, str> {
    let text = error.to_string();
    let known = ["missing field", "unknown field", "duplicate field"];
    if known.iter().any(|prefix| text.starts_with(prefix)) {
        let end = text.find(" at line").unwrap_or(text.len());
        return Cow::Owned(text.get(..end).unwrap_or_default().to_owned());
    }
    Cow::Borrowed("is not what it must be")
}

fn at(name: &'static str, why: impl fmt::Display) -> Error {
    Error::invalid_input(why.to_string()).with_context("field", name)
}

impl fmt::Debug for InboundRequest {
    /// Without headers, query, body and whom it comes from, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundRequest")
            .field("method", &self.method)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}
