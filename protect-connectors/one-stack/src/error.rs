//! The platform's error body: `{"error", "code", "details"}`
//! (<https://docs.theonestack.com/docs/api-reference/errors>). What is not of that shape counts by
//! its status alone.

use std::collections::BTreeMap;
use std::time::Duration;

use protect_core::http::ErrorAnswer;
use protect_core::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    details: Value,
}

/// What an answer outside 2xx means.
pub(crate) fn table(answer: &ErrorAnswer) -> Error {
    let plain = answer.default_error();
    let Some(body) = answer.json::<Body>() else {
        return plain;
    };
    let error = match answer.status.as_u16() {
        400 | 422 => refused_fields(&body.details).unwrap_or(plain),
        401 => Error::new(
            ErrorKind::Unauthenticated,
            "The One Stack does not accept the key; compare it with the product's settings, and whether it is an API key or an integration key",
        ),
        403 => forbidden(&body.details).unwrap_or(plain),
        429 => match body.details.get("retryAfter").and_then(Value::as_f64) {
            Some(wait) if (0.0..86_400.0).contains(&wait) => {
                plain.with_retry_after(Duration::from_secs_f64(wait))
            }
            _ => plain,
        },
        _ => plain,
    };
    match body.code.as_str().filter(|code| is_word(code)) {
        Some(code) => error.with_context("code", code),
        None => error,
    }
}

/// Whether the product says that it has the thing already.
pub(crate) fn is_there_already(error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict && error.http_status() == Some(409)
}

/// `details.fields` maps the field's name to what is wrong with it.
fn refused_fields(details: &Value) -> Option<Error> {
    let fields: BTreeMap<String, Value> =
        serde_json::from_value(details.get("fields")?.clone()).ok()?;
    let lines: Vec<_> = fields
        .iter()
        .filter(|(name, _)| is_word(name))
        .take(8)
        .map(|(name, message)| match message.as_str() {
            Some(message) if is_harmless(message) => format!("{name}: {message}"),
            _ => name.clone(),
        })
        .collect();
    let error = Error::invalid_input("The One Stack refuses fields of the request");
    Some(error.with_context("fields", lines.join("; ")))
}

/// `details` names what is missing.
fn forbidden(details: &Value) -> Option<Error> {
    let named = |name: &str| details.get(name)?.as_str().filter(|word| is_word(word));
    let permission = named("requiredPermission");
    let product = named("requiredProduct");
    let missing = permission.or(product)?;
    let what = if permission.is_some() {
        "permission"
    } else {
        "product"
    };
    let error = Error::new(
        ErrorKind::PermissionDenied,
        format!("the key lacks the {what} `{missing}`"),
    );
    let error = match permission {
        Some(permission) => error.with_context("permission", permission),
        None => error,
    };
    Some(match product {
        Some(product) => error.with_context("product", product),
        None => error,
    })
}

/// The word of a machine, which may stand in an error.
fn is_word(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !text.is_empty() && text.len() <= 64 && text.bytes().all(fits)
}

/// Text that repeats no address, link or number of somebody's.
pub(crate) fn is_harmless(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphabetic() || " ,.:;_-|()".contains(c);
    text.len() <= 120 && text.chars().all(fits)
}
