//! The answer about one domain, kept compactly while its pages are made.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use protect_core::Result;
use protect_core::connector::{ScanPage, ScanState};
use protect_core::model::{Address, RejectedItem};

use super::page::{Work, evaluated};
use super::{Run, remember};
use crate::client::Hibp;
use crate::models::BreachName;
use crate::observe::{self, Via};
use crate::planner::{DomainMemory, DomainStep, aliases_key, domain_key, read_state, remembered};

/// Aliases on a page.
const PAGE: usize = 500;

/// Who is exposed at a domain, by local part. Names are kept once: a large domain has a million
/// aliases and a few hundred names.
#[derive(Debug)]
pub(super) struct DomainTable {
    domain: String,
    names: Vec<String>,
    aliases: Vec<Alias>,
    memory: DomainMemory,
    asked_stealer_logs: bool,
}

#[derive(Debug)]
struct Alias {
    local: Box<str>,
    /// Index into the watch list, where somebody watches it.
    watched: Option<u32>,
    breaches: Box<[u32]>,
    websites: Box<[u32]>,
}

#[derive(Default)]
struct Building {
    names: Vec<String>,
    places: HashMap<String, u32>,
    /// By local part: breaches, websites.
    aliases: BTreeMap<String, (Vec<u32>, Vec<u32>)>,
}

impl Building {
    fn place(&mut self, name: String) -> u32 {
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        let place = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.places.insert(name.clone(), place);
        self.names.push(name);
        place
    }
}

impl DomainTable {
    pub(super) fn is_of(&self, domain: &str) -> bool {
        self.domain == domain
    }

    /// Asks. Both questions must be answered: half an answer would resolve what it does not show.
    pub(super) async fn fetch(
        api: &Hibp,
        step: &DomainStep,
        run: &Run,
        state: &dyn ScanState,
    ) -> Result<Self> {
        let watched: HashMap<&str, u32> = step
            .watched
            .iter()
            .filter_map(|&index| {
                let watched = run.watched.addresses.get(index as usize)?;
                Some((watched.address.local_part(), index))
            })
            .collect();
        let mut building = Building::default();
        let wanted = |alias: &str| step.whole || watched.contains_key(alias);
        api.each_breached_alias(&step.domain, |alias, names| {
            if wanted(&alias) {
                let places: Vec<u32> = names.into_iter().map(|name| building.place(name)).collect();
                building.aliases.entry(alias).or_default().0 = places;
            }
        })
        .await?;
        if step.stealer_logs {
            api.each_stealer_log_alias(&step.domain, |alias, names| {
                if wanted(&alias) {
                    let places: Vec<u32> =
                        names.into_iter().map(|name| building.place(name)).collect();
                    building.aliases.entry(alias).or_default().1 = places;
                }
            })
            .await?;
        }
        let memory = stored(&step.domain, state).await?;
        for local in watched.keys() {
            building.aliases.entry((*local).to_owned()).or_default();
        }
        for local in known_aliases(&step.domain, &memory, state).await? {
            building.aliases.entry(local).or_default();
        }
        let aliases = building
            .aliases
            .into_iter()
            .map(|(local, (breaches, websites))| Alias {
                watched: watched.get(local.as_str()).copied(),
                local: local.into_boxed_str(),
                breaches: breaches.into_boxed_slice(),
                websites: websites.into_boxed_slice(),
            })
            .collect();
        Ok(Self {
            domain: step.domain.clone(),
            names: building.names,
            aliases,
            memory,
            asked_stealer_logs: step.stealer_logs,
        })
    }

    /// Makes the page at the work's offset; gives the next offset, or nothing after the last.
    pub(super) async fn page(
        &self,
        work: &mut Work<'_>,
        run: &mut Run,
        page: &mut ScanPage,
        step: &DomainStep,
        state: &dyn ScanState,
    ) -> Result<Option<usize>> {
        let offset = work.place.offset.min(self.aliases.len());
        let end = (offset + PAGE).min(self.aliases.len());
        let rows = &self.aliases[offset..end];
        let indices: Vec<u32> = rows.iter().filter_map(|alias| alias.watched).collect();
        let mut memories = remembered(&work.scan.tenant, &run.watched, &indices, state).await?;
        let mut unwatched = BTreeSet::new();
        for alias in rows {
            let Ok(address) = Address::new(format!("{}@{}", alias.local, self.domain)) else {
                page.rejected.push(RejectedItem {
                    place: format!("domains[{}]", self.domain),
                    reason: "an alias that makes no address".into(),
                });
                continue;
            };
            let names = self.named(&alias.breaches).map(BreachName::from).collect();
            if let Some(index) = alias.watched {
                let memory = memories.remove(&index).unwrap_or_default();
                work.record(run, page, &address, names, Via::Domain, memory)
                    .await;
            } else {
                if !(alias.breaches.is_empty() && alias.websites.is_empty()) {
                    unwatched.insert(alias.local.to_string());
                }
                work.observe(run, page, &address, names, Via::Domain).await;
            }
            if self.asked_stealer_logs {
                for website in self.named(&alias.websites) {
                    let seen = observe::stealer_log(&work.scan.checks, &address, website);
                    page.observations.push(seen);
                }
                evaluated(page, &work.scan.checks.stealer_log, &address);
            }
        }
        let list = u32::try_from(offset / PAGE).unwrap_or(u32::MAX);
        let generation = self.memory.generation.wrapping_add(1);
        remember(
            page,
            &aliases_key(&step.domain, generation, list),
            &unwatched,
        );
        if end < self.aliases.len() {
            return Ok(Some(end));
        }
        self.remember_domain(page, run, work.now(), generation, list + 1);
        Ok(None)
    }

    fn named<'a>(&'a self, places: &'a [u32]) -> impl Iterator<Item = &'a str> {
        places
            .iter()
            .filter_map(|place| self.names.get(*place as usize))
            .map(String::as_str)
    }

    /// With the last page the lists of this answer count, and those of the one before go.
    fn remember_domain(
        &self,
        page: &mut ScanPage,
        run: &Run,
        now: i64,
        generation: u32,
        lists: u32,
    ) {
        let version = &run.catalogue.version;
        let stealers = if self.asked_stealer_logs {
            version.stealers.clone()
        } else {
            self.memory.stealers.clone()
        };
        let memory = DomainMemory {
            answers: version.answers.clone(),
            wording: version.wording.clone(),
            stealers,
            at: now,
            refused_at: None,
            generation,
            lists,
        };
        remember(page, &domain_key(&self.domain), &memory);
        for list in 0..self.memory.lists {
            page.state.insert(
                aliases_key(&self.domain, self.memory.generation, list),
                None,
            );
        }
    }

    /// The lists of the answer before are kept: nobody knows that anything in them is gone.
    pub(super) async fn remember_refusal(
        page: &mut ScanPage,
        step: &DomainStep,
        now: i64,
        state: &dyn ScanState,
    ) -> Result<()> {
        let memory = DomainMemory {
            refused_at: Some(now),
            at: 0,
            ..stored(&step.domain, state).await?
        };
        remember(page, &domain_key(&step.domain), &memory);
        Ok(())
    }
}

async fn stored(domain: &str, state: &dyn ScanState) -> Result<DomainMemory> {
    let key = domain_key(domain);
    let mut found = read_state(std::slice::from_ref(&key), state).await?;
    Ok(found.remove(&key).unwrap_or_default())
}

/// Whom the last answer showed although nobody watches them one by one.
async fn known_aliases(
    domain: &str,
    memory: &DomainMemory,
    state: &dyn ScanState,
) -> Result<BTreeSet<String>> {
    let keys: Vec<String> = (0..memory.lists)
        .map(|list| aliases_key(domain, memory.generation, list))
        .collect();
    let lists = read_state::<BTreeSet<String>>(&keys, state).await?;
    Ok(lists.into_values().flatten().collect())
}
