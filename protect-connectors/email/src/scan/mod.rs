//! A run: first the reports that arrived, then the watched domains, so many side by side in a page.

mod memory;
mod reports;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use jiff::tz::TimeZone;
use protect_core::connector::{
    Cursor, Evaluated, OpContext, Progress, ScanPage, ScanRequest, ScanState,
};
use protect_core::model::{CheckId, RejectedItem, Subject};
use protect_core::{Context, Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::audit::{AuditOptions, Audited, audit_in, auditable};
use crate::checks::Known;
use crate::config::Settings;
use crate::name::DomainName;
use crate::resolve::Run;

use memory::Memories;

/// Domains of a page: they are audited side by side.
const DOMAINS: usize = 16;

/// Scans one tenant's domains.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) settings: Settings,
    pub(crate) context: Context,
    /// The answers of the run under way, by the run's beginning.
    answers: Mutex<Option<(i64, Run)>>,
}

/// What the cursor holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// When the run began, in seconds since 1970.
    began: i64,
    /// Whether the folder of reports is still being read.
    reading: bool,
    /// Which domain comes next.
    domain: usize,
}

impl Scan {
    pub(crate) fn new(settings: Settings, context: Context) -> Self {
        Self {
            settings,
            context,
            answers: Mutex::new(None),
        }
    }

    /// One page: some reports, or some domains.
    ///
    /// # Errors
    /// The state or the folder could not be read; nothing of the page is lost, since nothing of it
    /// was stored.
    pub(crate) async fn page(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let mut place = self.place(&request);
        let domains = request.watched.domains.len();
        let folder = self.settings.reports.as_ref().filter(|_| place.reading);
        let mut page = if let Some(folder) = folder {
            let (page, more) = reports::page(folder, &request).await?;
            place.reading = more;
            page
        } else {
            self.domains_page(cx, &request, &mut place).await?
        };
        page.progress = Some(Progress {
            done: place.domain.min(domains) as u64,
            total: Some(domains as u64),
        });
        page.more = place.reading || place.domain < domains;
        page.cursor = page.more.then(|| cursor(&place)).transpose()?;
        Ok(page)
    }

    fn place(&self, request: &ScanRequest<'_>) -> Place {
        let stored = request.cursor.filter(|_| !request.starts_run);
        let stored = stored.and_then(|cursor| serde_json::from_str(&cursor.0).ok());
        stored.unwrap_or_else(|| Place {
            began: self.context.clock.now().as_second(),
            reading: self.settings.reports.is_some(),
            domain: 0,
        })
    }

    async fn domains_page(
        &self,
        cx: &OpContext,
        request: &ScanRequest<'_>,
        place: &mut Place,
    ) -> Result<ScanPage> {
        let (memories, run) = (&memory::read(request).await?, &self.run(place.began));
        let watched = request.watched.domains.iter().cloned().enumerate();
        let audits = futures::stream::iter(watched.skip(place.domain).take(DOMAINS))
            .map(|(index, written)| async move {
                match auditable(&written) {
                    Ok(domain) => self.domain(cx, request, run, memories, &domain).await,
                    Err(wrong) => Ok(rejected(index, wrong.message())),
                }
            })
            .buffered(DOMAINS);
        let mut audits = std::pin::pin!(audits);
        let mut page = ScanPage::default();
        while let Some(of_domain) = audits.next().await {
            add(&mut page, of_domain?);
            place.domain += 1;
        }
        Ok(page)
    }

    /// The answers of this run: what its domains share is asked once.
    fn run(&self, began: i64) -> Run {
        let new = || Run::new(Arc::clone(&self.context.dns));
        let Ok(mut answers) = self.answers.lock() else {
            return new();
        };
        match &*answers {
            Some((of, run)) if *of == began => run.clone(),
            _ => {
                let run = new();
                *answers = Some((began, run.clone()));
                run
            }
        }
    }

    async fn domain(
        &self,
        cx: &OpContext,
        request: &ScanRequest<'_>,
        run: &Run,
        memories: &Memories,
        domain: &DomainName,
    ) -> Result<ScanPage> {
        let now = self.context.clock.now();
        let today = now.to_zoned(TimeZone::UTC).date();
        let volumes = reports::volumes(request.state, domain, today).await?;
        let own = memories.get(domain).cloned().unwrap_or_default();
        let options = AuditOptions {
            selectors: self.settings.selectors.clone(),
            known: Known {
                our_rua: self.settings.rua.clone(),
                monitoring_since: own.monitoring_since,
                reports: volumes.seen(domain, own.record_since, today),
                keys: memory::keys(memories, domain),
            },
            ..AuditOptions::default()
        };
        let audited = audit_in(run, domain, &options, &self.context, cx).await?;
        let mut page = page_of(&audited)?;
        volumes.judge(&mut page, &audited.audit, &self.settings, today)?;
        memory::remember(&mut page, own.after(&audited.audit), domain)?;
        memory::remember_score(&mut page, &audited.audit, domain);
        Ok(page)
    }
}

/// What one domain adds to the page.
fn add(page: &mut ScanPage, of_domain: ScanPage) {
    page.observations.extend(of_domain.observations);
    page.verdicts.extend(of_domain.verdicts);
    page.rejected.extend(of_domain.rejected);
    page.evaluated.extend(of_domain.evaluated);
    page.state.extend(of_domain.state);
}

fn page_of(audited: &Audited) -> Result<ScanPage> {
    let subject = Subject::domain(audited.audit.domain.as_str());
    let decided = audited
        .decided
        .iter()
        .filter(|decided| decided.is_evaluated());
    let evaluated = decided.map(|decided| {
        Ok(Evaluated {
            check: CheckId::new(decided.check.id)?,
            subject: Some(subject.clone()),
        })
    });
    Ok(ScanPage {
        observations: audited.observations()?,
        verdicts: audited.audit.results.clone(),
        evaluated: evaluated.collect::<Result<_>>()?,
        ..ScanPage::default()
    })
}

fn rejected(index: usize, reason: &str) -> ScanPage {
    ScanPage {
        rejected: vec![RejectedItem {
            place: format!("domains[{index}]"),
            reason: reason.to_owned(),
        }],
        ..ScanPage::default()
    }
}

fn cursor(place: &Place) -> Result<Cursor> {
    serde_json::to_string(place)
        .map(Cursor)
        .map_err(|error| Error::unexpected("a cursor has no JSON form").with_source(error))
}

/// Stored values; what cannot be read is as if it were not there.
async fn read_state<T: DeserializeOwned>(
    state: &dyn ScanState,
    keys: &[String],
) -> Result<BTreeMap<String, T>> {
    let stored: BTreeMap<String, Value> = state.get(keys).await?;
    let read = stored
        .into_iter()
        .filter_map(|(key, value)| Some((key, serde_json::from_value(value).ok()?)));
    Ok(read.collect())
}

#[cfg(test)]
mod tests;
