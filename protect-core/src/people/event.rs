//! What others are told when people come and leave: an event for the bus, stored in the transaction
//! of the change it tells of and sent like every other message. Only where a connector takes events,
//! and only where the mode lets anything out.

use jiff::Timestamp;
use serde_json::json;

use super::register::{Changed, Row};
use crate::clock::later;
use crate::engine::{Tenant, put_intent, routed};
use crate::error::Result;
use crate::model::{
    Action, ActionId, ActionKind, ActionTarget, Actor, Attributes, Employee, Intent, IntentState,
    Mode, PlanId, Severity,
};
use crate::store::{Expect, Put};

/// Somebody was entered as working here, or came back.
pub(super) const HIRED: &str = "employee.hired";

/// Somebody left.
pub(super) const TERMINATED: &str = "employee.terminated";

/// An onboarding began.
pub(super) const ONBOARDING: &str = "onboarding.started";

/// An offboarding began.
pub(super) const OFFBOARDING: &str = "offboarding.started";

impl Tenant {
    /// The events of a change of an employee.
    pub(super) fn events_of(&self, row: &Row) -> Result<Vec<Put>> {
        let event = match row.change {
            Changed::Hired | Changed::Rehired => Some(HIRED),
            Changed::Left => Some(TERMINATED),
            Changed::No | Changed::Updated => None,
        };
        let put = event.map(|event| self.employee_event(event, &row.employee));
        Ok(put.transpose()?.flatten().into_iter().collect())
    }

    /// The event that tells of an employee.
    pub(super) fn employee_event(&self, event: &str, employee: &Employee) -> Result<Option<Put>> {
        let mut metadata = Attributes::new();
        metadata.insert("employee_id".to_owned(), json!(employee.id));
        metadata.insert("email".to_owned(), json!(employee.work_email));
        if event == HIRED {
            metadata.insert("department".to_owned(), json!(employee.department));
            metadata.insert("hire_date".to_owned(), json!(employee.hire_date));
        } else {
            metadata.insert("status".to_owned(), json!(employee.status));
            metadata.insert("last_day".to_owned(), json!(employee.last_day));
        }
        let title = if event == HIRED {
            "An employee was hired"
        } else {
            "An employee left"
        };
        let (times, status) = (employee.earlier.len(), employee.status.as_str());
        let about = format!("{}/{times}/{status}", employee.id);
        self.event(event, &about, title, Severity::Info, metadata)
    }

    /// An event as an intent of its own; `about` tells it from others of the same moment.
    pub(super) fn event(
        &self,
        event: &str,
        about: &str,
        title: &str,
        severity: Severity,
        metadata: Attributes,
    ) -> Result<Option<Put>> {
        let kind = ActionKind::EmitEvent;
        let route = routed(self.config(), self.connectors(), kind);
        let Some(receiver) = route.first().filter(|_| self.mode() == Mode::Enforce) else {
            return Ok(None);
        };
        let now = self.now();
        let mut parameters = Attributes::new();
        parameters.insert("event".to_owned(), event.into());
        parameters.insert("severity".to_owned(), json!(severity));
        parameters.insert("metadata".to_owned(), metadata.into());
        let action = Action {
            id: ActionId::of(self.id(), &[event, about, &now.to_string()]),
            kind,
            target: ActionTarget::Sink {
                connector: receiver.info().name.clone(),
            },
            reason: title.to_owned(),
            requested_by: Actor::engine(),
            incident: None,
            undoes: None,
            lasts: None,
            parameters,
        };
        self.told_by_the_engine(action, now).map(Some)
    }

    /// An intent that nobody needs to consent to, since it only tells what happened.
    pub(super) fn told_by_the_engine(&self, action: Action, now: Timestamp) -> Result<Put> {
        let intent = Intent {
            plan: PlanId::of(self.id(), action.id.as_str()),
            approved_by: Actor::engine(),
            approval_expires_at: later(now, self.config().approval.expires),
            state: IntentState::Ready,
            attempts: 0,
            last_error: None,
            outcome: None,
            created_at: now,
            undo_at: None,
            action,
        };
        put_intent(&intent, Expect::Absent)
    }
}
