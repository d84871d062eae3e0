//! The tasks that people do when somebody comes or leaves, unless the configuration has its own.

use jiff::civil::Date;

use super::time::days_after;
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{Task, TaskStatus, TaskTemplate, WorkflowKind};

type Row = (&'static str, &'static str, &'static str, i32);

/// As the documentation of The One People has it (`/people/offboarding`); accounts are revoked by the
/// engine, not by hand.
const OFFBOARDING: &[Row] = &[
    ("Schedule exit interview", "orientation", "hr", -5),
    (
        "Collect company laptop and accessories",
        "equipment",
        "manager",
        0,
    ),
    ("Collect access badges and keys", "equipment", "manager", 0),
    ("Collect company phone", "equipment", "manager", 0),
    ("Revoke VPN and remote access", "it_setup", "it", 0),
];

/// Nobody documents these; they are ours.
const ONBOARDING: &[Row] = &[
    ("Prepare laptop and accessories", "equipment", "it", -3),
    ("Create accounts", "it_setup", "it", -1),
    (
        "Hand over access badges and keys",
        "equipment",
        "manager",
        0,
    ),
    ("Plan the first week", "orientation", "manager", 0),
    ("Have policies acknowledged", "orientation", "hr", 5),
];

impl Tenant {
    /// The tasks of a workflow whose day is known: given ones, or the configuration's, or the built-in
    /// ones.
    pub(super) fn tasks(
        &self,
        kind: WorkflowKind,
        day: Date,
        given: Option<&[TaskTemplate]>,
    ) -> Result<Vec<Task>> {
        let people = &self.config().people;
        let (configured, built_in) = match kind {
            WorkflowKind::Offboarding => (&people.offboarding, OFFBOARDING),
            WorkflowKind::Onboarding => (&people.onboarding, ONBOARDING),
        };
        let templates: Vec<TaskTemplate> = match given.or(configured.as_deref()) {
            Some(templates) => templates.to_vec(),
            None => built_in.iter().map(template).collect(),
        };
        let numbered = (1..).zip(templates);
        numbered
            .map(|(number, template)| {
                Ok(Task {
                    number,
                    title: template.title,
                    category: template.category,
                    assignee: template.assignee,
                    due: days_after(day, template.due)?,
                    status: TaskStatus::Open,
                    done_by: None,
                    done_at: None,
                    note: None,
                })
            })
            .collect()
    }
}

fn template((title, category, assignee, due): &Row) -> TaskTemplate {
    TaskTemplate {
        title: (*title).to_owned(),
        category: (*category).to_owned(),
        assignee: (*assignee).to_owned(),
        due: *due,
    }
}
