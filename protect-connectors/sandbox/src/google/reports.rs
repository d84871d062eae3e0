//! The Reports API: `activities.list`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Google,
    error::{Answer, Refusal},
    log::{Condition, Filter, Key, Logs, Place, RETENTION, text},
    operation::{Ask, bad, not_simulated},
    page::{Cut, Named},
};
use crate::{
    clock::later,
    faults::FaultKind,
    request::{Context, Reply},
};

const LARGEST: usize = 1000;
/// Activities of Gmail are asked for by ranges of at most so many days.
const GMAIL_RANGE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Filters that Google has besides.
const NOT_SIMULATED: [&str; 5] = [
    "applicationInfoFilter",
    "groupIdFilter",
    "networkInfoFilter",
    "orgUnitID",
    "statusFilter",
];

impl Google {
    pub(super) fn list_activities(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let version = self.version();
        let plain = self.rendered.keeps() && cx.struck.0.is_empty();
        let request = format!("{}&{:?}", ask.request(), ask.parameter("pageToken"));
        if let Some(body) = self.rendered.get(&request, version).filter(|_| plain) {
            return Ok(Reply::rendered(200, body));
        }
        let Some(application) = Logs::application(ask.id(1)) else {
            return Err(bad("Invalid value for applicationName", cx));
        };
        if let Some(customer) = ask.parameter("customerId") {
            self.check_customer(customer)?;
        }
        let size = ask.count("maxResults", LARGEST, LARGEST, cx)?;
        let filter = self.filter(ask, application, cx)?;
        let from = self.begin::<Key>(ask, cx)?;
        let place = Place {
            users: &self.users,
            units: &self.units,
        };
        let mut cut = self.logs.page(application, &filter, from, size, &place);
        let first = from.unwrap_or(Key {
            at: filter.until,
            qualifier: i64::MAX,
        });
        let before = from.and_then(|key| {
            let known = Filter {
                since: key.at,
                until: key.at,
                ..Filter::default()
            };
            self.logs
                .page(application, &known, None, 1, &place)
                .rows
                .pop()
        });
        cut.bend(&first, before, cx);
        bend_events(&mut cut, cx);
        let named = Named {
            kind: Some("admin#reports#activities"),
            list: "items",
        };
        let reply = self.listed(ask, named, cut, cx);
        if plain {
            self.rendered.put(request, reply.body.clone());
        }
        Ok(reply)
    }

    /// Notes what an administrator did, in the log of administrators.
    pub(super) fn log_change(
        &mut self,
        event: &'static str,
        kind: &'static str,
        number: usize,
        parameters: &[(&str, String)],
        ask: &Ask<'_>,
    ) {
        let mut shown = vec![text("USER_EMAIL", &self.users.email(number))];
        shown.extend(parameters.iter().map(|(name, value)| text(name, value)));
        let body = json!({
            "actor": {
                "callerType": "USER",
                "email": self.users.email(ask.subject),
                "profileId": self.users.id(ask.subject),
            },
            "ipAddress": "198.51.100.10",
            "events": [{"type": kind, "name": event, "parameters": shown}],
        });
        self.logs.add("admin", ask.now, body);
    }

    /// Notes what happened to an account, in a log of what people do.
    pub(super) fn log_event(
        &mut self,
        application: &'static str,
        at: Timestamp,
        number: usize,
        address: &str,
        event: &Value,
    ) -> i64 {
        let body = json!({
            "actor": {
                "callerType": "USER",
                "email": self.users.email(number),
                "profileId": self.users.id(number),
            },
            "ipAddress": address,
            "events": [event],
        });
        self.logs.add(application, at, body)
    }

    fn filter(
        &self,
        ask: &Ask<'_>,
        application: &'static str,
        cx: &mut Context,
    ) -> Result<Filter, Refusal> {
        let since = time(ask, "startTime", cx)?;
        let until = time(ask, "endTime", cx)?.unwrap_or(cx.now);
        let begin = since.unwrap_or_else(|| later(cx.now, -RETENTION));
        if begin >= until || begin >= cx.now {
            return Err(bad("Start time must be before end time and now", cx));
        }
        if application == "gmail" && (since.is_none() || until.duration_since(begin) > GMAIL_RANGE)
        {
            let message = "Gmail needs a start and an end at most 30 days apart";
            return Err(bad(message, cx));
        }
        let visible = later(cx.now, -Logs::lag(application));
        let reach = later(cx.now, -RETENTION);
        if let Some(name) = NOT_SIMULATED.iter().find(|it| ask.parameter(it).is_some()) {
            return Err(not_simulated(name));
        }
        let conditions = match ask.parameter("filters") {
            None => Vec::new(),
            Some(given) => {
                Condition::parse_all(given).ok_or_else(|| bad("Invalid value for filters", cx))?
            }
        };
        let actor = match ask.id(0) {
            "all" => None,
            key => {
                let account = self.account(key)?;
                Some([account.id, account.email])
            }
        };
        Ok(Filter {
            since: begin.max(reach).as_millisecond(),
            until: until.min(visible).as_millisecond(),
            event: ask.parameter("eventName").map(str::to_owned),
            actor,
            address: ask.parameter("actorIpAddress").map(str::to_owned),
            conditions,
        })
    }
}

fn time(ask: &Ask<'_>, name: &str, cx: &mut Context) -> Result<Option<Timestamp>, Refusal> {
    let Some(given) = ask.parameter(name) else {
        return Ok(None);
    };
    let parsed = given.parse().map(Some);
    parsed.map_err(|_| bad(&format!("Invalid value for {name}"), cx))
}

/// What faults do to the events of a page.
fn bend_events(cut: &mut Cut<Key>, cx: &Context) {
    if cx.struck.has(FaultKind::SameTimes)
        && let [first, second, ..] = &mut cut.rows[..]
    {
        second["id"]["time"] = first["id"]["time"].clone();
    }
    if !cx.struck.has(FaultKind::BareEvents) {
        return;
    }
    for (number, row) in cut.rows.iter_mut().enumerate() {
        let events = row["events"].as_array_mut().into_iter().flatten();
        for event in events.filter_map(Value::as_object_mut) {
            event.remove(["name", "parameters"][number % 2]);
        }
    }
}
