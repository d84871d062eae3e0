//! The whole road over the real stack: the facade, SQLite, HTTP, and the simulated vendors.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and hand their children settings in the environment"
)]

mod bad_input;
mod google;
mod kills;
mod leaving;
mod m365;
mod matrix;
mod month;
mod pages;
mod road;
mod scenarios;
mod secrets;
mod support;
