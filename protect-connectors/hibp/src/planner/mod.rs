//! Which questions a run asks, in pages: domains first, then the addresses that no verified domain
//! covers, pastes last.

mod capacity;
mod cover;
mod memory;
mod order;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use protect_core::Result;
use protect_core::connector::ScanState;
use protect_core::model::{TenantId, WatchCensus, WatchList};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use capacity::{Capacity, Decision, Demand};
pub(crate) use cover::Cover;
pub(crate) use memory::{AddressMemory, DomainMemory, address_key, aliases_key, domain_key};
use order::{Gate, Need, group_by_prefix, sort_due};

use crate::catalogue::Version;
use crate::config::{Pastes, Settings};
use crate::models::{SubscribedDomain, SubscriptionStatus};

/// Addresses on a page.
pub(crate) const PAGE: usize = 100;
/// Keys that are read from the state at once.
const STATE_CHUNK: usize = 1_000;

/// What one page does. Addresses are indices into the watch list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask about a domain, and let its pages follow.
    Domain(DomainStep),
    /// Ask by ranges; each group shares one question.
    Ranges(Vec<Vec<u32>>),
    /// Ask by address.
    Accounts(Vec<u32>),
    /// Judge stored answers by the catalogue's new wording; asks nothing.
    Judge(Vec<u32>),
    /// Look for pastes.
    Pastes(Vec<u32>),
}

/// A search over a verified domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DomainStep {
    pub(crate) domain: String,
    /// Whether the domain is watched as a whole, or only single addresses of it.
    pub(crate) whole: bool,
    /// Whether stealer logs are asked for as well.
    pub(crate) stealer_logs: bool,
    /// The watched addresses of it.
    pub(crate) watched: Vec<u32>,
}

/// What a run will do.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) demand: Demand,
    pub(crate) decision: Decision,
    /// Addresses the steps are about.
    pub(crate) due: u64,
    /// Addresses whose last answer still holds.
    pub(crate) unchanged: u64,
    /// Of those, how many were exposed.
    pub(crate) unchanged_exposed: u64,
    /// Domains that are watched as a whole and cannot be searched, with the reason.
    pub(crate) uncovered: BTreeMap<String, &'static str>,
}

/// What a plan is made from.
#[derive(Debug)]
pub(crate) struct Inputs<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) settings: &'a Settings,
    pub(crate) status: &'a SubscriptionStatus,
    pub(crate) subscribed: &'a [SubscribedDomain],
    pub(crate) watched: &'a Arc<WatchList>,
    /// Whom the other tenants watch that share the key.
    pub(crate) others: &'a [Arc<WatchCensus>],
    pub(crate) version: &'a Version,
    pub(crate) capacity: Capacity,
    /// Now, in seconds since 1970.
    pub(crate) now: i64,
    /// When the run began, where it was interrupted.
    pub(crate) resumed_from: Option<i64>,
    pub(crate) forced: bool,
}

impl Inputs<'_> {
    fn cover(&self) -> Cover<'_> {
        Cover {
            settings: self.settings,
            status: self.status,
            subscribed: self.subscribed,
        }
    }
}

/// Makes the plan.
///
/// # Errors
/// The state could not be read.
pub(crate) async fn plan(inputs: &Inputs<'_>, state: &dyn ScanState) -> Result<Plan> {
    let domains = Domains::sort(inputs, state).await?;
    let residual: Vec<u32> = domains.residual.clone();
    let with_pastes = paste_candidates(inputs, &residual);
    let cover = inputs.cover();
    let by_range = cover.by_range();
    let own = Demand::new(
        residual.len() as u64,
        cover.weight(),
        with_pastes.len() as u64,
    );
    let demand = cover.with_others(own, inputs.others);
    let decision = cover.decide(demand, inputs.capacity);
    let gate = Gate {
        cadence: decision.cadence,
        version: inputs.version,
        now: inputs.now,
        forced: inputs.forced,
        resumed_from: inputs.resumed_from,
        max_age: i64::try_from(inputs.settings.max_age.as_secs()).unwrap_or(i64::MAX),
    };
    let mut plan = Plan {
        steps: Vec::new(),
        demand,
        decision: decision.clone(),
        due: 0,
        unchanged: 0,
        unchanged_exposed: 0,
        uncovered: domains.uncovered.clone(),
    };
    plan.add_domains(inputs, domains, &gate, state).await?;
    let due = sort_needs(inputs, &residual, &with_pastes, &gate, state).await?;
    plan.due += (due.ask.len() + due.judge.len()) as u64;
    plan.unchanged += due.unchanged;
    plan.unchanged_exposed += due.unchanged_exposed;
    plan.steps.extend(pages(&due.judge).map(Step::Judge));
    if by_range {
        let groups = group_by_prefix(&due.ask, &inputs.watched.addresses);
        plan.steps
            .extend(pages_of_groups(groups).into_iter().map(Step::Ranges));
    } else {
        plan.steps.extend(pages(&due.ask).map(Step::Accounts));
    }
    plan.steps.extend(pages(&due.pastes).map(Step::Pastes));
    Ok(plan)
}

impl Plan {
    async fn add_domains(
        &mut self,
        inputs: &Inputs<'_>,
        domains: Domains,
        gate: &Gate<'_>,
        state: &dyn ScanState,
    ) -> Result<()> {
        for (domain, watched) in domains.covered {
            let memory = domains.memories.get(&domain).cloned().unwrap_or_default();
            let stealer_logs = inputs.status.includes_stealer_logs
                && (memory.stealers != inputs.version.stealers || inputs.forced);
            if gate.domain_is_due(memory.at, &memory.answers, &memory.wording) {
                self.due += watched.len() as u64;
                self.steps.push(Step::Domain(DomainStep {
                    whole: inputs.watched.domains.contains(&domain),
                    domain,
                    stealer_logs,
                    watched,
                }));
            } else {
                let remembered = read_addresses(inputs, &watched, state).await?;
                self.unchanged += watched.len() as u64;
                self.unchanged_exposed += exposed(remembered.values());
            }
        }
        Ok(())
    }
}

/// Which watched addresses a verified domain covers.
struct Domains {
    covered: BTreeMap<String, Vec<u32>>,
    memories: HashMap<String, DomainMemory>,
    residual: Vec<u32>,
    uncovered: BTreeMap<String, &'static str>,
}

impl Domains {
    async fn sort(inputs: &Inputs<'_>, state: &dyn ScanState) -> Result<Self> {
        let mut by_domain: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (index, watched) in (0_u32..).zip(&inputs.watched.addresses) {
            let domain = watched.address.domain().to_owned();
            by_domain.entry(domain).or_default().push(index);
        }
        for domain in &inputs.watched.domains {
            by_domain.entry(domain.clone()).or_default();
        }
        let keys: Vec<String> = by_domain.keys().map(|domain| domain_key(domain)).collect();
        let stored: BTreeMap<String, DomainMemory> = read_state(&keys, state).await?;
        let mut sorted = Self {
            covered: BTreeMap::new(),
            memories: HashMap::new(),
            residual: Vec::new(),
            uncovered: BTreeMap::new(),
        };
        for (domain, watched) in by_domain {
            let memory = stored.get(&domain_key(&domain)).cloned();
            match coverage(inputs, &domain, memory.as_ref()) {
                Ok(()) => {
                    sorted
                        .memories
                        .insert(domain.clone(), memory.unwrap_or_default());
                    sorted.covered.insert(domain, watched);
                }
                Err(reason) => {
                    if inputs.watched.domains.contains(&domain) {
                        sorted.uncovered.insert(domain, reason);
                    }
                    sorted.residual.extend(watched);
                }
            }
        }
        Ok(sorted)
    }
}

/// Whether a domain can be searched now, or why not.
fn coverage(
    inputs: &Inputs<'_>,
    domain: &str,
    memory: Option<&DomainMemory>,
) -> Result<(), &'static str> {
    inputs.cover().searchable(domain)?;
    let refused = memory.and_then(|memory| memory.refused_at).unwrap_or(0);
    let max_age = i64::try_from(inputs.settings.max_age.as_secs()).unwrap_or(i64::MAX);
    if refused > 0 && !inputs.forced && inputs.now - refused < max_age {
        return Err("refused by Have I Been Pwned");
    }
    Ok(())
}

fn paste_candidates(inputs: &Inputs<'_>, residual: &[u32]) -> Vec<u32> {
    match inputs.settings.pastes {
        Pastes::Off => Vec::new(),
        Pastes::Residual => residual.to_vec(),
        Pastes::All => (0_u32..)
            .zip(&inputs.watched.addresses)
            .map(|(index, _)| index)
            .collect(),
    }
}

#[derive(Default)]
struct Due {
    ask: Vec<u32>,
    judge: Vec<u32>,
    pastes: Vec<u32>,
    unchanged: u64,
    unchanged_exposed: u64,
}

async fn sort_needs(
    inputs: &Inputs<'_>,
    residual: &[u32],
    with_pastes: &[u32],
    gate: &Gate<'_>,
    state: &dyn ScanState,
) -> Result<Due> {
    let mut due = Due::default();
    let mut last: HashMap<u32, i64> = HashMap::new();
    let residual: BTreeSet<u32> = residual.iter().copied().collect();
    let every: BTreeSet<u32> = residual.iter().chain(with_pastes).copied().collect();
    let pasted: BTreeSet<u32> = with_pastes.iter().copied().collect();
    let every: Vec<u32> = every.into_iter().collect();
    for chunk in every.chunks(STATE_CHUNK) {
        let memories = read_addresses(inputs, chunk, state).await?;
        for &index in chunk {
            let memory = memories.get(&index);
            if let Some(memory) = memory {
                last.insert(index, memory.at);
            }
            if pasted.contains(&index) && gate.wants_pastes(memory) {
                due.pastes.push(index);
            }
            if !residual.contains(&index) {
                continue;
            }
            match gate.need(memory) {
                Need::Ask => due.ask.push(index),
                Need::Judge => due.judge.push(index),
                Need::Nothing => {
                    due.unchanged += 1;
                    due.unchanged_exposed += exposed(memory.into_iter());
                }
            }
        }
    }
    let addresses = &inputs.watched.addresses;
    sort_due(&mut due.ask, addresses, &last);
    sort_due(&mut due.pastes, addresses, &last);
    Ok(due)
}

fn exposed<'a>(memories: impl Iterator<Item = &'a AddressMemory>) -> u64 {
    memories.filter(|memory| !memory.names.is_empty()).count() as u64
}

fn pages(due: &[u32]) -> impl Iterator<Item = Vec<u32>> + '_ {
    due.chunks(PAGE).map(<[u32]>::to_vec)
}

fn pages_of_groups(groups: Vec<Vec<u32>>) -> Vec<Vec<Vec<u32>>> {
    let mut pages: Vec<Vec<Vec<u32>>> = Vec::new();
    let mut on_page = PAGE;
    for group in groups {
        if on_page >= PAGE {
            pages.push(Vec::new());
            on_page = 0;
        }
        on_page += group.len();
        if let Some(page) = pages.last_mut() {
            page.push(group);
        }
    }
    pages
}

/// What is remembered of these addresses.
///
/// # Errors
/// The state could not be read.
pub(crate) async fn read_addresses(
    inputs: &Inputs<'_>,
    indices: &[u32],
    state: &dyn ScanState,
) -> Result<HashMap<u32, AddressMemory>> {
    remembered(inputs.tenant, inputs.watched, indices, state).await
}

/// As [`read_addresses`], for a page.
///
/// # Errors
/// The state could not be read.
pub(crate) async fn remembered(
    tenant: &TenantId,
    watched: &WatchList,
    indices: &[u32],
    state: &dyn ScanState,
) -> Result<HashMap<u32, AddressMemory>> {
    let mut found = HashMap::new();
    for chunk in indices.chunks(STATE_CHUNK) {
        let keys: Vec<(u32, String)> = chunk
            .iter()
            .filter_map(|&index| {
                let watched = watched.addresses.get(index as usize)?;
                Some((index, address_key(tenant, &watched.address)))
            })
            .collect();
        let wanted: Vec<String> = keys.iter().map(|(_, key)| key.clone()).collect();
        let mut stored = read_state(&wanted, state).await?;
        found.extend(
            keys.into_iter()
                .filter_map(|(index, key)| Some((index, stored.remove(&key)?))),
        );
    }
    Ok(found)
}

/// Values of the state; what cannot be read any more counts as never stored, so that its subject
/// is asked about again.
///
/// # Errors
/// The state could not be read.
pub(crate) async fn read_state<T: DeserializeOwned>(
    keys: &[String],
    state: &dyn ScanState,
) -> Result<BTreeMap<String, T>> {
    let mut found = BTreeMap::new();
    for chunk in keys.chunks(STATE_CHUNK) {
        let values: BTreeMap<String, Value> = state.get(chunk).await?;
        found.extend(
            values
                .into_iter()
                .filter_map(|(key, value)| Some((key, serde_json::from_value(value).ok()?))),
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
