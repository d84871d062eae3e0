//! The score of a domain: `score_v1`. A pure function of what was found; every point is explained.
//!
//! What nobody could say makes the score `None`, with the reason, and never a guess.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dkim::{DkimAudit, KeyMaterial, SelectorFound};
use crate::dmarc::{Consent, DmarcAudit, Policy};
use crate::spf::{LOOKUP_LIMIT, Qualifier, SpfAudit, SpfFound, SpfIssueKind, VOID_LIMIT};
use crate::transport::{MailHosts, MtaStsMode, MtaStsPolicyAt, RecordAt, TransportAudit};

/// The way of counting; another way will have another name.
pub const VERSION: &str = "score_v1";

/// Why a name that is not there has no score: there is nothing to be good or bad.
const NO_SUCH_DOMAIN: &str = "there is no such domain";

/// A score, with its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailScore {
    /// The way of counting.
    pub version: String,
    /// From 0 to 100; `None` where something that counts is unknown.
    pub total: Option<u8>,
    /// The same as a letter.
    pub grade: Option<Grade>,
    /// Why there is no score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it is made of.
    pub parts: Vec<MailScorePart>,
    /// What holds it down, whatever the parts sum up to.
    pub caps: Vec<ScoreCap>,
    /// No key was found under the names tried, so DKIM is left out and the rest counts for all.
    pub dkim_unknown: bool,
}

/// A letter for a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Grade {
    /// 90 and more.
    A,
    /// 80 and more.
    B,
    /// 65 and more.
    C,
    /// 50 and more.
    D,
    /// Less.
    F,
}

impl Grade {
    /// The grade of a score.
    pub const fn of(total: u8) -> Self {
        match total {
            90.. => Self::A,
            80.. => Self::B,
            65.. => Self::C,
            50.. => Self::D,
            _ => Self::F,
        }
    }
}

/// A part of a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailScorePart {
    /// `spf`, `dkim`, `dmarc`, `mta_sts` or `tls_rpt`; `all` for a domain without mail.
    pub area: String,
    /// What it is for.
    pub what: String,
    /// The points it brings.
    pub points: u8,
    /// The points it can bring.
    pub of: u8,
}

/// A ceiling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreCap {
    /// The score is not higher than this.
    pub at: u8,
    /// Why.
    pub why: String,
}

/// What of a domain's SPF counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpfStanding {
    /// Why nobody could say, where that is so.
    pub unknown: Option<String>,
    /// There is one record, and receivers can evaluate it.
    pub valid: bool,
    /// There is a record, and receivers end in `permerror`.
    pub permerror: bool,
    /// At most ten lookups and two void ones.
    pub within_limits: bool,
    /// What follows for hosts that nothing matches.
    pub all: Option<Qualifier>,
    /// Everybody is authorised, or as good as.
    pub plus_all: bool,
    /// A `ptr` or a range of addresses that is too wide.
    pub ptr_or_wide: bool,
    /// Nobody is authorised.
    pub nobody: bool,
}

impl SpfStanding {
    /// What counts of an audit.
    pub fn of(audit: &SpfAudit) -> Self {
        let found = audit.own().map(|own| &own.found);
        let is_there = matches!(
            found,
            Some(SpfFound::Record { .. } | SpfFound::Several { .. })
        );
        let limits = audit.lookups.count <= LOOKUP_LIMIT && audit.void_lookups.count <= VOID_LIMIT;
        let ptr = audit.issues_of(SpfIssueKind::Ptr).next().is_some();
        let mut wide = audit.issues_of(SpfIssueKind::WideRange);
        Self {
            unknown: (!audit.complete).then(|| {
                let failure = audit.failure().map(|failure| failure.to_string());
                failure.unwrap_or_else(|| "a part of the record could not be looked at".to_owned())
            }),
            valid: is_there && !audit.is_broken(),
            permerror: is_there && (audit.is_broken() || audit.lookups.count > LOOKUP_LIMIT),
            within_limits: limits,
            all: audit.all,
            plus_all: audit.everybody,
            ptr_or_wide: ptr || wide.any(|issue| issue.own),
            nobody: audit.is_locked(),
        }
    }

    /// Whether the domain says that it sends no mail: `v=spf1 -all`.
    pub fn is_locked(&self) -> bool {
        self.valid && self.nobody && self.all == Some(Qualifier::Fail)
    }
}

/// Parts in the making.
#[derive(Default)]
struct Count(Vec<MailScorePart>);

impl Count {
    fn add(&mut self, area: &str, what: &str, of: u8, points: u8) {
        self.0.push(MailScorePart {
            area: area.to_owned(),
            what: what.to_owned(),
            points,
            of,
        });
    }

    fn when(&mut self, area: &str, what: &str, of: u8, holds: bool) {
        self.add(area, what, of, if holds { of } else { 0 });
    }

    fn sums(&self) -> (u32, u32) {
        let points = self.0.iter().map(|part| u32::from(part.points)).sum();
        (points, self.0.iter().map(|part| u32::from(part.of)).sum())
    }
}

fn unknown(reason: String) -> MailScore {
    MailScore {
        version: VERSION.to_owned(),
        total: None,
        grade: None,
        reason: Some(reason),
        parts: Vec::new(),
        caps: Vec::new(),
        dkim_unknown: false,
    }
}

fn counted(count: Count, caps: Vec<ScoreCap>, dkim_unknown: bool) -> MailScore {
    let (points, of) = count.sums();
    let scaled = (points * 100 + of / 2).checked_div(of).unwrap_or_default();
    let ceiling = caps.iter().map(|cap| cap.at).min().unwrap_or(100);
    let total = u8::try_from(scaled).unwrap_or(100).min(ceiling);
    MailScore {
        version: VERSION.to_owned(),
        total: Some(total),
        grade: Some(Grade::of(total)),
        reason: None,
        parts: count.0,
        caps,
        dkim_unknown,
    }
}

/// The score of a domain's authentication.
pub fn authentication(
    mail: &MailHosts,
    spf: &SpfStanding,
    dkim: &DkimAudit,
    dmarc: &DmarcAudit,
) -> MailScore {
    if *mail == MailHosts::NoSuchDomain {
        return unknown(NO_SUCH_DOMAIN.to_owned());
    }
    if let Some(reason) = what_is_unknown(mail, spf, dkim, dmarc) {
        return unknown(reason);
    }
    let applied = dmarc
        .policies
        .as_ref()
        .and_then(|policies| policies.domain.applied);
    let mut count = Count::default();
    if mail.is_parked() == Some(true) && spf.is_locked() && applied == Some(Policy::Reject) {
        count.add(
            "all",
            "takes no mail, authorises nobody and asks for rejection",
            100,
            100,
        );
        return counted(count, Vec::new(), false);
    }
    count_spf(&mut count, spf);
    let dkim_unknown = dkim.live().next().is_none() && !has_dead_key(dkim);
    if !dkim_unknown {
        count_dkim(&mut count, dkim);
    }
    count_dmarc(&mut count, dmarc, applied);
    counted(count, caps(spf, dmarc, applied), dkim_unknown)
}

fn what_is_unknown(
    mail: &MailHosts,
    spf: &SpfStanding,
    dkim: &DkimAudit,
    dmarc: &DmarcAudit,
) -> Option<String> {
    if let MailHosts::Unknown { failure } = mail {
        return Some(format!("mail hosts: {failure}"));
    }
    if let Some(why) = &spf.unknown {
        return Some(format!("SPF: {why}"));
    }
    if let Some(failure) = dmarc.failure {
        return Some(format!("DMARC: {failure}"));
    }
    let consents = dmarc.rua.iter().map(|destination| &destination.consent);
    for consent in consents {
        if let Consent::Unknown { failure } = consent {
            return Some(format!("DMARC reports: {failure}"));
        }
    }
    dkim.failure.map(|failure| format!("DKIM: {failure}"))
}

fn count_spf(count: &mut Count, spf: &SpfStanding) {
    let open = spf.plus_all;
    let valid = spf.valid && !open;
    count.when("spf", "one valid record", 14, valid);
    count.when(
        "spf",
        "at most 10 lookups and 2 void ones",
        8,
        valid && spf.within_limits,
    );
    let all = match spf.all {
        Some(Qualifier::Fail) if valid => 6,
        Some(Qualifier::SoftFail) if valid => 5,
        _ => 0,
    };
    count.add("spf", "ends in `-all` (6) or `~all` (5)", 6, all);
    count.when(
        "spf",
        "no `ptr` and no wide range",
        2,
        valid && !spf.ptr_or_wide,
    );
}

/// Whether a record was found that holds no key to verify with: then DKIM is known, and bad.
fn has_dead_key(dkim: &DkimAudit) -> bool {
    dkim.selectors
        .iter()
        .any(|at| at.key().is_some() || matches!(at.found, SelectorFound::Several { .. }))
}

fn count_dkim(count: &mut Count, dkim: &DkimAudit) {
    let keys: Vec<_> = dkim.live().map(|(_, key)| key).collect();
    let live = !keys.is_empty();
    count.when("dkim", "a key that mail can be verified with", 14, live);
    let shortest = keys.iter().filter_map(|key| match key.material {
        KeyMaterial::Rsa { bits } => Some(bits),
        _ => None,
    });
    let size = match shortest.min() {
        _ if !live => 0,
        None | Some(2_048..) => 7,
        Some(1_024..) => 3,
        Some(_) => 0,
    };
    count.add("dkim", "keys of 2048 bits (7) or 1024 bits (3)", 7, size);
    let testing = keys.iter().any(|key| key.testing);
    count.when("dkim", "no key under test", 2, live && !testing);
    let dangling = dkim
        .selectors
        .iter()
        .any(|at| at.found == SelectorFound::Dangling);
    count.when("dkim", "every alias leads to a key", 2, live && !dangling);
}

fn count_dmarc(count: &mut Count, dmarc: &DmarcAudit, applied: Option<Policy>) {
    let record = dmarc.record().filter(|record| record.policy().is_some());
    count.when("dmarc", "a valid record applies", 8, record.is_some());
    let policy = match applied {
        Some(Policy::Reject) => 20,
        Some(Policy::Quarantine) => 14,
        Some(Policy::None) => 2,
        None => 0,
    };
    count.add(
        "dmarc",
        "reject (20), quarantine (14) or none (2)",
        20,
        policy,
    );
    let level = dmarc.policies.as_ref().is_some_and(|policies| {
        let below = [&policies.subdomain, &policies.missing_subdomain];
        applied.is_some() && below.iter().all(|policy| policy.applied >= applied)
    });
    count.when("dmarc", "subdomains are not weaker", 6, level);
    let agreed = !dmarc.rua.is_empty()
        && dmarc.rua.iter().all(|destination| {
            matches!(
                destination.consent,
                Consent::SameOrganisation | Consent::Given { .. }
            )
        });
    count.when(
        "dmarc",
        "reports go where they are wanted",
        8,
        record.is_some() && agreed,
    );
    let full =
        record.is_some_and(|record| !record.testing && record.pct.is_none_or(|pct| pct == 100));
    count.when("dmarc", "not under test and for all mail", 3, full);
}

fn caps(spf: &SpfStanding, dmarc: &DmarcAudit, applied: Option<Policy>) -> Vec<ScoreCap> {
    let cap = |at, why: &str| ScoreCap {
        at,
        why: why.to_owned(),
    };
    let mut caps = Vec::new();
    match applied {
        None if dmarc.applied_at.is_none() => caps.push(cap(40, "there is no DMARC record")),
        None => caps.push(cap(40, "the DMARC record asks for nothing")),
        Some(Policy::None) => caps.push(cap(65, "receivers are asked for nothing (`p=none`)")),
        Some(_) => {}
    }
    if spf.plus_all {
        caps.push(cap(30, "SPF authorises everybody"));
    }
    if spf.permerror {
        caps.push(cap(60, "SPF ends in a permanent error"));
    }
    caps
}

/// The score of a domain's transport, apart from the other so that that one stays comparable.
pub fn transport(mail: &MailHosts, transport: &TransportAudit) -> MailScore {
    match mail {
        MailHosts::Unknown { failure } => return unknown(format!("mail hosts: {failure}")),
        MailHosts::NoSuchDomain => return unknown(NO_SUCH_DOMAIN.to_owned()),
        mail if mail.takes_mail() == Some(false) => {
            return unknown("the domain takes no mail".to_owned());
        }
        _ => {}
    }
    let sts = &transport.mta_sts;
    match (&sts.record, &sts.policy, &transport.tls_rpt) {
        (RecordAt::Unknown { failure }, ..) => return unknown(format!("MTA-STS: {failure}")),
        (RecordAt::Record { .. }, MtaStsPolicyAt::Unknown { why }, _) => {
            return unknown(format!("MTA-STS: {why}"));
        }
        (RecordAt::Record { .. }, MtaStsPolicyAt::NotAsked, _) => {
            return unknown("MTA-STS: the policy was not fetched".to_owned());
        }
        (_, _, RecordAt::Unknown { failure }) => return unknown(format!("TLS-RPT: {failure}")),
        _ => {}
    }
    let published = sts.record.record();
    let record = published.is_some_and(|record| record.id.is_some());
    let policy = match &sts.policy {
        MtaStsPolicyAt::Policy { policy } => Some(policy),
        _ => None,
    };
    let mut count = Count::default();
    count.when("mta_sts", "one valid record", 15, record);
    count.when(
        "mta_sts",
        "a policy that senders can use",
        25,
        policy.is_some(),
    );
    let mode = match policy.map(|policy| policy.mode) {
        Some(MtaStsMode::Enforce) => 20,
        Some(MtaStsMode::Testing) => 10,
        _ => 0,
    };
    count.add("mta_sts", "enforced (20) or tried (10)", 20, mode);
    let kept = policy.is_some_and(|policy| policy.max_age >= 86_400);
    count.when("mta_sts", "kept for a day or longer", 10, kept);
    let covered = policy.is_some_and(|policy| {
        policy.mode != MtaStsMode::None && mail.hosts().iter().all(|host| policy.covers(host))
    });
    count.when("mta_sts", "every mail host is named", 15, covered);
    let published = transport.tls_rpt.record();
    let reported = published.is_some_and(|record| !record.rua.is_empty());
    count.when("tls_rpt", "failures are reported", 15, reported);
    counted(count, Vec::new(), false)
}
