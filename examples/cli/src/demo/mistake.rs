//! A suspension that turns out to be a mistake is taken back, on the same road.

use protect_connectors::core::Result;
use protect_connectors::core::model::{ActionKind, Actor, OutcomeStatus};
use serde::Serialize;

use super::proof::{self, AccountNow};
use super::road::{self, Done};
use super::stage::Stage;
use crate::exit::Exit;
use crate::output::Output;
use crate::vendors::MICROSOFT;

/// What was taken back, and how the account is afterwards.
#[derive(Serialize)]
pub(super) struct Mistake {
    pub(super) done: Done,
    pub(super) account: AccountNow,
}

/// Reactivates the account in Microsoft 365 that was suspended last; `None` where none was.
pub(super) async fn take_back(
    stage: &Stage,
    done: &Done,
    output: Output,
) -> Result<Option<Mistake>> {
    let suspended = done.steps.iter().rev().find_map(|step| {
        let account = road::account_of(step)?;
        let is_it = step.action.kind == ActionKind::SuspendAccount
            && step.status() == Some(OutcomeStatus::Applied)
            && account.connector.as_str() == MICROSOFT;
        is_it.then_some((&step.action.id, account))
    });
    let Some((action, account)) = suspended else {
        return Ok(None);
    };
    let alice = Actor::unverified("alice");
    let plan = stage
        .tenant
        .undo(action, &alice, "it was the owner")
        .await?;
    let done = road::act(stage, plan, output).await?;
    let account = proof::look_at(stage, account).await?;
    Ok(Some(Mistake { done, account }))
}

impl Mistake {
    pub(super) fn exit(&self) -> Exit {
        let is_active = self.account.state.as_deref() == Some("active");
        self.done.exit().and(Exit::trouble(!is_active))
    }
}
