//! An employee's own time off: what is left, what was asked for, and asking for more.

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::inbound::InboundAnswer;
use protect_core::model::{LeaveType, TimeOff, TimeOffId};
use protect_core::people::{NewTimeOff, TimeOffFilter};
use protect_core::{Error, Result};

use super::{Desk, Wrong};
use crate::pages::Pages;

/// The sorts that are offered.
const SORTS: [LeaveType; 8] = [
    LeaveType::Vacation,
    LeaveType::Sick,
    LeaveType::Personal,
    LeaveType::Bereavement,
    LeaveType::JuryDuty,
    LeaveType::Parental,
    LeaveType::Unpaid,
    LeaveType::CompTime,
];

/// The fields of the form.
const FIELDS: [&str; 6] = [
    "leave_type",
    "start_date",
    "end_date",
    "from_noon",
    "until_noon",
    "note",
];

pub(super) async fn page(
    pages: &Pages,
    desk: &Desk<'_>,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let mut requests = own(desk).await?;
    requests.reverse();
    // Before anything was sent, each is empty.
    let given = Value::from_pairs(FIELDS.map(|name| (name, desk.field(name))));
    let page = context! {
        balances => balances(desk).await?,
        requests => Value::from(Serde(&requests)),
        sorts => sorts(desk).await?,
        wrong => wrong.as_ref().map(Wrong::text),
        given => given,
        ..desk.common("Time off")
    };
    let page = pages.page("portal_time_off.html", page)?;
    Ok(match wrong {
        Some(wrong) => wrong.answered(page),
        None => page,
    })
}

/// Asks for time off. What is wrong is said above the form, which keeps what was filled in.
pub(super) async fn request(pages: &Pages, desk: &Desk<'_>) -> Result<InboundAnswer> {
    match ask(desk).await {
        Ok(()) => desk.done("time-off", "requested"),
        Err(error) => page(pages, desk, Some(Wrong::of(error)?)).await,
    }
}

async fn ask(desk: &Desk<'_>) -> Result<()> {
    let day = |name: &'static str| {
        desk.field(name)
            .parse()
            .map_err(|_| Error::invalid_input("choose a day").with_context("field", name))
    };
    let note = desk.field("note").trim().to_owned();
    let new = NewTimeOff {
        leave_type: desk.field("leave_type").parse()?,
        start_date: day("start_date")?,
        end_date: day("end_date")?,
        from_noon: !desk.field("from_noon").is_empty(),
        until_noon: !desk.field("until_noon").is_empty(),
        hours: None,
        note: Some(note).filter(|note| !note.is_empty()),
    };
    let (tenant, actor) = (desk.visit.tenant, &desk.visit.caller.actor);
    tenant.request_time_off(&desk.own.id, &new, actor).await?;
    Ok(())
}

/// Calls one's own time off off.
pub(super) async fn cancel(
    pages: &Pages,
    desk: &Desk<'_>,
    id: &TimeOffId,
) -> Result<InboundAnswer> {
    let (tenant, actor) = (desk.visit.tenant, &desk.visit.caller.actor);
    match tenant.cancel_time_off(id, actor).await {
        Ok(_) => desk.done("time-off", "cancelled"),
        Err(error) => page(pages, desk, Some(Wrong::of(error)?)).await,
    }
}

/// How much is left of each sort, as it was last imported.
pub(super) async fn balances(desk: &Desk<'_>) -> Result<Vec<Value>> {
    let found = desk.seen.time_off_balances(&desk.own.id).await?;
    let shown = found.iter().map(|it| {
        context! {
            available => it.available(),
            balance => Value::from(Serde(it)),
        }
    });
    Ok(shown.collect())
}

/// What is approved or waits, and is not over yet.
pub(super) async fn coming(desk: &Desk<'_>) -> Result<Value> {
    let today = desk.visit.tenant.today_of(&desk.own)?;
    let mut requests = own(desk).await?;
    requests.retain(|it| it.status.counts() && it.end_date >= today);
    Ok(Value::from(Serde(&requests)))
}

async fn own(desk: &Desk<'_>) -> Result<Vec<TimeOff>> {
    let filter = TimeOffFilter {
        employee: Some(desk.own.id.clone()),
        ..TimeOffFilter::default()
    };
    desk.seen.time_off(&filter).await
}

/// The known sorts, and those of which somebody keeps a balance for them.
async fn sorts(desk: &Desk<'_>) -> Result<Vec<String>> {
    let mut sorts: Vec<String> = SORTS.iter().map(|sort| sort.as_str().to_owned()).collect();
    for balance in desk.seen.time_off_balances(&desk.own.id).await? {
        let sort = balance.leave_type.as_str().to_owned();
        if !sorts.contains(&sort) {
            sorts.push(sort);
        }
    }
    Ok(sorts)
}
