//! Reviews, trainings and documents to be signed: kept by other systems, imported from them, and shown. Here
//! nothing of them is changed.

use std::collections::HashSet;

use serde_json::json;
use url::Url;

use super::role::{PeopleOperation, PeopleRole};
use super::time_off::optional_day;
use crate::csv_table::CsvTable;
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{Actor, Attributes, EmployeeId, PersonnelKind, PersonnelRecord, hash_fields};
use crate::store::{Commit, Put, Query, RecordKind};

/// The columns of a list; the first two are needed.
const COLUMNS: [&str; 8] = [
    "employee",
    "title",
    "status",
    "by",
    "assigned_on",
    "due_on",
    "completed_on",
    "link",
];

impl Tenant {
    /// What other systems keep of an employee, or of everybody: what is to be done first, the next due
    /// before the others.
    ///
    /// # Errors
    /// `not_found`; `store`.
    pub async fn personnel_records(
        &self,
        employee: Option<&EmployeeId>,
        kind: Option<PersonnelKind>,
    ) -> Result<Vec<PersonnelRecord>> {
        let mut query = Query::all(RecordKind::Personnel);
        if let Some(id) = employee {
            self.employee(id).await?;
            query = query.in_groups(vec![id.to_string()]);
        }
        if let Some(kind) = kind {
            query = query.in_states(&[kind.as_str()]);
        }
        let found = self.read_all::<PersonnelRecord>(query).await?;
        let mut records: Vec<_> = found.into_iter().map(|found| found.value).collect();
        records.sort_by(|a, b| {
            let key = |it: &PersonnelRecord| {
                (
                    !it.is_open(),
                    it.due_on.unwrap_or(jiff::civil::Date::MAX),
                    it.kind,
                    it.title.clone(),
                    it.employee.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        Ok(records)
    }

    /// Imports reviews, trainings or documents: CSV with the columns `employee` (an address or number) and
    /// `title`, and as far as they are known `status`, `by`, `assigned_on`, `due_on`, `completed_on` and
    /// `link`. One of the same title and `assigned_on` replaces the one before; what is not on the list
    /// stays. Gives how many.
    ///
    /// # Errors
    /// As for [`Tenant::import_employees`].
    pub async fn import_personnel_records(
        &self,
        kind: PersonnelKind,
        csv: &[u8],
        actor: &Actor,
    ) -> Result<u64> {
        PeopleRole::need(actor, PeopleOperation::EditPersonnel)?;
        let table = CsvTable::parse(csv)?;
        let places = table.exactly(&COLUMNS)?;
        let workforce = self.workforce().await?;
        let now = self.now();
        let mut commit = Commit::default();
        let mut seen = HashSet::new();
        for row in &table.rows {
            let cell = |place: usize| row.text(places[place]);
            let own = |place: usize| Some(cell(place).to_owned()).filter(|text| !text.is_empty());
            let day = |place: usize| {
                optional_day(cell(place)).map_err(|error| row.wrong(places[place], error.message()))
            };
            let employee = workforce
                .named(cell(0))
                .ok_or_else(|| row.wrong(places[0], "no such employee"))?;
            let title = own(1).ok_or_else(|| row.wrong(places[1], "a title is needed"))?;
            let link = own(7);
            let is_link = |text: &String| Url::parse(text).is_ok_and(|url| url.scheme() == "https");
            if link.as_ref().is_some_and(|link| !is_link(link)) {
                return Err(row.wrong(places[7], "not an address that begins with https://"));
            }
            let (assigned_on, due_on) = (day(4)?, day(5)?);
            if assigned_on.zip(due_on).is_some_and(|(from, to)| to < from) {
                return Err(row.wrong(places[5], "it is due before it was assigned"));
            }
            let record = PersonnelRecord {
                tenant: self.id().clone(),
                employee: employee.id.clone(),
                kind,
                title,
                status: own(2).unwrap_or_else(|| "open".to_owned()),
                by: own(3),
                assigned_on,
                due_on,
                completed_on: day(6)?,
                link,
                imported_at: now,
            };
            let key = key(&record);
            if !seen.insert(key.clone()) {
                return Err(row.wrong(places[1], "two rows about the same"));
            }
            let put = Put::new(RecordKind::Personnel, key, &record)?;
            commit = commit.put(put.state(kind.as_str()).group(record.employee.as_str()));
        }
        let count = commit.changes.len() as u64;
        if count > 0 {
            let mut facts = Attributes::new();
            facts.insert("kind".to_owned(), json!(kind));
            facts.insert("records".to_owned(), json!(count));
            let entry = self.entry_by("personnel.imported", actor, facts).await?;
            self.store().commit(self.id(), commit.append(entry)).await?;
        }
        Ok(count)
    }
}

fn key(record: &PersonnelRecord) -> String {
    let since = record.assigned_on.map(|day| day.to_string());
    let fields = [
        record.kind.as_str(),
        record.employee.as_str(),
        &record.title,
        since.as_deref().unwrap_or_default(),
    ];
    hash_fields("personnel", &fields)
}
