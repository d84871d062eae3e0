//! Doctor: what every connector's vendor says about our credentials, without changing anything.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tenant;
use crate::connector::{ConnectorInfo, Diagnosis};
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
            let diagnosis = connector.diagnose(&cx).await;
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
}

/// A clock that is further off than this makes tokens and signatures fail.
const MAX_SKEW_SECONDS: u64 = 120;

fn is_healthy(diagnosis: &Diagnosis) -> bool {
    let clock_agrees = diagnosis
        .clock_skew_seconds
        .is_none_or(|skew| skew.unsigned_abs() <= MAX_SKEW_SECONDS);
    diagnosis.reachable
        && clock_agrees
        && diagnosis
            .credentials
            .iter()
            .all(|credential| credential.accepted != Some(false) && credential.missing.is_empty())
}
