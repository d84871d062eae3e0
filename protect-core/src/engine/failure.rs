//! The operational findings about this installation's own connectors.

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::model::{
    Attributes, CheckId, Confidence, ConnectorName, FindingId, FindingKind, Observation, Severity,
    Subject, TenantId,
};

/// The check of the finding that says that a connector could not be scanned.
pub(crate) const SCAN_FAILED: &str = "protect.scan.failed";

/// The check of the finding that says that a directory could not be read.
pub(crate) const DIRECTORY_FAILED: &str = "protect.directory.failed";

/// The checks that the engine itself decides: id, and what it says is wrong.
pub const ENGINE_CHECKS: &[(&str, &str)] = &[
    (SCAN_FAILED, "A connector could not be scanned to the end"),
    (DIRECTORY_FAILED, "A directory could not be read to the end"),
    (
        "protect.offboarding.open",
        "Somebody leaves, and their access is to end",
    ),
    (
        "protect.offboarding.access_left",
        "Access that was to end is still there, or nobody knows",
    ),
    (
        "protect.certification.ending",
        "A certification ended, or is about to",
    ),
];

/// The one operational finding of a connector that fails.
pub(crate) fn failure(
    check: &'static str,
    connector: &ConnectorName,
    error: &Error,
) -> Result<Observation> {
    let Value::Object(details) = json!(error.envelope()) else {
        return Err(Error::unexpected("an error has no JSON form"));
    };
    Ok(Observation {
        check: CheckId::new(check)?,
        kind: FindingKind::Operational,
        subject: failure_subject(connector),
        discriminator: String::new(),
        cause: None,
        severity: Severity::Medium,
        confidence: Confidence::High,
        title: format!("The connector {connector} fails: {}", error.kind()),
        reasons: vec![error.message().to_owned()],
        attribution: None,
        references: Vec::new(),
        details,
        from_event: false,
    })
}

/// The id of that finding.
pub(crate) fn failure_id(
    tenant: &TenantId,
    check: &'static str,
    connector: &ConnectorName,
) -> Result<FindingId> {
    let check = CheckId::new(check)?;
    Ok(FindingId::of(
        tenant,
        &check,
        &failure_subject(connector),
        "",
    ))
}

/// What the ledger is told of an error: its kind and operation.
pub(crate) fn error_facts(error: &Error) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("error".to_owned(), json!(error.kind()));
    facts.insert("operation".to_owned(), json!(error.operation()));
    facts
}

fn failure_subject(connector: &ConnectorName) -> Subject {
    Subject::setting("engine", format!("connectors/{connector}"))
}
