//! Reports that receivers send about a domain's mail: aggregate and failure reports of DMARC, and
//! TLS reports.
//!
//! A report is an unauthenticated claim, written by whoever found the address: it is bounded in
//! every direction ([`limits`]), its words are kept as claims, and nothing is ever changed because of
//! one alone.

pub mod aggregate;
mod domain;
pub mod failure;
pub mod folder;
pub mod identity;
pub mod input;
pub mod issue;
pub mod limits;
mod message;
mod opening;
mod overview;
mod parse;
mod reading;
pub mod rules;
pub mod senders;
pub mod summary;
mod text;
pub mod tls;
pub mod volumes;

pub use overview::{BrokenReport, ReportsOverview, read_reports};
pub use parse::{AggregateReport, HELD, Report, parse_report, parse_reports};
pub use reading::{Reading, Tally, Told};

#[cfg(test)]
mod rules_tests;
#[cfg(test)]
mod tests;
