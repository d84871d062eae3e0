//! The workforce as what does actions: it begins onboardings and offboardings, and calls them off. No vendor
//! is called. A person stands in it by their address, which is then the account's id.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::lifecycle::{NewOffboarding, NewOnboarding};
use super::role::{PeopleOperation, PeopleRole};
use super::time::{day_at, zone};
use crate::connector::{
    Applied, Capability, Connector, ConnectorInfo, Diagnosis, OpContext, Probe, Remediator,
};
use crate::engine::{Home, Step, Tenant};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Action, ActionId, ActionKind, ActionTarget, Actor, ActorKind, Address, Attributes, EffectClass,
    Employee, Leaving, OutcomeStatus, Preview, Workflow, WorkflowKind, WorkflowStatus,
};
use crate::remedy::{self, Remedy, Sent};

/// Where the evidence of an action says which workflow it began.
const WORKFLOW_ID: &str = "workflow_id";

/// The workforce of a tenant, which its engine has built in.
pub(crate) fn built_in(home: Home, info: ConnectorInfo) -> Arc<dyn Connector> {
    Arc::new(WorkforceItself { info, home })
}

/// The workflow that a step began.
pub(crate) fn begun_by(step: &Step) -> Option<&str> {
    let outcome = step.outcome.as_ref()?;
    let began = step.action.kind == ActionKind::StartOffboarding
        && outcome.status == OutcomeStatus::Applied;
    outcome.after.get(WORKFLOW_ID)?.as_str().filter(|_| began)
}

#[derive(Debug)]
struct WorkforceItself {
    info: ConnectorInfo,
    home: Home,
}

#[async_trait]
impl Connector for WorkforceItself {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        let actions = [
            (ActionKind::StartOffboarding, EffectClass::KeyIdempotent),
            (ActionKind::StartOnboarding, EffectClass::KeyIdempotent),
            (ActionKind::CancelWorkflow, EffectClass::StateIdempotent),
        ];
        Capability {
            actions: actions.into_iter().collect(),
            reaches_by_address: true,
            ..Capability::default()
        }
    }

    async fn diagnose(&self, _cx: &OpContext) -> Result<Diagnosis> {
        Ok(Diagnosis {
            reachable: true,
            ..Diagnosis::default()
        })
    }

    fn as_remediator(&self) -> Option<&dyn Remediator> {
        Some(self)
    }
}

#[async_trait]
impl Remediator for WorkforceItself {
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview> {
        let previewed = async {
            let change = self.change(action)?;
            let now = change.look(cx).await?;
            match change.objection(&now) {
                Some(reason) => Err(Error::new(ErrorKind::Refused, reason)),
                None => remedy::preview(&change, cx).await,
            }
        };
        previewed.await.map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::InvalidInput => {
                Error::new(ErrorKind::Refused, error.message().to_owned())
            }
            _ => error,
        })
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        let change = self.change(action)?;
        let clock = Arc::clone(&change.tenant.context().clock);
        remedy::apply(&change, cx, &*clock).await
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        remedy::probe(&self.change(action)?, cx).await
    }
}

impl WorkforceItself {
    fn change<'a>(&self, action: &'a Action) -> Result<Change<'a>> {
        let ActionTarget::Account(account) = &action.target else {
            return Err(Error::invalid_input("the target is nobody"));
        };
        Ok(Change {
            tenant: self.home.tenant()?,
            action,
            address: Address::new(&account.id)?,
            told: Told::of(&action.parameters)?,
        })
    }
}

/// What an action is told by its parameters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    last_day: Option<Date>,
    first_day: Option<Date>,
    leaving: Leaving,
    at_once: bool,
}

impl Told {
    fn of(parameters: &Attributes) -> Result<Self> {
        serde_path_to_error::deserialize(Value::Object(parameters.clone())).map_err(|error| {
            let field = error.path().to_string();
            let message = format!("`{field}`: {}", error.into_inner());
            Error::invalid_input(message).with_context("field", field)
        })
    }
}

/// One workflow of one person, to be begun or called off.
struct Change<'a> {
    tenant: Tenant,
    action: &'a Action,
    address: Address,
    told: Told,
}

/// Somebody in the workforce, and their workflows.
#[derive(Default)]
struct Looked {
    employee: Option<Employee>,
    /// The workflow that this very action began, or that it calls off.
    own: Option<Workflow>,
    /// The workflow that runs.
    open: Option<Workflow>,
    /// The day that a workflow which begins now is about, where it is known.
    day: Option<Date>,
    today: Option<Date>,
}

#[async_trait]
impl Remedy for Change<'_> {
    type Looked = Looked;

    async fn look(&self, _: &OpContext) -> Result<Looked> {
        PeopleRole::need(&self.action.requested_by, PeopleOperation::ManageWorkflows)?;
        let Some(employee) = self.tenant.employee_by_email(&self.address).await? else {
            return Ok(Looked::default());
        };
        let workflows = self.tenant.workflows_of(&employee.id).await?;
        let mut all = workflows.iter();
        let open = all.find(|it| it.status == WorkflowStatus::Open).cloned();
        let key = self.key();
        let own = match key {
            Some(key) => {
                let mut all = workflows.into_iter();
                all.find(|it| it.begun_by.as_ref() == Some(key))
            }
            None => open.clone().or_else(|| {
                let all = workflows.into_iter();
                all.max_by_key(|it| it.started_at)
            }),
        };
        let zone = zone(&self.tenant.zone_of(&employee))?;
        let today = day_at(self.tenant.now(), &zone);
        let day = if self.action.kind == ActionKind::StartOffboarding {
            self.told.last_day.or(Some(today))
        } else {
            let known = self.told.first_day.or(employee.start_date);
            known.or(employee.hire_date)
        };
        Ok(Looked {
            employee: Some(employee),
            own,
            open,
            day,
            today: Some(today),
        })
    }

    fn facts(&self, now: &Looked) -> Attributes {
        let mut facts = Attributes::new();
        let mut put = |name: &str, value: Value| facts.insert(name.to_owned(), value);
        if let Some(employee) = &now.employee {
            put("status", json!(employee.status));
        }
        let shown = now.own.as_ref().or(now.open.as_ref());
        put("workflow", json!(shown.map_or("none", standing)));
        if let Some(workflow) = shown {
            put(WORKFLOW_ID, json!(workflow.id));
            put(day_of(workflow.kind), json!(workflow.day));
        }
        facts
    }

    fn wanted(&self, now: &Looked) -> Attributes {
        let mut wanted = self.facts(now);
        if self.is_so(now) {
            return wanted;
        }
        let mut put = |name: &str, value: Value| wanted.insert(name.to_owned(), value);
        match self.begins() {
            Some(kind) => {
                put("workflow", json!(kind.as_str()));
                put(day_of(kind), json!(now.day));
                if kind == WorkflowKind::Offboarding {
                    put("access_ends", json!(self.access_ends()));
                }
            }
            None => {
                put("workflow", json!(WorkflowStatus::Cancelled.as_str()));
            }
        }
        wanted
    }

    fn is_so(&self, now: &Looked) -> bool {
        let own = now.own.as_ref();
        match self.begins() {
            Some(_) => own.is_some(),
            None => own.is_some_and(|it| it.status == WorkflowStatus::Cancelled),
        }
    }

    fn objection(&self, now: &Looked) -> Option<&'static str> {
        let Some(employee) = &now.employee else {
            return Some("nobody in the workforce has this address");
        };
        if self.is_so(now) {
            return None;
        }
        let has_left = employee.status.has_left();
        match (self.begins(), &now.open) {
            (Some(WorkflowKind::Offboarding), _) if has_left => Some("they left already"),
            (Some(WorkflowKind::Onboarding), _) if has_left => {
                Some("they left; hire them again first")
            }
            (Some(_), Some(open)) => Some(match open.kind {
                WorkflowKind::Offboarding => "an offboarding of theirs runs already",
                WorkflowKind::Onboarding => "an onboarding of theirs runs already",
            }),
            (Some(WorkflowKind::Offboarding), None) if now.day < now.today => {
                Some("the last day is past")
            }
            (Some(WorkflowKind::Onboarding), None) if now.day.is_none() => {
                Some("no first day of work is known; give `first_day`")
            }
            (Some(_), None) => None,
            (None, _) => match now.own.as_ref().map(|it| it.status) {
                None => Some("no workflow of theirs runs"),
                Some(WorkflowStatus::Completed) => Some("it is completed"),
                Some(_) => None,
            },
        }
    }

    async fn send(&self, cx: &OpContext, before: &Looked) -> Result<Sent<Looked>> {
        match self.change(before).await {
            // Somebody else was faster: under the same key it is this one that runs.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                let now = self.look(cx).await?;
                match self.objection(&now) {
                    Some(reason) => Ok(Sent::Refused(reason)),
                    None if self.is_so(&now) => Ok(Sent::Accepted),
                    None => Err(error.temporary()),
                }
            }
            changed => changed.map(|()| Sent::Accepted),
        }
    }

    fn unconfirmed(&self) -> &'static str {
        "it was written, and the workforce shows another state"
    }
}

impl Change<'_> {
    /// Which sort of workflow it begins; `None` where it calls one off.
    fn begins(&self) -> Option<WorkflowKind> {
        match self.action.kind {
            ActionKind::StartOffboarding => Some(WorkflowKind::Offboarding),
            ActionKind::StartOnboarding => Some(WorkflowKind::Onboarding),
            _ => None,
        }
    }

    /// By what the workflow is known that is meant; `None` where it is the one that runs, or else ran last.
    fn key(&self) -> Option<&ActionId> {
        match self.begins() {
            Some(_) => Some(&self.action.id),
            None => self.action.undoes.as_ref(),
        }
    }

    fn access_ends(&self) -> &'static str {
        if self.told.at_once {
            "as soon as its plan is approved"
        } else {
            "with the last day"
        }
    }

    /// Who begins it: whoever asked. What a rule asks for is the engine's, so that no rule's consent counts
    /// for the plan that ends access.
    fn actor(&self) -> Actor {
        let asked = &self.action.requested_by;
        if asked.kind == ActorKind::Rule {
            Actor::engine()
        } else {
            asked.clone()
        }
    }

    async fn change(&self, before: &Looked) -> Result<()> {
        let (Some(employee), actor) = (&before.employee, self.actor()) else {
            return Err(Error::unexpected("nobody is known here"));
        };
        let (tenant, key) = (&self.tenant, &self.action.id);
        match (self.begins(), before.day, &before.own) {
            (Some(WorkflowKind::Offboarding), Some(last_day), _) => {
                let new = NewOffboarding {
                    last_day,
                    leaving: self.told.leaving,
                    reason: self.action.reason.clone(),
                    at_once: self.told.at_once,
                    allow_past: false,
                    tasks: None,
                };
                let begun = tenant.begin_offboarding(&employee.id, &new, &actor, Some(key));
                begun.await.map(drop)
            }
            (Some(WorkflowKind::Onboarding), first_day, _) => {
                let new = NewOnboarding {
                    first_day,
                    tasks: None,
                };
                let begun = tenant.begin_onboarding(&employee.id, &new, &actor, Some(key));
                begun.await.map(drop)
            }
            (None, _, Some(own)) => {
                let reason = &self.action.reason;
                tenant.cancel_workflow(&own.id, reason, &actor).await?;
                Ok(())
            }
            _ => Err(Error::unexpected("there is nothing to begin or call off")),
        }
    }
}

/// A workflow in a word: its sort while it runs, else what came of it.
fn standing(workflow: &Workflow) -> &'static str {
    match workflow.status {
        WorkflowStatus::Open => workflow.kind.as_str(),
        over => over.as_str(),
    }
}

const fn day_of(kind: WorkflowKind) -> &'static str {
    match kind {
        WorkflowKind::Offboarding => "last_day",
        WorkflowKind::Onboarding => "first_day",
    }
}
