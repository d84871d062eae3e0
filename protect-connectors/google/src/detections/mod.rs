//! What turns signals into observations: one table of the events that matter, and pure functions.

mod alert;
mod burst;
mod event;
mod table;

use std::time::Duration;

pub(crate) use alert::{CHECK as OTHER_ALERT, TITLE as OTHER_ALERT_TITLE};
pub(crate) use burst::BURSTS;
use protect_core::connector::Detection;
use protect_core::model::{FindingKind, Severity, Signal};
use serde_json::Value;
pub(crate) use table::SPECS;

use crate::config::Options;
use crate::signals::{ACCOUNT_EVENT, ADMIN_EVENT, GRANT, LOGIN_FAILURE};
use crate::wire::Event;

/// How far back the longest of them looks.
const DAY: Duration = Duration::from_hours(24);

/// Events that are found each for itself: one row of the table.
pub(crate) struct Spec {
    pub(crate) check: &'static str,
    pub(crate) title: &'static str,
    /// The events that it is made of.
    pub(crate) events: &'static [&'static str],
    /// Which log tells of them.
    pub(crate) told_by: ToldBy,
    pub(crate) kind: FindingKind,
    pub(crate) severity: Severity,
    /// How bad it is for an administrator.
    pub(crate) of_admin: Severity,
    /// What else must be so.
    pub(crate) when: When,
    /// What it is about where the event names no account: a setting's path.
    pub(crate) about: &'static str,
}

/// Which of Google's logs tells of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ToldBy {
    /// `login`, and some once more `user_accounts`.
    Accounts,
    /// `admin`: what administrators did.
    Admin,
    /// `token`: what applications were given access to.
    Token,
}

impl ToldBy {
    /// The kind of the signals.
    pub(crate) const fn signal(self) -> &'static str {
        match self {
            Self::Accounts => ACCOUNT_EVENT,
            Self::Admin => ADMIN_EVENT,
            Self::Token => GRANT,
        }
    }
}

/// What must be so besides the event itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Always,
    /// Google holds the sign-in to be suspicious.
    Suspicious,
    /// Something suspicious happened to the account within the day before.
    AfterSuspicion,
    /// The application may reach mail, files, the vault or the administration.
    FarReaching,
}

/// Every detection, as the engine runs it, over what [`signals`](crate::signals()) makes.
pub(crate) fn all(options: &Options) -> Vec<Box<dyn Detection>> {
    let mut all = event::all();
    all.extend(burst::all(options));
    all.extend(alert::detection());
    all
}

/// The checks that a log feeds.
pub(crate) fn told_by(log: ToldBy) -> Vec<&'static str> {
    let specs = SPECS.iter().filter(|spec| spec.told_by == log);
    specs.map(|spec| spec.check).collect()
}

/// Every check that is found in the logs: its id, how bad it is, and one line for people.
pub(crate) fn checks() -> impl Iterator<Item = (&'static str, Severity, &'static str)> {
    let specs = SPECS.iter().map(|it| (it.check, it.severity, it.title));
    let bursts = BURSTS.iter().map(|it| (it.check, it.severity, it.title));
    specs.chain(bursts)
}

/// The row that looks at an event. Most events are as they should be, and are let go.
pub(crate) fn spec_of(name: &str, event: &Event) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| {
        spec.events.contains(&name)
            && match spec.when {
                When::Suspicious => event.text("is_suspicious").as_deref() == Some("true"),
                When::FarReaching => !event.far_reaching().is_empty(),
                When::Always | When::AfterSuspicion => true,
            }
    })
}

/// Whether an event is one of those that administrators cause and that matter.
pub(crate) fn is_of_admin(name: &str) -> bool {
    let mut specs = SPECS.iter().filter(|spec| spec.told_by == ToldBy::Admin);
    specs.any(|spec| spec.events.contains(&name))
}

/// Whether anything looks at an event, alone or with others.
pub(crate) fn is_wanted(name: &str, event: &Event) -> bool {
    name == LOGIN_FAILURE || spec_of(name, event).is_some()
}

/// A fact of a signal, where the event had it.
fn fact<'s>(signal: &'s Signal, name: &str) -> Option<&'s str> {
    signal.attributes.get(name).and_then(Value::as_str)
}

/// Whether it happened to an administrator.
fn is_about_admin(signal: &Signal) -> bool {
    signal.attributes.get("admin") == Some(&Value::Bool(true))
}

/// What a finding shows of a signal: its facts, and when it was.
fn details(signal: &Signal) -> protect_core::model::Attributes {
    let mut details = signal.attributes.clone();
    details.insert("at".to_owned(), signal.at.to_string().into());
    details
}
