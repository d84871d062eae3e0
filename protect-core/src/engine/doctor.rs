//! Doctor: what every connector's vendor says about our credentials, without changing anything.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tenant;
use crate::connector::{Connector, ConnectorInfo, Diagnosis, Watching};
use crate::error::ErrorEnvelope;
use crate::model::Actor;

/// What doctor found out about one connector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Checkup {
    /// Which connector.
    pub connector: ConnectorInfo,
    /// Whether nothing stands in the way.
    pub healthy: bool,
    /// What its vendor says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
    /// Why there is no diagnosis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorEnvelope>,
}

impl Tenant {
    /// Asks every connector's vendor the cheapest authenticated question, one after the other.
    /// A vendor that cannot be asked is part of the answer.
    pub async fn doctor(&self) -> Vec<Checkup> {
        let mut checkups = Vec::new();
        for connector in self.connectors() {
            let cx = self.op(Actor::engine(), self.vendor_budget());
            let mut diagnosis = connector.diagnose(&cx).await;
            if let Ok(diagnosis) = &mut diagnosis
                && diagnosis.reachable
            {
                let notes = self.capacity(connector.as_ref()).await;
                diagnosis.notes.extend(notes);
            }
            let diagnosis = diagnosis.map_err(|error| self.about(connector.info(), error));
            checkups.push(Checkup {
                connector: connector.info().clone(),
                healthy: diagnosis.as_ref().is_ok_and(is_healthy),
                error: diagnosis.as_ref().err().map(crate::Error::envelope),
                diagnosis: diagnosis.ok(),
            });
        }
        checkups
    }

    /// What the watched addresses take of a vendor's limits, or why nobody can say.
    async fn capacity(&self, connector: &dyn Connector) -> Vec<String> {
        let Some(scanner) = connector.as_scanner() else {
            return Vec::new();
        };
        let notes = async {
            let own = Arc::new(self.watch_list().await?);
            let others = self.others_on(connector).await;
            let who = Watching {
                own: &own,
                others: &others,
            };
            let cx = self.op(Actor::engine(), self.vendor_budget());
            scanner.capacity(&cx, who).await
        };
        notes
            .await
            .unwrap_or_else(|error| vec![format!("the capacity is not known: {}", error.message())])
    }
}

fn is_healthy(diagnosis: &Diagnosis) -> bool {
    diagnosis.reachable
        && !diagnosis.is_clock_wrong()
        && diagnosis
            .credentials
            .iter()
            .all(|credential| credential.accepted != Some(false) && credential.missing.is_empty())
}
