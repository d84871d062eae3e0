//! The one writer: takes what waits, decides it all in memory, writes it in one transaction.

mod group;
mod insert;

use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use self::group::Group;
use super::trouble::Trouble;
use crate::error::{Error, Result};
use crate::kill_point;
use crate::model::TenantId;
use crate::store::{Claim, Claimed, Commit, Committed};

/// How many callers may wait before the next one waits to wait.
const QUEUE: usize = 1_024;

/// How many changes and entries one transaction takes before it leaves the rest to the next.
const GROUP: usize = 8_192;

/// The writer as its callers see it.
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
}

/// What a caller wants, and where it waits.
enum Job {
    Commit(TenantId, Commit, oneshot::Sender<Result<Committed>>),
    Claim(Claim, Timestamp, oneshot::Sender<Result<Vec<Claimed>>>),
    Close(oneshot::Sender<()>),
}

/// What a job gave.
enum Answer {
    Commit(Result<Committed>),
    Claim(Vec<Claimed>),
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        tokio::spawn(work(connection, queue));
        Self { jobs }
    }

    pub(super) async fn commit(&self, tenant: TenantId, commit: Commit) -> Result<Committed> {
        self.ask(|answer| Job::Commit(tenant, commit, answer))
            .await?
    }

    pub(super) async fn claim(&self, claim: Claim, until: Timestamp) -> Result<Vec<Claimed>> {
        self.ask(|answer| Job::Claim(claim, until, answer)).await?
    }

    /// Returns once everything asked before is answered and the connection is closed.
    pub(super) async fn close(&self) {
        // One that is closed already has nothing left to do.
        let _ = self.ask(Job::Close).await;
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T> {
        let (answer, wait) = oneshot::channel();
        self.jobs.send(job(answer)).await.map_err(|_| closed())?;
        wait.await.map_err(|_| closed())
    }
}

async fn work(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Job>) {
    while let Some(first) = queue.recv().await {
        let (jobs, close) = gather(first, &mut queue);
        serve(&mut connection, jobs).await;
        if let Some(closed) = close {
            let _ = connection.close().await;
            let _ = closed.send(());
            return;
        }
    }
    let _ = connection.close().await;
}

/// What waits at this moment, up to a bound, and whether closing comes next.
fn gather(first: Job, queue: &mut mpsc::Receiver<Job>) -> (Vec<Job>, Option<oneshot::Sender<()>>) {
    let mut jobs = Vec::new();
    let mut weight = 0;
    let mut next = Some(first);
    while let Some(job) = next {
        if let Job::Close(closed) = job {
            return (jobs, Some(closed));
        }
        weight += job.weight();
        jobs.push(job);
        next = if weight < GROUP {
            queue.try_recv().ok()
        } else {
            None
        };
    }
    (jobs, None)
}

async fn serve(connection: &mut SqliteConnection, jobs: Vec<Job>) {
    if jobs.is_empty() {
        return;
    }
    match write(connection, &jobs).await {
        Ok(answers) => {
            for (job, answer) in jobs.into_iter().zip(answers) {
                job.answer(answer);
            }
        }
        // What is too large for the room that is left must not fail what is not.
        Err(trouble) if trouble.is_about_size() && jobs.len() > 1 => {
            for job in jobs {
                Box::pin(serve(connection, vec![job])).await;
            }
        }
        Err(trouble) => jobs.into_iter().for_each(|job| job.fail(&trouble)),
    }
}

/// Everything in one transaction, which is undone where this fails.
async fn write(connection: &mut SqliteConnection, jobs: &[Job]) -> Result<Vec<Answer>, Trouble> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let commits = jobs.iter().filter_map(|job| match job {
        Job::Commit(tenant, commit, _) => Some((tenant, commit)),
        _ => None,
    });
    let mut group = Group::read(&mut transaction, commits).await?;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        if let Job::Commit(tenant, commit, _) = job {
            answers.push(Answer::Commit(group.decide(tenant, commit)));
        }
    }
    group.write(&mut transaction).await?;
    let mut decided = answers.into_iter();
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        match job {
            Job::Claim(claim, until, _) => {
                let claimed = group::claim(&mut transaction, claim, *until).await?;
                answers.push(Answer::Claim(claimed));
            }
            _ => answers.extend(decided.next()),
        }
    }
    kill_point("store.before_commit");
    transaction.commit().await?;
    kill_point("store.after_commit");
    Ok(answers)
}

impl Job {
    fn weight(&self) -> usize {
        match self {
            Self::Commit(_, commit, _) => commit.changes.len() + commit.entries.len(),
            _ => 1,
        }
    }

    /// Tells the caller. One that has gone away is told nothing, and misses nothing.
    fn answer(self, answer: Answer) {
        match (self, answer) {
            (Self::Commit(_, _, caller), Answer::Commit(done)) => drop(caller.send(done)),
            (Self::Claim(_, _, caller), Answer::Claim(claimed)) => drop(caller.send(Ok(claimed))),
            // The caller finds its channel closed, and reports it.
            _ => {}
        }
    }

    fn fail(self, trouble: &Trouble) {
        let error = trouble.to_error();
        match self {
            Self::Commit(_, _, caller) => drop(caller.send(Err(error))),
            Self::Claim(_, _, caller) => drop(caller.send(Err(error))),
            Self::Close(_) => {}
        }
    }
}

fn closed() -> Error {
    Trouble::closed().to_error()
}
