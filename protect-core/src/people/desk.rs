//! The workforce as somebody may see it: every read with the person who reads, and only as far as their role
//! reaches. Whoever serves the workforce to people goes through here; changes ask for the role themselves.

use std::collections::HashMap;

use super::certification::CertificationStanding;
use super::chart::OrgChart;
use super::lifecycle::Started;
use super::reach::Standpoint;
use super::role::{PeopleOperation, PeopleRole, Reach};
use super::time_off::TimeOffFilter;
use super::workforce::EmployeeFilter;
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{
    Account, AcknowledgementStatus, Actor, Employee, EmployeeId, EvidenceEntry, LeaveType,
    PersonnelKind, PersonnelRecord, Policy, PolicyStanding, TimeOff, TimeOffBalance, TimeOffStatus,
    Workflow, WorkflowId, WorkflowStatus,
};

/// A tenant's workforce as one person may see it.
#[derive(Debug)]
pub struct WorkforceAs<'a> {
    tenant: &'a Tenant,
    actor: &'a Actor,
    standpoint: Standpoint,
}

impl Tenant {
    /// The workforce as somebody may see it.
    ///
    /// # Errors
    /// `store`.
    pub async fn workforce_as<'a>(&'a self, actor: &'a Actor) -> Result<WorkforceAs<'a>> {
        Ok(WorkforceAs {
            tenant: self,
            actor,
            standpoint: self.standpoint(actor).await?,
        })
    }
}

impl WorkforceAs<'_> {
    /// Their role; `None` for an actor whom nothing restricts.
    pub fn role(&self) -> Option<PeopleRole> {
        self.standpoint.role
    }

    /// How far they reach with an operation.
    pub fn reach(&self, operation: PeopleOperation) -> Reach {
        self.standpoint.reach(operation).unwrap_or(Reach::Nobody)
    }

    /// Lets them go on where they reach as far as this with an operation.
    ///
    /// # Errors
    /// `permission_denied`, naming the operation.
    pub fn need(&self, operation: PeopleOperation, reach: Reach) -> Result<()> {
        if self.reach(operation) >= reach {
            return Ok(());
        }
        Err(PeopleRole::refusal(operation))
    }

    /// Whether they may do something about an employee.
    pub fn reaches(&self, operation: PeopleOperation, about: &Employee) -> bool {
        self.standpoint.reaches(operation, about)
    }

    /// Lets them do something about an employee.
    ///
    /// # Errors
    /// `permission_denied`, naming the operation.
    pub fn need_about(&self, operation: PeopleOperation, about: &Employee) -> Result<()> {
        self.standpoint.need(operation, about)
    }

    /// The employee that they are; `None` where the workforce does not know them.
    ///
    /// # Errors
    /// `store`.
    pub async fn own(&self) -> Result<Option<Employee>> {
        match &self.standpoint.own {
            Some(own) => self.tenant.employee(own).await.map(Some),
            None => Ok(None),
        }
    }

    /// As [`Tenant::employees`], with what their role shows of each. Somebody who does not see where others
    /// stand sees those who work here.
    ///
    /// # Errors
    /// `permission_denied`; `store`.
    pub async fn employees(&self, filter: &EmployeeFilter) -> Result<Vec<Employee>> {
        self.standpoint.reach(PeopleOperation::ViewDirectory)?;
        let found = self.tenant.employees(filter).await?.into_iter();
        let sees = |it: &Employee| {
            let sees_status = self.standpoint.reaches(PeopleOperation::ViewEmployment, it);
            // A filter by where people stand would tell where they stand.
            sees_status || (filter.status.is_empty() && !it.status.has_left())
        };
        Ok(found.filter(sees).map(|it| self.view(it)).collect())
    }

    /// One employee by an address, a number or an id, with what their role shows.
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    pub async fn employee(&self, who: &str) -> Result<Employee> {
        self.standpoint.reach(PeopleOperation::ViewDirectory)?;
        Ok(self.view(self.tenant.find_employee(who).await?))
    }

    /// As [`Tenant::accounts_of_employee`].
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    pub async fn accounts_of_employee(&self, who: &str) -> Result<Vec<Account>> {
        self.standpoint.reach(PeopleOperation::ManageWorkflows)?;
        let employee = self.tenant.find_employee(who).await?;
        self.tenant.accounts_of_employee(&employee).await
    }

    /// As [`Tenant::export_employees`]: a list to be imported again, for those who edit the directory.
    ///
    /// # Errors
    /// `permission_denied`; `store`.
    pub async fn export_employees(&self, filter: &EmployeeFilter, private: bool) -> Result<String> {
        PeopleRole::need(self.actor, PeopleOperation::EditDirectory)?;
        if private {
            PeopleRole::need(self.actor, PeopleOperation::ViewPrivate)?;
        }
        self.tenant.export_employees(filter, private).await
    }

    /// As [`Tenant::org_chart`].
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    pub async fn org_chart(&self, top: Option<&EmployeeId>) -> Result<OrgChart> {
        self.standpoint.reach(PeopleOperation::ViewDirectory)?;
        self.tenant.org_chart(top).await
    }

    /// As [`Tenant::workflows`].
    ///
    /// # Errors
    /// `permission_denied`; `store`.
    pub async fn workflows(&self, status: Option<WorkflowStatus>) -> Result<Vec<Workflow>> {
        PeopleRole::need(self.actor, PeopleOperation::ManageWorkflows)?;
        self.tenant.workflows(status).await
    }

    /// As [`Tenant::workflow`].
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    pub async fn workflow(&self, id: &WorkflowId) -> Result<Workflow> {
        PeopleRole::need(self.actor, PeopleOperation::ManageWorkflows)?;
        self.tenant.workflow(id).await
    }

    /// The workflows of one employee, the latest first, as they stand now.
    ///
    /// # Errors
    /// `permission_denied`; `store`.
    pub async fn workflows_of(&self, employee: &EmployeeId) -> Result<Vec<Workflow>> {
        PeopleRole::need(self.actor, PeopleOperation::ManageWorkflows)?;
        let mut shown = Vec::new();
        for workflow in self.tenant.workflows_of(employee).await? {
            shown.push(self.tenant.with_outcomes(workflow).await?);
        }
        shown.sort_by_key(|it| std::cmp::Reverse(it.started_at));
        Ok(shown)
    }

    /// As [`Tenant::workflow_evidence`].
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    pub async fn workflow_evidence(&self, id: &WorkflowId) -> Result<Vec<EvidenceEntry>> {
        PeopleRole::need(self.actor, PeopleOperation::ManageWorkflows)?;
        self.tenant.workflow_evidence(id).await
    }

    /// As [`Tenant::workflow_page`].
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    #[cfg(feature = "report")]
    pub async fn workflow_page(&self, id: &WorkflowId) -> Result<String> {
        PeopleRole::need(self.actor, PeopleOperation::ManageWorkflows)?;
        self.tenant.workflow_page(id).await
    }

    /// As [`Tenant::resume_offboarding`].
    ///
    /// # Errors
    /// `permission_denied`, and what that says.
    pub async fn resume_offboarding(&self, id: &WorkflowId) -> Result<Started> {
        PeopleRole::need(self.actor, PeopleOperation::ManageWorkflows)?;
        self.tenant.resume_offboarding(id).await
    }

    /// As [`Tenant::review_workflows`].
    ///
    /// # Errors
    /// `permission_denied`, and what that says.
    pub async fn review_workflows(&self) -> Result<Vec<Workflow>> {
        PeopleRole::need(self.actor, PeopleOperation::ManageWorkflows)?;
        self.tenant.review_workflows().await
    }

    /// As [`Tenant::time_off`], of those whom they reach. Of which sort it is and what was noted is left out
    /// where their role does not show it.
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    pub async fn time_off(&self, filter: &TimeOffFilter) -> Result<Vec<TimeOff>> {
        let reached = self
            .reached(PeopleOperation::ViewTimeOff, filter.employee.as_ref())
            .await?;
        let shares = self.tenant.config().people.share_leave_type;
        let found = self.tenant.time_off(filter).await?.into_iter();
        let shown = found.filter_map(|it| {
            let about = reached.get(&it.employee)?;
            let whole = self
                .standpoint
                .reaches(PeopleOperation::ViewLeaveType, about);
            Some(if whole { it } else { sparing(it, shares) })
        });
        Ok(shown.collect())
    }

    /// The time off that waits for a decision which they may make, with whose it is, the earliest first.
    ///
    /// # Errors
    /// `permission_denied`; `store`.
    pub async fn time_off_to_decide(&self) -> Result<Vec<(Employee, TimeOff)>> {
        self.standpoint.reach(PeopleOperation::DecideTimeOff)?;
        let filter = TimeOffFilter {
            status: vec![TimeOffStatus::Pending],
            ..TimeOffFilter::default()
        };
        let mut waiting = Vec::new();
        for time_off in self.tenant.time_off(&filter).await? {
            let about = self.tenant.employee(&time_off.employee).await?;
            let is_own = self.standpoint.needed(&about) == Reach::Own;
            if !is_own
                && self
                    .standpoint
                    .reaches(PeopleOperation::DecideTimeOff, &about)
            {
                waiting.push((self.view(about), time_off));
            }
        }
        Ok(waiting)
    }

    /// As [`Tenant::time_off_balances`].
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    pub async fn time_off_balances(&self, employee: &EmployeeId) -> Result<Vec<TimeOffBalance>> {
        let about = self.tenant.employee(employee).await?;
        self.standpoint
            .need(PeopleOperation::ViewLeaveType, &about)?;
        self.tenant.time_off_balances(employee).await
    }

    /// As [`Tenant::certifications`], of those whom they reach.
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    pub async fn certifications(
        &self,
        employee: Option<&EmployeeId>,
    ) -> Result<Vec<CertificationStanding>> {
        let reached = self
            .reached(PeopleOperation::ViewCertifications, employee)
            .await?;
        let mut found = self.tenant.certifications(employee).await?;
        found.retain(|it| reached.contains_key(&it.certification.employee));
        Ok(found)
    }

    /// As [`Tenant::personnel_records`], of those whom they reach.
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    pub async fn personnel_records(
        &self,
        employee: Option<&EmployeeId>,
        kind: Option<PersonnelKind>,
    ) -> Result<Vec<PersonnelRecord>> {
        let reached = self
            .reached(PeopleOperation::ViewPersonnel, employee)
            .await?;
        let mut found = self.tenant.personnel_records(employee, kind).await?;
        found.retain(|it| reached.contains_key(&it.employee));
        Ok(found)
    }

    /// As [`Tenant::send_reminders`].
    ///
    /// # Errors
    /// `permission_denied`; `store`.
    pub async fn send_reminders(&self) -> Result<u64> {
        PeopleRole::need(self.actor, PeopleOperation::ManagePolicies)?;
        self.tenant.send_reminders().await
    }

    /// As [`Tenant::policies`], counted over those whom they reach.
    ///
    /// # Errors
    /// `permission_denied`; `store`.
    pub async fn policies(&self) -> Result<Vec<PolicyStanding>> {
        let operation = PeopleOperation::ViewAcknowledgements;
        if self.standpoint.reach(operation)? == Reach::Everybody {
            return self.tenant.policies().await;
        }
        let reached = self.reached(operation, None).await?;
        let mut reached: Vec<Employee> = reached.into_values().collect();
        reached.sort_by(|a, b| (&a.last_name, &a.id).cmp(&(&b.last_name, &b.id)));
        self.tenant.policies_of_some(&reached).await
    }

    /// As [`Tenant::acknowledgements_of`].
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    pub async fn acknowledgements_of(
        &self,
        employee: &EmployeeId,
    ) -> Result<Vec<(Policy, AcknowledgementStatus)>> {
        let about = self.tenant.employee(employee).await?;
        self.standpoint
            .need(PeopleOperation::ViewAcknowledgements, &about)?;
        self.tenant.acknowledgements_of(employee).await
    }

    /// An employee as they may see them.
    fn view(&self, employee: Employee) -> Employee {
        match self.standpoint.role {
            Some(role) => {
                let needed = self.standpoint.needed(&employee);
                role.view(employee, needed)
            }
            None => employee,
        }
    }

    /// Whom they reach with an operation: of everybody, or the one who is meant.
    async fn reached(
        &self,
        operation: PeopleOperation,
        of: Option<&EmployeeId>,
    ) -> Result<HashMap<EmployeeId, Employee>> {
        let reach = self.standpoint.reach(operation)?;
        let found = match (of, reach, &self.standpoint.own) {
            (Some(of), ..) => {
                let about = self.tenant.employee(of).await?;
                self.standpoint.need(operation, &about)?;
                vec![about]
            }
            (None, Reach::Everybody, _) => {
                self.tenant.employees(&EmployeeFilter::default()).await?
            }
            (None, _, None) => Vec::new(),
            (None, _, Some(own)) => {
                let mut found: Vec<Employee> = self.standpoint.team.values().cloned().collect();
                found.push(self.tenant.employee(own).await?);
                found.retain(|it| self.standpoint.reaches(operation, it));
                found
            }
        };
        Ok(found.into_iter().map(|it| (it.id.clone(), it)).collect())
    }
}

/// Time off for those who plan around it.
fn sparing(mut time_off: TimeOff, shares: bool) -> TimeOff {
    if !shares {
        time_off.leave_type = LeaveType::Other(TimeOff::UNSAID.to_owned());
    }
    time_off.note = None;
    time_off
}
