//! Reports from a folder: read once, kept as volumes by month, and judged with their domain.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use protect_core::connector::{Evaluated, ScanPage, ScanRequest, ScanState};
use protect_core::model::{
    CheckResult, FindingKind, Observation, RejectedItem, Subject, Verdict, WatchList,
};
use protect_core::{Error, Result};
use serde::Serialize;

use super::read_state;
use crate::audit::DomainAudit;
use crate::checks::SeenInReports;
use crate::config::Settings;
use crate::dmarc::ReportEvidence;
use crate::name::DomainName;
use crate::reports::folder::{self, FolderCursor, ReportFile};
use crate::reports::identity::Seen;
use crate::reports::input::Source;
use crate::reports::rules::History;
use crate::reports::volumes::{Counts, Month};
use crate::reports::{Reading, Told};

/// Files that one page reads.
const FILES: usize = 100;

/// Broken files that one page names.
const REJECTED: usize = 100;

/// How far back rules look, in days.
const DAYS: i32 = 65;

/// For how long a selector counts as in use, in days.
const IN_USE: i32 = 30;

const CURSOR: &str = "reports:cursor";
const SEEN: &str = "reports:seen";

/// What reading some files brought.
struct Read {
    page: ScanPage,
    cursor: FolderCursor,
    reading: Reading,
    /// Whether there are more.
    more: bool,
}

/// Reads the next files; whether there are more.
pub(super) async fn page(folder: &Path, request: &ScanRequest<'_>) -> Result<(ScanPage, bool)> {
    let cursor: FolderCursor = stored(request.state, CURSOR).await?;
    let seen: Seen = stored(request.state, SEEN).await?;
    let folder = folder.to_owned();
    // Files are slow and reports can be large: they are read where nobody else waits.
    let reading = tokio::task::spawn_blocking(move || read_due(&folder, cursor, seen));
    let read = reading.await.map_err(|error| {
        Error::unexpected("reports were not read to the end").with_source(error)
    })?;
    let Read {
        mut page,
        cursor,
        reading,
        more,
    } = read?;
    keep(&mut page, CURSOR.to_owned(), &cursor)?;
    keep(&mut page, SEEN.to_owned(), reading.seen())?;
    add_volumes(&mut page, reading, request).await?;
    Ok((page, more))
}

fn read_due(folder: &Path, mut cursor: FolderCursor, seen: Seen) -> Result<Read> {
    let present: Vec<_> = folder::files(folder)?.collect::<Result<_>>()?;
    cursor.keep_only(&present);
    let mut due = present.iter().filter(|file| cursor.is_due(file)).cloned();
    let files: Vec<ReportFile> = due.by_ref().take(FILES).collect();
    let more = due.next().is_some();
    drop(due);
    let mut page = ScanPage::default();
    let mut reading = Reading::after(seen);
    for file in &files {
        read(file, &mut reading, &mut page)?;
        cursor.mark(file);
    }
    Ok(Read {
        page,
        cursor,
        reading,
        more,
    })
}

fn read(file: &ReportFile, reading: &mut Reading, page: &mut ScanPage) -> Result<()> {
    let rejected = &mut page.rejected;
    let mut tell = |told: Told<'_>| {
        if let Told::Broken { part, error } = told
            && rejected.len() < REJECTED
        {
            rejected.push(RejectedItem {
                place: format!("{} {part}", file.name).trim_end().to_owned(),
                reason: error.message().to_owned(),
            });
        }
        Ok(())
    };
    reading.read(Source::File(&file.path), &mut tell)
}

/// Adds what was read to what is stored. Of domains that nobody watches nothing is kept.
async fn add_volumes(
    page: &mut ScanPage,
    reading: Reading,
    request: &ScanRequest<'_>,
) -> Result<()> {
    let read = reading.into_volumes();
    let watched = |domain: &&str| is_watched(request.watched, domain);
    let months: Vec<(String, Month)> = read
        .domains()
        .filter(|(domain, _)| watched(domain))
        .flat_map(|(domain, months)| {
            let named = months.iter();
            named.map(move |(month, part)| (key(domain, month), part.clone()))
        })
        .collect();
    let keys: Vec<_> = months.iter().map(|(key, _)| key.clone()).collect();
    let mut known: BTreeMap<String, Month> = read_state(request.state, &keys).await?;
    for (key, part) in months {
        let mut month = known.remove(&key).unwrap_or_default();
        month.merge(part);
        keep(page, key, &month)?;
    }
    Ok(())
}

fn is_watched(watched: &WatchList, domain: &str) -> bool {
    let Ok(domain) = DomainName::parse(domain) else {
        return false;
    };
    let mut names = watched.domains.iter();
    names.any(|name| DomainName::parse(name).is_ok_and(|name| domain.is_within(&name)))
}

/// The stored months of a domain that its rules look at.
pub(super) struct DomainVolumes(Vec<Month>);

/// Reads them.
pub(super) async fn volumes(
    state: &dyn ScanState,
    domain: &DomainName,
    today: Date,
) -> Result<DomainVolumes> {
    let mut keys = Vec::new();
    let mut day = today.saturating_sub(DAYS.days()).first_of_month();
    while day <= today {
        keys.push(key(domain.as_str(), &day.strftime("%Y-%m").to_string()));
        day = day.saturating_add(1.month());
    }
    let months: BTreeMap<String, Month> = read_state(state, &keys).await?;
    Ok(DomainVolumes(months.into_values().collect()))
}

impl DomainVolumes {
    /// What thirty days of reports show; `None` without any.
    pub(super) fn seen(
        &self,
        domain: &DomainName,
        record_since: Option<Timestamp>,
        today: Date,
    ) -> Option<SeenInReports> {
        let from = today.saturating_sub(IN_USE.days());
        let changed = record_since.map(|since| since.to_zoned(TimeZone::UTC).date());
        let (mut sum, mut evidence) = (Counts::default(), ReportEvidence::default());
        for (day, counts) in self.0.iter().flat_map(Month::days) {
            if day < from {
                continue;
            }
            sum.add(&counts);
            if changed.is_none_or(|changed| day > changed) {
                evidence.days += 1;
                evidence.aligned = evidence.aligned.saturating_add(counts.passed);
                let own = counts.passed.saturating_add(counts.own_misaligned);
                evidence.messages = evidence.messages.saturating_add(own);
            }
        }
        let history = History::of(&self.0);
        let selectors = history.selectors_since(from);
        let own = selectors.filter(|(signer, _)| *signer == domain.as_str());
        (sum.messages > 0).then(|| SeenInReports {
            evidence,
            by_dkim: sum.by_dkim,
            relaxed_only: sum.relaxed_only,
            selectors: own.map(|(_, selector)| selector.to_owned()).collect(),
        })
    }

    /// Decides the rules about reports.
    pub(super) fn judge(
        &self,
        page: &mut ScanPage,
        audit: &DomainAudit,
        settings: &Settings,
        today: Date,
    ) -> Result<()> {
        let history = History::of(&self.0);
        let domain = audit.domain.as_str();
        let known = settings.selectors.iter().cloned().collect();
        let ours = audit
            .result("email.dmarc.not_reporting_to_us")
            .is_some_and(|result| result.verdict == Verdict::Pass);
        for result in [
            history.new_unauthorised_sender(domain, today)?,
            history.alignment_drop(domain, today)?,
            history.fail_spike(domain, today)?,
            history.no_reports(domain, ours, today)?,
            history.selector_seen(domain, &known, today)?,
        ] {
            add(page, result, domain);
        }
        Ok(())
    }
}

fn add(page: &mut ScanPage, result: CheckResult, domain: &str) {
    let subject = Subject::domain(domain);
    if result.verdict != Verdict::NotEvaluated {
        page.evaluated.push(Evaluated {
            check: result.check.clone(),
            subject: Some(subject.clone()),
        });
    }
    if result.verdict == Verdict::Fail {
        page.observations.push(Observation {
            check: result.check.clone(),
            kind: FindingKind::EmailAuthentication,
            subject,
            discriminator: String::new(),
            cause: None,
            severity: result.severity,
            confidence: result.confidence,
            title: format!("{domain}: {}", result.reason),
            reasons: Vec::new(),
            attribution: None,
            references: result.references.clone(),
            details: result.details.clone(),
            from_event: false,
        });
    }
    page.verdicts.push(result);
}

fn key(domain: &str, month: &str) -> String {
    format!("month:{domain}:{month}")
}

async fn stored<T: serde::de::DeserializeOwned + Default>(
    state: &dyn ScanState,
    key: &str,
) -> Result<T> {
    let mut read = read_state(state, &[key.to_owned()]).await?;
    Ok(read.remove(key).unwrap_or_default())
}

fn keep(page: &mut ScanPage, key: String, value: &impl Serialize) -> Result<()> {
    let value = serde_json::to_value(value)
        .map_err(|error| Error::unexpected("a memory has no JSON form").with_source(error))?;
    page.state.insert(key, Some(value));
    Ok(())
}
