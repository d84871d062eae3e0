//! Who is watched: the configuration's domains and addresses, a CSV file of people, the accounts of
//! directories, and addresses that were added at run time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Tenant;
use crate::csv_table::{CsvTable, at};
use crate::error::{Error, Result};
use crate::model::{
    Account, AccountState, Actor, Address, Attributes, Permission, PersonId, WatchList,
    WatchedAddress,
};
use crate::store::{Change, Commit, Expect, Put, Query, RecordKind};

/// A watched address as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Watch {
    address: Address,
    source: String,
}

impl Tenant {
    /// Everybody who is watched, each address once, in order.
    ///
    /// # Errors
    /// `config_invalid` with line and column where the CSV file of the configuration cannot be
    /// read; `store`.
    pub async fn watch_list(&self) -> Result<WatchList> {
        let monitor = &self.config().monitor;
        let mut gathered = Gathered::default();
        for address in &monitor.addresses {
            gathered.add(address.clone(), "configuration", false);
        }
        if let Some(csv) = &monitor.csv {
            for address in self.configured_people(&csv.path)? {
                gathered.add(address, "csv", false);
            }
        }
        for watch in self.stored_watches().await? {
            gathered.add(watch.address, &watch.source, false);
        }
        let accounts = self.accounts().await?;
        for account in accounts.iter().filter(|a| a.state != AccountState::Deleted) {
            self.gather_account(account, &mut gathered);
        }
        let domains: BTreeSet<String> = if monitor.domains {
            self.config().domains.iter().cloned().collect()
        } else {
            BTreeSet::new()
        };
        Ok(WatchList {
            domains: domains.into_iter().collect(),
            addresses: gathered.into_watched(|address| PersonId::of(self.id(), address)),
        })
    }

    /// The addresses that were added or imported at run time.
    ///
    /// # Errors
    /// `store`.
    pub async fn monitor_list(&self) -> Result<Vec<WatchedAddress>> {
        let mut gathered = Gathered::default();
        for watch in self.stored_watches().await? {
            gathered.add(watch.address, &watch.source, false);
        }
        Ok(gathered.into_watched(|address| PersonId::of(self.id(), address)))
    }

    /// Watches an address from now on. Gives whether it was not on the list of added ones yet.
    ///
    /// # Errors
    /// `store`.
    pub async fn monitor_add(&self, address: &Address, actor: &Actor) -> Result<bool> {
        actor.need(Permission::SettingsManage)?;
        let added = self
            .watch_more(vec![address.clone()], "added", "monitor.added", actor)
            .await?;
        Ok(added == 1)
    }

    /// Watches every address of a CSV text with a column `address` or `email`. Gives how many were
    /// not on the list of added ones yet. Where anything is wrong, nothing is imported.
    ///
    /// # Errors
    /// `invalid_input` with `line` and `column`; `store`.
    pub async fn monitor_import(&self, csv: &[u8], actor: &Actor) -> Result<u64> {
        actor.need(Permission::SettingsManage)?;
        let people = parse_people(csv)?;
        self.watch_more(people, "csv", "monitor.imported", actor)
            .await
    }

    /// Watches an added or imported address no longer. Gives whether it was on that list. What the
    /// configuration or a directory names stays watched.
    ///
    /// # Errors
    /// `store`.
    pub async fn monitor_remove(&self, address: &Address, actor: &Actor) -> Result<bool> {
        actor.need(Permission::SettingsManage)?;
        let query = Query::keys(RecordKind::Watch, vec![address.as_str().to_owned()]);
        if self
            .store()
            .query(self.id(), query)
            .await?
            .records
            .is_empty()
        {
            return Ok(false);
        }
        let entry = self.entry_by("monitor.removed", actor, count(1)).await?;
        let mut commit = Commit::default().append(entry);
        commit.changes.push(Change::Delete {
            kind: RecordKind::Watch,
            key: address.as_str().to_owned(),
            expect: Expect::Anything,
        });
        self.store().commit(self.id(), commit).await?;
        Ok(true)
    }

    fn gather_account(&self, account: &Account, gathered: &mut Gathered) {
        let Some(address) = &account.address else {
            return;
        };
        let connector = &account.reference.connector;
        let privileged = account.privileged == Some(true);
        if self.config().monitor.directories.contains(connector) {
            let source = format!("directory:{connector}");
            gathered.add(address.clone(), &source, privileged);
        } else {
            gathered.mark(address, privileged);
        }
    }

    fn configured_people(&self, path: &std::path::Path) -> Result<Vec<Address>> {
        // A list of people is small, and a scan begins with it: blocking for it is no harm.
        let text = std::fs::read(path).map_err(|error| {
            Error::config("monitor.csv", "the list of people cannot be read").with_source(error)
        });
        let people = text.and_then(|text| parse_people(&text));
        people.map_err(|error| {
            let wrong = Error::config("monitor.csv", error.message())
                .with_context("tenant", self.id().as_str());
            let place = error.context().iter();
            place
                .filter(|(key, _)| *key != "field")
                .fold(wrong, |wrong, (key, value)| wrong.with_context(key, value))
        })
    }

    async fn stored_watches(&self) -> Result<Vec<Watch>> {
        let found = self.read_all(Query::all(RecordKind::Watch)).await?;
        Ok(found.into_iter().map(|found| found.value).collect())
    }

    async fn watch_more(
        &self,
        people: Vec<Address>,
        source: &str,
        what: &str,
        actor: &Actor,
    ) -> Result<u64> {
        let people: BTreeSet<Address> = people.into_iter().collect();
        let keys = people.iter().map(|address| address.as_str().to_owned());
        let query = Query::keys(RecordKind::Watch, keys.collect());
        let known: BTreeSet<String> = self
            .store()
            .query(self.id(), query)
            .await?
            .records
            .into_iter()
            .map(|record| record.key)
            .collect();
        let mut commit = Commit::default();
        for address in people {
            if known.contains(address.as_str()) {
                continue;
            }
            let key = address.as_str().to_owned();
            let watch = Watch {
                address,
                source: source.to_owned(),
            };
            commit = commit.put(Put::new(RecordKind::Watch, key, &watch)?);
        }
        let added = commit.changes.len() as u64;
        if added > 0 {
            let entry = self.entry_by(what, actor, count(added)).await?;
            self.store().commit(self.id(), commit.append(entry)).await?;
        }
        Ok(added)
    }
}

/// The addresses of a CSV text: UTF-8, a header line with a column `address` or `email`, separated
/// by commas, semicolons or tabs.
///
/// # Errors
/// `invalid_input` with `line` and `column` (of fields, from 1; of characters where the encoding is
/// wrong), never with what stands there.
pub fn parse_people(csv: &[u8]) -> Result<Vec<Address>> {
    let table = CsvTable::parse(csv)?;
    let column = table
        .column(&["address", "email"])
        .ok_or_else(|| at("the header has no column `address` or `email`", 1, 1))?;
    let mut people = Vec::new();
    for row in &table.rows {
        let address = Address::new(row.text(column));
        people.push(address.map_err(|error| row.wrong(column, error.message()))?);
    }
    Ok(people)
}

fn count(count: u64) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("addresses".to_owned(), json!(count));
    facts
}

/// Addresses on their way to a watch list; the first source of an address is named.
#[derive(Default)]
struct Gathered {
    watched: BTreeMap<Address, (String, bool)>,
    privileged: BTreeSet<Address>,
}

impl Gathered {
    fn add(&mut self, address: Address, source: &str, privileged: bool) {
        let entry = self.watched.entry(address);
        let known = entry.or_insert_with(|| (source.to_owned(), false));
        known.1 |= privileged;
    }

    /// Somebody's account is privileged; whether the address is watched is said elsewhere.
    fn mark(&mut self, address: &Address, privileged: bool) {
        if privileged {
            self.privileged.insert(address.clone());
        }
    }

    fn into_watched(self, person: impl Fn(&Address) -> PersonId) -> Vec<WatchedAddress> {
        let Self {
            watched,
            privileged: marked,
        } = self;
        let watched = watched.into_iter();
        watched
            .map(|(address, (source, privileged))| WatchedAddress {
                person: Some(person(&address)),
                privileged: privileged || marked.contains(&address),
                address,
                source,
            })
            .collect()
    }
}
