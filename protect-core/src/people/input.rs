//! What somebody says about an employee: what is left out stays as it is.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Address, Employee, EmploymentStatus, EmploymentType, PrivateDetails};

/// What is said about an employee. What is left out stays as it is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EmployeeInput {
    /// The number the organisation gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// First name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name, or the whole name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// What they want to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_name: Option<String>,
    /// The address they sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_email: Option<Address>,
    /// Further addresses at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_emails: Option<Vec<Address>>,
    /// Telephone at work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Title of the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// Department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Where they work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Whether they work from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<bool>,
    /// The time zone their days are counted in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Who leads them: an address, a number or an id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// How they are employed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employment_type: Option<EmploymentType>,
    /// Where they stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<EmploymentStatus>,
    /// When they were hired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hire_date: Option<Date>,
    /// The first day of work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Date>,
    /// The last day of work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_day: Option<Date>,
    /// The address at home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_address: Option<String>,
    /// An e-mail address of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_email: Option<Address>,
    /// Date of birth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<Date>,
}

/// Something wrong with one field.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) field: &'static str,
    pub(super) error: Error,
}

impl Wrong {
    pub(super) fn new(field: &'static str, kind: ErrorKind, message: &str) -> Self {
        let error = Error::new(kind, message);
        Self { field, error }
    }

    pub(super) fn into_error(self) -> Error {
        self.error.with_context("field", self.field)
    }
}

/// A field that is written as text, as in a CSV file. Empty text says nothing.
///
/// # Errors
/// `invalid_input` for text that is none of what belongs there; `unsupported` for another name.
pub(super) fn set_text(input: &mut EmployeeInput, field: &str, text: &str) -> Result<()> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(());
    }
    let own = || Some(text.to_owned());
    match field {
        "number" => input.number = own(),
        "first_name" => input.first_name = own(),
        "last_name" => input.last_name = own(),
        "preferred_name" => input.preferred_name = own(),
        "work_email" => input.work_email = Some(Address::new(text)?),
        "other_emails" => {
            let parts = text.split([';', ' ']).filter(|part| !part.is_empty());
            input.other_emails = Some(parts.map(Address::new).collect::<Result<_>>()?);
        }
        "phone" => input.phone = own(),
        "job_title" => input.job_title = own(),
        "department" => input.department = own(),
        "location" => input.location = own(),
        "remote" => input.remote = Some(yes_or_no(text)?),
        "time_zone" => input.time_zone = own(),
        "manager" => input.manager = own(),
        "employment_type" => input.employment_type = Some(text.parse()?),
        "status" => input.status = Some(text.parse()?),
        "hire_date" => input.hire_date = Some(date(text)?),
        "start_date" => input.start_date = Some(date(text)?),
        "last_day" => input.last_day = Some(date(text)?),
        "home_address" => input.home_address = own(),
        "personal_email" => input.personal_email = Some(Address::new(text)?),
        "date_of_birth" => input.date_of_birth = Some(date(text)?),
        _ => {
            return Err(Error::new(ErrorKind::Unsupported, "no such field"));
        }
    }
    Ok(())
}

/// The columns of a list of employees, in the order in which they are exported, each with other names
/// that it goes by.
pub(super) const FIELDS: &[(&str, &[&str])] = &[
    ("number", &["employee_id", "employee_number", "id"]),
    ("first_name", &["given_name"]),
    ("last_name", &["surname", "family_name", "name"]),
    ("preferred_name", &[]),
    ("work_email", &["email", "address", "login"]),
    ("other_emails", &["aliases"]),
    ("phone", &[]),
    ("job_title", &["title"]),
    ("department", &[]),
    ("location", &[]),
    ("remote", &[]),
    ("time_zone", &[]),
    ("manager", &["manager_email"]),
    ("employment_type", &["type"]),
    ("status", &["employment_status"]),
    ("hire_date", &[]),
    ("start_date", &[]),
    ("last_day", &[]),
    ("home_address", &[]),
    ("personal_email", &[]),
    ("date_of_birth", &[]),
];

/// The columns that only Human Resources may see.
pub(super) const PRIVATE_FIELDS: [&str; 3] = ["home_address", "personal_email", "date_of_birth"];

impl EmployeeInput {
    /// Writes what is said, but for addresses, manager and status, which are looked at first.
    pub(super) fn write(&self, employee: &mut Employee) -> Result<(), Wrong> {
        if let Some(name) = &self.time_zone
            && TimeZone::get(name).is_err()
        {
            let message = "not a time zone: write it like Europe/Berlin";
            return Err(Wrong::new("time_zone", ErrorKind::InvalidInput, message));
        }
        let copy = |to: &mut Option<String>, from: &Option<String>| {
            if from.is_some() {
                to.clone_from(from);
            }
        };
        copy(&mut employee.number, &self.number);
        copy(&mut employee.preferred_name, &self.preferred_name);
        copy(&mut employee.phone, &self.phone);
        copy(&mut employee.job_title, &self.job_title);
        copy(&mut employee.department, &self.department);
        copy(&mut employee.location, &self.location);
        copy(&mut employee.time_zone, &self.time_zone);
        if let Some(name) = &self.first_name {
            employee.first_name.clone_from(name);
        }
        if let Some(name) = &self.last_name {
            employee.last_name.clone_from(name);
        }
        employee.remote = self.remote.or(employee.remote);
        employee.hire_date = self.hire_date.or(employee.hire_date);
        employee.start_date = self.start_date.or(employee.start_date);
        employee.last_day = self.last_day.or(employee.last_day);
        if let Some(kind) = &self.employment_type {
            employee.employment_type = kind.clone();
        }
        let has_private = self.home_address.is_some()
            || self.personal_email.is_some()
            || self.date_of_birth.is_some();
        if has_private {
            let private = employee.private.get_or_insert_with(PrivateDetails::default);
            copy(&mut private.home_address, &self.home_address);
            if self.personal_email.is_some() {
                private.personal_email.clone_from(&self.personal_email);
            }
            private.date_of_birth = self.date_of_birth.or(private.date_of_birth);
        }
        if employee.first_name.is_empty() && employee.last_name.is_empty() {
            let message = "a name is needed";
            return Err(Wrong::new("last_name", ErrorKind::InvalidInput, message));
        }
        Ok(())
    }
}

impl std::fmt::Debug for EmployeeInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EmployeeInput(…)")
    }
}

pub(super) fn date(text: &str) -> Result<Date> {
    text.parse()
        .map_err(|_| Error::invalid_input("not a day: write it as 2026-11-30"))
}

fn yes_or_no(text: &str) -> Result<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(Error::invalid_input("write `yes` or `no`")),
    }
}
