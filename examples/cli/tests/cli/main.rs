//! The real binary over the simulated vendors, as somebody would type it.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

mod broken;
mod demo;
mod email;
mod evaluate;
mod files;
mod hostile;
mod mistakes;
mod people;
mod policies;
mod reports;
mod road;
mod serve;
mod support;
mod webhooks;

/// The conformance suite for SPF, as the library's own tests read it.
#[path = "../../../../protect-connectors/email/tests/spf/openspf.rs"]
mod openspf;
