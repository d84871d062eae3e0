//! How the faults bend a vendor's replies.

use std::{collections::VecDeque, io, time::Duration};

use axum::{body::Body, http::header, response::Response};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::{
    clock::{http_date, later},
    connection::Cut,
    faults::{FaultKind, Struck},
    request::Reply,
};

/// Where redirects lead: a name that nothing may ever resolve (RFC 6761 section 6.4).
const ELSEWHERE: &str = "https://elsewhere.invalid/";
const HUGE: usize = 10 * 1024 * 1024;
const PIECES: usize = 8;
const FLUSH: Duration = Duration::from_millis(20);

type Bend = fn(&mut Value);

/// The reply that takes the place of the vendor's own, where a fault stands before the vendor.
/// `error` prints an error as the vendor does.
pub(crate) fn instead(
    struck: &Struck,
    now: Timestamp,
    error: impl Fn(u16, &str) -> Reply,
) -> Option<Reply> {
    let limited = || error(429, "Rate limit is exceeded.");
    struck.0.iter().find_map(|fault| match fault.kind {
        FaultKind::CloseEarly => Some(Reply::empty(502)),
        FaultKind::Html200 => Some(Reply::html(200)),
        FaultKind::Html502 => Some(Reply::html(502)),
        FaultKind::RateLimitedSeconds => {
            Some(limited().retry_after(&fault.seconds.max(0).to_string()))
        }
        FaultKind::RateLimitedDate => {
            let until = later(now, SignedDuration::from_secs(fault.seconds));
            Some(limited().retry_after(&http_date(until)))
        }
        FaultKind::RateLimitedBare => Some(limited()),
        FaultKind::Unavailable => Some(error(503, "Service unavailable")),
        FaultKind::SuspendFails => Some(error(500, "internal")),
        FaultKind::SuspendRefused => Some(error(403, "no_owner_remain")),
        FaultKind::ScopeRemoved => Some(error(403, "missing_scope")),
        FaultKind::NotFound => Some(error(404, "not found")),
        FaultKind::RedirectElsewhere => Some(Reply::empty(307).with(header::LOCATION, ELSEWHERE)),
        FaultKind::HugeBody => Some(huge()),
        _ => None,
    })
}

/// Changes the content of a successful reply.
pub(crate) fn content(struck: &Struck, reply: &mut Reply) {
    if !reply.is_json() || !reply.status.is_success() {
        return;
    }
    let bends: [(FaultKind, Bend); 5] = [
        (FaultKind::UnknownEnum, unknown_enums),
        (FaultKind::NumbersAsStrings, numbers_as_strings),
        (FaultKind::NewFields, new_fields),
        (FaultKind::NullObjects, null_objects),
        (FaultKind::MissingLists, missing_lists),
    ];
    for (kind, bend) in bends {
        if struck.has(kind)
            && let Ok(mut body) = serde_json::from_slice(&reply.body)
        {
            bend(&mut body);
            reply.body = Bytes::from(body.to_string());
        }
    }
    if struck.has(FaultKind::TruncatedJson) {
        reply.body.truncate(reply.body.len() / 2);
    }
}

/// Puts the reply on the wire, late, in pieces or not at all where faults say so.
pub(crate) async fn deliver(struck: &Struck, reply: Reply, now: Timestamp, cut: &Cut) -> Response {
    if let Some(fault) = struck.get(FaultKind::Delay) {
        tokio::time::sleep(Duration::from_millis(fault.millis)).await;
    }
    if struck.has(FaultKind::CloseEarly) || struck.has(FaultKind::AnswerLost) {
        cut.cut();
    }
    let length = reply.body.len();
    let body = if struck.has(FaultKind::ResetMidBody) {
        half(&reply.body)
    } else if let Some(fault) = struck.get(FaultKind::SlowDrip) {
        drip(&reply.body, Duration::from_millis(fault.millis))
    } else {
        Body::from(reply.body)
    };
    let skew = struck.get(FaultKind::ClockSkew).map_or(0, |f| f.seconds);
    let date = http_date(later(now, SignedDuration::from_secs(skew)));
    let mut response = Response::builder()
        .status(reply.status)
        .header(header::DATE, date)
        .header(header::CONTENT_LENGTH, length);
    if let Some(content_type) = reply.content_type {
        response = response.header(header::CONTENT_TYPE, content_type);
    }
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(body).unwrap_or_default()
}

fn huge() -> Reply {
    let mut body = String::with_capacity(HUGE + 16);
    body.push_str("{\"padding\":\"");
    body.extend(std::iter::repeat_n('x', HUGE));
    body.push_str("\"}");
    Reply::rendered(200, Bytes::from(body))
}

fn half(body: &Bytes) -> Body {
    let first = Some(body.slice(..body.len() / 2));
    Body::from_stream(futures::stream::unfold(first, |first| async {
        if let Some(first) = first {
            return Some((Ok(first), None));
        }
        // Without a pause the error would overtake the half that waits to be written.
        tokio::time::sleep(FLUSH).await;
        let cut = Err(io::Error::from(io::ErrorKind::ConnectionReset));
        Some((cut, None))
    }))
}

fn drip(body: &Bytes, pause: Duration) -> Body {
    let size = body.len().div_ceil(PIECES).max(1);
    let pieces: VecDeque<Bytes> = body.chunks(size).map(Bytes::copy_from_slice).collect();
    Body::from_stream(futures::stream::unfold(
        pieces,
        move |mut left| async move {
            let piece = left.pop_front()?;
            tokio::time::sleep(pause).await;
            Some((Ok::<_, io::Error>(piece), left))
        },
    ))
}

fn unknown_enums(value: &mut Value) {
    const ENUMS: [&str; 18] = [
        "state",
        "category",
        "type",
        "action",
        "object_type",
        "user_type",
        "status",
        "allowInvitesFrom",
        "clientAppUsed",
        "consentType",
        "policyMigrationState",
        "riskEventType",
        "riskLevel",
        "riskState",
        "assigneeType",
        "severity",
        "suspensionReason",
        "userType",
    ];
    objects(value, &mut |object| {
        for (key, value) in object.iter_mut() {
            if ENUMS.contains(&key.as_str()) && value.is_string() {
                *value = Value::from("not_yet_documented");
            } else if key == "DataClasses"
                && let Some(classes) = value.as_array_mut()
            {
                classes.push(Value::from("Not yet documented"));
            }
        }
    });
}

fn numbers_as_strings(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::from(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(numbers_as_strings),
        Value::Object(object) => object.values_mut().for_each(numbers_as_strings),
        _ => {}
    }
}

fn new_fields(value: &mut Value) {
    // Answers whose keys are data (aliases of a domain) gain an alias, which is what such an
    // addition would look like on the wire.
    objects(value, &mut |object| {
        object.insert("NotYetDocumented".to_owned(), serde_json::json!([]));
    });
}

fn null_objects(value: &mut Value) {
    objects(value, &mut |object| {
        for inner in object.values_mut().filter(|inner| inner.is_object()) {
            *inner = Value::Null;
        }
    });
}

/// The list of a page is what the page is, and stays.
fn missing_lists(value: &mut Value) {
    const PAGES: [&str; 10] = [
        "value",
        "results",
        "items",
        "users",
        "domains",
        "domainAliases",
        "organizationUnits",
        "groups",
        "policies",
        "alerts",
    ];
    objects(value, &mut |object| {
        object.retain(|name, inner| !inner.is_array() || PAGES.contains(&name.as_str()));
    });
}

fn objects(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| objects(item, change)),
        Value::Object(object) => {
            object.values_mut().for_each(|inner| objects(inner, change));
            change(object);
        }
        _ => {}
    }
}
