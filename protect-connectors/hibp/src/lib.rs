//! Have I Been Pwned connector of protect: which watched addresses stand in known breaches, pastes
//! and stealer logs, and how bad that is.
#![doc = include_str!("docs.md")]

mod builder;
mod catalogue;
mod client;
mod config;
mod connector;
mod error;
mod gate;
mod models;
mod observe;
mod operations;
mod passwords;
mod planner;
mod requests;
mod scan;
pub mod severity;
mod wire;

pub use builder::HibpBuilder;
pub use client::Hibp;
pub use config::{Cadence, Pastes};
pub use connector::{HibpConnector, register};
pub use gate::{CLASS, connect};
pub use models::{
    Addresses, Breach, BreachName, BreachRef, DataClasses, DnsToken, DomainExposure, Paste,
    SubscribedDomain, SubscriptionStatus, Websites,
};
pub use operations::OPERATIONS;
pub use passwords::Password;
pub use severity::{
    Assessment, CredentialAssessment, CredentialForm, Policy, SeverityProfile, classify, evaluate,
};

/// The kind's name in the configuration.
pub const KIND: &str = "hibp";
