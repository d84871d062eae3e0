//! The configuration: what stands in `protect.toml`, parsed into types that cannot be wrong.

mod model;

pub use model::{
    ApprovalConfig, ApprovalMode, Config, ConnectionConfig, ConnectorConfig, CsvMonitor,
    GuardConfig, LedgerConfig, MonitorConfig, RuleAction, SelfApproval, StoreConfig, TenantConfig,
    TenantScope, UnverifiedActors,
};
pub use rule::{Condition, Rule, SeverityBound, When};

mod rule;

use crate::error::Error;

/// An error for a name that is not known, with the nearest known one.
pub(crate) fn unknown_name<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> Error {
    let nearest = known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(2));
    let hint = nearest.map_or(String::new(), |(_, candidate)| {
        format!("; did you mean `{candidate}`?")
    });
    Error::invalid_input(format!("unknown {what} `{name}`{hint}"))
}
