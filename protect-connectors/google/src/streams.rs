//! What happened, apart from the settings: the logs of sign-ins and of accounts, and the Alert Center.
//! One page of one of them at a time, each with its own place.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use protect_core::connector::OpContext;
use protect_core::model::{NotEvaluatedReason, RejectedItem, Signal};
use protect_core::{ErrorKind, Result};
use serde::{Deserialize, Serialize};

use crate::api::{PageOf, Workspace};
use crate::collect::LOG_REACH;
use crate::detections::{BURSTS, OTHER_ALERT, ToldBy, is_wanted, told_by};
use crate::endpoints::LogQuery;
use crate::model::Alert;
use crate::scope::Scope;
use crate::signals::{Known, address_of, signal_of, signals_of, victim};
use crate::wire::Activity;

/// What is read after the settings, in this order: what is acted on first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stream {
    /// Sign-ins, and accounts that Google stopped.
    Login,
    /// The same changes of accounts once more, in another log that may have them later.
    UserAccounts,
    /// What applications were given access to.
    Token,
    /// What administrators did.
    Admin,
    Alerts,
}

impl Stream {
    pub(crate) const ALL: [Self; 5] = [
        Self::Login,
        Self::UserAccounts,
        Self::Token,
        Self::Admin,
        Self::Alerts,
    ];

    /// The name under which its place is kept; of a log also Google's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::UserAccounts => "user_accounts",
            Self::Token => "token",
            Self::Admin => "admin",
            Self::Alerts => "alerts",
        }
    }

    /// What opens it.
    pub(crate) const fn scope(self) -> Scope {
        match self {
            Self::Alerts => Scope::Alerts,
            _ => Scope::Logs,
        }
    }

    /// The checks that it feeds.
    pub(crate) fn checks(self) -> Vec<&'static str> {
        match self {
            Self::Login => {
                let mut checks = told_by(ToldBy::Accounts);
                checks.extend(BURSTS.iter().map(|burst| burst.check));
                checks
            }
            Self::UserAccounts => told_by(ToldBy::Accounts),
            Self::Token => told_by(ToldBy::Token),
            Self::Admin => told_by(ToldBy::Admin),
            Self::Alerts => vec![OTHER_ALERT],
        }
    }

    /// How far before its newest event each poll begins again, since events come late: minutes as a
    /// rule, tens of minutes for changes of accounts, hours for grants
    /// (<https://support.google.com/a/answer/7061566>).
    const fn overlap(self) -> SignedDuration {
        match self {
            Self::Login | Self::Admin => SignedDuration::from_hours(2),
            Self::UserAccounts | Self::Token | Self::Alerts => SignedDuration::from_hours(6),
        }
    }
}

/// Where a stream stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The latest event of the polls before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Timestamp>,
    /// What the next page is asked for with, while there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Next>,
    /// The latest event that was seen in this poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest: Option<Timestamp>,
    /// Since when it is known that it cannot be read, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) closed: Option<(Timestamp, NotEvaluatedReason)>,
}

/// The next page of a poll.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Next {
    /// From when on the poll reads: Google's pages belong to their first question.
    from: Timestamp,
    token: String,
}

impl Place {
    /// Notes a page. Whether the stream is read to its end.
    pub(crate) fn note(&mut self, batch: &Batch) -> bool {
        self.latest = self.latest.max(batch.latest);
        self.next.clone_from(&batch.next);
        if self.next.is_some() {
            return false;
        }
        self.since = self.latest.max(self.since);
        self.latest = None;
        true
    }
}

/// A page of a stream.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) signals: Vec<Signal>,
    pub(crate) rejected: Vec<RejectedItem>,
    latest: Option<Timestamp>,
    next: Option<Next>,
}

/// Reads a page: the one that the place leads to, or else the first from its time on. The very first poll
/// begins at `earliest`; a later one where the one before ended, however long ago, as far as Google's logs
/// reach.
pub(crate) async fn read(
    workspace: &Workspace,
    cx: &OpContext,
    stream: Stream,
    place: &Place,
    earliest: Timestamp,
) -> Result<Batch> {
    let reach = workspace.context().clock.now().checked_sub(LOG_REACH);
    let reach = reach.unwrap_or(Timestamp::UNIX_EPOCH);
    let again = |since: Timestamp| since.checked_sub(stream.overlap()).unwrap_or(since);
    let from = match (&place.next, place.since) {
        (Some(next), _) => next.from,
        (None, since) => since.map_or(earliest, again).max(reach),
    };
    let token = place.next.as_ref().map(|next| next.token.as_str());
    let (mut batch, next) = match stream {
        Stream::Login | Stream::UserAccounts | Stream::Token | Stream::Admin => {
            let query = LogQuery {
                application: stream.name(),
                from,
                user: None,
                event: None,
            };
            let page = workspace.activities(cx, query, token).await?;
            let next = page.next.clone();
            (events(workspace, cx, page).await?, next)
        }
        Stream::Alerts => {
            let page = workspace.alerts(cx, from, token).await?;
            let mut batch = alerts(workspace, cx, &page.items).await?;
            batch.rejected = page.rejected;
            (batch, page.next_page_token)
        }
    };
    batch.next = next.map(|token| Next { from, token });
    batch
        .signals
        .sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    batch.signals.dedup_by(|one, other| one.id == other.id);
    Ok(batch)
}

/// The events of a page that a detection looks at, with whose accounts they are about.
async fn events(workspace: &Workspace, cx: &OpContext, page: PageOf) -> Result<Batch> {
    let mut batch = Batch::default();
    let mut activities: Vec<Activity> = Vec::with_capacity(page.items.len());
    for (index, item) in page.items.into_iter().enumerate() {
        match serde_json::from_value(item) {
            Ok(activity) => activities.push(activity),
            Err(_) => batch.rejected.push(RejectedItem {
                place: format!("items[{index}]"),
                reason: "the activity has an unexpected form".to_owned(),
            }),
        }
    }
    batch.latest = activities.iter().map(|activity| activity.id.time).max();
    let mut people = People::default();
    for activity in &activities {
        for event in activity.events.iter().flatten() {
            let name = event.name.as_deref().unwrap_or_default();
            if is_wanted(name, event) {
                people.ask(workspace, cx, victim(activity, event)).await?;
            }
        }
    }
    for activity in &activities {
        let signals = signals_of(activity, is_wanted, |address| people.known(address));
        batch.signals.extend(signals);
    }
    Ok(batch)
}

/// How long an alert waits for the logs, which lag by minutes.
const AFTER_THE_LOGS: SignedDuration = SignedDuration::from_mins(10);

async fn alerts(workspace: &Workspace, cx: &OpContext, alerts: &[Alert]) -> Result<Batch> {
    let mut people = People::default();
    for alert in alerts {
        people.ask(workspace, cx, address_of(alert)).await?;
    }
    // The logs tell of the same, and more of it: what is fresher waits for them.
    let now = workspace.context().clock.now();
    let settled = now.checked_sub(AFTER_THE_LOGS).unwrap_or(now);
    let is_settled = |alert: &&Alert| alert.create_time.is_none_or(|at| at <= settled);
    let alerts = alerts.iter().filter(is_settled);
    let signals = alerts
        .clone()
        .filter_map(|alert| signal_of(alert, |address| people.known(address)));
    Ok(Batch {
        signals: signals.collect(),
        latest: alerts.filter_map(|alert| alert.create_time).max(),
        ..Batch::default()
    })
}

/// Whose accounts addresses are. An event names an address, and a finding is about an account, so that
/// every log that tells of it tells of the same.
#[derive(Default)]
struct People(BTreeMap<String, Known>);

impl People {
    async fn ask(
        &mut self,
        workspace: &Workspace,
        cx: &OpContext,
        address: Option<String>,
    ) -> Result<()> {
        let Some(address) = address else {
            return Ok(());
        };
        if self.0.contains_key(&address) || !may_be_asked(&address) {
            return Ok(());
        }
        let known = match workspace.user_by_address(cx, &address).await {
            Ok(Some(user)) => Known {
                admin: user.is_admin == Some(true) || user.is_delegated_admin == Some(true),
                id: Some(user.id),
            },
            Ok(None) => Known::default(),
            // Where accounts may not be read, or the name is none, the address stands for it.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::InvalidInput
                ) =>
            {
                Known::default()
            }
            Err(error) => return Err(error),
        };
        self.0.insert(address, known);
        Ok(())
    }

    fn known(&self, address: &str) -> Known {
        self.0.get(address).cloned().unwrap_or_default()
    }
}

/// Whether it can be an address at all.
fn may_be_asked(address: &str) -> bool {
    address.len() <= 254 && address.contains('@') && !address.contains(char::is_whitespace)
}
