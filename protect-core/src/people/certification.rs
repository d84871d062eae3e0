//! Certifications: imported, looked up, and flagged when they end.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::role::{PeopleOperation, PeopleRole};
use super::time::day_at;
use super::time_off::optional_day;
use crate::connector::Evaluated;
use crate::csv_table::CsvTable;
use crate::engine::{Batch, CONFLICT_RETRIES, Coverage, Look, Tenant, WORKFORCE, too_busy};
use crate::error::{ErrorKind, Result};
use crate::model::{
    Actor, Attributes, Certification, CertificationId, CertificationStatus, CheckId, Confidence,
    ConnectorName, Employee, EmployeeId, FindingKind, Observation, Severity, Subject,
};
use crate::store::{Commit, Put, Query, RecordKind};

/// A certification ended, or is about to.
pub(crate) const ENDING: &str = "protect.certification.ending";

/// The day on which certifications were last reviewed.
const REVIEWED: &str = "certifications/reviewed";

/// A certification and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificationStanding {
    /// The certification.
    #[serde(flatten)]
    pub certification: Certification,
    /// Where it stands today.
    pub status: CertificationStatus,
}

impl Tenant {
    /// The certifications of somebody, or of everybody, with where they stand today.
    ///
    /// # Errors
    /// `store`.
    pub async fn certifications(
        &self,
        employee: Option<&EmployeeId>,
    ) -> Result<Vec<CertificationStanding>> {
        let mut query = Query::all(RecordKind::Certification);
        if let Some(employee) = employee {
            query = query.in_groups(vec![employee.to_string()]);
        }
        let today = self.today();
        let found = self.read_all::<Certification>(query).await?.into_iter();
        let mut all: Vec<_> = found
            .map(|found| CertificationStanding {
                status: found.value.status_on(today),
                certification: found.value,
            })
            .collect();
        all.sort_by(|a, b| {
            let key = |it: &CertificationStanding| {
                let it = &it.certification;
                (
                    it.expires_on.unwrap_or(Date::MAX),
                    it.name.clone(),
                    it.id.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        Ok(all)
    }

    /// Imports certifications: CSV with the columns `employee` (an address or number), `name`, `issuer`,
    /// `credential_id`, `issued_on`, `expires_on` and `revoked`. One of the same name replaces the one
    /// before. Gives how many; findings about those that end are brought up to date.
    ///
    /// # Errors
    /// As for [`Tenant::import_employees`].
    pub async fn import_certifications(&self, csv: &[u8], actor: &Actor) -> Result<u64> {
        PeopleRole::need(actor, PeopleOperation::EditCertifications)?;
        let table = CsvTable::parse(csv)?;
        let columns = [
            "employee",
            "name",
            "issuer",
            "credential_id",
            "issued_on",
            "expires_on",
            "revoked",
        ];
        let places = table.exactly(&columns)?;
        let workforce = self.workforce().await?;
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
            let name = own(1).ok_or_else(|| row.wrong(places[1], "a name is needed"))?;
            let revoked = match cell(6).to_lowercase().as_str() {
                "" | "no" | "false" => false,
                "yes" | "true" => true,
                _ => return Err(row.wrong(places[6], "write `yes` or `no`")),
            };
            let certification = Certification {
                id: CertificationId::of(self.id(), &employee.id, &name),
                tenant: self.id().clone(),
                employee: employee.id.clone(),
                name,
                issuer: own(2),
                credential_id: own(3),
                issued_on: day(4)?,
                expires_on: day(5)?,
                revoked,
            };
            if !seen.insert(certification.id.clone()) {
                return Err(row.wrong(places[1], "two rows about the same certification"));
            }
            let key = certification.id.as_str();
            let put = Put::new(RecordKind::Certification, key, &certification)?;
            commit = commit.put(put.group(certification.employee.as_str()));
        }
        let count = commit.changes.len() as u64;
        if count > 0 {
            let mut facts = Attributes::new();
            facts.insert("certifications".to_owned(), json!(count));
            let entry = self
                .entry_by("certifications.imported", actor, facts)
                .await?;
            self.store().commit(self.id(), commit.append(entry)).await?;
            self.review_certifications().await?;
        }
        Ok(count)
    }

    /// Flags certifications that ended or are about to, of people who work here, and takes the flags back
    /// from those that were renewed. Gives how many are flagged.
    ///
    /// # Errors
    /// `store`.
    pub async fn review_certifications(&self) -> Result<u64> {
        let everybody = self.employees(&super::EmployeeFilter::default()).await?;
        let by_id: HashMap<&EmployeeId, &Employee> =
            everybody.iter().map(|it| (&it.id, it)).collect();
        let check = CheckId::new(ENDING)?;
        let mut evaluated = Vec::new();
        let mut observations = Vec::new();
        for standing in self.certifications(None).await? {
            let certification = &standing.certification;
            let Some(employee) = by_id.get(&certification.employee) else {
                continue;
            };
            evaluated.push(Evaluated {
                check: check.clone(),
                subject: Some(Subject::address(&employee.work_email)),
            });
            let is_here = !employee.status.has_left();
            if is_here && standing.status != CertificationStatus::Active {
                observations.push((ending(&check, employee, &standing), false));
            }
        }
        let count = observations.len() as u64;
        let source = ConnectorName::new(WORKFORCE)?;
        let look = Look {
            tenant: self.id(),
            source: &source,
            at: self.now(),
            baseline: false,
        };
        let coverage = Coverage::of(&evaluated);
        let mut batch = Batch::new(self.id(), observations);
        for _ in 0..CONFLICT_RETRIES {
            let folded = self.fold(&mut batch, &coverage, &look).await?;
            let mut data = folded.evidence();
            data.insert("connector".to_owned(), json!(source));
            let entry = self.entry("findings.observed", &Actor::engine(), data);
            let commit = folded.commit();
            if commit.is_empty() {
                return Ok(count);
            }
            match self.store().commit(self.id(), commit.append(entry)).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|_| count),
            }
        }
        Err(too_busy())
    }

    /// The same once a day, which the engine does by itself.
    pub(crate) async fn review_certifications_daily(&self) -> Result<()> {
        let today = self.today();
        let done = self.read::<Date>(RecordKind::Control, REVIEWED).await?;
        if done.is_some_and(|done| done.value == today) {
            return Ok(());
        }
        self.review_certifications().await?;
        let put = Put::new(RecordKind::Control, REVIEWED, &today)?;
        let commit = Commit::default().put(put);
        self.store().commit(self.id(), commit).await.map(drop)
    }

    /// The day it is in the tenant's time zone.
    pub(super) fn today(&self) -> Date {
        let name = &self.config().people.time_zone;
        let zone = jiff::tz::TimeZone::get(name).unwrap_or(jiff::tz::TimeZone::UTC);
        day_at(self.now(), &zone)
    }
}

fn ending(check: &CheckId, employee: &Employee, standing: &CertificationStanding) -> Observation {
    let certification = &standing.certification;
    let (severity, word) = match standing.status {
        CertificationStatus::Expiring => (Severity::Low, "is about to end"),
        CertificationStatus::Revoked => (Severity::Medium, "was revoked"),
        _ => (Severity::Medium, "ended"),
    };
    let day = certification.expires_on.map(|day| day.to_string());
    Observation {
        check: check.clone(),
        kind: FindingKind::Operational,
        subject: Subject::address(&employee.work_email),
        discriminator: certification.name.clone(),
        cause: None,
        severity,
        confidence: Confidence::High,
        title: format!("A certification {word}: {}", certification.name),
        reasons: day
            .map(|day| format!("its last day is {day}"))
            .into_iter()
            .collect(),
        attribution: None,
        references: Vec::new(),
        details: Attributes::new(),
        from_event: false,
    }
}
