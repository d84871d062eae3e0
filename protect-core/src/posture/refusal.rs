//! What a vendor answered in the place of what was asked: a snapshot holds it as it came.

use std::error::Error as StdError;
use std::fmt;

use bytes::Bytes;
use serde_json::json;

use super::collector::Answered;
use crate::error::{Error, ErrorKind, Result};

/// A vendor's error answer, kept as the source of an [`Error`]. It shows nothing of itself.
pub struct Refusal(Bytes);

impl Refusal {
    /// The body of an error answer, where it has the vendor's form (`error` at its top); otherwise the
    /// status stands for it.
    pub fn new(body: &Bytes, status: u16) -> Self {
        let parsed: Option<serde_json::Value> = serde_json::from_slice(body).ok();
        let has_form = parsed.is_some_and(|body| body.get("error").is_some());
        Self(if has_form {
            body.clone()
        } else {
            Self::of_status(status)
        })
    }

    /// What stands for an error answer without the vendor's form.
    pub fn of_status(status: u16) -> Bytes {
        ours(&format!("http_{status}"))
    }

    /// What the vendor answered, where the error came of that.
    pub fn behind(error: &Error) -> Option<Bytes> {
        let source = error.source()?.downcast_ref::<Self>()?;
        Some(source.0.clone())
    }
}

/// An error that concerns one question alone becomes its answer; one that concerns everything stays
/// one, and the collection is taken up again later.
///
/// # Errors
/// Of those that concern everything: no credential, no connection.
pub fn settle(answer: Result<Answered>) -> Result<Answered> {
    let error = match answer {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    let is_general = error.kind() == ErrorKind::Unauthenticated
        || (error.is_retryable() && error.http_status().is_none());
    if is_general {
        return Err(error);
    }
    let body = Refusal::behind(&error);
    Ok(Answered::Refused(
        body.unwrap_or_else(|| ours(error.kind().as_str())),
    ))
}

/// An error of ours in the place of an answer that cannot be used.
fn ours(code: &str) -> Bytes {
    let error = json!({ "error": { "code": format!("protect.{code}"), "message": "" } });
    error.to_string().into()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the vendor answered an error")
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refusal(…)")
    }
}

impl StdError for Refusal {}
