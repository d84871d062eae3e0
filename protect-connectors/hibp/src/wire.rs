//! The vendor's JSON, read leniently: null for a missing value, numbers as strings, dates with and
//! without a zone. What cannot be read at all is an error that does not repeat it.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use protect_core::{Error, ErrorKind, Result};
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a whole answer.
///
/// # Errors
/// `invalid_response` with line and column.
pub(crate) fn parse<T: DeserializeOwned>(operation: &'static str, body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| unreadable(operation, &error))
}

/// The body of an error.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ErrorBody {
    #[serde(alias = "Message")]
    pub(crate) message: Option<String>,
}

/// Hands every alias of a domain's answer to `sink`, one at a time, without building a tree: a
/// domain of a million addresses is some 60 MB of JSON.
///
/// # Errors
/// `invalid_response`; entries before the fault have been handed over by then.
pub(crate) fn each_alias(
    operation: &'static str,
    body: &[u8],
    mut sink: impl FnMut(String, Vec<String>),
) -> Result<()> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    reader
        .deserialize_map(Entries(&mut sink))
        .and_then(|()| reader.end())
        .map_err(|error| unreadable(operation, &error))
}

/// Picks the names behind the wanted hash suffixes out of a range's answer. The other rows are
/// other people's: they are dropped while they are read.
///
/// # Errors
/// `invalid_response`.
pub(crate) fn matching_rows(
    operation: &'static str,
    body: &[u8],
    wanted: &[&str],
) -> Result<Vec<Vec<String>>> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    reader
        .deserialize_seq(Rows(wanted))
        .and_then(|found| reader.end().map(|()| found))
        .map_err(|error| unreadable(operation, &error))
}

fn unreadable(operation: &'static str, error: &serde_json::Error) -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        "the answer is not the JSON that the API's documentation promises",
    )
    .with_operation(operation)
    .with_context("line", error.line().to_string())
    .with_context("column", error.column().to_string())
}

struct Entries<'a, F>(&'a mut F);

impl<'de, F: FnMut(String, Vec<String>)> Visitor<'de> for Entries<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of lists by alias")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((alias, names)) = map.next_entry::<String, Option<Vec<String>>>()? {
            (self.0)(alias, names.unwrap_or_default());
        }
        Ok(())
    }
}

struct Rows<'a>(&'a [&'a str]);

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = Vec<Vec<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of hash suffixes with names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Self::Value, A::Error> {
        let mut found = vec![Vec::new(); self.0.len()];
        while let Some(row) = rows.next_element_seed(Row(self.0))? {
            if let Some((index, names)) = row {
                found[index] = names;
            }
        }
        Ok(found)
    }
}

/// One row: read in full only where its suffix is wanted. A row whose names stand before its
/// suffix is kept until the suffix is known, then dropped.
struct Row<'a>(&'a [&'a str]);

impl<'de> serde::de::DeserializeSeed<'de> for Row<'_> {
    type Value = Option<(usize, Vec<String>)>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = Option<(usize, Vec<String>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hash suffix with names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut place = None;
        let mut suffix_seen = false;
        let mut names = Vec::new();
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            if key.eq_ignore_ascii_case("hashSuffix") {
                suffix_seen = true;
                let suffix = map.next_value::<std::borrow::Cow<'_, str>>()?;
                place = self
                    .0
                    .iter()
                    .position(|want| want.eq_ignore_ascii_case(&suffix));
            } else if key.eq_ignore_ascii_case("websites") && (place.is_some() || !suffix_seen) {
                names = map.next_value::<Option<Vec<String>>>()?.unwrap_or_default();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(place.map(|index| (index, names)))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Loose<T> {
    Good(T),
    Text(String),
    Other(IgnoredAny),
}

/// Text; null is empty.
pub(crate) fn text<'de, D: Deserializer<'de>>(reader: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(reader)?.unwrap_or_default())
}

/// A list of texts; null is empty.
pub(crate) fn texts<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(reader)?.unwrap_or_default())
}

/// Yes or no; what is neither is no.
pub(crate) fn flag<'de, D: Deserializer<'de>>(reader: D) -> Result<bool, D::Error> {
    Ok(match Loose::deserialize(reader)? {
        Loose::Good(yes) => yes,
        Loose::Text(text) => text.eq_ignore_ascii_case("true"),
        Loose::Other(_) => false,
    })
}

/// A number, also as a string; what is none is 0.
pub(crate) fn count<'de, D: Deserializer<'de>>(reader: D) -> Result<u64, D::Error> {
    Ok(match Loose::deserialize(reader)? {
        Loose::Good(number) => number,
        Loose::Text(text) => text.trim().parse().unwrap_or(0),
        Loose::Other(_) => 0,
    })
}

/// As [`count`], in 32 bits.
pub(crate) fn small_count<'de, D: Deserializer<'de>>(reader: D) -> Result<u32, D::Error> {
    count(reader).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// A moment, with or without a zone; without one it is UTC. What is none is absent.
pub(crate) fn moment<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(loose_text(reader)?.as_deref().and_then(read_moment))
}

/// A day; what is none is absent.
pub(crate) fn date<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Date>, D::Error> {
    Ok(loose_text(reader)?.and_then(|text| text.parse().ok()))
}

fn loose_text<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<String>, D::Error> {
    Ok(match Loose::<String>::deserialize(reader)? {
        Loose::Good(text) | Loose::Text(text) => Some(text),
        Loose::Other(_) => None,
    })
}

fn read_moment(text: &str) -> Option<Timestamp> {
    let local = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse()
        .ok()
        .or_else(|| local().map(|zoned| zoned.timestamp()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::models::{Breach, Paste, SubscribedDomain, SubscriptionStatus};

    #[test]
    fn an_old_entry_without_the_newer_flags_and_with_nulls_is_read() {
        let breach: Breach = parse(
            "t",
            br#"{"Name":"A","Title":null,"Domain":"","PwnCount":"12","IsVerified":"true","AddedDate":"2020-01-02T03:04:05Z",
                "BreachDate":"2019-12-31","DataClasses":null,"IsMalware":null,"SomethingNew":{"a":[1]}}"#,
        )
        .unwrap();
        assert_eq!((breach.pwn_count, breach.is_verified), (12, true));
        assert_eq!(breach.breach_date.unwrap().to_string(), "2019-12-31");
        assert!(!breach.is_malware && breach.data_classes.is_empty());
    }

    #[test]
    fn a_moment_without_a_zone_is_utc() {
        let domain: SubscribedDomain = parse(
            "t",
            br#"{"DomainName":"a.example","PwnCount":null,"NextSubscriptionRenewal":"2025-03-07T12:30:38"}"#,
        )
        .unwrap();
        assert_eq!(
            domain.next_subscription_renewal.unwrap().to_string(),
            "2025-03-07T12:30:38Z"
        );
        assert_eq!(domain.pwn_count, None);
    }

    #[test]
    fn an_old_key_lacks_the_newer_features() {
        let status: SubscriptionStatus = parse(
            "t",
            br#"{"SubscriptionName":"Pwned 1","Rpm":10,"DomainSearchMaxBreachedAccounts":25}"#,
        )
        .unwrap();
        assert_eq!(status.rpm, 10);
        assert!(!status.includes_k_anon && !status.includes_stealer_logs);
    }

    #[test]
    fn only_the_wanted_rows_of_a_range_survive_in_either_order_and_case() {
        let body = br#"[{"hashSuffix":"AAAA","websites":["Adobe","Dropbox"]},
            {"websites":["X"],"hashSuffix":"BBBB","extra":1},
            {"HashSuffix":"cccc","Websites":["Y"]},{"hashSuffix":"AAAAB","websites":["Z"]}]"#;
        let found = matching_rows("t", body, &["aaaa", "CCCC", "DDDD"]).unwrap();
        assert_eq!(found[0], ["Adobe", "Dropbox"]);
        assert_eq!(found[1], ["Y"]);
        assert!(
            found[2].is_empty(),
            "a suffix is never matched by its beginning"
        );
    }

    #[test]
    fn a_domain_answer_is_handed_over_alias_by_alias() {
        let mut seen = Vec::new();
        each_alias("t", br#"{"ann":["Adobe"],"bob":null}"#, |alias, names| {
            seen.push((alias, names));
        })
        .unwrap();
        assert_eq!(
            seen,
            [
                ("ann".to_owned(), vec!["Adobe".to_owned()]),
                ("bob".to_owned(), vec![])
            ]
        );
    }

    #[test]
    fn a_truncated_answer_is_an_error_that_repeats_nothing() {
        let error = each_alias("t", br#"{"ann.secret":["Adobe"#, |_, _| {}).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        assert!(!format!("{error:?}").contains("ann.secret"));
        assert!(each_alias("t", b"{} trailing", |_, _| {}).is_err());
    }

    #[test]
    fn a_domain_of_many_aliases_is_read_without_a_tree() {
        let many = 200_000;
        let entries: Vec<String> = (0..many)
            .map(|alias| format!("\"alias{alias}\":[\"Adobe\",\"Dropbox\"]"))
            .collect();
        let body = format!("{{{}}}", entries.join(","));
        let (mut aliases, mut names) = (0, 0);
        each_alias("t", body.as_bytes(), |_, found| {
            aliases += 1;
            names += found.len();
        })
        .unwrap();
        assert_eq!((aliases, names), (many, 2 * many));
    }

    proptest! {
        #[test]
        fn no_body_makes_a_parser_panic(body in prop::collection::vec(any::<u8>(), 0..200), json in "[\\[\\]{}\",:a-zA-Z0-9 ]{0,120}") {
            for bytes in [body.as_slice(), json.as_bytes()] {
                let _ = parse::<Vec<Breach>>("t", bytes);
                let _ = parse::<Vec<Paste>>("t", bytes);
                let _ = parse::<SubscriptionStatus>("t", bytes);
                let _ = matching_rows("t", bytes, &["00"]);
                let _ = each_alias("t", bytes, |_, _| {});
            }
        }
    }
}
