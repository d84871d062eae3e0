//! What is known to the configuration without any kind of connector.

use super::kind::{SettingSpec, SettingType};
use crate::model::ActionKind;

/// What an action that the workforce does itself is told.
pub(crate) fn built_in_parameters(kind: ActionKind) -> Vec<SettingSpec> {
    match kind {
        ActionKind::StartOffboarding => vec![
            SettingSpec::text(
                "last_day",
                "For `start_offboarding`: the last day of work (`2026-12-31`); the day on which it begins where it is left out.",
            ),
            SettingSpec::one_of(
                "leaving",
                ["terminated", "resigned"],
                "For `start_offboarding`: how they leave.",
            )
            .default("terminated"),
            SettingSpec::new(
                "at_once",
                SettingType::Boolean,
                "For `start_offboarding`: access ends as soon as somebody approved, and not with the last day.",
            )
            .default(false),
        ],
        ActionKind::StartOnboarding => vec![SettingSpec::text(
            "first_day",
            "For `start_onboarding`: the first day of work; the employee's own where it is left out.",
        )],
        _ => Vec::new(),
    }
}
