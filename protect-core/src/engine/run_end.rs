//! How a run of a scanner ends: complete, which resolves what is gone, or failed, which resolves
//! nothing and leaves one operational finding.

use serde_json::json;

use super::Tenant;
use super::failure::{SCAN_FAILED, error_facts, failure, failure_id};
use super::observe::{
    Batch, CONFLICT_RETRIES, Coverage, Folded, Look, UNRESOLVED, too_busy, vanish,
};
use super::records::put_finding;
use super::run::{Held, Run};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Actor, Attributes, Finding};
use crate::store::{Commit, Query, RecordKind};

impl Tenant {
    /// Every page is in: resolves what was looked for everywhere and not repeated, and ends the run.
    pub(super) async fn finish(&self, held: &mut Held<'_>) -> Result<()> {
        self.resolve_absent(held).await?;
        let mut run = held.run.clone();
        run.complete(self.now());
        let look = self.own_look(&run);
        let id = failure_id(self.id(), SCAN_FAILED, &run.connector)?;
        for _ in 0..CONFLICT_RETRIES {
            let mut commit = Commit::default();
            if let Some(found) = self
                .read::<Finding>(RecordKind::Finding, id.as_str())
                .await?
            {
                let expect = found.expect();
                if let Some(finding) = vanish(found.value, &look) {
                    commit = commit.put(put_finding(&finding, expect)?);
                }
            }
            let entry = self.entry("scan.completed", &Actor::engine(), run_facts(&run));
            match held.release(run.clone(), commit.append(entry)).await {
                Err(error) if error.kind() == ErrorKind::Conflict => held.renew().await?,
                result => return result,
            }
        }
        Err(too_busy())
    }

    async fn resolve_absent(&self, held: &mut Held<'_>) -> Result<()> {
        if held.run.evaluated.is_empty() {
            return Ok(());
        }
        let mut query = Query::all(RecordKind::Finding)
            .in_states(UNRESOLVED)
            .limit(500);
        loop {
            let page = self.store().query(self.id(), query.clone()).await?;
            let keys = page.records.iter().map(|record| record.key.clone());
            self.resolve_absent_of(held, keys.collect()).await?;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn resolve_absent_of(&self, held: &mut Held<'_>, keys: Vec<String>) -> Result<()> {
        for _ in 0..CONFLICT_RETRIES {
            held.keep().await?;
            let mut run = held.run.clone();
            let look = self.own_look(&held.run);
            let mut folded = Folded::default();
            let query = Query::keys(RecordKind::Finding, keys.clone());
            for found in self.read_all::<Finding>(query).await? {
                let absent = found.value.last_seen < held.run.started_at
                    && held.run.evaluated.contains(&found.value.observation.check);
                let expect = found.expect();
                if absent && let Some(finding) = vanish(found.value, &look) {
                    folded.resolve(&finding, expect)?;
                }
            }
            if folded.puts.is_empty() {
                return Ok(());
            }
            run.counts.add(&folded);
            let entry = self.page_entry(&run, &folded, 0);
            match held.save(run, folded.commit().append(entry)).await {
                Err(error) if error.kind() == ErrorKind::Conflict => held.renew().await?,
                result => return result,
            }
        }
        Err(too_busy())
    }

    pub(super) fn own_look<'a>(&'a self, run: &'a Run) -> Look<'a> {
        Look {
            tenant: self.id(),
            source: &run.connector,
            at: run.stamp.max(self.now()),
            baseline: false,
        }
    }

    /// Ends a run incomplete: its record, the operational finding and the ledger entry together.
    pub(super) async fn record_failure(&self, held: &mut Held<'_>, error: &Error) -> Result<()> {
        let mut run = held.run.clone();
        let at = run.stamp(self.now());
        run.fail(error);
        let mut facts = run_facts(&run);
        facts.extend(error_facts(error));
        let observation = failure(SCAN_FAILED, &run.connector, error)?;
        let mut batch = Batch::new(self.id(), [(observation, false)]);
        let look = Look {
            tenant: self.id(),
            source: &run.connector,
            at,
            baseline: false,
        };
        for _ in 0..CONFLICT_RETRIES {
            let folded = self.fold(&mut batch, &Coverage::default(), &look).await?;
            let entry = self.entry("scan.failed", &Actor::engine(), facts.clone());
            match held
                .release(run.clone(), folded.commit().append(entry))
                .await
            {
                Err(error) if error.kind() == ErrorKind::Conflict => held.renew().await?,
                result => return result,
            }
        }
        Err(too_busy())
    }
}

fn run_facts(run: &Run) -> Attributes {
    let mut facts = Attributes::new();
    let counts = &run.counts;
    facts.insert("connector".to_owned(), json!(run.connector));
    facts.insert("run".to_owned(), json!(run.number));
    for (name, count) in [
        ("pages", counts.pages),
        ("new", counts.new),
        ("seen", counts.seen),
        ("reopened", counts.reopened),
        ("resolved", counts.resolved),
        ("signals", counts.signals),
        ("rejected", counts.rejected),
    ] {
        facts.insert(name.to_owned(), json!(count));
    }
    facts
}
