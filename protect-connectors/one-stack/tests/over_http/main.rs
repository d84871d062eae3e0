//! The connectors of The One Stack against its simulator, over real HTTP.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

mod access;
mod auto;
mod bus;
mod compliance;
mod defend;
mod hub;
mod legal;
mod limits;
mod oncall;
mod portal;
mod psa;
mod rmm;
mod road;
mod security;
mod trouble;
mod world;
