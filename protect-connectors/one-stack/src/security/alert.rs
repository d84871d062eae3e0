use jiff::Timestamp;
use protect_core::model::Attributes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::item::Item;

/// An alert as Security shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SecurityAlert {
    /// Security's id.
    pub id: String,
    /// One line.
    pub title: Option<String>,
    /// `new`, `open`, `investigating`, `contained`, `resolved`, `closed`, or another word.
    pub status: Option<String>,
    /// `critical`, `high`, `medium`, `low`, `info`, or another word.
    pub severity: Option<String>,
    /// The login or address that it is about.
    pub affected_account: Option<String>,
    /// When it was raised.
    pub created_at: Option<Timestamp>,
    /// Everything else, as it came.
    pub attributes: Attributes,
}

impl SecurityAlert {
    pub(super) fn of(mut item: Item) -> Self {
        let created_at = item.text("created_at").and_then(|at| at.parse().ok());
        Self {
            title: item.take("title"),
            status: item.take("status"),
            severity: item.take("severity"),
            affected_account: item.take("affected_account"),
            created_at,
            id: item.id.clone(),
            attributes: item.rest(),
        }
    }
}

impl SecurityAlert {
    /// The category, free text of Security's; empty where it says none.
    pub(super) fn category(&self) -> &str {
        let category = self.attributes.get("category");
        category.and_then(|word| word.as_str()).unwrap_or_default()
    }
}

/// What Security has about one account around a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Correlation {
    /// The alerts' ids.
    pub(super) alerts: Vec<String>,
    /// Whether somebody may still have to deal with one of them.
    pub(super) is_active: bool,
}

impl Correlation {
    pub(super) fn of(alerts: Vec<SecurityAlert>, is_closed: impl Fn(&str) -> bool) -> Self {
        let active =
            |alert: &SecurityAlert| !is_closed(alert.status.as_deref().unwrap_or_default());
        Self {
            is_active: alerts.iter().any(active),
            alerts: alerts.into_iter().map(|alert| alert.id).collect(),
        }
    }
}
