//! The native half of the Node package `protect-sdk`; `lib/native.cjs` loads it as `protect.node`.
//!
//! It holds no rules: one opaque `Handle` is called by name with JSON, and
//! everything that people see is JavaScript above it, most of it generated.

mod callback;
mod connector;
mod errors;
mod handle;
mod log;
mod open;
mod pure;
mod secrets;

use napi_derive::napi;

/// The version of the engine inside this package.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
