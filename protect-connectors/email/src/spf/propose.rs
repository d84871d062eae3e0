//! The smallest correct record for a domain, and how to get under ten lookups.

use std::collections::{BTreeSet, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::audit::{SpfAudit, SpfCount, SpfFound, SpfIssueKind, SpfNode, SpfTerm};
use super::lookup::LOOKUP_LIMIT;
use super::network::{Network, merged};
use super::record::{Mechanism, Modifier, Qualifier, Record, TermKind};

/// Longer lists of networks are not written into a record.
const MOST_NETWORKS: usize = 12;

/// A record to publish instead of what stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpfProposal {
    /// The record.
    pub record: String,
    /// What it replaces.
    pub replaces: Vec<String>,
    /// What is different, and why, change by change.
    pub steps: Vec<String>,
    /// What a person has to add first, where that is so.
    pub needs: Option<String>,
    /// What the record costs.
    pub lookups: SpfCount,
    /// Terms of others that could be written out as addresses, the most saving first. Not done here:
    /// their addresses change without notice.
    pub flatten: Vec<SpfSaving>,
    /// Terms of which any one, if no longer needed, brings the record to ten lookups or the nearest
    /// to it.
    pub remove: Vec<SpfSaving>,
}

/// A term that can be saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpfSaving {
    /// The term.
    pub term: String,
    /// How many lookups less.
    pub saves: u32,
    /// The addresses it stands for, as few networks as possible.
    pub networks: Vec<String>,
}

/// What to publish; `None` where what stands there is as good, or where nobody could say what does.
/// `parked` says that the domain sends no mail, where that is known.
pub fn propose(audit: &SpfAudit, parked: Option<bool>) -> Option<SpfProposal> {
    let texts = match &audit.own()?.found {
        SpfFound::Record { text } => vec![text.clone()],
        SpfFound::Several { texts } => texts.clone(),
        SpfFound::Nothing | SpfFound::NoSuchName { .. } => Vec::new(),
        SpfFound::Loop | SpfFound::NotWalked | SpfFound::Unknown { .. } => return None,
    };
    let made = match parked {
        Some(true) => locked(texts.clone()),
        Some(false) if texts.is_empty() => first(),
        None if texts.is_empty() => return None,
        _ => Draft::new(audit, &texts).finished(texts.clone()),
    };
    let stands = |text: &String| {
        let record = Record::parse(text);
        record.is_some_and(|record| record.errors.is_empty() && record.to_string() == made.record)
    };
    let same = texts.len() == 1 && texts.iter().all(stands);
    let nothing_to_say = made.flatten.is_empty() && made.remove.is_empty();
    (!same || !nothing_to_say).then_some(made)
}

fn locked(replaces: Vec<String>) -> SpfProposal {
    SpfProposal {
        record: "v=spf1 -all".to_owned(),
        replaces,
        steps: vec!["the domain sends no mail, so nobody may send in its name".to_owned()],
        needs: None,
        lookups: SpfCount::default(),
        flatten: Vec::new(),
        remove: Vec::new(),
    }
}

fn first() -> SpfProposal {
    SpfProposal {
        record: "v=spf1 mx ~all".to_owned(),
        steps: vec!["the domain's own mail hosts may send; whoever else does is suspicious".to_owned()],
        needs: Some(
            "an `include` for every service that sends in the domain's name; aggregate reports name them"
                .to_owned(),
        ),
        lookups: SpfCount {
            count: 1,
            at_least: false,
        },
        ..locked(Vec::new())
    }
}

/// A term that stays.
struct Kept<'a> {
    kind: TermKind,
    /// What was found for it; nothing where the domain has several records.
    priced: Option<&'a SpfTerm>,
    cost: SpfCount,
}

/// A record in the making.
struct Draft<'a> {
    audit: &'a SpfAudit,
    kept: Vec<Kept<'a>>,
    all: Option<Qualifier>,
    steps: Vec<String>,
    needs: Option<String>,
}

impl<'a> Draft<'a> {
    fn new(audit: &'a SpfAudit, texts: &[String]) -> Self {
        let mut draft = Self {
            audit,
            kept: Vec::new(),
            all: None,
            steps: Vec::new(),
            needs: None,
        };
        if texts.len() > 1 {
            draft.step("one record instead of several, of which receivers use none");
        }
        let mut seen = HashSet::new();
        for record in texts.iter().filter_map(|text| Record::parse(text)) {
            draft.unreadable(&record);
            draft.all = draft.all.or(record.all());
            let has_all = record.all().is_some();
            for term in record.terms {
                draft.term(term.place, term.kind, has_all, &mut seen);
            }
        }
        draft
    }

    fn step(&mut self, text: impl Into<String>) {
        self.steps.push(text.into());
    }

    fn unreadable(&mut self, record: &Record) {
        let words: Vec<_> = record
            .errors
            .iter()
            .map(|error| format!("`{}`", error.term.escape_default()))
            .collect();
        if !words.is_empty() {
            let words = words.join(", ");
            self.step(format!("without {words}, which nobody can read"));
            self.needs = Some(format!("what {words} was meant to say"));
        }
    }

    fn term(&mut self, place: usize, kind: TermKind, has_all: bool, seen: &mut HashSet<TermKind>) {
        let audit = self.audit;
        let mut priced = audit.own().into_iter().flat_map(|own| &own.terms);
        let priced = priced.find(|term| term.place == place);
        let written = kind.to_string();
        if matches!(kind, TermKind::Directive(_, Mechanism::All)) {
            return;
        }
        let beside_all = has_all && matches!(kind, TermKind::Modifier(Modifier::Redirect(_)));
        if beside_all || priced.is_some_and(|term| term.dead) {
            return self.step(format!("without `{written}`, which is never reached"));
        }
        if !seen.insert(kind.clone()) {
            return self.step(format!("without the second `{written}`"));
        }
        if let Some(why) = self.useless(&kind, priced) {
            return self.step(format!("without `{written}`, {why}"));
        }
        let own =
            u32::from(matches!(&kind, TermKind::Directive(_, mechanism) if mechanism.asks_dns()));
        let cost = priced.map_or(
            SpfCount {
                count: own,
                at_least: own > 0,
            },
            |term| term.lookups,
        );
        self.kept.push(Kept { kind, priced, cost });
    }

    /// Why a term can go.
    fn useless(&self, kind: &TermKind, priced: Option<&SpfTerm>) -> Option<&'static str> {
        let target = priced
            .and_then(|term| term.leads_to)
            .and_then(|index| self.audit.nodes.get(index));
        match kind {
            TermKind::Modifier(Modifier::Unknown { .. }) => Some("which has no effect"),
            TermKind::Directive(_, Mechanism::Ptr(_)) => {
                Some("which is slow and unreliable; name the hosts it was for by address")
            }
            TermKind::Directive(_, Mechanism::A(..) | Mechanism::Mx(..))
                if priced.is_some_and(|term| term.finds_nothing() && term.failure.is_none()) =>
            {
                Some("which finds no address")
            }
            _ => match &target?.found {
                SpfFound::Nothing | SpfFound::NoSuchName { .. } => {
                    Some("which leads to no record and so breaks the whole")
                }
                SpfFound::Several { .. } => {
                    Some("which leads to several records and so breaks the whole")
                }
                SpfFound::Loop => Some("which leads back to the domain itself"),
                SpfFound::Record { .. } if self.is_broken(target?) => Some(
                    "which leads to a record that receivers cannot evaluate and so breaks the whole",
                ),
                _ => None,
            },
        }
    }

    /// Whether a receiver that comes to this record ends in `permerror`, there or further on. Nodes
    /// lead to later ones only, so this ends.
    fn is_broken(&self, node: &SpfNode) -> bool {
        let mistaken = || {
            let mut mistakes = self.audit.issues_of(SpfIssueKind::Syntax);
            mistakes.any(|issue| issue.domain == node.domain)
        };
        match &node.found {
            SpfFound::Record { .. } => {
                let live = node.terms.iter().filter(|term| !term.dead);
                let mut led_to = live.filter_map(|term| self.audit.nodes.get(term.leads_to?));
                mistaken() || led_to.any(|node| self.is_broken(node))
            }
            SpfFound::Nothing
            | SpfFound::NoSuchName { .. }
            | SpfFound::Several { .. }
            | SpfFound::Loop => true,
            SpfFound::NotWalked | SpfFound::Unknown { .. } => false,
        }
    }

    fn finished(mut self, replaces: Vec<String>) -> SpfProposal {
        self.merge_networks();
        self.write_out_own_hosts();
        let end = self.end();
        let words = self.kept.iter().map(|kept| kept.kind.to_string());
        let words: Vec<_> = std::iter::once("v=spf1".to_owned())
            .chain(words)
            .chain(end)
            .collect();
        let lookups = self.lookups();
        let (flatten, remove) = if lookups.count > LOOKUP_LIMIT {
            self.savings(lookups.count)
        } else {
            (Vec::new(), Vec::new())
        };
        SpfProposal {
            record: words.join(" "),
            replaces,
            steps: self.steps,
            needs: self.needs,
            lookups,
            flatten,
            remove,
        }
    }

    fn lookups(&self) -> SpfCount {
        let costs = self.kept.iter().map(|kept| kept.cost);
        costs.fold(SpfCount::default(), SpfCount::and)
    }

    /// What follows for everybody else. Nothing where a `redirect` decides.
    fn end(&mut self) -> Option<String> {
        let redirects =
            |kept: &Kept<'_>| matches!(kept.kind, TermKind::Modifier(Modifier::Redirect(_)));
        if self.all.is_none() && self.kept.iter().any(redirects) {
            return None;
        }
        match self.all {
            Some(Qualifier::Fail) => Some("-all".to_owned()),
            Some(Qualifier::SoftFail) => Some("~all".to_owned()),
            Some(Qualifier::Pass) => {
                self.step("`~all` instead of `+all`, by which everybody may send");
                Some("~all".to_owned())
            }
            Some(Qualifier::Neutral) | None => {
                self.step("`~all`, since without it nothing follows for everybody else");
                Some("~all".to_owned())
            }
        }
    }

    /// Networks first, as few as possible: they cost nothing. Only where every term lets pass, since
    /// otherwise the order decides.
    fn merge_networks(&mut self) {
        let passes = |kept: &Kept<'_>| {
            matches!(
                kept.kind,
                TermKind::Directive(Qualifier::Pass, _) | TermKind::Modifier(_)
            )
        };
        if !self.kept.iter().all(passes) {
            return;
        }
        let (networks, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.kept)
            .into_iter()
            .partition(|kept| network(&kept.kind).is_some());
        let before = networks.len();
        let networks = merged(networks.iter().filter_map(|kept| network(&kept.kind)));
        if networks.len() < before {
            let after = networks.len();
            self.step(format!(
                "{after} networks instead of {before} that overlap or adjoin"
            ));
        }
        self.kept = networks.into_iter().map(Kept::of).chain(others).collect();
    }

    /// Where the record costs too much, the domain's own hosts are written out: their owner knows
    /// when they change.
    fn write_out_own_hosts(&mut self) {
        while self.lookups().count > LOOKUP_LIMIT {
            let own = |kept: &Kept<'_>| {
                matches!(
                    kept.kind,
                    TermKind::Directive(
                        Qualifier::Pass,
                        Mechanism::A(None, _) | Mechanism::Mx(None, _)
                    )
                ) && kept.is_known()
                    && !kept.networks().is_empty()
                    && kept.networks().len() <= MOST_NETWORKS
            };
            let Some(index) = self.kept.iter().position(own) else {
                return;
            };
            let gone = self.kept.remove(index);
            self.step(format!(
                "addresses instead of `{}`, to save a lookup",
                gone.kind
            ));
            let written = gone.networks().into_iter().map(Kept::of);
            self.kept.splice(index..index, written);
        }
    }

    fn savings(&self, lookups: u32) -> (Vec<SpfSaving>, Vec<SpfSaving>) {
        let mut savings: Vec<_> = self
            .kept
            .iter()
            .filter(|kept| kept.cost.count > 0)
            .map(|kept| {
                let networks = self.subtree(kept);
                let saving = SpfSaving {
                    term: kept.kind.to_string(),
                    saves: kept.cost.count,
                    networks: networks.iter().map(ToString::to_string).collect(),
                };
                (saving, kept.is_known())
            })
            .collect();
        savings.sort_by(|(a, _), (b, _)| b.saves.cmp(&a.saves).then(a.term.cmp(&b.term)));
        let flat = |(saving, known): &&(SpfSaving, bool)| {
            *known && (1..=MOST_NETWORKS).contains(&saving.networks.len())
        };
        let flatten = savings
            .iter()
            .filter(flat)
            .map(|(saving, _)| saving.clone());
        let flatten = flatten.collect();
        let excess = lookups.saturating_sub(LOOKUP_LIMIT);
        let enough = savings.iter().filter(|(saving, _)| saving.saves >= excess);
        let mut remove: Vec<_> = enough.map(|(saving, _)| saving.clone()).collect();
        if remove.is_empty() {
            remove.extend(savings.iter().take(1).map(|(saving, _)| saving.clone()));
        }
        (flatten, remove)
    }

    /// The addresses that a term stands for, with what it leads to.
    fn subtree(&self, kept: &Kept<'_>) -> Vec<Network> {
        let mut networks = Vec::new();
        let mut left: Vec<&SpfTerm> = kept.priced.into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(term) = left.pop() {
            networks.extend(term.networks.iter().filter_map(|text| Network::parse(text)));
            let node = term.leads_to.filter(|index| seen.insert(*index));
            let node = node.and_then(|index| self.audit.nodes.get(index));
            let passes = |term: &&SpfTerm| !term.text.starts_with(['-', '~', '?']);
            left.extend(node.into_iter().flat_map(|node| &node.terms).filter(passes));
        }
        merged(networks)
    }
}

impl Kept<'_> {
    fn of(network: Network) -> Self {
        let mechanism = match network {
            Network::V4(network) => Mechanism::Ip4(network),
            Network::V6(network) => Mechanism::Ip6(network),
        };
        Self {
            kind: TermKind::Directive(Qualifier::Pass, mechanism),
            priced: None,
            cost: SpfCount::default(),
        }
    }

    /// Whether what it stands for is known, and the same for every message.
    fn is_known(&self) -> bool {
        self.priced
            .is_some_and(|term| !term.dynamic && !term.lookups.at_least)
    }

    fn networks(&self) -> Vec<Network> {
        let texts = self.priced.into_iter().flat_map(|term| &term.networks);
        merged(texts.filter_map(|text| Network::parse(text)))
    }
}

fn network(kind: &TermKind) -> Option<Network> {
    match kind {
        TermKind::Directive(_, Mechanism::Ip4(network)) => Some(Network::V4(*network)),
        TermKind::Directive(_, Mechanism::Ip6(network)) => Some(Network::V6(*network)),
        _ => None,
    }
}
