//! The checks over customers written from the shapes of Google's interfaces.
#![recursion_limit = "256"]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

mod accounts;
mod customer;
mod domains;
mod folder;
mod happened;
mod log;
mod places;
mod policies;
mod promises;
mod records;
mod scale;
