//! Whom the workforce tells what, by the outbox that every message takes. A notice has a cause and goes out
//! once for it: the cause is its id, so that neither a crash nor a second look sends it again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::engine::{CONFLICT_RETRIES, Tenant, too_busy};
use crate::error::{ErrorKind, Result};
use crate::model::{
    Action, ActionId, ActionKind, ActionTarget, Actor, Address, Attributes, Employee, Mode,
    Severity, Task, Workflow, WorkflowKind,
};
use crate::store::{Commit, Put};

/// Human Resources, who hear of whatever has nobody else.
pub(super) const HR: &str = "hr";

/// Those of them who may see insider-threat signals.
pub(super) const HR_MANAGERS: &str = "hr_managers";

/// Who leads the person concerned.
pub(super) const MANAGER: &str = "manager";

/// The person concerned.
const EMPLOYEE: &str = "employee";

/// How many notices one transaction holds.
const AT_ONCE: usize = 500;

/// Something that people are to be told.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    /// What it is about, down to what makes it another notice.
    pub(super) cause: String,
    /// Who is told; nobody is told nothing.
    pub(super) to: BTreeSet<Address>,
    /// In one line, without names: it stands in the ledger.
    pub(super) title: String,
    /// What they are told.
    pub(super) text: String,
    /// How urgent it is.
    pub(super) severity: Severity,
}

impl Tenant {
    /// A notice as an intent of its own; `None` where nobody is to be told, or nothing goes out.
    pub(super) fn told(&self, notice: &Notice) -> Result<Option<Put>> {
        let Some(action) = self.notification(notice) else {
            return Ok(None);
        };
        self.told_by_the_engine(action, self.now()).map(Some)
    }

    /// Sends those of these notices that were not sent before. Gives how many.
    pub(super) async fn tell_once(&self, notices: &[Notice]) -> Result<u64> {
        let mut count = 0;
        for some in notices.chunks(AT_ONCE) {
            count += self.tell_some(some).await?;
        }
        Ok(count)
    }

    async fn tell_some(&self, notices: &[Notice]) -> Result<u64> {
        for _ in 0..CONFLICT_RETRIES {
            let actions: Vec<Action> = notices
                .iter()
                .filter_map(|it| self.notification(it))
                .collect();
            let ids: Vec<ActionId> = actions.iter().map(|it| it.id.clone()).collect();
            let known = self.intents(&ids).await?;
            let mut commit = Commit::default();
            let mut seen = BTreeSet::new();
            for action in actions {
                if !known.contains_key(&action.id) && seen.insert(action.id.clone()) {
                    commit = commit.put(self.told_by_the_engine(action, self.now())?);
                }
            }
            let count = commit.changes.len() as u64;
            if count == 0 {
                return Ok(0);
            }
            match self.store().commit(self.id(), commit).await {
                // Somebody else sends the same.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|_| count),
            }
        }
        Err(too_busy())
    }

    fn notification(&self, notice: &Notice) -> Option<Action> {
        let settings = self.config().people.notices.as_ref()?;
        if notice.to.is_empty() || self.mode() != Mode::Enforce {
            return None;
        }
        let mut parameters = Attributes::new();
        parameters.insert("to".to_owned(), json!(notice.to));
        parameters.insert("text".to_owned(), notice.text.as_str().into());
        parameters.insert("severity".to_owned(), json!(notice.severity));
        Some(Action {
            id: ActionId::of(self.id(), &["notice", &notice.cause]),
            kind: ActionKind::Notify,
            target: ActionTarget::Sink {
                connector: settings.connector.clone(),
            },
            reason: notice.title.clone(),
            requested_by: Actor::engine(),
            incident: None,
            undoes: None,
            lasts: None,
            parameters,
        })
    }

    /// What is said when somebody comes or leaves: the person is welcomed, their manager and Human
    /// Resources know of it, and whoever has a task knows which.
    pub(super) async fn notices_of_start(
        &self,
        workflow: &Workflow,
        employee: &Employee,
    ) -> Result<Vec<Put>> {
        if self.config().people.notices.is_none() {
            return Ok(Vec::new());
        }
        let mut tasks: BTreeMap<&str, Vec<&Task>> = BTreeMap::new();
        for word in [HR, MANAGER] {
            tasks.entry(word).or_default();
        }
        for task in &workflow.tasks {
            tasks.entry(&task.assignee).or_default().push(task);
        }
        let (name, day) = (employee.display_name(), workflow.day);
        let (title, opening) = match workflow.kind {
            WorkflowKind::Onboarding => (
                "An onboarding began",
                format!("**{name}** begins to work here on {day}."),
            ),
            WorkflowKind::Offboarding => (
                "An offboarding began",
                format!("**{name}** leaves; the last day is {day}."),
            ),
        };
        // Who is several of these is written to once.
        let mut readers: BTreeMap<BTreeSet<Address>, (&str, Vec<&Task>)> = BTreeMap::new();
        for (assignee, tasks) in tasks {
            let to = self.who_is(assignee, employee).await?;
            let reader = readers.entry(to).or_insert((assignee, Vec::new()));
            reader.1.extend(tasks);
        }
        let mut notices = Vec::new();
        for (to, (assignee, tasks)) in readers {
            let mut text = opening.clone();
            if !tasks.is_empty() {
                text.push_str("\n\nYours to do:\n");
            }
            let lines = tasks
                .iter()
                .map(|task| format!("\n- {}, by {}", task.title, task.due));
            text.extend(lines);
            notices.push(Notice {
                cause: format!("{}/started/{assignee}", workflow.id),
                to,
                title: title.to_owned(),
                text,
                severity: Severity::Info,
            });
        }
        if workflow.kind == WorkflowKind::Onboarding {
            notices.push(Notice {
                cause: format!("{}/welcome", workflow.id),
                to: [employee.work_email.clone()].into(),
                title: "Welcome".to_owned(),
                text: format!("Welcome, {name}. Your first day is {day}."),
                severity: Severity::Info,
            });
        }
        let told = notices.iter().map(|notice| self.told(notice));
        told.filter_map(Result::transpose).collect()
    }

    /// The addresses behind a word such as `hr` or `manager`, or an address itself. What has nobody falls
    /// to Human Resources.
    pub(super) async fn who_is(
        &self,
        assignee: &str,
        employee: &Employee,
    ) -> Result<BTreeSet<Address>> {
        let found: BTreeSet<Address> = match assignee {
            EMPLOYEE => [employee.work_email.clone()].into(),
            MANAGER => self.manager_address(employee).await?.into_iter().collect(),
            word if word.contains('@') => Address::new(word).into_iter().collect(),
            word => self.contacts(word),
        };
        if found.is_empty() {
            return Ok(self.contacts(HR));
        }
        Ok(found)
    }

    /// The configured addresses behind a word.
    pub(super) fn contacts(&self, word: &str) -> BTreeSet<Address> {
        let settings = self.config().people.notices.as_ref();
        let own = settings.and_then(|settings| settings.contacts.get(word));
        own.into_iter().flatten().cloned().collect()
    }

    async fn manager_address(&self, employee: &Employee) -> Result<Option<Address>> {
        let Some(manager) = &employee.manager else {
            return Ok(None);
        };
        let manager = self.employee(manager).await?;
        Ok(Some(manager.work_email).filter(|_| !manager.status.has_left()))
    }
}
