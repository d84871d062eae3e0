//! Tests of the road: from scan to incident over connectors that follow a script, and from incident
//! to outcome against a vendor that a test can break in every way.

#[cfg(feature = "people")]
mod absence;
mod applying;
mod approving;
mod census;
mod detect;
mod findings;
mod fixture;
mod harness;
mod identify;
mod inbound;
mod lanes;
mod monitor;
#[cfg(feature = "people")]
mod notices;
mod observe;
#[cfg(feature = "people")]
mod offboarding;
#[cfg(feature = "people")]
mod personnel;
mod planning;
mod queue;
mod random;
#[cfg(feature = "people")]
mod reads;
mod roles;
mod scan;
mod schedule;
#[cfg(feature = "people")]
mod serving;
#[cfg(feature = "people")]
mod starting;
mod triage;
mod usage;
#[cfg(feature = "people")]
mod workforce;
