//! A list of employees from a CSV file: everything, or nothing and where it is wrong.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::Concerned;
use super::input::{EmployeeInput, FIELDS, Wrong, set_text};
use super::register::{CIRCLE, Counts, Taking, Workforce};
use super::role::{PeopleOperation, PeopleRole};
use crate::csv_table::{CsvRow, CsvTable, at};
use crate::engine::Tenant;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Actor;

/// How a list is imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImportOptions {
    /// Whether somebody on the list who left before comes back.
    pub rehire: bool,
    /// Whether to say what would happen, and do nothing.
    pub check_only: bool,
}

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Imported {
    /// Employees who are new.
    pub hired: u64,
    /// Employees who came back.
    pub rehired: u64,
    /// Employees of whom something else is known now.
    pub updated: u64,
    /// Rows that said nothing new.
    pub unchanged: u64,
}

impl Tenant {
    /// Enters and updates everybody on a list: CSV in UTF-8 with a header, whose columns are those
    /// that [`Tenant::export_employees`] writes, in any order; `work_email` is needed. An empty cell
    /// says nothing. Who is not on the list stays as they are.
    ///
    /// # Errors
    /// `invalid_input`, `conflict`, `refused` or `not_found` with `line` and `column` (of fields, from
    /// 1; of characters where the encoding is wrong): nothing was imported. `store`.
    pub async fn import_employees(
        &self,
        csv: &[u8],
        options: ImportOptions,
        actor: &Actor,
    ) -> Result<Imported> {
        PeopleRole::need(actor, PeopleOperation::EditDirectory)?;
        let list = List::parse(csv)?;
        let taking = self.taking("csv", options.rehire);
        let rows = list.rows.len() as u64;
        if options.check_only {
            let mut workforce = self.workforce().await?;
            list.take_all(&mut workforce, &taking)?;
            return Ok(imported(workforce.counts(), rows));
        }
        if list.rows.is_empty() {
            return Ok(Imported::default());
        }
        let (_, counts) = self
            .change_workforce(
                "employees.imported",
                actor,
                Concerned::Everybody,
                |workforce| list.take_all(workforce, &taking),
            )
            .await?;
        Ok(imported(counts, rows))
    }
}

fn imported(counts: Counts, rows: u64) -> Imported {
    let touched = counts.hired + counts.rehired + counts.updated;
    Imported {
        hired: counts.hired,
        rehired: counts.rehired,
        updated: counts.updated,
        unchanged: rows.saturating_sub(touched),
    }
}

/// A list whose every cell was read.
struct List {
    /// The field of each column.
    fields: Vec<&'static str>,
    rows: Vec<(CsvRow, EmployeeInput)>,
}

impl List {
    fn parse(csv: &[u8]) -> Result<Self> {
        let table = CsvTable::parse(csv)?;
        let mut fields = Vec::new();
        for (place, name) in table.header.iter().enumerate() {
            let field = field(name).map_err(|error| at(error.message(), 1, place as u64 + 1))?;
            if fields.contains(&field) {
                return Err(at("two columns for the same", 1, place as u64 + 1));
            }
            fields.push(field);
        }
        if !fields.contains(&"work_email") {
            return Err(at("the header has no column `work_email`", 1, 1));
        }
        let mut rows = Vec::with_capacity(table.rows.len());
        for row in table.rows {
            let mut input = EmployeeInput::default();
            for (place, field) in fields.iter().enumerate() {
                set_text(&mut input, field, row.text(place))
                    .map_err(|error| row.wrong(place, error.message()))?;
            }
            rows.push((row, input));
        }
        Ok(Self { fields, rows })
    }

    /// Takes every row, then the managers, who may stand further down.
    fn take_all(&self, workforce: &mut Workforce, taking: &Taking) -> Result<usize> {
        let mut places = Vec::with_capacity(self.rows.len());
        let mut seen = HashSet::with_capacity(self.rows.len());
        for (row, input) in &self.rows {
            let taken = workforce.take(input, taking);
            let place = taken.map_err(|wrong| self.placed(row, &wrong))?;
            if !seen.insert(place) {
                let message = "two rows about one employee: two people with one address or number";
                let wrong = Wrong::new("work_email", ErrorKind::Conflict, message);
                return Err(self.placed(row, &wrong));
            }
            places.push(place);
        }
        for ((row, input), place) in self.rows.iter().zip(&places) {
            let led = workforce.lead(*place, input);
            led.map_err(|wrong| self.placed(row, &wrong))?;
        }
        if let Some(circle) = workforce.in_a_circle()
            && let Some(at) = places.iter().position(|place| *place == circle)
        {
            let wrong = Wrong::new("manager", ErrorKind::Conflict, CIRCLE);
            return Err(self.placed(&self.rows[at].0, &wrong));
        }
        Ok(places.last().copied().unwrap_or_default())
    }

    /// Puts an error to its line and column.
    fn placed(&self, row: &CsvRow, wrong: &Wrong) -> Error {
        let column = self.fields.iter().position(|field| *field == wrong.field);
        let column = column.unwrap_or_default() as u64 + 1;
        Error::new(wrong.error.kind(), wrong.error.message())
            .with_context("line", row.line.to_string())
            .with_context("column", column.to_string())
    }
}

/// The field that a column's name means.
fn field(name: &str) -> Result<&'static str> {
    let name = name.trim().replace([' ', '-'], "_");
    let is_it = |(field, others): &&(&'static str, &[&str])| {
        *field == name || others.contains(&name.as_str())
    };
    let known = FIELDS.iter().find(is_it);
    known.map(|(field, _)| *field).ok_or_else(|| {
        let names = FIELDS.iter().map(|(field, _)| *field);
        crate::config::unknown_name("column", &name, names)
    })
}
