//! Which controls a kind of evidence speaks for: data with a version, which a tenant may replace. The
//! hints are ours; whether a control is met is the auditor's to say.

use std::collections::BTreeMap;

use protect_core::model::ArtifactKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const STANDARD: &str = include_str!("controls.json");

/// A control of a framework.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The framework (`SOC 2`).
    pub framework: String,
    /// The control's id in it (`CC6.1`).
    pub control_id: String,
}

/// What stands for each kind of evidence.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Controls {
    /// Goes up with every change of the mapping, so that evidence says by which one it was mapped.
    pub(crate) version: u32,
    evidence: BTreeMap<String, Mapping>,
}

/// How one kind is handed in.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Mapping {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) description: String,
    pub(crate) controls: Vec<Control>,
}

impl Controls {
    /// The mapping of this version, with what the tenant replaces.
    ///
    /// # Errors
    /// What is wrong with the replacement.
    pub(super) fn parse(replaced: Option<&Value>) -> Result<Self, String> {
        let mut all: Self = serde_json::from_str(STANDARD).map_err(|error| error.to_string())?;
        let tables = replaced.and_then(Value::as_object);
        for (name, controls) in tables.into_iter().flatten() {
            let mapping = all.evidence.get_mut(name);
            let mapping = mapping.ok_or_else(|| format!("`{name}` is not a kind of evidence"))?;
            mapping.controls =
                Vec::deserialize(controls).map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(all)
    }

    pub(super) fn of(&self, kind: ArtifactKind) -> Option<&Mapping> {
        self.evidence.get(kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_evidence_has_a_type_that_the_product_knows_and_a_control() {
        let controls = Controls::parse(None).unwrap();
        for kind in ArtifactKind::ALL {
            let mapping = controls.of(kind).unwrap();
            let types = ["policy", "screenshot", "report", "log", "attestation"];
            assert!(types.contains(&mapping.kind.as_str()), "{kind:?}");
            assert!(!mapping.controls.is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn a_tenant_replaces_controls_and_a_mistake_is_named() {
        let own =
            json!({ "email_auth_status": [{ "framework": "ISO 27001", "control_id": "A.8.20" }] });
        let controls = Controls::parse(Some(&own)).unwrap();
        let mapping = controls.of(ArtifactKind::EmailAuthStatus).unwrap();
        assert_eq!(mapping.controls[0].control_id, "A.8.20");
        for wrong in [
            json!({ "email": [] }),
            json!({ "email_auth_status": [{ "control": "x" }] }),
        ] {
            assert!(Controls::parse(Some(&wrong)).unwrap_err().contains("email"));
        }
    }
}
