use std::fmt;

use ::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::errors;
use crate::error::{Error, ErrorKind, Result};

/// A vendor's answer with a status of 2xx, or a redirect where that was asked for.
#[derive(Clone)]
pub struct Answer {
    pub(super) operation: &'static str,
    pub(super) changes: bool,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, as it came.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What the vendor's clock showed, where the answer says so: for finding a wrong clock.
    pub fn date(&self) -> Option<Timestamp> {
        errors::date(&self.headers)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// `invalid_response` with line, column and the path of the field, and nothing of the content.
    /// Where the request may have changed something, the error is retryable: what happened is not
    /// known.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        self.parse(true)
    }

    /// The same for bodies whose object keys are data themselves, such as a map by address: the
    /// path in an error leaves them out.
    ///
    /// # Errors
    /// As [`Answer::json`].
    pub fn json_with_private_keys<T: DeserializeOwned>(&self) -> Result<T> {
        self.parse(false)
    }

    fn parse<T: DeserializeOwned>(&self, show_keys: bool) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            // Noting the path costs time, so only what failed is read once more for it.
            let mut again = serde_json::Deserializer::from_slice(&self.body);
            let path = serde_path_to_error::deserialize::<_, T>(&mut again)
                .err()
                .map(|error| render(error.path(), show_keys));
            self.unreadable(&path.unwrap_or_default(), &error)
        })
    }

    fn unreadable(&self, path: &str, error: &serde_json::Error) -> Error {
        let message = if self.is_html() {
            "the vendor answered an HTML page instead of JSON; a proxy or portal may stand between"
                .to_owned()
        } else {
            explain(error)
        };
        let mut made = Error::new(ErrorKind::InvalidResponse, message)
            .with_operation(self.operation)
            .with_http_status(self.status.as_u16())
            .with_context("line", error.line().to_string())
            .with_context("column", error.column().to_string());
        if !path.is_empty() && path != "." {
            made = made.with_context("path", path);
        }
        errors::unsure(made, self.changes)
    }

    fn is_html(&self) -> bool {
        let declared = self
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.trim_start().starts_with("text/html"));
        declared || self.body.trim_ascii_start().starts_with(b"<")
    }
}

impl fmt::Debug for Answer {
    /// Without headers and body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What serde says, less whatever of the content it quotes.
fn explain(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Eof if error.line() <= 1 && error.column() == 0 => {
            "the answer is empty where JSON is expected".to_owned()
        }
        Category::Eof => "the answer's JSON breaks off".to_owned(),
        Category::Syntax | Category::Io => "the answer is not JSON".to_owned(),
        Category::Data => {
            let text = error.to_string();
            let text = text
                .rsplit_once(" at line ")
                .map_or(text.as_str(), |(head, _)| head);
            if text.starts_with("missing field `") {
                format!("the answer's JSON lacks what we need: {text}")
            } else if let Some((_, expected)) = text
                .starts_with("invalid ")
                .then(|| text.rsplit_once(", expected "))
                .flatten()
            {
                format!("the answer's JSON has another shape: expected {expected}")
            } else {
                "the answer's JSON has another shape than documented".to_owned()
            }
        }
    }
}

/// `users[3].state`; keys as `*` where they are data or do not look like a field's name.
fn render(path: &Path, show_keys: bool) -> String {
    let mut text = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => {
                text.push('[');
                text.push_str(&index.to_string());
                text.push(']');
                continue;
            }
            Segment::Map { key } if show_keys && is_field_name(key) => key.as_str(),
            Segment::Enum { variant } if show_keys && is_field_name(variant) => variant.as_str(),
            Segment::Map { .. } | Segment::Enum { .. } => "*",
            Segment::Unknown => "?",
        };
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(name);
    }
    text
}

fn is_field_name(key: &str) -> bool {
    key.len() <= 48
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'))
}

#[cfg(test)]
mod tests;
