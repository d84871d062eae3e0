//! Who works here, where they stand and who leaves, as far as the role reaches.

use std::collections::BTreeSet;

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::Result;
use protect_core::inbound::InboundAnswer;
use protect_core::model::{Employee, EmploymentStatus};
use protect_core::people::{EmployeeFilter, PeopleOperation};

use super::Office;
use crate::pages::Pages;

/// How many people a page shows.
const PEOPLE: usize = 50;

pub(super) async fn page(pages: &Pages, office: &Office<'_>) -> Result<InboundAnswer> {
    let request = office.visit.request;
    let chosen = |name: &str| request.query(name).unwrap_or_default().trim().to_owned();
    let (text, department, status) = (chosen("text"), chosen("department"), chosen("status"));
    let given = |text: &String| Some(text.clone()).filter(|it| !it.is_empty());
    let filter = EmployeeFilter {
        status: given(&status)
            .into_iter()
            .filter(|it| it != LEAVING)
            .collect(),
        department: given(&department),
        text: given(&text),
    };
    let mut found = office.seen.employees(&filter).await?;
    found.retain(|it| office.seen.reaches(PeopleOperation::ViewEmployment, it));
    found.retain(|it| status != LEAVING || leaves(it));
    let from: usize = request.query_as("from")?.unwrap_or_default();
    let total = found.len();
    let shown: Vec<Value> = found.iter().skip(from).take(PEOPLE).map(row).collect();
    let next = from.saturating_add(PEOPLE);
    let page = context! {
        people => shown,
        total => total,
        departments => departments(office).await?,
        statuses => EmploymentStatus::KNOWN,
        text => text,
        department => department,
        status => status,
        next => (next < total).then_some(next),
        ..office.common("Directory")
    };
    pages.page("people_directory.html", page)
}

/// The word for those whose last day is known and who are still here.
const LEAVING: &str = "leaving";

fn leaves(employee: &Employee) -> bool {
    employee.last_day.is_some() && !employee.status.has_left()
}

fn row(employee: &Employee) -> Value {
    context! {
        name => employee.display_name(),
        leaves => leaves(employee),
        employee => Value::from(Serde(employee)),
    }
}

/// The departments of those whom they see.
async fn departments(office: &Office<'_>) -> Result<BTreeSet<String>> {
    let all = office.seen.employees(&EmployeeFilter::default()).await?;
    let seen = all
        .into_iter()
        .filter(|it| office.seen.reaches(PeopleOperation::ViewEmployment, it));
    Ok(seen.filter_map(|it| it.department).collect())
}
