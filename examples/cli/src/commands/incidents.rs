//! `incidents`.

use protect_connectors::core::Result;
use protect_connectors::core::engine::{FindingFilter, IncidentFilter, Step, Tenant};
use protect_connectors::core::model::{Finding, Incident, IncidentStatus};
use serde::Serialize;

use crate::app::App;
use crate::args::{IncidentCommand, Incidents};
use crate::output::Answer;
use crate::page::{Page, Table, Text};
use crate::words::{self, Names};

#[derive(Serialize)]
struct WithFindings {
    incident: Incident,
    findings: Vec<Finding>,
    actions: Vec<Step>,
}

/// Lists and shows incidents.
pub(super) async fn run(app: &App, incidents: Incidents) -> Result<Answer> {
    let tenant = app.tenant(incidents.tenant.tenant.as_deref()).await?;
    match incidents.command {
        None => list(&tenant, incidents.all).await,
        Some(IncidentCommand::Show { id }) => {
            let incident = tenant.incident(&id).await?;
            show(&tenant, incident).await
        }
        Some(IncidentCommand::Set { id, status, by }) => {
            let actor = by.actor();
            let incident = tenant.set_incident_status(&id, status, &actor).await?;
            show(&tenant, incident).await
        }
    }
}

async fn list(tenant: &Tenant, all: bool) -> Result<Answer> {
    use IncidentStatus::{Contained, Investigating, New, Open};
    let filter = IncidentFilter {
        statuses: if all {
            Vec::new()
        } else {
            vec![New, Open, Investigating, Contained]
        },
        ..IncidentFilter::default()
    };
    let mut found = tenant.incidents(&filter).await?;
    found.sort_by_key(|incident| std::cmp::Reverse(incident.severity));
    let mut page = Page::new();
    if found.is_empty() {
        page.line(if all {
            "No incidents."
        } else {
            "No open incidents."
        });
    } else {
        page.table(words::incidents(&found));
        page.next("protect plan", "what the rules want done");
    }
    Answer::many("incidents", &found, page)
}

async fn show(tenant: &Tenant, incident: Incident) -> Result<Answer> {
    let filter = FindingFilter {
        incident: Some(incident.id.clone()),
        limit: Some(incident.findings.len().max(1)),
        ..FindingFilter::default()
    };
    let findings = tenant.findings(&filter).await?.findings;
    let mut actions = tenant.actions().await?;
    actions.retain(|step| step.action.incident.as_ref() == Some(&incident.id));
    let mut page = Page::new();
    page.heading(&incident.title);
    let mut facts = Table::bare().indent(2);
    facts.row([Text::faint("severity"), words::severity(incident.severity)]);
    facts.row([Text::faint("status"), incident.status.as_str().into()]);
    facts.row([Text::faint("opened"), words::moment(incident.opened_at)]);
    facts.row([Text::faint("id"), incident.id.as_str().into()]);
    let names = Names::of(tenant).await?;
    page.table(facts)
        .gap()
        .table(words::findings(&findings, &names))
        .gap();
    words::credit(&mut page, &findings);
    if !actions.is_empty() {
        page.gap().table(words::steps(&actions, &names));
    }
    let whole = WithFindings {
        incident,
        findings,
        actions,
    };
    Answer::one(&whole, page)
}
