//! `scan`.

use protect_connectors::core::engine::{
    ENGINE_CHECKS, FindingFilter, ScanOptions, ScanSummary, Tenant,
};
use protect_connectors::core::model::{
    ConnectorName, Finding, FindingKind, FindingStatus, Severity,
};
use protect_connectors::core::{Error, ErrorEnvelope, Result};
use serde::Serialize;

use crate::app::App;
use crate::args::Scan;
use crate::exit::Exit;
use crate::output::Answer;
use crate::page::{Page, Table, Text, Tone};
use crate::progress::Progress;
use crate::words;

#[derive(Serialize)]
struct TenantScan {
    tenant: String,
    /// `None` where it could not even begin.
    #[serde(flatten)]
    summary: Option<ScanSummary>,
    /// Why it could not begin.
    error: Option<ErrorEnvelope>,
    /// What stands in the way of looking: the open operational findings.
    trouble: Vec<Finding>,
}

/// Scans now.
pub(super) async fn run(app: &App, scan: Scan) -> Result<Answer> {
    let connectors: Result<Vec<ConnectorName>> =
        scan.connector.iter().map(|name| name.parse()).collect();
    let connectors = connectors?;
    let mut page = Page::new();
    let mut exit = Exit::OK;
    let mut all = Vec::new();
    let mut incidents = 0;
    let tenants = app.tenants(scan.tenant.tenant.as_deref()).await?;
    let several = tenants.len() > 1;
    for tenant in tenants {
        let progress = Progress::start(app.output, format!("{}: scanning", tenant.id()));
        let options = ScanOptions {
            connectors: connectors.clone(),
            forced: true,
            baseline: scan.baseline,
            progress: Some(progress.of_scan()),
        };
        let scanned = tenant.scan_with(options).await;
        drop(progress);
        let summary = match scanned {
            Ok(summary) => summary,
            // One tenant's trouble is not the others'.
            Err(error) if several => {
                exit = exit.and(Exit::of(&error));
                all.push(failed(&mut page, &tenant, &error));
                continue;
            }
            Err(error) => return Err(error),
        };
        let trouble = trouble(&tenant).await?;
        show(&mut page, &tenant, &summary, &trouble);
        let watched = tenant.watch_list().await?;
        if is_watched_for(&summary) && watched.domains.is_empty() && watched.addresses.is_empty() {
            let text =
                "  nobody is watched; `monitor = { domains = true }` watches the tenant's domains";
            page.line(Text::new(text, Tone::Warn));
        }
        exit = exit.and(exit_of(&summary, scan.strict));
        if let Some(severity) = scan.fail_on {
            exit = exit.and(Exit::found(has_open(&tenant, severity).await?));
        }
        incidents += tenant.status().await?.open_incidents.values().sum::<u64>();
        all.push(TenantScan {
            tenant: tenant.id().to_string(),
            summary: Some(summary),
            error: None,
            trouble,
        });
    }
    if incidents > 0 {
        page.next("protect plan", "what the rules want done");
    } else {
        page.next("protect findings", "what is known");
    }
    Ok(Answer::many("tenants", &all, page)?.exit(exit))
}

/// The open findings about this installation itself: a refused key, a plan that is too small. Not
/// those about a scan that failed: its error says more.
async fn trouble(tenant: &Tenant) -> Result<Vec<Finding>> {
    let filter = FindingFilter {
        statuses: vec![FindingStatus::New, FindingStatus::Acknowledged],
        kinds: vec![FindingKind::Operational],
        ..FindingFilter::default()
    };
    let mut found = tenant.findings(&filter).await?.findings;
    found.retain(|finding| {
        let check = finding.observation.check.as_str();
        ENGINE_CHECKS.iter().all(|(engines, _)| *engines != check)
    });
    Ok(found)
}

/// A tenant whose scan could not begin.
fn failed(page: &mut Page, tenant: &Tenant, error: &Error) -> TenantScan {
    let error = error.envelope();
    page.heading(heading(tenant));
    let mut table = Table::bare().indent(2);
    table.row([words::error(&error)]);
    page.table(table);
    TenantScan {
        tenant: tenant.id().to_string(),
        summary: None,
        error: Some(error),
        trouble: Vec::new(),
    }
}

fn heading(tenant: &Tenant) -> String {
    format!("{} ({})", tenant.config().name, tenant.id())
}

/// Findings in rows and what became of incidents.
fn show(page: &mut Page, tenant: &Tenant, summary: &ScanSummary, trouble: &[Finding]) {
    page.heading(heading(tenant));
    let mut table = Table::new([
        "connector",
        "scan",
        "new",
        "known",
        "back",
        "gone",
        "signals",
        "rejected",
    ])
    .indent(2);
    for scan in &summary.connectors {
        let counts = &scan.counts;
        let numbers = [
            counts.new,
            counts.seen,
            counts.reopened,
            counts.resolved,
            counts.signals,
            counts.rejected,
        ];
        let [new, seen, reopened, resolved, signals, rejected] =
            numbers.map(|number| Text::from(number.to_string()));
        let state = match (scan.complete, scan.baseline) {
            (false, _) => Text::new("incomplete", Tone::Bad),
            (true, true) => "baseline".into(),
            (true, false) => Text::new("complete", Tone::Good),
        };
        let name = Text::from(scan.connector.as_str());
        table.row([
            name, state, new, seen, reopened, resolved, signals, rejected,
        ]);
    }
    page.table(table);
    let failed = summary
        .connectors
        .iter()
        .map(|scan| (&scan.connector, &scan.error));
    let unread = summary
        .directories
        .iter()
        .map(|read| (&read.connector, &read.error));
    let mut errors = Table::bare().indent(2);
    for (connector, error) in failed.chain(unread) {
        if let Some(error) = error {
            errors.row([connector.as_str().into(), words::error(error)]);
        }
    }
    for finding in trouble {
        let seen = &finding.observation;
        errors.row([
            seen.subject.id.as_str().into(),
            Text::new(
                format!("{}: {}", seen.title, seen.reasons.join("; ")),
                Tone::Warn,
            ),
        ]);
    }
    page.table(errors);
    for scan in &summary.connectors {
        let open = scan.counts.verdicts.not_evaluated;
        if open > 0 {
            let text = format!(
                "  {}: {open} checks could not look; `protect report` says why",
                scan.connector
            );
            page.line(Text::new(text, Tone::Warn));
        }
    }
}

/// Whether a connector looks at whoever is watched, and at nobody else.
fn is_watched_for(summary: &ScanSummary) -> bool {
    let kinds = ["email", "hibp"];
    let mut scans = summary.connectors.iter();
    scans.any(|scan| kinds.contains(&scan.kind.as_str()))
}

fn exit_of(summary: &ScanSummary, strict: bool) -> Exit {
    let mut exit = Exit::trouble(!summary.complete);
    let failed = summary
        .connectors
        .iter()
        .filter_map(|scan| scan.error.as_ref());
    let unread = summary
        .directories
        .iter()
        .filter_map(|read| read.error.as_ref());
    for error in failed.chain(unread) {
        exit = exit.and(Exit::of_envelope(error));
    }
    let not_evaluated = summary.connectors.iter().map(|scan| {
        let verdicts = scan.counts.verdicts;
        if strict {
            verdicts.not_evaluated
        } else {
            verdicts.vendor_errors
        }
    });
    exit.and(Exit::trouble(not_evaluated.sum::<u64>() > 0))
}

async fn has_open(tenant: &Tenant, severity: Severity) -> Result<bool> {
    let filter = FindingFilter {
        statuses: vec![FindingStatus::New, FindingStatus::Acknowledged],
        min_severity: Some(severity),
        limit: Some(1),
        ..FindingFilter::default()
    };
    Ok(!tenant.findings(&filter).await?.findings.is_empty())
}
