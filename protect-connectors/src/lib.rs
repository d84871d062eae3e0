//! Every connector of protect behind one registry, and the engine opened with them: depend on this
//! crate alone.
//!
//! ```no_run
//! use protect_connectors::prelude::*;
//!
//! # async fn example() -> Result<()> {
//! let acme = Protect::open("protect.toml").await?.tenant("acme")?;
//! let plan = acme.plan().await?;
//! let approved: ApprovedPlan = acme.approve(plan, &Actor::unverified("alice")).await?;
//! for step in acme.apply(approved).await? {
//!     println!("{step}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Vendors' own clients (level 1) stand in the modules named after their kinds. They call the
//! vendor at once, without plan, guards, store or ledger; only the engine gives those.

mod context;
pub mod foreign;
#[cfg(feature = "log")]
pub mod log;
pub mod operations;
pub mod posture;
mod protect;
mod registry;
#[cfg(feature = "email")]
pub mod report;

pub use context::context;
pub use protect::{Protect, ProtectBuilder};
pub use protect_core as core;
#[cfg(feature = "email")]
pub use protect_email as email;
#[cfg(feature = "google")]
pub use protect_google as google;
#[cfg(feature = "hibp")]
pub use protect_hibp as hibp;
pub use protect_http as http;
#[cfg(feature = "m365")]
pub use protect_m365 as m365;
#[cfg(feature = "notify")]
pub use protect_notify as notify;
#[cfg(feature = "one-stack")]
pub use protect_one_stack as one_stack;
#[cfg(feature = "onepassword")]
pub use protect_onepassword as onepassword;
#[cfg(feature = "sandbox")]
pub use protect_sandbox as sandbox;
#[cfg(feature = "scim")]
pub use protect_scim as scim;
#[cfg(feature = "stripe")]
pub use protect_stripe as stripe;
#[cfg(feature = "web")]
pub use protect_web as web;
#[cfg(feature = "webhook")]
pub use protect_webhook as webhook;
pub use registry::registry;

/// What most programs use.
pub mod prelude {
    pub use protect_core::engine::{Engine, Tenant};
    pub use protect_core::model::*;
    pub use protect_core::{Error, ErrorKind, Result};

    pub use crate::Protect;
}
