//! How policies stand, over those whom the role reaches.

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::Result;
use protect_core::inbound::InboundAnswer;
use protect_core::model::EmployeeId;

use super::Office;
use crate::pages::Pages;

/// So many names are shown of those who did not acknowledge a policy.
const NAMES: usize = 100;

pub(super) async fn page(pages: &Pages, office: &Office<'_>) -> Result<InboundAnswer> {
    let mut rows = Vec::new();
    for it in office.seen.policies().await? {
        let percent = (it.acknowledged * 100).checked_div(it.required);
        rows.push(context! {
            percent => percent,
            pending => names(office, &it.pending).await?,
            overdue => names(office, &it.overdue).await?,
            more => it.pending.len().saturating_sub(NAMES) + it.overdue.len().saturating_sub(NAMES),
            standing => Value::from(Serde(&it)),
        });
    }
    let page = context! { rows => rows, ..office.common("Policies") };
    pages.page("people_policies.html", page)
}

async fn names(office: &Office<'_>, of: &[EmployeeId]) -> Result<Vec<Value>> {
    let mut names = Vec::new();
    for employee in of.iter().take(NAMES) {
        names.push(context! {
            id => employee.as_str(),
            name => office.name_of(employee).await?,
        });
    }
    Ok(names)
}
