//! What was last seen of each setting, kept by the store: Google's log forgets after 180 days, and what
//! was learnt once is to outlive that. What differs from what was last seen is drift.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use protect_core::Result;
use protect_core::connector::ScanState;
use protect_core::model::{
    Attributes, CheckId, Confidence, FindingKind, Observation, Severity, Subject,
};
use protect_core::posture::{Evaluation, Noticed, Reader};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::KIND;
use crate::collect::LOG_REACH;
use crate::views::{AdminLog, Change, Key, Policies};
use crate::workspace::{ADMIN_LOG, GROUPS, HISTORY, ORG_UNITS, POLICIES};

/// The check whose findings are changes of settings.
pub(crate) const DRIFT: &str = "google.drift.setting_changed";

/// One line for people.
pub(crate) const DRIFT_TITLE: &str = "A setting is no longer what it was";

/// What was last seen: by setting, and by what it was made for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History {
    settings: BTreeMap<String, BTreeMap<String, Seen>>,
    /// When the log was last read.
    read_at: Option<Timestamp>,
    /// Settings and what they were made for, of which the newest change does not say to what.
    unclear: BTreeSet<(String, String)>,
}

/// What the store keeps beside the settings themselves.
#[derive(Default, Serialize, Deserialize)]
struct Index {
    names: BTreeSet<String>,
    read_at: Option<Timestamp>,
}

/// What was last seen of a setting for one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    /// The value; null where what lies above holds.
    value: Value,
    /// When it was made so, or, of a policy, first seen so.
    at: Timestamp,
}

/// A change of the log as it stands in a snapshot.
#[derive(Serialize, Deserialize)]
pub(crate) struct Past {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<Box<str>>,
    value: Option<Box<str>>,
    at: Timestamp,
}

impl Past {
    /// As the log would tell it.
    pub(crate) fn change(self) -> (Key, Timestamp, Change) {
        let key = Key {
            name: self.name,
            unit: self.unit,
            group: self.group,
        };
        let change = self.value.map_or(Change::Inherited, Change::To);
        (key, self.at, change)
    }
}

/// Under which key the store keeps which settings there are; each has a key of its own below.
const INDEX: &str = "settings";

/// Settings of policies have another name than those of the log.
const OF_POLICY: &str = "policy ";

impl History {
    /// What the store keeps.
    ///
    /// # Errors
    /// The store could not answer.
    pub(crate) async fn load(state: &dyn ScanState) -> Result<Self> {
        let index = state.get(&[INDEX.to_owned()]).await?.remove(INDEX);
        let index: Index = index
            .and_then(|index| serde_json::from_value(index).ok())
            .unwrap_or_default();
        let keys: Vec<String> = index.names.iter().map(|name| key(name)).collect();
        if keys.is_empty() {
            return Ok(Self::default());
        }
        let mut kept = state.get(&keys).await?;
        let settings = index.names.into_iter().filter_map(|name| {
            let of_name = serde_json::from_value(kept.remove(&key(&name))?).ok()?;
            Some((name, of_name))
        });
        Ok(Self {
            settings: settings.collect(),
            read_at: index.read_at,
            unclear: BTreeSet::new(),
        })
    }

    /// The changes of the log among it, as a part of a snapshot; `None` where there is none, and where
    /// the log was not read for so long that it may have forgotten later ones.
    pub(crate) fn part(&self, now: Timestamp) -> Option<Value> {
        if self.has_gap(now) {
            return None;
        }
        let of_log = self
            .settings
            .iter()
            .filter(|(name, _)| !name.starts_with(OF_POLICY));
        let items: Vec<Past> = of_log
            .flat_map(|(name, of_name)| {
                of_name.iter().map(|(place, seen)| {
                    let after = |prefix: &str| place.strip_prefix(prefix).map(Box::from);
                    Past {
                        name: name.clone(),
                        unit: after(UNIT),
                        group: after(GROUP),
                        value: seen.value.as_str().map(Box::from),
                        at: seen.at,
                    }
                })
            })
            .collect();
        (!items.is_empty()).then(|| json!({ "items": items }))
    }

    /// Whether the log was not read for so long that later changes may be missed; also where it never was.
    fn has_gap(&self, now: Timestamp) -> bool {
        self.read_at
            .is_none_or(|at| now.duration_since(at) >= LOG_REACH)
    }

    /// What is seen now differs from what was last seen: what to remember from now on, and the drift.
    pub(crate) fn compare(&self, evaluation: &Evaluation<'_>) -> Noticed {
        let read = evaluation.reader(&[POLICIES, ADMIN_LOG, ORG_UNITS, GROUPS, HISTORY]);
        let mut now = Self::now(&read);
        self.add_removed(&mut now, read.now());
        // What the log told before a gap that it does not span is let go.
        let has_gap = now.read_at.is_some() && self.has_gap(read.now());
        let is_stale = |name: &str| has_gap && !name.starts_with(OF_POLICY);
        let mut noticed = Noticed::default();
        let gone = self.settings.keys().filter(|name| is_stale(name));
        let gone = gone.filter(|name| !now.settings.contains_key(*name));
        noticed.state.extend(gone.map(|name| (key(name), None)));
        for (name, of_name) in &now.settings {
            let before = self.settings.get(name);
            let mut kept = match before {
                Some(before) if !is_stale(name) => before.clone(),
                _ => BTreeMap::new(),
            };
            for (place, seen) in of_name {
                match before.and_then(|before| before.get(place)) {
                    Some(known) if known.value == seen.value || known.at > seen.at => {
                        kept.insert(place.clone(), known.clone());
                    }
                    known => {
                        let drift = known.and_then(|known| drift(name, place, known, seen));
                        noticed.observations.extend(drift);
                        kept.insert(place.clone(), seen.clone());
                    }
                }
            }
            // What is no longer known must not be told from what was before.
            kept.retain(|place, _| !now.unclear.contains(&(name.clone(), place.clone())));
            if before != Some(&kept) {
                noticed.state.insert(key(name), Some(json!(kept)));
            }
        }
        let kept = self.settings.keys().filter(|name| !is_stale(name));
        let index = Index {
            names: kept.chain(now.settings.keys()).cloned().collect(),
            read_at: now.read_at.or(self.read_at),
        };
        noticed.state.insert(INDEX.to_owned(), Some(json!(index)));
        noticed
    }

    /// What a snapshot shows. A part that cannot be read shows nothing.
    fn now(read: &Reader<'_>) -> Self {
        let mut now = Self::default();
        if let Ok(log) = read.view::<AdminLog>() {
            now.read_at = Some(read.now());
            for (key, at, change) in log.changes() {
                let place = match (&key.group, &key.unit) {
                    (Some(group), _) => format!("{GROUP}{group}"),
                    (None, Some(unit)) => format!("{UNIT}{unit}"),
                    (None, None) => EVERYBODY.to_owned(),
                };
                let value = match change {
                    Change::To(value) => Value::from(&**value),
                    Change::Inherited => Value::Null,
                    Change::Unsaid => {
                        now.settings.entry(key.name.clone()).or_default();
                        now.unclear.insert((key.name.clone(), place));
                        continue;
                    }
                };
                now.put(key.name.clone(), place, Seen { value, at });
            }
        }
        if let Ok(policies) = read.view::<Policies>() {
            for (name, target, values) in policies.0.all() {
                // Which of several holds nobody can say.
                if let [value] = values {
                    let seen = Seen {
                        value: value.clone(),
                        at: read.now(),
                    };
                    now.put(format!("{OF_POLICY}{name}"), target.id(), seen);
                }
            }
        }
        now
    }

    /// Policies that were there and are no longer: what lies above holds.
    fn add_removed(&self, now: &mut Self, at: Timestamp) {
        let is_policy = |name: &str| name.starts_with(OF_POLICY);
        if !now.settings.keys().any(|name| is_policy(name)) {
            return;
        }
        for (name, of_name) in self.settings.iter().filter(|(name, _)| is_policy(name)) {
            let seen = now.settings.entry(name.clone()).or_default();
            for place in of_name.keys() {
                let value = Value::Null;
                seen.entry(place.clone()).or_insert(Seen { value, at });
            }
        }
    }

    fn put(&mut self, name: String, place: String, seen: Seen) {
        self.settings.entry(name).or_default().insert(place, seen);
    }
}

const UNIT: &str = "unit ";
const GROUP: &str = "group ";
const EVERYBODY: &str = "everybody";

fn key(name: &str) -> String {
    format!("{INDEX}/{name}")
}

fn drift(name: &str, place: &str, before: &Seen, after: &Seen) -> Option<Observation> {
    let mut details = Attributes::new();
    let mut put = |name: &str, value: Value| details.insert(name.to_owned(), value);
    put("setting", name.into());
    put("before", before.value.clone());
    put("after", after.value.clone());
    put("changed_at", json!(after.at));
    let source = if name.starts_with(OF_POLICY) {
        POLICIES
    } else {
        ADMIN_LOG
    };
    put("evidence", source.into());
    Some(Observation {
        check: CheckId::new(DRIFT).ok()?,
        kind: FindingKind::Drift,
        subject: Subject::setting(KIND, format!("{source}/{name}/{place}")),
        discriminator: format!("{}@{}", digest(&after.value), after.at),
        cause: None,
        severity: Severity::Low,
        confidence: if source == POLICIES {
            Confidence::High
        } else {
            Confidence::Medium
        },
        title: DRIFT_TITLE.to_owned(),
        reasons: vec![format!("`{name}` was changed")],
        attribution: None,
        references: Vec::new(),
        details,
        from_event: true,
    })
}

/// A value in the name of a finding.
fn digest(value: &Value) -> String {
    protect_core::model::hash_fields("google.setting", &[&value.to_string()])
}
