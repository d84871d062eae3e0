//! What an employee has to read, sign or take part in. Each sort is a section; a further one is a function
//! beside [`policies`], named in [`sections`].

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::Result;
use protect_core::inbound::InboundAnswer;
use protect_core::model::PersonnelKind;
use protect_core::people::{PeopleOperation, Reach};
use serde::Serialize;

use super::{Desk, signing};
use crate::pages::Pages;

const ACKNOWLEDGED: &str = "acknowledged";

/// One sort of documents.
#[derive(Serialize)]
struct Section {
    title: &'static str,
    /// What stands there while there is nothing.
    nothing: &'static str,
    rows: Vec<Row>,
}

/// One document.
#[derive(Serialize)]
struct Row {
    title: String,
    /// What else there is to know, in order.
    facts: Vec<String>,
    /// Where it stands, in one of our words.
    status: &'static str,
    /// Whether something is left to be done.
    is_open: bool,
    /// A doubt about what stands there.
    doubt: Option<String>,
    /// Where it is read and signed, where it can be.
    sign: Option<String>,
}

pub(super) async fn page(pages: &Pages, desk: &Desk<'_>) -> Result<InboundAnswer> {
    let page = context! {
        sections => Value::from(Serde(&sections(desk).await?)),
        ..desk.common("Documents")
    };
    pages.page("portal_documents.html", page)
}

/// The sections in which something is left to be done, with that alone.
pub(super) async fn open_sections(desk: &Desk<'_>) -> Result<Value> {
    let mut sections = sections(desk).await?;
    for section in &mut sections {
        section.rows.retain(|row| row.is_open);
    }
    sections.retain(|section| !section.rows.is_empty());
    Ok(Value::from(Serde(&sections)))
}

async fn sections(desk: &Desk<'_>) -> Result<Vec<Section>> {
    let mut sections = vec![policies(desk).await?];
    // Whose role sees nobody's records sees not their own either, and the rest all the same.
    if desk.seen.reach(PeopleOperation::ViewPersonnel) > Reach::Nobody {
        for kind in [
            PersonnelKind::Document,
            PersonnelKind::Training,
            PersonnelKind::Review,
        ] {
            sections.push(records(desk, kind).await?);
        }
    }
    Ok(sections)
}

/// What other systems keep of the employee, as it was last imported.
async fn records(desk: &Desk<'_>, kind: PersonnelKind) -> Result<Section> {
    let found = desk.seen.personnel_records(Some(&desk.own.id), Some(kind));
    let rows = found.await?.into_iter().map(|record| {
        let is_open = record.is_open();
        let mut facts = vec![record.status];
        facts.retain(|word| !word.is_empty());
        facts.extend(record.by.map(|by| format!("by {by}")));
        facts.extend(record.due_on.map(|day| format!("due {day}")));
        facts.extend(record.completed_on.map(|day| format!("done {day}")));
        let seen = record.imported_at.strftime("%Y-%m-%d");
        facts.push(format!("as of {seen}"));
        Row {
            title: record.title,
            facts,
            status: if is_open { "open" } else { "done" },
            is_open,
            doubt: None,
            sign: None,
        }
    });
    let (title, nothing) = match kind {
        PersonnelKind::Document => (
            "Documents to sign",
            "There is no document that waits for your signature.",
        ),
        PersonnelKind::Training => ("Trainings", "You are enrolled in no training."),
        PersonnelKind::Review => ("Reviews", "There is no review of yours."),
    };
    Ok(Section {
        title,
        nothing,
        rows: rows.collect(),
    })
}

/// The policies that must be acknowledged.
async fn policies(desk: &Desk<'_>) -> Result<Section> {
    let found = desk.seen.policies().await?.into_iter();
    let needed = found.filter(|it| it.policy.requires_acknowledgment);
    let rows = needed.map(|it| {
        let status = if it.pending.contains(&desk.own.id) {
            "pending"
        } else if it.overdue.contains(&desk.own.id) {
            "overdue"
        } else {
            ACKNOWLEDGED
        };
        let (policy, stale) = (it.policy, it.stale);
        let mut facts = vec![format!("version {}", policy.version)];
        facts.extend(policy.effective_date.map(|day| format!("since {day}")));
        facts.extend(policy.due_date.map(|day| format!("due {day}")));
        let seen = policy.seen_at.strftime("%Y-%m-%d %H:%M");
        let doubt =
            stale.then(|| format!("Last heard of at {seen} UTC: it may have changed since."));
        Row {
            title: policy.title,
            facts,
            status,
            is_open: status != ACKNOWLEDGED,
            doubt,
            sign: (status != ACKNOWLEDGED).then(|| signing::path(&policy.id)),
        }
    });
    Ok(Section {
        title: "Policies to acknowledge",
        nothing: "There is no policy that you have to acknowledge.",
        rows: rows.collect(),
    })
}
