//! For Human Resources, and for managers as far as their team goes: who works here, who comes and leaves and what
//! is left of it, time off that waits, insider-threat signals, and how policies stand. What is shown and what
//! may be done is the engine's to say, by the person's role in the workforce.

mod directory;
mod employee;
mod leaving;
mod policies;
mod signals;
mod workflow;

use minijinja::{Value, context};
use protect_core::Result;
use protect_core::inbound::InboundAnswer;
use protect_core::model::{EmployeeId, TimeOffId};
use protect_core::people::{PeopleOperation, Reach, WorkforceAs};

use super::portal::Wrong;
use super::waiting::{decided, waiting};
use super::{Pages, Visit, nothing_here};
use crate::app::see_other;
use crate::form;

/// Below this part of a tenant's path the pages stand.
pub(super) const PART: &str = "people";

/// The pages, each with what somebody must reach to have it.
const LINKS: &[(&str, &str, PeopleOperation, Reach)] = &[
    (
        "people",
        "Directory",
        PeopleOperation::ViewEmployment,
        Reach::Team,
    ),
    (
        "people/workflows",
        "Coming and leaving",
        PeopleOperation::ManageWorkflows,
        Reach::Everybody,
    ),
    (
        "people/time-off",
        "Time off",
        PeopleOperation::DecideTimeOff,
        Reach::Team,
    ),
    (
        "people/policies",
        "Policies",
        PeopleOperation::ViewAcknowledgements,
        Reach::Team,
    ),
    (
        "people/insider",
        "Insider threat",
        PeopleOperation::InsiderThreat,
        Reach::Everybody,
    ),
];

/// Who looks at the pages, and what they may see.
struct Office<'a> {
    visit: &'a Visit<'a>,
    seen: WorkforceAs<'a>,
}

/// Whether somebody has these pages: whoever sees of others where they stand.
pub(super) fn is_for(seen: &WorkforceAs<'_>) -> bool {
    seen.reach(PeopleOperation::ViewEmployment) >= Reach::Team
}

pub(super) async fn answer(pages: &Pages, visit: &Visit<'_>) -> Result<InboundAnswer> {
    let seen = visit.tenant.workforce_as(&visit.caller.actor).await?;
    let office = Office { visit, seen };
    let path = visit.path();
    let path = path.get(1..).unwrap_or_default();
    office.needs(path)?;
    match (visit.is_get(), path) {
        (true, []) => directory::page(pages, &office).await,
        (true, ["employees", id]) => employee::page(pages, &office, id).await,
        (true, ["employees", id, "leaving"]) => leaving::page(pages, &office, id, None).await,
        (true, ["workflows"]) => workflow::list(pages, &office).await,
        (true, ["workflows", id]) => workflow::page(pages, &office, &id.parse()?, None).await,
        (true, ["workflows", id, what]) => {
            workflow::confirm(pages, &office, &id.parse()?, what, None).await
        }
        (true, ["workflows", id, "tasks", number]) => {
            workflow::task(pages, &office, &id.parse()?, number).await
        }
        (true, ["time-off"]) => time_off(pages, &office, None).await,
        (true, ["policies"]) => policies::page(pages, &office).await,
        (true, ["insider"]) => signals::page(pages, &office, None).await,
        (false, ["employees", id, "leaving"]) => leaving::begin(pages, &office, id).await,
        (false, ["workflows", id, what]) => {
            workflow::carry_out(pages, &office, &id.parse()?, what).await
        }
        (false, ["workflows", id, "tasks", number]) => {
            workflow::set_task(pages, &office, &id.parse()?, number).await
        }
        (false, ["time-off", id, what]) => decide(pages, &office, &id.parse()?, what).await,
        (false, ["insider", id]) => signals::judge(pages, &office, &id.parse()?).await,
        _ => Err(nothing_here()),
    }
}

async fn time_off(
    pages: &Pages,
    office: &Office<'_>,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let page = context! {
        waiting => waiting(&office.seen).await?,
        at => "people/time-off",
        wrong => wrong.as_ref().map(Wrong::text),
        ..office.common("Time off that waits")
    };
    Ok(answered(pages.page("portal_team.html", page)?, wrong))
}

async fn decide(
    pages: &Pages,
    office: &Office<'_>,
    id: &TimeOffId,
    what: &str,
) -> Result<InboundAnswer> {
    match decided(office.visit, id, what).await {
        Ok(word) => office.done("time-off", word),
        Err(error) => time_off(pages, office, Some(Wrong::of(error)?)).await,
    }
}

impl Office<'_> {
    /// Lets them on where the page is one of theirs.
    fn needs(&self, path: &[&str]) -> Result<()> {
        let part = path.first().filter(|part| **part != "employees");
        let page = part.map_or(PART.to_owned(), |part| format!("{PART}/{part}"));
        let found = LINKS.iter().find(|(path, ..)| *path == page);
        let (_, _, operation, reach) = found.ok_or_else(nothing_here)?;
        self.seen.need(*operation, *reach)
    }

    fn common(&self, title: &str) -> Value {
        let theirs = LINKS
            .iter()
            .filter(|(_, _, operation, reach)| self.seen.reach(*operation) >= *reach);
        let links: Vec<_> = theirs.map(|(path, title, ..)| (*path, *title)).collect();
        context! {
            is_people => true,
            done => self.visit.request.query("done").unwrap_or_default(),
            ..self.visit.common(title, &links)
        }
    }

    /// A field of the form that was sent.
    fn field(&self, name: &str) -> String {
        form::value(self.visit.request, name).unwrap_or_default()
    }

    /// Back to a page, with a word on what was done.
    fn done(&self, page: &str, what: &str) -> Result<InboundAnswer> {
        let tenant = self.visit.tenant.id();
        see_other(&format!("/t/{tenant}/{PART}/{page}?done={what}"))
    }

    /// What people call somebody.
    async fn name_of(&self, employee: &EmployeeId) -> Result<String> {
        Ok(self.seen.employee(employee.as_str()).await?.display_name())
    }
}

/// A page, with the status that what went wrong has.
fn answered(page: InboundAnswer, wrong: Option<Wrong>) -> InboundAnswer {
    match wrong {
        Some(wrong) => wrong.answered(page),
        None => page,
    }
}
