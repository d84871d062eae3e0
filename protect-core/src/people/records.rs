//! How employees and workflows become records: the only place that knows their keys, states and
//! groups.

use super::watching::is_watched;
use crate::error::Result;
use crate::model::{Employee, EmployeeId, Workflow, WorkflowKind, WorkflowStatus};
use crate::store::{Expect, Put, RecordKind};

/// When it last changed who leads whom among those who are known.
pub(super) const LEADERS: &str = "people/leaders";

/// Since when every number has a record of its own.
pub(super) const NUMBERED: &str = "people/numbered";

/// An employee by id; the group is the manager, so that a team is found at once.
pub(super) fn put_employee(employee: &Employee, expect: Expect) -> Result<Put> {
    let manager = employee.manager.as_ref().map_or("", EmployeeId::as_str);
    Ok(
        Put::new(RecordKind::Employee, employee.id.as_str(), employee)?
            .state(employee.status.as_str())
            .group(manager)
            .expect(expect),
    )
}

/// Whose an address or a number is. Two commits that give one to two people cannot both happen.
pub(super) fn put_owner(
    kind: RecordKind,
    key: &str,
    employee: &EmployeeId,
    expect: Expect,
) -> Result<Put> {
    Ok(Put::new(kind, key, employee)?
        .group(employee.as_str())
        .expect(expect))
}

/// A workflow by id; the group is its employee. It is due when it is next to be looked after: at once,
/// unless whoever looked says otherwise.
pub(super) fn put_workflow(workflow: &Workflow, expect: Expect) -> Result<Put> {
    Ok(
        Put::new(RecordKind::Workflow, workflow.id.as_str(), workflow)?
            .state(workflow.status.as_str())
            .group(workflow.employee.as_str())
            .due(is_looked_after(workflow).then_some(workflow.updated_at))
            .expect(expect),
    )
}

/// Whether there is anything to look after: access that is to end, closer watching that is to, or a plan
/// that is owed.
pub(super) fn is_looked_after(workflow: &Workflow) -> bool {
    let is_open = workflow.status == WorkflowStatus::Open;
    workflow.kind == WorkflowKind::Offboarding
        && ((is_open && !workflow.access_gone)
            || (!is_open && is_watched(workflow))
            || workflow.called_off.is_some())
}
