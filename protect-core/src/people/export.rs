//! The workforce as a CSV file that [`Tenant::import_employees`] reads again.

use std::collections::HashMap;

use super::input::{FIELDS, PRIVATE_FIELDS};
use super::workforce::EmployeeFilter;
use crate::engine::Tenant;
use crate::error::{Error, Result};
use crate::model::{Address, Employee, EmployeeId};

impl Tenant {
    /// Everybody that the filter lets, as CSV. What only Human Resources may see is left out unless
    /// `private` says otherwise.
    ///
    /// A cell that a spreadsheet would take for a formula begins with an apostrophe.
    ///
    /// # Errors
    /// `store`.
    pub async fn export_employees(&self, filter: &EmployeeFilter, private: bool) -> Result<String> {
        let all = self.employees(&EmployeeFilter::default()).await?;
        let addresses: HashMap<&EmployeeId, &Address> =
            all.iter().map(|it| (&it.id, &it.work_email)).collect();
        let chosen = self.employees(filter).await?;
        let columns: Vec<&str> = FIELDS
            .iter()
            .map(|(field, _)| *field)
            .filter(|field| private || !PRIVATE_FIELDS.contains(field))
            .collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let broken = |_| Error::unexpected("a list of employees has no CSV form");
        writer.write_record(&columns).map_err(broken)?;
        for employee in &chosen {
            let manager = employee.manager.as_ref().and_then(|id| addresses.get(id));
            let row = columns
                .iter()
                .map(|field| harmless(cell(employee, field, manager.copied())));
            writer.write_record(row).map_err(broken)?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|_| Error::unexpected("a list of employees has no CSV form"))?;
        String::from_utf8(bytes).map_err(|_| Error::unexpected("a list of employees is not UTF-8"))
    }
}

fn cell(employee: &Employee, field: &str, manager: Option<&Address>) -> String {
    let own = |text: &Option<String>| text.clone().unwrap_or_default();
    let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string()).unwrap_or_default();
    let private = employee.private.as_ref();
    match field {
        "number" => own(&employee.number),
        "first_name" => employee.first_name.clone(),
        "last_name" => employee.last_name.clone(),
        "preferred_name" => own(&employee.preferred_name),
        "work_email" => employee.work_email.to_string(),
        "other_emails" => {
            let others = employee.other_emails.iter().map(ToString::to_string);
            others.collect::<Vec<_>>().join(" ")
        }
        "phone" => own(&employee.phone),
        "job_title" => own(&employee.job_title),
        "department" => own(&employee.department),
        "location" => own(&employee.location),
        "remote" => match employee.remote {
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
            None => String::new(),
        },
        "time_zone" => own(&employee.time_zone),
        "manager" => manager.map(ToString::to_string).unwrap_or_default(),
        "employment_type" => employee.employment_type.as_str().to_owned(),
        "status" => employee.status.as_str().to_owned(),
        "hire_date" => day(employee.hire_date),
        "start_date" => day(employee.start_date),
        "last_day" => day(employee.last_day),
        "home_address" => private
            .and_then(|it| it.home_address.clone())
            .unwrap_or_default(),
        "personal_email" => {
            let address = private.and_then(|it| it.personal_email.as_ref());
            address.map(ToString::to_string).unwrap_or_default()
        }
        "date_of_birth" => day(private.and_then(|it| it.date_of_birth)),
        _ => String::new(),
    }
}

/// Keeps a spreadsheet from running what stands in a cell.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text
    }
}
