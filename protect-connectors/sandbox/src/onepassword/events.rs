//! The Events API: three streams behind one cursor protocol (1password.dev/events-api/reference).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    clock::{later, seconds},
    faults::FaultKind,
    limits::Window,
    request::{Call, Context, Reply},
    rng::Rng,
    token::{Sealer, unsigned_jwt},
};

const DEFAULT_LIMIT: u64 = 100;
const LARGEST_LIMIT: u64 = 1000;
/// developer.1password.com/docs/events-api/rate-limits.
const PER_MINUTE: u32 = 600;
const PER_HOUR: u32 = 30_000;
/// How far back events can be read.
const REACH: SignedDuration = SignedDuration::from_hours(120 * 24);

/// One of the three streams; its name is the last part of its path and its feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stream {
    #[serde(rename = "signinattempts")]
    SignIn,
    #[serde(rename = "itemusages")]
    ItemUsage,
    #[serde(rename = "auditevents")]
    Audit,
}

pub(crate) struct Events {
    pub(crate) token: String,
    pub(crate) account: String,
    features: Vec<Stream>,
    uuid: String,
    issued_at: String,
    streams: [Vec<Event>; 3],
    minute: Window,
    hour: Window,
    sealer: Sealer,
    rng: Rng,
}

pub(crate) struct Event {
    at: Timestamp,
    body: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    stream: Stream,
    next: usize,
    limit: u64,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Events {
    pub(crate) fn new(rng: &mut Rng, host: &str, account: &str, sealer: Sealer) -> Self {
        let features = vec![Stream::SignIn, Stream::ItemUsage, Stream::Audit];
        let uuid = rng.base32(26);
        let token = jwt(rng, host, &features, &uuid);
        Self {
            token,
            account: account.to_owned(),
            features,
            uuid,
            issued_at: "2026-01-15T09:00:00Z".to_owned(),
            streams: [const { Vec::new() }; 3],
            minute: Window::new(PER_MINUTE, SignedDuration::from_mins(1)),
            hour: Window::new(PER_HOUR, SignedDuration::from_hours(1)),
            sealer,
            rng: Rng::new(rng.next(), "appended events"),
        }
    }

    pub(crate) fn len(&self, stream: Stream) -> usize {
        self.streams[stream.place()].len()
    }

    /// Takes away or gives back what the events token may read.
    pub(crate) fn set_features(&mut self, features: Vec<Stream>) {
        self.features = features;
    }

    /// Adds an event at the end; a missing `uuid` or `timestamp` is made up.
    pub(crate) fn append(&mut self, stream: Stream, mut body: Map<String, Value>, now: Timestamp) {
        let uuid = self.rng.base32(26);
        body.entry("uuid").or_insert_with(|| Value::from(uuid));
        body.entry("timestamp")
            .or_insert_with(|| Value::from(seconds(now)));
        body.entry("account_uuid")
            .or_insert_with(|| Value::from(self.account.clone()));
        let at = body
            .get("timestamp")
            .and_then(Value::as_str)
            .and_then(|at| at.parse().ok())
            .unwrap_or(now);
        self.streams[stream.place()].push(Event { at, body });
    }

    /// Puts each stream in the order of time.
    pub(crate) fn sort(&mut self) {
        for stream in &mut self.streams {
            stream.sort_by_key(|event| event.at);
        }
    }

    /// The audit event of a changed user.
    pub(crate) fn audit_user(&mut self, action: &str, user: &str, now: Timestamp) {
        let body = json!({
            "actor_uuid": self.uuid,
            "actor_type": "integration",
            "action": action,
            "object_type": "user",
            "object_uuid": user,
            "session": null,
        });
        if let Value::Object(body) = body {
            self.append(Stream::Audit, body, now);
        }
    }

    pub(crate) fn introspect(&mut self, call: &Call, cx: &mut Context, current: bool) -> Reply {
        if let Err(reply) = self.authorize(call, None, cx) {
            return reply;
        }
        let body = if current {
            json!({
                "uuid": self.uuid,
                "issued_at": self.issued_at,
                "features": self.features,
                "account_uuid": self.account,
            })
        } else {
            json!({"UUID": self.uuid, "IssuedAt": self.issued_at, "Features": self.features})
        };
        Reply::json(200, &body)
    }

    pub(crate) fn page(
        &mut self,
        stream: Stream,
        version: u8,
        call: &Call,
        cx: &mut Context,
    ) -> Reply {
        if let Err(reply) = self.authorize(call, Some(stream), cx) {
            return reply;
        }
        let cursor = match self.cursor(stream, call) {
            Ok(cursor) => cursor,
            Err((rule, detail)) => {
                cx.violate(rule, detail);
                return error(400, "Bad Request");
            }
        };
        let reach = later(cx.now, -REACH);
        let limit = usize::try_from(cursor.limit).unwrap_or(usize::MAX);
        let all = &self.streams[stream.place()];
        let mut next = cursor.next.min(all.len());
        let mut items: Vec<Value> = Vec::new();
        while next < all.len() && items.len() < limit {
            let event = &all[next];
            let inside = event.at >= cursor.from.unwrap_or(reach).max(reach)
                && cursor.to.is_none_or(|to| event.at <= to);
            if inside {
                items.push(shown(event, version));
            }
            next += 1;
        }
        if cx.struck.has(FaultKind::DuplicateItems)
            && let Some(before) = cursor.next.checked_sub(1)
        {
            items.insert(0, shown(&all[before], version));
        }
        if cx.struck.has(FaultKind::MissingItems) {
            items.pop();
        }
        let has_more = next < all.len();
        let cursor = self.sealer.seal("events", &Cursor { next, ..cursor });
        let body = json!({"cursor": cursor, "has_more": has_more, "items": items});
        Reply::json(200, &body)
    }

    fn authorize(
        &mut self,
        call: &Call,
        stream: Option<Stream>,
        cx: &mut Context,
    ) -> Result<(), Reply> {
        if call.bearer() != Some(self.token.as_str()) {
            cx.violate("events_token", "not the events token of this sandbox");
            return Err(error(401, "Unauthorized"));
        }
        cx.tenant = Some(self.account.clone());
        if let Some(stream) = stream
            && !self.features.contains(&stream)
        {
            cx.violate("feature_missing", "the token lacks this feature");
            return Err(error(401, "Unauthorized"));
        }
        let full = cx.limits
            && (self.minute.take(cx.now, 1).is_err() || self.hour.take(cx.now, 1).is_err());
        if full {
            cx.violate("rate_limit_exceeded", "600 a minute and 30,000 an hour");
            return Err(error(429, "Too Many Requests"));
        }
        Ok(())
    }

    /// The place to read from: either one opaque cursor alone, or a new beginning.
    fn cursor(&self, stream: Stream, call: &Call) -> Result<Cursor, (&'static str, &'static str)> {
        if !call.content_type_is("application/json") {
            return Err(("json_content_type", "the body must be JSON"));
        }
        let Some(Value::Object(body)) = call.json() else {
            return Err(("body_not_an_object", "the body must be a JSON object"));
        };
        if let Some(cursor) = body.get("cursor") {
            if body.len() > 1 {
                return Err(("cursor_not_alone", "a cursor is sent alone"));
            }
            let known = cursor
                .as_str()
                .and_then(|cursor| self.sealer.open::<Cursor>("events", cursor))
                .filter(|cursor| cursor.stream == stream);
            return known.ok_or(("cursor_unknown", "not a cursor of this stream"));
        }
        beginning(stream, &body)
    }
}

impl Stream {
    fn place(self) -> usize {
        match self {
            Self::SignIn => 0,
            Self::ItemUsage => 1,
            Self::Audit => 2,
        }
    }
}

/// The Events API's own error form; its keys are capitalised.
fn error(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({"Error": {"Message": message}}))
}

fn beginning(
    stream: Stream,
    body: &Map<String, Value>,
) -> Result<Cursor, (&'static str, &'static str)> {
    let mut cursor = Cursor {
        stream,
        next: 0,
        limit: DEFAULT_LIMIT,
        from: None,
        to: None,
    };
    let time = |value: &Value| {
        let parsed = value.as_str().and_then(|at| at.parse::<Timestamp>().ok());
        parsed.ok_or(("time_malformed", "times are RFC 3339"))
    };
    for (name, value) in body {
        match name.as_str() {
            "limit" => {
                cursor.limit = value
                    .as_u64()
                    .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
                    .ok_or(("limit_out_of_range", "limit is 1 to 1000"))?;
            }
            "start_time" => cursor.from = Some(time(value)?),
            "end_time" => cursor.to = Some(time(value)?),
            _ => return Err(("unknown_body_field", "not a field of a reset cursor")),
        }
    }
    Ok(cursor)
}

/// Version 1 lacks the account and the type of users.
fn shown(event: &Event, version: u8) -> Value {
    let mut body = event.body.clone();
    if version == 1 {
        for name in ["account_uuid", "actor_type", "actor_account_uuid"] {
            body.remove(name);
        }
        for name in ["target_user", "user"] {
            if let Some(Value::Object(user)) = body.get_mut(name) {
                user.remove("user_type");
                user.remove("user_account_uuid");
            }
        }
    }
    Value::Object(body)
}

/// Looks like the vendor's token: a client may read `aud` and the features from it without
/// verifying. Nobody can verify the signature, since no key is published.
fn jwt(rng: &mut Rng, host: &str, features: &[Stream], uuid: &str) -> String {
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": rng.base32(26).to_lowercase()});
    let claims = json!({
        "1password.com/auuid": uuid,
        "aud": [host],
        "sub": uuid,
        "iat": 1_768_467_600,
        "1password.com/fts": features,
    });
    unsigned_jwt(rng, &header, &claims)
}
