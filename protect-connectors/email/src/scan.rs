//! A run: every watched domain, a page each.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::Timestamp;
use protect_core::connector::{
    Cursor, Evaluated, OpContext, Progress, ScanPage, ScanRequest, ScanState,
};
use protect_core::model::{CheckId, RejectedItem, Subject};
use protect_core::{Context, Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::audit::{AuditOptions, Audited, DomainAudit, audit_in};
use crate::checks::{Known, KnownKey};
use crate::config::Settings;
use crate::dmarc::Policy;
use crate::name::DomainName;
use crate::resolve::Run;

/// Keys of other domains that are compared with a domain's own.
const KEYS_COMPARED: usize = 1_000;

/// Scans one tenant's domains.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) settings: Settings,
    pub(crate) context: Context,
    /// The answers of the run under way, by the run's beginning.
    answers: Mutex<Option<(i64, Run)>>,
}

/// What the cursor holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// When the run began, in seconds since 1970.
    began: i64,
    /// Which domain comes next.
    domain: usize,
}

/// What is remembered of a domain between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Memory {
    /// Since when the policy has been `none`.
    monitoring_since: Option<Timestamp>,
    keys: Vec<KnownKey>,
}

impl Scan {
    pub(crate) fn new(settings: Settings, context: Context) -> Self {
        Self {
            settings,
            context,
            answers: Mutex::new(None),
        }
    }

    /// One page: one domain.
    ///
    /// # Errors
    /// The state could not be read; nothing of the page is lost, since nothing of it was stored.
    pub(crate) async fn page(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let place = self.place(&request);
        let domains = &request.watched.domains;
        let mut page = match domains.get(place.domain) {
            None => ScanPage::default(),
            Some(written) => match DomainName::parse(written) {
                Ok(domain) => self.domain(cx, &request, place.began, &domain).await?,
                Err(wrong) => rejected(place.domain, &wrong.to_string()),
            },
        };
        let next = place.domain + 1;
        page.progress = Some(Progress {
            done: next.min(domains.len()) as u64,
            total: Some(domains.len() as u64),
        });
        page.more = next < domains.len();
        page.cursor = Some(cursor(&Place {
            domain: next,
            ..place
        })?);
        if !page.more {
            page.cursor = None;
        }
        Ok(page)
    }

    fn place(&self, request: &ScanRequest<'_>) -> Place {
        let stored = request.cursor.filter(|_| !request.starts_run);
        let stored = stored.and_then(|cursor| serde_json::from_str(&cursor.0).ok());
        stored.unwrap_or_else(|| Place {
            began: self.context.clock.now().as_second(),
            domain: 0,
        })
    }

    /// The answers of this run: what its domains share is asked once.
    fn run(&self, began: i64) -> Run {
        let new = || Run::new(self.context.dns.clone());
        let Ok(mut answers) = self.answers.lock() else {
            return new();
        };
        match &*answers {
            Some((of, run)) if *of == began => run.clone(),
            _ => {
                let run = new();
                *answers = Some((began, run.clone()));
                run
            }
        }
    }

    async fn domain(
        &self,
        cx: &OpContext,
        request: &ScanRequest<'_>,
        began: i64,
        domain: &DomainName,
    ) -> Result<ScanPage> {
        let memories = self.memories(request, domain).await?;
        let memory = memories.get(domain).cloned().unwrap_or_default();
        let others = memories.into_iter().filter(|(other, _)| other != domain);
        let others = others
            .flat_map(|(_, memory)| memory.keys)
            .take(KEYS_COMPARED);
        let options = AuditOptions {
            selectors: self.settings.selectors.clone(),
            known: Known {
                our_rua: self.settings.rua.clone(),
                monitoring_since: memory.monitoring_since,
                keys: memory.keys.iter().cloned().chain(others).collect(),
                reports: None,
            },
            ..AuditOptions::default()
        };
        let audited = audit_in(&self.run(began), domain, &options, &self.context, cx).await?;
        let mut page = page_of(&audited)?;
        let memory = memory.after(&audited.audit);
        let memory = serde_json::to_value(memory)
            .map_err(|error| Error::unexpected("a memory has no JSON form").with_source(error))?;
        page.state.insert(memory_key(domain.as_str()), Some(memory));
        Ok(page)
    }

    /// What is remembered of the domain and of the others that are watched.
    async fn memories(
        &self,
        request: &ScanRequest<'_>,
        domain: &DomainName,
    ) -> Result<BTreeMap<DomainName, Memory>> {
        let watched = request.watched.domains.iter().take(KEYS_COMPARED);
        let watched = watched.filter_map(|name| DomainName::parse(name).ok());
        let mut names: Vec<_> = watched.collect();
        if !names.contains(domain) {
            names.push(domain.clone());
        }
        let keys: Vec<_> = names.iter().map(|name| memory_key(name.as_str())).collect();
        let stored: BTreeMap<String, Memory> = read_state(request.state, &keys).await?;
        let with_memory = |name: DomainName| {
            let memory = stored.get(&memory_key(name.as_str()))?.clone();
            Some((name, memory))
        };
        Ok(names.into_iter().filter_map(with_memory).collect())
    }
}

impl Memory {
    /// What is remembered after an audit. What nobody could say stays as it was.
    fn after(mut self, audit: &DomainAudit) -> Self {
        let policy = audit.dmarc.policies.as_ref();
        match policy.and_then(|policies| policies.domain.applied) {
            Some(Policy::None) => {
                self.monitoring_since.get_or_insert(audit.at);
            }
            Some(_) => self.monitoring_since = None,
            None => {}
        }
        for (at, key) in audit.dkim.live() {
            let Some(fingerprint) = &key.fingerprint else {
                continue;
            };
            let selector = &at.candidate.selector;
            let same = |known: &&mut KnownKey| known.selector == *selector;
            match self.keys.iter_mut().find(same) {
                Some(known) if known.fingerprint == *fingerprint => {}
                known => {
                    let seen = KnownKey {
                        domain: audit.domain.clone(),
                        selector: selector.clone(),
                        fingerprint: fingerprint.clone(),
                        since: audit.at,
                    };
                    match known {
                        Some(known) => *known = seen,
                        None => self.keys.push(seen),
                    }
                }
            }
        }
        self
    }
}

fn memory_key(domain: &str) -> String {
    format!("domain:{domain}")
}

fn page_of(audited: &Audited) -> Result<ScanPage> {
    let subject = Subject::domain(audited.audit.domain.as_str());
    let decided = audited
        .decided
        .iter()
        .filter(|decided| decided.is_evaluated());
    let evaluated = decided.map(|decided| {
        Ok(Evaluated {
            check: CheckId::new(decided.check.id)?,
            subject: Some(subject.clone()),
        })
    });
    Ok(ScanPage {
        observations: audited.observations()?,
        verdicts: audited.audit.results.clone(),
        evaluated: evaluated.collect::<Result<_>>()?,
        ..ScanPage::default()
    })
}

fn rejected(index: usize, reason: &str) -> ScanPage {
    ScanPage {
        rejected: vec![RejectedItem {
            place: format!("domains[{index}]"),
            reason: reason.to_owned(),
        }],
        ..ScanPage::default()
    }
}

fn cursor(place: &Place) -> Result<Cursor> {
    serde_json::to_string(place)
        .map(Cursor)
        .map_err(|error| Error::unexpected("a cursor has no JSON form").with_source(error))
}

/// Stored values; what cannot be read is as if it were not there.
async fn read_state<T: DeserializeOwned>(
    state: &dyn ScanState,
    keys: &[String],
) -> Result<BTreeMap<String, T>> {
    let stored: BTreeMap<String, Value> = state.get(keys).await?;
    let read = stored
        .into_iter()
        .filter_map(|(key, value)| Some((key, serde_json::from_value(value).ok()?)));
    Ok(read.collect())
}
