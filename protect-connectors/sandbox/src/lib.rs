//! Strict, stateful simulators of the vendors that `protect` talks to, on loopback.
//!
//! A simulated vendor refuses what the real one would refuse and counts it as a [`Violation`];
//! what a correct client may meet all the same (nothing found, an expired token, a protected user,
//! a fault that was switched on) is no violation. Requests and state transitions are kept apart:
//! a client that only looked has left no transition. [`Fault`]s are switches. The clock follows the
//! wall clock, plus what it was advanced by. Everything is also reachable over HTTP below
//! `/_sandbox`, for other processes and languages; the routes are listed below.
//!
//! The sandbox shares no type with the clients it tests: it is written from the vendors' documents.
//!
//! ```
//! use protect_sandbox::{Fault, Sandbox};
//!
//! let sandbox = Sandbox::builder().seed(7).start_blocking()?;
//! assert!(sandbox.hibp_api_url().ends_with("/api/v3"));
//! sandbox.set_fault(Fault::named("suspend_fails").expect("a known name"));
//! let planted = sandbox.planted();
//! assert!(planted.leaked.email.ends_with("@acme.example"));
//! // ... let a client work against it, then:
//! assert!(sandbox.violations().is_empty());
//! sandbox.shutdown_blocking();
//! # Ok::<(), protect_sandbox::SandboxError>(())
//! ```
#![doc = ""]
#![doc = include_str!("../docs.md")]

mod assertion;
mod bearer;
mod chat;
mod clock;
mod cloud_event;
mod connection;
mod control;
mod distort;
mod dns;
mod faults;
mod google;
mod graph;
mod hibp;
mod journal;
mod limits;
mod one_stack;
mod onepassword;
mod people;
mod post;
mod rendered;
mod request;
mod rng;
mod sandbox;
mod scenario;
mod scim;
mod server;
mod smtp;
mod stripe;
mod token;
mod webhook;
mod world;

pub use assertion::ClientCertificate;
pub use dns::{DnsQuestion, DnsServer, DnsServerError, ZoneError};
pub use faults::{Fault, FaultKind};
pub use google::PlantedDomain;
pub use graph::PlantedTenant;
pub use hibp::Plan;
pub use journal::{RequestRecord, Transition, Vendor, Violation};
pub use one_stack::{
    HubMessage, HubSso, HubToken, HubUser, LegalSignature, NewHubWebhook, OneStackOrganisation,
};
pub use sandbox::{Credentials, Sandbox, SandboxBuilder, SandboxError};
pub use scenario::{DOMAIN, Planted, PlantedUser};
