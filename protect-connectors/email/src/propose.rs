//! The records to publish, each with its reason and its risk, ready for a ticket.
//!
//! Nothing here weakens what is there, and the DMARC policy only ever moves to the next stage, once
//! reports show that it harms nobody.

use std::fmt::Write as _;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dkim::{DkimAudit, DkimKey, KeyMaterial};
use crate::dmarc::{
    Alignment, Consent, DmarcAudit, DmarcRecord, DmarcStep, Policy, Psd, Rollout, Stage,
};
use crate::name::DomainName;
use crate::spf::{self, SpfAudit};
use crate::transport::{MailHosts, MtaStsPolicyAt, RecordAt, TransportAudit};

/// How long a proposed MTA-STS policy is kept, in seconds: a week, so that a mistake ends soon.
const POLICY_AGE: u32 = 604_800;

/// Something to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proposal {
    /// `spf`, `dmarc`, `dkim`, `mta_sts`, `tls_rpt` or `mx`.
    pub area: String,
    /// The full name, without the final dot; for a file, its address.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: PublishedAs,
    /// What to publish.
    pub value: String,
    /// What stands there now and is to go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<String>,
    /// What has to be filled in first, where something has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// Why.
    pub reason: String,
    /// What can go wrong.
    pub risk: String,
}

/// What a [`Proposal`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum PublishedAs {
    /// A TXT record.
    Txt,
    /// An MX record.
    Mx,
    /// A file on a web server.
    File,
}

impl PublishedAs {
    /// Its name in a zone file, or `FILE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Txt => "TXT",
            Self::Mx => "MX",
            Self::File => "FILE",
        }
    }
}

/// What the proposals go by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Basis<'a> {
    pub(crate) domain: &'a DomainName,
    pub(crate) at: Timestamp,
    pub(crate) mail: &'a MailHosts,
    pub(crate) spf: &'a SpfAudit,
    pub(crate) dmarc: &'a DmarcAudit,
    pub(crate) dkim: &'a DkimAudit,
    pub(crate) transport: &'a TransportAudit,
    pub(crate) rollout: &'a Rollout,
    /// The tenant's own mailboxes for reports.
    pub(crate) our_rua: &'a [String],
}

/// Everything to publish, the most urgent first. What nobody could say proposes nothing.
pub(crate) fn proposals(basis: &Basis<'_>) -> Vec<Proposal> {
    let mut all = Vec::new();
    all.extend(spf(basis));
    all.extend(dmarc(basis));
    all.extend(consents(basis));
    all.extend(dkim(basis));
    all.extend(null_mx(basis));
    all.extend(mta_sts(basis));
    all.extend(tls_rpt(basis));
    all
}

fn txt(area: &str, name: String, value: String, reason: &str, risk: &str) -> Proposal {
    Proposal {
        area: area.to_owned(),
        name,
        kind: PublishedAs::Txt,
        value,
        replaces: Vec::new(),
        needs: None,
        reason: reason.to_owned(),
        risk: risk.to_owned(),
    }
}

/// The smallest record that is correct. What it would take to get under ten lookups is in the audit
/// of SPF.
fn spf(basis: &Basis<'_>) -> Option<Proposal> {
    let proposed = spf::propose(basis.spf, basis.mail.is_parked())?;
    if proposed.replaces == [proposed.record.as_str()] {
        return None;
    }
    let risk = if proposed.record == "v=spf1 -all" {
        "mail that the domain sends after all is refused"
    } else {
        "a host that only a removed term stood for is no longer authorised; aggregate reports show it"
    };
    let name = basis.domain.to_string();
    Some(Proposal {
        replaces: proposed.replaces,
        needs: proposed.needs,
        ..txt(
            "spf",
            name,
            proposed.record,
            &proposed.steps.join("; "),
            risk,
        )
    })
}

/// The DMARC record: the next stage where it may be entered, else the same stage without mistakes.
fn dmarc(basis: &Basis<'_>) -> Option<Proposal> {
    let own = basis.dmarc.own()?;
    if own.failure().is_some() || basis.dmarc.is_inherited() {
        return None;
    }
    if own.record().is_none() && basis.dmarc.failure.is_some() {
        return None;
    }
    let rollout = basis.rollout;
    let stage = rollout
        .next
        .filter(|_| rollout.ready)
        .unwrap_or(rollout.stage);
    // What stands there is written out as it is; only a stage that is entered changes the policy.
    let policy = match own.record() {
        Some(record) if stage == rollout.stage => (record.policy()?, record.testing),
        _ => stage.policy()?,
    };
    let value = dmarc_record(own.record(), policy, &addresses(basis));
    if says_so_already(own.record(), &value) {
        return None;
    }
    let replaces = standing(own);
    let (reason, risk) = words(stage, stage != rollout.stage);
    let name = format!("_dmarc.{}", basis.domain);
    Some(Proposal {
        replaces,
        ..txt("dmarc", name, value, reason, risk)
    })
}

/// Whether the record that stands there means the same, and is without mistakes.
fn says_so_already(standing: Option<&DmarcRecord>, proposed: &str) -> bool {
    let proposed = DmarcRecord::parse(proposed);
    standing.zip(proposed).is_some_and(|(standing, proposed)| {
        let same = DmarcRecord {
            text: proposed.text.clone(),
            unknown: Vec::new(),
            ..standing.clone()
        };
        same == proposed
    })
}

fn words(stage: Stage, entered: bool) -> (&'static str, &'static str) {
    if !entered {
        return (
            "the same policy, written so that every receiver reads it and reports arrive",
            "none: the policy stays as it is",
        );
    }
    match stage {
        Stage::Absent | Stage::Monitoring => (
            "receivers begin to report who sends in the domain's name",
            "none for mail: nothing is asked of receivers; `np=reject` refuses only names that do not exist",
        ),
        Stage::QuarantineTest => (
            "reports show that the domain's mail is aligned; receivers report what quarantine would do",
            "receivers by RFC 7489 do not read `t` and quarantine what fails",
        ),
        Stage::Quarantine => (
            "the test showed no harm: mail that fails is quarantined",
            "a sender that reports do not show yet lands in the junk folder",
        ),
        Stage::Reject => (
            "quarantine showed no harm: mail that fails is refused",
            "a sender that is not aligned is refused, and so is mail through lists that change it",
        ),
    }
}

fn standing(own: &DmarcStep) -> Vec<String> {
    match (&own.found, own.record()) {
        (_, Some(record)) => vec![record.text.clone()],
        (crate::dmarc::DmarcAt::Several { texts }, _) => texts.clone(),
        _ => own.almost().map(str::to_owned).collect(),
    }
}

/// Where aggregate reports should go besides where they go now.
fn addresses(basis: &Basis<'_>) -> Vec<String> {
    let ours = basis.our_rua.iter().filter(|ours| ours.contains('@'));
    let ours: Vec<_> = ours
        .map(|ours| format!("mailto:{}", ours.trim_start_matches("mailto:")))
        .collect();
    if ours.is_empty() {
        vec![format!("mailto:dmarc-reports@{}", basis.domain)]
    } else {
        ours
    }
}

/// A record in the order of the spec, without what RFC 9989 removed. Addresses that cannot be read
/// are left out; where none is left, `fallback` serves.
pub(crate) fn dmarc_record(
    before: Option<&DmarcRecord>,
    (policy, testing): (Policy, bool),
    fallback: &[String],
) -> String {
    let mut record = format!("v=DMARC1; p={policy}");
    let mut tag = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = write!(record, "; {name}={value}");
    };
    if let Some(sp) = before.and_then(|before| before.sp) {
        tag("sp", sp.as_str());
    }
    let np = before.map_or(Some(Policy::Reject), |before| before.np);
    if let Some(np) = np {
        tag("np", np.as_str());
    }
    let strict = |alignment: fn(&DmarcRecord) -> Alignment| {
        before.is_some_and(|before| alignment(before) == Alignment::Strict)
    };
    if strict(|before| before.adkim) {
        tag("adkim", "s");
    }
    if strict(|before| before.aspf) {
        tag("aspf", "s");
    }
    if testing {
        tag("t", "y");
    }
    let uris = |uris: fn(&DmarcRecord) -> &[crate::dmarc::ReportUri]| -> Vec<String> {
        let uris = before.map(uris).unwrap_or_default().iter();
        uris.filter(|uri| uri.host.is_some())
            .map(|uri| uri.uri.clone())
            .collect()
    };
    let ruf = uris(|before| &before.ruf);
    if let Some(before) = before.filter(|before| !ruf.is_empty() && before.fo != ["0"]) {
        tag("fo", &before.fo.join(":"));
    }
    let rua = uris(|before| &before.rua);
    let rua = if rua.is_empty() {
        fallback.to_vec()
    } else {
        rua
    };
    tag("rua", &rua.join(","));
    if !ruf.is_empty() {
        tag("ruf", &ruf.join(","));
    }
    match before.map(|before| before.psd) {
        Some(Psd::Yes) => tag("psd", "y"),
        Some(Psd::No) => tag("psd", "n"),
        _ => {}
    }
    record
}

/// What the receivers of reports have to publish.
fn consents(basis: &Basis<'_>) -> Vec<Proposal> {
    let destinations = basis.dmarc.rua.iter().chain(&basis.dmarc.ruf);
    let missing = destinations.filter_map(|destination| match &destination.consent {
        Consent::Missing { at } => Some(at),
        _ => None,
    });
    let mut names: Vec<&DomainName> = missing.collect();
    names.sort();
    names.dedup();
    let proposal = |at: &&DomainName| {
        txt(
            "dmarc",
            at.to_string(),
            "v=DMARC1".to_owned(),
            "reporters send nothing to a host of another organisation that does not say so; its owner publishes this",
            "none: it only says that the host takes the domain's reports",
        )
    };
    names.iter().map(proposal).collect()
}

fn dkim(basis: &Basis<'_>) -> Vec<Proposal> {
    let audit = basis.dkim;
    if audit.failure.is_some() || audit.wildcard {
        return Vec::new();
    }
    let mut proposals: Vec<_> = audit
        .selectors
        .iter()
        .filter_map(|at| rewritten(basis.domain, &at.candidate.selector, at.key()?))
        .collect();
    let strong = |key: &DkimKey| match key.material {
        KeyMaterial::Rsa { bits } => bits >= 2_048,
        KeyMaterial::Ed25519 => true,
        _ => false,
    };
    let has_strong = audit.live().any(|(_, key)| strong(key));
    if !has_strong && basis.mail.is_parked() == Some(false) {
        proposals.push(new_key(basis.domain, audit));
    }
    proposals
}

/// The same key without `t=y` and without a hash that nobody accepts.
fn rewritten(domain: &DomainName, selector: &str, key: &DkimKey) -> Option<Proposal> {
    if !key.is_live() || !(key.testing || key.is_sha1_only()) {
        return None;
    }
    let kept = key.text.split(';').map(str::trim).filter(|tag| {
        let name = tag.split('=').next().unwrap_or_default().trim();
        !(tag.is_empty() || name == "t" || (name == "h" && key.is_sha1_only()))
    });
    let kept: Vec<_> = kept.collect();
    let strict = if key.strict { "; t=s" } else { "" };
    let name = format!("{selector}._domainkey.{domain}");
    Some(Proposal {
        replaces: vec![key.text.clone()],
        ..txt(
            "dkim",
            name,
            format!("{}{strict}", kept.join("; ")),
            "verifiers treat mail of a key under test, or for SHA-1 alone, as unsigned",
            "low: the key stays the same",
        )
    })
}

fn new_key(domain: &DomainName, audit: &DkimAudit) -> Proposal {
    let taken = |name: &str| {
        audit
            .selectors
            .iter()
            .any(|at| at.candidate.selector == name)
    };
    let mut names = (1..).map(|number| format!("protect{number}"));
    let selector = names.find(|name| !taken(name)).unwrap_or_default();
    Proposal {
        needs: Some("the public key that the mail system shows (RSA, 2048 bits), and its own selector where it chooses one".to_owned()),
        ..txt(
            "dkim",
            format!("{selector}._domainkey.{domain}"),
            "v=DKIM1; k=rsa; p=".to_owned() + "(public key)",
            "no key of 2048 bits or Ed25519 was found, and a policy of `reject` needs signed mail",
            "low: publish it before the mail system signs with it, and leave older keys until their mail is delivered",
        )
    }
}

fn null_mx(basis: &Basis<'_>) -> Option<Proposal> {
    (*basis.mail == MailHosts::Nowhere).then(|| Proposal {
        kind: PublishedAs::Mx,
        ..txt(
            "mx",
            basis.domain.to_string(),
            "0 .".to_owned(),
            "the domain takes no mail, and senders learn so at once (RFC 7505)",
            "mail to the domain is refused at once instead of after days",
        )
    })
}

fn mta_sts(basis: &Basis<'_>) -> Vec<Proposal> {
    let hosts = basis.mail.hosts();
    if hosts.is_empty() {
        return Vec::new();
    }
    let sts = &basis.transport.mta_sts;
    let usable = match &sts.policy {
        MtaStsPolicyAt::Policy { policy } => hosts.iter().all(|host| policy.covers(host)),
        MtaStsPolicyAt::Unusable { .. } => false,
        MtaStsPolicyAt::Unknown { .. } => return Vec::new(),
        MtaStsPolicyAt::NotAsked => {
            !matches!(sts.record, RecordAt::Nothing | RecordAt::Several { .. })
        }
    };
    let replaces = match &sts.record {
        RecordAt::Unknown { .. } => return Vec::new(),
        RecordAt::Record { record } if record.id.is_some() && usable => return Vec::new(),
        RecordAt::Record { record } => vec![record.text.clone()],
        RecordAt::Several { texts } => texts.clone(),
        RecordAt::Nothing => Vec::new(),
    };
    let mx: Vec<_> = hosts.iter().map(|host| format!("mx: {host}\n")).collect();
    let mx = mx.concat();
    let mode = match &sts.policy {
        MtaStsPolicyAt::Policy { policy }
            if policy.mode == crate::transport::MtaStsMode::Enforce =>
        {
            "enforce"
        }
        _ => "testing",
    };
    let file = Proposal {
        kind: PublishedAs::File,
        ..txt(
            "mta_sts",
            format!("https://mta-sts.{}/.well-known/mta-sts.txt", basis.domain),
            format!("version: STSv1\nmode: {mode}\n{mx}max_age: {POLICY_AGE}\n"),
            "senders learn which hosts take the mail by TLS; publish the file before the record",
            "in mode `testing` none: mail is delivered as before and failures are reported; go to `enforce` when reports show none",
        )
    };
    let record = Proposal {
        replaces,
        ..txt(
            "mta_sts",
            format!("_mta-sts.{}", basis.domain),
            format!("v=STSv1; id={}", basis.at.strftime("%Y%m%dT%H%M%SZ")),
            "senders look for a policy where this record stands, and again when its `id` changes",
            "none while the policy's mode is `testing`",
        )
    };
    vec![file, record]
}

fn tls_rpt(basis: &Basis<'_>) -> Option<Proposal> {
    if basis.mail.takes_mail() != Some(true) {
        return None;
    }
    let replaces = match &basis.transport.tls_rpt {
        RecordAt::Unknown { .. } => return None,
        RecordAt::Record { record } if !record.rua.is_empty() => return None,
        RecordAt::Record { record } => vec![record.text.clone()],
        RecordAt::Several { texts } => texts.clone(),
        RecordAt::Nothing => Vec::new(),
    };
    let ours = basis.our_rua.iter().find(|ours| ours.contains('@'));
    let address = ours.map_or_else(
        || format!("tls-reports@{}", basis.domain),
        |ours| ours.trim_start_matches("mailto:").to_owned(),
    );
    Some(Proposal {
        replaces,
        ..txt(
            "tls_rpt",
            format!("_smtp._tls.{}", basis.domain),
            format!("v=TLSRPTv1; rua=mailto:{address}"),
            "senders report where mail could not be delivered by TLS",
            "none: it only asks for reports",
        )
    })
}
