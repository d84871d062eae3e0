//! For those who decide: the time off that waits for them.

use minijinja::context;
use protect_core::Result;
use protect_core::inbound::InboundAnswer;
use protect_core::model::TimeOffId;

use super::{Desk, Wrong};
use crate::pages::Pages;
use crate::pages::waiting::{decided, waiting};

pub(super) async fn page(
    pages: &Pages,
    desk: &Desk<'_>,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let page = context! {
        waiting => waiting(&desk.seen).await?,
        at => "me/team",
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
    match decided(desk.visit, id, what).await {
        Ok(word) => desk.done("team", word),
        Err(error) => page(pages, desk, Some(Wrong::of(error)?)).await,
    }
}
