//! How the story of somebody who leaves reads.

use std::path::Path;

use protect_connectors::core::model::{Employee, Finding, Plan, Workflow};

use super::super::road::{APPROVER, Done};
use super::super::stage::Stage;
use super::super::tell::{chapter, steps};
use super::{DECIDES, Story};
use crate::args::Demo;
use crate::exit::Exit;
use crate::page::{Page, Table, Text, Tone};
use crate::words::{self, Names};

pub(super) fn beginning(stage: &Stage, demo: &Demo) -> Page {
    let mut page = Page::new();
    page.line(Text::strong(
        "A person leaves: access ends everywhere, once, with proof",
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
        "Microsoft 365, 1Password, Google Workspace, a wiki (SCIM), The One Stack (Hub, Defend, PSA), mail; simulated".into(),
    ]);
    facts.row([Text::faint("seed"), demo.seed.to_string().into()]);
    page.table(facts);
    page
}

pub(super) fn decided(
    employee: &Employee,
    workflow: &Workflow,
    plan: &Plan,
    names: &Names,
) -> Page {
    let mut page = chapter(
        "1  Human Resources decide",
        "protect offboard start WHO --now",
    );
    page.line(format!(
        "  {} leaves; the last day is {}. {} to do by hand.",
        employee.display_name(),
        workflow.day,
        words::count_of(workflow.tasks.len(), "task"),
    ));
    page.line(Text::faint(format!(
        "  asked for by {DECIDES}; nothing is changed before somebody else consents"
    )));
    words::plan(&mut page, plan, names);
    page
}

pub(super) fn first(
    done: &Done,
    problems: &[Finding],
    ticket: Option<&str>,
    names: &Names,
) -> Page {
    let command = format!(
        "protect approve {} --by {APPROVER}; protect apply",
        done.plan.id
    );
    let mut page = chapter("2  Somebody consents, and it is done", &command);
    page.table(steps(done, names));
    if problems.is_empty() {
        return page;
    }
    page.gap().line("  Not everywhere, and that is told aloud:");
    let mut table = Table::bare().indent(2);
    for problem in problems {
        table.row([
            words::severity(problem.observation.severity),
            problem.observation.title.as_str().into(),
            Text::faint(problem.observation.reasons.join("; ")),
        ]);
    }
    if let Some(ticket) = ticket {
        table.row(["ticket".into(), ticket.into(), Text::faint("opened at PSA")]);
    }
    page.table(table);
    page
}

pub(super) fn second(done: &Done, workflow: &Workflow, names: &Names) -> Page {
    let mut page = chapter("3  What is left is done", "protect offboard resume WHO");
    page.table(steps(done, names));
    let open = workflow.status.as_str() == "open";
    let mut facts = Table::bare().indent(2);
    facts.row([
        Text::faint("tasks"),
        format!("{} left", workflow.tasks_left()).into(),
    ]);
    facts.row([
        Text::faint("workflow"),
        words::state(workflow.status.as_str(), open),
    ]);
    page.gap().table(facts);
    page
}

pub(super) fn proof(story: &Story, kept: Option<&Path>) -> Page {
    let mut page = chapter(
        "4  Is it true?",
        "read back from the vendors and the ledger",
    );
    let mut table = Table::bare().indent(2);
    let good = |is_good: bool| if is_good { Tone::Good } else { Tone::Bad };
    for account in &story.accounts {
        let state = account.state.as_str();
        table.row([
            Text::faint(account.reference.connector.as_str()),
            account.reference.id.as_str().into(),
            Text::new(state, good(state == "suspended")),
        ]);
    }
    for change in &story.access {
        let status = change.status.as_deref().unwrap_or("not known");
        let products: Vec<_> = change
            .products
            .iter()
            .map(|it| it.product.as_str())
            .collect();
        table.row([
            Text::faint("hub"),
            format!("access to {}", products.join(", ")).into(),
            Text::new(format!("taken: {status}"), good(status == "completed")),
        ]);
    }
    let watched = &story.watched;
    table.row([
        Text::faint("defend"),
        format!(
            "closer watching, {}",
            words::count_of(watched.times, "time")
        )
        .into(),
        Text::new(
            if watched.now == 0 { "ended" } else { "goes on" },
            good(watched.now == 0),
        ),
    ]);
    table.row([
        Text::faint("mail"),
        "to the manager, Human Resources, and whoever had a task".into(),
        words::count_of(story.mails, "notice").into(),
    ]);
    let verified = &story.evidence.verified;
    table.row([
        Text::faint("evidence"),
        format!("{} entries, chained and signed", verified.entries).into(),
        Text::new(
            if verified.valid {
                "verified"
            } else {
                "NOT valid"
            },
            good(verified.valid),
        ),
    ]);
    let place = kept.map_or_else(
        || story.page.to_owned(),
        |folder| folder.join(story.page).display().to_string(),
    );
    table.row([
        Text::faint("page"),
        place.into(),
        Text::new("written", Tone::Good),
    ]);
    table.row([
        Text::faint("vendors"),
        "rules of theirs that were broken".into(),
        Text::new(story.violations.to_string(), good(story.violations == 0)),
    ]);
    page.table(table);
    page
}

pub(super) fn end(story: &Story, exit: Exit) -> Page {
    let mut page = Page::new();
    page.blank();
    if exit.is_complete() {
        let plans = story.plans().filter(|plan| !plan.actions.is_empty());
        page.line(Text::new(
            format!(
                "{} has left, and no access is left: {}, each consented to by somebody else.",
                story.employee.display_name(),
                words::count_of(plans.count(), "plan"),
            ),
            Tone::Good,
        ));
    } else {
        page.line(Text::new(
            "Not everything came through; the lines above say what, and the exit status is 3.",
            Tone::Warn,
        ));
    }
    match &story.folder {
        Some(folder) => page.next(
            folder.join(story.page).display().to_string(),
            "open it: who asked, who consented, what was done, and the ledger's word for it",
        ),
        None => page.next(
            "protect demo leaving --keep DIR",
            "keeps the page of evidence, to be opened",
        ),
    };
    page
}
