//! The checks over tenants written from the shapes of Graph v1.0.
#![recursion_limit = "256"]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

mod access;
mod apps;
mod exceptions;
mod factors;
mod people;
mod promises;
mod roles;
mod scale;
mod tenant;
