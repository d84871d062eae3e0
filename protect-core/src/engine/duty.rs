//! Duties beside the scans: what is due every so often without anything having been found.
//!
//! One record for each duty of a tenant, due like a schedule, leased by workers; a duty that fails is
//! done an hour later. What a duty sends is an action like every other, so that a repeat after a crash
//! doubles nothing.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::decide::routed;
use super::{Engine, Tenant};
use crate::clock::later;
use crate::error::{ErrorKind, Result};
use crate::model::{ActionKind, ConnectorName, Mode, Plan};
use crate::store::{Change, Claim, Claimed, Commit, Expect, Put, RecordKind};

/// How often evidence is looked through.
const EVIDENCE_EVERY: Duration = Duration::from_hours(24);

/// How often the clients' view is looked at where the publisher does not say.
#[cfg(feature = "report")]
const VIEW_EVERY: Duration = Duration::from_hours(1);

/// How often incidents are compared with those at receivers, and open tickets looked up.
const INCIDENTS_EVERY: Duration = Duration::from_hours(1);

/// How often policies are asked for.
#[cfg(feature = "people")]
const POLICIES_EVERY: Duration = Duration::from_hours(1);

/// When a duty that failed is done again.
const AGAIN: Duration = Duration::from_hours(1);

/// How long a worker may take for one duty.
const LEASE: Duration = Duration::from_mins(5);

/// How many duties are taken in hand at once.
const AT_ONCE: usize = 16;

/// Something that is due every so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Duty {
    /// Hand evidence in that changed.
    Evidence,
    /// Compare incidents with those at receivers, and look open tickets up.
    Incidents,
    /// Publish what clients may see, where it changed.
    #[cfg(feature = "report")]
    View,
    /// Make the report of the month that has ended.
    #[cfg(feature = "report")]
    Report,
    /// Ask for policies.
    #[cfg(feature = "people")]
    Policies,
}

impl Duty {
    const ALL: &'static [Self] = &[
        Self::Evidence,
        Self::Incidents,
        #[cfg(feature = "report")]
        Self::View,
        #[cfg(feature = "report")]
        Self::Report,
        #[cfg(feature = "people")]
        Self::Policies,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Incidents => "incidents",
            #[cfg(feature = "report")]
            Self::View => "view",
            #[cfg(feature = "report")]
            Self::Report => "report",
            #[cfg(feature = "people")]
            Self::Policies => "policies",
        }
    }

    fn put(self, due: Timestamp, expect: Expect) -> Result<Put> {
        Ok(Put::new(RecordKind::Duty, self.as_str(), &self)?
            .due(Some(due))
            .expect(expect))
    }
}

impl Engine {
    /// Does the duties that are due, of every tenant.
    pub(super) async fn do_duties(&self) -> Result<()> {
        loop {
            let claim = Claim {
                kind: RecordKind::Duty,
                states: Vec::new(),
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
                self.duty_in_hand(claimed).await?;
            }
        }
    }

    async fn duty_in_hand(&self, claimed: Claimed) -> Result<()> {
        let expect = Expect::FenceAndRelease(claimed.fence);
        let tenant = self.tenant(claimed.tenant.as_str()).ok();
        // One that this program does not know, of a tenant that it does: a newer program's.
        let duty = claimed.record.read::<Duty>().ok();
        let change = match (tenant, duty) {
            (Some(tenant), Some(duty)) if tenant.has_duty(duty) => {
                let next = match tenant.do_duty(duty).await {
                    Ok(()) => tenant.next_time(duty),
                    Err(error) if error.kind() == ErrorKind::Store => return Err(error),
                    Err(error) => {
                        tracing::warn!(
                            tenant = %claimed.tenant, duty = duty.as_str(), kind = %error.kind(),
                            "a duty could not be done; it is done again later"
                        );
                        later(tenant.now(), AGAIN)
                    }
                };
                Change::Put(duty.put(next, expect)?)
            }
            (Some(_), Some(_)) => Change::Delete {
                kind: RecordKind::Duty,
                key: claimed.record.key,
                expect,
            },
            _ => {
                let due = later(self.context().clock.now(), EVIDENCE_EVERY);
                let body: serde_json::Value = claimed.record.read()?;
                let put = Put::new(RecordKind::Duty, claimed.record.key, &body)?;
                Change::Put(put.due(Some(due)).expect(expect))
            }
        };
        let commit = Commit {
            changes: vec![change],
            entries: Vec::new(),
        };
        match self.store().commit(&claimed.tenant, commit).await {
            Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
            _ => Ok(()),
        }
    }
}

impl Tenant {
    /// Gives every duty that the tenant has a time; a new one is due at once.
    pub(super) async fn review_duties(&self) -> Result<()> {
        for duty in Duty::ALL.iter().filter(|duty| self.has_duty(**duty)) {
            let known = self.read::<Duty>(RecordKind::Duty, duty.as_str()).await?;
            if known.is_some() {
                continue;
            }
            let put = duty.put(self.now(), Expect::Absent)?;
            match self
                .store()
                .commit(self.id(), Commit::default().put(put))
                .await
            {
                Err(error) if error.kind() != ErrorKind::Conflict => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn has_duty(&self, duty: Duty) -> bool {
        match duty {
            Duty::Evidence => self.collects_evidence().is_some(),
            Duty::Incidents => {
                let opened = [ActionKind::OpenSecurityIncident, ActionKind::OpenTicket];
                opened.into_iter().any(|kind| self.receiver(kind).is_some())
            }
            #[cfg(feature = "report")]
            Duty::View => self.receiver(ActionKind::PublishView).is_some(),
            #[cfg(feature = "report")]
            Duty::Report => true,
            #[cfg(feature = "people")]
            Duty::Policies => self.has_publisher(),
        }
    }

    async fn do_duty(&self, duty: Duty) -> Result<()> {
        match duty {
            Duty::Evidence => match self.collects_evidence() {
                Some(receiver) => self.let_go(self.plan_evidence().await?, &receiver).await,
                None => Ok(()),
            },
            Duty::Incidents => self.follow_incidents().await,
            #[cfg(feature = "report")]
            Duty::View => match self.plan_view().await? {
                Some((plan, receiver)) => self.let_go(plan, &receiver).await,
                None => Ok(()),
            },
            #[cfg(feature = "report")]
            Duty::Report => self.report_last_month().await,
            #[cfg(feature = "people")]
            Duty::Policies => self.sync_policies_by_itself().await,
        }
    }

    fn next_time(&self, duty: Duty) -> Timestamp {
        let now = self.now();
        match duty {
            Duty::Evidence => later(now, EVIDENCE_EVERY),
            Duty::Incidents => later(now, INCIDENTS_EVERY),
            #[cfg(feature = "report")]
            Duty::View => {
                let receiver = self.receiver(ActionKind::PublishView);
                let settings = receiver.and_then(|name| self.config().connectors.get(&name));
                let every = settings.and_then(|it| it.settings.get("publish_every")?.as_u64());
                later(now, every.map_or(VIEW_EVERY, Duration::from_secs))
            }
            #[cfg(feature = "report")]
            Duty::Report => crate::model::Month::of(now).end(),
            #[cfg(feature = "people")]
            Duty::Policies => later(now, POLICIES_EVERY),
        }
    }

    /// The connector that takes evidence, where it is told to collect it by itself.
    fn collects_evidence(&self) -> Option<ConnectorName> {
        let receiver = self.receiver(ActionKind::SubmitEvidence)?;
        let settings = &self.config().connectors.get(&receiver)?.settings;
        let collects = settings.get("auto_collection")?.as_bool()?;
        collects.then_some(receiver)
    }

    /// The connector that an action goes to.
    pub(super) fn receiver(&self, kind: ActionKind) -> Option<ConnectorName> {
        let route = routed(self.config(), self.connectors(), kind);
        route.first().map(|receiver| receiver.info().name.clone())
    }

    /// Consents to a plan where somebody decided that this connector needs nobody's consent; otherwise
    /// it waits for a person.
    async fn let_go(&self, plan: Plan, receiver: &ConnectorName) -> Result<()> {
        if plan.actions.is_empty() || self.mode() != Mode::Enforce {
            return Ok(());
        }
        let Some(enabled_by) = self.standing_consent(receiver) else {
            return Ok(());
        };
        let actions = plan.actions.iter().map(|planned| planned.action.clone());
        let actions = actions.collect();
        let by = crate::model::Actor::engine();
        let until = self.approval_ends();
        self.consent(plan, (&by, Some(&enabled_by)), actions, until)
            .await
            .map(drop)
    }
}
