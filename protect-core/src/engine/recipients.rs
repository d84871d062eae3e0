//! Whom a notice goes to, where a rule says who somebody is instead of an address.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Tenant;
use crate::error::Result;
use crate::model::{Address, Attributes, Employee, EmployeeId, Finding};
use crate::store::RecordKind;

/// The parameter of a notice that names who gets it.
const TO: &str = "to";

/// In it, whoever leads the person concerned.
const MANAGER: &str = "manager";

impl Tenant {
    /// Puts the addresses of managers in the place of the word, and says in the text where none is known.
    /// A notice that is left without a recipient goes to the connector's own.
    pub(super) async fn name_recipients(
        &self,
        data: &mut Attributes,
        body: &mut String,
        findings: &[Finding],
    ) -> Result<()> {
        let Some(Value::Array(to)) = data.get(TO) else {
            return Ok(());
        };
        let (asked, mut to): (Vec<_>, Vec<_>) =
            to.iter().cloned().partition(|name| name == MANAGER);
        if asked.is_empty() {
            return Ok(());
        }
        let managers = self.managers_of(findings).await?;
        if managers.is_empty() {
            body.push_str("\n\nNo manager of who is concerned is known.");
        }
        for manager in &managers {
            let manager = Value::from(manager.as_str());
            if !to.contains(&manager) {
                to.push(manager);
            }
        }
        if to.is_empty() {
            data.remove(TO);
        } else {
            data.insert(TO.to_owned(), to.into());
        }
        Ok(())
    }

    /// The addresses at work of those who lead the people that findings are about.
    async fn managers_of(&self, findings: &[Finding]) -> Result<BTreeSet<Address>> {
        let people = self.people().await?;
        let mut managers = BTreeSet::new();
        for finding in findings {
            let Some(address) = people.address_of(&finding.observation.subject) else {
                continue;
            };
            if let Some(manager) = self.manager_at(&address).await? {
                managers.insert(manager);
            }
        }
        Ok(managers)
    }

    /// Who leads the employee with this address, where they still work here.
    async fn manager_at(&self, address: &Address) -> Result<Option<Address>> {
        let key = address.as_str();
        let id = self.read::<EmployeeId>(RecordKind::EmployeeAddress, key);
        let Some(id) = id.await? else {
            return Ok(None);
        };
        let employee = self.employee_with(&id.value).await?;
        let Some(manager) = employee.and_then(|employee| employee.manager) else {
            return Ok(None);
        };
        let manager = self.employee_with(&manager).await?;
        let there = manager.filter(|manager| !manager.status.has_left());
        Ok(there.map(|manager| manager.work_email))
    }

    async fn employee_with(&self, id: &EmployeeId) -> Result<Option<Employee>> {
        let found = self.read::<Employee>(RecordKind::Employee, id.as_str());
        Ok(found.await?.map(|found| found.value))
    }
}
