//! What comes in, answered over a real engine: by the function itself, by a server on loopback, and in a browser.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests stand outside of test functions, ask whether there is a browser, and say where there is none"
)]

mod browsing;
mod callbacks;
mod changes;
mod chrome;
mod inbound;
mod office;
mod pages;
mod people;
mod platform;
mod policies;
mod roles;
mod served;
mod serving;
mod sessions;
mod world;
