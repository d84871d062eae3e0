//! `checks`.

use std::collections::BTreeMap;

use protect_connectors::core::config::CheckSpec;
use protect_connectors::core::engine::{FindingFilter, StoredVerdict, Tenant};
use protect_connectors::core::model::{CheckId, Finding, Severity, Verdict};
use protect_connectors::core::{Error, ErrorKind, Result};
use protect_connectors::registry;
use serde::Serialize;

use crate::app::App;
use crate::args::{Checks, OneTenant};
use crate::output::Answer;
use crate::page::{Page, Table, Text, Tone};
use crate::words::{self, Names};

/// A check.
#[derive(Serialize)]
struct Known {
    check: CheckId,
    /// What it says is wrong, where its kind of connector declares it.
    says: Option<String>,
    /// The worst that it finds.
    severity: Option<Severity>,
    /// What decides it: the tenant's connectors, or without a tenant the kind.
    connectors: Vec<String>,
    verdicts: Vec<StoredVerdict>,
    open_findings: usize,
}

impl Known {
    fn new(check: &CheckId, declared: Option<&CheckSpec>) -> Self {
        Self {
            check: check.clone(),
            says: declared.map(|spec| spec.docs.clone()),
            severity: declared.map(|spec| spec.severity),
            connectors: Vec::new(),
            verdicts: Vec::new(),
            open_findings: 0,
        }
    }
}

#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    known: Known,
    findings: Vec<Finding>,
}

/// The catalogue of checks: of a tenant's connectors, or without a configuration of every kind.
pub(super) async fn run(app: &App, command: Checks) -> Result<Answer> {
    match command {
        Checks::List(of) => list(tenant(app, &of).await?.as_ref()).await,
        Checks::Explain { check, tenant: of } => {
            explain(tenant(app, &of).await?.as_ref(), &check).await
        }
    }
}

/// The tenant; `None` where there is no configuration and nobody named one or the other.
async fn tenant(app: &App, of: &OneTenant) -> Result<Option<Tenant>> {
    let asked = app.config_typed || of.tenant.is_some();
    if !asked && !app.config.exists() {
        return Ok(None);
    }
    app.tenant(of.tenant.as_deref()).await.map(Some)
}

async fn list(tenant: Option<&Tenant>) -> Result<Answer> {
    let checks: Vec<_> = catalogue(tenant).await?.into_values().collect();
    let mut table = Table::new([
        "check",
        "says",
        "at worst",
        "by",
        "last verdict",
        "open findings",
    ]);
    for check in &checks {
        let verdict = check.verdicts.first();
        table.row([
            check.check.as_str().into(),
            check.says.as_deref().unwrap_or_default().into(),
            check.severity.map_or_else(|| "".into(), words::severity),
            Text::faint(check.connectors.join(", ")),
            match verdict.map(|stored| stored.result.verdict) {
                // The events could be read; what was seen in them stands beside.
                Some(Verdict::Pass) if check.open_findings > 0 => Text::new("found", Tone::Warn),
                Some(verdict) => words::verdict(verdict),
                None => Text::faint("-"),
            },
            check.open_findings.to_string().into(),
        ]);
    }
    let mut page = Page::new();
    if tenant.is_none() {
        page.line("There is no configuration: these are the checks of every kind of connector.");
    }
    page.table(table);
    page.next("protect checks explain CHECK", "one of them");
    Answer::many("checks", &checks, page)
}

async fn explain(tenant: Option<&Tenant>, name: &str) -> Result<Answer> {
    let mut all = catalogue(tenant).await?;
    let unknown = || unknown(tenant);
    let id: CheckId = name.parse().map_err(|_| unknown())?;
    let check = all.remove(&id).ok_or_else(unknown)?;
    let filter = FindingFilter {
        check: Some(id.clone()),
        ..FindingFilter::default()
    };
    let findings = match tenant {
        Some(tenant) => tenant.findings(&filter).await?.findings,
        None => Vec::new(),
    };
    let mut page = Page::new();
    page.heading(id.as_str());
    if let Some(says) = &check.says {
        page.line(format!("{says}."));
    }
    let mut facts = Table::bare().indent(2);
    if let Some(severity) = check.severity {
        facts.row([Text::faint("at worst"), words::severity(severity)]);
    }
    facts.row([
        Text::faint("decided by"),
        check.connectors.join(", ").into(),
    ]);
    for stored in &check.verdicts {
        let result = &stored.result;
        facts.row([
            Text::faint(stored.connector.as_str()),
            words::verdict(result.verdict),
        ]);
        facts.row([Text::faint("  at"), words::moment(stored.at)]);
        facts.row([Text::faint("  severity"), words::severity(result.severity)]);
        facts.row([Text::faint("  reason"), result.reason.as_str().into()]);
        for subject in &result.affected {
            facts.row([Text::faint("  affected"), subject.as_str().into()]);
        }
        for reference in &result.references {
            let words = format!(
                "{} {} {}",
                reference.framework, reference.version, reference.id
            );
            facts.row([Text::faint("  reference"), words.into()]);
        }
    }
    page.table(facts).gap();
    if let Some(tenant) = tenant {
        if findings.is_empty() {
            page.line("Nothing was found.");
        }
        let names = Names::of(tenant).await?;
        page.table(words::findings(&findings, &names)).gap();
        words::credit(&mut page, &findings);
    }
    Answer::one(
        &Explained {
            known: check,
            findings,
        },
        page,
    )
}

fn unknown(tenant: Option<&Tenant>) -> Error {
    let error = Error::new(
        ErrorKind::NotFound,
        "no connector decides such a check; `protect checks list` names them",
    );
    match tenant {
        Some(tenant) => error.with_context("tenant", tenant.id().as_str()),
        None => error,
    }
}

async fn catalogue(tenant: Option<&Tenant>) -> Result<BTreeMap<CheckId, Known>> {
    let registry = registry();
    let declared: BTreeMap<&str, (&str, &CheckSpec)> = registry
        .specs()
        .flat_map(|kind| {
            let checks = kind.checks.iter();
            checks.map(|check| (check.id.as_str(), (kind.name.as_str(), check)))
        })
        .collect();
    match tenant {
        Some(tenant) => of_tenant(tenant, &declared).await,
        None => declared
            .into_values()
            .map(|(kind, check)| {
                let id = CheckId::new(&check.id)?;
                let mut known = Known::new(&id, Some(check));
                known.connectors.push(kind.to_owned());
                Ok((id, known))
            })
            .collect(),
    }
}

async fn of_tenant(
    tenant: &Tenant,
    declared: &BTreeMap<&str, (&str, &CheckSpec)>,
) -> Result<BTreeMap<CheckId, Known>> {
    let mut checks: BTreeMap<CheckId, Known> = BTreeMap::new();
    let empty = |check: &CheckId| {
        let declared = declared.get(check.as_str());
        Known::new(check, declared.map(|(_, spec)| *spec))
    };
    for connector in tenant.connectors() {
        for check in &connector.capability().checks {
            let entry = checks.entry(check.clone()).or_insert_with(|| empty(check));
            entry.connectors.push(connector.info().name.to_string());
        }
    }
    for stored in tenant.verdicts().await? {
        let check = &stored.result.check;
        let entry = checks.entry(check.clone()).or_insert_with(|| empty(check));
        entry.verdicts.push(stored);
    }
    let mut filter = FindingFilter::default();
    loop {
        let page = tenant.findings(&filter).await?;
        for finding in page
            .findings
            .iter()
            .filter(|finding| finding.status.is_open())
        {
            if let Some(check) = checks.get_mut(&finding.observation.check) {
                check.open_findings += 1;
            }
        }
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return Ok(checks),
        }
    }
}
