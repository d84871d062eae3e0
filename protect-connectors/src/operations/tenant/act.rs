//! Acting: plan, approve, apply, request, undo, pause.

use protect_core::engine::{Request, Tenant};
use protect_core::model::{ActionId, ActionKind, Attributes, OutcomeStatus, Plan, PlanId};
use protect_core::operation::{answer, arguments};
use protect_core::{Error, Result};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{ApprovedPlanRecord, person, shapes};
use crate::operations::Nothing;

shapes! {
    Approve { plan: Plan, by: String }
    Apply { approved: PlanOf }
    Ask {
        action: ActionKind,
        account: String,
        reason: String,
        by: String,
        lasts: Option<String>,
        parameters: Option<Attributes>,
    }
    Undo { action: ActionId, reason: String, by: String }
    Settle { action: ActionId, status: OutcomeStatus, reason: String, by: String }
    Pause { reason: String, by: String }
    Resume { by: String }
    Named { name: String }
}

/// As much of an [`ApprovedPlanRecord`] as counts.
#[derive(serde::Deserialize)]
struct PlanOf {
    plan: Content,
}

#[derive(serde::Deserialize)]
struct Content {
    id: PlanId,
    actions: Vec<IgnoredAny>,
}

/// Calls one of these operations; `None` where it is none of them.
pub(super) async fn call(tenant: &Tenant, operation: &str, given: Value) -> Result<Option<Value>> {
    let answered = match operation {
        "plan" => {
            let Nothing {} = arguments(given)?;
            answer(&tenant.plan().await?)
        }
        "plan_evidence" => {
            let Nothing {} = arguments(given)?;
            answer(&tenant.plan_evidence().await?)
        }
        "tickets" => {
            let Nothing {} = arguments(given)?;
            answer(&tenant.tickets().await?)
        }
        "plans" => {
            let Nothing {} = arguments(given)?;
            answer(&tenant.plans_waiting().await?)
        }
        "approve" => {
            let Approve { plan, by } = arguments(given)?;
            let approved = tenant.approve(plan, &person(by)).await?;
            answer(&ApprovedPlanRecord::from(&approved))
        }
        "apply" => {
            let Apply { approved } = arguments(given)?;
            if approved.plan.actions.is_empty() {
                // A plan without actions is not stored.
                return Ok(Some(Value::Array(Vec::new())));
            }
            let approved = tenant.approved_by_id(&approved.plan.id).await?;
            answer(&tenant.apply(approved).await?)
        }
        "apply_waiting" => {
            let Nothing {} = arguments(given)?;
            answer(&tenant.apply_waiting().await?)
        }
        "request" => answer(&tenant.request(request(arguments(given)?)?).await?),
        "actions" => {
            let Nothing {} = arguments(given)?;
            answer(&tenant.actions().await?)
        }
        "undo" => {
            let Undo { action, reason, by } = arguments(given)?;
            answer(&tenant.undo(&action, &person(by), &reason).await?)
        }
        "settle" => {
            let Settle {
                action,
                status,
                reason,
                by,
            } = arguments(given)?;
            let by = person(by);
            answer(&tenant.settle(&action, status, &by, &reason).await?)
        }
        "pause" => {
            let Pause { reason, by } = arguments(given)?;
            answer(&tenant.pause(&person(by), &reason).await?)
        }
        "resume" => {
            let Resume { by } = arguments(given)?;
            answer(&tenant.resume(&person(by)).await?)
        }
        "paused" => {
            let Nothing {} = arguments(given)?;
            answer(&tenant.paused().await?)
        }
        "try_rule" => {
            let Named { name } = arguments(given)?;
            answer(&tenant.try_rule(&name).await?)
        }
        _ => return Ok(None),
    };
    answered.map(Some)
}

fn request(ask: Ask) -> Result<Request> {
    let lasts = ask
        .lasts
        .map(|text| {
            protect_core::config::parse_duration(&text).map_err(|error| {
                Error::invalid_input(error.message()).with_context("argument", "lasts")
            })
        })
        .transpose()?;
    Ok(Request {
        kind: ask.action,
        account: ask.account,
        reason: ask.reason,
        by: person(ask.by),
        lasts,
        parameters: ask.parameters.unwrap_or_default(),
    })
}
