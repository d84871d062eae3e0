//! How many messages came from where, by month: what is stored, and what everything else is made of.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::aggregate::{Aligned, Disposition, DkimVerdict, Head, OverrideKind, Record, SpfVerdict};
use super::{domain, senders};

/// Rows that are held at once. Messages from further sources are counted without their source, so
/// that a flood of made-up sources costs the detail and not the memory.
pub const ROWS: usize = 50_000;

/// Selectors that one month learns.
const SELECTORS: usize = 256;

/// A source of mail: an IPv4 address, or an IPv6 network of 64 bits, within which a machine can
/// take any address.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct MailSource(IpAddr);

impl MailSource {
    /// The source that an address belongs to.
    pub fn of(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => {
                let network = address.to_bits() & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
        })
    }

    /// Its first address.
    pub const fn address(self) -> IpAddr {
        self.0
    }
}

impl fmt::Display for MailSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => f.pad(&address.to_string()),
            IpAddr::V6(address) => f.pad(&format!("{address}/64")),
        }
    }
}

/// What a record's messages are to the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceClass {
    /// Passed with an aligned domain.
    Authorised,
    /// Passed as a known service, or as another name of the same organisation, and not as the domain:
    /// somebody of the house, most likely.
    OwnMisaligned,
    /// Came through a mailing list or a forwarder.
    Forwarder,
    /// Neither.
    Unauthorised,
}

/// Whether a mechanism passed for another name of the author's organisation: enough for relaxed
/// alignment and too little for strict (RFC 9989 section 4.4).
fn passes_relaxed(record: &Record) -> bool {
    let author = record.header_from.as_str();
    record
        .verified()
        .any(|name| name != author && domain::is_aligned(name, author))
}

/// Judges a record. A receiver's own word about forwarding counts before a guess from domains.
pub fn classify(record: &Record) -> SourceClass {
    let forwarded = record.reasons.iter().any(|reason| {
        matches!(
            reason.kind,
            Some(
                OverrideKind::Forwarded
                    | OverrideKind::MailingList
                    | OverrideKind::TrustedForwarder
            )
        )
    });
    let signed = |record: &Record| {
        let mut results = record.dkim_results.iter();
        results.any(|signature| signature.result == Some(DkimVerdict::Pass))
    };
    let sent = |record: &Record| {
        let mut results = record.spf_results.iter();
        results.any(|result| result.result == Some(SpfVerdict::Pass))
    };
    if record.passes() {
        SourceClass::Authorised
    } else if forwarded {
        SourceClass::Forwarder
    } else if passes_relaxed(record) || senders::by_domains(record).is_some() {
        SourceClass::OwnMisaligned
    } else if signed(record) && !sent(record) {
        SourceClass::Forwarder
    } else {
        SourceClass::Unauthorised
    }
}

/// Numbers of messages. Sums stop at the largest number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "MailCounts")]
pub struct Counts {
    /// All.
    pub messages: u64,
    /// Passed DMARC.
    pub passed: u64,
    /// Passed by an aligned signature.
    pub by_dkim: u64,
    /// Passed by an aligned SPF.
    pub by_spf: u64,
    /// Were treated as suspicious.
    pub quarantined: u64,
    /// Were refused.
    pub rejected: u64,
    /// Were treated otherwise than the policy asks for.
    pub overridden: u64,
    /// By [`SourceClass::OwnMisaligned`].
    pub own_misaligned: u64,
    /// Failed DMARC, and would have passed had alignment been relaxed.
    pub relaxed_only: u64,
    /// By [`SourceClass::Forwarder`].
    pub forwarded: u64,
    /// By [`SourceClass::Unauthorised`].
    pub unauthorised: u64,
}

impl Counts {
    /// Of one record.
    pub fn of(record: &Record) -> Self {
        let when = |so: bool| if so { record.count } else { 0 };
        let class = classify(record);
        Self {
            messages: record.count,
            passed: when(record.passes()),
            by_dkim: when(record.dkim == Some(Aligned::Pass)),
            by_spf: when(record.spf == Some(Aligned::Pass)),
            quarantined: when(record.disposition == Some(Disposition::Quarantine)),
            rejected: when(record.disposition == Some(Disposition::Reject)),
            overridden: when(!record.reasons.is_empty()),
            own_misaligned: when(class == SourceClass::OwnMisaligned),
            relaxed_only: when(!record.passes() && passes_relaxed(record)),
            forwarded: when(class == SourceClass::Forwarder),
            unauthorised: when(class == SourceClass::Unauthorised),
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.messages, other.messages),
            (&mut self.passed, other.passed),
            (&mut self.by_dkim, other.by_dkim),
            (&mut self.by_spf, other.by_spf),
            (&mut self.quarantined, other.quarantined),
            (&mut self.rejected, other.rejected),
            (&mut self.overridden, other.overridden),
            (&mut self.own_misaligned, other.own_misaligned),
            (&mut self.relaxed_only, other.relaxed_only),
            (&mut self.forwarded, other.forwarded),
            (&mut self.unauthorised, other.unauthorised),
        ];
        for (to, amount) in pairs {
            *to = to.saturating_add(amount);
        }
    }

    /// Which part passed, from 0 to 1; `None` without messages.
    pub fn pass_rate(&self) -> Option<f64> {
        self.share(self.passed)
    }

    /// Which part passed by an aligned SPF, from 0 to 1; `None` without messages.
    pub fn spf_rate(&self) -> Option<f64> {
        self.share(self.by_spf)
    }

    /// Which part passed by an aligned signature, from 0 to 1; `None` without messages.
    pub fn dkim_rate(&self) -> Option<f64> {
        self.share(self.by_dkim)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more than 52 bits"
    )]
    fn share(&self, part: u64) -> Option<f64> {
        (self.messages > 0).then(|| part as f64 / self.messages as f64)
    }
}

/// What is counted apart beside the source: the day, and the author's domain.
type Group = (Date, Arc<str>);

/// The sources of one group. Reports bring theirs group by group, so that what is written to lies
/// close together however much there is in all.
type Sources = HashMap<MailSource, Counts>;

/// The mail of one domain in one month, as its reports tell it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredMonth", into = "StoredMonth")]
pub struct Month {
    groups: BTreeMap<Group, Sources>,
    /// Messages whose source was one too many.
    rest: BTreeMap<Date, Counts>,
    /// Signing domain, selector, the last day it was seen to pass and be aligned.
    selectors: BTreeMap<String, BTreeMap<String, Date>>,
    reports: u64,
}

/// A row as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeRow {
    /// The day, in UTC.
    pub day: Date,
    /// Where the messages came from.
    pub source: MailSource,
    /// Whose they say they are.
    pub header_from: String,
    /// How many.
    #[serde(flatten)]
    pub counts: Counts,
}

#[derive(Serialize, Deserialize)]
struct StoredMonth {
    rows: Vec<VolumeRow>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rest: BTreeMap<Date, Counts>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    selectors: BTreeMap<String, BTreeMap<String, Date>>,
    reports: u64,
}

impl From<Month> for StoredMonth {
    fn from(month: Month) -> Self {
        Self {
            rows: month.rows(),
            rest: month.rest,
            selectors: month.selectors,
            reports: month.reports,
        }
    }
}

impl From<StoredMonth> for Month {
    fn from(stored: StoredMonth) -> Self {
        let mut month = Self {
            rest: stored.rest,
            selectors: stored.selectors,
            reports: stored.reports,
            ..Self::default()
        };
        for row in stored.rows {
            let group = (row.day, row.header_from.into());
            let sources = month.groups.entry(group).or_default();
            sources.entry(row.source).or_default().add(&row.counts);
        }
        month
    }
}

impl Month {
    /// The rows by day, source and author.
    pub fn rows(&self) -> Vec<VolumeRow> {
        let mut rows: Vec<_> = self.each().collect();
        rows.sort_unstable_by_key(|((day, author), source, _)| (*day, *source, author));
        let stored = |((day, author), source, counts): (&Group, MailSource, &Counts)| VolumeRow {
            day: *day,
            source,
            header_from: author.as_ref().to_owned(),
            counts: *counts,
        };
        rows.into_iter().map(stored).collect()
    }

    /// The days and their messages, whether their source was kept or not.
    pub fn days(&self) -> BTreeMap<Date, Counts> {
        let mut days = self.rest.clone();
        for ((day, _), _, counts) in self.each() {
            days.entry(*day).or_default().add(counts);
        }
        days
    }

    /// The sources, once for each day and author.
    pub fn sources(&self) -> impl Iterator<Item = (MailSource, &Counts)> {
        self.each().map(|(_, source, counts)| (source, counts))
    }

    fn each(&self) -> impl Iterator<Item = (&Group, MailSource, &Counts)> {
        self.groups.iter().flat_map(|(group, sources)| {
            let each = sources.iter();
            each.map(move |(source, counts)| (group, *source, counts))
        })
    }

    /// How many rows it has.
    fn len(&self) -> usize {
        self.groups.values().map(HashMap::len).sum()
    }

    /// How many reports it is made of.
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// Messages whose source was one too many to be kept.
    pub fn without_source(&self) -> Counts {
        let mut sum = Counts::default();
        for counts in self.rest.values() {
            sum.add(counts);
        }
        sum
    }

    /// Signing domains and selectors that passed and were aligned, with the last such day. Only those
    /// may become questions to the DNS: of a signature that fails, the selector is a forger's text.
    pub fn selectors(&self) -> impl Iterator<Item = (&str, &str, Date)> {
        self.selectors.iter().flat_map(|(domain, selectors)| {
            let each = selectors.iter();
            each.map(|(selector, day)| (domain.as_str(), selector.as_str(), *day))
        })
    }

    /// Adds another part of the same month: in any order and any grouping the result is the same.
    pub fn merge(&mut self, other: Self) {
        for (group, sources) in other.groups {
            let known = self.groups.entry(group).or_default();
            for (source, counts) in sources {
                known.entry(source).or_default().add(&counts);
            }
        }
        for (day, counts) in other.rest {
            self.rest.entry(day).or_default().add(&counts);
        }
        for (domain, selectors) in other.selectors {
            let known = self.selectors.entry(domain).or_default();
            for (selector, day) in selectors {
                let last = known.entry(selector).or_insert(day);
                *last = day.max(*last);
            }
        }
        self.reports = self.reports.saturating_add(other.reports);
    }

    fn learn(&mut self, record: &Record, day: Date) {
        if record.dkim != Some(Aligned::Pass) {
            return;
        }
        for signature in &record.dkim_results {
            let Some(selector) = signature.selector.as_deref() else {
                continue;
            };
            if signature.result != Some(DkimVerdict::Pass) {
                continue;
            }
            let known = self.selectors.get_mut(&signature.domain);
            if let Some(last) = known.and_then(|known| known.get_mut(selector)) {
                *last = day.max(*last);
            } else if is_selector(selector)
                && domain::is_aligned(&signature.domain, &record.header_from)
                && self.selectors.values().map(BTreeMap::len).sum::<usize>() < SELECTORS
            {
                let known = self.selectors.entry(signature.domain.clone()).or_default();
                known.insert(selector.to_owned(), day);
            }
        }
    }
}

/// One to ten labels of what a selector is made of in practice.
fn is_selector(text: &str) -> bool {
    let is_label = |label: &str| {
        let mut letters = label.bytes();
        (1..=63).contains(&label.len())
            && letters.all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
    };
    text.split('.').count() <= 10 && text.split('.').all(is_label)
}

/// The mail of domains, by domain and month (`2026-11`, in UTC).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Volumes {
    months: BTreeMap<String, BTreeMap<String, Month>>,
    rows: usize,
}

impl Volumes {
    /// Begins adding a report; `None` where it does not say whose or for when.
    pub fn report(&mut self, head: &Head) -> Option<ReportVolumes<'_>> {
        let day = day_of(head)?;
        if head.policy.domain.is_empty() {
            return None;
        }
        let months = self.months.entry(head.policy.domain.clone()).or_default();
        let month = months.entry(day.strftime("%Y-%m").to_string()).or_default();
        month.reports = month.reports.saturating_add(1);
        Some(ReportVolumes {
            month,
            rows: &mut self.rows,
            group: (day, "".into()),
        })
    }

    /// Adds a month of a domain, such as one that was stored.
    pub fn add(&mut self, domain: &str, month: &str, part: Month) {
        let months = self.months.entry(domain.to_owned()).or_default();
        let known = months.entry(month.to_owned()).or_default();
        self.rows -= known.len();
        known.merge(part);
        self.rows += known.len();
    }

    /// Adds all of another: in any order and any grouping the result is the same.
    pub fn merge(&mut self, other: Self) {
        for (domain, months) in other.months {
            for (month, part) in months {
                self.add(&domain, &month, part);
            }
        }
    }

    /// The domains with their months, each by name.
    pub fn domains(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Month>)> {
        let domains = self.months.iter();
        domains.map(|(domain, months)| (domain.as_str(), months))
    }

    /// The months of a domain.
    pub fn of(&self, domain: &str) -> impl Iterator<Item = &Month> {
        self.months
            .get(domain)
            .into_iter()
            .flat_map(BTreeMap::values)
    }
}

/// Where the records of one report are added.
#[derive(Debug)]
pub struct ReportVolumes<'v> {
    month: &'v mut Month,
    rows: &'v mut usize,
    /// The group of the record before, which mostly is the next one's too.
    group: Group,
}

impl ReportVolumes<'_> {
    /// Adds a record.
    pub fn add(&mut self, record: &Record) {
        let counts = Counts::of(record);
        let (day, author) = &mut self.group;
        let day = *day;
        if **author != *record.header_from {
            *author = record.header_from.as_str().into();
        }
        let source = MailSource::of(record.source_ip);
        let groups = &mut self.month.groups;
        let sources = groups.get_mut(&self.group);
        match sources.and_then(|sources| sources.get_mut(&source)) {
            Some(known) => known.add(&counts),
            None if *self.rows < ROWS => {
                *self.rows += 1;
                let sources = groups.entry(self.group.clone()).or_default();
                sources.insert(source, counts);
            }
            None => self.month.rest.entry(day).or_default().add(&counts),
        }
        self.month.learn(record, day);
    }
}

/// The day in the middle of what a report covers: most cover one day, and some end at the next one's
/// first second.
fn day_of(head: &Head) -> Option<Date> {
    let (begin, end) = (head.metadata.begin, head.metadata.end);
    let (begin, end) = (begin.or(end)?, end.or(begin)?);
    let middle = begin.as_second().midpoint(end.as_second());
    let middle = jiff::Timestamp::from_second(middle).ok()?;
    Some(middle.to_zoned(TimeZone::UTC).date())
}
