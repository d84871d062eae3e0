//! Many actions at once: those on one target one after another, those on other targets of the vendor
//! beside them, and every vendor at its own pace. Neither a vendor's distance nor another one's silence
//! makes a long plan slower than the vendor's limit does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use futures::future::join_all;

use super::Tenant;
use super::records::group_of;
use crate::error::Result;
use crate::model::{Action, ConnectorName};

/// Targets of one vendor that are worked on at the same time. Its rate limit is kept beneath, by the
/// client; this only has to outweigh the time that an answer takes.
const AT_ONCE: usize = 8;

/// An intent that may be worked on.
pub(super) struct Job {
    key: String,
    connector: ConnectorName,
    target: String,
    tells: bool,
}

/// What was worked on.
#[derive(Default)]
pub(super) struct Worked {
    /// The intents.
    pub(super) keys: Vec<String>,
    /// Whether everything else has to wait.
    pub(super) stopped: bool,
}

impl Job {
    pub(super) fn of(action: &Action) -> Self {
        Self {
            key: action.id.to_string(),
            connector: action.target.connector().clone(),
            target: group_of(action),
            tells: action.kind.tells(),
        }
    }
}

impl Tenant {
    /// Works on intents that nobody else works on. What is told comes last and in order, so that it can
    /// say what was done.
    ///
    /// # Errors
    /// `store`, once all that had begun is through.
    pub(super) async fn work_on(&self, jobs: Vec<Job>) -> Result<Worked> {
        let (told, changed): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| job.tells);
        let stopped = AtomicBool::new(false);
        let vendors = by_vendor(changed).into_iter();
        // Collected first: what holds these closures could not move between threads.
        let vendors: Vec<_> = vendors
            .map(|(name, targets)| self.work_on_vendor(targets, self.at_once(&name), &stopped))
            .collect();
        let mut keys = Vec::new();
        for worked in join_all(vendors).await {
            keys.extend(worked?);
        }
        keys.extend(self.work_in_order(told, &stopped).await?);
        Ok(Worked {
            keys,
            stopped: stopped.into_inner(),
        })
    }

    async fn work_on_vendor(
        &self,
        targets: Vec<Vec<Job>>,
        at_once: usize,
        stopped: &AtomicBool,
    ) -> Result<Vec<String>> {
        let lanes: Vec<_> = targets
            .into_iter()
            .map(|jobs| self.work_in_order(jobs, stopped))
            .collect();
        let worked: Vec<Result<Vec<String>>> = futures::stream::iter(lanes)
            .buffer_unordered(at_once)
            .collect()
            .await;
        let keys: Result<Vec<Vec<String>>> = worked.into_iter().collect();
        Ok(keys?.concat())
    }

    fn at_once(&self, connector: &ConnectorName) -> usize {
        let connector = self.connector(connector);
        if connector.is_ok_and(|it| it.capability().one_at_a_time) {
            1
        } else {
            AT_ONCE
        }
    }

    async fn work_in_order(&self, jobs: Vec<Job>, stopped: &AtomicBool) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        for job in jobs {
            if stopped.load(Ordering::Relaxed) {
                break;
            }
            let claimed = self.claim(vec![job.key.clone()], 1).await?;
            for claimed in claimed {
                keys.push(job.key.clone());
                if !self.work(claimed).await? {
                    stopped.store(true, Ordering::Relaxed);
                }
            }
        }
        Ok(keys)
    }
}

/// Each vendor's jobs by target; targets, and the jobs of one, in the order in which they came.
fn by_vendor(jobs: Vec<Job>) -> BTreeMap<ConnectorName, Vec<Vec<Job>>> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut vendors: BTreeMap<ConnectorName, Vec<Vec<Job>>> = BTreeMap::new();
    for job in jobs {
        let targets = vendors.entry(job.connector.clone()).or_default();
        let place = *places.entry(job.target.clone()).or_insert(targets.len());
        match targets.get_mut(place) {
            Some(target) => target.push(job),
            None => targets.push(vec![job]),
        }
    }
    vendors
}
