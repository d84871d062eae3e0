//! The domains, and how mail in their names is protected: `google.domain.*`. The records are read by
//! the analysis of `protect-email`.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use protect_core::model::{NotEvaluatedReason, Severity};
use protect_core::posture::{
    Affects, Check, Decision, Level, LevelForm, Needs, Read, Reader, Unread,
};
use protect_email::dkim::DkimKey;
use protect_email::dmarc::{DmarcRecord, Policy, registrable};
use protect_email::name::DomainName;
use protect_email::spf::{MacroString, Qualifier, Record, Values};

use super::table::{BASE, cis, scuba};
use crate::views::Domains;
use crate::workspace::{DNS, DOMAIN_ALIASES, DOMAINS};

/// A record may send the reader on so many times (RFC 7208 section 4.6.4).
const REDIRECTS: usize = 10;

fn verified(read: &Reader<'_>) -> Read<Decision> {
    let domains = read.view::<Domains>()?;
    if domains.0.is_empty() {
        return Ok(Decision::not_applicable("there is no domain"));
    }
    let of = |wanted: Option<bool>| {
        let names = domains.0.iter().filter(move |(_, it)| **it == wanted);
        names.map(|(name, _)| name).collect::<Vec<_>>()
    };
    let (wrong, unknown) = (of(Some(false)), of(None));
    if wrong.is_empty() && !unknown.is_empty() {
        let why = format!("{} domains do not say `verified`", unknown.len());
        return Err(Unread::new(NotEvaluatedReason::NoObservation, DOMAINS, why));
    }
    let reason = format!("{} domains and aliases are not verified", wrong.len());
    Ok(Decision::of(wrong.is_empty(), reason).affecting(wrong))
}

/// Decides about every domain in whose name mail can be sent: `judge` says what is wrong with one.
fn each_domain(
    read: &Reader<'_>,
    judge: impl Fn(&DomainName) -> Read<Option<&'static str>>,
) -> Read<Decision> {
    let domains = read.view::<Domains>()?;
    let excused = &read.settings().excluded_principals;
    let is_excused = |name: &str| excused.iter().any(|it| it.eq_ignore_ascii_case(name));
    let (mut any, mut wrong, mut unread) = (false, Vec::new(), None);
    for (name, verified) in &domains.0 {
        // What is not verified sends no mail.
        if *verified == Some(false) || is_excused(name) {
            continue;
        }
        any = true;
        let domain = DomainName::parse(name)
            .map_err(|_| Unread::malformed(DOMAINS, "a domain's name is none"));
        match domain.and_then(|domain| judge(&domain)) {
            Ok(Some(what)) => wrong.push((name, what)),
            Ok(None) => {}
            Err(error) => unread = Some(error),
        }
    }
    if !any {
        return Ok(Decision::not_applicable("there is no verified domain"));
    }
    if let Some((name, what)) = wrong.first() {
        let more = wrong.len() - 1;
        let reason = if more > 0 {
            format!("{name} {what}, and {more} more are not as they should be")
        } else {
            format!("{name} {what}")
        };
        return Ok(Decision::fail(reason).affecting(wrong.iter().map(|(name, _)| *name)));
    }
    match unread {
        Some(unread) => Err(unread),
        None => Ok(Decision::pass("every domain has it")),
    }
}

/// The texts at a name. That there is no such name is an answer.
fn texts(read: &Reader<'_>, name: &str) -> Read<Vec<String>> {
    let mut texts = Vec::new();
    match read.each_of(DNS, name, |text: String| texts.push(text)) {
        Ok(()) => Ok(texts),
        Err(unread) if unread.code.as_deref().is_some_and(says_nothing) => Ok(Vec::new()),
        Err(unread) => Err(Unread {
            path: format!("dns/{name}"),
            ..unread
        }),
    }
}

/// The names that the checks want to know of and that nobody asked DNS about yet: of each domain its
/// own, those of its DMARC record and keys, and whatever its SPF record sends the reader on to.
pub(crate) fn wanted_names(read: &Reader<'_>, selectors: &str) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    let Ok(domains) = read.view::<Domains>() else {
        return wanted;
    };
    for (name, verified) in &domains.0 {
        let Ok(domain) = DomainName::parse(name) else {
            continue;
        };
        if *verified == Some(false) {
            continue;
        }
        let organisation = registrable(&domain).filter(|it| *it != domain);
        let policies = [Some(domain.clone()), organisation];
        wanted.extend(
            policies
                .into_iter()
                .flatten()
                .map(|at| format!("_dmarc.{at}")),
        );
        let selectors = selectors.split(',').map(str::trim);
        wanted.extend(selectors.map(|selector| format!("{selector}._domainkey.{domain}")));
        let mut at = domain;
        for _ in 0..=REDIRECTS {
            wanted.insert(at.as_str().to_owned());
            let Some(next) = texts(read, at.as_str())
                .ok()
                .and_then(|it| sent_on(&it, &at))
            else {
                break;
            };
            at = next;
        }
    }
    wanted.retain(|name| {
        let read = texts(read, name);
        read.is_err_and(|unread| unread.code.is_none())
    });
    wanted
}

/// Where the one SPF record among some texts sends the reader on.
fn sent_on(texts: &[String], at: &DomainName) -> Option<DomainName> {
    let mut records = texts.iter().filter_map(|text| Record::parse(text));
    let record = records.next().filter(|_| records.next().is_none())?;
    match (record.all(), record.redirect()) {
        (None, Some((_, name))) => fixed(name, at),
        _ => None,
    }
}

fn says_nothing(code: &str) -> bool {
    ["NXDOMAIN", "NODATA"]
        .iter()
        .any(|it| it.eq_ignore_ascii_case(code))
}

fn spf(read: &Reader<'_>) -> Read<Decision> {
    let soft = read.level()? == "softfail";
    each_domain(read, |domain| spf_of(read, domain, soft))
}

fn spf_of(read: &Reader<'_>, domain: &DomainName, soft: bool) -> Read<Option<&'static str>> {
    let mut at = domain.clone();
    for _ in 0..=REDIRECTS {
        let texts = texts(read, at.as_str())?;
        let mut records = texts.iter().filter_map(|text| Record::parse(text));
        let (record, another) = (records.next(), records.next());
        let Some(record) = record else {
            return Ok(Some("has no SPF record"));
        };
        if another.is_some() {
            return Ok(Some("has several SPF records"));
        }
        if !record.errors.is_empty() {
            return Ok(Some("has an SPF record with mistakes"));
        }
        match (record.all(), record.redirect()) {
            (Some(Qualifier::Fail), _) => return Ok(None),
            (Some(Qualifier::SoftFail), _) if soft => return Ok(None),
            (None, Some((_, name))) => match fixed(name, &at) {
                Some(next) => at = next,
                None => return Ok(Some("sends on to a name that depends on the message")),
            },
            _ => return Ok(Some("has an SPF record that does not end with `-all`")),
        }
    }
    Ok(Some("has an SPF record that sends on too often"))
}

/// The name, where it is the same for every message.
fn fixed(name: &MacroString, domain: &DomainName) -> Option<DomainName> {
    let values = Values {
        local: "postmaster",
        sender_domain: domain.as_str(),
        domain,
        ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        helo: domain.as_str(),
        validated: None,
        receiver: "",
        time: 0,
    };
    if name.is_dynamic() {
        return None;
    }
    name.expand_name(&values).ok()
}

fn dkim(read: &Reader<'_>) -> Read<Decision> {
    let selectors: Vec<_> = read.level()?.split(',').map(str::trim).collect();
    each_domain(read, |domain| {
        let mut unread = None;
        for selector in &selectors {
            match texts(read, &format!("{selector}._domainkey.{domain}")) {
                Ok(texts) if texts.iter().any(|text| DkimKey::parse(text).is_live()) => {
                    return Ok(None);
                }
                Ok(_) => {}
                Err(error) => unread = Some(error),
            }
        }
        match unread {
            Some(unread) => Err(unread),
            None => Ok(Some("has no DKIM key under a known selector")),
        }
    })
}

/// The record that applies to a domain: its own, or else that of its organisation.
struct Applied {
    record: DmarcRecord,
    inherited: bool,
}

fn dmarc_of(
    read: &Reader<'_>,
    domain: &DomainName,
) -> Read<std::result::Result<Applied, &'static str>> {
    let organisation = registrable(domain).filter(|it| it != domain);
    for (at, inherited) in [(Some(domain), false), (organisation.as_ref(), true)] {
        let Some(at) = at else { continue };
        let texts = texts(read, &format!("_dmarc.{at}"))?;
        let mut records = texts.iter().filter_map(|text| DmarcRecord::parse(text));
        match (records.next(), records.next()) {
            (Some(record), None) => return Ok(Ok(Applied { record, inherited })),
            (Some(_), Some(_)) => return Ok(Err("has several DMARC records")),
            (None, _) => {}
        }
    }
    Ok(Err("has no DMARC record"))
}

fn dmarc(read: &Reader<'_>) -> Read<Decision> {
    each_domain(read, |domain| {
        Ok(match dmarc_of(read, domain)? {
            Err(what) => Some(what),
            Ok(applied) if applied.record.policy().is_none() => {
                Some("has a DMARC record that does nothing")
            }
            Ok(_) => None,
        })
    })
}

fn dmarc_reject(read: &Reader<'_>) -> Read<Decision> {
    each_domain(read, |domain| {
        let applied = match dmarc_of(read, domain)? {
            Err(what) => return Ok(Some(what)),
            Ok(applied) => applied,
        };
        let policy = if applied.inherited {
            applied.record.subdomain_policy()
        } else {
            applied.record.policy()
        };
        let policy = policy.map(|policy| applied.record.applied(policy));
        Ok((policy != Some(Policy::Reject)).then_some("has a DMARC policy other than `reject`"))
    })
}

const OF_DOMAINS: Check = Check {
    severity: Severity::High,
    needs: Needs {
        all: &[DOMAINS, DOMAIN_ALIASES],
        ..BASE.needs
    },
    affects: Affects::Domains,
    ..BASE
};

const OF_DNS: Check = Check {
    needs: Needs {
        all: &[DOMAINS, DOMAIN_ALIASES, DNS],
        ..BASE.needs
    },
    ..OF_DOMAINS
};

/// Checks of the domains.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "google.domain.verified",
        title: "Every domain and alias is verified",
        severity: Severity::Medium,
        hint: "Verify the domain in the Admin console under Account > Domains, or remove it.",
        decide: verified,
        ..OF_DOMAINS
    },
    Check {
        id: "google.domain.spf",
        title: "Every domain says who may send in its name, and that nobody else may",
        references: &[scuba("GWS.GMAIL.3.1"), cis("3.1.3.2.2")],
        level: Some(Level {
            form: LevelForm::Words(&["fail", "softfail"]),
            docs: "how the record must end at least: `-all`, or `~all`",
            defaults: &[("", "fail")],
        }),
        hint: "Publish one SPF record that ends with `-all`.",
        decide: spf,
        ..OF_DNS
    },
    Check {
        id: "google.domain.dkim",
        title: "Every domain has a key to sign mail with",
        references: &[scuba("GWS.GMAIL.2.1"), cis("3.1.3.2.1")],
        level: Some(Level {
            form: LevelForm::Names,
            docs: "the selectors that are looked for",
            defaults: &[("", "google")],
        }),
        hint: "Make a key in the Admin console under Apps > Google Workspace > Gmail > Authenticate email, and publish it.",
        decide: dkim,
        ..OF_DNS
    },
    Check {
        id: "google.domain.dmarc",
        title: "Every domain and alias has a DMARC record",
        references: &[scuba("GWS.GMAIL.4.1"), cis("3.1.3.2.3")],
        hint: "Publish a DMARC record.",
        decide: dmarc,
        ..OF_DNS
    },
    Check {
        id: "google.domain.dmarc_reject",
        title: "Every domain's DMARC policy is `reject`",
        severity: Severity::Medium,
        references: &[scuba("GWS.GMAIL.4.2"), cis("3.1.3.2.3")],
        hint: "Raise the policy step by step, as `protect email propose` says.",
        decide: dmarc_reject,
        ..OF_DNS
    },
];
