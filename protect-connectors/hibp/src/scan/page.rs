//! What the steps of a plan do: each makes one page of at most a hundred addresses.

use std::collections::HashMap;

use futures::StreamExt;
use protect_core::connector::{Evaluated, ScanPage, ScanState};
use protect_core::model::{Address, CheckId, RejectedItem, Subject, WatchedAddress};
use protect_core::{Error, ErrorKind, Result};

use super::domain::DomainTable;
use super::{Place, Run, Scan, remember};
use crate::client::Hibp;
use crate::models::{BreachName, BreachRef, Paste};
use crate::observe::{self, Via};
use crate::planner::{AddressMemory, DomainStep, address_key, remembered};

/// One page being made.
pub(super) struct Work<'a> {
    pub(super) scan: &'a Scan,
    pub(super) api: &'a Hibp,
    pub(super) place: &'a mut Place,
}

/// A page, and the refusal that ends the run.
type Made = (ScanPage, Option<Error>);

impl Work<'_> {
    /// Asks by ranges.
    pub(super) async fn ranges(
        mut self,
        run: &mut Run,
        groups: &[Vec<u32>],
        state: &dyn ScanState,
    ) -> Result<Made> {
        let questions: Vec<_> = groups
            .iter()
            .map(|group| {
                let api = self.api.clone();
                let (indices, addresses) = members(run, group);
                async move { (indices, api.breached_accounts_range(&addresses).await) }
            })
            .collect();
        let answers = at_once(questions, run.capacity.in_flight()).await;
        let answers = answers.into_iter().flat_map(spread).collect();
        self.place.step += 1;
        self.answered(run, answers, Via::Range, state).await
    }

    /// Asks by address.
    pub(super) async fn accounts(
        mut self,
        run: &mut Run,
        indices: &[u32],
        state: &dyn ScanState,
    ) -> Result<Made> {
        let answers = self
            .ask_each(run, indices, |api, address| async move {
                api.breached_account(address.as_str()).await
            })
            .await;
        self.place.step += 1;
        self.answered(run, answers, Via::Account, state).await
    }

    /// Judges stored answers by the catalogue's wording.
    pub(super) async fn judge(
        mut self,
        run: &mut Run,
        indices: &[u32],
        state: &dyn ScanState,
    ) -> Result<Made> {
        let stored = remembered(&self.scan.tenant, &run.watched, indices, state).await?;
        let mut page = ScanPage::default();
        for &index in indices {
            let (Some(watched), Some(memory)) = (address(run, index), stored.get(&index)) else {
                continue;
            };
            let mut memory = memory.clone();
            let names = std::mem::take(&mut memory.names);
            let names = names.into_iter().map(BreachName).collect();
            // The answer is as old as it was: only its reading is new.
            let at = (memory.at, memory.answers.clone());
            let address = watched.address;
            self.record(run, &mut page, &address, names, Via::Stored, memory)
                .await;
            if let Some(Some(value)) = page
                .state
                .get_mut(&address_key(&self.scan.tenant, &address))
            {
                value["t"] = at.0.into();
                value["s"] = at.1.into();
            }
        }
        self.place.step += 1;
        Ok((page, None))
    }

    /// Looks for pastes.
    pub(super) async fn pastes(
        mut self,
        run: &mut Run,
        indices: &[u32],
        state: &dyn ScanState,
    ) -> Result<Made> {
        let answers = self
            .ask_each(run, indices, |api, address| async move {
                api.paste_account(address.as_str()).await
            })
            .await;
        self.place.step += 1;
        let mut stored = remembered(&self.scan.tenant, &run.watched, indices, state).await?;
        let mut page = ScanPage::default();
        let mut refused = None;
        for (index, answer) in answers {
            let Some(watched) = address(run, index) else {
                continue;
            };
            match answer {
                Ok(pastes) => {
                    run.failures_in_a_row = 0;
                    let mut memory = stored.remove(&index).unwrap_or_default();
                    memory.pastes_at = Some(self.now());
                    self.record_pastes(&mut page, &watched.address, &pastes, &memory);
                }
                Err(error) => self.failed(run, &mut page, index, error, &mut refused),
            }
        }
        Ok((page, refused))
    }

    /// Asks about a domain, and makes the next page of its answer.
    pub(super) async fn domain(
        mut self,
        run: &mut Run,
        step: &DomainStep,
        state: &dyn ScanState,
    ) -> Result<Made> {
        let mut page = ScanPage::default();
        let fetched = match run.table.take() {
            Some(table) if table.is_of(&step.domain) => Ok(table),
            _ => {
                self.place.offset = 0;
                DomainTable::fetch(self.api, step, run, state).await
            }
        };
        let table = match fetched {
            Ok(table) => {
                run.failures_in_a_row = 0;
                table
            }
            Err(error) => {
                self.place.step += 1;
                let mut refused = None;
                self.domain_failed(run, &mut page, step, error, &mut refused, state)
                    .await?;
                return Ok((page, refused));
            }
        };
        let next = table.page(&mut self, run, &mut page, step, state).await?;
        if let Some(offset) = next {
            self.place.offset = offset;
            run.table = Some(table);
        } else {
            self.place.offset = 0;
            self.place.step += 1;
        }
        Ok((page, None))
    }

    async fn ask_each<T, F>(
        &self,
        run: &Run,
        indices: &[u32],
        ask: impl Fn(Hibp, Address) -> F,
    ) -> Vec<(u32, Result<T>)>
    where
        F: Future<Output = Result<T>> + Send,
        T: Send,
    {
        let (indices, addresses) = members(run, indices);
        let questions: Vec<_> = indices
            .into_iter()
            .zip(addresses)
            .map(|(index, address)| {
                let answer = ask(self.api.clone(), address);
                async move { (index, answer.await) }
            })
            .collect();
        at_once(questions, run.capacity.in_flight()).await
    }

    async fn answered(
        &mut self,
        run: &mut Run,
        answers: Vec<(u32, Result<Vec<BreachRef>>)>,
        via: Via,
        state: &dyn ScanState,
    ) -> Result<Made> {
        let indices: Vec<u32> = answers.iter().map(|(index, _)| *index).collect();
        let mut stored: HashMap<u32, AddressMemory> =
            remembered(&self.scan.tenant, &run.watched, &indices, state).await?;
        let mut page = ScanPage::default();
        let mut refused = None;
        for (index, answer) in answers {
            let Some(watched) = address(run, index) else {
                continue;
            };
            match answer {
                Ok(names) => {
                    run.failures_in_a_row = 0;
                    let names = names.into_iter().map(|breach| breach.name).collect();
                    let memory = stored.remove(&index).unwrap_or_default();
                    self.record(run, &mut page, &watched.address, names, via, memory)
                        .await;
                }
                Err(error) => self.failed(run, &mut page, index, error, &mut refused),
            }
        }
        Ok((page, refused))
    }

    /// An authoritative answer about an address: the only way to be checked.
    pub(super) async fn record(
        &mut self,
        run: &mut Run,
        page: &mut ScanPage,
        address: &Address,
        names: Vec<BreachName>,
        via: Via,
        mut memory: AddressMemory,
    ) {
        memory.names = self.observe(run, page, address, names, via).await;
        memory.at = self.now();
        memory.answers.clone_from(&run.catalogue.version.answers);
        memory.wording.clone_from(&run.catalogue.version.wording);
        remember(page, &address_key(&self.scan.tenant, address), &memory);
        let tally = &mut self.place.tally;
        tally.checked += 1;
        if memory.names.is_empty() {
            tally.clean += 1;
        } else {
            tally.exposed += 1;
        }
    }

    /// Observations for the breaches of one address, all of which are then on this page; gives
    /// the names that made one.
    pub(super) async fn observe(
        &self,
        run: &mut Run,
        page: &mut ScanPage,
        address: &Address,
        names: Vec<BreachName>,
        via: Via,
    ) -> Vec<String> {
        let checks = &self.scan.checks;
        let mut seen = Vec::new();
        for name in names {
            self.look_up(run, &name).await;
            let observation = match run.catalogue.get(&name) {
                Some(breach) => {
                    let policy = &self.scan.settings.policy;
                    observe::breach(checks, policy, address, breach, via)
                }
                None => Some(observe::unlisted_breach(checks, address, &name, via)),
            };
            if let Some(observation) = observation {
                page.observations.push(observation);
                seen.push(name.0);
            }
        }
        evaluated(page, &checks.breach, address);
        seen
    }

    /// A breach that was loaded after the catalogue was read.
    async fn look_up(&self, run: &mut Run, name: &BreachName) {
        if run.catalogue.begin_look_up(name)
            && let Ok(Some(breach)) = self.api.breach(name.as_str()).await
        {
            run.catalogue.add(breach);
        }
    }

    fn record_pastes(
        &self,
        page: &mut ScanPage,
        address: &Address,
        pastes: &[Paste],
        memory: &AddressMemory,
    ) {
        let (checks, policy) = (&self.scan.checks, &self.scan.settings.policy);
        for paste in pastes {
            let seen = observe::paste(checks, policy, address, paste);
            page.observations.push(seen);
        }
        remember(page, &address_key(&self.scan.tenant, address), memory);
        evaluated(page, &checks.paste, address);
    }

    /// Not an answer: the address stays due, and nothing is resolved by it.
    fn failed(
        &mut self,
        run: &mut Run,
        page: &mut ScanPage,
        index: u32,
        error: Error,
        refused: &mut Option<Error>,
    ) {
        self.place.tally.failed += 1;
        page.rejected.push(RejectedItem {
            place: format!("addresses[{index}]"),
            reason: error.kind().to_string(),
        });
        note(run, error, refused);
    }

    async fn domain_failed(
        &mut self,
        run: &mut Run,
        page: &mut ScanPage,
        step: &DomainStep,
        error: Error,
        refused: &mut Option<Error>,
        state: &dyn ScanState,
    ) -> Result<()> {
        self.place.tally.failed += (step.watched.len() as u64).max(1);
        page.rejected.push(RejectedItem {
            place: format!("domains[{}]", step.domain),
            reason: error.kind().to_string(),
        });
        if error.kind() == ErrorKind::PermissionDenied {
            // This domain alone: its addresses are asked about one by one from the next run on.
            DomainTable::remember_refusal(page, step, self.now(), state).await?;
        } else {
            note(run, error, refused);
        }
        Ok(())
    }

    pub(super) fn now(&self) -> i64 {
        self.scan.context.clock.now().as_second()
    }
}

fn note(run: &mut Run, error: Error, refused: &mut Option<Error>) {
    match error.kind() {
        ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => {
            refused.get_or_insert(error);
        }
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::RateLimited => {
            run.failures_in_a_row += 1;
        }
        _ => {}
    }
}

/// A check was decided for an address.
pub(super) fn evaluated(page: &mut ScanPage, check: &CheckId, address: &Address) {
    page.evaluated.push(Evaluated {
        check: check.clone(),
        subject: Some(Subject::address(address)),
    });
}

/// Asks so many at a time; answers in the order in which they come.
async fn at_once<F: Future<Output: Send> + Send>(questions: Vec<F>, many: usize) -> Vec<F::Output> {
    futures::stream::iter(questions)
        .buffer_unordered(many)
        .collect()
        .await
}

/// Those of the indices that are in the watch list, with their addresses.
fn members(run: &Run, indices: &[u32]) -> (Vec<u32>, Vec<Address>) {
    indices
        .iter()
        .filter_map(|&index| {
            let watched = run.watched.addresses.get(index as usize)?;
            Some((index, watched.address.clone()))
        })
        .unzip()
}

fn address(run: &Run, index: u32) -> Option<WatchedAddress> {
    run.watched.addresses.get(index as usize).cloned()
}

/// One answer for several addresses, or one error for each of them.
fn spread(
    (indices, found): (Vec<u32>, Result<Vec<Vec<BreachRef>>>),
) -> Vec<(u32, Result<Vec<BreachRef>>)> {
    match found {
        Ok(found) => indices.into_iter().zip(found.into_iter().map(Ok)).collect(),
        Err(error) => {
            let copies: Vec<Error> = indices.iter().skip(1).map(|_| copy(&error)).collect();
            let errors = std::iter::once(error).chain(copies);
            indices.into_iter().zip(errors.map(Err)).collect()
        }
    }
}

/// What a run needs to know of an error.
fn copy(error: &Error) -> Error {
    let copied = Error::new(error.kind(), error.message());
    error.context().iter().fold(copied, |copied, (key, value)| {
        copied.with_context(key, value.clone())
    })
}
