//! What bad input gets: an error that says where, and nothing lost.
//!
//! What the command line makes of it, the exit status, is tested with the command line.

mod addresses;
mod clock;
mod configuration;
mod stores;
mod vendors;

use protect_connectors::core::ErrorEnvelope;
use protect_connectors::core::engine::{FindingFilter, ScanOptions, ScanSummary, Tenant};

pub(super) fn forced() -> ScanOptions {
    ScanOptions {
        forced: true,
        ..ScanOptions::default()
    }
}

pub(super) async fn scan(tenant: &Tenant) -> ScanSummary {
    tenant.scan_with(forced()).await.unwrap()
}

/// The ids of what is open.
pub(super) async fn open_findings(tenant: &Tenant) -> Vec<String> {
    let filter = FindingFilter {
        limit: Some(1_000),
        ..FindingFilter::default()
    };
    let page = tenant.findings(&filter).await.unwrap();
    let open = page.findings.into_iter().filter(|f| f.status.is_open());
    open.map(|finding| finding.id.to_string()).collect()
}

/// What went wrong, by connector.
pub(super) fn errors(summary: &ScanSummary) -> Vec<(String, ErrorEnvelope)> {
    let scans = summary.connectors.iter().map(|s| (&s.connector, &s.error));
    let directories = summary.directories.iter().map(|d| (&d.connector, &d.error));
    scans
        .chain(directories)
        .filter_map(|(name, error)| Some((name.to_string(), error.clone()?)))
        .collect()
}
