//! One person, with as much as the role shows of them.

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::Result;
use protect_core::inbound::InboundAnswer;
use protect_core::model::Employee;
use protect_core::people::{PeopleOperation, Reach, TimeOffFilter};

use super::{Office, leaving, signals, workflow};
use crate::pages::Pages;

pub(super) async fn page(pages: &Pages, office: &Office<'_>, who: &str) -> Result<InboundAnswer> {
    let seen = &office.seen;
    let employee = seen.employee(who).await?;
    seen.need_about(PeopleOperation::ViewEmployment, &employee)?;
    let sees = |operation| seen.reaches(operation, &employee);
    let manager = match &employee.manager {
        Some(manager) => Some(office.name_of(manager).await?),
        None => None,
    };
    let may_leave = leaving::is_theirs(office) && !employee.status.has_left();
    let page = context! {
        may_leave => may_leave && employee.last_day.is_none(),
        employee => Value::from(Serde(&employee)),
        manager => manager,
        workflows => workflows(office, &employee).await?,
        time_off => if sees(PeopleOperation::ViewTimeOff) { time_off(office, &employee).await? } else { Vec::new() },
        certifications => if sees(PeopleOperation::ViewCertifications) { certifications(office, &employee).await? } else { Vec::new() },
        policies => if sees(PeopleOperation::ViewAcknowledgements) { policies(office, &employee).await? } else { Vec::new() },
        sees_signals => seen.reach(PeopleOperation::InsiderThreat) == Reach::Everybody,
        signals => signals::about(office, &employee.id).await?,
        ..office.common(&employee.display_name())
    };
    pages.page("people_employee.html", page)
}

/// Nothing for those who do not work on them.
async fn workflows(office: &Office<'_>, employee: &Employee) -> Result<Vec<Value>> {
    if !leaving::is_theirs(office) {
        return Ok(Vec::new());
    }
    let found = office.seen.workflows_of(&employee.id).await?;
    Ok(found.iter().map(workflow::summary).collect())
}

async fn time_off(office: &Office<'_>, employee: &Employee) -> Result<Vec<Value>> {
    let filter = TimeOffFilter {
        employee: Some(employee.id.clone()),
        ..TimeOffFilter::default()
    };
    let mut found = office.seen.time_off(&filter).await?;
    found.reverse();
    Ok(found.iter().map(|it| Value::from(Serde(it))).collect())
}

async fn certifications(office: &Office<'_>, employee: &Employee) -> Result<Vec<Value>> {
    let found = office.seen.certifications(Some(&employee.id)).await?;
    Ok(found.iter().map(|it| Value::from(Serde(it))).collect())
}

async fn policies(office: &Office<'_>, employee: &Employee) -> Result<Vec<Value>> {
    let found = office.seen.acknowledgements_of(&employee.id).await?;
    let shown = found.iter().map(|(policy, status)| {
        context! { policy => Value::from(Serde(policy)), status => Value::from(Serde(status)) }
    });
    Ok(shown.collect())
}
