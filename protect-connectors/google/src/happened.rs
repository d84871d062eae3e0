//! What happened, as the logs in a snapshot tell of it.

use std::collections::HashMap;

use protect_core::model::Signal;
use protect_core::posture::{Log, Logs, Read, Reader, Unread};

use crate::config::Options;
use crate::detections::{self, is_wanted};
use crate::signals::{Known, LOGIN_LOG, signals_of};
use crate::streams::Stream;
use crate::views::{Entries, User, Users, each_text};
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
                let text = entries.happened.iter().map(|text| &**text);
                signals(read, ADMIN_LOG, text)
            },
        },
    ],
    detections: || detections::all(&Options::default()),
};

const ACCOUNTS_LOG: &str = "activities/user_accounts";
const TOKEN_LOG: &str = "activities/token";

fn of_log(read: &Reader<'_>, path: &'static str) -> Read<Vec<Signal>> {
    let mut happened: Vec<Box<str>> = Vec::new();
    each_text(read, path, |text| {
        let activity: Activity = serde_json::from_str(text).ok()?;
        let mut events = activity.events.iter().flatten();
        if events.any(|event| is_wanted(event.name.as_deref().unwrap_or_default(), event)) {
            happened.push(text.into());
        }
        Some(())
    })?;
    signals(read, path, happened.iter().map(|text| &**text))
}

/// The events that matter, with whose accounts they are about where the snapshot knows.
fn signals<'t>(
    read: &Reader<'_>,
    path: &str,
    activities: impl Iterator<Item = &'t str>,
) -> Read<Vec<Signal>> {
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
    let mut signals = Vec::new();
    for text in activities {
        let activity: Activity = serde_json::from_str(text)
            .map_err(|_| Unread::malformed(path, "an activity has an unexpected form"))?;
        signals.extend(signals_of(&activity, is_wanted, known));
    }
    Ok(signals)
}
