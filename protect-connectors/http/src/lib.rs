//! The outside, as protect reaches it on a real machine: HTTP by `reqwest` with rustls, DNS by
//! `hickory`, secrets from environment, files, commands and the embedding program, and randomness
//! from the operating system.
//!
//! Everything above takes these through a [`Context`], so tests and other hosts bring their own.

mod dns;
mod failure;
mod guard;
mod random;
mod secrets;
mod transport;

use std::sync::Arc;

use protect_core::clock::SystemClock;
use protect_core::http::RateLimits;
use protect_core::{Context, Result};

pub use dns::SystemDns;
pub use guard::{Destination, check_url, forbidden};
pub use random::SystemRandom;
pub use secrets::SystemSecrets;
pub use transport::{Proxies, ReqwestTransport, ReqwestTransportBuilder};

/// The machine's context. `user_agent` is how we introduce ourselves to vendors (`name/version`),
/// who ask for a truthful one.
///
/// # Errors
/// `unexpected` where TLS cannot be set up.
pub fn system_context(user_agent: impl Into<String>) -> Result<Context> {
    let clock = Arc::new(SystemClock::new());
    Ok(Context {
        transport: Arc::new(ReqwestTransport::builder().build()?),
        clock: Arc::clone(&clock) as _,
        dns: Arc::new(SystemDns::new()),
        secrets: Arc::new(SystemSecrets::new(clock)),
        random: Arc::new(SystemRandom),
        limits: Arc::new(RateLimits::default()),
        user_agent: user_agent.into(),
    })
}
