//! A vendor's view of a request, its reply, and what it notes on the way.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{faults::Struck, journal::Vendor};

/// A request as it came over the wire, cut up but not interpreted.
pub(crate) struct Call {
    pub(crate) vendor: Vendor,
    pub(crate) method: Method,
    /// Still percent-encoded, below the vendor's prefix.
    pub(crate) segments: Vec<String>,
    /// Decoded, in order.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn path(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    pub(crate) fn content_type_is(&self, wanted: &str) -> bool {
        self.header("content-type")
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted))
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }
}

/// Which route a request took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route<E> {
    pub(crate) endpoint: E,
    pub(crate) template: &'static str,
    /// Whether the route changes something at the vendor.
    pub(crate) changing: bool,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the routers' arms say `None` for no route"
)]
pub(crate) const fn reads<E>(endpoint: E, template: &'static str) -> Option<Route<E>> {
    Some(Route {
        endpoint,
        template,
        changing: false,
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the routers' arms say `None` for no route"
)]
pub(crate) const fn changes<E>(endpoint: E, template: &'static str) -> Option<Route<E>> {
    Some(Route {
        endpoint,
        template,
        changing: true,
    })
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::rendered(status, Bytes::from(body.to_string()))
    }

    /// JSON of a media type of its own.
    pub(crate) fn of_type(status: u16, content_type: &'static str, body: &Value) -> Self {
        Self::of(status, Some(content_type), Bytes::from(body.to_string()))
    }

    /// JSON that is bytes already.
    pub(crate) fn rendered(status: u16, body: Bytes) -> Self {
        Self::of(status, Some("application/json"), body)
    }

    pub(crate) fn text(status: u16, body: String) -> Self {
        Self::of(status, Some("text/plain"), Bytes::from(body))
    }

    pub(crate) fn html(status: u16) -> Self {
        let page = "<!DOCTYPE html><html><head><title>Attention</title></head>\
                    <body><h1>Something is in the way</h1></body></html>";
        Self::of(
            status,
            Some("text/html"),
            Bytes::from_static(page.as_bytes()),
        )
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::of(status, None, Bytes::new())
    }

    fn of(status: u16, content_type: Option<&'static str>, body: Bytes) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: Vec::new(),
            content_type,
            body,
        }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    #[must_use]
    pub(crate) fn retry_after(self, value: &str) -> Self {
        self.with(header::RETRY_AFTER, value)
    }

    pub(crate) fn is_json(&self) -> bool {
        let json = ["application/json", "application/scim+json"];
        self.content_type.is_some_and(|kind| json.contains(&kind))
    }
}

/// Time and faults for one request, and what the vendor notes while it handles it.
pub(crate) struct Context {
    pub(crate) now: Timestamp,
    pub(crate) limits: bool,
    pub(crate) struck: Struck,
    pub(crate) broken: Vec<(&'static str, String)>,
    pub(crate) changes: Vec<Change>,
    pub(crate) tenant: Option<String>,
    pub(crate) idempotency: Option<String>,
}

/// A state transition, before the journal adds time, vendor and request.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) object: &'static str,
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Context {
    pub(crate) fn new(now: Timestamp, limits: bool, struck: Struck) -> Self {
        Self {
            now,
            limits,
            struck,
            broken: Vec::new(),
            changes: Vec::new(),
            tenant: None,
            idempotency: None,
        }
    }

    /// Notes a broken rule. `detail` holds no value from the request.
    pub(crate) fn violate(&mut self, rule: &'static str, detail: &str) {
        self.broken.push((rule, detail.to_owned()));
    }

    pub(crate) fn change(&mut self, object: &'static str, id: &str, from: &str, to: &str) {
        self.changes.push(Change {
            object,
            id: id.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        });
    }
}

/// `key=value` pairs of a query or of a form body; `+` is a space, as both have it.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (form_decode(key), form_decode(value))
        })
        .collect()
}

/// A path segment decoded, or `None` where it is not UTF-8.
pub(crate) fn decode(segment: &str) -> Option<String> {
    percent_decode_str(segment)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

fn form_decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}
