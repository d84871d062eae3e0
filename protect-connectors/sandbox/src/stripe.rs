//! Stripe's meters, meter events and their summaries
//! (<https://docs.stripe.com/api/billing/meter-event>, `/meter`, `/meter-event-summary`).

use std::collections::HashMap;

use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    limits::Window,
    request::{Call, Context, Reply, Route, changes, pairs, reads},
    rng::Rng,
};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const OLDEST: SignedDuration = SignedDuration::from_hours(35 * 24);
const NEWEST: SignedDuration = SignedDuration::from_mins(5);

/// Events are counted a while after they were taken.
const COUNTED_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// The event name of the meter that is there from the beginning.
const EVENT_NAME: &str = "protect_monitored_users";

#[derive(Debug, Clone, Copy)]
pub(crate) enum Endpoint {
    CreateEvent,
    Meters,
    Summaries,
}

pub(crate) struct Stripe {
    suffix: String,
    customers: [String; 2],
    meter: String,
    events: Vec<Event>,
    answered: HashMap<String, (Bytes, Bytes, Timestamp)>,
    limit: Window,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Everything,
    Billing,
    ReadOnly,
}

#[derive(Debug, Clone)]
struct Grant {
    reach: Reach,
    live: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Event {
    identifier: String,
    customer: String,
    value: u64,
    timestamp: i64,
    livemode: bool,
    #[serde(skip)]
    taken: Timestamp,
}

/// A refusal: status, type, code, parameter.
type Refusal = (u16, &'static str, &'static str, &'static str);

impl Stripe {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, "stripe");
        Self {
            suffix: rng.hex(24),
            customers: [rng.base32(14), rng.base32(14)].map(|id| format!("cus_{id}")),
            meter: format!("mtr_test_{}", rng.hex(16)),
            events: Vec::new(),
            answered: HashMap::new(),
            limit: Window::new(25, SignedDuration::from_secs(1)),
        }
    }

    /// A restricted key of test mode with what a reporter of usage needs.
    pub(crate) fn restricted_key(&self) -> String {
        format!("rk_test_{}", self.suffix)
    }

    pub(crate) fn customer(&self) -> String {
        self.customers[0].clone()
    }

    pub(crate) fn snapshot(&self) -> Value {
        json!({
            "customers": self.customers,
            "meter": self.meter,
            "events": self.events,
        })
    }

    pub(crate) fn route(call: &Call) -> Option<Route<Endpoint>> {
        match (&call.method, &call.path()[..]) {
            (&Method::POST, ["v1", "billing", "meter_events"]) => {
                changes(Endpoint::CreateEvent, "/v1/billing/meter_events")
            }
            (&Method::GET, ["v1", "billing", "meters"]) => {
                reads(Endpoint::Meters, "/v1/billing/meters")
            }
            (&Method::GET, ["v1", "billing", "meters", _, "event_summaries"]) => reads(
                Endpoint::Summaries,
                "/v1/billing/meters/{id}/event_summaries",
            ),
            _ => None,
        }
    }

    pub(crate) fn error(status: u16, message: &str) -> Reply {
        let kind = if status >= 500 {
            "api_error"
        } else {
            "invalid_request_error"
        };
        Reply::json(
            status,
            &json!({ "error": { "type": kind, "message": message } }),
        )
    }

    pub(crate) fn handle(&mut self, endpoint: Endpoint, call: &Call, cx: &mut Context) -> Reply {
        let grant = match self.grant(call) {
            Ok(grant) => grant,
            Err(rule) => {
                cx.violate(rule, "no key of this account");
                return Self::error(401, "Invalid API Key provided");
            }
        };
        if let Err(wait) = self.limited(cx) {
            return wait;
        }
        let permitted = match endpoint {
            Endpoint::CreateEvent => grant.reach != Reach::ReadOnly,
            Endpoint::Meters | Endpoint::Summaries => true,
        };
        if !permitted {
            // A key may lose a permission without its holder knowing.
            return Self::error(
                403,
                "The provided key does not have the required permissions",
            );
        }
        let answer = match endpoint {
            Endpoint::CreateEvent => self.create(&grant, call, cx),
            Endpoint::Meters => self.meters(&grant, call),
            Endpoint::Summaries => self.summaries(&grant, call, cx.now),
        };
        answer.unwrap_or_else(|(status, kind, code, param)| {
            if status == 400 {
                cx.violate("stripe_invalid_request", param);
            }
            let mut error = json!({ "type": kind, "message": "Refused." });
            if !code.is_empty() {
                error["code"] = json!(code);
            }
            if !param.is_empty() {
                error["param"] = json!(param);
            }
            Reply::json(status, &json!({ "error": error }))
        })
    }

    fn grant(&self, call: &Call) -> Result<Grant, &'static str> {
        let header = call.header("authorization").ok_or("stripe_no_key")?;
        let key = match header.split_once(' ') {
            Some(("Bearer", key)) => key.to_owned(),
            Some(("Basic", pair)) => {
                let pair = STANDARD.decode(pair).map_err(|_| "stripe_basic")?;
                let pair = String::from_utf8(pair).map_err(|_| "stripe_basic")?;
                let key = pair.strip_suffix(':').ok_or("stripe_basic_password")?;
                key.to_owned()
            }
            _ => return Err("stripe_no_key"),
        };
        let parts: Vec<_> = key.splitn(3, '_').collect();
        let [sort, mode, suffix] = parts.as_slice() else {
            return Err("stripe_unknown_key");
        };
        let read_only = format!("{}ro", self.suffix);
        let reach = match (*sort, *suffix) {
            ("sk", suffix) if suffix == self.suffix => Reach::Everything,
            ("rk", suffix) if suffix == self.suffix => Reach::Billing,
            ("rk", suffix) if suffix == read_only => Reach::ReadOnly,
            _ => return Err("stripe_unknown_key"),
        };
        match *mode {
            "test" => Ok(Grant { reach, live: false }),
            "live" => Ok(Grant { reach, live: true }),
            _ => Err("stripe_unknown_key"),
        }
    }

    fn limited(&mut self, cx: &mut Context) -> Result<(), Reply> {
        if !cx.limits {
            return Ok(());
        }
        self.limit.take(cx.now, 1).map_err(|_| {
            cx.violate("rate_limit_exceeded", "more calls than test mode allows");
            let error = json!({ "type": "invalid_request_error", "code": "rate_limit" });
            Reply::json(429, &json!({ "error": error }))
        })
    }

    fn create(&mut self, grant: &Grant, call: &Call, cx: &mut Context) -> Result<Reply, Refusal> {
        let key = call.header("idempotency-key").map(str::to_owned);
        cx.idempotency.clone_from(&key);
        self.answered
            .retain(|_, (_, _, at)| cx.now.duration_since(*at) < DAY);
        if let Some((body, reply, _)) = key.as_ref().and_then(|key| self.answered.get(key)) {
            if *body != call.body {
                return Err((400, "idempotency_error", "", ""));
            }
            return Ok(Reply::rendered(200, reply.clone()));
        }
        let event = self.read(grant, call, cx.now)?;
        let known = |known: &&Event| {
            known.identifier == event.identifier
                && known.livemode == event.livemode
                && cx.now.duration_since(known.taken) < DAY
        };
        if self.events.iter().any(|event| known(&event)) {
            return Err((400, "invalid_request_error", "", "identifier"));
        }
        let answer = json!({
            "object": "billing.meter_event",
            "created": cx.now.as_second(),
            "event_name": EVENT_NAME,
            "identifier": event.identifier,
            "livemode": event.livemode,
            "payload": {
                "stripe_customer_id": event.customer,
                "value": event.value.to_string(),
            },
            "timestamp": event.timestamp,
        });
        cx.change("meter_event", &event.identifier, "", "taken");
        self.events.push(event);
        let reply = Reply::json(200, &answer);
        if let Some(key) = key {
            let kept = (call.body.clone(), reply.body.clone(), cx.now);
            self.answered.insert(key, kept);
        }
        Ok(reply)
    }

    fn read(&self, grant: &Grant, call: &Call, now: Timestamp) -> Result<Event, Refusal> {
        const KIND: &str = "invalid_request_error";
        if !call.content_type_is("application/x-www-form-urlencoded") {
            return Err((400, KIND, "", "content_type"));
        }
        let body = std::str::from_utf8(&call.body).map_err(|_| (400, KIND, "", "body"))?;
        let mut given: HashMap<String, String> = HashMap::new();
        for (name, value) in pairs(body) {
            if given.insert(name, value).is_some() {
                return Err((400, KIND, "parameter_invalid", "repeated"));
            }
        }
        let mut take = |name: &'static str| {
            let missing = (400, KIND, "parameter_missing", name);
            given
                .remove(name)
                .filter(|text| !text.is_empty())
                .ok_or(missing)
        };
        let event_name = take("event_name")?;
        let customer = take("payload[stripe_customer_id]")?;
        let value = take("payload[value]")?;
        let identifier = take("identifier").ok();
        let timestamp = take("timestamp").ok();
        if !given.is_empty() {
            return Err((400, KIND, "parameter_unknown", "unknown"));
        }
        if event_name != EVENT_NAME {
            return Err((400, KIND, "", "event_name"));
        }
        if !self.customers.contains(&customer) {
            return Err((404, KIND, "resource_missing", "payload[stripe_customer_id]"));
        }
        let value = value
            .parse()
            .map_err(|_| (400, KIND, "", "payload[value]"))?;
        let at = match timestamp {
            None => now,
            Some(text) => text
                .parse()
                .ok()
                .and_then(|seconds| Timestamp::from_second(seconds).ok())
                .ok_or((400, KIND, "parameter_invalid_integer", "timestamp"))?,
        };
        let age = now.duration_since(at);
        if age > OLDEST || -age > NEWEST {
            return Err((400, KIND, "", "timestamp"));
        }
        let identifier = identifier.unwrap_or_else(|| format!("made-up-{}", self.events.len()));
        if identifier.len() > 100 {
            return Err((400, KIND, "", "identifier"));
        }
        Ok(Event {
            identifier,
            customer,
            value,
            timestamp: at.as_second(),
            livemode: grant.live,
            taken: now,
        })
    }

    fn meters(&self, grant: &Grant, call: &Call) -> Result<Reply, Refusal> {
        let known = ["limit", "starting_after", "ending_before", "status"];
        if call
            .query
            .iter()
            .any(|(name, _)| !known.contains(&name.as_str()))
        {
            return Err((400, "invalid_request_error", "parameter_unknown", "unknown"));
        }
        let meter = |id: &str, name: &str, status: &str| {
            json!({
                "id": id,
                "object": "billing.meter",
                "created": 1_700_000_000,
                "customer_mapping": { "event_payload_key": "stripe_customer_id", "type": "by_id" },
                "default_aggregation": { "formula": "last" },
                "display_name": "Monitored users",
                "event_name": name,
                "event_time_window": null,
                "livemode": grant.live,
                "status": status,
                "status_transitions": { "deactivated_at": null },
                "updated": 1_700_000_000,
                "value_settings": { "event_payload_key": "value" },
            })
        };
        let after = call.query.iter().find(|(name, _)| name == "starting_after");
        // Two pages, whatever the limit: a list may always go on.
        let first = after.is_none();
        let page = if first {
            meter("mtr_retired", EVENT_NAME, "inactive")
        } else {
            meter(&self.meter, EVENT_NAME, "active")
        };
        let list = json!({
            "object": "list",
            "url": "/v1/billing/meters",
            "has_more": first,
            "data": [page],
        });
        Ok(Reply::json(200, &list))
    }

    fn summaries(&self, grant: &Grant, call: &Call, now: Timestamp) -> Result<Reply, Refusal> {
        const KIND: &str = "invalid_request_error";
        let known = [
            "customer",
            "start_time",
            "end_time",
            "limit",
            "value_grouping_window",
        ];
        if call
            .query
            .iter()
            .any(|(name, _)| !known.contains(&name.as_str()))
        {
            return Err((400, KIND, "parameter_unknown", "unknown"));
        }
        if call.path()[3] != self.meter {
            return Err((404, KIND, "resource_missing", "id"));
        }
        let take = |name: &'static str| {
            let found = call.query.iter().find(|(key, _)| key == name);
            let value = found.map(|(_, value)| value.as_str());
            value.ok_or((400, KIND, "parameter_missing", name))
        };
        let time = |name: &'static str| {
            let seconds: i64 = take(name)?
                .parse()
                .map_err(|_| (400, KIND, "parameter_invalid_integer", name))?;
            // "must align with minute boundaries"
            if seconds % 60 == 0 {
                Ok(seconds)
            } else {
                Err((400, KIND, "", name))
            }
        };
        let customer = take("customer")?;
        if !self.customers.iter().any(|known| known == customer) {
            return Err((404, KIND, "resource_missing", "customer"));
        }
        let (start, end) = (time("start_time")?, time("end_time")?);
        let counted = self.events.iter().filter(|event| {
            event.customer == customer
                && event.livemode == grant.live
                && (start..end).contains(&event.timestamp)
                && now.duration_since(event.taken) >= COUNTED_AFTER
        });
        // The meter's formula is `last`.
        let last = counted.max_by_key(|event| event.timestamp);
        let data: Vec<Value> = last
            .iter()
            .map(|event| {
                json!({
                    "id": "mtrusg_1",
                    "object": "billing.meter_event_summary",
                    "aggregated_value": event.value,
                    "start_time": start,
                    "end_time": end,
                    "livemode": grant.live,
                    "meter": self.meter,
                })
            })
            .collect();
        let list = json!({ "object": "list", "has_more": false, "data": data, "url": "/" });
        Ok(Reply::json(200, &list))
    }
}
