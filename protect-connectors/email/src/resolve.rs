//! Questions to DNS: each asked once in a run, so many at a time, and so many for a domain.
//!
//! "There is no such record", "there is no such name" and "nobody could say" stay apart all the way:
//! a failure is never read as "missing".

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use protect_core::dns::{DnsAnswer, DnsFailure, DnsLookup, DnsRecord, RecordType, TxtRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{OnceCell, Semaphore};

use crate::name::DomainName;

/// How many different questions one domain may cost, unless set otherwise.
pub const QUERY_BUDGET: u32 = 100;

/// How many questions may be under way at the same time, unless set otherwise.
pub const AT_ONCE: usize = 128;

type Question = (DomainName, RecordType);

/// What the domains of one run share: the answers, and the number of questions under way. Cheap to
/// clone.
///
/// An answer holds for the whole run, a failure too: a run sees one state of DNS and waits for a
/// dead name server once.
#[derive(Clone, Debug)]
pub struct Run(Arc<Shared>);

struct Shared {
    dns: Arc<dyn DnsLookup>,
    answers: Mutex<HashMap<Question, Arc<OnceCell<DnsAnswer>>>>,
    under_way: Semaphore,
}

impl Run {
    /// A run with nothing known yet.
    pub fn new(dns: Arc<dyn DnsLookup>) -> Self {
        Self::at_once(dns, AT_ONCE)
    }

    /// The same with another limit for questions under way; at least one.
    pub fn at_once(dns: Arc<dyn DnsLookup>, limit: usize) -> Self {
        Self(Arc::new(Shared {
            dns,
            answers: Mutex::default(),
            under_way: Semaphore::new(limit.clamp(1, Semaphore::MAX_PERMITS)),
        }))
    }

    /// The resolver for one domain, with a full budget.
    pub fn resolver(&self) -> Resolver {
        self.resolver_with_budget(QUERY_BUDGET)
    }

    /// The same with another budget.
    pub fn resolver_with_budget(&self, budget: u32) -> Resolver {
        Resolver {
            run: self.clone(),
            budget,
            asked: Mutex::default(),
        }
    }

    async fn ask(&self, question: Question) -> DnsAnswer {
        let cell = {
            let mut answers = lock(&self.0.answers);
            Arc::clone(answers.entry(question.clone()).or_default())
        };
        cell.get_or_init(async || {
            let (name, kind) = &question;
            // It is never closed; without a permit the question is asked all the same.
            let _permit = self.0.under_way.acquire().await;
            self.0.dns.query(name.as_str(), *kind).await
        })
        .await
        .clone()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("dns", &self.dns)
            .field("answers", &lock(&self.answers).len())
            .finish_non_exhaustive()
    }
}

/// Asks for one domain.
///
/// Its budget counts every different question, also one whose answer another domain of the run
/// already brought: what a domain costs does not depend on its neighbours.
#[derive(Debug)]
pub struct Resolver {
    run: Run,
    budget: u32,
    asked: Mutex<HashSet<Question>>,
}

impl Resolver {
    /// A resolver that shares nothing, for one domain.
    pub fn new(dns: Arc<dyn DnsLookup>) -> Self {
        Run::new(dns).resolver()
    }

    /// How many different questions were asked so far.
    pub fn asked(&self) -> usize {
        lock(&self.asked).len()
    }

    /// What a name has of one type.
    pub async fn query(&self, name: &DomainName, kind: RecordType) -> Lookup<Vec<DnsRecord>> {
        let question = (name.clone(), kind);
        if !self.may_ask(&question) {
            return Lookup::Failed(LookupFailure::QueryBudget);
        }
        match self.run.ask(question).await {
            DnsAnswer::Records(records) if records.is_empty() => Lookup::NoData,
            DnsAnswer::Records(records) => Lookup::Found(records),
            DnsAnswer::NoData => Lookup::NoData,
            DnsAnswer::NoName => Lookup::NoName,
            DnsAnswer::Failed(failure) => Lookup::Failed(failure.into()),
        }
    }

    /// The TXT records, each as its strings.
    pub async fn txt(&self, name: &DomainName) -> Lookup<Vec<TxtRecord>> {
        self.each(name, RecordType::Txt, |record| match record {
            DnsRecord::Txt(txt) => Some(txt),
            _ => None,
        })
        .await
    }

    /// Where mail goes, the most preferred first.
    pub async fn mx(&self, name: &DomainName) -> Lookup<Vec<Mx>> {
        let found = self.each(name, RecordType::Mx, |record| match record {
            DnsRecord::Mx {
                preference,
                exchange,
            } => Some(Mx {
                preference,
                exchange,
            }),
            _ => None,
        });
        found.await.map(|mut hosts| {
            hosts.sort();
            hosts
        })
    }

    /// The addresses of one family.
    pub async fn addresses(&self, name: &DomainName, family: Family) -> Lookup<Vec<IpAddr>> {
        self.each(name, family.record_type(), |record| match record {
            DnsRecord::A(address) => Some(address.into()),
            DnsRecord::Aaaa(address) => Some(address.into()),
            _ => None,
        })
        .await
    }

    /// The names that an address claims; none of them is checked.
    pub async fn ptr(&self, address: IpAddr) -> Lookup<Vec<DomainName>> {
        let Ok(name) = DomainName::literal(&reverse_name(address)) else {
            return Lookup::Failed(LookupFailure::NotAsked);
        };
        self.each(&name, RecordType::Ptr, |record| match record {
            DnsRecord::Ptr(name) => DomainName::literal(&name).ok(),
            _ => None,
        })
        .await
    }

    /// What a name is an alias of.
    pub async fn cname(&self, name: &DomainName) -> Lookup<DomainName> {
        let found = self.each(name, RecordType::Cname, |record| match record {
            DnsRecord::Cname(target) => DomainName::literal(&target).ok(),
            _ => None,
        });
        match found.await {
            Lookup::Found(targets) => targets
                .into_iter()
                .next()
                .map_or(Lookup::NoData, Lookup::Found),
            other => other.map(|_| name.clone()),
        }
    }

    async fn each<T>(
        &self,
        name: &DomainName,
        kind: RecordType,
        read: impl Fn(DnsRecord) -> Option<T>,
    ) -> Lookup<Vec<T>> {
        let found: Lookup<Vec<T>> = self
            .query(name, kind)
            .await
            .map(|records| records.into_iter().filter_map(read).collect());
        match found {
            Lookup::Found(none) if none.is_empty() => Lookup::NoData,
            found => found,
        }
    }

    fn may_ask(&self, question: &Question) -> bool {
        let mut asked = lock(&self.asked);
        if asked.contains(question) {
            return true;
        }
        let allowed = asked.len() < self.budget as usize;
        if allowed {
            asked.insert(question.clone());
        }
        allowed
    }
}

/// A host that takes a domain's mail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mx {
    /// The lower, the sooner.
    pub preference: u16,
    /// The host's name as received; empty for a null MX (RFC 7505).
    pub exchange: String,
}

impl Mx {
    /// Whether it says that there is no mail (RFC 7505).
    pub fn is_null(&self) -> bool {
        matches!(self.exchange.as_str(), "" | ".")
    }

    /// The host's name, where it is one that can be asked for.
    pub fn host(&self) -> Option<DomainName> {
        DomainName::literal(&self.exchange).ok()
    }
}

/// A family of addresses.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// The type of record that holds such an address.
    pub const fn record_type(self) -> RecordType {
        match self {
            Self::V4 => RecordType::A,
            Self::V6 => RecordType::Aaaa,
        }
    }
}

/// What a question brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// There is something.
    Found(T),
    /// The name exists and has nothing of this type.
    NoData,
    /// The name does not exist.
    NoName,
    /// Nobody could say.
    Failed(LookupFailure),
}

impl<T> Lookup<T> {
    /// The same with another thing found.
    pub fn map<U>(self, found: impl FnOnce(T) -> U) -> Lookup<U> {
        match self {
            Self::Found(value) => Lookup::Found(found(value)),
            Self::NoData => Lookup::NoData,
            Self::NoName => Lookup::NoName,
            Self::Failed(failure) => Lookup::Failed(failure),
        }
    }

    /// What is there, `None` where there certainly is nothing.
    ///
    /// # Errors
    /// Where nobody could say.
    pub fn known(self) -> Result<Option<T>, LookupFailure> {
        match self {
            Self::Found(value) => Ok(Some(value)),
            Self::NoData | Self::NoName => Ok(None),
            Self::Failed(failure) => Err(failure),
        }
    }

    /// Whether there certainly is nothing: a void lookup (RFC 7208 section 4.6.4).
    pub const fn is_void(&self) -> bool {
        matches!(self, Self::NoData | Self::NoName)
    }

    /// Why nobody could say, where that is so.
    pub const fn failure(&self) -> Option<LookupFailure> {
        match self {
            Self::Failed(failure) => Some(*failure),
            _ => None,
        }
    }
}

/// Why nobody could say what a name has.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LookupFailure {
    /// No answer came in time.
    Timeout,
    /// The name server failed (SERVFAIL), as it also does where DNSSEC validation fails.
    ServFail,
    /// The name server does not want to answer (REFUSED, NOTIMP, FORMERR).
    Refused,
    /// No name server could be reached.
    Network,
    /// What came is not an answer to the question.
    Unreadable,
    /// It is no name that can be asked for.
    NotAsked,
    /// The domain has used up its questions.
    QueryBudget,
}

impl LookupFailure {
    /// Words for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => DnsFailure::Timeout.as_str(),
            Self::ServFail => DnsFailure::ServFail.as_str(),
            Self::Refused => DnsFailure::Refused.as_str(),
            Self::Network => DnsFailure::Network.as_str(),
            Self::Unreadable => DnsFailure::Unreadable.as_str(),
            Self::NotAsked => DnsFailure::NotAsked.as_str(),
            Self::QueryBudget => "too many DNS questions for one domain",
        }
    }
}

impl fmt::Display for LookupFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<DnsFailure> for LookupFailure {
    fn from(failure: DnsFailure) -> Self {
        match failure {
            DnsFailure::Timeout => Self::Timeout,
            DnsFailure::ServFail => Self::ServFail,
            DnsFailure::Refused => Self::Refused,
            DnsFailure::Network => Self::Network,
            DnsFailure::Unreadable => Self::Unreadable,
            DnsFailure::NotAsked => Self::NotAsked,
        }
    }
}

/// The name below which an address keeps its own (RFC 1035 section 3.5, RFC 3596 section 2.5).
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let octets = address.octets();
            let octets = octets.iter().rev();
            let nibbles = octets.flat_map(|octet| [octet & 15, octet >> 4]);
            let labels: Vec<_> = nibbles.map(|nibble| format!("{nibble:x}")).collect();
            format!("{}.ip6.arpa", labels.join("."))
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use protect_core::testing::MapDns;

    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    #[tokio::test]
    async fn no_data_no_name_and_no_answer_stay_apart() {
        let dns = MapDns::default();
        dns.set_txt("a.example", &["v=spf1 -all"]);
        dns.set(
            "b.example",
            RecordType::Txt,
            DnsAnswer::Failed(DnsFailure::ServFail),
        );
        let resolver = Resolver::new(Arc::new(dns));
        assert!(matches!(
            resolver.txt(&name("a.example")).await,
            Lookup::Found(records) if records.len() == 1
        ));
        assert_eq!(resolver.mx(&name("a.example")).await, Lookup::NoData);
        assert_eq!(resolver.mx(&name("c.example")).await, Lookup::NoName);
        assert_eq!(
            resolver.txt(&name("b.example")).await,
            Lookup::Failed(LookupFailure::ServFail)
        );
    }

    #[tokio::test]
    async fn a_question_is_asked_once_in_a_run_and_paid_by_each_domain() {
        let dns = Arc::new(MapDns::default());
        dns.set_txt("shared.example", &["v=spf1 -all"]);
        let run = Run::new(Arc::clone(&dns) as Arc<dyn DnsLookup>);
        let (first, second) = (run.resolver(), run.resolver());
        for resolver in [&first, &first, &second] {
            let shared = name("shared.example");
            assert!(matches!(resolver.txt(&shared).await, Lookup::Found(_)));
        }
        assert_eq!(dns.asked().len(), 1);
        assert_eq!((first.asked(), second.asked()), (1, 1));
    }

    #[tokio::test]
    async fn beyond_the_budget_nothing_is_asked_and_the_failure_has_its_own_name() {
        let dns = Arc::new(MapDns::default());
        let run = Run::new(Arc::clone(&dns) as Arc<dyn DnsLookup>);
        let resolver = run.resolver_with_budget(2);
        for domain in ["a.example", "b.example", "a.example"] {
            assert_eq!(resolver.txt(&name(domain)).await, Lookup::NoName);
        }
        assert_eq!(
            resolver.txt(&name("c.example")).await.failure(),
            Some(LookupFailure::QueryBudget)
        );
        assert_eq!(dns.asked().len(), 2);
    }

    /// Notes how many questions were under way at the same time.
    #[derive(Debug, Default)]
    struct Busy {
        now: AtomicUsize,
        most: AtomicUsize,
    }

    #[async_trait]
    impl DnsLookup for Busy {
        async fn query(&self, _: &str, _: RecordType) -> DnsAnswer {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::task::yield_now().await;
            self.now.fetch_sub(1, Ordering::SeqCst);
            DnsAnswer::NoName
        }
    }

    #[tokio::test]
    async fn no_more_questions_are_under_way_than_allowed() {
        let dns = Arc::new(Busy::default());
        let run = Run::at_once(Arc::clone(&dns) as Arc<dyn DnsLookup>, 3);
        let resolver = run.resolver();
        let names: Vec<_> = (0..20).map(|n| name(&format!("a{n}.example"))).collect();
        let asked = names.iter().map(|name| resolver.txt(name));
        futures::future::join_all(asked).await;
        assert_eq!(dns.most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn mail_hosts_come_most_preferred_first_and_a_null_one_is_seen() {
        let dns = MapDns::default();
        for (preference, exchange) in [(20, "b.example"), (10, "A.example"), (0, "")] {
            dns.add(
                "example",
                DnsRecord::Mx {
                    preference,
                    exchange: exchange.to_owned(),
                },
            );
        }
        let resolver = Resolver::new(Arc::new(dns));
        let Lookup::Found(hosts) = resolver.mx(&name("example")).await else {
            panic!("there are hosts");
        };
        assert!(hosts[0].is_null() && hosts[0].host().is_none());
        assert_eq!(hosts[1].host(), Some(name("a.example")));
    }

    #[test]
    fn addresses_turn_into_names_nibble_by_nibble() {
        assert_eq!(
            reverse_name("192.0.2.1".parse().unwrap()),
            "1.2.0.192.in-addr.arpa"
        );
        assert_eq!(
            reverse_name("2001:db8::1".parse().unwrap()),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }
}
