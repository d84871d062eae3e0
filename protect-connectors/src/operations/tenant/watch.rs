//! Watching: scan, findings, incidents, who is watched.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use protect_core::engine::{FindingFilter, IncidentFilter, ScanOptions, ScanProgress, Tenant};
use protect_core::model::{
    Address, CheckId, ConnectorName, FindingId, FindingKind, FindingStatus, IncidentId,
    IncidentStatus, Severity,
};
use protect_core::operation::{Page, ProgressSink, answer, arguments};
use protect_core::report::{Month, ReportFormat, ReportSection};
use protect_core::{Error, Result};
use serde_json::Value;

use super::{person, shapes};
use crate::operations::Nothing;

shapes! {
    Scan { connectors: Option<Vec<ConnectorName>>, forced: Option<bool>, baseline: Option<bool> }
    Findings {
        statuses: Option<Vec<FindingStatus>>,
        kinds: Option<Vec<FindingKind>>,
        min_severity: Option<Severity>,
        source: Option<ConnectorName>,
        check: Option<CheckId>,
        incident: Option<IncidentId>,
        cursor: Option<FindingId>,
    }
    FindingOf { id: FindingId }
    FindingBy { id: FindingId, by: String }
    Accept { id: FindingId, until: Timestamp, reason: String, by: String }
    FalsePositive { id: FindingId, reason: String, by: String }
    Incidents {
        statuses: Option<Vec<IncidentStatus>>,
        kinds: Option<Vec<FindingKind>>,
        min_severity: Option<Severity>,
    }
    IncidentOf { id: IncidentId }
    SetStatus { id: IncidentId, status: IncidentStatus, by: String }
    Watch { address: Address, by: String }
    Import { csv: String, by: String }
    Of { month: Month }
    OfAs { month: Month, format: ReportFormat }
}

/// Calls one of these operations; `None` where it is none of them.
pub(super) async fn call(tenant: &Tenant, operation: &str, given: &Value) -> Result<Option<Value>> {
    let given = given.clone();
    let answered = match operation {
        "scan" => scan(tenant, given, None).await,
        "findings" => findings(tenant, arguments(given)?).await,
        "finding" => {
            let FindingOf { id } = arguments(given)?;
            answer(&tenant.finding(&id).await?)
        }
        "acknowledge_finding" => {
            let FindingBy { id, by } = arguments(given)?;
            answer(&tenant.acknowledge_finding(&id, &person(by)).await?)
        }
        "resolve_finding" => {
            let FindingBy { id, by } = arguments(given)?;
            answer(&tenant.resolve_finding(&id, &person(by)).await?)
        }
        "accept_finding" => {
            let Accept {
                id,
                until,
                reason,
                by,
            } = arguments(given)?;
            let by = person(by);
            answer(&tenant.accept_finding(&id, until, &reason, &by).await?)
        }
        "mark_false_positive" => {
            let FalsePositive { id, reason, by } = arguments(given)?;
            let by = person(by);
            answer(&tenant.mark_false_positive(&id, &reason, &by).await?)
        }
        "incidents" => {
            let asked: Incidents = arguments(given)?;
            let filter = IncidentFilter {
                statuses: asked.statuses.unwrap_or_default(),
                kinds: asked.kinds.unwrap_or_default(),
                min_severity: asked.min_severity,
                ..IncidentFilter::default()
            };
            answer(&tenant.incidents(&filter).await?)
        }
        "incident" => {
            let IncidentOf { id } = arguments(given)?;
            answer(&tenant.incident(&id).await?)
        }
        "set_incident_status" => {
            let SetStatus { id, status, by } = arguments(given)?;
            let by = person(by);
            answer(&tenant.set_incident_status(&id, status, &by).await?)
        }
        "monitor_add" => {
            let Watch { address, by } = arguments(given)?;
            answer(&tenant.monitor_add(&address, &person(by)).await?)
        }
        "monitor_remove" => {
            let Watch { address, by } = arguments(given)?;
            answer(&tenant.monitor_remove(&address, &person(by)).await?)
        }
        "monitor_import" => {
            let Import { csv, by } = arguments(given)?;
            answer(&tenant.monitor_import(csv.as_bytes(), &person(by)).await?)
        }
        "report" => {
            let Of { month } = arguments(given)?;
            answer(&tenant.report(month, &sections()).await?)
        }
        "score_history" => {
            let Of { month } = arguments(given)?;
            answer(&tenant.score_history(month).await?)
        }
        "report_as" => {
            let OfAs { month, format } = arguments(given)?;
            answer(&tenant.report_as(month, format, &sections()).await?)
        }
        _ => return without_arguments(tenant, operation, given).await,
    };
    answered.map(Some)
}

async fn without_arguments(
    tenant: &Tenant,
    operation: &str,
    given: Value,
) -> Result<Option<Value>> {
    let nothing = || arguments::<Nothing>(given);
    let answered = match operation {
        "status" => nothing()
            .map(|_| tenant.status())?
            .await
            .and_then(|it| answer(&it)),
        "doctor" => answer(&nothing().map(|_| tenant.doctor())?.await),
        "verdicts" => nothing()
            .map(|_| tenant.verdicts())?
            .await
            .and_then(|it| answer(&it)),
        "accounts" => nothing()
            .map(|_| tenant.accounts())?
            .await
            .and_then(|it| answer(&it)),
        "monitor_list" => nothing()
            .map(|_| tenant.monitor_list())?
            .await
            .and_then(|it| answer(&it)),
        "score" => nothing()
            .map(|_| tenant.score())?
            .await
            .and_then(|it| answer(&it)),
        _ => return Ok(None),
    };
    answered.map(Some)
}

/// Scans; what the progress sink answers ends the scan.
pub(super) async fn scan(
    tenant: &Tenant,
    given: Value,
    progress: Option<ProgressSink>,
) -> Result<Value> {
    let asked: Scan = arguments(given)?;
    let mut options = ScanOptions {
        connectors: asked.connectors.unwrap_or_default(),
        forced: asked.forced.unwrap_or_default(),
        baseline: asked.baseline.unwrap_or_default(),
        progress: None,
    };
    let Some(sink) = progress else {
        return answer(&tenant.scan_with(options).await?);
    };
    let (stop, stopped) = futures::channel::oneshot::channel::<Error>();
    let stop = Mutex::new(Some(stop));
    options.progress = Some(Arc::new(move |progress: &ScanProgress| {
        if let Err(error) = answer(progress).and_then(|it| sink(it)) {
            let mut stop = stop.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody listens any more where the scan has just ended.
            stop.take().map(|stop| stop.send(error));
        }
    }));
    let scan = Box::pin(tenant.scan_with(options));
    match futures::future::select(stopped, scan).await {
        futures::future::Either::Left((Ok(error), _)) => Err(error),
        futures::future::Either::Left((Err(_), scan)) => answer(&scan.await?),
        futures::future::Either::Right((summary, _)) => answer(&summary?),
    }
}

/// What the connectors of this build add to a report.
fn sections() -> Vec<&'static dyn ReportSection> {
    #[cfg(feature = "email")]
    let sections = crate::report::sections();
    #[cfg(not(feature = "email"))]
    let sections = Vec::new();
    sections
}

async fn findings(tenant: &Tenant, asked: Findings) -> Result<Value> {
    let filter = FindingFilter {
        statuses: asked.statuses.unwrap_or_default(),
        kinds: asked.kinds.unwrap_or_default(),
        min_severity: asked.min_severity,
        source: asked.source,
        check: asked.check,
        incident: asked.incident,
        after: asked.cursor,
        ..FindingFilter::default()
    };
    let page = tenant.findings(&filter).await?;
    answer(&Page {
        items: page.findings.iter().map(answer).collect::<Result<_>>()?,
        cursor: page.next.map(String::from),
    })
}
