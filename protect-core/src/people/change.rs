//! Changes of the workforce: what each is decided over, and what writes it. A change of one employee reads
//! those whom it concerns, a list reads everybody; both are decided by the same rules and written in one
//! transaction that two changes of the same cannot both make.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use serde_json::json;

use super::input::EmployeeInput;
use super::records::{LEADERS, NUMBERED, put_employee, put_owner};
use super::register::{Changed, Counts, Row, Workforce};
use crate::engine::{CONFLICT_RETRIES, Tenant, Versioned, too_busy};
use crate::error::{ErrorKind, Result};
use crate::model::{Actor, Address, Employee, EmployeeId};
use crate::store::{Change, Commit, Expect, Put, Query, RecordKind};

/// Whom a change is about.
#[derive(Clone, Copy)]
pub(super) enum Concerned<'a> {
    /// Anybody may be: a list.
    Everybody,
    /// One employee, who keeps addresses, number and manager.
    One(&'a EmployeeId),
    /// Whom an input names, and the employee whom it is about, where they are known.
    Named(&'a EmployeeInput, Option<&'a EmployeeId>),
}

/// What was so of the whole workforce when a change began to read.
struct Guards {
    /// What the record must be that every change of who leads existing employees writes: two such changes
    /// cannot together make a circle that neither saw.
    leaders: Expect,
    /// Whether every number has a record of its own; a store of an earlier version has none.
    is_numbered: bool,
}

impl Tenant {
    /// Decides a change and writes it, with its events and one entry in the ledger, in one transaction.
    /// Gives the employee at the place that `change` gives, and counts.
    pub(super) async fn change_workforce(
        &self,
        what: &str,
        actor: &Actor,
        concerned: Concerned<'_>,
        change: impl Fn(&mut Workforce) -> Result<usize> + Send + Sync,
    ) -> Result<(Employee, Counts)> {
        for _ in 0..CONFLICT_RETRIES {
            // Before everything else: whoever changes them meanwhile is found out.
            let guards = self.guards().await?;
            let mut workforce = match concerned {
                Concerned::One(id) if guards.is_numbered => self.concerned(None, Some(id)).await?,
                Concerned::Named(input, id) if guards.is_numbered => {
                    self.concerned(Some(input), id).await?
                }
                _ => self.workforce().await?,
            };
            let place = change(&mut workforce)?;
            workforce.leads_nobody_in_a_circle()?;
            let employee = workforce.rows[place].employee.clone();
            let counts = workforce.counts();
            let commit = self.written(&workforce, &guards, what, actor).await?;
            if commit.is_empty() {
                return Ok((employee, counts));
            }
            match self.store().commit(self.id(), commit).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|_| (employee, counts)),
            }
        }
        Err(too_busy())
    }

    /// Everybody.
    pub(super) async fn workforce(&self) -> Result<Workforce> {
        let found = self.read_all(Query::all(RecordKind::Employee)).await?;
        Ok(Workforce::new(self.id().clone(), found))
    }

    /// The employee with a number, or `None`.
    pub(super) async fn employee_by_number(&self, number: &str) -> Result<Option<Employee>> {
        if !self.guards().await?.is_numbered {
            let workforce = self.workforce().await?;
            return Ok(workforce.numbered(number).cloned());
        }
        let owner = self.read::<EmployeeId>(RecordKind::EmployeeNumber, number);
        match owner.await? {
            Some(owner) => self.employee(&owner.value).await.map(Some),
            None => Ok(None),
        }
    }

    /// Those whom a change concerns: the employee, whoever has an address or number that it names, whoever
    /// is to lead them with everybody above, and whoever has the id that a new employee would have.
    async fn concerned(
        &self,
        input: Option<&EmployeeInput>,
        id: Option<&EmployeeId>,
    ) -> Result<Workforce> {
        let unsaid = EmployeeInput::default();
        let input = input.unwrap_or(&unsaid);
        let mut ids: BTreeSet<EmployeeId> = id.cloned().into_iter().collect();
        let mut addresses: Vec<Address> = input.work_email.iter().cloned().collect();
        addresses.extend(input.other_emails.iter().flatten().cloned());
        let mut numbers: Vec<String> = input.number.iter().cloned().collect();
        if let Some(manager) = &input.manager {
            addresses.extend(Address::new(manager));
            ids.extend(EmployeeId::new(manager.as_str()));
            numbers.push(manager.clone());
        }
        let addresses = addresses.iter().map(ToString::to_string).collect();
        ids.extend(self.owners(RecordKind::EmployeeAddress, addresses).await?);
        ids.extend(self.owners(RecordKind::EmployeeNumber, numbers).await?);
        let found = self.read_keys(RecordKind::Employee, ids.iter().map(ToString::to_string));
        let mut workforce = Workforce::new(self.id().clone(), found.await?);
        if id.is_none()
            && let Some(address) = &input.work_email
        {
            self.add_namesakes(&mut workforce, address).await?;
        }
        if let Some(manager) = &input.manager {
            self.add_leaders(&mut workforce, manager).await?;
        }
        Ok(workforce)
    }

    /// Adds whoever got the id that somebody new with this address would get.
    async fn add_namesakes(&self, workforce: &mut Workforce, address: &Address) -> Result<()> {
        loop {
            let id = workforce.free_id(address);
            let Some(found) = self.read(RecordKind::Employee, id.as_str()).await? else {
                return Ok(());
            };
            workforce.add(found);
        }
    }

    /// Adds everybody above a manager.
    async fn add_leaders(&self, workforce: &mut Workforce, manager: &str) -> Result<()> {
        let mut seen = HashSet::new();
        let mut next = workforce.named(manager).and_then(|it| it.manager.clone());
        while let Some(id) = next.take().filter(|id| seen.insert(id.clone())) {
            if !workforce.by_id.contains_key(&id) {
                let Some(found) = self.read(RecordKind::Employee, id.as_str()).await? else {
                    return Ok(());
                };
                workforce.add(found);
            }
            let place = workforce.by_id[&id];
            next.clone_from(&workforce.rows[place].employee.manager);
        }
        Ok(())
    }

    /// Whose these addresses or numbers are, as far as they are anybody's.
    async fn owners(&self, kind: RecordKind, keys: Vec<String>) -> Result<Vec<EmployeeId>> {
        let found = self.read_keys::<EmployeeId>(kind, keys.into_iter()).await?;
        Ok(found.into_iter().map(|found| found.value).collect())
    }

    async fn read_keys<T: serde::de::DeserializeOwned>(
        &self,
        kind: RecordKind,
        keys: impl Iterator<Item = String>,
    ) -> Result<Vec<Versioned<T>>> {
        let keys: Vec<String> = keys.collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.read_all(Query::keys(kind, keys)).await
    }

    async fn guards(&self) -> Result<Guards> {
        let keys = vec![LEADERS.to_owned(), NUMBERED.to_owned()];
        let query = Query::keys(RecordKind::Control, keys);
        let found = self.store().query(self.id(), query).await?.records;
        let leaders = found.iter().find(|it| it.key == LEADERS);
        Ok(Guards {
            leaders: leaders.map_or(Expect::Absent, |it| Expect::Version(it.version)),
            is_numbered: found.iter().any(|it| it.key == NUMBERED),
        })
    }

    /// What writes the changes of a workforce.
    async fn written(
        &self,
        workforce: &Workforce,
        guards: &Guards,
        what: &str,
        actor: &Actor,
    ) -> Result<Commit> {
        let mut commit = Commit::default();
        let changed: Vec<&Row> = workforce.changed().collect();
        if changed.is_empty() {
            return Ok(commit);
        }
        for row in &changed {
            commit = commit.put(put_employee(&row.employee, row.expect)?);
            for put in self.events_of(row)? {
                commit = commit.put(put);
            }
        }
        let addresses = changed.iter().map(|row| {
            let now = row.employee.emails().map(Address::as_str);
            let before = row.emails_before.iter().map(Address::as_str);
            (&row.employee.id, before.collect(), now.collect())
        });
        commit
            .changes
            .extend(owners_changed(RecordKind::EmployeeAddress, addresses)?);
        // Where numbers have no records yet, everybody's get theirs: then nobody had one before.
        let rows = workforce.rows.iter();
        let numbers = rows
            .filter(|row| !guards.is_numbered || row.change != Changed::No)
            .map(|row| {
                let before = row.number_before.iter().filter(|_| guards.is_numbered);
                let now = row.employee.number.iter().map(String::as_str);
                (
                    &row.employee.id,
                    before.map(String::as_str).collect(),
                    now.collect(),
                )
            });
        commit
            .changes
            .extend(owners_changed(RecordKind::EmployeeNumber, numbers)?);
        let now = self.now();
        if !guards.is_numbered {
            commit = commit.put(guard(NUMBERED, &now, Expect::Absent)?);
        }
        if changed.iter().any(|row| row.is_led_otherwise()) {
            commit = commit.put(guard(LEADERS, &now, guards.leaders)?);
        }
        let mut facts = workforce.counts().facts();
        if let [only] = changed[..] {
            facts.insert("employee".to_owned(), json!(only.employee.id));
        }
        let entry = self.entry_by(what, actor, facts).await?;
        Ok(commit.append(entry))
    }
}

/// An employee, with what was theirs and what is to be.
type Owned<'a> = (&'a EmployeeId, Vec<&'a str>, Vec<&'a str>);

/// What writes whose addresses or numbers are. One that goes from one employee to another in this very
/// change is known to be free by the versions of both.
fn owners_changed<'a>(
    kind: RecordKind,
    owned: impl Iterator<Item = Owned<'a>>,
) -> Result<Vec<Change>> {
    let (mut freed, mut taken) = (BTreeSet::new(), BTreeMap::new());
    for (employee, before, now) in owned {
        let kept: HashSet<&str> = before.iter().copied().collect();
        freed.extend(before.into_iter().filter(|it| !now.contains(it)));
        taken.extend(
            now.into_iter()
                .filter(|it| !kept.contains(it))
                .map(|it| (it, employee)),
        );
    }
    let mut changes = Vec::with_capacity(taken.len());
    for (key, employee) in taken {
        let expect = if freed.remove(key) {
            Expect::Anything
        } else {
            Expect::Absent
        };
        changes.push(Change::Put(put_owner(kind, key, employee, expect)?));
    }
    changes.extend(freed.into_iter().map(|key| Change::Delete {
        kind,
        key: key.to_owned(),
        expect: Expect::Anything,
    }));
    Ok(changes)
}

fn guard(key: &'static str, now: &Timestamp, expect: Expect) -> Result<Put> {
    Ok(Put::new(RecordKind::Control, key, now)?.expect(expect))
}
