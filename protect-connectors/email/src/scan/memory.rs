//! What is remembered of a domain between runs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use protect_core::connector::{ScanPage, ScanRequest};
use protect_core::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::read_state;
use crate::audit::DomainAudit;
use crate::checks::KnownKey;
use crate::dkim::{KeyMaterial, SelectorFound};
use crate::dmarc::Policy;
use crate::name::DomainName;
use crate::score::MailScore;
use crate::spf::SpfFound;

/// Keys of other domains that a domain's keys are compared with.
const COMPARED: usize = 1_000;

/// What is remembered of one domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// Since when the policy has been `none`.
    pub(super) monitoring_since: Option<Timestamp>,
    /// Its own DMARC record.
    record: Option<String>,
    /// Since when that has stood there.
    pub(super) record_since: Option<Timestamp>,
    keys: Vec<KnownKey>,
}

impl Memory {
    /// What is remembered after an audit. What nobody could say stays as it was.
    pub(super) fn after(mut self, audit: &DomainAudit) -> Self {
        let policy = audit.dmarc.policies.as_ref();
        match policy.and_then(|policies| policies.domain.applied) {
            Some(Policy::None) => {
                self.monitoring_since.get_or_insert(audit.at);
            }
            Some(_) => self.monitoring_since = None,
            None => {}
        }
        if let Some(record) = audit.dmarc.record()
            && self.record.as_ref() != Some(&record.text)
        {
            self.record = Some(record.text.clone());
            self.record_since = Some(audit.at);
        }
        for (at, key) in audit.dkim.live() {
            if let Some(fingerprint) = &key.fingerprint {
                self.learn(audit, &at.candidate.selector, fingerprint);
            }
        }
        self
    }

    fn learn(&mut self, audit: &DomainAudit, selector: &str, fingerprint: &str) {
        let known = self
            .keys
            .iter()
            .position(|known| known.selector == selector);
        let known = known.and_then(|index| self.keys.get_mut(index));
        if known
            .as_ref()
            .is_some_and(|known| known.fingerprint == fingerprint)
        {
            return;
        }
        let seen = KnownKey {
            domain: audit.domain.clone(),
            selector: selector.to_owned(),
            fingerprint: fingerprint.to_owned(),
            since: audit.at,
        };
        match known {
            Some(known) => *known = seen,
            None => self.keys.push(seen),
        }
    }
}

/// What is remembered of every watched domain, by its name.
pub(super) type Memories = BTreeMap<DomainName, Memory>;

/// Reads what is remembered.
pub(super) async fn read(request: &ScanRequest<'_>) -> Result<Memories> {
    let watched = request.watched.domains.iter();
    let names: Vec<_> = watched
        .filter_map(|name| DomainName::parse(name).ok())
        .collect();
    let keys: Vec<_> = names.iter().map(key).collect();
    let mut stored: BTreeMap<String, Memory> = read_state(request.state, &keys).await?;
    let with_memory = |name: DomainName| {
        let memory = stored.remove(&key(&name))?;
        Some((name, memory))
    };
    Ok(names.into_iter().filter_map(with_memory).collect())
}

/// The keys that a domain's are compared with, its own first.
pub(super) fn keys(memories: &Memories, domain: &DomainName) -> Vec<KnownKey> {
    let own = memories.get(domain).into_iter();
    let others = memories.iter().filter(|(name, _)| *name != domain);
    let others = others.flat_map(|(_, memory)| &memory.keys).take(COMPARED);
    own.flat_map(|memory| &memory.keys)
        .chain(others)
        .cloned()
        .collect()
}

/// Stores what is remembered with the page.
pub(super) fn remember(page: &mut ScanPage, memory: Memory, domain: &DomainName) -> Result<()> {
    let memory = serde_json::to_value(memory)
        .map_err(|error| Error::unexpected("a memory has no JSON form").with_source(error))?;
    page.state.insert(key(domain), Some(memory));
    Ok(())
}

/// Stores a domain's score and how its parts stand, for the tenant's protection score and for what
/// clients see.
pub(super) fn remember_score(page: &mut ScanPage, audit: &DomainAudit, domain: &DomainName) {
    let score = &audit.score;
    let spf = standing(score, "spf", has_spf(audit));
    let dkim = standing(score, "dkim", has_dkim(audit)).filter(|_| !score.dkim_unknown);
    let kept = json!({
        "total": score.total, "reason": score.reason,
        "spf": spf, "dkim": dkim, "dmarc_policy": dmarc_policy(audit),
    });
    page.state.insert(format!("score:{domain}"), Some(kept));
}

/// Stores what to publish, for the report.
pub(super) fn remember_changes(page: &mut ScanPage, audit: &DomainAudit, domain: &DomainName) {
    let changes = audit.proposals.iter().map(|proposal| {
        json!({
            "name": proposal.name, "type": proposal.kind, "value": proposal.value,
            "reason": proposal.reason,
        })
    });
    let changes = changes.collect();
    page.state.insert(format!("dns:{domain}"), Some(changes));
}

/// Whether something is published, be it worth nothing: `+all`, or several records.
fn has_spf(audit: &DomainAudit) -> bool {
    let found = audit.spf.own().map(|own| &own.found);
    matches!(
        found,
        Some(SpfFound::Record { .. } | SpfFound::Several { .. })
    )
}

/// The same of keys. One that was withdrawn is gone.
fn has_dkim(audit: &DomainAudit) -> bool {
    audit.dkim.selectors.iter().any(|at| match at.key() {
        Some(key) => key.material != KeyMaterial::Revoked,
        None => matches!(at.found, SelectorFound::Several { .. }),
    })
}

/// `right`, `weak` or `missing`; `None` where nobody could say.
fn standing(score: &MailScore, area: &str, is_there: bool) -> Option<&'static str> {
    let parts: Vec<_> = score
        .parts
        .iter()
        .filter(|part| part.area == area)
        .collect();
    let points: u32 = parts.iter().map(|part| u32::from(part.points)).sum();
    let of: u32 = parts.iter().map(|part| u32::from(part.of)).sum();
    match points {
        _ if of == 0 => None,
        0 if !is_there => Some("missing"),
        points if points == of => Some("right"),
        _ => Some("weak"),
    }
}

fn dmarc_policy(audit: &DomainAudit) -> Option<&'static str> {
    match &audit.dmarc.policies {
        Some(policies) => Some(policies.domain.applied.map_or("missing", Policy::as_str)),
        None if audit.dmarc.failure.is_some() => None,
        None => Some("missing"),
    }
}

fn key(domain: &DomainName) -> String {
    format!("domain:{domain}")
}
