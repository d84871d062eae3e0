//! Who is gone: employees who left or are suspended, and people of whom directories have nothing but
//! accounts that nobody can sign in with.

use std::collections::BTreeMap;

use super::Tenant;
use crate::error::Result;
use crate::model::{Account, AccountState, Address, Employee, EmploymentStatus, Gone};
use crate::store::{Query, RecordKind};

impl Tenant {
    /// Who is gone, by every address of theirs. The workforce has the last word where it knows somebody:
    /// whoever works there is not gone because an account of theirs is locked out.
    pub(super) async fn gone(&self) -> Result<BTreeMap<Address, Gone>> {
        let employees = self.read_all::<Employee>(Query::all(RecordKind::Employee));
        let employees = employees.await?.into_iter().map(|found| found.value);
        let accounts = self.read_all::<Account>(Query::all(RecordKind::Account));
        let accounts: Vec<_> = accounts.await?.into_iter().map(|it| it.value).collect();
        let mut gone = gone_from_directories(&accounts);
        for employee in employees {
            let standing = of_employee(&employee.status);
            for address in employee.emails() {
                match standing.clone() {
                    Some(standing) => gone.insert(address.clone(), standing),
                    None => gone.remove(address),
                };
            }
        }
        Ok(gone)
    }
}

fn of_employee(status: &EmploymentStatus) -> Option<Gone> {
    let has_left = status.has_left();
    (has_left || *status == EmploymentStatus::Suspended).then(|| Gone {
        has_left,
        reason: format!("the workforce has them as {}", status.as_str()),
    })
}

fn gone_from_directories(accounts: &[Account]) -> BTreeMap<Address, Gone> {
    let mut people: BTreeMap<&Address, Vec<&Account>> = BTreeMap::new();
    for account in accounts {
        if let Some(address) = &account.address {
            people.entry(address).or_default().push(account);
        }
    }
    let shut = |account: &&Account| {
        matches!(
            account.state,
            AccountState::Suspended | AccountState::Deleted
        )
    };
    people
        .into_iter()
        .filter(|(_, own)| own.iter().all(shut))
        .map(|(address, own)| {
            let has_left = own.iter().all(|it| it.state == AccountState::Deleted);
            let word = if has_left { "deleted" } else { "suspended" };
            let mut places: Vec<_> = own.iter().map(|it| it.provider.as_str()).collect();
            places.sort_unstable();
            places.dedup();
            let reason = format!("their accounts are {word} at {}", places.join(", "));
            (address.clone(), Gone { has_left, reason })
        })
        .collect()
}
