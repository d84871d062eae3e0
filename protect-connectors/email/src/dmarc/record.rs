//! A DMARC record: RFC 9989 section 4.7, with what RFC 7489 had besides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::name::DomainName;
use crate::tags::{self, NameCase, Problem, RecordIssue, Tag, Tags, Version};

/// The version that a record begins with, in just these letters.
pub(crate) const VERSION: &str = "DMARC1";

/// What a domain owner asks receivers to do with mail that fails.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Nothing, but report it.
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Policy {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// What receivers do while the owner is testing (`t=y`, RFC 9989 section 4.7): one level less.
    #[must_use]
    pub const fn under_test(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }

    fn read(value: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| policy.as_str().eq_ignore_ascii_case(value))
    }
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How close the domain that passed must be to the author's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// The same organisational domain (`r`).
    #[default]
    Relaxed,
    /// The same name (`s`).
    Strict,
}

/// Whether the domain is a public suffix, by its own word (`psd`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Psd {
    /// It is one (`y`).
    Yes,
    /// It is an organisational domain (`n`).
    No,
    /// It does not say (`u`).
    #[default]
    Unknown,
}

/// Where reports are to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportUri {
    /// As written, without the size limit that RFC 7489 allowed.
    pub uri: String,
    /// The domain of the mailbox, or the host; `None` where the address cannot be read.
    pub host: Option<DomainName>,
    /// Whether it is a `mailto:` address, the only kind that every reporter supports.
    pub mailto: bool,
    /// Whether a size limit (`!10m`) stood behind it, which RFC 9990 no longer has.
    pub size_limit: bool,
}

/// A DMARC record, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DmarcRecord {
    /// As published.
    pub text: String,
    /// `p`, where it is there and readable.
    pub p: Option<Policy>,
    /// `sp`: for subdomains that exist.
    pub sp: Option<Policy>,
    /// `np`: for subdomains that do not exist.
    pub np: Option<Policy>,
    /// `t=y`: receivers apply one level less.
    pub testing: bool,
    /// `psd`.
    pub psd: Psd,
    /// `adkim`.
    pub adkim: Alignment,
    /// `aspf`.
    pub aspf: Alignment,
    /// `rua`: where aggregate reports go.
    pub rua: Vec<ReportUri>,
    /// `ruf`: where failure reports go.
    pub ruf: Vec<ReportUri>,
    /// `fo`: when failure reports are wanted; any of `0`, `1`, `d`, `s`.
    pub fo: Vec<String>,
    /// `pct`, which RFC 9989 removed: receivers by RFC 7489 apply the policy to this share of mail.
    pub pct: Option<u8>,
    /// `rf`, which RFC 9989 removed.
    pub rf: Option<String>,
    /// `ri`, which RFC 9989 removed: seconds between reports.
    pub ri: Option<u32>,
    /// Tags that nobody knows.
    pub unknown: Vec<Tag>,
    /// What is wrong, in the order of the record.
    pub issues: Vec<RecordIssue>,
    /// Whether `p`, `sp` or `np` is there and unreadable: receivers then read `p=none`, or nothing.
    pub policy_unreadable: bool,
}

impl DmarcRecord {
    /// Reads a text that begins with the version; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        (tags::version(text, VERSION) == Version::Exact).then(|| read(text))
    }

    /// What the record asks for the domain it stands at, before `t`. `None` where the record does
    /// nothing: its policy is missing or unreadable and it names nowhere to report to (RFC 9989
    /// section 4.7).
    pub fn policy(&self) -> Option<Policy> {
        match self.p {
            Some(policy) if !self.policy_unreadable => Some(policy),
            _ if self.rua.iter().any(|uri| uri.host.is_some()) => Some(Policy::None),
            _ => None,
        }
    }

    /// The same for a subdomain that exists: `sp`, else `p`.
    pub fn subdomain_policy(&self) -> Option<Policy> {
        let policy = self.policy()?;
        Some(match self.sp {
            Some(sp) if !self.policy_unreadable => sp,
            _ => policy,
        })
    }

    /// The same for a subdomain that does not exist: `np`, else `sp`, else `p`.
    pub fn missing_subdomain_policy(&self) -> Option<Policy> {
        let policy = self.subdomain_policy()?;
        Some(match self.np {
            Some(np) if !self.policy_unreadable => np,
            _ => policy,
        })
    }

    /// A policy as receivers apply it: one level less while the owner is testing.
    pub fn applied(&self, policy: Policy) -> Policy {
        if self.testing {
            policy.under_test()
        } else {
            policy
        }
    }
}

fn read(text: &str) -> DmarcRecord {
    let mut tags = Tags::read(text, NameCase::Either);
    // It was there, or the text would not be a DMARC record.
    let _ = take(&mut tags, "v");
    let (p, bad_p) = policy(&mut tags, "p");
    let (sp, bad_sp) = policy(&mut tags, "sp");
    let (np, bad_np) = policy(&mut tags, "np");
    let mut record = DmarcRecord {
        text: text.to_owned(),
        p,
        sp,
        np,
        policy_unreadable: bad_p || bad_sp || bad_np,
        testing: one_of(&mut tags, "t", "`y` or `n`", |word| match word {
            "y" => Some(true),
            "n" => Some(false),
            _ => None,
        })
        .unwrap_or_default(),
        psd: one_of(&mut tags, "psd", "`y`, `n` or `u`", |word| match word {
            "y" => Some(Psd::Yes),
            "n" => Some(Psd::No),
            "u" => Some(Psd::Unknown),
            _ => None,
        })
        .unwrap_or_default(),
        adkim: alignment(&mut tags, "adkim"),
        aspf: alignment(&mut tags, "aspf"),
        rua: uris(&mut tags, "rua"),
        ruf: uris(&mut tags, "ruf"),
        fo: failure_options(&mut tags),
        pct: removed(&mut tags, "pct", "a number from 0 to 100", |value| {
            value.parse().ok().filter(|percent| *percent <= 100)
        }),
        rf: removed(&mut tags, "rf", "`afrf`", |value| Some(value.to_owned())),
        ri: removed(&mut tags, "ri", "a number of seconds", |value| {
            value.parse().ok()
        }),
        unknown: Vec::new(),
        issues: Vec::new(),
    };
    for tag in std::mem::take(&mut tags.tags) {
        let text = format!(
            "receivers pass over `{}`, which is no tag of DMARC",
            tag.name
        );
        tags.issue(Problem::UnknownTag, &tag.name, tag.at, text);
        record.unknown.push(tag);
    }
    if p.is_none() && !bad_p {
        tags.issue(
            Problem::Missing,
            "p",
            0,
            "there is no `p`: receivers read `p=none`, and nothing at all without a usable `rua`",
        );
    }
    tags.issues.sort_by_key(|issue| issue.at);
    record.issues = tags.issues;
    record
}

fn take(tags: &mut Tags, name: &str) -> Option<Tag> {
    tags.take(name, NameCase::Either)
}

/// A policy, and whether one is written there that cannot be read.
fn policy(tags: &mut Tags, name: &str) -> (Option<Policy>, bool) {
    let Some(tag) = take(tags, name) else {
        return (None, false);
    };
    let policy = Policy::read(&tag.value);
    if policy.is_none() {
        let text = format!(
            "`{name}` may be `none`, `quarantine` or `reject`; as it stands receivers read `p=none`, and nothing at all without a usable `rua`"
        );
        tags.issue(Problem::BadValue, &tag.name, tag.at, text);
    }
    (policy, policy.is_none())
}

fn one_of<T>(
    tags: &mut Tags,
    name: &str,
    allowed: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let tag = take(tags, name)?;
    let value = read(&tag.value.to_ascii_lowercase());
    if value.is_none() {
        tags.bad_value(&tag, allowed);
    }
    value
}

fn alignment(tags: &mut Tags, name: &str) -> Alignment {
    one_of(tags, name, "`r` or `s`", |word| match word {
        "r" => Some(Alignment::Relaxed),
        "s" => Some(Alignment::Strict),
        _ => None,
    })
    .unwrap_or_default()
}

fn failure_options(tags: &mut Tags) -> Vec<String> {
    let Some(tag) = take(tags, "fo") else {
        return vec!["0".to_owned()];
    };
    let words = tag
        .value
        .split(':')
        .map(|word| word.trim().to_ascii_lowercase());
    let (known, other): (Vec<_>, Vec<_>) =
        words.partition(|word| matches!(word.as_str(), "0" | "1" | "d" | "s"));
    if !other.is_empty() {
        tags.bad_value(&tag, "any of `0`, `1`, `d` and `s`, joined by colons");
    }
    if known.is_empty() {
        vec!["0".to_owned()]
    } else {
        known
    }
}

/// A tag that only receivers by RFC 7489 read.
fn removed<T>(
    tags: &mut Tags,
    name: &str,
    allowed: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let tag = take(tags, name)?;
    let text = format!("RFC 9989 removed `{name}`; older receivers still read it");
    tags.issue(Problem::Removed, name, tag.at, text);
    let value = read(&tag.value);
    if value.is_none() {
        tags.bad_value(&tag, allowed);
    }
    value
}

fn uris(tags: &mut Tags, name: &str) -> Vec<ReportUri> {
    let Some(tag) = take(tags, name) else {
        return Vec::new();
    };
    let uris: Vec<_> = tag
        .value
        .split(',')
        .map(str::trim)
        .map(report_uri)
        .collect();
    if uris.iter().any(|uri| uri.host.is_none()) {
        tags.bad_value(&tag, "a list of `mailto:` addresses, joined by commas");
    }
    uris
}

fn report_uri(written: &str) -> ReportUri {
    // A comma or exclamation mark inside an address is percent-encoded (RFC 7489 section 6.2).
    let (uri, limit) = match written.rsplit_once('!') {
        Some((uri, limit)) => (uri, Some(limit)),
        None => (written, None),
    };
    let mailbox = uri
        .split_at_checked("mailto:".len())
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("mailto:"))
        .map(|(_, mailbox)| mailbox);
    let host = match mailbox {
        Some(mailbox) => mailbox_domain(mailbox),
        None => web_host(uri),
    };
    ReportUri {
        uri: uri.to_owned(),
        host,
        mailto: mailbox.is_some(),
        size_limit: limit.is_some(),
    }
}

fn mailbox_domain(mailbox: &str) -> Option<DomainName> {
    let address = mailbox.split('?').next().unwrap_or_default();
    let (local, domain) = address.rsplit_once('@')?;
    let domain = DomainName::parse(domain).ok()?;
    (!local.is_empty() && domain.label_count() > 1).then_some(domain)
}

fn web_host(uri: &str) -> Option<DomainName> {
    let url = Url::parse(uri).ok()?;
    let host = matches!(url.scheme(), "http" | "https").then(|| url.host_str())??;
    DomainName::parse(host).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(text: &str) -> DmarcRecord {
        DmarcRecord::parse(text).unwrap()
    }

    #[test]
    fn a_record_of_rfc_9989_is_read_whole_and_without_issues() {
        let record = record(
            "v=DMARC1; p=reject; sp=quarantine; np=reject; t=n; psd=n; adkim=s; aspf=r; \
             fo=1:d; rua=mailto:a@b.example,mailto:c%2Cd@e.example; ruf=mailto:f@b.example",
        );
        assert_eq!(record.issues, []);
        assert_eq!(record.policy(), Some(Policy::Reject));
        assert_eq!(record.subdomain_policy(), Some(Policy::Quarantine));
        assert_eq!(record.missing_subdomain_policy(), Some(Policy::Reject));
        assert_eq!(
            (record.psd, record.adkim, record.aspf),
            (Psd::No, Alignment::Strict, Alignment::Relaxed)
        );
        assert_eq!(record.fo, ["1", "d"]);
        let hosts: Vec<_> = record
            .rua
            .iter()
            .filter_map(|uri| uri.host.as_ref())
            .map(DomainName::as_str)
            .collect();
        assert_eq!(hosts, ["b.example", "e.example"]);
    }

    #[test]
    fn the_version_is_read_by_case_and_everything_else_is_not() {
        assert!(DmarcRecord::parse("v=dmarc1; p=reject").is_none());
        assert!(DmarcRecord::parse(" v=DMARC1; p=reject").is_none());
        let record = record("V=DMARC1;P=REJECT;T=Y");
        assert_eq!(record.policy(), Some(Policy::Reject));
        assert_eq!(record.applied(Policy::Reject), Policy::Quarantine);
    }

    #[test]
    fn an_unreadable_policy_is_none_with_reports_and_nothing_without() {
        for text in [
            "v=DMARC1; p=bogus",
            "v=DMARC1",
            "v=DMARC1; p=reject; sp=no",
            "v=DMARC1; p=reject; np=x",
        ] {
            assert_eq!(record(text).policy(), None, "{text}");
            let with = record(&format!("{text}; rua=mailto:a@b.example"));
            assert_eq!(with.policy(), Some(Policy::None), "{text}");
            assert_eq!(with.subdomain_policy(), Some(Policy::None), "{text}");
            let useless = record(&format!("{text}; rua=b.example"));
            assert_eq!(useless.policy(), None, "{text}");
        }
    }

    #[test]
    fn a_bad_value_elsewhere_falls_back_to_the_default_and_is_said() {
        let record = record("v=DMARC1; p=none; adkim=x; t=maybe; psd=2; fo=q");
        assert_eq!(record.adkim, Alignment::Relaxed);
        assert!(!record.testing);
        assert_eq!(record.psd, Psd::Unknown);
        assert_eq!(record.fo, ["0"]);
        let bad: Vec<_> = record
            .issues
            .iter()
            .map(|issue| (issue.problem, &*issue.tag))
            .collect();
        let expected = ["adkim", "t", "psd", "fo"].map(|tag| (Problem::BadValue, tag));
        assert_eq!(bad, expected);
        assert_eq!(record.policy(), Some(Policy::None));
    }

    #[test]
    fn what_rfc_7489_had_besides_is_read_and_said_to_be_gone() {
        let record =
            record("v=DMARC1; p=reject; pct=50; rf=afrf; ri=3600; x=1; rua=mailto:a@b.example!10m");
        assert_eq!(
            (record.pct, record.rf.as_deref(), record.ri),
            (Some(50), Some("afrf"), Some(3600))
        );
        let removed = record
            .issues
            .iter()
            .filter(|issue| issue.problem == Problem::Removed);
        assert_eq!(removed.count(), 3);
        assert_eq!(record.unknown.len(), 1);
        assert!(record.rua[0].size_limit);
        assert_eq!(record.rua[0].uri, "mailto:a@b.example");
        assert_eq!(self::record("v=DMARC1; p=none; pct=101").pct, None);
    }

    #[test]
    fn an_address_that_is_none_has_no_host() {
        for uri in [
            "mailto:b.example",
            "mailto:@b.example",
            "mailto:a@b",
            "a@b.example",
            "ftp://b.example",
            "mailto:a@b..example",
            "",
        ] {
            assert_eq!(report_uri(uri).host, None, "{uri}");
        }
        assert_eq!(
            report_uri("https://b.example/in").host.unwrap().as_str(),
            "b.example"
        );
        assert_eq!(
            report_uri("mailto:a@B\u{fc}cher.example").host,
            mailbox_domain("a@xn--bcher-kva.example")
        );
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_to_read(text in "(v=DMARC1;)?.{0,120}") {
            if let Some(record) = DmarcRecord::parse(&text) {
                prop_assert!(record.issues.iter().all(|issue| issue.at <= text.len()));
            }
        }
    }
}
