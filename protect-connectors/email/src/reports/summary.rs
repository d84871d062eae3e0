//! What many reports say together, for people.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::senders;
use super::volumes::{Counts, MailSource, Month, Volumes};

/// Sources that a summary names for each domain.
const TOP: usize = 10;

/// The mail of one domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MailDomainSummary")]
pub struct DomainSummary {
    /// The domain.
    pub domain: String,
    /// How many reports.
    pub reports: u64,
    /// How many messages, and how they fared.
    #[serde(flatten)]
    pub counts: Counts,
    /// Which part passed, from 0 to 1; `None` without messages.
    pub pass_rate: Option<f64>,
    /// Which part passed by an aligned SPF, from 0 to 1; `None` without messages.
    pub spf_rate: Option<f64>,
    /// Which part passed by an aligned signature, from 0 to 1; `None` without messages.
    pub dkim_rate: Option<f64>,
    /// How many sources sent only mail that failed both ways.
    pub unknown_senders: u64,
    /// The sources with the most messages.
    pub top_sources: Vec<SourceSummary>,
    /// The same by month.
    pub months: BTreeMap<String, Counts>,
    /// Messages whose source was one too many to be kept.
    pub messages_without_source: u64,
    /// What to do, most urgent first.
    pub advice: Vec<String>,
}

/// The mail from one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "MailSourceSummary")]
pub struct SourceSummary {
    /// An IPv4 address, or the first address of an IPv6 network of 64 bits.
    pub source: MailSource,
    /// The service it belongs to, where that is known.
    pub sender: Option<String>,
    /// How many messages, and how they fared.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Sums volumes up, by domain.
pub fn summarise(volumes: &Volumes) -> Vec<DomainSummary> {
    let domains = volumes.domains();
    domains
        .map(|(domain, months)| summarise_domain(domain, months))
        .collect()
}

fn summarise_domain(domain: &str, months: &BTreeMap<String, Month>) -> DomainSummary {
    let mut counts = Counts::default();
    let mut by_month = BTreeMap::new();
    let (mut reports, mut without_source) = (0_u64, 0_u64);
    for (name, month) in months {
        let mut sum = month.without_source();
        without_source = without_source.saturating_add(sum.messages);
        for (_, counts) in month.sources() {
            sum.add(counts);
        }
        counts.add(&sum);
        by_month.insert(name.clone(), sum);
        reports = reports.saturating_add(month.reports());
    }
    let (top, unknown_senders) = sources(months);
    DomainSummary {
        domain: domain.to_owned(),
        reports,
        pass_rate: counts.pass_rate(),
        spf_rate: counts.spf_rate(),
        dkim_rate: counts.dkim_rate(),
        unknown_senders,
        advice: advice(&counts, unknown_senders),
        top_sources: top.into_iter().map(named).collect(),
        months: by_month,
        messages_without_source: without_source,
        counts,
    }
}

/// The sources with the most messages, and how many sent only mail that failed both ways. There may
/// be very many: they are sorted by reference, and only the first ones are kept.
fn sources(months: &BTreeMap<String, Month>) -> (Vec<(MailSource, Counts)>, u64) {
    let mut rows: Vec<_> = months.values().flat_map(Month::sources).collect();
    rows.sort_unstable_by_key(|(source, _)| *source);
    let (mut top, mut unknown) = (Vec::with_capacity(2 * TOP), 0);
    for rows in rows.chunk_by(|(one, _), (other, _)| one == other) {
        let Some((source, _)) = rows.first() else {
            continue;
        };
        let mut counts = Counts::default();
        for (_, row) in rows {
            counts.add(row);
        }
        unknown += u64::from(counts.unauthorised > 0 && counts.unauthorised == counts.messages);
        top.push((*source, counts));
        if top.len() == 2 * TOP {
            keep_most(&mut top);
        }
    }
    keep_most(&mut top);
    (top, unknown)
}

fn keep_most(sources: &mut Vec<(MailSource, Counts)>) {
    sources.sort_unstable_by(|(one, counts), (other, others)| {
        others.messages.cmp(&counts.messages).then(one.cmp(other))
    });
    sources.truncate(TOP);
}

fn named((source, counts): (MailSource, Counts)) -> SourceSummary {
    let sender = senders::by_address(source.address());
    SourceSummary {
        source,
        sender: sender.map(|sender| sender.name.to_owned()),
        counts,
    }
}

/// What the numbers ask for.
fn advice(counts: &Counts, unknown_senders: u64) -> Vec<String> {
    let mut advice = Vec::new();
    let mut say = |so: bool, what: &str| {
        if so {
            advice.push(what.to_owned());
        }
    };
    say(
        counts.own_misaligned > 0,
        "let the services that send for you sign with your own domain",
    );
    say(
        counts.passed > 0 && counts.by_dkim == 0,
        "sign with DKIM: everything that passes leans on SPF, which forwarding breaks",
    );
    say(
        unknown_senders > 0,
        "look at the unknown senders: yours are to be authorised, the others are why the policy should be reject",
    );
    say(
        counts.unauthorised > 0 && counts.rejected == 0 && counts.quarantined == 0,
        "mail that fails is delivered: tighten the policy once your own mail passes",
    );
    advice
}
