//! Everybody whom a change may concern, on the way to the store: who is meant, what changes, and what cannot be.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::json;

use super::input::{EmployeeInput, Wrong};
use crate::engine::Versioned;
use crate::error::{ErrorKind, Result};
use crate::model::{
    Address, Attributes, Employee, EmployeeId, Employment, EmploymentStatus, EmploymentType,
    TenantId,
};
use crate::store::Expect;

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
}

/// An employee on the way to the store.
pub(super) struct Row {
    pub(super) employee: Employee,
    pub(super) expect: Expect,
    pub(super) change: Changed,
    pub(super) emails_before: Vec<Address>,
    pub(super) number_before: Option<String>,
    manager_before: Option<EmployeeId>,
}

/// Everybody whom a change may concern, with what finds them.
pub(super) struct Workforce {
    tenant: TenantId,
    pub(super) rows: Vec<Row>,
    pub(super) by_id: HashMap<EmployeeId, usize>,
    by_address: HashMap<Address, usize>,
    by_number: HashMap<String, usize>,
}

impl Workforce {
    pub(super) fn new(tenant: TenantId, found: Vec<Versioned<Employee>>) -> Self {
        let mut workforce = Self {
            tenant,
            rows: Vec::with_capacity(found.len()),
            by_id: HashMap::new(),
            by_address: HashMap::new(),
            by_number: HashMap::new(),
        };
        for found in found {
            workforce.add(found);
        }
        workforce
    }

    /// Adds somebody who is not there yet.
    pub(super) fn add(&mut self, found: Versioned<Employee>) {
        let expect = found.expect();
        let employee = found.value;
        let place = self.rows.len();
        let emails_before: Vec<Address> = employee.emails().cloned().collect();
        for address in &emails_before {
            self.by_address.insert(address.clone(), place);
        }
        if let Some(number) = &employee.number {
            self.by_number.insert(number.clone(), place);
        }
        self.by_id.insert(employee.id.clone(), place);
        self.rows.push(Row {
            number_before: employee.number.clone(),
            manager_before: employee.manager.clone(),
            employee,
            expect,
            change: Changed::No,
            emails_before,
        });
    }

    /// Those of whom something else is to be known.
    pub(super) fn changed(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.change != Changed::No)
    }

    /// How many came to what.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for row in &self.rows {
            counts.add(row.change);
        }
        counts
    }

    /// Who has a number.
    pub(super) fn numbered(&self, number: &str) -> Option<&Employee> {
        let place = self.by_number.get(number)?;
        Some(&self.rows[*place].employee)
    }

    /// Whom an input is about, where they are known.
    pub(super) fn place_of(&self, input: &EmployeeInput) -> Option<usize> {
        let number = input.number.as_ref();
        let known = number.and_then(|number| self.by_number.get(number));
        let address = input.work_email.as_ref();
        known.or_else(|| self.by_address.get(address?)).copied()
    }

    /// Whom an address, a number or an id means.
    pub(super) fn named(&self, who: &str) -> Option<&Employee> {
        let by_address = || self.by_address.get(&Address::new(who).ok()?);
        let by_id = || self.by_id.get(&EmployeeId::new(who.to_owned()).ok()?);
        let place = by_address()
            .or_else(|| self.by_number.get(who))
            .or_else(by_id)?;
        Some(&self.rows[*place].employee)
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
            number_before: None,
            manager_before: None,
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
        let Some(manager) = self.named(who).map(|it| it.id.clone()) else {
            let message = "no employee has this address, number or id";
            return Err(Wrong::new("manager", ErrorKind::NotFound, message));
        };
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

    pub(super) fn leads_nobody_in_a_circle(&self) -> Result<()> {
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

    /// The id of somebody new with this address.
    pub(super) fn free_id(&self, address: &Address) -> EmployeeId {
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

impl Row {
    /// Whether somebody who was known gets another manager.
    pub(super) fn is_led_otherwise(&self) -> bool {
        self.expect != Expect::Absent && self.employee.manager != self.manager_before
    }
}

impl Counts {
    fn add(&mut self, change: Changed) {
        match change {
            Changed::No => {}
            Changed::Updated | Changed::Left => self.updated += 1,
            Changed::Hired => self.hired += 1,
            Changed::Rehired => self.rehired += 1,
        }
    }

    pub(super) fn facts(self) -> Attributes {
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
