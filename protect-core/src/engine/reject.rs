//! Reject: somebody's decision that a plan is not to be carried out.

use super::Tenant;
use super::decide::put_plan;
use super::findings::check_reason;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Actor, Attributes, Permission, Plan, PlanId};
use crate::store::{Commit, Query, RecordKind};

impl Tenant {
    /// Turns a plan down. It cannot be approved any more, and waits for nobody; the same actions are
    /// planned again once something about them has changed.
    ///
    /// # Errors
    /// `permission_denied` where the actor's role does not allow it; `not_found`; `conflict` where it
    /// was approved or replaced; `invalid_input` where the reason is empty or holds an address.
    pub async fn reject(&self, id: &PlanId, actor: &Actor, reason: &str) -> Result<()> {
        actor.need(Permission::RemediationsApprove)?;
        check_reason(reason)?;
        let query = Query::keys(RecordKind::Plan, vec![id.to_string()]);
        let page = self.store().query(self.id(), query).await?;
        let record = page.records.into_iter().next().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "no such plan").with_context("plan", id.as_str())
        })?;
        match record.state.as_str() {
            "planned" => {}
            "rejected" => return Ok(()),
            state => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!("the plan is {state}, so it cannot be rejected"),
                )
                .with_context("plan", id.as_str()));
            }
        }
        let mut facts = Attributes::new();
        facts.insert("plan".to_owned(), id.as_str().into());
        facts.insert("reason".to_owned(), reason.into());
        let plan: Plan = record.read()?;
        let expect = crate::store::Expect::Version(record.version);
        let commit = Commit::default()
            .put(put_plan(&plan, "rejected", &record.group)?.expect(expect))
            .append(self.entry_by("plan.rejected", actor, facts).await?);
        self.store().commit(self.id(), commit).await.map(drop)
    }
}
