//! The configuration: what stands in `protect.toml`, parsed into types that cannot be wrong.
//!
//! [`Config::load`] reads a file, [`Config::from_value`] what a Python dict or JavaScript object
//! became; both check everything against the [`Registry`](crate::registry::Registry), since every
//! kind of connector brings its own keys as a [`KindSpec`].

mod built_in;
mod client;
mod duration;
mod facts;
mod kind;
mod model;
mod parse;
mod problem;
mod read;
mod reference;
mod rule;
mod schema;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use built_in::built_in_parameters;
pub use client::{BrandingConfig, ClientViewConfig, Colour};
pub use duration::parse_duration;
pub use facts::Facts;
pub use kind::{
    CheckSpec, CredentialField, CredentialSpec, EndpointSpec, KindSpec, SettingSpec, SettingType,
    SignalSpec,
};
pub use model::{
    ApprovalConfig, ApprovalMode, Config, ConnectionConfig, ConnectorConfig, CsvMonitor,
    GuardConfig, InsiderThreatConfig, KeyVaultConfig, LedgerConfig, MonitorConfig, NoticesConfig,
    PeopleConfig, PeopleRolesConfig, RuleAction, SelfApproval, StoreConfig, TenantConfig,
    TenantScope, UnverifiedActors,
};
pub use parse::ConfigFormat;
pub use problem::{ConfigErrors, ConfigProblem};
pub use reference::reference_markdown;
pub use rule::{Condition, Rule, SeverityBound, When};
pub use schema::schema;
pub use template::{TemplateAnswers, TemplateConnector, template};

use crate::error::Error;

/// An error for a name that is not known, with the nearest known one.
pub(crate) fn unknown_name<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Error {
    Error::invalid_input(problem::unknown_word(what, name, known).0)
}
