//! Beginning an offboarding: one page that asks for what it needs and says what will happen.

use jiff::civil::Date;
use minijinja::context;
use protect_core::inbound::InboundAnswer;
use protect_core::model::{Employee, Leaving};
use protect_core::people::{NewOffboarding, PeopleOperation, Reach, Started};
use protect_core::{Error, Result};

use super::{Office, Wrong, answered};
use crate::pages::Pages;

/// Whether they begin and work on offboardings.
pub(super) fn is_theirs(office: &Office<'_>) -> bool {
    office.seen.reach(PeopleOperation::ManageWorkflows) == Reach::Everybody
}

pub(super) async fn page(
    pages: &Pages,
    office: &Office<'_>,
    who: &str,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let employee = leaver(office, who).await?;
    let title = format!("{} leaves", employee.display_name());
    let page = context! {
        id => employee.id.as_str(),
        last_day => office.field("last_day"),
        leaving => office.field("leaving"),
        at_once => office.field("at_once"),
        reason => office.field("reason"),
        wrong => wrong.as_ref().map(Wrong::text),
        ..office.common(&title)
    };
    Ok(answered(pages.page("people_leaving.html", page)?, wrong))
}

/// Begins it. Nothing is changed at any vendor before somebody consents to its plan.
pub(super) async fn begin(pages: &Pages, office: &Office<'_>, who: &str) -> Result<InboundAnswer> {
    match begun(office, who).await {
        Ok(Started { workflow, plan }) => {
            let word = if plan.is_some() {
                "begun"
            } else {
                "begun-unplanned"
            };
            office.done(&format!("workflows/{}", workflow.id), word)
        }
        Err(error) => page(pages, office, who, Some(Wrong::of(error)?)).await,
    }
}

async fn begun(office: &Office<'_>, who: &str) -> Result<Started> {
    let employee = leaver(office, who).await?;
    let wrong = |field, message: &str| Error::invalid_input(message).with_context("field", field);
    let last_day: Date = office
        .field("last_day")
        .trim()
        .parse()
        .map_err(|_| wrong("last_day", "write the last day as 2026-12-31"))?;
    let leaving = match office.field("leaving").as_str() {
        "resigned" => Leaving::Resigned,
        "terminated" => Leaving::Terminated,
        _ => return Err(wrong("leaving", "choose how they leave")),
    };
    let new = NewOffboarding {
        last_day,
        leaving,
        reason: office.field("reason").trim().to_owned(),
        at_once: !office.field("at_once").is_empty(),
        allow_past: false,
        tasks: None,
    };
    let (tenant, actor) = (office.visit.tenant, &office.visit.caller.actor);
    tenant.offboard(&employee.id, &new, actor).await
}

/// Whoever it is about, for those alone who may begin it.
async fn leaver(office: &Office<'_>, who: &str) -> Result<Employee> {
    let needed = PeopleOperation::ManageWorkflows;
    office.seen.need(needed, Reach::Everybody)?;
    office.seen.employee(who).await
}
