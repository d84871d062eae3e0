//! The native half of the Node package `protect-sdk`; `index.cjs` loads it as `protect.node`.

use napi_derive::napi;

/// The version of the engine inside this package.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
