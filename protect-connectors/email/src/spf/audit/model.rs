//! What an audit finds, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::DomainName;
use crate::resolve::LookupFailure;
use crate::spf::Qualifier;

/// Everything that a domain's SPF leads to.
///
/// A receiver stops at the first match and at the first mistake; this does neither. Numbers are what
/// the worst message would cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpfAudit {
    /// The domain.
    pub domain: DomainName,
    /// Its record and every record that it leads to, each before those it leads to. The first is the
    /// domain's own. A record that is included twice stands here twice, as receivers pay twice.
    pub nodes: Vec<SpfNode>,
    /// Terms that ask DNS, over all records; receivers allow ten (RFC 7208 section 4.6.4).
    pub lookups: SpfCount,
    /// Terms whose questions find nothing, for the family of addresses that has more of them;
    /// receivers allow two.
    pub void_lookups: SpfCount,
    /// Whether a record or a question could not be looked at, so that more may be wrong.
    pub complete: bool,
    /// The addresses that may send, as few networks as possible. Terms that refuse a part of them
    /// are not subtracted.
    pub networks: Vec<String>,
    /// How many IPv4 addresses these are.
    pub ip4_addresses: u64,
    /// What follows for a host that nothing matches, where the domain says so.
    pub all: Option<Qualifier>,
    /// Everybody may send: `+all` applies, here or where the record leads.
    pub everybody: bool,
    /// Mistakes and oddities, in order.
    pub issues: Vec<SpfIssue>,
    /// SPF text where no receiver looks.
    pub misplaced: Vec<Misplaced>,
    /// The size of the answer with all TXT records of the domain, in bytes.
    pub answer_size: u64,
}

/// A number that may be too small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpfCount {
    /// The number.
    pub count: u32,
    /// Something could not be looked at or depends on the message: it is at least this.
    pub at_least: bool,
}

/// A domain that the record leads to, and what stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpfNode {
    /// The domain.
    pub domain: DomainName,
    /// How many steps away from the first.
    pub depth: u32,
    /// What stands there.
    pub found: SpfFound,
    /// The terms of the record, in order.
    pub terms: Vec<SpfTerm>,
    /// Terms that ask DNS, here and in everything it leads to.
    pub lookups: SpfCount,
    /// Void ones, for the worse family.
    pub void_lookups: SpfCount,
    /// Whether a match here lets mail pass: every `include` on the way counts as `+`.
    pub authorises: bool,
}

/// What stands at a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum SpfFound {
    /// A record.
    Record {
        /// As published.
        text: String,
    },
    /// The name exists and has no record.
    Nothing,
    /// The name does not exist.
    NoSuchName {
        /// The organisation's domain does not exist either, so that anybody may register it.
        can_be_registered: bool,
    },
    /// Several records, and so none that counts.
    Several {
        /// As published.
        texts: Vec<String>,
    },
    /// The way here leads through itself; it is not walked again.
    Loop,
    /// Too deep or too many records; not walked.
    NotWalked,
    /// Nobody could say.
    Unknown {
        /// Why.
        failure: LookupFailure,
    },
}

/// A term and its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpfTerm {
    /// The term.
    pub text: String,
    /// Its place in the record, in bytes.
    pub place: usize,
    /// It can never be reached, and so costs nothing.
    pub dead: bool,
    /// What it says depends on the message.
    pub dynamic: bool,
    /// Terms that ask DNS: itself, and in what it leads to.
    pub lookups: SpfCount,
    /// Void for hosts with an IPv4 address, with what it leads to.
    pub void_ip4: u32,
    /// The same for IPv6.
    pub void_ip6: u32,
    /// The addresses it stands for itself.
    pub networks: Vec<String>,
    /// The record it leads to, by its position in [`SpfAudit::nodes`].
    pub leads_to: Option<usize>,
    /// Why a question of its own was not answered.
    pub failure: Option<LookupFailure>,
}

/// A mistake or an oddity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpfIssue {
    /// Which.
    pub kind: SpfIssueKind,
    /// Whose record.
    pub domain: DomainName,
    /// Whether it is the audited domain's own record.
    pub own: bool,
    /// The term, where it is about one.
    pub term: String,
    /// Its place in the record, in bytes.
    pub place: usize,
    /// One sentence for people.
    pub text: String,
}

/// Which sort of mistake or oddity.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SpfIssueKind {
    /// Receivers cannot read the record.
    Syntax,
    /// `include` or `redirect` leads to no usable record.
    IncludeBroken,
    /// `include` or `redirect` leads to a domain that anybody may register.
    IncludeDangling,
    /// `ptr` is slow and unreliable (RFC 7208 section 5.5).
    Ptr,
    /// `mx` leads to more than ten hosts.
    MxTooMany,
    /// The term is never reached.
    Dead,
    /// The term stands there before.
    Duplicate,
    /// Other terms stand for all its addresses already.
    Overlap,
    /// A single term stands for very many addresses.
    WideRange,
    /// Addresses that nobody sends from over the Internet.
    PrivateRange,
    /// What the term says depends on the message and cannot be checked beforehand.
    Dynamic,
    /// The record is longer than fits well.
    TooLong,
}

/// SPF text where no receiver looks, or written so that none reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Misplaced {
    /// Where it stands.
    pub name: DomainName,
    /// One sentence for people.
    pub text: String,
}

impl SpfAudit {
    /// The domain's own node.
    pub fn own(&self) -> Option<&SpfNode> {
        self.nodes.first()
    }

    /// The domain's own record, as published.
    pub fn record(&self) -> Option<&str> {
        match &self.own()?.found {
            SpfFound::Record { text } => Some(text),
            _ => None,
        }
    }

    /// Why nobody could say what stands at the domain.
    pub fn failure(&self) -> Option<LookupFailure> {
        match self.own()?.found {
            SpfFound::Unknown { failure } => Some(failure),
            _ => None,
        }
    }

    /// The domains that the record leads to; they name who sends.
    pub fn included(&self) -> impl Iterator<Item = &DomainName> {
        self.nodes.iter().skip(1).map(|node| &node.domain)
    }

    /// Every term of every record.
    pub fn terms(&self) -> impl Iterator<Item = &SpfTerm> {
        self.nodes.iter().flat_map(|node| &node.terms)
    }

    /// The issues of one kind.
    pub fn issues_of(&self, kind: SpfIssueKind) -> impl Iterator<Item = &SpfIssue> {
        self.issues.iter().filter(move |issue| issue.kind == kind)
    }

    /// Whether it says that nobody may send, and nothing else.
    pub fn is_locked(&self) -> bool {
        self.record().is_some()
            && !self.is_broken()
            && !self.everybody
            && self.networks.is_empty()
            && self.lookups.count == 0
            && self.all == Some(Qualifier::Fail)
    }

    /// Whether another domain decides what follows for a host that nothing matches.
    pub fn is_redirected(&self) -> bool {
        let mut terms = self.own().into_iter().flat_map(|own| &own.terms);
        terms.any(|term| !term.dead && term.text.starts_with("redirect="))
    }

    /// Whether receivers end in `permerror` for mail that no earlier term decides.
    pub fn is_broken(&self) -> bool {
        let breaks = |issue: &SpfIssue| {
            matches!(
                issue.kind,
                SpfIssueKind::Syntax | SpfIssueKind::IncludeBroken | SpfIssueKind::MxTooMany
            )
        };
        let several = self
            .own()
            .is_some_and(|own| matches!(own.found, SpfFound::Several { .. }));
        several || self.issues.iter().any(breaks)
    }
}

impl SpfTerm {
    /// Whether its own questions find nothing, whatever address the sending host has.
    pub fn finds_nothing(&self) -> bool {
        self.leads_to.is_none() && self.void_ip4 > 0 && self.void_ip6 > 0
    }
}

impl SpfCount {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            at_least: self.at_least || other.at_least,
        }
    }
}

impl std::fmt::Display for SpfCount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.at_least {
            f.write_str("at least ")?;
        }
        write!(f, "{}", self.count)
    }
}
