//! How the story reads.

use std::path::Path;

use protect_connectors::core::engine::Checkup;
use protect_connectors::core::model::{
    Finding, FindingKind, Incident, OutcomeStatus, Plan, Severity,
};
use protect_sandbox::Fault;

use super::mistake::Mistake;
use super::proof::{AccountNow, Proof};
use super::road::{APPROVER, Done, Found};
use super::stage::Stage;
use super::{Second, Story};
use crate::args::Demo;
use crate::commands::evidence;
use crate::exit::Exit;
use crate::page::{Page, Table, Text, Tone};
use crate::words::{self, Names};

/// Findings milder than this are counted, not listed.
const WORTH_A_LINE: Severity = Severity::Medium;

pub(super) fn beginning(stage: &Stage, demo: &Demo) -> Page {
    let mut page = Page::new();
    page.line(Text::strong(
        "A leaked credential and a flagged sign-in, dealt with once, with proof",
    ));
    page.gap();
    let mut facts = Table::bare().indent(2);
    let config = stage.tenant.config();
    facts.row([
        Text::faint("organisation"),
        format!("{}, {}", config.name, config.domains.join(", ")).into(),
    ]);
    facts.row([
        Text::faint("vendors"),
        "Have I Been Pwned, 1Password, Microsoft 365, The One Stack (PSA, RMM, Compliance); simulated".into(),
    ]);
    facts.row([
        Text::faint("mode"),
        "enforce, every plan needs somebody's consent".into(),
    ]);
    facts.row([Text::faint("seed"), demo.seed.to_string().into()]);
    page.table(facts);
    page
}

pub(super) fn doctor(checkups: &[Checkup], fault: Option<&Fault>) -> Page {
    let mut page = chapter("1  Can every vendor be reached?", "protect doctor");
    let mut table = Table::bare().indent(2);
    for checkup in checkups {
        let (word, tone) = if checkup.healthy {
            ("healthy", Tone::Good)
        } else {
            ("unhealthy", Tone::Bad)
        };
        let error = checkup
            .error
            .as_ref()
            .map_or_else(|| "".into(), words::error);
        table.row([
            checkup.connector.name.as_str().into(),
            Text::faint(&checkup.connector.kind),
            Text::new(word, tone),
            error,
        ]);
    }
    page.table(table);
    if let Some(fault) = fault {
        let name = fault.name();
        let meaning = Fault::NAMES.iter().find(|(known, _)| *known == name);
        let meaning = meaning.map_or("", |(_, meaning)| meaning);
        page.gap().mixed([
            Text::new(format!("  Fault switched on: {name}"), Tone::Warn),
            Text::faint(format!(" ({meaning})")),
        ]);
    }
    page
}

pub(super) fn found(found: &Found, names: &Names) -> Page {
    let mut page = chapter("2  What is wrong?", "protect scan");
    for scan in &found.scan.connectors {
        if let Some(error) = &scan.error {
            page.mixed([
                format!("  {}: ", scan.connector).into(),
                words::error(error),
            ]);
        }
    }
    for read in &found.scan.directories {
        if let Some(error) = &read.error {
            page.mixed([
                format!("  {}: ", read.connector).into(),
                words::error(error),
            ]);
        }
    }
    let (settings, others): (Vec<&Finding>, Vec<&Finding>) = found
        .findings
        .iter()
        .partition(|finding| finding.observation.kind == FindingKind::Misconfiguration);
    let worst = || {
        let seen = others.iter();
        seen.filter(|finding| finding.observation.severity >= WORTH_A_LINE)
    };
    let mut table = Table::bare().indent(2);
    for finding in worst() {
        let seen = &finding.observation;
        table.row([
            words::severity(seen.severity),
            seen.title.as_str().into(),
            Text::faint(names.subject(&seen.subject)),
        ]);
    }
    page.table(table);
    let milder = others.len() - worst().count();
    if milder > 0 {
        page.line(Text::faint(format!(
            "  and {} milder than these",
            words::count_of(milder, "other")
        )));
    }
    if !settings.is_empty() {
        page.line(Text::faint(format!(
            "  Settings weaker than they should be: {}; `protect findings` lists them",
            settings.len()
        )));
    }
    if found.findings.is_empty() {
        page.line("  Nothing was found.");
    }
    words::credit(&mut page, &found.findings);
    let mut incidents = Table::bare().indent(2);
    let (of_settings, listed): (Vec<&Incident>, Vec<&Incident>) = found
        .incidents
        .iter()
        .partition(|incident| incident.kind == FindingKind::Misconfiguration);
    for incident in &listed {
        incidents.row([
            words::severity(incident.severity),
            incident.title.as_str().into(),
            Text::faint(words::count_of(incident.findings.len(), "finding")),
        ]);
    }
    if !found.incidents.is_empty() {
        page.gap().line(format!(
            "  {}, {} of them about settings and not listed here:",
            words::count_of(found.incidents.len(), "incident"),
            of_settings.len()
        ));
    }
    page.table(incidents);
    page
}

pub(super) fn plan(plan: &Plan, names: &Names) -> Page {
    let mut page = chapter("3  What should be done?", "protect plan");
    if plan.actions.is_empty() {
        page.line("  Nothing that the rules name.");
    }
    words::plan(&mut page, plan, names);
    page
}

pub(super) fn done(done: &Done, names: &Names) -> Page {
    let command = if done.approval.is_some() {
        format!(
            "protect approve {} --by {APPROVER}; protect apply",
            done.plan.id
        )
    } else {
        "protect apply".to_owned()
    };
    let mut page = chapter("4  Do it", &command);
    if let Some(approval) = &done.approval {
        page.line(Text::faint(format!("  approved by {}", approval.by)));
    }
    if done.steps.is_empty() {
        page.line("  Nothing was to be done.");
    }
    page.table(steps(done, names));
    page
}

pub(super) fn steps(done: &Done, names: &Names) -> Table {
    let mut table = Table::bare().indent(2);
    for step in &done.steps {
        let outcome = step.outcome.as_ref();
        let reason = outcome
            .map(|outcome| outcome.reason.as_str())
            .unwrap_or_default();
        table.row([
            words::outcome(step.status()),
            step.action.kind.as_str().into(),
            names.target(&step.action).into(),
            Text::faint(step.waits.as_deref().unwrap_or(reason)),
        ]);
    }
    table
}

/// Evidence leaves the organisation only with consent.
pub(super) fn handed_in(handed_in: &Done) -> Page {
    let mut page = Page::new();
    let applied = handed_in.steps.iter();
    let applied = applied.filter(|step| step.status() == Some(OutcomeStatus::Applied));
    page.line(Text::faint(format!(
        "  Handed in at Compliance, with the consent of {APPROVER}: {}",
        words::count_of(applied.count(), "document")
    )));
    page
}

pub(super) fn proof(proof: &Proof, kept: Option<&Path>) -> Page {
    let mut page = chapter(
        "5  Is it true?",
        "read back from the vendors, the report and the ledger",
    );
    let mut table = Table::bare().indent(2);
    for account in &proof.accounts {
        table.row(row_of(account, "suspended"));
    }
    for ticket in &proof.tickets {
        for item in &ticket.items {
            table.row([
                Text::faint("PSA"),
                format!("{}: {}", item.id, ticket.title).into(),
                Text::new(&item.status, Tone::Good),
            ]);
        }
        if ticket.items.is_empty() {
            let state = ticket
                .error
                .as_ref()
                .map_or_else(|| Text::new("no ticket", Tone::Warn), words::error);
            table.row([Text::faint("PSA"), ticket.title.as_str().into(), state]);
        }
    }
    for reset in &proof.resets {
        let state = match (&reset.error, reset.status.as_deref()) {
            (Some(error), _) => words::error(error),
            (None, Some("completed")) => Text::new("password reset", Tone::Good),
            (None, other) => Text::new(other.unwrap_or("nothing"), Tone::Warn),
        };
        table.row([Text::faint("RMM"), reset.address.as_str().into(), state]);
    }
    let score = proof.score.total.zip(proof.score.rating);
    let score = score.map_or_else(
        || "nothing known".to_owned(),
        |(total, rating)| format!("{total} of 100, {}", rating.as_str()),
    );
    table.row([
        Text::faint("score"),
        "before the scan: none".into(),
        score.into(),
    ]);
    for name in &proof.report {
        let path = kept.map_or_else(
            || (*name).to_owned(),
            |folder| folder.join(name).display().to_string(),
        );
        table.row([
            Text::faint("report"),
            path.into(),
            Text::new("written", Tone::Good),
        ]);
    }
    let verified = &proof.evidence.verified;
    let (word, tone) = if verified.valid {
        ("verified", Tone::Good)
    } else {
        ("NOT valid", Tone::Bad)
    };
    table.row([
        Text::faint("evidence"),
        format!("{} entries, chained and signed", verified.entries).into(),
        Text::new(word, tone),
    ]);
    table.row([
        Text::faint("checkpoint"),
        evidence::standing(verified.checkpoint).into(),
        "".into(),
    ]);
    let (word, tone) = match proof.violations {
        0 => ("none".to_owned(), Tone::Good),
        some => (some.to_string(), Tone::Bad),
    };
    table.row([
        Text::faint("vendors"),
        "rules of theirs that were broken".into(),
        Text::new(word, tone),
    ]);
    page.table(table);
    page
}

/// An account as its vendor gives it, and whether that is as it should be.
fn row_of(account: &AccountNow, expected: &str) -> [Text; 3] {
    let state = match (&account.state, &account.error) {
        (Some(state), _) if state == expected => Text::new(state, Tone::Good),
        (Some(state), _) => Text::new(state, Tone::Warn),
        (None, Some(error)) => words::error(error),
        (None, None) => "".into(),
    };
    [
        Text::faint(account.vendor),
        format!("{} <{}>", account.name, account.address).into(),
        state,
    ]
}

pub(super) fn second(second: &Second, names: &Names) -> Page {
    let mut page = chapter("6  And once more", "the same road again");
    let mut table = Table::bare().indent(2);
    let zero = |count: u64| {
        let tone = if count == 0 { Tone::Good } else { Tone::Warn };
        Text::new(count.to_string(), tone)
    };
    let opened = second.found.scan.incidents.opened.len() as u64;
    let rows = [
        ("new findings", second.found.new_findings()),
        ("incidents opened", opened),
        ("actions planned", second.done.plan.actions.len() as u64),
        ("changes at vendors", second.changes_at_vendors as u64),
    ];
    for (label, count) in rows {
        table.row([Text::faint(label), zero(count)]);
    }
    page.table(table);
    page.table(steps(&second.done, names));
    page
}

pub(super) fn mistake(mistake: &Mistake, names: &Names) -> Page {
    let mut page = chapter("7  And if it was a mistake?", "protect undo ACTION");
    page.table(steps(&mistake.done, names));
    let mut table = Table::bare().indent(2);
    table.row(row_of(&mistake.account, "active"));
    page.table(table);
    page
}

pub(super) fn end(story: &Story, exit: Exit) -> Page {
    let mut page = Page::new();
    let refused = story
        .steps()
        .filter(|step| step.status() == Some(OutcomeStatus::Refused));
    let refused = refused.count();
    page.blank();
    if !exit.is_complete() {
        page.line(Text::new(
            "Not everything came through; the lines above say what, and the exit status is 3.",
            Tone::Warn,
        ));
    } else if refused > 0 {
        let words = format!(
            "Nothing happened twice, and {} refused, as said above.",
            if refused == 1 {
                "one action was".to_owned()
            } else {
                format!("{refused} actions were")
            },
        );
        page.line(Text::new(words, Tone::Warn));
    } else if story.second.done.steps.is_empty() {
        page.line(Text::new(
            "All of it happened once, and the second walk changed nothing.",
            Tone::Good,
        ));
    } else {
        page.line(Text::new(
            "All of it happened once; the second walk did what the first could not.",
            Tone::Good,
        ));
    }
    match &story.folder {
        Some(folder) => page.next(
            format!(
                "protect --config {} findings",
                folder.join("protect.toml").display()
            ),
            "everything but the vendors is kept",
        ),
        None => page.next(
            "protect init",
            "for your own organisation; `demo --keep DIR` keeps these files",
        ),
    };
    page
}

pub(super) fn faults() -> Table {
    let mut table = Table::new(["fault", "what goes wrong"]);
    for (name, meaning) in Fault::NAMES {
        table.row([(*name).into(), Text::faint(*meaning)]);
    }
    table
}

pub(super) fn chapter(title: &str, command: &str) -> Page {
    let mut page = Page::new();
    page.blank();
    page.mixed([Text::strong(title), Text::faint(format!("   {command}"))]);
    page
}
