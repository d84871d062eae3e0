//! Who leads whom.

use std::collections::{BTreeMap, HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::workforce::EmployeeFilter;
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{Employee, EmployeeId};

/// Who leads whom, from the top down; a person stands behind whoever leads them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrgChart {
    /// Everybody who works here, each once.
    pub people: Vec<OrgNode>,
}

/// One place in the chart.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrgNode {
    /// Who.
    pub employee: EmployeeId,
    /// What people call them.
    pub name: String,
    /// Title of the job.
    pub job_title: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Who leads them, where that is somebody who works here.
    pub manager: Option<EmployeeId>,
    /// How many steps below the top.
    pub depth: u32,
    /// How many people they lead themselves.
    pub reports: u32,
}

impl std::fmt::Debug for OrgNode {
    /// Leaves out the name: `Debug` ends up in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrgNode")
            .field("employee", &self.employee)
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

impl Tenant {
    /// Who leads whom, of everybody who works here; below one person where `top` names them.
    ///
    /// # Errors
    /// `not_found` for an unknown `top`; `store`.
    pub async fn org_chart(&self, top: Option<&EmployeeId>) -> Result<OrgChart> {
        if let Some(top) = top {
            self.employee(top).await?;
        }
        let all = self.employees(&EmployeeFilter::default()).await?;
        Ok(chart(&all, top))
    }
}

fn chart(all: &[Employee], top: Option<&EmployeeId>) -> OrgChart {
    let here: Vec<&Employee> = all.iter().filter(|it| !it.status.has_left()).collect();
    let known: HashSet<&EmployeeId> = here.iter().map(|it| &it.id).collect();
    let manager = |it: &Employee| it.manager.as_ref().filter(|id| known.contains(id)).cloned();
    let mut teams: HashMap<Option<EmployeeId>, Vec<&Employee>> = HashMap::new();
    let mut by_id: BTreeMap<&EmployeeId, &Employee> = BTreeMap::new();
    for employee in here {
        teams.entry(manager(employee)).or_default().push(employee);
        by_id.insert(&employee.id, employee);
    }
    let first: Vec<&Employee> = if let Some(top) = top {
        by_id.get(top).copied().into_iter().collect()
    } else {
        let first = teams.get(&None).into_iter().flatten();
        first.rev().copied().collect()
    };
    let mut waiting: Vec<(&Employee, u32)> = first.into_iter().map(|it| (it, 0)).collect();
    let mut people = Vec::with_capacity(by_id.len());
    while let Some((employee, depth)) = waiting.pop() {
        let team = teams.get(&Some(employee.id.clone()));
        let team = team.map_or(&[][..], Vec::as_slice);
        people.push(OrgNode {
            employee: employee.id.clone(),
            name: employee.display_name(),
            job_title: employee.job_title.clone(),
            department: employee.department.clone(),
            manager: manager(employee),
            depth,
            reports: u32::try_from(team.len()).unwrap_or(u32::MAX),
        });
        waiting.extend(team.iter().rev().map(|it| (*it, depth + 1)));
    }
    OrgChart { people }
}
