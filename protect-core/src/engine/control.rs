//! The kill switch: `pause` stops the next effect of a tenant, `resume` lets them go on.

use serde::{Deserialize, Serialize};

use super::Tenant;
use crate::error::Result;
use crate::model::{Actor, Attributes, Permission};
use crate::store::{Commit, Put, RecordKind};

const KEY: &str = "paused";

/// Who paused a tenant, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Pause {
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: jiff::Timestamp,
}

impl Tenant {
    /// Stops the next effect, and every one after it, until [`Tenant::resume`].
    ///
    /// # Errors
    /// `store`.
    pub async fn pause(&self, actor: &Actor, reason: &str) -> Result<()> {
        actor.need(Permission::RemediationsApprove)?;
        let pause = Pause {
            by: actor.clone(),
            reason: reason.to_owned(),
            since: self.now(),
        };
        let mut facts = Attributes::new();
        facts.insert("reason".to_owned(), reason.into());
        let commit = Commit::default()
            .put(Put::new(RecordKind::Control, KEY, &Some(pause))?)
            .append(self.entry_by("engine.paused", actor, facts).await?);
        self.store().commit(self.id(), commit).await.map(drop)
    }

    /// Lets effects go on.
    ///
    /// # Errors
    /// `store`.
    pub async fn resume(&self, actor: &Actor) -> Result<()> {
        actor.need(Permission::RemediationsApprove)?;
        let entry = self
            .entry_by("engine.resumed", actor, Attributes::new())
            .await?;
        let commit = Commit::default()
            .put(Put::new(RecordKind::Control, KEY, &None::<Pause>)?)
            .append(entry);
        self.store().commit(self.id(), commit).await.map(drop)
    }

    /// Who paused this tenant, where somebody did.
    ///
    /// # Errors
    /// `store`.
    pub async fn paused(&self) -> Result<Option<Pause>> {
        let found = self.read::<Option<Pause>>(RecordKind::Control, KEY).await?;
        Ok(found.and_then(|pause| pause.value))
    }
}
