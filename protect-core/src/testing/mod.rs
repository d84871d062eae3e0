//! What tests of this library, of connectors and of applications share.

pub mod contract;
mod kill;

pub use kill::{KILL_POINTS, kill_point};
