//! Have I Been Pwned connector of protect.

mod models;
pub mod severity;
mod wire;

pub use models::{
    Breach, BreachName, DnsToken, DomainExposure, Paste, SubscribedDomain, SubscriptionStatus,
};
