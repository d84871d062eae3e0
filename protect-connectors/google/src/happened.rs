//! What happened, as the logs in a snapshot tell of it.

use std::collections::HashMap;

use protect_core::model::Signal;
use protect_core::posture::{Log, Logs, Read, Reader};

use crate::config::Options;
use crate::detections::{self, is_wanted};
use crate::signals::{Known, LOGIN_LOG, signals_of};
use crate::streams::Stream;
use crate::views::{Entries, User, Users, each};
use crate::wire::Activity;
use crate::workspace::{ADMIN_LOG, USERS};

/// The logs that a snapshot may hold.
pub(crate) static LOGS: Logs = Logs {
    logs: &[
        Log {
            path: LOGIN_LOG,
            beside: &[USERS],
            checks: || Stream::Login.checks(),
            signals: |read| of_log(read, LOGIN_LOG),
        },
        Log {
            path: ACCOUNTS_LOG,
            beside: &[USERS],
            checks: || Stream::UserAccounts.checks(),
            signals: |read| of_log(read, ACCOUNTS_LOG),
        },
        Log {
            path: TOKEN_LOG,
            beside: &[USERS],
            checks: || Stream::Token.checks(),
            signals: |read| of_log(read, TOKEN_LOG),
        },
        Log {
            path: ADMIN_LOG,
            beside: &[USERS],
            checks: || Stream::Admin.checks(),
            signals: |read| {
                let entries = read.view::<Entries>()?;
                signals(read, &entries.happened)
            },
        },
    ],
    detections: || detections::all(&Options::default()),
};

const ACCOUNTS_LOG: &str = "activities/user_accounts";
const TOKEN_LOG: &str = "activities/token";

fn of_log(read: &Reader<'_>, path: &'static str) -> Read<Vec<Signal>> {
    let mut activities = Vec::new();
    each(read, path, |activity: Activity| {
        let mut events = activity.events.iter().flatten();
        let name = |event: &crate::wire::Event| event.name.clone().unwrap_or_default();
        if events.any(|event| is_wanted(&name(event), event)) {
            activities.push(activity);
        }
    })?;
    signals(read, &activities)
}

/// The events that matter, with whose accounts they are about where the snapshot knows.
fn signals(read: &Reader<'_>, activities: &[Activity]) -> Read<Vec<Signal>> {
    let users = if read.has(USERS)? {
        read.view::<Users>().ok()
    } else {
        None
    };
    let all = users.iter().flat_map(|users| users.all());
    let by_address: HashMap<&str, &User> = all.map(|user| (&*user.email, user)).collect();
    let known = |address: &str| {
        let user = by_address.get(address);
        Known {
            id: user.map(|user| user.id.to_string()),
            admin: user.is_some_and(|user| user.admin() == Some(true)),
        }
    };
    let signals = activities
        .iter()
        .flat_map(|activity| signals_of(activity, is_wanted, known));
    Ok(signals.collect())
}
