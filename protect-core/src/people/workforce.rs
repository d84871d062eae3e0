//! Who works here: finding people, entering them and changing what is said of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::Concerned;
use super::input::{EmployeeInput, Wrong};
use super::register::{Changed, Taking};
use super::role::{PeopleOperation, PeopleRole};
use crate::engine::{Tenant, Versioned, check_reason};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Actor, Address, Employee, EmployeeId, EmploymentStatus};
use crate::store::{Query, RecordKind};

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
        self.employee_by_number(who).await?.ok_or_else(nobody)
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
        PeopleRole::need(actor, PeopleOperation::EditDirectory)?;
        let taking = self.taking("entered", rehire);
        let concerned = Concerned::Named(input, None);
        let place = self.change_workforce("employee.entered", actor, concerned, |workforce| {
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
        PeopleRole::need(actor, PeopleOperation::EditDirectory)?;
        let taking = self.taking("entered", false);
        let concerned = Concerned::Named(input, Some(id));
        let changed = self.change_workforce("employee.changed", actor, concerned, |workforce| {
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
        PeopleRole::need(actor, PeopleOperation::EditDirectory)?;
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
        let changed = self.change_workforce(what, actor, Concerned::One(id), |workforce| {
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

pub(super) fn nobody() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "no such employee; give an address, a number or an id",
    )
}
