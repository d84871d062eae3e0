//! The real binary over the simulated vendors, as somebody would type it.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

mod broken;
mod demo;
mod files;
mod mistakes;
mod reports;
mod road;
mod support;
