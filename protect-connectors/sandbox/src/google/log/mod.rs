//! The logs behind the Reports API: events made up from their number, so that a million take no
//! memory, and events that were added since.

mod admin;
mod filter;
mod people;
mod template;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use filter::{Condition, Filter};
pub(crate) use template::{Template, boolean, many, moment, text};

use super::{
    page::Cut,
    units::Units,
    users::{Users, millis},
};
use crate::rng::Rng;

/// How far back the logs reach (support.google.com/a/answer/7061566: six months).
pub(crate) const RETENTION: SignedDuration = SignedDuration::from_hours(180 * 24);
/// Events at the beginning are spread over so many days, and end so many minutes before it.
const SPAN: SignedDuration = SignedDuration::from_hours(170 * 24);
const QUIET: SignedDuration = SignedDuration::from_mins(45);

/// Every application that the API has a log of.
const APPLICATIONS: [&str; 42] = [
    "access_transparency",
    "admin",
    "calendar",
    "chat",
    "drive",
    "gcp",
    "gmail",
    "gplus",
    "groups",
    "groups_enterprise",
    "jamboard",
    "login",
    "meet",
    "mobile",
    "rules",
    "saml",
    "token",
    "user_accounts",
    "context_aware_access",
    "chrome",
    "data_studio",
    "keep",
    "vault",
    "gemini_in_workspace_apps",
    "classroom",
    "assignments",
    "cloud_search",
    "tasks",
    "data_migration",
    "meet_hardware",
    "directory_sync",
    "ldap",
    "profile",
    "access_evaluation",
    "admin_data_action",
    "contacts",
    "takeout",
    "graduation",
    "voice",
    "chrome_sync",
    "workspace_studio",
    "gemini_notebook",
];

/// Where an activity stands in its log: time in milliseconds, then what tells activities of one
/// moment apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) at: i64,
    pub(crate) qualifier: i64,
}

pub(crate) struct Logs {
    seed: u64,
    begins: Timestamp,
    /// How many events each log was made up with.
    sizes: BTreeMap<&'static str, usize>,
    added: BTreeMap<&'static str, Vec<Added>>,
    rng: Rng,
    pub(crate) version: usize,
}

/// An activity that was added; its body has no `id`.
#[derive(Debug, Clone)]
struct Added {
    key: Key,
    body: Value,
}

/// Who and where the events of a log are about.
pub(crate) struct Place<'a> {
    pub(crate) users: &'a Users,
    pub(crate) units: &'a Units,
}

/// An activity, not yet printed.
struct Sketch<'a> {
    key: Key,
    template: Option<&'static Template>,
    actor: usize,
    added: Option<&'a Value>,
    rng: Rng,
}

impl Logs {
    pub(crate) fn new(users: &Users, admin_events: usize) -> Self {
        let people = users.len();
        let sizes = [
            ("admin", admin_events),
            ("login", (people * 4).min(400_000)),
            ("token", (people / 2).min(50_000)),
            ("user_accounts", (people / 8).min(20_000)),
        ];
        Self {
            seed: users.seed(),
            begins: users.begins(),
            sizes: sizes.into(),
            added: BTreeMap::new(),
            rng: Rng::new(users.seed(), "google log"),
            version: 0,
        }
    }

    /// The name as the API has it, or `None` for another.
    pub(crate) fn application(name: &str) -> Option<&'static str> {
        APPLICATIONS.into_iter().find(|it| *it == name)
    }

    /// How late events of this application come (support.google.com/a/answer/7061566).
    pub(crate) fn lag(application: &str) -> SignedDuration {
        match application {
            "admin" | "login" | "token" | "saml" => SignedDuration::from_mins(2),
            "calendar" => SignedDuration::from_mins(120),
            _ => SignedDuration::from_mins(30),
        }
    }

    pub(crate) fn len(&self, application: &str) -> usize {
        self.size(application) + self.added.get(application).map_or(0, Vec::len)
    }

    /// Adds an activity without its `id`, and says what tells it apart.
    pub(crate) fn add(&mut self, application: &'static str, at: Timestamp, body: Value) -> i64 {
        let qualifier = self.rng.next().cast_signed();
        let key = Key {
            at: at.as_millisecond(),
            qualifier,
        };
        let log = self.added.entry(application).or_default();
        let place = log.partition_point(|it| it.key < key);
        log.insert(place, Added { key, body });
        self.version += 1;
        qualifier
    }

    /// The page of what fits, newest first, from below `from` on.
    pub(crate) fn page(
        &self,
        application: &'static str,
        filter: &Filter,
        from: Option<Key>,
        size: usize,
        place: &Place<'_>,
    ) -> Cut<Key> {
        let upper = from.unwrap_or(Key {
            at: filter.until,
            qualifier: i64::MAX,
        });
        let mut rows = Vec::new();
        let mut last = upper;
        for sketch in self.below(application, upper) {
            if sketch.key.at < filter.since {
                break;
            }
            let Some(row) = sketch.matching(application, filter, place) else {
                continue;
            };
            if rows.len() == size {
                return Cut {
                    rows,
                    next: Some(last),
                };
            }
            last = sketch.key;
            rows.push(row);
        }
        Cut { rows, next: None }
    }

    /// Every activity below this place, newest first.
    fn below<'s>(
        &'s self,
        application: &'static str,
        upper: Key,
    ) -> impl Iterator<Item = Sketch<'s>> + 's {
        let added = self.added.get(application).map_or(&[][..], Vec::as_slice);
        let mut newest_added = added.partition_point(|it| it.key < upper);
        let mut newest_made = self.made_below(application, upper);
        std::iter::from_fn(move || {
            let added = newest_added.checked_sub(1).map(|it| &added[it]);
            let made = newest_made
                .checked_sub(1)
                .map(|number| self.sketch(application, number));
            if added.map(|it| it.key) > made.as_ref().map(|it| it.key) {
                newest_added -= 1;
                return added.map(Added::sketch);
            }
            newest_made = newest_made.saturating_sub(1);
            made
        })
    }

    /// How many of the activities that are made up lie below this place.
    fn made_below(&self, application: &'static str, upper: Key) -> usize {
        let (mut low, mut high) = (0, self.size(application));
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.sketch(application, middle).key < upper {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn size(&self, application: &str) -> usize {
        self.sizes.get(application).copied().unwrap_or(0)
    }

    /// The activity of this number; later numbers have later times.
    fn sketch(&self, application: &'static str, number: usize) -> Sketch<'_> {
        let mut rng = Rng::nth(self.seed, application, number);
        let count = i64::try_from(self.size(application)).unwrap_or(i64::MAX);
        let span = i64::try_from(SPAN.as_millis()).unwrap_or(i64::MAX);
        let step = (span / count.max(1)).max(1);
        let within = rng.below(usize::try_from(step).unwrap_or(1));
        let first =
            self.begins.as_millisecond() - i64::try_from(QUIET.as_millis()).unwrap_or(0) - span;
        let at =
            first + i64::try_from(number).unwrap_or(0) * step + i64::try_from(within).unwrap_or(0);
        let templates = templates(application);
        let total: usize = templates.iter().map(|it| it.weight).sum();
        let mut drawn = rng.below(total);
        let template = templates.iter().find(|it| {
            let found = drawn < it.weight;
            drawn = drawn.saturating_sub(it.weight);
            found
        });
        Sketch {
            key: Key {
                at,
                qualifier: rng.next().cast_signed(),
            },
            template,
            actor: rng.below(usize::MAX),
            added: None,
            rng,
        }
    }
}

impl Added {
    fn sketch(&self) -> Sketch<'_> {
        Sketch {
            key: self.key,
            template: None,
            actor: 0,
            added: Some(&self.body),
            rng: Rng::new(0, "added"),
        }
    }
}

impl Sketch<'_> {
    /// The activity as it is printed, where it fits.
    fn matching(
        &self,
        application: &'static str,
        filter: &Filter,
        place: &Place<'_>,
    ) -> Option<Value> {
        // Most of a million events are ruled out before they are printed.
        if let (Some(template), Some(name)) = (self.template, &filter.event) {
            (template.name == name).then_some(())?;
        }
        let mut row = self.body(application, place);
        filter.fits(&row).then_some(())?;
        row["kind"] = Value::from("admin#reports#activity");
        row["etag"] = Value::from(format!("\"{:016x}\"", self.key.qualifier));
        let at = Timestamp::from_millisecond(self.key.at).unwrap_or_default();
        row["id"] = json!({
            "time": millis(at),
            "uniqueQualifier": self.key.qualifier.to_string(),
            "applicationName": application,
            "customerId": place.users.customer,
        });
        Some(row)
    }

    fn body(&self, application: &'static str, place: &Place<'_>) -> Value {
        if let Some(added) = self.added {
            return added.clone();
        }
        let Some(template) = self.template else {
            return json!({});
        };
        let actor = match application {
            "admin" => admin::actor(self.actor, place.users),
            _ => somebody(self.actor, place.users),
        };
        template.activity(actor, self.key.at, place, &mut self.rng.clone())
    }
}

/// Who acts: one of those who could sign in, mostly.
fn somebody(drawn: usize, users: &Users) -> usize {
    let count = users.len().max(1);
    let first = drawn % count;
    let mut near = (first..first + 8).map(|it| it % count);
    near.find(|it| users.was_used(*it)).unwrap_or(first)
}

fn templates(application: &str) -> &'static [Template] {
    match application {
        "admin" => admin::TEMPLATES,
        "login" => people::LOGIN,
        "token" => people::TOKEN,
        "user_accounts" => people::ACCOUNTS,
        _ => &[],
    }
}
