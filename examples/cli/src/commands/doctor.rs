//! `doctor` and `status`.

use std::collections::BTreeSet;

use protect_connectors::core::Result;
use protect_connectors::core::connector::{CredentialDiagnosis, Diagnosis};
use protect_connectors::core::engine::{Checkup, Pause, Step, Tenant, TenantStatus};
use protect_connectors::core::model::{Mode, OutcomeStatus, Plan};
use serde::Serialize;

use crate::app::App;
use crate::args::OfTenant;
use crate::exit::Exit;
use crate::output::Answer;
use crate::page::{Page, Table, Text, Tone};
use crate::progress::Progress;
use crate::words::{self, Names};

#[derive(Serialize)]
struct TenantCheckups<'a> {
    tenant: &'a str,
    connectors: Vec<Checkup>,
}

/// Asks every vendor what is missing, what is too much, and whether the clocks agree.
pub(super) async fn doctor(app: &App, of: OfTenant) -> Result<Answer> {
    let tenants = app.tenants(of.tenant.as_deref()).await?;
    let mut page = Page::new();
    let mut exit = Exit::OK;
    let mut all = Vec::new();
    for tenant in &tenants {
        let progress = Progress::start(app.output, format!("{}: asking vendors", tenant.id()));
        let connectors = tenant.doctor().await;
        drop(progress);
        page.heading(format!("{} ({})", tenant.config().name, tenant.id()));
        for checkup in &connectors {
            show_checkup(&mut page, checkup);
            exit = exit.and(Exit::trouble(!checkup.healthy));
            if let Some(error) = &checkup.error {
                exit = exit.and(Exit::of_envelope(error));
            }
        }
        all.push(TenantCheckups {
            tenant: tenant.id().as_str(),
            connectors,
        });
    }
    if exit == Exit::OK {
        page.next("protect scan", "look for the first time");
    } else {
        page.gap().line(Text::new(
            "Something stands in the way; see the lines marked above.",
            Tone::Warn,
        ));
    }
    Ok(Answer::many("tenants", &all, page)?.exit(exit))
}

fn show_checkup(page: &mut Page, checkup: &Checkup) {
    let (word, tone) = if checkup.healthy {
        ("healthy", Tone::Good)
    } else {
        ("unhealthy", Tone::Bad)
    };
    page.gap().mixed([
        Text::strong(checkup.connector.name.as_str()),
        Text::faint(format!(" ({})  ", checkup.connector.kind)),
        Text::new(word, tone),
    ]);
    let mut facts = Table::bare().indent(2);
    if let Some(diagnosis) = &checkup.diagnosis {
        show_diagnosis(&mut facts, diagnosis);
    }
    if let Some(error) = &checkup.error {
        facts.row([Text::faint("error"), words::error(error)]);
    }
    page.table(facts);
}

fn show_diagnosis(facts: &mut Table, diagnosis: &Diagnosis) {
    facts.row([Text::faint("reachable"), yes(Some(diagnosis.reachable))]);
    for credential in &diagnosis.credentials {
        show_credential(facts, credential);
    }
    if let Some(skew) = diagnosis.clock_skew_seconds {
        let words = match skew {
            0 => "the vendor's agrees with ours".to_owned(),
            1.. => format!("the vendor's is {skew} s ahead of ours"),
            _ => format!("the vendor's is {} s behind ours", skew.unsigned_abs()),
        };
        let words = if diagnosis.is_clock_wrong() {
            let words = format!("{words}: set this machine's clock, or tokens and signatures fail");
            Text::new(words, Tone::Bad)
        } else {
            words.into()
        };
        facts.row([Text::faint("clock"), words]);
    }
    for note in &diagnosis.notes {
        facts.row([Text::faint("note"), note.as_str().into()]);
    }
}

fn show_credential(facts: &mut Table, credential: &CredentialDiagnosis) {
    facts.row([
        Text::faint(format!("credential `{}`", credential.name)),
        match credential.accepted {
            Some(true) => Text::new("accepted", Tone::Good),
            Some(false) => Text::new("not accepted", Tone::Bad),
            None => Text::new("cannot tell", Tone::Warn),
        },
    ]);
    let lists = [
        ("  missing", &credential.missing, Tone::Bad),
        ("  more than needed", &credential.excess, Tone::Warn),
    ];
    for (label, permissions, tone) in lists {
        if !permissions.is_empty() {
            facts.row([Text::faint(label), Text::new(permissions.join(", "), tone)]);
        }
    }
    if let Some(note) = &credential.note {
        facts.row([Text::faint("  note"), note.as_str().into()]);
    }
}

fn yes(so: Option<bool>) -> Text {
    match so {
        Some(true) => Text::new("yes", Tone::Good),
        Some(false) => Text::new("no", Tone::Bad),
        None => Text::new("cannot tell", Tone::Warn),
    }
}

#[derive(Serialize)]
struct FullStatus {
    #[serde(flatten)]
    status: TenantStatus,
    paused: Option<Pause>,
    plans_waiting: Vec<Plan>,
    /// What was done and can be taken back.
    undoable: Vec<Step>,
}

/// What runs, what waits, what is open.
pub(super) async fn status(app: &App, of: OfTenant) -> Result<Answer> {
    let mut page = Page::new();
    let mut all = Vec::new();
    for tenant in app.tenants(of.tenant.as_deref()).await? {
        let status = FullStatus {
            status: tenant.status().await?,
            paused: tenant.paused().await?,
            plans_waiting: tenant.plans_waiting().await?,
            undoable: undoable(&tenant).await?,
        };
        let names = Names::of(&tenant).await?;
        show_status(&mut page, &tenant, &status, &names);
        all.push(status);
    }
    Answer::many("tenants", &all, page)
}

/// What was applied, has an undo, and was not taken back.
async fn undoable(tenant: &Tenant) -> Result<Vec<Step>> {
    let all = tenant.actions().await?;
    let undone: BTreeSet<_> = all
        .iter()
        .filter_map(|step| step.action.undoes.clone())
        .collect();
    let can_be = |step: &Step| {
        step.status() == Some(OutcomeStatus::Applied)
            && step.action.undoes.is_none()
            && step.action.kind.undo().is_some()
            && !undone.contains(&step.action.id)
    };
    Ok(all.into_iter().filter(can_be).collect())
}

fn show_status(page: &mut Page, tenant: &Tenant, full: &FullStatus, names: &Names) {
    let status = &full.status;
    page.heading(format!("{} ({})", tenant.config().name, status.tenant));
    let mut facts = Table::bare().indent(2);
    let mode = match status.mode {
        Mode::DryRun => "dry_run: nothing is changed anywhere",
        Mode::Enforce => "enforce: what is approved is done",
    };
    facts.row([Text::faint("mode"), mode.into()]);
    if let Some(pause) = &full.paused {
        let words = format!("by {} since {}: {}", pause.by, pause.since, pause.reason);
        facts.row([Text::faint("paused"), Text::new(words, Tone::Warn)]);
    }
    let open = [
        ("open findings", words::by_severity(&status.open_findings)),
        ("open incidents", words::by_severity(&status.open_incidents)),
        ("plans waiting", full.plans_waiting.len().to_string()),
    ];
    for (label, words) in open {
        facts.row([Text::faint(label), words.into()]);
    }
    for (state, count) in &status.waiting_actions {
        facts.row([
            Text::faint(format!("actions {}", state.as_str().replace('_', " "))),
            count.to_string().into(),
        ]);
    }
    page.table(facts).gap();
    let mut table = Table::new([
        "connector",
        "kind",
        "does",
        "last complete",
        "next",
        "error",
    ])
    .indent(2);
    for connector in &status.connectors {
        table.row([
            connector.connector.as_str().into(),
            connector.kind.as_str().into(),
            connector.roles.join(", ").into(),
            words::moment_or(
                connector.last_complete_at.or(connector.directory_read_at),
                "never",
            ),
            words::moment_or(connector.next_scan_at, "not scheduled"),
            connector
                .last_error
                .as_ref()
                .map_or_else(|| "".into(), words::error),
        ]);
    }
    page.table(table);
    if let Some(last) = full.undoable.last() {
        page.gap()
            .line("What was done and can be taken back:")
            .table(words::steps(&full.undoable, names).indent(2));
        page.next(
            format!("protect undo {} --reason WHY", last.action.id),
            "take the last one back",
        );
    }
    if let Some(plan) = full.plans_waiting.first() {
        page.next(
            format!("protect plan {}", plan.id),
            "look at what waits for consent",
        );
    }
}
