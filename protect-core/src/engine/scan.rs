//! Scanning: each connector's pages, one transaction a page, then triage.
//!
//! A page's findings, verdicts, signals, scanner state, cursor and ledger entry commit together,
//! and only then the next page is asked for. A connector that fails does not stop the others; its
//! run is recorded as incomplete, with one operational finding that goes with the next complete
//! run, and nothing is resolved by it.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::future::{Either, select};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Tenant;
use super::identify::DirectoryRefresh;
use super::observe::{Batch, CONFLICT_RETRIES, Coverage, Folded, Look, too_busy};
use super::records::{put_verdict, scan_state_key};
use super::run::{HEARTBEAT, Held, Run, ScanCounts, VerdictCounts};
use super::triage::Triaged;
use crate::connector::{Connector, Progress, ScanPage, ScanRequest, ScanState, Scanner, Watching};
use crate::error::{Error, ErrorEnvelope, ErrorKind, Result};
use crate::model::{
    Actor, Address, CheckResult, ConnectorName, Gone, NotEvaluatedReason, TenantId, Verdict,
    WatchList,
};
use crate::store::{Change, Commit, Expect, NewEntry, Put, Query, RecordKind};

/// How many connectors of a tenant are scanned at the same time.
const AT_ONCE: usize = 4;

/// How long one page may take.
const PAGE_BUDGET: Duration = Duration::from_mins(15);

/// How much longer than its budget a page is waited for before it is given up.
const PAGE_GRACE: Duration = Duration::from_secs(30);

/// After so many pages a run ends incomplete; the next takes it up.
const PAGE_CAP: u64 = 1_000_000;

/// A scanner may say so often in a row that there is more, give nothing, and stay where it is.
const STANDSTILLS: u32 = 3;

/// What hears how far a scan is.
pub type OnProgress = Arc<dyn Fn(&ScanProgress) + Send + Sync>;

/// What to scan, and how.
#[derive(Clone, Default)]
pub struct ScanOptions {
    /// These connectors; empty means all.
    pub connectors: Vec<ConnectorName>,
    /// Whether a cadence that would skip this run is set aside.
    pub forced: bool,
    /// Whether findings that are new to this run are only recorded as known: they open no incident
    /// and trigger nothing, until they are gone and come back.
    pub baseline: bool,
    /// Told after every page.
    pub progress: Option<OnProgress>,
}

impl fmt::Debug for ScanOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScanOptions")
            .field("connectors", &self.connectors)
            .field("forced", &self.forced)
            .field("baseline", &self.baseline)
            .field("progress", &self.progress.is_some())
            .finish()
    }
}

/// How far a scan is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanProgress {
    /// Whose scan.
    pub tenant: TenantId,
    /// Which connector's page was committed.
    pub connector: ConnectorName,
    /// What the run came to so far.
    pub counts: ScanCounts,
    /// Done and expected, where the scanner says so.
    pub progress: Option<Progress>,
}

/// What a scan came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanSummary {
    /// Whether every connector was scanned, and every directory read, to the end.
    pub complete: bool,
    /// By connector, in order of their names.
    pub connectors: Vec<ConnectorScan>,
    /// The directories that were read before.
    pub directories: Vec<DirectoryRefresh>,
    /// What became of incidents.
    pub incidents: Triaged,
}

/// What the scan of one connector came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorScan {
    /// The connector.
    pub connector: ConnectorName,
    /// Its kind.
    pub kind: String,
    /// Whether the run came to its end.
    pub complete: bool,
    /// Whether it took up a run that a crash or an error had left.
    pub resumed: bool,
    /// Whether what is new was only recorded as known.
    pub baseline: bool,
    /// What the run came to; of a resumed run, from its beginning.
    #[serde(flatten)]
    pub counts: ScanCounts,
    /// Why it is incomplete.
    pub error: Option<ErrorEnvelope>,
}

/// A check's last verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StoredVerdict {
    /// The connector that decided.
    pub connector: ConnectorName,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub result: CheckResult,
}

impl Tenant {
    /// Scans every connector now, and makes incidents of what was found.
    ///
    /// # Errors
    /// As for [`Tenant::scan_with`].
    pub async fn scan(&self) -> Result<ScanSummary> {
        self.scan_with(ScanOptions::default()).await
    }

    /// Records what is known by now, without acting on it: see [`ScanOptions::baseline`].
    ///
    /// # Errors
    /// As for [`Tenant::scan_with`].
    pub async fn baseline(&self) -> Result<ScanSummary> {
        self.scan_with(ScanOptions {
            baseline: true,
            ..ScanOptions::default()
        })
        .await
    }

    /// Scans connectors now, and makes incidents of what was found. A connector that fails is in
    /// the summary and does not stop the others.
    ///
    /// # Errors
    /// `not_found` for an unknown connector, `unsupported` for a named one that finds nothing,
    /// `config_invalid` for a list of people that cannot be read, and `store`.
    pub async fn scan_with(&self, options: ScanOptions) -> Result<ScanSummary> {
        let chosen = self.chosen(&options)?;
        self.end_acceptances().await?;
        let directories = self.refresh_directories(&chosen).await?;
        let watched = Arc::new(self.watch_list().await?);
        self.count_watched(&watched);
        // Collected first: a stream that holds these closures could not move between threads.
        let scans: Vec<_> = chosen
            .iter()
            .filter(|connector| connector.as_scanner().is_some())
            .map(|connector| self.scan_connector(connector.as_ref(), &watched, &options))
            .collect();
        let mut connectors: Vec<ConnectorScan> = futures::stream::iter(scans)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        connectors.sort_by(|a, b| a.connector.cmp(&b.connector));
        self.prune_signals().await?;
        let incidents = self.triage().await?;
        #[cfg(feature = "report")]
        self.keep_score().await?;
        let complete = connectors.iter().all(|scan| scan.complete)
            && directories.iter().all(|directory| directory.complete);
        Ok(ScanSummary {
            complete,
            connectors,
            directories,
            incidents,
        })
    }

    /// The last verdict of every check, by connector.
    ///
    /// # Errors
    /// `store`.
    pub async fn verdicts(&self) -> Result<Vec<StoredVerdict>> {
        let found = self.read_all(Query::all(RecordKind::Verdict)).await?;
        Ok(found.into_iter().map(|found| found.value).collect())
    }

    fn chosen(&self, options: &ScanOptions) -> Result<Vec<Arc<dyn Connector>>> {
        if options.connectors.is_empty() {
            return Ok(self.connectors().to_vec());
        }
        let mut chosen: Vec<Arc<dyn Connector>> = Vec::new();
        for name in &options.connectors {
            let connector = self.connector(name)?;
            if connector.as_scanner().is_none() && connector.as_directory().is_none() {
                return Err(
                    Error::new(ErrorKind::Unsupported, "this connector finds nothing")
                        .with_context("tenant", self.id().as_str())
                        .with_context("connector", name.as_str()),
                );
            }
            if chosen.iter().all(|known| known.info().name != *name) {
                chosen.push(Arc::clone(connector));
            }
        }
        Ok(chosen)
    }

    async fn scan_connector(
        &self,
        connector: &dyn Connector,
        watched: &Arc<WatchList>,
        options: &ScanOptions,
    ) -> ConnectorScan {
        let info = connector.info();
        let mut scan = ConnectorScan {
            connector: info.name.clone(),
            kind: info.kind.clone(),
            complete: false,
            resumed: false,
            baseline: options.baseline,
            counts: ScanCounts::default(),
            error: None,
        };
        if let Err(error) = self
            .run_to_end(connector, watched, options, &mut scan)
            .await
        {
            tracing::warn!(
                tenant = %self.id(), connector = %info.name, kind = %error.kind(),
                operation = error.operation(), "a scan did not come to its end"
            );
            scan.complete = false;
            scan.error = Some(error.envelope());
        }
        scan
    }

    async fn run_to_end(
        &self,
        connector: &dyn Connector,
        watched: &Arc<WatchList>,
        options: &ScanOptions,
        scan: &mut ConnectorScan,
    ) -> Result<()> {
        let mut held = self.hold_run(&connector.info().name).await?;
        let mut run = held.run.clone();
        scan.resumed = run.begin(self.now(), options.baseline);
        scan.baseline = run.baseline;
        held.save(run, Commit::default()).await?;
        let mut result = self.pages(connector, watched, options, &mut held).await;
        if result.is_ok() {
            result = self.finish(&mut held).await;
        }
        let result = result.map_err(|error| self.about(connector.info(), error));
        if let Err(error) = &result
            && error.kind() != ErrorKind::Cancelled
        {
            // Where the failure cannot be recorded either, the first error says more.
            let _ = self.record_failure(&mut held, error).await;
        }
        scan.counts = held.run.counts.clone();
        scan.complete = result.is_ok();
        result
    }

    async fn pages(
        &self,
        connector: &dyn Connector,
        watched: &Arc<WatchList>,
        options: &ScanOptions,
        held: &mut Held<'_>,
    ) -> Result<()> {
        let Some(scanner) = connector.as_scanner() else {
            return Err(Error::unexpected(
                "a connector without a scanner was scanned",
            ));
        };
        let others = self.others_on(connector).await;
        let who = Watching {
            own: watched,
            others: &others,
        };
        let mut standstills = 0;
        while !held.run.finishing {
            held.keep().await?;
            let page = self.next_page(scanner, who, options.forced, held).await?;
            if page.more && page.is_empty() && page.cursor == held.run.cursor {
                standstills += 1;
                if standstills == STANDSTILLS {
                    return Err(Error::new(
                        ErrorKind::InvalidResponse,
                        "the scanner says there is more and gives the same empty page",
                    ));
                }
            } else {
                standstills = 0;
            }
            let more = page.more;
            self.commit_page(connector, page, held).await?;
            if let Some(tell) = &options.progress {
                tell(&ScanProgress {
                    tenant: self.id().clone(),
                    connector: held.run.connector.clone(),
                    counts: held.run.counts.clone(),
                    progress: held.run.progress,
                });
            }
            if more && held.run.counts.pages >= PAGE_CAP {
                return Err(Error::new(
                    ErrorKind::InvalidResponse,
                    "the run has more pages than any run should have",
                )
                .temporary());
            }
        }
        Ok(())
    }

    /// Asks for the next page, and keeps the lease while it waits.
    async fn next_page(
        &self,
        scanner: &dyn Scanner,
        who: Watching<'_>,
        forced: bool,
        held: &mut Held<'_>,
    ) -> Result<ScanPage> {
        let clock = &self.context().clock;
        let cx = self.op(Actor::engine(), PAGE_BUDGET);
        let give_up = clock.monotonic() + PAGE_BUDGET + PAGE_GRACE;
        let cursor = held.run.cursor.clone();
        let state = StoredState {
            tenant: self,
            connector: held.run.connector.clone(),
        };
        let request = ScanRequest {
            cursor: cursor.as_ref(),
            starts_run: held.run.counts.pages == 0,
            watched: who.own,
            others: who.others,
            state: &state,
            forced,
        };
        let mut page = pin!(scanner.scan(&cx, request));
        loop {
            match select(page.as_mut(), clock.sleep(HEARTBEAT)).await {
                Either::Left((page, _)) => return page,
                Either::Right(_) if clock.monotonic() >= give_up => {
                    return Err(Error::new(
                        ErrorKind::Timeout,
                        "the scanner did not give a page in time",
                    )
                    .temporary());
                }
                Either::Right(_) => held.renew().await?,
            }
        }
    }

    /// Makes of a page one transaction.
    async fn commit_page(
        &self,
        connector: &dyn Connector,
        page: ScanPage,
        held: &mut Held<'_>,
    ) -> Result<()> {
        let name = &connector.info().name;
        let mut run = held.run.clone();
        let at = run.stamp(self.now());
        let detected = self.detect(connector, page.signals, at).await?;
        let coverage = Coverage::of(&page.evaluated);
        let seen = page.observations.into_iter().map(|seen| (seen, false));
        let mut batch = Batch::new(self.id(), seen.chain(detected.observations));

        let everywhere = page.evaluated.into_iter().filter(|e| e.subject.is_none());
        run.evaluated.extend(everywhere.map(|e| e.check));
        run.cursor = page.cursor;
        run.progress = page.progress;
        run.finishing = !page.more;
        run.counts.pages += 1;
        run.counts.signals += detected.new;
        run.counts.rejected += detected.rejected;
        let rejected = page.rejected.len() as u64 + detected.rejected;
        run.counts.reject(page.rejected);

        let mut rest = detected.puts;
        for result in page.verdicts {
            run.counts.verdicts.count(&result);
            rest.push(put_verdict(&StoredVerdict {
                connector: name.clone(),
                at,
                result,
            })?);
        }
        let state = state_changes(name, page.state)?;
        let look = Look {
            tenant: self.id(),
            source: name,
            at,
            baseline: run.baseline,
        };
        for _ in 0..CONFLICT_RETRIES {
            let mut folded = self.fold(&mut batch, &coverage, &look).await?;
            let mut run = run.clone();
            run.counts.add(&folded);
            folded.observed.rejected += rejected;
            let entry = self.page_entry(&run, &folded, detected.new);
            let mut commit = folded.commit();
            commit.changes.extend(last_of_each(rest.iter().cloned()));
            commit.changes.extend(state.iter().cloned());
            match held.save(run, commit.append(entry)).await {
                Err(error) if error.kind() == ErrorKind::Conflict => held.renew().await?,
                result => return result,
            }
        }
        Err(too_busy())
    }

    pub(super) fn page_entry(&self, run: &Run, folded: &Folded, signals: u64) -> NewEntry {
        let mut data = folded.evidence();
        data.insert("connector".to_owned(), json!(run.connector));
        data.insert("run".to_owned(), json!(run.number));
        data.insert("page".to_owned(), json!(run.counts.pages));
        if signals > 0 {
            data.insert("signals".to_owned(), json!(signals));
        }
        self.entry("scan.page", &Actor::engine(), data)
    }
}

fn state_changes(
    connector: &ConnectorName,
    state: BTreeMap<String, Option<Value>>,
) -> Result<Vec<Change>> {
    let change = |(key, value): (String, Option<Value>)| {
        let key = scan_state_key(connector, &key);
        Ok(match value {
            Some(value) => Change::Put(Put::new(RecordKind::ScanState, key, &value)?),
            None => Change::Delete {
                kind: RecordKind::ScanState,
                key,
                expect: Expect::Anything,
            },
        })
    };
    state.into_iter().map(change).collect()
}

/// A commit names each record once: of several the last counts.
fn last_of_each(puts: impl Iterator<Item = Put>) -> impl Iterator<Item = Change> {
    let mut last = BTreeMap::new();
    for put in puts {
        last.insert((put.kind, Arc::clone(&put.key)), put);
    }
    last.into_values().map(Change::Put)
}

impl ScanPage {
    /// Whether it brings nothing but a cursor.
    fn is_empty(&self) -> bool {
        self.observations.is_empty()
            && self.verdicts.is_empty()
            && self.signals.is_empty()
            && self.rejected.is_empty()
            && self.evaluated.is_empty()
            && self.state.is_empty()
    }
}

impl ScanCounts {
    pub(super) fn add(&mut self, folded: &Folded) {
        self.new += folded.observed.new;
        self.seen += folded.observed.seen;
        self.reopened += folded.observed.reopened;
        self.resolved += folded.observed.resolved;
        self.rejected += folded.observed.rejected;
    }
}

impl VerdictCounts {
    fn count(&mut self, result: &CheckResult) {
        match result.verdict {
            Verdict::Pass => self.pass += 1,
            Verdict::Fail => self.fail += 1,
            Verdict::NotApplicable => self.not_applicable += 1,
            Verdict::Manual => self.manual += 1,
            Verdict::NotEvaluated => self.not_evaluated += 1,
        }
        if result.not_evaluated == Some(NotEvaluatedReason::VendorError) {
            self.vendor_errors += 1;
        }
    }
}

/// What a scanner stored with earlier pages.
#[derive(Debug)]
struct StoredState<'a> {
    tenant: &'a Tenant,
    connector: ConnectorName,
}

#[async_trait]
impl ScanState for StoredState<'_> {
    async fn get(&self, keys: &[String]) -> Result<BTreeMap<String, Value>> {
        let stored = keys
            .iter()
            .map(|key| scan_state_key(&self.connector, key))
            .collect();
        let query = Query::keys(RecordKind::ScanState, stored);
        let page = self.tenant.store().query(self.tenant.id(), query).await?;
        let prefix = scan_state_key(&self.connector, "");
        page.records
            .iter()
            .map(|record| {
                let key = record.key.strip_prefix(&prefix).unwrap_or(&record.key);
                Ok((key.to_owned(), record.read()?))
            })
            .collect()
    }

    async fn gone(&self) -> Result<BTreeMap<Address, Gone>> {
        self.tenant.gone().await
    }
}
