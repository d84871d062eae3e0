//! Reminders, once a day: tasks, policies and certifications that are due or overdue. Each is told once.

use std::collections::HashMap;

use jiff::civil::Date;

use super::notice::Notice;
use super::role::{PeopleOperation, PeopleRole};
use super::time::days_after;
use super::workforce::EmployeeFilter;
use crate::engine::Tenant;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Actor, CertificationStatus, Employee, EmployeeId, Policy, Severity, Task, TaskStatus, Workflow,
    WorkflowStatus,
};
use crate::store::{Commit, Put, RecordKind};

/// The day on which reminders last went out.
const REMINDED: &str = "notices/reminded";

/// How many days before a task is due somebody is reminded of it.
const TASK_AHEAD: i32 = 1;

/// The same of policies.
const POLICY_AHEAD: i32 = 7;

impl Tenant {
    /// Sends the reminders that are due, each once, and gives how many. The engine does it by itself once a
    /// day.
    ///
    /// # Errors
    /// `store`.
    pub async fn send_reminders(&self) -> Result<u64> {
        if self.config().people.notices.is_none() {
            return Ok(0);
        }
        let everybody = self.employees(&EmployeeFilter::default()).await?;
        let here = everybody.into_iter().filter(|it| !it.status.has_left());
        let here: HashMap<EmployeeId, Employee> = here.map(|it| (it.id.clone(), it)).collect();
        let mut notices = self.of_tasks(&here).await?;
        notices.extend(self.of_policies(&here).await?);
        notices.extend(self.of_certifications(&here).await?);
        self.tell_once(&notices).await
    }

    /// Reminds those who did not acknowledge a policy, or those of them who are named; at most once a day.
    /// Gives how many notices went out.
    ///
    /// # Errors
    /// `permission_denied`; `not_found` for an unknown policy; `conflict` while the publisher is not heard
    /// of, since nobody knows who did; `unsupported` where notices are switched off; `store`.
    pub async fn remind_of_policy(
        &self,
        policy_id: &str,
        employees: Option<&[EmployeeId]>,
        actor: &Actor,
    ) -> Result<u64> {
        PeopleRole::need(actor, PeopleOperation::ManagePolicies)?;
        if self.config().people.notices.is_none() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "notices are switched off for this tenant; `people.notices` switches them on",
            ));
        }
        let mut policies = self.policies().await?.into_iter();
        let standing = policies
            .find(|it| it.policy.id == policy_id)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, "no such policy"))?;
        if standing.stale {
            return Err(Error::new(
                ErrorKind::Conflict,
                "the publisher is not heard of, so that nobody knows who acknowledged it",
            ));
        }
        let today = self.today();
        let left = standing.pending.iter().chain(&standing.overdue);
        let mut notices = Vec::new();
        for id in left.filter(|id| employees.is_none_or(|named| named.contains(id))) {
            let employee = self.employee(id).await?;
            let mut notice = of_policy(&standing.policy, &employee, Stage::Due);
            notice.cause = format!("{}/asked/{today}", notice.cause);
            notices.push(notice);
        }
        self.tell_once(&notices).await
    }

    /// The same once a day, which the engine does by itself.
    pub(crate) async fn remind_daily(&self) -> Result<()> {
        if self.config().people.notices.is_none() {
            return Ok(());
        }
        let today = self.today();
        let done = self.read::<Date>(RecordKind::Control, REMINDED).await?;
        if done.is_some_and(|done| done.value == today) {
            return Ok(());
        }
        self.send_reminders().await?;
        let put = Put::new(RecordKind::Control, REMINDED, &today)?;
        let commit = Commit::default().put(put);
        self.store().commit(self.id(), commit).await.map(drop)
    }

    async fn of_tasks(&self, here: &HashMap<EmployeeId, Employee>) -> Result<Vec<Notice>> {
        let today = self.today();
        let mut notices = Vec::new();
        for workflow in self.workflows(Some(WorkflowStatus::Open)).await? {
            // Who left may still have a laptop to give back.
            let employee = match here.get(&workflow.employee) {
                Some(employee) => employee.clone(),
                None => self.employee(&workflow.employee).await?,
            };
            for task in &workflow.tasks {
                let Some(stage) = stage(task.due, today, TASK_AHEAD)? else {
                    continue;
                };
                if task.status == TaskStatus::Open {
                    let mut notice = of_task(&workflow, task, &employee, stage);
                    notice.to = self.who_is(&task.assignee, &employee).await?;
                    notices.push(notice);
                }
            }
        }
        Ok(notices)
    }

    async fn of_policies(&self, here: &HashMap<EmployeeId, Employee>) -> Result<Vec<Notice>> {
        let today = self.today();
        let mut notices = Vec::new();
        for standing in self.policies().await? {
            let due = standing.policy.due_date;
            // While the publisher is not heard of, nobody knows who acknowledged it.
            let Some(due) = due.filter(|_| !standing.stale) else {
                continue;
            };
            let Some(stage) = stage(due, today, POLICY_AHEAD)? else {
                continue;
            };
            let left = standing.pending.iter().chain(&standing.overdue);
            for employee in left.filter_map(|id| here.get(id)) {
                notices.push(of_policy(&standing.policy, employee, stage));
            }
        }
        Ok(notices)
    }

    async fn of_certifications(&self, here: &HashMap<EmployeeId, Employee>) -> Result<Vec<Notice>> {
        let mut notices = Vec::new();
        for standing in self.certifications(None).await? {
            let (certification, status) = (&standing.certification, standing.status);
            let says = match status {
                CertificationStatus::Expiring => "is about to end",
                CertificationStatus::Expired => "ended",
                _ => continue,
            };
            let Some(employee) = here.get(&certification.employee) else {
                continue;
            };
            let mut to = self.who_is(super::notice::MANAGER, employee).await?;
            to.insert(employee.work_email.clone());
            let day = certification
                .expires_on
                .map_or_else(String::new, |day| format!(" Its last day is {day}."));
            notices.push(Notice {
                cause: format!("{}/{}/{day}", certification.id, status.as_str()),
                to,
                title: format!("A certification {says}"),
                text: format!(
                    "{} of {} {says}.{day}",
                    certification.name,
                    employee.display_name()
                ),
                severity: Severity::Low,
            });
        }
        Ok(notices)
    }
}

/// When somebody is reminded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Before it is too late.
    Due,
    /// Since it is.
    Overdue,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Overdue => "overdue",
        }
    }
}

fn stage(due: Date, today: Date, ahead: i32) -> Result<Option<Stage>> {
    Ok(if today > due {
        Some(Stage::Overdue)
    } else if days_after(today, ahead)? >= due {
        Some(Stage::Due)
    } else {
        None
    })
}

fn of_task(workflow: &Workflow, task: &Task, employee: &Employee, stage: Stage) -> Notice {
    let (word, due) = (stage.as_str(), task.due);
    Notice {
        cause: format!("{}/task/{}/{word}/{due}", workflow.id, task.number),
        to: std::collections::BTreeSet::new(),
        title: format!("A task is {word}"),
        text: format!(
            "{}, by {due}: the {} of **{}**.",
            task.title,
            workflow.kind.as_str(),
            employee.display_name()
        ),
        severity: if stage == Stage::Due {
            Severity::Info
        } else {
            Severity::Low
        },
    }
}

fn of_policy(policy: &Policy, employee: &Employee, stage: Stage) -> Notice {
    let by = policy
        .due_date
        .map_or_else(String::new, |due| format!(" by {due}"));
    Notice {
        cause: format!(
            "policy/{}/{}/{}/{}{by}",
            policy.id,
            policy.version,
            employee.id,
            stage.as_str()
        ),
        to: [employee.work_email.clone()].into(),
        title: match stage {
            Stage::Due => "A policy waits for you",
            Stage::Overdue => "A policy is overdue",
        }
        .to_owned(),
        text: format!(
            "Read and acknowledge **{}** (version {}){by}.",
            policy.title, policy.version
        ),
        severity: Severity::Low,
    }
}
