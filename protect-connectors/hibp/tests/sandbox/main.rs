//! The connector over real HTTP against the simulated vendor.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests: what they expect and do not get fails the test"
)]

mod client;
mod exact;
mod rates;
mod scan;
mod world;
