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
use crate::views::{AdminLog, Change, Key, Policies};
use crate::workspace::{ADMIN_LOG, GROUPS, HISTORY, ORG_UNITS, POLICIES};

/// The check whose findings are changes of settings.
pub(crate) const DRIFT: &str = "google.drift.setting_changed";

/// One line for people.
pub(crate) const DRIFT_TITLE: &str = "A setting is no longer what it was";

/// What was last seen: by setting, and by what it was made for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History(BTreeMap<String, BTreeMap<String, Seen>>);

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
        let names: BTreeSet<String> = index
            .and_then(|index| serde_json::from_value(index).ok())
            .unwrap_or_default();
        let keys: Vec<String> = names.iter().map(|name| key(name)).collect();
        if keys.is_empty() {
            return Ok(Self::default());
        }
        let mut kept = state.get(&keys).await?;
        let settings = names.into_iter().filter_map(|name| {
            let of_name = serde_json::from_value(kept.remove(&key(&name))?).ok()?;
            Some((name, of_name))
        });
        Ok(Self(settings.collect()))
    }

    /// The changes of the log among it, as a part of a snapshot; `None` where there is none.
    pub(crate) fn part(&self) -> Option<Value> {
        let of_log = self
            .0
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

    /// What is seen now differs from what was last seen: what to remember from now on, and the drift.
    pub(crate) fn compare(&self, evaluation: &Evaluation<'_>) -> Noticed {
        let read = evaluation.reader(&[POLICIES, ADMIN_LOG, ORG_UNITS, GROUPS, HISTORY]);
        let mut now = Self::now(&read);
        self.add_removed(&mut now, read.now());
        let mut noticed = Noticed::default();
        for (name, of_name) in &now.0 {
            let mut kept = self.0.get(name).cloned().unwrap_or_default();
            for (place, seen) in of_name {
                let known = kept.get(place);
                if known.is_some_and(|known| known.value == seen.value || known.at > seen.at) {
                    continue;
                }
                if let Some(known) = known {
                    noticed.observations.extend(drift(name, place, known, seen));
                }
                kept.insert(place.clone(), seen.clone());
            }
            if self.0.get(name) != Some(&kept) {
                noticed.state.insert(key(name), Some(json!(kept)));
            }
        }
        let all: BTreeSet<&String> = self.0.keys().chain(now.0.keys()).collect();
        if all.len() > self.0.len() {
            noticed.state.insert(INDEX.to_owned(), Some(json!(all)));
        }
        noticed
    }

    /// What a snapshot shows. A part that cannot be read shows nothing.
    fn now(read: &Reader<'_>) -> Self {
        let mut now = Self::default();
        if let Ok(log) = read.view::<AdminLog>() {
            for (key, at, change) in log.changes() {
                let value = match change {
                    Change::To(value) => Value::from(&**value),
                    Change::Inherited => Value::Null,
                    Change::Unsaid => continue,
                };
                let place = match (&key.group, &key.unit) {
                    (Some(group), _) => format!("{GROUP}{group}"),
                    (None, Some(unit)) => format!("{UNIT}{unit}"),
                    (None, None) => EVERYBODY.to_owned(),
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
        if !now.0.keys().any(|name| is_policy(name)) {
            return;
        }
        for (name, of_name) in self.0.iter().filter(|(name, _)| is_policy(name)) {
            let seen = now.0.entry(name.clone()).or_default();
            for place in of_name.keys() {
                let value = Value::Null;
                seen.entry(place.clone()).or_insert(Seen { value, at });
            }
        }
    }

    fn put(&mut self, name: String, place: String, seen: Seen) {
        self.0.entry(name).or_default().insert(place, seen);
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
