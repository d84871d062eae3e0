//! What employees change themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::Concerned;
use super::register::Changed;
use super::role::PeopleOperation;
use super::workforce::nobody;
use crate::engine::Tenant;
use crate::error::{Error, Result};
use crate::model::{Actor, Address, Employee, EmployeeId, PrivateDetails};

/// The longest text that is taken, in characters.
const LONGEST: usize = 200;

/// What somebody says of themselves. What is left out stays as it is, and empty text takes it away.
///
/// The time zone is not among it: by it the day ends on which access does.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileEdit {
    /// What they want to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_name: Option<String>,
    /// Telephone at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The address at home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_address: Option<String>,
    /// An e-mail address of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_email: Option<String>,
}

impl Tenant {
    /// Changes what an employee may change themselves.
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `invalid_input` naming the field; `store`.
    pub async fn update_profile(
        &self,
        id: &EmployeeId,
        edit: &ProfileEdit,
        actor: &Actor,
    ) -> Result<Employee> {
        let employee = self.employee(id).await?;
        self.may(actor, PeopleOperation::EditOwnProfile, &employee)
            .await?;
        let now = self.now();
        let (what, concerned) = ("employee.profile_changed", Concerned::One(id));
        let changed = self.change_workforce(what, actor, concerned, |workforce| {
            let place = workforce.by_id.get(id).copied().ok_or_else(nobody)?;
            let row = &mut workforce.rows[place];
            let mut edited = row.employee.clone();
            edit.write(&mut edited)?;
            if edited != row.employee {
                edited.updated_at = now;
                row.employee = edited;
                row.change = row.change.max(Changed::Updated);
            }
            Ok(place)
        });
        changed.await.map(|(employee, _)| employee)
    }
}

impl ProfileEdit {
    fn write(&self, employee: &mut Employee) -> Result<()> {
        let mut private = employee.private.take().unwrap_or_default();
        let mut personal = private.personal_email.as_ref().map(ToString::to_string);
        for (field, said, to) in [
            (
                "preferred_name",
                &self.preferred_name,
                &mut employee.preferred_name,
            ),
            ("phone", &self.phone, &mut employee.phone),
            (
                "home_address",
                &self.home_address,
                &mut private.home_address,
            ),
            ("personal_email", &self.personal_email, &mut personal),
        ] {
            if let Some(text) = said {
                *to = said_of(field, text.trim())?;
            }
        }
        let read = |text: String| {
            Address::new(text).map_err(|error| error.with_context("field", "personal_email"))
        };
        private.personal_email = personal.map(read).transpose()?;
        employee.private = Some(private).filter(|it| *it != PrivateDetails::default());
        Ok(())
    }
}

/// What is to stand in a field; nothing for empty text.
fn said_of(field: &'static str, text: &str) -> Result<Option<String>> {
    let wrong = |message: &str| Err(Error::invalid_input(message).with_context("field", field));
    if text.chars().count() > LONGEST {
        return wrong("too long: 200 characters are the most");
    }
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\r')
    {
        return wrong("it holds a character that cannot be shown");
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

impl std::fmt::Debug for ProfileEdit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProfileEdit(…)")
    }
}
