//! What tests put in the place of the outside: a clock that a test turns, a transport that plays a
//! script, DNS and secrets from a map, randomness from a seed; the contracts that every connector keeps;
//! and the places where a test can kill the process. Feature `testing`.

mod clock;
pub mod contract;
mod kill;
mod logged;
pub mod posture;
mod skipping;
mod sources;
mod transport;

use std::sync::Arc;

pub use clock::ManualClock;
pub use kill::{KILL_POINTS, kill_point};
pub use logged::logged;
pub use skipping::SkippingClock;
pub use sources::{MapDns, MapSecrets, SeededRandom};
pub use transport::{Expectation, ScriptedTransport};

use crate::clock::Clock;
use crate::connector::OpContext;
use crate::context::Context;
use crate::dns::DnsLookup;
use crate::http::{HttpTransport, RateLimits};
use crate::model::{Actor, TenantId};
use crate::secret::SecretResolver;

/// A [`Context`] and the parts it was made of, each shared with it.
#[derive(Clone, Debug)]
pub struct TestContext {
    /// The context.
    pub context: Context,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// Its transport.
    pub transport: Arc<ScriptedTransport>,
    /// Its DNS.
    pub dns: Arc<MapDns>,
    /// Its secrets.
    pub secrets: Arc<MapSecrets>,
}

/// A context whose clock stands still until it is advanced.
pub fn context() -> TestContext {
    with_clock(ManualClock::new())
}

/// A context whose clock moves on by itself whenever somebody sleeps: for tests of one task.
pub fn impatient_context() -> TestContext {
    with_clock(ManualClock::impatient())
}

fn with_clock(clock: ManualClock) -> TestContext {
    let clock = Arc::new(clock);
    let transport = Arc::new(ScriptedTransport::new(Arc::clone(&clock) as Arc<dyn Clock>));
    let dns = Arc::new(MapDns::default());
    let secrets = Arc::new(MapSecrets::default());
    TestContext {
        context: Context {
            transport: Arc::clone(&transport) as Arc<dyn HttpTransport>,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            dns: Arc::clone(&dns) as Arc<dyn DnsLookup>,
            secrets: Arc::clone(&secrets) as Arc<dyn SecretResolver>,
            random: Arc::new(SeededRandom::new(1)),
            limits: Arc::new(RateLimits::default()),
            user_agent: "protect-test/0".to_owned(),
        },
        clock,
        transport,
        dns,
        secrets,
    }
}

/// An [`OpContext`] without a deadline, for a tenant called `acme`.
pub fn op() -> OpContext {
    #[expect(clippy::expect_used, reason = "the text is a valid tenant id")]
    let tenant = TenantId::new("acme").expect("a valid id");
    OpContext::new(tenant, "test", Actor::engine())
}
