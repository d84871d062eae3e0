use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use protect_core::engine::{Pause, Request, Step, Tenant};
use protect_core::model::{
    ActionId, ActionKind, Actor, Approval, ApprovedPlan, OutcomeStatus, Plan, PlanId,
};
use protect_core::operation::{
    Callable, Class, Model, Parameter, ParameterKind, ResultType, answer, arguments, unknown,
};
use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Nothing, change, optional, read, required};

/// One tenant of the engine as a [`Callable`].
pub struct TenantCalls(pub Tenant);

/// An [`ApprovedPlan`] as plain data. What it says does not count: `apply` reads the stored plan
/// and the stored approval by the plan's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovedPlanRecord {
    /// The plan.
    pub plan: Plan,
    /// The consent.
    pub approval: Approval,
}

impl From<&ApprovedPlan> for ApprovedPlanRecord {
    fn from(approved: &ApprovedPlan) -> Self {
        Self {
            plan: approved.plan().clone(),
            approval: approved.approval().clone(),
        }
    }
}

const PLAN: Model = Model::of::<Plan>("Plan");
const APPROVED_PLAN: Model = Model::of::<ApprovedPlanRecord>("ApprovedPlan");
const STEP: Model = Model::of::<Step>("Step");
const PAUSE: Model = Model::of::<Pause>("Pause");
const ACTION_KIND: Model = Model::of::<ActionKind>("ActionKind");
const OUTCOME_STATUS: Model = Model::of::<OutcomeStatus>("OutcomeStatus");

const BY: Parameter = required(
    "by",
    ParameterKind::Text,
    "Who says so; recorded as `unverified`, since nobody checked.",
);
const REASON: Parameter = required(
    "reason",
    ParameterKind::Text,
    "Why; it goes into the evidence, so no address.",
);
const ACTION_ID: Parameter = required("action", ParameterKind::Text, "The action's id.");

/// One tenant's part of the engine.
pub(super) static CLASS: Class = Class {
    name: "Tenant",
    kind: "engine",
    docs: "One tenant's part of the engine; cannot reach another tenant's data.",
    constructor: &[],
    operations: &[
        change(
            "plan",
            &[],
            ResultType::One(PLAN),
            "Decides what the tenant's rules would do about its open incidents. Changes nothing at any vendor.",
        ),
        read(
            "plans",
            &[],
            ResultType::List(PLAN),
            "The plans that wait for somebody's consent, the oldest first.",
        ),
        change(
            "approve",
            &[required("plan", ParameterKind::One(PLAN), "The plan."), BY],
            ResultType::One(APPROVED_PLAN),
            "Consents to exactly this plan. What the guards refuse stays refused.",
        ),
        change(
            "apply",
            &[required(
                "approved",
                ParameterKind::One(APPROVED_PLAN),
                "What `approve` gave.",
            )],
            ResultType::List(STEP),
            "Attempts every action of an approved plan once, in order. What goes wrong at a vendor is \
             an outcome, not an error.",
        ),
        change(
            "apply_waiting",
            &[],
            ResultType::List(STEP),
            "Attempts whatever was approved and waits, ends what was to end by itself, and asks vendors \
             about what is in flight or unknown.",
        ),
        change(
            "request",
            &[
                required("action", ParameterKind::One(ACTION_KIND), "What to do."),
                required(
                    "account",
                    ParameterKind::Text,
                    "An address (every account of it that the action can reach), or \
                     `connector:vendor-id` for exactly one account.",
                ),
                REASON,
                BY,
                optional(
                    "lasts",
                    ParameterKind::Text,
                    "After which time the engine undoes it, such as `24h`.",
                ),
            ],
            ResultType::One(PLAN),
            "Plans one action on one person's accounts; approve and apply the plan to have it done.",
        ),
        change(
            "undo",
            &[ACTION_ID, REASON, BY],
            ResultType::One(PLAN),
            "Plans the undoing of an applied action.",
        ),
        change(
            "settle",
            &[
                ACTION_ID,
                required(
                    "status",
                    ParameterKind::One(OUTCOME_STATUS),
                    "`applied` or `failed`.",
                ),
                REASON,
                BY,
            ],
            ResultType::One(STEP),
            "A person settles an action whose outcome is `unknown`.",
        ),
        change(
            "pause",
            &[REASON, BY],
            ResultType::Nothing,
            "The kill switch: nothing is attempted until `resume`.",
        ),
        change("resume", &[BY], ResultType::Nothing, "Takes `pause` back."),
        read(
            "paused",
            &[],
            ResultType::Optional(PAUSE),
            "Who paused this tenant, and why, while it is.",
        ),
    ],
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approve {
    plan: Plan,
    by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Apply {
    approved: PlanOf,
}

/// As much of an [`ApprovedPlanRecord`] as counts.
#[derive(Deserialize)]
struct PlanOf {
    plan: Id<PlanId>,
}

#[derive(Deserialize)]
struct Id<T> {
    id: T,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    action: ActionKind,
    account: String,
    reason: String,
    by: String,
    lasts: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Undo {
    action: ActionId,
    reason: String,
    by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    action: ActionId,
    status: OutcomeStatus,
    reason: String,
    by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PauseFor {
    reason: String,
    by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct By {
    by: String,
}

impl Callable for TenantCalls {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move { self.dispatch(&operation, given).await })
    }
}

impl TenantCalls {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        let tenant = &self.0;
        match operation {
            "plan" => {
                let Nothing {} = arguments(given)?;
                answer(&tenant.plan().await?)
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
                let approved = tenant.approved_by_id(&approved.plan.id).await?;
                answer(&tenant.apply(approved).await?)
            }
            "apply_waiting" => {
                let Nothing {} = arguments(given)?;
                answer(&tenant.apply_waiting().await?)
            }
            "request" => answer(&tenant.request(request(arguments(given)?)?).await?),
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
                let PauseFor { reason, by } = arguments(given)?;
                answer(&tenant.pause(&person(by), &reason).await?)
            }
            "resume" => {
                let By { by } = arguments(given)?;
                answer(&tenant.resume(&person(by)).await?)
            }
            "paused" => {
                let Nothing {} = arguments(given)?;
                answer(&tenant.paused().await?)
            }
            _ => Err(unknown(&CLASS, operation)),
        }
    }
}

/// Somebody who only typed a name.
fn person(name: String) -> Actor {
    Actor::unverified(name)
}

fn request(ask: Ask) -> Result<Request> {
    let lasts: Option<Duration> = ask
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
    })
}
