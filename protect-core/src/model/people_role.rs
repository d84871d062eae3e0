use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A role in the workforce.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PeopleRole {
    /// Everything.
    Admin,
    /// Everything of Human Resources.
    HrManager,
    /// The same without insider-threat signals.
    HrStaff,
    /// Their own team.
    Manager,
    /// Looks, at what is nobody's secret.
    Viewer,
    /// Their own.
    Employee,
}

impl PeopleRole {
    /// The product whose roles these are, as an [`Authority`](super::Authority) names it.
    pub const PRODUCT: &'static str = "people";

    /// Every role, in the order of the table's columns.
    pub const ALL: [Self; 6] = [
        Self::Admin,
        Self::HrManager,
        Self::HrStaff,
        Self::Manager,
        Self::Viewer,
        Self::Employee,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::HrManager => "hr_manager",
            Self::HrStaff => "hr_staff",
            Self::Manager => "manager",
            Self::Viewer => "viewer",
            Self::Employee => "employee",
        }
    }
}

impl FromStr for PeopleRole {
    type Err = Error;

    /// A role as The One Hub writes it: `HR Manager` is `hr_manager`.
    fn from_str(text: &str) -> Result<Self> {
        let word = text.trim().to_lowercase().replace([' ', '-'], "_");
        let found = Self::ALL.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| Error::invalid_input("not a role of the workforce"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_however_its_words_are_written() {
        for text in ["HR Manager", "hr-manager", " hr_manager "] {
            assert_eq!(text.parse::<PeopleRole>().unwrap(), PeopleRole::HrManager);
        }
        for role in PeopleRole::ALL {
            assert_eq!(role.as_str().parse::<PeopleRole>().unwrap(), role);
            assert_eq!(serde_json::json!(role), role.as_str());
        }
        assert!("superuser".parse::<PeopleRole>().is_err());
    }
}
