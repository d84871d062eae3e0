//! Two quiet weeks of events, and what was planted among them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::events::{Events, Stream};
use crate::{
    clock::{later, seconds},
    rng::Rng,
    scenario::{Cast, Member, Part},
};

/// Failures of the planted burst.
pub(crate) const BURST: usize = 9;
/// Whence the planted failures came.
pub(crate) const FAILURES_COUNTRY: &str = "BR";
/// Whence the planted success came.
pub(crate) const SUCCESS_COUNTRY: &str = "RO";

const DAYS: i64 = 14;
const SIGN_INS_EACH: i64 = 4;
/// In a large directory only so many people do anything, which keeps its start short.
const BUSY: usize = 1000;

struct Place {
    country: &'static str,
    region: &'static str,
    city: &'static str,
    latitude: f64,
    longitude: f64,
}

const HOME: Place = Place {
    country: "DE",
    region: "Hamburg",
    city: "Hamburg",
    latitude: 53.55,
    longitude: 9.99,
};
const FAR: Place = Place {
    country: FAILURES_COUNTRY,
    region: "Sao Paulo",
    city: "Sao Paulo",
    latitude: -23.55,
    longitude: -46.63,
};
const ELSEWHERE: Place = Place {
    country: SUCCESS_COUNTRY,
    region: "Cluj",
    city: "Cluj-Napoca",
    latitude: 46.77,
    longitude: 23.59,
};

pub(crate) fn fill(events: &mut Events, cast: &Cast, rng: &mut Rng) {
    let mut writer = Writer {
        events,
        begins: cast.begins,
        rng,
    };
    for (place, member) in cast.members.iter().enumerate() {
        if member.part != Part::Leaver && place < BUSY {
            writer.routine(member);
        }
        match member.part {
            Part::Suspicious => writer.burst_then_success(member),
            Part::Mistyped => writer.mistyped(member),
            _ => {}
        }
    }
    events.sort();
}

struct Writer<'a> {
    events: &'a mut Events,
    begins: Timestamp,
    rng: &'a mut Rng,
}

/// One sign-in attempt, before it is printed.
struct Attempt<'a> {
    member: &'a Member,
    minutes_ago: i64,
    outcome: (&'a str, &'a str),
    address: &'a str,
    place: &'a Place,
}

impl Writer<'_> {
    fn routine(&mut self, member: &Member) {
        let address = format!("192.0.2.{}", self.rng.between(1, 254));
        for turn in 0..SIGN_INS_EACH {
            let span = DAYS * 24 * 60 / SIGN_INS_EACH;
            // Nothing routine happens in the last day, where the planted things are.
            let minutes_ago = 24 * 60 + turn * span + self.minutes(span);
            self.sign_in(&Attempt {
                member,
                minutes_ago,
                outcome: ("success", "credentials_ok"),
                address: &address,
                place: &HOME,
            });
            self.item_usage(member, minutes_ago - 1, &address);
        }
        let minutes_ago = 24 * 60 + self.minutes(10_000);
        self.audit(member, minutes_ago);
    }

    fn burst_then_success(&mut self, member: &Member) {
        for turn in 0..BURST {
            let minutes_ago = 75 - i64::try_from(turn).unwrap_or(0);
            self.sign_in(&Attempt {
                member,
                minutes_ago,
                outcome: ("credentials_failed", "password_secret_bad"),
                address: "198.51.100.23",
                place: &FAR,
            });
        }
        self.sign_in(&Attempt {
            member,
            minutes_ago: 64,
            outcome: ("success", "credentials_ok"),
            address: "203.0.113.77",
            place: &ELSEWHERE,
        });
    }

    fn mistyped(&mut self, member: &Member) {
        let address = "192.0.2.200";
        let outcomes = [
            ("credentials_failed", "password_secret_bad"),
            ("success", "credentials_ok"),
        ];
        for (turn, outcome) in (0_i64..).zip(outcomes) {
            self.sign_in(&Attempt {
                member,
                minutes_ago: 24 * 60 * 3 - turn,
                outcome,
                address,
                place: &HOME,
            });
        }
    }

    fn sign_in(&mut self, attempt: &Attempt<'_>) {
        let (category, kind) = attempt.outcome;
        let body = json!({
            "session_uuid": self.rng.base32(26),
            "timestamp": self.ago(attempt.minutes_ago),
            "country": attempt.place.country,
            "category": category,
            "type": kind,
            "details": null,
            "target_user": self.user(attempt.member),
            "client": client(attempt.address),
            "location": location(attempt.place),
        });
        self.append(Stream::SignIn, body);
    }

    fn item_usage(&mut self, member: &Member, minutes_ago: i64, address: &str) {
        let action = *self
            .rng
            .pick(&["fill", "reveal", "secure-copy", "server-fetch"]);
        let body = json!({
            "timestamp": self.ago(minutes_ago),
            "used_version": self.rng.below(9),
            "vault_uuid": self.rng.base32(26).to_lowercase(),
            "item_uuid": self.rng.base32(26).to_lowercase(),
            "action": action,
            "user": self.user(member),
            "client": client(address),
            "location": location(&HOME),
        });
        self.append(Stream::ItemUsage, body);
    }

    fn audit(&mut self, member: &Member, minutes_ago: i64) {
        let when = self.ago(minutes_ago);
        let body = json!({
            "timestamp": when,
            "actor_uuid": member.id,
            "actor_details": {"uuid": member.id, "name": member.name, "email": member.email},
            "actor_type": "user",
            "actor_account_uuid": self.events.account,
            "action": "create",
            "object_type": "device",
            "object_uuid": self.rng.base32(26),
            "session": {
                "uuid": self.rng.base32(26),
                "login_time": when,
                "device_uuid": self.rng.base32(26),
                "ip": "192.0.2.10",
            },
        });
        self.append(Stream::Audit, body);
    }

    fn user(&self, member: &Member) -> Value {
        json!({
            "uuid": member.id,
            "name": member.name,
            "email": member.email,
            "user_type": "user",
            "user_account_uuid": self.events.account,
        })
    }

    fn append(&mut self, stream: Stream, body: Value) {
        let mut body: Map<String, Value> = match body {
            Value::Object(body) => body,
            _ => return,
        };
        body.insert("uuid".to_owned(), Value::from(self.rng.base32(26)));
        self.events.append(stream, body, self.begins);
    }

    fn ago(&self, minutes: i64) -> String {
        seconds(later(self.begins, SignedDuration::from_mins(-minutes)))
    }

    fn minutes(&mut self, below: i64) -> i64 {
        let below = usize::try_from(below).unwrap_or(1);
        i64::try_from(self.rng.below(below)).unwrap_or(0)
    }
}

fn client(address: &str) -> Value {
    json!({
        "app_name": "1Password for Mac",
        "app_version": "81200",
        "platform_name": "MacBook Pro",
        "platform_version": "MacBookPro18,3",
        "os_name": "MacOSX",
        "os_version": "15.1",
        "ip_address": address,
    })
}

fn location(place: &Place) -> Value {
    json!({
        "country": place.country,
        "region": place.region,
        "city": place.city,
        "latitude": place.latitude,
        "longitude": place.longitude,
    })
}
