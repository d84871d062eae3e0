//! Usage: how many people were watched in a month, counted while it lasts and told once to whoever
//! bills for it.
//!
//! Only where a connector of the tenant does `report_usage`. One record per month guards it: workers
//! lease it, and the action's id is made from tenant and month, so that restarts and several
//! processes never double it. The action itself goes the road of every other: planned, approved,
//! stored before it is attempted; in `dry_run` it stops at the plan.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::decide::{Wanted, routed};
use super::records::Versioned;
use super::{Engine, Tenant};
use crate::clock::later;
use crate::error::{ErrorKind, Result};
use crate::model::{
    Action, ActionId, ActionKind, ActionTarget, Actor, Attributes, ConnectorName, Intent, Mode,
    Month, OutcomeStatus, PersonId, Plan,
};
use crate::store::{Change, Claim, Claimed, Commit, Expect, Put, RecordKind};

/// How often the people who are watched are looked at.
const LOOK: Duration = Duration::from_hours(1);

/// How often a month that is not settled is looked after.
const LOOK_AFTER: Duration = Duration::from_hours(24);

/// How long after its end a month can be told: Stripe takes events up to 35 days old
/// (<https://docs.stripe.com/api/billing/meter-event/create>, `timestamp`), and a day is left for
/// the clocks.
const TELLABLE: Duration = Duration::from_hours(34 * 24);

/// How long a worker may take for one month of one tenant.
const LEASE: Duration = Duration::from_mins(5);

/// How many months are taken in hand at once.
const AT_ONCE: usize = 16;

/// A month of a tenant, by its name (`2026-11`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Usage {
    month: Month,
    /// How many people were watched; known when the month is over.
    users: Option<u64>,
    /// The action that tells it; another only after the one before failed or its approval lapsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    action: Option<ActionId>,
    /// How many actions came to nothing.
    #[serde(default)]
    tries: u32,
}

/// Where a month stands; only the first two are ever due.
mod state {
    pub(super) const COUNTING: &str = "counting";
    pub(super) const OVER: &str = "over";
    pub(super) const SETTLED: &str = "settled";
    pub(super) const LAPSED: &str = "lapsed";
}

impl Engine {
    /// Counts whom every tenant watches, and tells the months that are over.
    pub(super) async fn count_and_tell_usage(&self) -> Result<()> {
        loop {
            let claim = Claim {
                kind: RecordKind::Usage,
                states: vec![state::COUNTING.to_owned(), state::OVER.to_owned()],
                tenant: None,
                keys: Vec::new(),
                now: self.context().clock.now(),
                lease: LEASE,
                limit: AT_ONCE,
            };
            let claimed = self.store().claim(claim).await?;
            if claimed.is_empty() {
                return Ok(());
            }
            for claimed in claimed {
                match self.usage_in_hand(&claimed).await {
                    Ok(()) => {}
                    // Somebody else has it by now.
                    Err(error) if error.kind() == ErrorKind::Conflict => {}
                    Err(error) if error.kind() == ErrorKind::Store => return Err(error),
                    Err(error) => self.usage_later(&claimed, &error).await?,
                }
            }
        }
    }

    async fn usage_in_hand(&self, claimed: &Claimed) -> Result<()> {
        let usage: Usage = claimed.record.read()?;
        let fence = claimed.fence;
        if let Ok(tenant) = self.tenant(claimed.tenant.as_str()) {
            return tenant.work_on_usage(usage, fence).await;
        }
        // Another program's tenant, or one that is gone.
        let due = later(self.context().clock.now(), LOOK_AFTER);
        let put = usage.put(&claimed.record.state, Some(due), fence)?;
        let commit = Commit::default().put(put);
        self.store().commit(&claimed.tenant, commit).await.map(drop)
    }

    /// Looks again in an hour: a list of people could not be read, say.
    async fn usage_later(&self, claimed: &Claimed, error: &crate::error::Error) -> Result<()> {
        tracing::warn!(
            tenant = %claimed.tenant, month = %claimed.record.key, kind = %error.kind(),
            "the usage of a month could not be looked after; it is tried again"
        );
        let usage: Usage = claimed.record.read()?;
        let due = later(self.context().clock.now(), LOOK);
        let put = usage.put(&claimed.record.state, Some(due), claimed.fence)?;
        let commit = Commit::default().put(put);
        match self.store().commit(&claimed.tenant, commit).await {
            Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
            _ => Ok(()),
        }
    }
}

impl Tenant {
    /// Begins to count the present month, where somebody bills for it.
    pub(super) async fn review_usage(&self) -> Result<()> {
        if self.biller().is_none() {
            return Ok(());
        }
        let now = self.now();
        let usage = Usage {
            month: Month::of(now),
            users: None,
            action: None,
            tries: 0,
        };
        let key = usage.month.to_string();
        if self.read::<Usage>(RecordKind::Usage, &key).await?.is_some() {
            return Ok(());
        }
        let put = Put::new(RecordKind::Usage, key, &usage)?
            .state(state::COUNTING)
            .due(Some(now))
            .expect(Expect::Absent);
        match self
            .store()
            .commit(self.id(), Commit::default().put(put))
            .await
        {
            Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
            _ => Ok(()),
        }
    }

    /// The connector that bills.
    fn biller(&self) -> Option<ConnectorName> {
        let kind = ActionKind::ReportUsage;
        let route = routed(self.config(), self.connectors(), kind);
        route.first().map(|biller| biller.info().name.clone())
    }

    async fn work_on_usage(&self, mut usage: Usage, fence: u64) -> Result<()> {
        let now = self.now();
        let end = usage.month.end();
        if usage.users.is_none() {
            // After that, the list is one of another month.
            if now < later(end, LOOK) {
                self.count_people(usage.month).await?;
            }
            if now < end {
                let due = later(now, LOOK).min(end);
                return self
                    .keep(usage.put(state::COUNTING, Some(due), fence)?)
                    .await;
            }
            return self.close_month(usage, fence).await;
        }
        match self.outcome_of(usage.action.as_ref()).await? {
            Some(Told::Settled) => self.keep(usage.put(state::SETTLED, None, fence)?).await,
            Some(Told::Waits) => {
                let due = later(now, LOOK_AFTER);
                self.keep(usage.put(state::OVER, Some(due), fence)?).await
            }
            _ if now >= later(end, TELLABLE) => {
                let put = usage.put(state::LAPSED, None, fence)?;
                let entry = self.entry("usage.lapsed", &Actor::engine(), usage.facts());
                let commit = Commit::default().put(put).append(entry);
                self.store().commit(self.id(), commit).await.map(drop)
            }
            told => {
                if told == Some(Told::CameToNothing) {
                    usage.tries += 1;
                }
                self.tell(usage, fence).await
            }
        }
    }

    /// Adds those who are watched now to the people of the month.
    async fn count_people(&self, month: Month) -> Result<()> {
        let watched = self.watch_list().await?.addresses.into_iter();
        let watched = watched.map(|watched| {
            let own = || PersonId::of(self.id(), &watched.address);
            watched.person.clone().unwrap_or_else(own)
        });
        let key = people_key(month);
        let stored = self
            .read::<BTreeSet<PersonId>>(RecordKind::Usage, &key)
            .await?;
        let expect = stored.as_ref().map_or(Expect::Absent, Versioned::expect);
        let mut people = stored.map(|found| found.value).unwrap_or_default();
        let before = people.len();
        people.extend(watched);
        if people.len() == before && expect != Expect::Absent {
            return Ok(());
        }
        let put = Put::new(RecordKind::Usage, key, &people)?.expect(expect);
        self.keep(put).await
    }

    /// The month is over: the number stays, whose it was is forgotten.
    async fn close_month(&self, mut usage: Usage, fence: u64) -> Result<()> {
        let key = people_key(usage.month);
        let people = self
            .read::<BTreeSet<PersonId>>(RecordKind::Usage, &key)
            .await?;
        let count = people.map_or(0, |people| people.value.len());
        usage.users = Some(u64::try_from(count).unwrap_or(u64::MAX));
        let put = usage.put(state::OVER, Some(self.now()), fence)?;
        let entry = self.entry("usage.counted", &Actor::engine(), usage.facts());
        let mut commit = Commit::default().put(put).append(entry);
        commit.changes.push(Change::Delete {
            kind: RecordKind::Usage,
            key,
            expect: Expect::Anything,
        });
        self.store().commit(self.id(), commit).await.map(drop)
    }

    /// Plans the action that tells the month, and lets it go where nobody needs to consent.
    async fn tell(&self, mut usage: Usage, fence: u64) -> Result<()> {
        let due = later(self.now(), LOOK_AFTER);
        let Some(biller) = self.biller() else {
            return self.keep(usage.put(state::OVER, Some(due), fence)?).await;
        };
        let consent = self.standing_consent(&biller);
        let action = self.telling(&usage, biller);
        let id = action.id.clone();
        let wanted = Wanted {
            action: action.clone(),
            account: None,
            consent: consent
                .is_none()
                .then(|| "the connector asks for consent".to_owned()),
            refusal: None,
        };
        let plan: Plan = self.make_plan(vec![wanted], "usage").await?;
        if self.mode() == Mode::Enforce
            && let Some(enabled_by) = &consent
        {
            let until = later(usage.month.end(), TELLABLE);
            let by = (&Actor::engine(), Some(enabled_by.as_str()));
            self.consent(plan, by, vec![action], until).await?;
        }
        usage.action = Some(id);
        self.keep(usage.put(state::OVER, Some(due), fence)?).await
    }

    fn telling(&self, usage: &Usage, biller: ConnectorName) -> Action {
        let users = usage.users.unwrap_or_default();
        let month = usage.month.to_string();
        let tries = usage.tries.to_string();
        let mut parameters = Attributes::new();
        parameters.insert("month".to_owned(), json!(month));
        parameters.insert("users".to_owned(), json!(users));
        Action {
            id: ActionId::of(self.id(), &["report_usage", &month, &tries]),
            kind: ActionKind::ReportUsage,
            target: ActionTarget::Sink { connector: biller },
            reason: format!("{users} monitored users in {month}"),
            requested_by: Actor::engine(),
            incident: None,
            undoes: None,
            lasts: None,
            parameters,
        }
    }

    /// What came of the action so far; `None` where nobody approved it yet.
    async fn outcome_of(&self, action: Option<&ActionId>) -> Result<Option<Told>> {
        let Some(action) = action else {
            return Ok(None);
        };
        let intent = self
            .read::<Intent>(RecordKind::Intent, action.as_str())
            .await?;
        Ok(intent.map(|intent| {
            let outcome = intent.value.outcome.map(|outcome| outcome.status);
            match outcome {
                None | Some(OutcomeStatus::Unknown) => Told::Waits,
                Some(OutcomeStatus::Failed | OutcomeStatus::Expired) => Told::CameToNothing,
                Some(_) => Told::Settled,
            }
        }))
    }

    async fn keep(&self, put: Put) -> Result<()> {
        let commit = Commit::default().put(put);
        self.store().commit(self.id(), commit).await.map(drop)
    }
}

/// What came of telling a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It is under way, or nobody can say yet.
    Waits,
    /// Nothing was changed.
    CameToNothing,
    /// It was told, or somebody called it off.
    Settled,
}

impl Usage {
    fn put(&self, state: &str, due: Option<Timestamp>, fence: u64) -> Result<Put> {
        Ok(Put::new(RecordKind::Usage, self.month.to_string(), self)?
            .state(state)
            .due(due)
            .expect(Expect::FenceAndRelease(fence)))
    }

    fn facts(&self) -> Attributes {
        let mut facts = Attributes::new();
        facts.insert("month".to_owned(), json!(self.month));
        facts.insert("users".to_owned(), json!(self.users));
        facts
    }
}

fn people_key(month: Month) -> String {
    format!("{month}/people")
}

#[cfg(test)]
impl Tenant {
    /// How many people of a month are known so far, and where it stands.
    pub(crate) async fn usage_of(&self, month: &str) -> (String, Option<u64>) {
        let query = crate::store::Query::keys(RecordKind::Usage, vec![month.to_owned()]);
        let page = self.store().query(self.id(), query).await.unwrap();
        let record = &page.records[0];
        let usage: Usage = record.read().unwrap();
        (record.state.clone(), usage.users)
    }
}
