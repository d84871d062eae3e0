use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{Address, EmployeeId, TenantId};
use crate::error::{Error, Result};

/// A person in the workforce. Records are kept after somebody left.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Employee {
    /// The id, which never changes.
    pub id: EmployeeId,
    /// Whose employee.
    pub tenant: TenantId,
    /// The number the organisation gave, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// First name; may be empty where only a whole name is known.
    pub first_name: String,
    /// Last name, or the whole name.
    pub last_name: String,
    /// What they want to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_name: Option<String>,
    /// The address they sign in with. No two employees have the same.
    pub work_email: Address,
    /// Further addresses at work, by which accounts are found too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_emails: Vec<Address>,
    /// Telephone at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Title of the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// Department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Where they work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Whether they work from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<bool>,
    /// The time zone their days are counted in (`Europe/Berlin`); the tenant's where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Who leads them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<EmployeeId>,
    /// How they are employed.
    pub employment_type: EmploymentType,
    /// Where they stand.
    pub status: EmploymentStatus,
    /// When they were hired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hire_date: Option<Date>,
    /// The first day of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<Date>,
    /// The last day of work, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<Date>,
    /// What only Human Resources and they themselves may see; left out for everybody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<PrivateDetails>,
    /// Employments before this one, the earliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Employment>,
    /// Where the record came from: `csv`, `directory:<connector>` or `entered`.
    pub source: String,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What only Human Resources and the employee may see.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrivateDetails {
    /// The address at home, for letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_address: Option<String>,
    /// An e-mail address of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal_email: Option<Address>,
    /// Date of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<Date>,
}

/// An employment that ended, of somebody who came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Employment {
    /// When it began, where known.
    pub hire_date: Option<Date>,
    /// Its last day, where known.
    pub last_day: Option<Date>,
    /// How it ended.
    pub ended_as: EmploymentStatus,
}

/// Where an employee stands. A word invented later is kept as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmploymentStatus {
    /// At work.
    Active,
    /// Away for a while.
    OnLeave,
    /// Kept from work for now.
    Suspended,
    /// Was let go.
    Terminated,
    /// Left.
    Resigned,
    /// Another word.
    #[serde(untagged)]
    Other(String),
}

/// That somebody is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gone {
    /// Whether for good, as far as anybody knows; else for now.
    pub has_left: bool,
    /// By whose word, for people.
    pub reason: String,
}

/// How somebody leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leaving {
    /// Is let go.
    #[default]
    Terminated,
    /// Leaves.
    Resigned,
}

/// How somebody is employed. A word invented later is kept as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmploymentType {
    /// Full time.
    #[default]
    FullTime,
    /// Part time.
    PartTime,
    /// By contract.
    Contract,
    /// Intern.
    Intern,
    /// For a time.
    Temp,
    /// Another word.
    #[serde(untagged)]
    Other(String),
}

impl Employee {
    /// Stands where whoever asks may not see what is there.
    pub const WITHHELD: &'static str = "withheld";

    /// What people call them.
    pub fn display_name(&self) -> String {
        let first = self.preferred_name.as_deref().unwrap_or(&self.first_name);
        format!("{first} {}", self.last_name).trim().to_owned()
    }

    /// Every address by which their accounts are known.
    pub fn emails(&self) -> impl Iterator<Item = &Address> {
        std::iter::once(&self.work_email).chain(&self.other_emails)
    }

    /// Without what only Human Resources and they themselves may see.
    #[must_use]
    pub fn without_private(mut self) -> Self {
        self.private = None;
        self
    }

    /// Without how and since when they are employed, and whether they are about to leave. What cannot be
    /// left out is said to be [`WITHHELD`](Self::WITHHELD).
    #[must_use]
    pub fn without_employment(mut self) -> Self {
        self.number = None;
        self.employment_type = EmploymentType::Other(Self::WITHHELD.to_owned());
        self.status = EmploymentStatus::Other(Self::WITHHELD.to_owned());
        self.hire_date = None;
        self.start_date = None;
        self.last_day = None;
        self.earlier = Vec::new();
        self
    }
}

impl fmt::Debug for Employee {
    /// Leaves out names and addresses: `Debug` ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Employee")
            .field("id", &self.id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PrivateDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateDetails(…)")
    }
}

impl EmploymentStatus {
    /// The known words.
    pub const KNOWN: [&'static str; 5] =
        ["active", "on_leave", "suspended", "terminated", "resigned"];

    /// The stable name, or the other word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::OnLeave => "on_leave",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
            Self::Resigned => "resigned",
            Self::Other(word) => word,
        }
    }

    /// Whether they have left.
    pub const fn has_left(&self) -> bool {
        matches!(self, Self::Terminated | Self::Resigned)
    }
}

impl FromStr for EmploymentStatus {
    type Err = Error;

    /// One of the known words, however its parts are written: `On Leave` is `on_leave`.
    fn from_str(text: &str) -> Result<Self> {
        let word = snake(text);
        Ok(match word.as_str() {
            "active" => Self::Active,
            "on_leave" => Self::OnLeave,
            "suspended" => Self::Suspended,
            "terminated" => Self::Terminated,
            "resigned" => Self::Resigned,
            _ => {
                let known = Self::KNOWN.into_iter();
                return Err(crate::config::unknown_name("status", &word, known));
            }
        })
    }
}

impl From<Leaving> for EmploymentStatus {
    fn from(leaving: Leaving) -> Self {
        match leaving {
            Leaving::Terminated => Self::Terminated,
            Leaving::Resigned => Self::Resigned,
        }
    }
}

impl FromStr for Leaving {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match snake(text).as_str() {
            "terminated" => Ok(Self::Terminated),
            "resigned" => Ok(Self::Resigned),
            _ => Err(Error::invalid_input(
                "somebody leaves as `terminated` or as `resigned`",
            )),
        }
    }
}

impl EmploymentType {
    /// The stable name, or the other word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::FullTime => "full_time",
            Self::PartTime => "part_time",
            Self::Contract => "contract",
            Self::Intern => "intern",
            Self::Temp => "temp",
            Self::Other(word) => word,
        }
    }
}

impl FromStr for EmploymentType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let word = snake(text);
        Ok(match word.as_str() {
            "full_time" => Self::FullTime,
            "part_time" => Self::PartTime,
            "contract" => Self::Contract,
            "intern" => Self::Intern,
            "temp" => Self::Temp,
            _ => {
                let known = ["full_time", "part_time", "contract", "intern", "temp"];
                return Err(crate::config::unknown_name(
                    "employment type",
                    &word,
                    known.into_iter(),
                ));
            }
        })
    }
}

fn snake(text: &str) -> String {
    text.trim().to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_however_they_are_written_and_invented_ones_survive() {
        assert_eq!(
            "On Leave".parse::<EmploymentStatus>().unwrap(),
            EmploymentStatus::OnLeave
        );
        assert_eq!(
            "full-time".parse::<EmploymentType>().unwrap(),
            EmploymentType::FullTime
        );
        assert!("retired".parse::<EmploymentStatus>().is_err());
        let later: EmploymentStatus = serde_json::from_str("\"garden_leave\"").unwrap();
        assert_eq!(serde_json::to_string(&later).unwrap(), "\"garden_leave\"");
        assert!(!later.has_left());
    }
}
