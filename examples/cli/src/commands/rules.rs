//! `rules` and `checks`.

use std::collections::BTreeMap;

use protect_connectors::core::engine::{FindingFilter, StoredVerdict, Tenant};
use protect_connectors::core::model::{CheckId, Finding, Severity, Verdict};
use protect_connectors::core::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::app::App;
use crate::args::{Checks, Rules};
use crate::output::Answer;
use crate::page::{Page, Table, Text, Tone};
use crate::words::{self, Names};

/// Which stored findings a rule applies to, and why not.
pub(super) async fn rules(app: &App, command: Rules) -> Result<Answer> {
    let Rules::Test { name, tenant } = command;
    let tenant = app.tenant(tenant.tenant.as_deref()).await?;
    let trials = tenant.try_rule(&name).await?;
    let applying = trials.iter().filter(|trial| trial.applies).count();
    let mut page = Page::new();
    page.line(format!(
        "`{name}` applies to {applying} of {}.",
        words::count_of(trials.len(), "stored finding")
    ));
    let mut table = Table::new(["applies", "what", "id", "because"]);
    for trial in &trials {
        let (word, tone) = if trial.applies {
            ("yes", Tone::Good)
        } else {
            ("no", Tone::Faint)
        };
        table.row([
            Text::new(word, tone),
            trial.title.as_str().into(),
            Text::faint(trial.finding.as_str()),
            trial.because.join("; ").into(),
        ]);
    }
    page.gap().table(table);
    Answer::many("trials", &trials, page)
}

/// A check of a tenant's connectors.
#[derive(Serialize)]
struct Known {
    check: CheckId,
    /// What it says is wrong, where its kind of connector declares it.
    says: Option<String>,
    /// The worst that it finds.
    severity: Option<Severity>,
    connectors: Vec<String>,
    verdicts: Vec<StoredVerdict>,
    open_findings: usize,
}

#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    known: Known,
    findings: Vec<Finding>,
}

/// The catalogue of checks.
pub(super) async fn checks(app: &App, command: Checks) -> Result<Answer> {
    match command {
        Checks::List(of) => {
            let tenant = app.tenant(of.tenant.as_deref()).await?;
            list(&tenant).await
        }
        Checks::Explain { check, tenant } => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            explain(&tenant, &check).await
        }
    }
}

async fn list(tenant: &Tenant) -> Result<Answer> {
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
    page.table(table);
    page.next("protect checks explain CHECK", "one of them");
    Answer::many("checks", &checks, page)
}

async fn explain(tenant: &Tenant, name: &str) -> Result<Answer> {
    let mut all = catalogue(tenant).await?;
    let unknown = || {
        Error::new(
            ErrorKind::NotFound,
            "no connector of this tenant decides such a check; `protect checks list` names them",
        )
        .with_context("tenant", tenant.id().as_str())
    };
    let id: CheckId = name.parse().map_err(|_| unknown())?;
    let check = all.remove(&id).ok_or_else(unknown)?;
    let filter = FindingFilter {
        check: Some(id.clone()),
        ..FindingFilter::default()
    };
    let findings = tenant.findings(&filter).await?.findings;
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
    if findings.is_empty() {
        page.line("Nothing was found.");
    }
    let names = Names::of(tenant).await?;
    page.table(words::findings(&findings, &names)).gap();
    words::credit(&mut page, &findings);
    Answer::one(
        &Explained {
            known: check,
            findings,
        },
        page,
    )
}

async fn catalogue(tenant: &Tenant) -> Result<BTreeMap<CheckId, Known>> {
    let mut checks: BTreeMap<CheckId, Known> = BTreeMap::new();
    let registry = protect_connectors::registry();
    let declared = |check: &CheckId| {
        let mut all = registry.specs().flat_map(|spec| &spec.checks);
        all.find(|spec| spec.id == check.as_str())
    };
    let empty = |check: &CheckId| Known {
        check: check.clone(),
        says: declared(check).map(|spec| spec.docs.clone()),
        severity: declared(check).map(|spec| spec.severity),
        connectors: Vec::new(),
        verdicts: Vec::new(),
        open_findings: 0,
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
