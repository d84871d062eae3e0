//! Insider-threat signals: received from other products, seen by administrators and HR managers alone,
//! judged by a person. Off until somebody switches them on, and the configuration says who.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::notice::{HR_MANAGERS, Notice};
use super::role::{PeopleOperation, PeopleRole};
use crate::engine::{Tenant, check_reason};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Actor, Address, Attributes, EmployeeId, InsiderSignal, InsiderSignalId, InsiderStatus,
    Severity, SignalSeverity,
};
use crate::store::{Commit, Expect, Put, Query, RecordKind};

/// A signal as another product tells it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct NewSignal {
    #[serde(default)]
    pub(super) employee_id: Option<EmployeeId>,
    #[serde(default)]
    pub(super) login: Option<String>,
    signal_type: String,
    severity: SignalSeverity,
    description: String,
    #[serde(default)]
    device_name: Option<String>,
    detected_at: Timestamp,
    #[serde(default = "defend")]
    source: String,
    source_ref: String,
}

fn defend() -> String {
    "defend".to_owned()
}

impl Tenant {
    /// Keeps a signal. The same one twice is one. `None` where the tenant's settings leave it out.
    pub(super) async fn take_signal(&self, new: NewSignal) -> Result<Option<InsiderSignal>> {
        let Some(settings) = &self.config().people.insider_threat else {
            return Err(self.refused(
                "insider-threat signals are switched off for this tenant; `people.insider_threat` switches them on",
            ));
        };
        if new.severity < settings.min_severity {
            return Ok(None);
        }
        let employee = self
            .meant(new.employee_id.as_ref(), new.login.as_deref())
            .await?;
        if let Some(employee) = &employee
            && settings.only_offboarding
            && self.open_offboarding(employee).await?.is_none()
        {
            return Ok(None);
        }
        let id = InsiderSignalId::of(self.id(), &new.source, &new.source_ref);
        let known = self.read(RecordKind::InsiderSignal, id.as_str()).await?;
        if let Some(known) = known {
            return Ok(Some(known.value));
        }
        let signal = InsiderSignal {
            id,
            tenant: self.id().clone(),
            employee,
            login: new.login,
            signal_type: new.signal_type,
            severity: new.severity,
            description: new.description,
            device_name: new.device_name,
            detected_at: new.detected_at,
            source: new.source,
            source_ref: new.source_ref,
            status: InsiderStatus::New,
            judged_by: None,
            note: None,
            received_at: self.now(),
        };
        let mut facts = facts(&signal);
        facts.insert("enabled_by".to_owned(), json!(settings.enabled_by));
        let mut commit = Commit::default()
            .put(put_signal(&signal, Expect::Absent)?)
            .append(self.entry("insider.received", &Actor::engine(), facts));
        if let Some(notice) = self.told(&flagged(&signal, self.contacts(HR_MANAGERS)))? {
            commit = commit.put(notice);
        }
        match self.store().commit(self.id(), commit).await {
            Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
            _ => Ok(Some(signal)),
        }
    }

    /// The signals, the latest first; those about nobody who is known among them.
    ///
    /// # Errors
    /// `permission_denied` but for administrators and HR managers; `store`.
    pub async fn insider_signals(&self, actor: &Actor) -> Result<Vec<InsiderSignal>> {
        PeopleRole::need(actor, PeopleOperation::InsiderThreat)?;
        let found = self.read_all::<InsiderSignal>(Query::all(RecordKind::InsiderSignal));
        let mut signals: Vec<_> = found.await?.into_iter().map(|found| found.value).collect();
        signals.sort_by(|a, b| (b.detected_at, &b.id).cmp(&(a.detected_at, &a.id)));
        Ok(signals)
    }

    /// Says what is to be thought of a signal.
    ///
    /// # Errors
    /// `permission_denied` but for administrators and HR managers; `not_found`; `invalid_input` for a note
    /// that is empty or holds an address; `store`.
    pub async fn judge_insider_signal(
        &self,
        id: &InsiderSignalId,
        status: InsiderStatus,
        note: &str,
        actor: &Actor,
    ) -> Result<InsiderSignal> {
        PeopleRole::need(actor, PeopleOperation::InsiderThreat)?;
        check_reason(note)?;
        let found = self
            .read::<InsiderSignal>(RecordKind::InsiderSignal, id.as_str())
            .await?;
        let found = found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such signal"))?;
        let expect = found.expect();
        let mut signal = found.value;
        signal.status = status;
        signal.judged_by = Some(actor.clone());
        signal.note = Some(note.to_owned());
        let entry = self
            .entry_by("insider.judged", actor, facts(&signal))
            .await?;
        let commit = Commit::default()
            .put(put_signal(&signal, expect)?)
            .append(entry);
        self.store().commit(self.id(), commit).await?;
        Ok(signal)
    }

    /// The employee whom another product means; `None` where nobody is known.
    pub(super) async fn meant(
        &self,
        id: Option<&EmployeeId>,
        login: Option<&str>,
    ) -> Result<Option<EmployeeId>> {
        let found = match (id, login) {
            (Some(id), _) => self.employee(id).await,
            (None, Some(login)) => self.find_employee(login).await,
            (None, None) => {
                return Err(Error::invalid_input("give `employee_id` or `login`")
                    .with_context("field", "login"));
            }
        };
        match found {
            Ok(employee) => Ok(Some(employee.id)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whoever may see it is told that there is something to see, and no more: mail is read by others.
fn flagged(signal: &InsiderSignal, to: BTreeSet<Address>) -> Notice {
    Notice {
        cause: format!("insider/{}", signal.id),
        to,
        title: "An insider-threat signal came in".to_owned(),
        text: "Sign in to look at it, and judge it.".to_owned(),
        severity: match signal.severity {
            SignalSeverity::Low => Severity::Low,
            SignalSeverity::Medium => Severity::Medium,
            SignalSeverity::High => Severity::High,
        },
    }
}

fn put_signal(signal: &InsiderSignal, expect: Expect) -> Result<Put> {
    let employee = signal.employee.as_ref().map_or("", EmployeeId::as_str);
    Ok(
        Put::new(RecordKind::InsiderSignal, signal.id.as_str(), signal)?
            .state(signal.status.as_str())
            .group(employee)
            .expect(expect),
    )
}

fn facts(signal: &InsiderSignal) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("signal".to_owned(), json!(signal.id));
    facts.insert("employee".to_owned(), json!(signal.employee));
    facts.insert("status".to_owned(), json!(signal.status));
    facts
}
