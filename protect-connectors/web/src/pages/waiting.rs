//! Time off that waits for a decision: shown to managers among the pages of an employee, and to Human Resources
//! among theirs.

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::Result;
use protect_core::model::TimeOffId;
use protect_core::people::WorkforceAs;

use super::{Visit, nothing_here};
use crate::form;

/// What waits for a decision that they may make, with whose it is.
pub(super) async fn waiting(seen: &WorkforceAs<'_>) -> Result<Vec<Value>> {
    let waiting = seen.time_off_to_decide().await?;
    let shown = waiting.iter().map(|(employee, time_off)| {
        context! {
            name => employee.display_name(),
            time_off => Value::from(Serde(time_off)),
        }
    });
    Ok(shown.collect())
}

/// Approves or denies what somebody asked for; gives the word for what was done.
pub(super) async fn decided(visit: &Visit<'_>, id: &TimeOffId, what: &str) -> Result<&'static str> {
    let (approve, word) = match what {
        "approve" => (true, "approved"),
        "deny" => (false, "denied"),
        _ => return Err(nothing_here()),
    };
    let note = form::value(visit.request, "note").unwrap_or_default();
    let note = Some(note.trim()).filter(|note| !note.is_empty());
    let decided = visit
        .tenant
        .decide_time_off(id, approve, note, &visit.caller.actor);
    decided.await?;
    Ok(word)
}
