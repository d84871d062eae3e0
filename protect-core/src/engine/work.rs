//! What the engine does by itself after a scan and between scans, as far as the tenant's rules
//! allow: decide, and apply what was approved.

use super::{Engine, Step, Tenant};
use crate::error::Result;
use crate::model::Mode;
use crate::store::Commit;

impl Engine {
    /// Applies what was approved and waits, in every tenant, and ends what was to end by itself.
    ///
    /// # Errors
    /// `store`.
    pub async fn apply_waiting(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        for tenant in self.tenants() {
            if tenant.mode() == Mode::Enforce && tenant.paused().await?.is_none() {
                steps.extend(tenant.apply_waiting().await?);
            }
            #[cfg(feature = "people")]
            {
                Box::pin(tenant.review_workflows()).await?;
                Box::pin(tenant.review_certifications_daily()).await?;
                Box::pin(tenant.remind_daily()).await?;
            }
        }
        Ok(steps)
    }
}

impl Tenant {
    /// Plans anew, and turns into intents what the rules allow without anybody's consent. What
    /// needs consent waits as a plan.
    ///
    /// # Errors
    /// `store`.
    pub async fn decide(&self) -> Result<()> {
        self.end_acceptances().await?;
        let forgotten = Commit {
            changes: self.forget_old_attempts().await?,
            entries: Vec::new(),
        };
        if !forgotten.is_empty() {
            self.store().commit(self.id(), forgotten).await?;
        }
        let plan = self.plan().await?;
        if self.approve_automatic(plan).await?.is_some() {
            // What needs consent is not hidden behind the plan that was approved in part.
            self.plan().await?;
        }
        Ok(())
    }
}
