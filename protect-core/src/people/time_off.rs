//! Time off: asked for, approved, denied, cancelled; balances as another system counts them.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::input::date;
use super::role::{PeopleOperation, PeopleRole};
use crate::csv_table::{CsvTable, at};
use crate::engine::{CONFLICT_RETRIES, Tenant, Versioned, too_busy};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Actor, Attributes, Employee, EmployeeId, LeaveType, TimeOff, TimeOffBalance, TimeOffId,
    TimeOffStatus,
};
use crate::store::{Commit, Expect, Put, Query, RecordKind};

/// The longest time off that is believed, in days.
const LONGEST: i32 = 3 * 366;

/// What is said of time off that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTimeOff {
    /// Of which sort.
    pub leave_type: LeaveType,
    /// The first day.
    pub start_date: Date,
    /// The last day.
    pub end_date: Date,
    /// Whether the first day begins at noon.
    #[serde(default)]
    pub from_noon: bool,
    /// Whether the last day ends at noon.
    #[serde(default)]
    pub until_noon: bool,
    /// How many hours of the balance it takes.
    #[serde(default)]
    pub hours: Option<f64>,
    /// What else there is to say.
    #[serde(default)]
    pub note: Option<String>,
}

/// Which time off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TimeOffFilter {
    /// Whose; everybody's where it is left out.
    pub employee: Option<EmployeeId>,
    /// Where it stands; empty means anywhere.
    pub status: Vec<TimeOffStatus>,
    /// Of which some lies on this day or later.
    pub from: Option<Date>,
    /// Of which some lies on this day or earlier.
    pub to: Option<Date>,
}

impl Tenant {
    /// Asks for time off.
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `invalid_input` where it ends before it begins; `conflict` where
    /// it overlaps other time off of theirs, or they left.
    pub async fn request_time_off(
        &self,
        employee: &EmployeeId,
        new: &NewTimeOff,
        actor: &Actor,
    ) -> Result<TimeOff> {
        let employee = self.employee(employee).await?;
        self.may(actor, PeopleOperation::RequestTimeOff, &employee)
            .await?;
        if employee.status.has_left() {
            return Err(Error::new(ErrorKind::Conflict, "they left"));
        }
        for _ in 0..CONFLICT_RETRIES {
            let filter = TimeOffFilter {
                employee: Some(employee.id.clone()),
                ..TimeOffFilter::default()
            };
            let known = self.time_off(&filter).await?;
            let asked = self.asked(&employee, new, known.len(), actor)?;
            let in_the_way = known
                .iter()
                .find(|it| it.status.counts() && it.overlaps(&asked));
            if let Some(other) = in_the_way {
                let message = format!(
                    "it overlaps time off from {} to {}",
                    other.start_date, other.end_date
                );
                return Err(Error::new(ErrorKind::Conflict, message)
                    .with_context("time_off", other.id.as_str()));
            }
            let entry = self.entry_by("time_off.requested", actor, facts(&asked));
            let commit = Commit::default()
                .put(put_time_off(&asked, Expect::Absent)?)
                .append(entry.await?);
            match self.store().commit(self.id(), commit).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|_| asked),
            }
        }
        Err(too_busy())
    }

    /// Approves or denies time off that waits; nobody decides about their own.
    ///
    /// # Errors
    /// `permission_denied`; `refused` for one's own; `not_found`; `conflict` where it does not wait.
    pub async fn decide_time_off(
        &self,
        id: &TimeOffId,
        approve: bool,
        note: Option<&str>,
        actor: &Actor,
    ) -> Result<TimeOff> {
        let found = self.versioned_time_off(id).await?;
        let employee = self.employee(&found.value.employee).await?;
        if self.is_own(actor, &employee).await? {
            return Err(self.refused("nobody decides about their own time off"));
        }
        self.may(actor, PeopleOperation::DecideTimeOff, &employee)
            .await?;
        let status = if approve {
            TimeOffStatus::Approved
        } else {
            TimeOffStatus::Denied
        };
        self.settle_time_off(found, &[TimeOffStatus::Pending], status, note, actor)
            .await
    }

    /// Calls time off off, also where it was approved.
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `conflict` where it was denied or cancelled.
    pub async fn cancel_time_off(&self, id: &TimeOffId, actor: &Actor) -> Result<TimeOff> {
        let found = self.versioned_time_off(id).await?;
        let employee = self.employee(&found.value.employee).await?;
        self.may(actor, PeopleOperation::RequestTimeOff, &employee)
            .await?;
        let from = [TimeOffStatus::Pending, TimeOffStatus::Approved];
        self.settle_time_off(found, &from, TimeOffStatus::Cancelled, None, actor)
            .await
    }

    /// The time off that the filter lets, in order of its days.
    ///
    /// # Errors
    /// `store`.
    pub async fn time_off(&self, filter: &TimeOffFilter) -> Result<Vec<TimeOff>> {
        let states: Vec<&str> = filter.status.iter().map(|status| status.as_str()).collect();
        let mut query = Query::all(RecordKind::TimeOff).in_states(&states);
        if let Some(employee) = &filter.employee {
            query = query.in_groups(vec![employee.to_string()]);
        }
        let from = filter.from.unwrap_or(Date::MIN);
        let to = filter.to.unwrap_or(Date::MAX);
        let found = self.read_all::<TimeOff>(query).await?.into_iter();
        let mut all: Vec<TimeOff> = found
            .map(|found| found.value)
            .filter(|it| it.lies_in(from, to))
            .collect();
        all.sort_by(|a, b| (a.start_date, &a.id).cmp(&(b.start_date, &b.id)));
        Ok(all)
    }

    /// How much time off somebody has left, as it was last imported.
    ///
    /// # Errors
    /// `store`.
    pub async fn time_off_balances(&self, employee: &EmployeeId) -> Result<Vec<TimeOffBalance>> {
        let prefix = format!("{employee}/");
        let query = Query::prefix(RecordKind::TimeOffBalance, prefix);
        let found = self.read_all(query).await?;
        Ok(found.into_iter().map(|found| found.value).collect())
    }

    /// Imports balances: CSV with the columns `employee` (an address or number), `leave_type`, `accrued`,
    /// `used`, `pending` and `carried_over`, in hours. Gives how many.
    ///
    /// # Errors
    /// As for [`Tenant::import_employees`].
    pub async fn import_time_off_balances(&self, csv: &[u8], actor: &Actor) -> Result<u64> {
        PeopleRole::need(actor, PeopleOperation::EditDirectory)?;
        let table = CsvTable::parse(csv)?;
        let columns = [
            "employee",
            "leave_type",
            "accrued",
            "used",
            "pending",
            "carried_over",
        ];
        let places = table.exactly(&columns)?;
        let workforce = self.workforce().await?;
        let mut commit = Commit::default();
        let mut seen = std::collections::HashSet::new();
        for row in &table.rows {
            let cell = |place: usize| row.text(places[place]);
            let who = workforce.named(cell(0));
            let employee = who.ok_or_else(|| row.wrong(places[0], "no such employee"))?;
            let leave_type: LeaveType = cell(1)
                .parse()
                .map_err(|error: Error| row.wrong(places[1], error.message()))?;
            let hours = |place: usize| {
                let text = cell(place);
                let number: Option<f64> = if text.is_empty() {
                    Some(0.0)
                } else {
                    text.parse().ok()
                };
                let number = number.filter(|number| number.is_finite());
                number.ok_or_else(|| row.wrong(places[place], "not a number of hours"))
            };
            let balance = TimeOffBalance {
                employee: employee.id.clone(),
                accrued: hours(2)?,
                used: hours(3)?,
                pending: hours(4)?,
                carried_over: hours(5)?,
                leave_type,
                imported_at: self.now(),
            };
            let key = format!("{}/{}", employee.id, balance.leave_type.as_str());
            if !seen.insert(key.clone()) {
                return Err(row.wrong(places[1], "two rows about the same balance"));
            }
            commit = commit.put(Put::new(RecordKind::TimeOffBalance, key, &balance)?);
        }
        let count = commit.changes.len() as u64;
        if count > 0 {
            let mut facts = Attributes::new();
            facts.insert("balances".to_owned(), json!(count));
            let entry = self
                .entry_by("time_off.balances_imported", actor, facts)
                .await?;
            self.store().commit(self.id(), commit.append(entry)).await?;
        }
        Ok(count)
    }

    fn asked(
        &self,
        employee: &Employee,
        new: &NewTimeOff,
        known: usize,
        actor: &Actor,
    ) -> Result<TimeOff> {
        let wrong =
            |field, message: &str| Err(Error::invalid_input(message).with_context("field", field));
        let asked = TimeOff {
            id: TimeOffId::of(self.id(), &employee.id, known),
            tenant: self.id().clone(),
            employee: employee.id.clone(),
            leave_type: new.leave_type.clone(),
            start_date: new.start_date,
            end_date: new.end_date,
            from_noon: new.from_noon,
            until_noon: new.until_noon,
            hours: new.hours,
            status: TimeOffStatus::Pending,
            requested_by: actor.clone(),
            requested_at: self.now(),
            decided_by: None,
            decided_at: None,
            note: new.note.clone(),
        };
        let days = new.end_date.since(new.start_date).ok();
        let days = days.map_or(i32::MAX, |span| span.get_days());
        if !asked.is_a_span() {
            return wrong("end_date", "it ends before it begins");
        }
        if days > LONGEST {
            return wrong("end_date", "it is longer than three years");
        }
        if new
            .hours
            .is_some_and(|hours| !hours.is_finite() || hours < 0.0)
        {
            return wrong("hours", "not a number of hours");
        }
        Ok(asked)
    }

    async fn versioned_time_off(&self, id: &TimeOffId) -> Result<Versioned<TimeOff>> {
        let found = self.read(RecordKind::TimeOff, id.as_str()).await?;
        found.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "no such time off; `timeoff list` shows what there is",
            )
            .with_context("time_off", id.as_str())
        })
    }

    async fn settle_time_off(
        &self,
        found: Versioned<TimeOff>,
        from: &[TimeOffStatus],
        to: TimeOffStatus,
        note: Option<&str>,
        actor: &Actor,
    ) -> Result<TimeOff> {
        let expect = found.expect();
        let mut time_off = found.value;
        if !from.contains(&time_off.status) {
            let message = format!("it is {}", time_off.status.as_str());
            return Err(Error::new(ErrorKind::Conflict, message)
                .with_context("time_off", time_off.id.as_str()));
        }
        time_off.status = to;
        time_off.decided_by = Some(actor.clone());
        time_off.decided_at = Some(self.now());
        if let Some(note) = note {
            time_off.note = Some(note.to_owned());
        }
        let entry = self.entry_by("time_off.decided", actor, facts(&time_off));
        let commit = Commit::default()
            .put(put_time_off(&time_off, expect)?)
            .append(entry.await?);
        self.store().commit(self.id(), commit).await?;
        Ok(time_off)
    }
}

fn put_time_off(time_off: &TimeOff, expect: Expect) -> Result<Put> {
    Ok(
        Put::new(RecordKind::TimeOff, time_off.id.as_str(), time_off)?
            .state(time_off.status.as_str())
            .group(time_off.employee.as_str())
            .expect(expect),
    )
}

/// What the ledger is told: not of which sort it is.
fn facts(time_off: &TimeOff) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("time_off".to_owned(), json!(time_off.id));
    facts.insert("employee".to_owned(), json!(time_off.employee));
    facts.insert("status".to_owned(), json!(time_off.status));
    facts
}

impl CsvTable {
    /// The places of these columns, of which the first two are needed; another one is an error.
    pub(super) fn exactly<const N: usize>(&self, names: &[&str; N]) -> Result<[usize; N]> {
        for (place, name) in self.header.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                let known = names.iter().copied();
                let error = crate::config::unknown_name("column", name, known);
                return Err(at(error.message(), 1, place as u64 + 1));
            }
        }
        let mut places = [usize::MAX; N];
        for (number, name) in names.iter().enumerate() {
            match self.column(&[name]) {
                Some(place) => places[number] = place,
                None if number < 2 => {
                    return Err(at(&format!("the header has no column `{name}`"), 1, 1));
                }
                None => {}
            }
        }
        Ok(places)
    }
}

/// A day in a cell; nothing where it is empty.
pub(super) fn optional_day(text: &str) -> Result<Option<Date>> {
    if text.is_empty() {
        return Ok(None);
    }
    date(text).map(Some)
}
