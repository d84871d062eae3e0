//! The vendor's JSON. Decoding is lenient where the vendor promises nothing: in the Users API no
//! field is required (<https://www.1password.dev/users-api/list-users>), and events gain fields.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use protect_core::model::RejectedItem;
use protect_core::{Error, ErrorKind, Result};
use serde::de::{DeserializeOwned, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::model::{EventPage, User, UserPage, UserState};

/// Answer of `ListUsers`. The list is called `results`.
#[derive(Deserialize)]
pub(crate) struct UserList<T> {
    results: Option<Vec<T>>,
    #[serde(default)]
    next_page_token: Option<String>,
}

/// One user as the vendor writes it.
#[derive(Deserialize)]
pub(crate) struct UserRecord {
    id: Option<String>,
    email: Option<String>,
    display_name: Option<String>,
    #[serde(default = "unspecified", deserialize_with = "state")]
    state: UserState,
    #[serde(default, deserialize_with = "time")]
    create_time: Option<Timestamp>,
    path: Option<String>,
}

impl UserRecord {
    /// The user, unless there is no id to call it by.
    pub(crate) fn into_user(self) -> Option<User> {
        Some(User {
            id: self.id.filter(|id| !id.is_empty())?,
            email: self.email.filter(|email| !email.is_empty()),
            display_name: self.display_name.unwrap_or_default(),
            state: self.state,
            create_time: self.create_time,
            path: self.path.unwrap_or_default(),
        })
    }
}

/// A page whose every record has the expected types: the common case, in one pass.
pub(crate) fn users(body: &[u8]) -> Option<UserPage> {
    let list: UserList<UserRecord> = serde_json::from_slice(body).ok()?;
    Some(user_page(list, Ok))
}

/// A page with records of other types: those are listed as rejected, the others kept.
pub(crate) fn salvage_users(list: UserList<Value>) -> UserPage {
    user_page(list, read_record)
}

fn user_page<T>(list: UserList<T>, read: impl Fn(T) -> Result<UserRecord, String>) -> UserPage {
    let results = list.results.unwrap_or_default();
    let mut page = UserPage {
        users: Vec::with_capacity(results.len()),
        rejected: Vec::new(),
        next_page_token: list.next_page_token.filter(|token| !token.is_empty()),
    };
    for (index, record) in results.into_iter().enumerate() {
        let user = read(record).and_then(|record| {
            record
                .into_user()
                .ok_or_else(|| "`id` is missing".to_owned())
        });
        match user {
            Ok(user) => page.users.push(user),
            Err(reason) => page.rejected.push(RejectedItem {
                place: format!("results[{index}]"),
                reason,
            }),
        }
    }
    page
}

/// Body of the first call to a stream of events. Later calls send the cursor and nothing else
/// (<https://developer.1password.com/docs/events-api/reference>, "cursor").
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum EventRequest<'a> {
    Reset {
        limit: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        start_time: Option<Timestamp>,
    },
    Continue {
        cursor: &'a str,
    },
}

/// Answer of every stream of events.
#[derive(Deserialize)]
pub(crate) struct EventList<T> {
    cursor: String,
    #[serde(default)]
    has_more: bool,
    items: Option<Vec<T>>,
}

/// A page whose every event has the expected types.
pub(crate) fn events<T: DeserializeOwned>(body: &[u8]) -> Option<EventPage<T>> {
    let list: EventList<T> = serde_json::from_slice(body).ok()?;
    Some(event_page(list, Ok))
}

/// A page with events of other types: those are listed as rejected, the others kept.
pub(crate) fn salvage_events<T: DeserializeOwned>(list: EventList<Value>) -> EventPage<T> {
    event_page(list, read_record)
}

fn event_page<T, U>(list: EventList<T>, read: impl Fn(T) -> Result<U, String>) -> EventPage<U> {
    let items = list.items.unwrap_or_default();
    let mut page = EventPage {
        items: Vec::with_capacity(items.len()),
        rejected: Vec::new(),
        cursor: list.cursor,
        has_more: list.has_more,
    };
    for (index, record) in items.into_iter().enumerate() {
        match read(record) {
            Ok(event) => page.items.push(event),
            Err(reason) => page.rejected.push(RejectedItem {
                place: format!("items[{index}]"),
                reason,
            }),
        }
    }
    page
}

/// What is wrong with a record, without repeating any of it.
fn read_record<T: DeserializeOwned>(record: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(record).map_err(|error| {
        let path = error.path().to_string();
        if path == "." {
            "a required field is missing, or the record is no object".to_owned()
        } else {
            format!("`{path}` has an unexpected form")
        }
    })
}

/// Body of an error. The Users API answers a `google.rpc.Status`, the token endpoint that of
/// RFC 6749 section 5.2, the Events API `{"Error":{"Message":...}}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ErrorBody {
    #[serde(deserialize_with = "lenient")]
    pub(crate) code: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) message: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(crate) error: Option<String>,
    #[serde(rename = "Error", deserialize_with = "lenient")]
    pub(crate) events: Option<EventsErrorBody>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct EventsErrorBody {
    #[serde(rename = "Message", default, deserialize_with = "lenient")]
    pub(crate) message: Option<String>,
}

/// Refuses what has no user in it: a 200 with somebody else's JSON.
pub(crate) fn not_a_user() -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        "the vendor's answer holds no user",
    )
}

/// `null` as if the field were absent.
pub(crate) fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn unspecified() -> UserState {
    UserState::Unspecified
}

fn state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UserState, D::Error> {
    deserializer.deserialize_option(Read(UserState::from_wire))
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    deserializer.deserialize_option(Read(|text| text.and_then(|text| text.parse().ok())))
}

/// Makes a value of a text, or of its absence, where the text stands: without a copy of it.
struct Read<T>(fn(Option<&str>) -> T);

impl<'de, T> Visitor<'de> for Read<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(Some(text)))
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<T, E> {
        Ok((self.0)(None))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<T, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

/// A time that may be unreadable.
pub(crate) fn lenient_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = lenient(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// A value, or nothing where it has another type.
pub(crate) fn lenient<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lenient<T> {
        Value(T),
        Other(IgnoredAny),
    }
    Ok(match Lenient::deserialize(deserializer)? {
        Lenient::Value(value) => Some(value),
        Lenient::Other(_) => None,
    })
}

/// A number, also one written as text; nothing where it is neither.
pub(crate) fn lenient_number<'de, D: Deserializer<'de>, T: Deserialize<'de> + FromStr>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number<T> {
        Value(T),
        Text(String),
        Other(IgnoredAny),
    }
    Ok(match Number::deserialize(deserializer)? {
        Number::Value(number) => Some(number),
        Number::Text(text) => text.parse().ok(),
        Number::Other(_) => None,
    })
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
