//! For those who decide: the time off that waits for them.

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::Result;
use protect_core::inbound::InboundAnswer;
use protect_core::model::TimeOffId;

use super::{Desk, Wrong};
use crate::pages::{Pages, nothing_here};

pub(super) async fn page(
    pages: &Pages,
    desk: &Desk<'_>,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let waiting = desk.seen.time_off_to_decide().await?;
    let waiting: Vec<Value> = waiting
        .iter()
        .map(|(employee, time_off)| {
            context! {
                name => employee.display_name(),
                time_off => Value::from(Serde(time_off)),
            }
        })
        .collect();
    let page = context! {
        waiting => waiting,
        wrong => wrong.as_ref().map(Wrong::text),
        ..desk.common("To decide")
    };
    let page = pages.page("portal_team.html", page)?;
    Ok(match wrong {
        Some(wrong) => wrong.answered(page),
        None => page,
    })
}

/// Approves or denies what somebody asked for.
pub(super) async fn decide(
    pages: &Pages,
    desk: &Desk<'_>,
    id: &TimeOffId,
    what: &str,
) -> Result<InboundAnswer> {
    let approve = match what {
        "approve" => true,
        "deny" => false,
        _ => return Err(nothing_here()),
    };
    let note = desk.field("note").trim().to_owned();
    let note = Some(note.as_str()).filter(|note| !note.is_empty());
    let (tenant, actor) = (desk.visit.tenant, &desk.visit.caller.actor);
    match tenant.decide_time_off(id, approve, note, actor).await {
        Ok(_) => desk.done("team", if approve { "approved" } else { "denied" }),
        Err(error) => page(pages, desk, Some(Wrong::of(error)?)).await,
    }
}
