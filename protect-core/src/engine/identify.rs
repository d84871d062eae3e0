//! Whose account is it? Directories are read into the store, and the accounts of one person are
//! joined over vendors by their address.
//!
//! Only the exact, normalised address joins: never a display name, and never an address that merely
//! looks the same in another script.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Tenant;
use super::failure::{DIRECTORY_FAILED, error_facts, failure, failure_id};
use super::observe::{Batch, CONFLICT_RETRIES, Coverage, Look, too_busy, vanish};
use super::records::{account_key, put_account, put_finding};
use crate::connector::{Connector, Cursor, Directory, DirectoryPage};
use crate::error::{Error, ErrorEnvelope, ErrorKind, Result};
use crate::model::{
    Account, AccountState, Actor, Address, Attributes, ConnectorName, Finding, Person, PersonId,
    Subject, SubjectKind,
};
use crate::store::{Commit, Put, Query, Record, RecordKind};

/// Every account is listed so often, however well the vendor tells of changes.
const LISTED_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// How long one page of a directory may take.
const PAGE_BUDGET: Duration = Duration::from_mins(5);

/// What reading a directory came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DirectoryRefresh {
    /// The connector.
    pub connector: ConnectorName,
    /// Whether every page was had.
    pub complete: bool,
    /// Accounts listed, or told of as changed where the vendor tells of changes alone.
    pub accounts: u64,
    /// Of these, new or changed.
    pub changed: u64,
    /// Accounts that are no longer listed and were marked as deleted.
    pub gone: u64,
    /// Items that could not be read.
    pub rejected: u64,
    /// Why it is incomplete.
    pub error: Option<ErrorEnvelope>,
}

/// When a directory was last read to its end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct DirectoryState {
    pub(crate) last_complete_at: Option<Timestamp>,
    /// When every account was listed last.
    #[serde(default)]
    listed_at: Option<Timestamp>,
    /// From where on the vendor tells of changes.
    #[serde(default)]
    changes_from: Option<Cursor>,
    pub(crate) error: Option<ErrorEnvelope>,
}

impl Tenant {
    /// Reads a connector's directory anew.
    ///
    /// # Errors
    /// `not_found` for an unknown connector, `unsupported` for one that lists no accounts, `store`.
    /// A vendor that fails is in the result.
    pub async fn refresh_accounts(&self, connector: &ConnectorName) -> Result<DirectoryRefresh> {
        let connector = self.connector(connector)?;
        if connector.as_directory().is_none() {
            return Err(
                Error::new(ErrorKind::Unsupported, "this connector lists no accounts")
                    .with_context("tenant", self.id().as_str())
                    .with_context("connector", connector.info().name.as_str()),
            );
        }
        self.refresh_directory(connector, SignedDuration::ZERO)
            .await
    }

    /// Every account that the directories gave, also those that are gone.
    ///
    /// # Errors
    /// `store`.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        self.stored_accounts(Query::all(RecordKind::Account)).await
    }

    /// The accounts of one person, over all vendors.
    ///
    /// # Errors
    /// `store`.
    pub async fn accounts_of(&self, person: &PersonId) -> Result<Vec<Account>> {
        let groups = vec![person.as_str().to_owned()];
        self.stored_accounts(Query::all(RecordKind::Account).in_groups(groups))
            .await
    }

    /// The person whom a finding about this subject concerns; `None` for a domain, a setting, or an
    /// account without a readable address.
    ///
    /// # Errors
    /// `store`.
    pub async fn person_of(&self, subject: &Subject) -> Result<Option<Person>> {
        let Some(id) = self.people_of([subject]).await?.remove(subject) else {
            return Ok(None);
        };
        let accounts = self.accounts_of(&id).await?;
        let known = accounts
            .iter()
            .filter_map(|account| account.address.clone());
        let own = (subject.kind == SubjectKind::Address)
            .then(|| Address::new(&subject.id).ok())
            .flatten();
        let addresses: BTreeSet<Address> = known.chain(own).collect();
        let named = accounts
            .iter()
            .find(|account| !account.display_name.is_empty());
        let display_name = named
            .map(|account| account.display_name.clone())
            .or_else(|| addresses.first().map(ToString::to_string));
        Ok(Some(Person {
            id,
            display_name: display_name.unwrap_or_default(),
            addresses: addresses.into_iter().collect(),
            accounts: accounts
                .into_iter()
                .map(|account| account.reference)
                .collect(),
        }))
    }

    /// The person of each subject that has one, in one query.
    pub(crate) async fn people_of(
        &self,
        subjects: impl IntoIterator<Item = &Subject>,
    ) -> Result<HashMap<Subject, PersonId>> {
        let mut people = HashMap::new();
        let mut keys: HashMap<String, Subject> = HashMap::new();
        for subject in subjects {
            match subject.kind {
                SubjectKind::Address => {
                    if let Ok(address) = Address::new(&subject.id) {
                        people.insert(subject.clone(), PersonId::of(self.id(), &address));
                    }
                }
                SubjectKind::Account => {
                    for connector in self.connectors_of(&subject.provider) {
                        keys.insert(account_key(connector, &subject.id), subject.clone());
                    }
                }
                SubjectKind::Domain | SubjectKind::Setting => {}
            }
        }
        if keys.is_empty() {
            return Ok(people);
        }
        let query = Query::keys(RecordKind::Account, keys.keys().cloned().collect());
        for record in self.store().query(self.id(), query).await?.records {
            let account: Account = record.read()?;
            if let (Some(subject), Some(address)) = (keys.remove(&record.key), account.address) {
                people.insert(subject, PersonId::of(self.id(), &address));
            }
        }
        Ok(people)
    }

    /// Reads the directories of the chosen connectors, and those that say who is watched and were
    /// never read.
    pub(crate) async fn refresh_directories(
        &self,
        chosen: &[Arc<dyn Connector>],
    ) -> Result<Vec<DirectoryRefresh>> {
        let mut refreshed = Vec::new();
        for connector in self.connectors() {
            let name = &connector.info().name;
            if connector.as_directory().is_none() {
                continue;
            }
            let is_chosen = chosen.iter().any(|chosen| chosen.info().name == *name);
            let watched = self.config().monitor.directories.contains(name);
            if is_chosen || (watched && self.was_never_read(name).await?) {
                refreshed.push(self.refresh_directory(connector, LISTED_EVERY).await?);
            }
        }
        Ok(refreshed)
    }

    /// When a directory was last read to its end.
    #[cfg(feature = "people")]
    pub(crate) async fn directory_read_at(
        &self,
        connector: &ConnectorName,
    ) -> Result<Option<Timestamp>> {
        let key = directory_key(connector);
        let state = self.read::<DirectoryState>(RecordKind::Run, &key).await?;
        Ok(state.and_then(|state| state.value.last_complete_at))
    }

    async fn was_never_read(&self, connector: &ConnectorName) -> Result<bool> {
        let state = self
            .read::<DirectoryState>(RecordKind::Run, &directory_key(connector))
            .await?;
        Ok(state.is_none_or(|state| state.value.last_complete_at.is_none()))
    }

    fn connectors_of(&self, provider: &str) -> impl Iterator<Item = &ConnectorName> {
        let infos = self.connectors().iter().map(|connector| connector.info());
        infos
            .filter(move |info| info.kind == provider)
            .map(|info| &info.name)
    }

    pub(super) async fn stored_accounts(&self, query: Query) -> Result<Vec<Account>> {
        let found = self.read_all(query).await?;
        Ok(found.into_iter().map(|found| found.value).collect())
    }

    /// Reads a directory: what changed, or every account where these were listed `listed_every` ago.
    async fn refresh_directory(
        &self,
        connector: &Arc<dyn Connector>,
        listed_every: SignedDuration,
    ) -> Result<DirectoryRefresh> {
        let name = &connector.info().name;
        let mut refresh = DirectoryRefresh {
            connector: name.clone(),
            complete: false,
            accounts: 0,
            changed: 0,
            gone: 0,
            rejected: 0,
            error: None,
        };
        let Some(directory) = connector.as_directory() else {
            return Err(Error::unexpected(
                "a connector without a directory was read",
            ));
        };
        let before = self
            .read::<DirectoryState>(RecordKind::Run, &directory_key(name))
            .await?;
        let before = before.map(|state| state.value).unwrap_or_default();
        let mut state = before.clone();
        let listed_lately = state
            .listed_at
            .is_some_and(|at| self.now().duration_since(at) < listed_every);
        state.changes_from = state.changes_from.filter(|_| listed_lately);
        match self
            .read_directory(name, directory, &mut state, &mut refresh)
            .await
        {
            Ok(()) => {
                refresh.complete = true;
                state.last_complete_at = Some(self.now());
            }
            Err(error) if error.kind() == ErrorKind::Store => return Err(error),
            Err(error) => {
                let error = self.about(connector.info(), error);
                refresh.error = Some(error.envelope());
                self.record_directory(name, &before, &refresh, Some(&error))
                    .await?;
                return Ok(refresh);
            }
        }
        self.record_directory(name, &state, &refresh, None).await?;
        Ok(refresh)
    }

    async fn read_directory(
        &self,
        name: &ConnectorName,
        directory: &dyn Directory,
        state: &mut DirectoryState,
        refresh: &mut DirectoryRefresh,
    ) -> Result<()> {
        let mut since = state.changes_from.take();
        let mut told = HashSet::new();
        while let Some(from) = since {
            let cx = self.op(Actor::engine(), PAGE_BUDGET);
            let Some(page) = directory.changes(&cx, &from).await? else {
                break;
            };
            let next = next_page(&page, Some(&from))?;
            state.changes_from.clone_from(&page.changes_from);
            self.forget_accounts(name, &page.gone, refresh).await?;
            self.commit_accounts(name, page, &mut told, refresh).await?;
            if next.is_none() {
                return Ok(());
            }
            since = next;
        }
        self.list_directory(name, directory, state, refresh).await
    }

    /// Reads every account; who is not among them is gone.
    async fn list_directory(
        &self,
        name: &ConnectorName,
        directory: &dyn Directory,
        state: &mut DirectoryState,
        refresh: &mut DirectoryRefresh,
    ) -> Result<()> {
        let mut listed = HashSet::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let cx = self.op(Actor::engine(), PAGE_BUDGET);
            let page = directory.list(&cx, cursor.as_ref()).await?;
            cursor = next_page(&page, cursor.as_ref())?;
            state.changes_from.clone_from(&page.changes_from);
            self.commit_accounts(name, page, &mut listed, refresh)
                .await?;
            if cursor.is_none() {
                break;
            }
        }
        state.listed_at = Some(self.now());
        self.mark_gone(name, &listed, refresh).await
    }

    /// Marks as deleted what the vendor says is gone.
    async fn forget_accounts(
        &self,
        name: &ConnectorName,
        gone: &[String],
        refresh: &mut DirectoryRefresh,
    ) -> Result<()> {
        let keys = gone.iter().map(|id| account_key(name, id)).collect();
        let query = Query::keys(RecordKind::Account, keys);
        let page = self.store().query(self.id(), query).await?;
        self.mark_deleted(&page.records, refresh).await
    }

    async fn commit_accounts(
        &self,
        name: &ConnectorName,
        page: DirectoryPage,
        listed: &mut HashSet<String>,
        refresh: &mut DirectoryRefresh,
    ) -> Result<()> {
        refresh.rejected += page.rejected.len() as u64;
        let mut puts: HashMap<String, Put> = HashMap::new();
        for mut account in page.accounts {
            if account.reference.id.contains('\0') {
                refresh.rejected += 1;
                continue;
            }
            account.reference.connector = name.clone();
            let person = account.address.as_ref();
            let person = person.map(|address| PersonId::of(self.id(), address));
            let put = put_account(&account, person.as_ref())?;
            listed.insert(put.key.to_string());
            puts.insert(put.key.to_string(), put);
        }
        let keys = puts.keys().cloned().collect();
        let query = Query::keys(RecordKind::Account, keys);
        for record in self.store().query(self.id(), query).await?.records {
            if puts
                .get(&record.key)
                .is_some_and(|put| is_same(&record, put))
            {
                puts.remove(&record.key);
            }
        }
        refresh.accounts = listed.len() as u64;
        refresh.changed += puts.len() as u64;
        self.write_accounts(puts.into_values()).await
    }

    async fn mark_gone(
        &self,
        name: &ConnectorName,
        listed: &HashSet<String>,
        refresh: &mut DirectoryRefresh,
    ) -> Result<()> {
        let mut query = Query::prefix(RecordKind::Account, account_key(name, ""));
        loop {
            let mut page = self.store().query(self.id(), query.clone()).await?;
            page.records.retain(|record| !listed.contains(&record.key));
            self.mark_deleted(&page.records, refresh).await?;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn mark_deleted(&self, records: &[Record], refresh: &mut DirectoryRefresh) -> Result<()> {
        let mut puts = Vec::new();
        for record in records {
            if record.state == AccountState::Deleted.as_str() {
                continue;
            }
            let mut account: Account = record.read()?;
            account.state = AccountState::Deleted;
            let put = put_account(&account, None)?;
            puts.push(put.group(record.group.as_str()));
        }
        refresh.gone += puts.len() as u64;
        self.write_accounts(puts).await
    }

    async fn write_accounts(&self, puts: impl IntoIterator<Item = Put>) -> Result<()> {
        let commit = puts.into_iter().fold(Commit::default(), Commit::put);
        if commit.is_empty() {
            return Ok(());
        }
        self.store().commit(self.id(), commit).await?;
        Ok(())
    }

    /// Records how reading a directory ended: its state, its operational finding, a ledger entry.
    async fn record_directory(
        &self,
        name: &ConnectorName,
        state: &DirectoryState,
        refresh: &DirectoryRefresh,
        error: Option<&Error>,
    ) -> Result<()> {
        let at = self.now();
        let look = Look {
            tenant: self.id(),
            source: name,
            at,
            baseline: false,
        };
        for _ in 0..CONFLICT_RETRIES {
            let mut commit = match error {
                Some(error) => {
                    let seen = failure(DIRECTORY_FAILED, name, error)?;
                    let mut batch = Batch::new(self.id(), [(seen, false)]);
                    let folded = self.fold(&mut batch, &Coverage::default(), &look).await?;
                    folded.commit()
                }
                None => self.directory_works_again(name, &look).await?,
            };
            let key = directory_key(name);
            let mut state = state.clone();
            state.error = error.map(Error::envelope);
            commit = commit.put(Put::new(RecordKind::Run, key, &state)?.group(DIRECTORIES));
            let entry = self.entry(
                if error.is_none() {
                    "directory.refreshed"
                } else {
                    "directory.failed"
                },
                &Actor::engine(),
                facts(refresh, error),
            );
            match self.store().commit(self.id(), commit.append(entry)).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|_| ()),
            }
        }
        Err(too_busy())
    }

    async fn directory_works_again(&self, name: &ConnectorName, look: &Look<'_>) -> Result<Commit> {
        let id = failure_id(self.id(), DIRECTORY_FAILED, name)?;
        let Some(found) = self
            .read::<Finding>(RecordKind::Finding, id.as_str())
            .await?
        else {
            return Ok(Commit::default());
        };
        let expect = found.expect();
        Ok(match vanish(found.value, look) {
            Some(finding) => Commit::default().put(put_finding(&finding, expect)?),
            None => Commit::default(),
        })
    }
}

/// Where the page after this one begins. A vendor that gives the same page for ever is not followed.
fn next_page(page: &DirectoryPage, before: Option<&Cursor>) -> Result<Option<Cursor>> {
    if page.cursor.is_some() && page.cursor.as_ref() == before {
        return Err(Error::new(
            ErrorKind::InvalidResponse,
            "the directory gives the same page again and again",
        ));
    }
    Ok(page.cursor.clone())
}

/// The group of the states of all directories.
pub(crate) const DIRECTORIES: &str = "directory";

/// The key of a directory's state.
pub(crate) fn directory_key(connector: &ConnectorName) -> String {
    format!("directory/{connector}")
}

fn is_same(record: &Record, put: &Put) -> bool {
    *record.body == *put.body && *record.state == *put.state && *record.group == *put.group
}

fn facts(refresh: &DirectoryRefresh, error: Option<&Error>) -> Attributes {
    let mut facts = error.map(error_facts).unwrap_or_default();
    facts.insert("connector".to_owned(), json!(refresh.connector));
    for (name, count) in [
        ("accounts", refresh.accounts),
        ("changed", refresh.changed),
        ("gone", refresh.gone),
        ("rejected", refresh.rejected),
    ] {
        facts.insert(name.to_owned(), json!(count));
    }
    facts
}
