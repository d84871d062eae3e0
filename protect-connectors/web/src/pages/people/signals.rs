//! Insider-threat signals, for administrators and HR managers alone: what came in, and what a person thinks of it.

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::inbound::InboundAnswer;
use protect_core::model::{EmployeeId, InsiderSignal, InsiderSignalId, InsiderStatus};
use protect_core::people::{PeopleOperation, Reach};
use protect_core::{Error, Result};

use super::{Office, Wrong, answered};
use crate::pages::Pages;

pub(super) async fn page(
    pages: &Pages,
    office: &Office<'_>,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let actor = &office.visit.caller.actor;
    let mut rows = Vec::new();
    for signal in office.visit.tenant.insider_signals(actor).await? {
        let name = match &signal.employee {
            Some(employee) => Some(office.name_of(employee).await?),
            None => None,
        };
        rows.push(context! { name => name, signal => Value::from(Serde(&signal)) });
    }
    let page = context! {
        rows => rows,
        wrong => wrong.as_ref().map(Wrong::text),
        ..office.common("Insider-threat signals")
    };
    Ok(answered(pages.page("people_insider.html", page)?, wrong))
}

/// Those about one person; nothing for whoever may not see them.
pub(super) async fn about(office: &Office<'_>, employee: &EmployeeId) -> Result<Vec<Value>> {
    if office.seen.reach(PeopleOperation::InsiderThreat) < Reach::Everybody {
        return Ok(Vec::new());
    }
    let actor = &office.visit.caller.actor;
    let all = office.visit.tenant.insider_signals(actor).await?;
    let own = |it: &&InsiderSignal| it.employee.as_ref() == Some(employee);
    Ok(all
        .iter()
        .filter(own)
        .map(|it| Value::from(Serde(it)))
        .collect())
}

/// Says what is to be thought of a signal.
pub(super) async fn judge(
    pages: &Pages,
    office: &Office<'_>,
    id: &InsiderSignalId,
) -> Result<InboundAnswer> {
    match judged(office, id).await {
        Ok(status) => office.done("insider", status),
        Err(error) => page(pages, office, Some(Wrong::of(error)?)).await,
    }
}

async fn judged(office: &Office<'_>, id: &InsiderSignalId) -> Result<&'static str> {
    let (status, word) = match office.field("status").as_str() {
        "reviewed" => (InsiderStatus::Reviewed, "reviewed"),
        "escalated" => (InsiderStatus::Escalated, "escalated"),
        "dismissed" => (InsiderStatus::Dismissed, "dismissed"),
        _ => {
            let error = Error::invalid_input("choose what you think of it");
            return Err(error.with_context("field", "judgement"));
        }
    };
    let note = office.field("note").trim().to_owned();
    let (tenant, actor) = (office.visit.tenant, &office.visit.caller.actor);
    tenant
        .judge_insider_signal(id, status, &note, actor)
        .await?;
    Ok(word)
}
