use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actor::Actor;
use super::id::{EmployeeId, TenantId, TimeOffId};
use crate::error::{Error, Result};

/// Somebody is away, or asks to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimeOff {
    /// The id.
    pub id: TimeOffId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who is away.
    pub employee: EmployeeId,
    /// Of which sort.
    pub leave_type: LeaveType,
    /// The first day, where the employee works.
    pub start_date: Date,
    /// The last day.
    pub end_date: Date,
    /// Whether the first day begins at noon.
    pub from_noon: bool,
    /// Whether the last day ends at noon.
    pub until_noon: bool,
    /// How many hours of the balance it takes, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<f64>,
    /// Where it stands.
    pub status: TimeOffStatus,
    /// Who asked.
    pub requested_by: Actor,
    /// When.
    pub requested_at: Timestamp,
    /// Who approved, denied or cancelled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Actor>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// What they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Of which sort somebody's time off is (`/people/time-off` of The One People's documentation). A word
/// invented later is kept as it is.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LeaveType {
    /// Vacation.
    Vacation,
    /// Sick.
    Sick,
    /// Personal.
    Personal,
    /// Somebody close died.
    Bereavement,
    /// Serves in a court.
    JuryDuty,
    /// A child came.
    Parental,
    /// Without pay.
    Unpaid,
    /// For hours worked before.
    CompTime,
    /// Another word.
    #[serde(untagged)]
    Other(String),
}

/// Where a request for time off stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeOffStatus {
    /// Nobody decided yet.
    Pending,
    /// They may be away.
    Approved,
    /// They may not.
    Denied,
    /// They do not want to any more.
    Cancelled,
}

/// How much time off somebody has left, as another system counts it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimeOffBalance {
    /// Whose.
    pub employee: EmployeeId,
    /// Of which sort.
    pub leave_type: LeaveType,
    /// Hours earned, with those carried over.
    pub accrued: f64,
    /// Hours taken.
    pub used: f64,
    /// Hours asked for.
    pub pending: f64,
    /// Hours carried over, which `accrued` holds too.
    pub carried_over: f64,
    /// When it was imported.
    pub imported_at: Timestamp,
}

impl TimeOffBalance {
    /// What is left: accrued less used less pending.
    pub fn available(&self) -> f64 {
        self.accrued - self.used - self.pending
    }
}

impl LeaveType {
    /// The stable name, or the other word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Vacation => "vacation",
            Self::Sick => "sick",
            Self::Personal => "personal",
            Self::Bereavement => "bereavement",
            Self::JuryDuty => "jury_duty",
            Self::Parental => "parental",
            Self::Unpaid => "unpaid",
            Self::CompTime => "comp_time",
            Self::Other(word) => word,
        }
    }
}

impl FromStr for LeaveType {
    type Err = Error;

    /// A known word, however its parts are written, or another one.
    fn from_str(text: &str) -> Result<Self> {
        let word = text.trim().to_lowercase().replace([' ', '-'], "_");
        Ok(match word.as_str() {
            "vacation" => Self::Vacation,
            "sick" => Self::Sick,
            "personal" => Self::Personal,
            "bereavement" => Self::Bereavement,
            "jury_duty" => Self::JuryDuty,
            "parental" => Self::Parental,
            "unpaid" => Self::Unpaid,
            "comp_time" => Self::CompTime,
            "" => return Err(Error::invalid_input("a sort of leave is needed")),
            _ => Self::Other(word),
        })
    }
}

impl TimeOffStatus {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether they are away, or would be.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Pending | Self::Approved)
    }
}

impl FromStr for TimeOffStatus {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let all = [Self::Pending, Self::Approved, Self::Denied, Self::Cancelled];
        let found = all.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| {
            let names = all.map(Self::as_str).into_iter();
            crate::config::unknown_name("status", text, names)
        })
    }
}

impl TimeOff {
    /// What the sort of leave reads where it is nobody's business.
    pub const UNSAID: &'static str = "time_off";

    /// Whether both are on the same half of a day.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.begins() < other.ends() && other.begins() < self.ends()
    }

    /// Whether any of it lies within these days, both included.
    pub fn lies_in(&self, from: Date, to: Date) -> bool {
        self.start_date <= to && self.end_date >= from
    }

    /// In halves of days.
    fn begins(&self) -> i64 {
        halves(self.start_date) + i64::from(self.from_noon)
    }

    fn ends(&self) -> i64 {
        halves(self.end_date) + if self.until_noon { 1 } else { 2 }
    }

    /// Whether it ends after it begins.
    pub fn is_a_span(&self) -> bool {
        self.begins() < self.ends()
    }
}

fn halves(day: Date) -> i64 {
    let epoch = Date::constant(1970, 1, 1);
    let days = day
        .since(epoch)
        .map_or(0, |span| i64::from(span.get_days()));
    2 * days
}
