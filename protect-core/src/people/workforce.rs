//! Who works here. Every change is decided over the whole workforce, so that two people with one
//! address and managers in a circle are found before anything is written.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::input::{EmployeeInput, Wrong};
use super::records::{free_address, put_address, put_employee};
use crate::engine::{CONFLICT_RETRIES, Tenant, Versioned, check_reason, too_busy};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Actor, Address, Attributes, Employee, EmployeeId, Employment, EmploymentStatus, EmploymentType,
    TenantId,
};
use crate::store::{Commit, Expect, Query, RecordKind};

/// Which employees to list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EmployeeFilter {
    /// Where they stand; empty means anywhere.
    pub status: Vec<String>,
    /// Of this department.
    pub department: Option<String>,
    /// Whose name or address holds this text, whatever its case.
    pub text: Option<String>,
}

impl Tenant {
    /// The employees that the filter lets, in order of their names.
    ///
    /// # Errors
    /// `store`.
    pub async fn employees(&self, filter: &EmployeeFilter) -> Result<Vec<Employee>> {
        let states: Vec<&str> = filter.status.iter().map(String::as_str).collect();
        let query = Query::all(RecordKind::Employee).in_states(&states);
        let found = self.read_all::<Employee>(query).await?;
        let employees = found.into_iter().map(|found| found.value);
        let mut employees: Vec<_> = employees.filter(|it| filter.lets(it)).collect();
        let key = |it: &Employee| (it.last_name.to_lowercase(), it.first_name.to_lowercase());
        employees.sort_by_cached_key(|it| (key(it), it.id.clone()));
        Ok(employees)
    }

    /// One employee.
    ///
    /// # Errors
    /// `not_found`; `store`.
    pub async fn employee(&self, id: &EmployeeId) -> Result<Employee> {
        Ok(self.versioned_employee(id).await?.value)
    }

    /// The employee with this address, or `None`.
    ///
    /// # Errors
    /// `store`.
    pub async fn employee_by_email(&self, address: &Address) -> Result<Option<Employee>> {
        let key = address.as_str();
        let owner = self.read::<EmployeeId>(RecordKind::EmployeeAddress, key);
        match owner.await? {
            Some(owner) => self.employee(&owner.value).await.map(Some),
            None => Ok(None),
        }
    }

    /// The employee whom somebody means by an address, a number or an id.
    ///
    /// # Errors
    /// `not_found`; `store`.
    pub async fn find_employee(&self, who: &str) -> Result<Employee> {
        if let Ok(address) = Address::new(who) {
            let found = self.employee_by_email(&address).await?;
            return found.ok_or_else(nobody);
        }
        if let Ok(id) = EmployeeId::new(who) {
            return self.employee(&id).await;
        }
        let mut all = self.employees(&EmployeeFilter::default()).await?;
        all.retain(|employee| employee.number.as_deref() == Some(who));
        all.pop().ok_or_else(nobody)
    }

    /// The employees whom somebody leads.
    ///
    /// # Errors
    /// `store`.
    pub async fn team_of(&self, manager: &EmployeeId) -> Result<Vec<Employee>> {
        let query = Query::all(RecordKind::Employee).in_groups(vec![manager.to_string()]);
        let found = self.read_all(query).await?;
        Ok(found.into_iter().map(|found| found.value).collect())
    }

    /// Enters an employee. Where `rehire` says so, somebody who left comes back under the same id.
    ///
    /// # Errors
    /// `conflict` for an address that somebody has, and for somebody who left where `rehire` does not
    /// say so; `invalid_input`; `store`.
    pub async fn hire(
        &self,
        input: &EmployeeInput,
        rehire: bool,
        actor: &Actor,
    ) -> Result<Employee> {
        let taking = self.taking("entered", rehire);
        let place = self.change_workforce("employee.entered", actor, |workforce| {
            if !rehire && workforce.place_of(input).is_some() {
                let message = "there is an employee with this address or number";
                return Err(Wrong::new("work_email", ErrorKind::Conflict, message).into_error());
            }
            let place = workforce.take(input, &taking).map_err(Wrong::into_error)?;
            workforce.lead(place, input).map_err(Wrong::into_error)?;
            Ok(place)
        });
        place.await.map(|(employee, _)| employee)
    }

    /// Changes what is said of an employee.
    ///
    /// # Errors
    /// `not_found`; `conflict` for an address that somebody else has, and for managers in a circle;
    /// `refused` where it would let somebody leave: that is an offboarding; `store`.
    pub async fn update_employee(
        &self,
        id: &EmployeeId,
        input: &EmployeeInput,
        actor: &Actor,
    ) -> Result<Employee> {
        let taking = self.taking("entered", false);
        let changed = self.change_workforce("employee.changed", actor, |workforce| {
            let place = workforce.by_id.get(id).copied().ok_or_else(nobody)?;
            workforce
                .update(place, input, &taking)
                .map_err(Wrong::into_error)?;
            workforce.lead(place, input).map_err(Wrong::into_error)?;
            Ok(place)
        });
        changed.await.map(|(employee, _)| employee)
    }

    /// Says where an employee stands. Letting somebody leave by hand would end no access, so it is
    /// refused where no offboarding runs, unless `force` says why.
    ///
    /// # Errors
    /// `refused`; `not_found`; `invalid_input` for a reason that is empty or holds an address.
    pub async fn set_employee_status(
        &self,
        id: &EmployeeId,
        status: &EmploymentStatus,
        force: Option<&str>,
        actor: &Actor,
    ) -> Result<Employee> {
        if let Some(reason) = force {
            check_reason(reason)?;
        }
        let leaves = status.has_left() && !self.employee(id).await?.status.has_left();
        if leaves && force.is_none() && self.open_offboarding(id).await?.is_none() {
            return Err(self.refused(
                "nobody leaves without an offboarding, since access would stay: start one with `offboard`, or give a reason to force it",
            ));
        }
        let now = self.now();
        let what = if leaves && force.is_some() {
            "employee.left_by_force"
        } else {
            "employee.changed"
        };
        let changed = self.change_workforce(what, actor, |workforce| {
            let place = workforce.by_id.get(id).copied().ok_or_else(nobody)?;
            let row = &mut workforce.rows[place];
            if row.employee.status != *status {
                row.employee.status = status.clone();
                row.employee.updated_at = now;
                row.change = row.change.max(if leaves {
                    Changed::Left
                } else {
                    Changed::Updated
                });
            }
            Ok(place)
        });
        changed.await.map(|(employee, _)| employee)
    }

    pub(super) async fn versioned_employee(&self, id: &EmployeeId) -> Result<Versioned<Employee>> {
        let found = self.read(RecordKind::Employee, id.as_str()).await?;
        found.ok_or_else(nobody)
    }

    pub(super) fn taking(&self, source: &str, rehire: bool) -> Taking {
        Taking {
            source: source.to_owned(),
            rehire,
            now: self.now(),
        }
    }

    /// Decides a change over the whole workforce and writes it, with its events and one entry in the
    /// ledger, in one transaction. Gives the employee at the place that `change` gives, and counts.
    pub(super) async fn change_workforce(
        &self,
        what: &str,
        actor: &Actor,
        change: impl Fn(&mut Workforce) -> Result<usize> + Send + Sync,
    ) -> Result<(Employee, Counts)> {
        for _ in 0..CONFLICT_RETRIES {
            let mut workforce = self.workforce().await?;
            let place = change(&mut workforce)?;
            workforce.leads_nobody_in_a_circle()?;
            let employee = workforce.rows[place].employee.clone();
            let (commit, counts) = self.written(workforce, what, actor).await?;
            if commit.changes.is_empty() {
                return Ok((employee, counts));
            }
            match self.store().commit(self.id(), commit).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|_| (employee, counts)),
            }
        }
        Err(too_busy())
    }

    pub(super) async fn workforce(&self) -> Result<Workforce> {
        let found = self.read_all(Query::all(RecordKind::Employee)).await?;
        Ok(Workforce::new(self.id().clone(), found))
    }

    /// What writes the changes of a workforce.
    pub(super) async fn written(
        &self,
        workforce: Workforce,
        what: &str,
        actor: &Actor,
    ) -> Result<(Commit, Counts)> {
        let mut commit = Commit::default();
        let mut counts = Counts::default();
        let mut changed = Vec::new();
        for row in &workforce.rows {
            counts.add(row.change);
            if row.change == Changed::No {
                continue;
            }
            changed.push(row.employee.id.as_str());
            commit = commit.put(put_employee(&row.employee, row.expect)?);
            let is = |before: &[Address], address: &Address| before.contains(address);
            let now: Vec<Address> = row.employee.emails().cloned().collect();
            for address in now.iter().filter(|it| !is(&row.emails_before, it)) {
                commit = commit.put(put_address(address, &row.employee.id)?);
            }
            for address in row.emails_before.iter().filter(|it| !is(&now, it)) {
                commit.changes.push(free_address(address));
            }
            for put in self.events_of(row)? {
                commit = commit.put(put);
            }
        }
        if changed.is_empty() {
            return Ok((commit, counts));
        }
        let mut facts = counts.facts();
        if let [only] = changed[..] {
            facts.insert("employee".to_owned(), json!(only));
        }
        let entry = self.entry_by(what, actor, facts).await?;
        Ok((commit.append(entry), counts))
    }
}

impl EmployeeFilter {
    fn lets(&self, employee: &Employee) -> bool {
        let same =
            |one: &str, other: &str| one.trim().to_lowercase() == other.trim().to_lowercase();
        let department = self.department.as_deref().is_none_or(|wanted| {
            let own = employee.department.as_deref();
            own.is_some_and(|own| same(own, wanted))
        });
        let text = self.text.as_deref().map(str::to_lowercase);
        department
            && text.is_none_or(|text| {
                let name = format!("{} {}", employee.first_name, employee.last_name);
                employee.display_name().to_lowercase().contains(&text)
                    || name.to_lowercase().contains(&text)
                    || employee.emails().any(|it| it.as_str().contains(&text))
            })
    }
}

/// How inputs are taken.
pub(super) struct Taking {
    pub(super) source: String,
    /// Whether somebody who left may come back.
    pub(super) rehire: bool,
    pub(super) now: Timestamp,
}

/// What became of an employee. The later ones count where there are several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Changed {
    #[default]
    No,
    Updated,
    /// Entered as somebody who works here.
    Hired,
    /// Came back.
    Rehired,
    /// Left.
    Left,
}

/// How many employees came to what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) hired: u64,
    pub(super) rehired: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
}

/// An employee on the way to the store.
pub(super) struct Row {
    pub(super) employee: Employee,
    expect: Expect,
    pub(super) change: Changed,
    emails_before: Vec<Address>,
}

/// Everybody, with what finds them.
pub(super) struct Workforce {
    tenant: TenantId,
    pub(super) rows: Vec<Row>,
    by_id: HashMap<EmployeeId, usize>,
    by_address: HashMap<Address, usize>,
    by_number: HashMap<String, usize>,
}

impl Workforce {
    fn new(tenant: TenantId, found: Vec<Versioned<Employee>>) -> Self {
        let mut workforce = Self {
            tenant,
            rows: Vec::with_capacity(found.len()),
            by_id: HashMap::new(),
            by_address: HashMap::new(),
            by_number: HashMap::new(),
        };
        for found in found {
            let expect = found.expect();
            let employee = found.value;
            let place = workforce.rows.len();
            let emails_before: Vec<Address> = employee.emails().cloned().collect();
            for address in &emails_before {
                workforce.by_address.insert(address.clone(), place);
            }
            if let Some(number) = &employee.number {
                workforce.by_number.insert(number.clone(), place);
            }
            workforce.by_id.insert(employee.id.clone(), place);
            workforce.rows.push(Row {
                employee,
                expect,
                change: Changed::No,
                emails_before,
            });
        }
        workforce
    }

    /// Whom an input is about, where they are known.
    pub(super) fn place_of(&self, input: &EmployeeInput) -> Option<usize> {
        let number = input.number.as_ref();
        let known = number.and_then(|number| self.by_number.get(number));
        let address = input.work_email.as_ref();
        known.or_else(|| self.by_address.get(address?)).copied()
    }

    /// Enters or updates whom the input is about. Managers come after, by [`Self::lead`].
    pub(super) fn take(&mut self, input: &EmployeeInput, how: &Taking) -> Result<usize, Wrong> {
        if let Some(place) = self.place_of(input) {
            self.update(place, input, how)?;
            return Ok(place);
        }
        let Some(address) = input.work_email.clone() else {
            let message = "an address at work is needed";
            return Err(Wrong::new("work_email", ErrorKind::InvalidInput, message));
        };
        let status = input.status.clone().unwrap_or(EmploymentStatus::Active);
        let mut employee = Employee {
            id: self.free_id(&address),
            tenant: self.tenant.clone(),
            number: None,
            first_name: String::new(),
            last_name: String::new(),
            preferred_name: None,
            work_email: address.clone(),
            other_emails: Vec::new(),
            phone: None,
            job_title: None,
            department: None,
            location: None,
            remote: None,
            time_zone: None,
            manager: None,
            employment_type: EmploymentType::default(),
            status,
            hire_date: None,
            start_date: None,
            last_day: None,
            private: None,
            earlier: Vec::new(),
            source: how.source.clone(),
            updated_at: how.now,
        };
        input.write(&mut employee)?;
        let place = self.rows.len();
        let change = if employee.status.has_left() {
            Changed::Updated
        } else {
            Changed::Hired
        };
        self.by_id.insert(employee.id.clone(), place);
        self.rows.push(Row {
            employee,
            expect: Expect::Absent,
            change,
            emails_before: Vec::new(),
        });
        self.own("work_email", &address, place)?;
        self.index(place, input)?;
        Ok(place)
    }

    /// Writes an input over an employee.
    pub(super) fn update(
        &mut self,
        place: usize,
        input: &EmployeeInput,
        how: &Taking,
    ) -> Result<(), Wrong> {
        if let (Some(address), Some(number)) = (&input.work_email, &input.number) {
            let owner = self.by_address.get(address).copied();
            let other = self.rows[place].employee.number.as_ref();
            if owner == Some(place) && other.is_some_and(|other| other != number) {
                let message = "two people with one address: an employee with another number has it";
                return Err(Wrong::new("work_email", ErrorKind::Conflict, message));
            }
        }
        let before = self.rows[place].employee.clone();
        let mut employee = before.clone();
        let mut change = Changed::Updated;
        let asked = input.status.as_ref();
        let stays_away = asked.is_some_and(EmploymentStatus::has_left);
        if before.status.has_left() && !stays_away {
            if !how.rehire {
                let message = "a rehire: this employee left before; say that they come back (`rehire`), or leave the status as it is";
                return Err(Wrong::new("status", ErrorKind::Conflict, message));
            }
            employee.earlier.push(Employment {
                hire_date: before.hire_date,
                last_day: before.last_day,
                ended_as: before.status.clone(),
            });
            employee.hire_date = None;
            employee.start_date = None;
            employee.last_day = None;
            employee.status = EmploymentStatus::Active;
            change = Changed::Rehired;
        }
        if !before.status.has_left() && stays_away {
            let message = "nobody leaves without an offboarding, since access would stay: start one with `offboard`";
            return Err(Wrong::new("status", ErrorKind::Refused, message));
        }
        if let Some(status) = asked {
            employee.status = status.clone();
        }
        input.write(&mut employee)?;
        if let Some(address) = &input.work_email {
            self.own("work_email", address, place)?;
            if employee.work_email != *address {
                self.by_address.remove(&employee.work_email);
                employee.work_email = address.clone();
            }
        }
        self.rows[place].employee = employee;
        self.index(place, input)?;
        let row = &mut self.rows[place];
        if row.employee != before {
            row.employee.updated_at = how.now;
            row.change = row.change.max(change);
        }
        Ok(())
    }

    /// Sets the manager that an input names; everybody must be known by then.
    pub(super) fn lead(&mut self, place: usize, input: &EmployeeInput) -> Result<(), Wrong> {
        let Some(who) = &input.manager else {
            return Ok(());
        };
        let by_address = || self.by_address.get(&Address::new(who).ok()?);
        let by_id = || self.by_id.get(&EmployeeId::new(who.clone()).ok()?);
        let manager = by_address()
            .or_else(|| self.by_number.get(who))
            .or_else(by_id);
        let Some(manager) = manager else {
            let message = "no employee has this address, number or id";
            return Err(Wrong::new("manager", ErrorKind::NotFound, message));
        };
        let manager = self.rows[*manager].employee.id.clone();
        let row = &mut self.rows[place];
        if row.employee.manager.as_ref() != Some(&manager) {
            row.employee.manager = Some(manager);
            row.change = row.change.max(Changed::Updated);
        }
        Ok(())
    }

    /// Somebody who, over their managers, leads themselves; `None` where nobody does.
    pub(super) fn in_a_circle(&self) -> Option<usize> {
        let mut seen = vec![0; self.rows.len()];
        for start in 0..self.rows.len() {
            let mut at = Some(start);
            while let Some(place) = at.filter(|place| seen[*place] == 0) {
                seen[place] = start + 1;
                let manager = self.rows[place].employee.manager.as_ref();
                at = manager.and_then(|id| self.by_id.get(id)).copied();
            }
            if at.is_some_and(|place| seen[place] == start + 1) {
                return at;
            }
        }
        None
    }

    fn leads_nobody_in_a_circle(&self) -> Result<()> {
        match self.in_a_circle() {
            None => Ok(()),
            Some(place) => {
                let id = self.rows[place].employee.id.as_str();
                let wrong = Wrong::new("manager", ErrorKind::Conflict, CIRCLE);
                Err(wrong.into_error().with_context("employee", id))
            }
        }
    }

    fn index(&mut self, place: usize, input: &EmployeeInput) -> Result<(), Wrong> {
        if let Some(number) = &input.number {
            let owner = *self.by_number.entry(number.clone()).or_insert(place);
            if owner != place {
                let message = "two people with one number";
                return Err(Wrong::new("number", ErrorKind::Conflict, message));
            }
        }
        if let Some(others) = &input.other_emails {
            let own = self.rows[place].employee.work_email.clone();
            let mut seen = HashSet::from([own]);
            let others: Vec<Address> = others
                .iter()
                .filter(|address| seen.insert((*address).clone()))
                .cloned()
                .collect();
            for address in &others {
                self.own("other_emails", address, place)?;
            }
            let gone = std::mem::replace(&mut self.rows[place].employee.other_emails, others);
            for address in gone.iter().filter(|address| !seen.contains(*address)) {
                self.by_address.remove(address);
            }
        }
        Ok(())
    }

    fn own(&mut self, field: &'static str, address: &Address, place: usize) -> Result<(), Wrong> {
        let owner = *self.by_address.entry(address.clone()).or_insert(place);
        if owner == place {
            return Ok(());
        }
        let message = "two people with one address: another employee has it";
        Err(Wrong::new(field, ErrorKind::Conflict, message))
    }

    fn free_id(&self, address: &Address) -> EmployeeId {
        let mut generation = 1;
        loop {
            let id = EmployeeId::of(&self.tenant, address, generation);
            if !self.by_id.contains_key(&id) {
                return id;
            }
            generation += 1;
        }
    }
}

impl Counts {
    fn add(&mut self, change: Changed) {
        match change {
            Changed::No => self.unchanged += 1,
            Changed::Updated | Changed::Left => self.updated += 1,
            Changed::Hired => self.hired += 1,
            Changed::Rehired => self.rehired += 1,
        }
    }

    fn facts(self) -> Attributes {
        let mut facts = Attributes::new();
        for (name, count) in [
            ("hired", self.hired),
            ("rehired", self.rehired),
            ("updated", self.updated),
        ] {
            if count > 0 {
                facts.insert(name.to_owned(), json!(count));
            }
        }
        facts
    }
}

/// What is wrong with managers in a circle.
pub(super) const CIRCLE: &str =
    "managers in a circle: over their managers, this employee would lead themselves";

pub(super) fn nobody() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "no such employee; give an address, a number or an id",
    )
}
