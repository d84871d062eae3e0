//! What a receiver would answer for one message (RFC 7208 section 4).

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use futures::future::{self, BoxFuture, Either};
use protect_core::clock::Clock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lookup::{LOOKUP_LIMIT, NAME_LIMIT, Published, VOID_LIMIT, published};
use super::macros::{MacroString, Site, Values};
use super::network::Network;
use super::record::{Mechanism, Prefixes, Qualifier, Record, Term};
use crate::name::DomainName;
use crate::resolve::{Family, Lookup, LookupFailure, Mx, Resolver};

/// How long one check may take; then it is a `temperror`. Section 4.6.4 asks for 20 seconds or more.
pub const TIME_LIMIT: Duration = Duration::from_secs(20);

/// A message, as far as SPF looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The address it comes from. An IPv4 address written as IPv6 counts as IPv4 (section 5).
    pub ip: IpAddr,
    /// The sender of the envelope; empty for a bounce, which is checked as `postmaster` of the
    /// sending host (section 2.4).
    pub sender: &'a str,
    /// Whose policy is asked, where that is not the sender's domain.
    pub domain: Option<&'a str>,
    /// What the sending host calls itself.
    pub helo: &'a str,
    /// Who checks; only an explanation can mention it.
    pub receiver: &'a str,
}

/// What a receiver would answer (section 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SpfResult {
    /// There is no record, or no domain to check.
    None,
    /// The domain does not say.
    Neutral,
    /// The host may send.
    Pass,
    /// The host may not send.
    Fail,
    /// The host probably may not send.
    SoftFail,
    /// It could not be found out now.
    TempError,
    /// The domain's records are wrong.
    PermError,
}

impl SpfResult {
    /// The word of the RFC.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl fmt::Display for SpfResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Qualifier> for SpfResult {
    fn from(qualifier: Qualifier) -> Self {
        match qualifier {
            Qualifier::Pass => Self::Pass,
            Qualifier::Fail => Self::Fail,
            Qualifier::SoftFail => Self::SoftFail,
            Qualifier::Neutral => Self::Neutral,
        }
    }
}

/// The answer, and what led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The answer.
    pub result: SpfResult,
    /// The domain that was checked, where there is one.
    pub domain: Option<DomainName>,
    /// The term that decided; `None` where none did.
    pub matched: Option<Matched>,
    /// What the domain has to say to a refused sender; only for `fail`. It is the domain's own text:
    /// attribute it, and trust it no further.
    pub explanation: Option<String>,
    /// What was wrong, for `temperror` and `permerror`.
    pub problem: Option<Problem>,
    /// How many terms asked DNS; a receiver stops beyond [`LOOKUP_LIMIT`].
    pub lookups: u32,
    /// How many questions found nothing; a receiver stops beyond [`VOID_LIMIT`].
    pub void_lookups: u32,
}

/// A term that matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Matched {
    /// Whose record it stands in: the domain's own, or where a `redirect` led.
    pub domain: DomainName,
    /// The term.
    pub term: String,
    /// Its place in the record, in bytes.
    pub place: usize,
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Problem {
    /// A question could not be answered.
    Dns {
        /// Whose record was being evaluated.
        domain: DomainName,
        /// Why it could not be answered.
        failure: LookupFailure,
    },
    /// The check took longer than [`TIME_LIMIT`].
    TimeLimit,
    /// A record has a mistake.
    Syntax {
        /// Whose record.
        domain: DomainName,
        /// What and where.
        mistake: String,
    },
    /// A domain has several records.
    SeveralRecords {
        /// Which domain.
        domain: DomainName,
    },
    /// `include` or `redirect` leads to a domain without a record.
    NoRecord {
        /// Whose record leads there.
        domain: DomainName,
        /// By which term.
        term: String,
    },
    /// More than [`LOOKUP_LIMIT`] terms ask DNS.
    TooManyLookups,
    /// More than [`VOID_LIMIT`] questions found nothing.
    TooManyVoidLookups,
    /// An `mx` leads to more than ten hosts.
    TooManyMailHosts {
        /// Whose mail hosts.
        domain: DomainName,
    },
}

/// Checks one message.
///
/// Never fails: what goes wrong is one of the answers.
pub async fn check_host(message: &Message<'_>, dns: &Resolver, clock: &dyn Clock) -> Decision {
    let (local, sender_domain) = split_sender(message);
    let Some(domain) = checkable(message.domain.unwrap_or(sender_domain)) else {
        return Decision::of(SpfResult::None, None);
    };
    let mut check = Check {
        message,
        ip: message.ip.to_canonical(),
        local,
        sender_domain,
        dns,
        clock,
        lookups: 0,
        void_lookups: 0,
    };
    let ended = {
        let evaluated = check.domain(&domain, true);
        let too_long = clock.sleep(TIME_LIMIT);
        match future::select(evaluated, too_long).await {
            Either::Left((ended, _)) => ended,
            Either::Right(_) => Err(Stop::Temporary(Problem::TimeLimit)),
        }
    };
    let (lookups, void_lookups) = (check.lookups, check.void_lookups);
    Decision {
        domain: Some(domain),
        lookups,
        void_lookups,
        ..ended.into()
    }
}

/// The part before the last `@` and the part behind it (sections 2.4 and 4.3).
fn split_sender<'a>(message: &Message<'a>) -> (&'a str, &'a str) {
    let sender = match message.sender {
        "" => message.helo,
        sender => sender,
    };
    match sender.rsplit_once('@') {
        Some(("", domain)) => ("postmaster", domain),
        Some((local, domain)) => (local, domain),
        None => ("postmaster", sender),
    }
}

/// The domain, where it is one that can have a record: several labels of legal length, and no
/// address in brackets (section 4.3).
fn checkable(domain: &str) -> Option<DomainName> {
    let name = if domain.is_ascii() {
        DomainName::literal(domain)
    } else {
        DomainName::parse(domain)
    };
    name.ok()
        .filter(|name| name.label_count() > 1 && !domain.starts_with('['))
}

/// How the evaluation of a record ended.
struct Ended {
    result: SpfResult,
    matched: Option<Matched>,
    explanation: Option<String>,
}

/// Why the whole check ends at once.
enum Stop {
    Temporary(Problem),
    Permanent(Problem),
}

/// One check under way.
struct Check<'a> {
    message: &'a Message<'a>,
    ip: IpAddr,
    local: &'a str,
    sender_domain: &'a str,
    dns: &'a Resolver,
    clock: &'a dyn Clock,
    lookups: u32,
    void_lookups: u32,
}

impl Check<'_> {
    /// Evaluates a domain's record; `None` where it has none.
    fn domain<'a>(
        &'a mut self,
        domain: &'a DomainName,
        explain: bool,
    ) -> BoxFuture<'a, Result<Option<Ended>, Stop>> {
        Box::pin(async move {
            let record = match published(domain, self.dns).await {
                Published::One(_, record) => record,
                Published::Nothing { .. } => return Ok(None),
                Published::Several(_) => {
                    let domain = domain.clone();
                    return Err(Stop::Permanent(Problem::SeveralRecords { domain }));
                }
                Published::Failed(failure) => return Err(temporary(domain, failure)),
            };
            // A mistake anywhere counts, also behind what would have matched (section 4.6).
            if let Some(error) = record.errors.first() {
                return Err(Stop::Permanent(Problem::Syntax {
                    domain: domain.clone(),
                    mistake: error.to_string(),
                }));
            }
            self.record(domain, &record, explain).await.map(Some)
        })
    }

    async fn record(
        &mut self,
        domain: &DomainName,
        record: &Record,
        explain: bool,
    ) -> Result<Ended, Stop> {
        for (term, qualifier, mechanism) in record.directives() {
            if !self.matches(domain, term, mechanism).await? {
                continue;
            }
            let explanation = match record.exp() {
                Some(exp) if explain && qualifier == Qualifier::Fail => {
                    self.explanation(domain, exp).await
                }
                _ => None,
            };
            return Ok(Ended {
                result: qualifier.into(),
                matched: Some(Matched {
                    domain: domain.clone(),
                    term: term.to_string(),
                    place: term.place,
                }),
                explanation,
            });
        }
        let Some((term, target)) = record.redirect() else {
            return Ok(Ended::neutral());
        };
        self.count_lookup()?;
        self.elsewhere(domain, term, target, explain).await
    }

    /// What the record says that an `include` or a `redirect` leads to; without one, the record that
    /// leads there is wrong (sections 5.2 and 6.1).
    async fn elsewhere(
        &mut self,
        domain: &DomainName,
        term: &Term,
        target: &MacroString,
        explain: bool,
    ) -> Result<Ended, Stop> {
        let target = self.name(domain, target).await;
        let ended = match &target {
            Some(target) => self.domain(target, explain).await?,
            None => None,
        };
        ended.ok_or_else(|| {
            Stop::Permanent(Problem::NoRecord {
                domain: domain.clone(),
                term: term.to_string(),
            })
        })
    }

    async fn matches(
        &mut self,
        domain: &DomainName,
        term: &Term,
        mechanism: &Mechanism,
    ) -> Result<bool, Stop> {
        if mechanism.asks_dns() {
            self.count_lookup()?;
        }
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4(network) => Ok(Network::V4(*network).holds(self.ip)),
            Mechanism::Ip6(network) => Ok(Network::V6(*network).holds(self.ip)),
            Mechanism::Include(target) => {
                let ended = self.elsewhere(domain, term, target, false).await?;
                Ok(ended.result == SpfResult::Pass)
            }
            Mechanism::A(target, prefixes) => match self.target(domain, target.as_ref()).await {
                Some(target) => self.has_address(domain, &target, *prefixes).await,
                None => Ok(false),
            },
            Mechanism::Mx(target, prefixes) => match self.target(domain, target.as_ref()).await {
                Some(target) => self.has_mail_host(domain, &target, *prefixes).await,
                None => Ok(false),
            },
            Mechanism::Ptr(target) => match self.target(domain, target.as_ref()).await {
                Some(target) => {
                    let names = self.validated_names(true).await?;
                    Ok(names.iter().any(|name| name.is_within(&target)))
                }
                None => Ok(false),
            },
            // Always IPv4, whatever the sending host speaks (section 5.7).
            Mechanism::Exists(target) => match self.name(domain, target).await {
                Some(target) => {
                    let answer = self.dns.addresses(&target, Family::V4).await;
                    Ok(self.counted(domain, answer)?.is_some())
                }
                None => Ok(false),
            },
        }
    }

    /// Section 5.3.
    async fn has_address(
        &mut self,
        domain: &DomainName,
        host: &DomainName,
        prefixes: Prefixes,
    ) -> Result<bool, Stop> {
        let answer = self.dns.addresses(host, Family::of(self.ip)).await;
        let addresses = self.counted(domain, answer)?.unwrap_or_default();
        Ok(self.is_among(&addresses, prefixes))
    }

    fn is_among(&self, addresses: &[IpAddr], prefixes: Prefixes) -> bool {
        let holds =
            |address: &IpAddr| Network::around(*address, prefixes.v4, prefixes.v6).holds(self.ip);
        addresses.iter().any(holds)
    }

    /// Section 5.4. Without an MX record the name is not its own mail host.
    async fn has_mail_host(
        &mut self,
        domain: &DomainName,
        target: &DomainName,
        prefixes: Prefixes,
    ) -> Result<bool, Stop> {
        let answer = self.dns.mx(target).await;
        let hosts = self.counted(domain, answer)?.unwrap_or_default();
        if hosts.len() > NAME_LIMIT {
            return Err(Stop::Permanent(Problem::TooManyMailHosts {
                domain: target.clone(),
            }));
        }
        let mut any = hosts.is_empty();
        for host in hosts.iter().filter_map(Mx::host) {
            let answer = self.dns.addresses(&host, Family::of(self.ip)).await;
            let addresses = answer.known();
            let addresses = addresses.map_err(|failure| temporary(domain, failure))?;
            let addresses = addresses.unwrap_or_default();
            if self.is_among(&addresses, prefixes) {
                return Ok(true);
            }
            any |= !addresses.is_empty();
        }
        // The limit counts terms (section 4.6.4): hosts without an address are void together.
        if !any && !hosts.iter().all(Mx::is_null) {
            self.count_void()?;
        }
        Ok(false)
    }

    /// The names of the sending host that lead back to its address (section 5.5). A question that
    /// fails only means one name less.
    async fn validated_names(&mut self, count_void: bool) -> Result<Vec<DomainName>, Stop> {
        let answer = self.dns.ptr(self.ip).await;
        if count_void && answer.is_void() {
            self.count_void()?;
        }
        let claimed = answer.known().ok().flatten().unwrap_or_default();
        let mut validated = Vec::new();
        for name in claimed.into_iter().take(NAME_LIMIT) {
            let addresses = self.dns.addresses(&name, Family::of(self.ip)).await;
            let addresses = addresses.known().ok().flatten().unwrap_or_default();
            if addresses.contains(&self.ip) {
                validated.push(name);
            }
        }
        Ok(validated)
    }

    /// What `%{p}` stands for: the domain itself, else a name within it, else any (section 7.3).
    async fn validated_name(&mut self, domain: &DomainName) -> Option<DomainName> {
        let names = self.validated_names(false).await.unwrap_or_default();
        let itself = names.iter().find(|name| *name == domain);
        let within = || names.iter().find(|name| name.is_within(domain));
        itself.or_else(within).or(names.first()).cloned()
    }

    async fn target(
        &mut self,
        domain: &DomainName,
        written: Option<&MacroString>,
    ) -> Option<DomainName> {
        match written {
            Some(text) => self.name(domain, text).await,
            None => Some(domain.clone()),
        }
    }

    /// The name that a text with macros says; `None` where it cannot be asked for, and so does not
    /// exist (section 4.8).
    async fn name(&mut self, domain: &DomainName, text: &MacroString) -> Option<DomainName> {
        let validated = self.if_needed(domain, text).await;
        let values = self.values(domain, validated.as_ref());
        text.expand_name(&values).ok()
    }

    /// What the domain has to say to a refused sender. Whatever goes wrong, there is just no text
    /// (section 6.2).
    async fn explanation(&mut self, domain: &DomainName, exp: &MacroString) -> Option<String> {
        let place = self.name(domain, exp).await?;
        let Lookup::Found(texts) = self.dns.txt(&place).await else {
            return None;
        };
        let [text] = texts.as_slice() else {
            return None;
        };
        let text = MacroString::parse(&text.joined(), Site::Explanation).ok()?;
        let validated = self.if_needed(domain, &text).await;
        Some(text.expand(&self.values(domain, validated.as_ref())))
    }

    async fn if_needed(&mut self, domain: &DomainName, text: &MacroString) -> Option<DomainName> {
        if text.needs_validated_name() {
            self.validated_name(domain).await
        } else {
            None
        }
    }

    fn values<'v>(
        &'v self,
        domain: &'v DomainName,
        validated: Option<&'v DomainName>,
    ) -> Values<'v> {
        Values {
            local: self.local,
            sender_domain: self.sender_domain,
            domain,
            ip: self.ip,
            helo: self.message.helo,
            validated,
            receiver: self.message.receiver,
            time: self.clock.now().as_second(),
        }
    }

    fn count_lookup(&mut self) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > LOOKUP_LIMIT {
            return Err(Stop::Permanent(Problem::TooManyLookups));
        }
        Ok(())
    }

    fn count_void(&mut self) -> Result<(), Stop> {
        self.void_lookups += 1;
        if self.void_lookups > VOID_LIMIT {
            return Err(Stop::Permanent(Problem::TooManyVoidLookups));
        }
        Ok(())
    }

    /// What a question of a term brought: nothing is counted, and no answer ends the check (section
    /// 5).
    fn counted<T>(&mut self, domain: &DomainName, answer: Lookup<T>) -> Result<Option<T>, Stop> {
        if answer.is_void() {
            self.count_void()?;
        }
        answer.known().map_err(|failure| temporary(domain, failure))
    }
}

fn temporary(domain: &DomainName, failure: LookupFailure) -> Stop {
    Stop::Temporary(Problem::Dns {
        domain: domain.clone(),
        failure,
    })
}

impl Ended {
    /// Nothing matched (section 4.7).
    const fn neutral() -> Self {
        Self {
            result: SpfResult::Neutral,
            matched: None,
            explanation: None,
        }
    }
}

impl Decision {
    const fn of(result: SpfResult, problem: Option<Problem>) -> Self {
        Self {
            result,
            domain: None,
            matched: None,
            explanation: None,
            problem,
            lookups: 0,
            void_lookups: 0,
        }
    }
}

impl From<Result<Option<Ended>, Stop>> for Decision {
    fn from(ended: Result<Option<Ended>, Stop>) -> Self {
        match ended {
            Ok(Some(ended)) => Self {
                matched: ended.matched,
                explanation: ended.explanation,
                ..Self::of(ended.result, None)
            },
            Ok(None) => Self::of(SpfResult::None, None),
            Err(Stop::Temporary(problem)) => Self::of(SpfResult::TempError, Some(problem)),
            Err(Stop::Permanent(problem)) => Self::of(SpfResult::PermError, Some(problem)),
        }
    }
}
