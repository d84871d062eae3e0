//! What was asked before, for as long as it holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;
use protect_core::dns::{DnsAnswer, RecordType};

/// How long an answer is kept, however long its TTL: who corrects a record wants to see it.
const KEPT_AT_MOST: Duration = Duration::from_hours(1);

/// The same for "there is no such record".
const ABSENCE_KEPT_AT_MOST: Duration = Duration::from_mins(15);

/// Answers that are held.
const MOST: u64 = 16_384;

type Question = (Box<str>, RecordType);

/// Answers, each for its TTL (RFC 1035 section 3.2.1, RFC 2308 section 5). A failure is not kept.
pub(super) struct Answers(Cache<Question, Kept>);

#[derive(Clone)]
struct Kept {
    answer: Arc<DnsAnswer>,
    lifetime: Duration,
}

impl Answers {
    pub(super) fn new() -> Self {
        let cache = Cache::builder().max_capacity(MOST).expire_after(ByTtl);
        Self(cache.build())
    }

    pub(super) fn get(&self, name: &str, kind: RecordType) -> Option<DnsAnswer> {
        let kept = self.0.get(&question(name, kind))?;
        Some(DnsAnswer::clone(&kept.answer))
    }

    /// Keeps an answer for the seconds that it says it holds.
    pub(super) fn keep(&self, name: &str, kind: RecordType, answer: &DnsAnswer, ttl: u32) {
        let most = match answer {
            DnsAnswer::Records(_) => KEPT_AT_MOST,
            DnsAnswer::NoData | DnsAnswer::NoName => ABSENCE_KEPT_AT_MOST,
            DnsAnswer::Failed(_) => return,
        };
        let lifetime = Duration::from_secs(ttl.into()).min(most);
        if lifetime.is_zero() {
            return;
        }
        let kept = Kept {
            answer: Arc::new(answer.clone()),
            lifetime,
        };
        self.0.insert(question(name, kind), kept);
    }
}

/// Case does not tell names apart (RFC 4343).
fn question(name: &str, kind: RecordType) -> Question {
    (name.to_ascii_lowercase().into_boxed_str(), kind)
}

struct ByTtl;

impl Expiry<Question, Kept> for ByTtl {
    fn expire_after_create(&self, _: &Question, kept: &Kept, _: Instant) -> Option<Duration> {
        Some(kept.lifetime)
    }

    fn expire_after_update(
        &self,
        _: &Question,
        kept: &Kept,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.lifetime)
    }
}
