//! `findings`.

use protect_connectors::core::engine::{FindingFilter, Tenant};
use protect_connectors::core::model::{Finding, FindingStatus, Severity};
use protect_connectors::core::{Error, Result};

use crate::app::App;
use crate::args::{self, FindingCommand, Findings};
use crate::output::Answer;
use crate::page::{Page, Table, Text};
use crate::words::{self, Names};

/// Lists, shows and settles findings.
pub(super) async fn run(app: &App, findings: Findings) -> Result<Answer> {
    let tenant = app.tenant(findings.tenant.tenant.as_deref()).await?;
    let Some(command) = findings.command else {
        return list(&tenant, findings.status, findings.all, findings.severity).await;
    };
    let finding = match command {
        FindingCommand::Show { id } => tenant.finding(&id).await?,
        FindingCommand::Acknowledge { id, by } => {
            tenant.acknowledge_finding(&id, &by.actor()).await?
        }
        FindingCommand::Resolve { id, by } => tenant.resolve_finding(&id, &by.actor()).await?,
        FindingCommand::Accept {
            id,
            until,
            reason,
            by,
        } => {
            let until = args::moment(&until, jiff::Timestamp::now())
                .map_err(|words| Error::invalid_input(words).with_context("argument", "--until"))?;
            tenant
                .accept_finding(&id, until, &reason, &by.actor())
                .await?
        }
        FindingCommand::FalsePositive { id, reason, by } => {
            tenant
                .mark_false_positive(&id, &reason, &by.actor())
                .await?
        }
    };
    let mut page = Page::new();
    show(&mut page, &finding, &Names::of(&tenant).await?);
    Answer::one(&finding, page)
}

async fn list(
    tenant: &Tenant,
    statuses: Vec<FindingStatus>,
    all: bool,
    min_severity: Option<Severity>,
) -> Result<Answer> {
    let statuses = match (all, statuses.is_empty()) {
        (true, _) => Vec::new(),
        (false, true) => vec![FindingStatus::New, FindingStatus::Acknowledged],
        (false, false) => statuses,
    };
    let mut filter = FindingFilter {
        statuses,
        min_severity,
        ..FindingFilter::default()
    };
    let mut found: Vec<Finding> = Vec::new();
    loop {
        let page = tenant.findings(&filter).await?;
        found.extend(page.findings);
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    found.sort_by(|a, b| {
        let worst_first = b.observation.severity.cmp(&a.observation.severity);
        worst_first
            .then(b.last_seen.cmp(&a.last_seen))
            .then(a.id.cmp(&b.id))
    });
    let mut page = Page::new();
    if found.is_empty() {
        page.line("No findings.");
    } else {
        page.table(words::findings(&found, &Names::of(tenant).await?))
            .gap();
        words::credit(&mut page, &found);
        page.next("protect findings show ID", "one of them, whole");
    }
    Answer::many("findings", &found, page)
}

fn show(page: &mut Page, finding: &Finding, names: &Names) {
    let seen = &finding.observation;
    page.heading(&seen.title);
    let mut facts = Table::bare().indent(2);
    let mut fact = |label: &'static str, words: Text| facts.row([Text::faint(label), words]);
    fact("severity", words::severity(seen.severity));
    fact("confidence", seen.confidence.as_str().into());
    fact("about", names.subject(&seen.subject).into());
    fact("check", seen.check.as_str().into());
    fact("status", finding.status.as_str().into());
    if let Some(acceptance) = &finding.acceptance {
        let words = format!(
            "until {} by {}: {}",
            acceptance.until, acceptance.author, acceptance.reason
        );
        fact("accepted", words.into());
    }
    if finding.baseline {
        fact(
            "baseline",
            "known before the first run; triggers nothing".into(),
        );
    }
    fact("first seen", words::moment(finding.first_seen));
    fact("last seen", words::moment(finding.last_seen));
    fact("times", finding.occurrence.to_string().into());
    for reason in &seen.reasons {
        fact("because", reason.as_str().into());
    }
    for reference in &seen.references {
        let words = format!(
            "{} {} {}",
            reference.framework, reference.version, reference.id
        );
        fact("reference", words.into());
    }
    for (key, value) in &seen.details {
        facts.row([Text::faint(key), words::value_of(value).into()]);
    }
    if let Some(incident) = &finding.incident {
        facts.row([Text::faint("incident"), incident.as_str().into()]);
    }
    facts.row([Text::faint("id"), finding.id.as_str().into()]);
    page.table(facts).gap();
    words::credit(page, [finding]);
}
