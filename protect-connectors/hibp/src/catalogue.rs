//! The catalogue as one run sees it: by name, and with the fingerprints that tell what changed.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use protect_core::model::hash_fields;
use serde::{Deserialize, Serialize};

use crate::models::{Breach, BreachName};

/// How long after its loading a breach is left out of the version: the vendor's edge still gives
/// old answers then, and an address asked too early would count as checked.
const SETTLE: SignedDuration = SignedDuration::from_mins(15);

/// What decides whether stored answers still hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    /// Changes when a breach is added, grows, or begins or ceases to be hidden: ask again.
    #[serde(rename = "s")]
    pub(crate) answers: String,
    /// Changes with flags, data classes and descriptions: judge again, without asking.
    #[serde(rename = "x")]
    pub(crate) wording: String,
    /// Changes with the breaches that consist of stealer logs.
    #[serde(rename = "l")]
    pub(crate) stealers: String,
}

impl Version {
    /// For people and evidence.
    pub(crate) fn short(&self) -> String {
        hash_fields("hibp.catalogue", &[&self.answers, &self.wording])
            .chars()
            .take(12)
            .collect()
    }
}

/// The breaches by name.
#[derive(Debug)]
pub(crate) struct Catalogue {
    breaches: HashMap<BreachName, Breach>,
    /// Names that were looked up one by one, found or not: nobody asks twice in a run.
    looked_up: HashSet<BreachName>,
    pub(crate) version: Version,
}

impl Catalogue {
    pub(crate) fn new(breaches: Vec<Breach>, now: Timestamp) -> Self {
        let version = version(&breaches, now);
        let breaches = breaches
            .into_iter()
            .map(|breach| (breach.name.clone(), breach))
            .collect();
        Self {
            breaches,
            looked_up: HashSet::new(),
            version,
        }
    }

    pub(crate) fn get(&self, name: &BreachName) -> Option<&Breach> {
        self.breaches.get(name)
    }

    /// Whether a name is worth looking up: unknown, and not looked up before.
    pub(crate) fn begin_look_up(&mut self, name: &BreachName) -> bool {
        !self.breaches.contains_key(name) && self.looked_up.insert(name.clone())
    }

    /// Adds what was looked up; the version stays.
    pub(crate) fn add(&mut self, breach: Breach) {
        self.breaches.insert(breach.name.clone(), breach);
    }
}

fn version(breaches: &[Breach], now: Timestamp) -> Version {
    let mut sorted: Vec<&Breach> = breaches
        .iter()
        .filter(|breach| {
            breach
                .added_date
                .is_none_or(|added| now.duration_since(added) >= SETTLE)
        })
        .collect();
    sorted.sort_by(|one, other| one.name.cmp(&other.name));
    let answers: Vec<String> = sorted.iter().flat_map(|breach| answers(breach)).collect();
    let wording: Vec<String> = sorted.iter().flat_map(|breach| wording(breach)).collect();
    let stealers: Vec<String> = sorted
        .iter()
        .filter(|breach| breach.is_stealer_log)
        .flat_map(|breach| answers_and_date(breach))
        .collect();
    let digest = |what: &str, fields: &[String]| {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        hash_fields(what, &fields)
    };
    Version {
        answers: digest("hibp.answers", &answers),
        wording: digest("hibp.wording", &wording),
        stealers: digest("hibp.stealers", &stealers),
    }
}

fn answers(breach: &Breach) -> [String; 4] {
    [
        breach.name.0.clone(),
        moment(breach.added_date),
        breach.pwn_count.to_string(),
        breach.is_sensitive.to_string(),
    ]
}

fn answers_and_date(breach: &Breach) -> [String; 2] {
    [breach.name.0.clone(), moment(breach.modified_date)]
}

fn wording(breach: &Breach) -> [String; 6] {
    let flags = [
        breach.is_verified,
        breach.is_fabricated,
        breach.is_retired,
        breach.is_spam_list,
        breach.is_malware,
        breach.is_stealer_log,
    ];
    [
        breach.name.0.clone(),
        breach.title.clone(),
        moment(breach.modified_date),
        format!("{flags:?}"),
        breach.data_classes.join("\n"),
        breach.description.clone(),
    ]
}

fn moment(moment: Option<Timestamp>) -> String {
    moment.map_or(String::new(), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn breach(name: &str) -> Breach {
        Breach {
            name: name.into(),
            added_date: Some(at("2020-01-01T00:00:00Z")),
            pwn_count: 5,
            ..Breach::default()
        }
    }

    fn version_of(breaches: &[Breach]) -> Version {
        version(breaches, at("2026-01-01T00:00:00Z"))
    }

    #[test]
    fn a_new_or_grown_breach_makes_answers_old_and_a_new_wording_does_not() {
        let before = version_of(&[breach("A")]);
        assert_eq!(before, version_of(&[breach("A")]));
        assert_ne!(
            before.answers,
            version_of(&[breach("A"), breach("B")]).answers
        );
        let mut grown = breach("A");
        grown.pwn_count = 6;
        assert_ne!(before.answers, version_of(&[grown]).answers);
        let mut reworded = breach("A");
        reworded.description = "now in plain text".into();
        let after = version_of(&[reworded]);
        assert_eq!(before.answers, after.answers);
        assert_ne!(before.wording, after.wording);
        assert_eq!(before.stealers, after.stealers);
    }

    #[test]
    fn order_changes_nothing() {
        assert_eq!(
            version_of(&[breach("A"), breach("B")]),
            version_of(&[breach("B"), breach("A")])
        );
    }

    #[test]
    fn a_breach_loaded_a_moment_ago_waits_until_the_edge_knows_it() {
        let mut fresh = breach("B");
        fresh.added_date = Some(at("2025-12-31T23:50:00Z"));
        assert_eq!(
            version_of(&[breach("A")]),
            version_of(&[breach("A"), fresh])
        );
    }
}
