mod act;
mod people;
mod people_table;
mod table;
mod watch;

use std::sync::Arc;

use futures::future::BoxFuture;
use protect_core::Result;
use protect_core::engine::Tenant;
use protect_core::model::{Actor, Approval, ApprovedPlan, Plan};
use protect_core::operation::{Callable, Class, ProgressSink, unknown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use people_table::OPERATIONS as PEOPLE_OPERATIONS;
pub(in crate::operations) use table::CLASS;

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

impl Callable for TenantCalls {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move {
            if let Some(answer) = watch::call(&self.0, &operation, &given).await? {
                return Ok(answer);
            }
            if let Some(answer) = people::call(&self.0, &operation, &given).await? {
                return Ok(answer);
            }
            let answered = act::call(&self.0, &operation, given).await?;
            answered.ok_or_else(|| unknown(&CLASS, &operation))
        })
    }

    fn call_with_progress(
        self: Arc<Self>,
        operation: &str,
        given: Value,
        progress: ProgressSink,
    ) -> BoxFuture<'static, Result<Value>> {
        match operation {
            "scan" => Box::pin(async move { watch::scan(&self.0, given, Some(progress)).await }),
            _ => self.call(operation, given),
        }
    }
}

/// Somebody who only typed a name.
fn person(name: String) -> Actor {
    Actor::unverified(name)
}

/// Declares what operations take: structs in which an unknown argument is an error.
macro_rules! shapes {
    ($($name:ident { $($field:ident: $kind:ty),* $(,)? })*) => {
        $(
            #[derive(serde::Deserialize)]
            #[serde(deny_unknown_fields)]
            struct $name { $($field: $kind),* }
        )*
    };
}
use shapes;
