//! Each rule of the simulators once, over real HTTP.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

mod faults;
mod google;
mod graph;
mod hibp;
mod one_stack;
mod onepassword;
mod onepassword_events;
mod support;
mod webhook;
