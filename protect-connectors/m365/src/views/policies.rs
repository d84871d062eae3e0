use std::collections::BTreeMap;

use jiff::Timestamp;
use protect_core::posture::{Read, Reader, View};
use serde::Deserialize;
use serde_json::Value;

use super::Answer;
use crate::graph::{CA, STRENGTHS};
use crate::id::{Name, Names};

/// The Conditional Access policies
/// ([conditionalAccessPolicy](https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy)).
#[derive(Debug)]
pub(crate) struct Policies(pub(crate) Vec<Policy>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Policy {
    pub(crate) id: Name,
    #[serde(default)]
    pub(crate) display_name: Option<String>,
    pub(crate) state: Option<Name>,
    pub(crate) created_date_time: Option<Timestamp>,
    pub(crate) modified_date_time: Option<Timestamp>,
    #[serde(default)]
    pub(crate) conditions: Conditions,
    /// Null where the policy grants nothing and only limits sessions.
    #[serde(default)]
    pub(crate) grant_controls: Answer<Grant>,
    pub(crate) session_controls: Option<Session>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Conditions {
    pub(crate) users: People,
    pub(crate) applications: Applications,
    pub(crate) client_app_types: Names,
    pub(crate) user_risk_levels: Names,
    pub(crate) sign_in_risk_levels: Names,
    /// Graph v1.0 does not have it yet.
    pub(crate) agent_id_risk_levels: Names,
    pub(crate) authentication_flows: Option<Flows>,
    pub(crate) client_applications: Option<ClientApplications>,
    pub(crate) platforms: Option<Value>,
    pub(crate) locations: Option<Value>,
    pub(crate) devices: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct People {
    pub(crate) include_users: Names,
    pub(crate) exclude_users: Names,
    pub(crate) include_groups: Names,
    pub(crate) exclude_groups: Names,
    pub(crate) include_roles: Names,
    pub(crate) exclude_roles: Names,
    pub(crate) include_guests_or_external_users: Option<Guests>,
    pub(crate) exclude_guests_or_external_users: Option<Guests>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Guests {
    pub(crate) guest_or_external_user_types: Names,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Applications {
    #[serde(rename = "includeApplications")]
    pub(crate) included: Names,
    #[serde(rename = "excludeApplications")]
    pub(crate) excluded: Names,
    pub(crate) include_user_actions: Names,
    pub(crate) application_filter: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Flows {
    pub(crate) transfer_methods: Names,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClientApplications {
    /// Graph v1.0 does not have it yet.
    pub(crate) include_agent_id_service_principals: Names,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Grant {
    pub(crate) operator: Option<Name>,
    pub(crate) built_in_controls: Names,
    pub(crate) authentication_strength: Option<Strength>,
    pub(crate) terms_of_use: Names,
    pub(crate) custom_authentication_factors: Names,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Strength {
    id: Option<Name>,
    allowed_combinations: Option<Vec<Name>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Session {
    pub(crate) sign_in_frequency: Option<Frequency>,
    pub(crate) persistent_browser: Option<Persistence>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Frequency {
    pub(crate) is_enabled: Option<bool>,
    pub(crate) value: Option<u32>,
    #[serde(rename = "type")]
    pub(crate) unit: Option<Name>,
    #[serde(rename = "frequencyInterval")]
    pub(crate) interval: Option<Name>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Persistence {
    pub(crate) is_enabled: Option<bool>,
    pub(crate) mode: Option<Name>,
}

impl View for Policies {
    const PATHS: &'static [&'static str] = &[CA, STRENGTHS];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let mut strengths = BTreeMap::new();
        if read.has(STRENGTHS)? {
            read.each(STRENGTHS, |strength: Strength| {
                if let (Some(id), Some(combinations)) = (strength.id, strength.allowed_combinations)
                {
                    strengths.insert(id, combinations);
                }
            })?;
        }
        let mut policies: Vec<Policy> = Vec::new();
        read.each(CA, |mut policy: Policy| {
            if let Answer::Is(grant) = &mut policy.grant_controls
                && let Some(strength) = &mut grant.authentication_strength
            {
                strength.resolve(&strengths);
            }
            policies.push(policy);
        })?;
        policies.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        policies.dedup_by(|one, other| one.id == other.id);
        Ok(Self(policies))
    }
}

impl Strength {
    /// The combinations that it allows, where they are known.
    pub(crate) fn combinations(&self) -> Option<&[Name]> {
        self.allowed_combinations.as_deref()
    }

    /// A policy may name a strength without saying what it allows.
    fn resolve(&mut self, strengths: &BTreeMap<Name, Vec<Name>>) {
        if self.allowed_combinations.is_none() {
            self.allowed_combinations = self.id.as_ref().and_then(|id| strengths.get(id)).cloned();
        }
    }
}

impl Policy {
    /// As people know it.
    pub(crate) fn name(&self) -> String {
        match &self.display_name {
            Some(name) if !name.trim().is_empty() => name.clone(),
            _ => self.id.to_string(),
        }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.is("enabled"))
    }

    /// What it demands, where it demands something.
    pub(crate) fn grant(&self) -> Option<&Grant> {
        match &self.grant_controls {
            Answer::Is(grant) => Some(grant),
            Answer::Missing | Answer::Null => None,
        }
    }

    pub(crate) fn blocks(&self) -> bool {
        self.grant()
            .is_some_and(|grant| grant.built_in_controls.has("block"))
    }
}
