//! Everything from outside, handed in: nothing in this library reaches for a global.

use std::fmt::Debug;
use std::sync::Arc;

use crate::clock::Clock;
use crate::dns::DnsLookup;
use crate::http::{HttpTransport, RateLimits};
use crate::secret::SecretResolver;

/// What connectors and the engine get from outside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// Sends HTTP requests.
    pub transport: Arc<dyn HttpTransport>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Answers DNS questions.
    pub dns: Arc<dyn DnsLookup>,
    /// Reads secrets.
    pub secrets: Arc<dyn SecretResolver>,
    /// Gives random bytes.
    pub random: Arc<dyn Random>,
    /// Keeps every vendor's limits, one budget per key however many connectors use it.
    pub limits: Arc<RateLimits>,
    /// How we introduce ourselves to vendors: `name/version`.
    pub user_agent: String,
}

impl Context {
    /// A random id in the form of a GUID (RFC 9562 section 5.4).
    pub fn fresh_guid(&self) -> String {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    }
}

/// Where randomness comes from: ids, salts, jitter.
pub trait Random: Debug + Send + Sync + 'static {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);

    /// A number in `0.0..1.0`, for jitter.
    fn fraction(&self) -> f64 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}
