use crate::clock::Clock;
use crate::context::{Context, Random};
use crate::dns::{DnsLookup, TxtAnswer};
use crate::http::{HttpError, HttpErrorKind, HttpTransport};
use crate::secret::{SecretRef, SecretResolver, SecretString};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct ManualClock(Mutex<(Timestamp, Duration)>);
impl ManualClock {
    pub(crate) fn at(t: Timestamp) -> Self {
        Self(Mutex::new((t, Duration::ZERO)))
    }
    pub(crate) fn advance(&self, d: Duration) {
        let mut g = self.0.lock().unwrap();
        g.0 += jiff::SignedDuration::try_from(d).unwrap();
        g.1 += d;
    }
}
#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }
    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().1
    }
    async fn sleep(&self, _: Duration) {}
}
#[derive(Debug)]
struct No;
#[async_trait]
impl HttpTransport for No {
    async fn send(&self, _: ::http::Request<Bytes>) -> Result<::http::Response<Bytes>, HttpError> {
        Err(HttpError::new(HttpErrorKind::Connect, "no"))
    }
}
#[async_trait]
impl DnsLookup for No {
    async fn txt(&self, _: &str) -> TxtAnswer {
        TxtAnswer::NoName
    }
}
#[async_trait]
impl SecretResolver for No {
    async fn resolve(&self, _: &SecretRef) -> crate::Result<SecretString> {
        Err(crate::Error::unexpected("no"))
    }
}
#[derive(Debug)]
struct Rng(Mutex<u64>);
impl Random for Rng {
    fn fill(&self, b: &mut [u8]) {
        let mut g = self.0.lock().unwrap();
        for x in b {
            *g = g
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            *x = (*g >> 33) as u8;
        }
    }
}
pub(crate) fn context_with_clock(clock: Arc<ManualClock>) -> Context {
    Context {
        transport: Arc::new(No),
        clock,
        dns: Arc::new(No),
        secrets: Arc::new(No),
        random: Arc::new(Rng(Mutex::new(1))),
        limits: Arc::default(),
        user_agent: "t/1".into(),
    }
}
