//! The workforce from directories that were read: accounts whose address nobody has become employees,
//! and what a directory says of a known one is filled in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::Concerned;
use super::input::{EmployeeInput, Wrong};
use super::role::{PeopleOperation, PeopleRole};
use crate::engine::Tenant;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Account, AccountState, Actor, Attributes, ConnectorName};

/// What taking over a directory came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Synced {
    /// Employees who are new.
    pub hired: u64,
    /// Employees of whom something else is known now.
    pub updated: u64,
    /// Accounts that belong to employees, of whom nothing new is known.
    pub unchanged: u64,
    /// Accounts that are nobody's: without an address, suspended, a guest's or a service's.
    pub left_out: u64,
    /// Accounts of employees who left. They are still there, and were not touched.
    pub of_leavers: u64,
}

impl Tenant {
    /// Takes the accounts that a connector's directory last gave into the workforce, matched by
    /// address. A directory never lets anybody leave: an account that is gone may have many causes.
    ///
    /// # Errors
    /// `not_found` for an unknown connector; `unsupported` for one that lists no accounts; `store`.
    pub async fn sync_employees(&self, connector: &ConnectorName, actor: &Actor) -> Result<Synced> {
        PeopleRole::need(actor, PeopleOperation::EditDirectory)?;
        if self.connector(connector)?.as_directory().is_none() {
            let message = "this connector lists no accounts";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_context("connector", connector.as_str()));
        }
        let accounts = self.accounts().await?.into_iter();
        let own: Vec<Account> = accounts
            .filter(|it| it.reference.connector == *connector)
            .filter(|it| it.state != AccountState::Deleted)
            .collect();
        let mut synced = Synced::default();
        let mut people = Vec::new();
        let workforce = self.workforce().await?;
        for account in &own {
            let Some(input) = person(account) else {
                synced.left_out += 1;
                continue;
            };
            match workforce.place_of(&input) {
                Some(place) if workforce.rows[place].employee.status.has_left() => {
                    synced.of_leavers += 1;
                }
                None if account.state != AccountState::Active => synced.left_out += 1,
                _ => people.push(input),
            }
        }
        if people.is_empty() {
            return Ok(synced);
        }
        let taking = self.taking(&format!("directory:{connector}"), false);
        let (_, counts) = self
            .change_workforce(
                "employees.synced",
                actor,
                Concerned::Everybody,
                |workforce| {
                    let mut last = 0;
                    for input in &people {
                        let known = workforce.place_of(input);
                        // What people said weighs more than what a directory shows.
                        let input = match known {
                            Some(place) => only_new(input, &workforce.rows[place].employee),
                            None => input.clone(),
                        };
                        last = match known {
                            Some(place) => workforce.update(place, &input, &taking).map(|()| place),
                            None => workforce.take(&input, &taking),
                        }
                        .map_err(Wrong::into_error)?;
                    }
                    Ok(last)
                },
            )
            .await?;
        synced.hired = counts.hired;
        synced.updated = counts.updated;
        synced.unchanged = (people.len() as u64).saturating_sub(counts.hired + counts.updated);
        Ok(synced)
    }
}

/// What an account says of a person; `None` where it is nobody's.
fn person(account: &Account) -> Option<EmployeeInput> {
    let address = account.address.clone()?;
    let text = |name: &str| text(&account.attributes, name);
    let is_guest = text("user_type").is_some_and(|kind| kind.eq_ignore_ascii_case("guest"));
    let is_service = account.protection == Some(crate::model::Protection::ServiceAccount);
    if is_guest || is_service {
        return None;
    }
    let name = account.display_name.trim();
    let (first, last) = name.rsplit_once(' ').unwrap_or(("", name));
    let last = if last.is_empty() {
        address.local_part()
    } else {
        last
    };
    Some(EmployeeInput {
        first_name: Some(first.to_owned()),
        last_name: Some(last.to_owned()),
        work_email: Some(address),
        job_title: text("job_title"),
        department: text("department"),
        number: text("employee_id"),
        ..EmployeeInput::default()
    })
}

/// What is not known yet of an employee.
fn only_new(input: &EmployeeInput, employee: &crate::model::Employee) -> EmployeeInput {
    let new =
        |said: &Option<String>, known: &Option<String>| said.clone().filter(|_| known.is_none());
    EmployeeInput {
        job_title: new(&input.job_title, &employee.job_title),
        department: new(&input.department, &employee.department),
        number: new(&input.number, &employee.number),
        ..EmployeeInput::default()
    }
}

fn text(attributes: &Attributes, name: &str) -> Option<String> {
    attributes
        .get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
}
