//! Many actions at once: those on one target one after another, those on other targets of the vendor
//! beside them, and every vendor at its own pace. Neither a vendor's distance nor another one's silence
//! makes a long plan slower than the vendor's limit does. What is told of an incident waits for the
//! changes of that incident alone: who is to be paged does not wait for a vendor that is down.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use futures::future::join_all;
use tokio::sync::{Mutex, mpsc};

use super::Tenant;
use super::records::group_of;
use crate::error::Result;
use crate::model::{Action, ConnectorName, IncidentId};

/// Targets of one vendor that are worked on at the same time. Its rate limit is kept beneath, by the
/// client; this only has to outweigh the time that an answer takes.
const AT_ONCE: usize = 8;

/// An intent that may be worked on.
pub(super) struct Job {
    key: String,
    connector: ConnectorName,
    target: String,
    incident: Option<IncidentId>,
    tells: bool,
    /// Held while this change is to be waited for; dropped with the job.
    under_way: Option<mpsc::Sender<Infallible>>,
}

/// What was worked on.
#[derive(Default)]
pub(super) struct Worked {
    /// The intents.
    pub(super) keys: Vec<String>,
    /// Whether everything else has to wait.
    pub(super) stopped: bool,
}

/// What is told of one incident, once nothing changes any more.
struct News {
    jobs: Vec<Job>,
    changes: mpsc::Receiver<Infallible>,
}

impl Job {
    pub(super) fn of(action: &Action) -> Self {
        Self {
            key: action.id.to_string(),
            connector: action.target.connector().clone(),
            target: group_of(action),
            incident: action.incident.clone(),
            tells: action.kind.tells(),
            under_way: None,
        }
    }
}

impl Tenant {
    /// Works on intents that nobody else works on. What is told of an incident comes after what is
    /// changed because of it, and in order, so that it can say what was done; what is told of none comes
    /// last.
    ///
    /// # Errors
    /// `store`, once all that had begun is through.
    pub(super) async fn work_on(&self, jobs: Vec<Job>) -> Result<Worked> {
        let (told, mut changed): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| job.tells);
        let (of_incidents, at_last): (Vec<Job>, Vec<Job>) =
            told.into_iter().partition(|job| job.incident.is_some());
        let stopped = AtomicBool::new(false);
        let turns = turns(&of_incidents);
        let news = news(of_incidents, &mut changed);
        // Collected first: what holds these closures could not move between threads.
        let told: Vec<_> = news
            .into_iter()
            .map(|news| self.tell_of(news, &turns, &stopped))
            .collect();
        let changed: Vec<_> = by_vendor(changed)
            .into_iter()
            .map(|(name, targets)| self.work_on_vendor(targets, self.at_once(&name), &stopped))
            .collect();
        let (changed, told) = futures::join!(join_all(changed), join_all(told));
        let mut keys = Vec::new();
        for worked in changed.into_iter().chain(told) {
            keys.extend(worked?);
        }
        keys.extend(self.work_in_order(at_last, &stopped).await?);
        Ok(Worked {
            keys,
            stopped: stopped.into_inner(),
        })
    }

    /// Tells of one incident, and each receiver one thing at a time.
    async fn tell_of(
        &self,
        mut news: News,
        turns: &BTreeMap<ConnectorName, Mutex<()>>,
        stopped: &AtomicBool,
    ) -> Result<Vec<String>> {
        // Nothing is ever sent: this ends when the last change is dropped.
        let _: Option<Infallible> = news.changes.recv().await;
        let mut keys = Vec::new();
        for job in news.jobs {
            let turn = turns.get(&job.connector).map(Mutex::lock);
            let _mine = match turn {
                Some(turn) => Some(turn.await),
                None => None,
            };
            keys.extend(self.work_in_order(vec![job], stopped).await?);
        }
        Ok(keys)
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
            match self.work_if_free(&job).await {
                Ok(Some(goes_on)) => {
                    keys.push(job.key.clone());
                    stopped.fetch_or(!goes_on, Ordering::Relaxed);
                }
                Ok(None) => {}
                Err(error) => {
                    stopped.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(keys)
    }

    /// Whether others may be worked on after it; nothing where somebody else has it.
    async fn work_if_free(&self, job: &Job) -> Result<Option<bool>> {
        match self.claim(vec![job.key.clone()], 1).await?.pop() {
            Some(claimed) => self.work(claimed).await.map(Some),
            None => Ok(None),
        }
    }
}

/// A turn for each receiver.
fn turns(told: &[Job]) -> BTreeMap<ConnectorName, Mutex<()>> {
    let names = told.iter().map(|job| job.connector.clone());
    names.map(|name| (name, Mutex::default())).collect()
}

/// What is told, by incident, tied to the changes that it waits for.
fn news(told: Vec<Job>, changed: &mut [Job]) -> Vec<News> {
    let mut by_incident: BTreeMap<Option<IncidentId>, Vec<Job>> = BTreeMap::new();
    for job in told {
        by_incident
            .entry(job.incident.clone())
            .or_default()
            .push(job);
    }
    let mut senders = BTreeMap::new();
    let news = by_incident.into_iter().map(|(incident, jobs)| {
        let (sender, changes) = mpsc::channel(1);
        senders.insert(incident, sender);
        News { jobs, changes }
    });
    let news: Vec<News> = news.collect();
    for job in changed {
        job.under_way = senders.get(&job.incident).cloned();
    }
    news
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
