//! Which reading of the checks applies, and what a tenant tuned.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Error, Result};

/// Which baseline's reading of the checks applies, with a tenant's own settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The baseline's name (`scuba`).
    pub name: String,
    /// What the tenant tuned. It goes before what a snapshot carries.
    pub checks: BTreeMap<String, CheckSettings>,
}

impl Profile {
    /// A baseline by its name, as it stands.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            checks: BTreeMap::new(),
        }
    }

    /// CISA's Secure Cloud Business Applications baselines.
    pub fn scuba() -> Self {
        Self::named("scuba")
    }

    /// The CIS benchmarks.
    pub fn cis() -> Self {
        Self::named("cis")
    }

    /// The reading of the tool Prowler.
    pub fn prowler() -> Self {
        Self::named("prowler")
    }

    /// The same with a tenant's settings.
    #[must_use]
    pub fn with_checks(mut self, checks: BTreeMap<String, CheckSettings>) -> Self {
        self.checks.extend(checks);
        self
    }
}

/// The `config` of a snapshot, or of `--config`: the profile and, per check, exclusions and levels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluateConfig {
    /// The profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Per check.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, CheckSettings>,
}

impl EvaluateConfig {
    /// Reads it from JSON.
    ///
    /// # Errors
    /// `config_invalid` naming the place.
    pub fn parse(text: &str) -> Result<Self> {
        let mut json = serde_json::Deserializer::from_str(text);
        serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let place = error.path().to_string();
            Error::config(place, "not a configuration of checks: an object with `profile` and `checks`, and per check `excluded_users`, `excluded_groups`, `excluded_applications`, `excluded_guest_types`, `excluded_principals` and `level`")
        })
    }
}

/// What a tenant tuned of one check. Ids are compared without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckSettings {
    /// Users that may be left out, by the vendor's id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_users: Vec<String>,
    /// Groups that may be left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_groups: Vec<String>,
    /// Applications that may be left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_applications: Vec<String>,
    /// Types of guests that may be left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_guest_types: Vec<String>,
    /// Holders of roles and other objects that may be left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_principals: Vec<String>,
    /// How strict the check is; what may stand here is the check's own matter.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "level")]
    pub level: Option<String>,
}

/// A level may be written as a number.
fn level<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u32),
        Word(String),
    }
    Ok(
        Option::<Written>::deserialize(from)?.map(|level| match level {
            Written::Number(number) => number.to_string(),
            Written::Word(word) => word,
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_word_or_a_number() {
        let config = EvaluateConfig::parse(
            r#"{"profile":"cis","checks":{"a.b.c":{"level":60},"a.b.d":{"level":"strict"}}}"#,
        )
        .unwrap();
        assert_eq!(config.checks["a.b.c"].level.as_deref(), Some("60"));
        assert_eq!(config.checks["a.b.d"].level.as_deref(), Some("strict"));
    }

    #[test]
    fn a_misspelt_key_is_an_error_that_names_its_place() {
        let error = EvaluateConfig::parse(r#"{"checks":{"a.b.c":{"excludedusers":[]}}}"#);
        let error = error.unwrap_err();
        assert!(error.to_string().contains("a.b.c"), "{error}");
    }
}
