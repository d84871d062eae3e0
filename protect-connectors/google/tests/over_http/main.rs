//! The connector against the simulated Google Workspace, over real HTTP.
#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod collecting;
mod directory;
mod history;
mod remediating;
mod scanning;
mod signing_in;
mod world;
