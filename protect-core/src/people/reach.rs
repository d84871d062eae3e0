//! How far away an employee is from whoever acts: themselves, somebody whom they lead or who is led by somebody
//! they lead, somebody else.

use std::collections::HashMap;

use super::role::{PeopleOperation, PeopleRole, Reach};
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{Actor, Address, Employee, EmployeeId};
use crate::store::{Query, RecordKind};

/// Whoever acts, and how far they reach.
#[derive(Clone, Debug)]
pub(super) struct Standpoint {
    /// `None` for an actor whom nothing restricts.
    pub(super) role: Option<PeopleRole>,
    /// Who they are among the employees.
    pub(super) own: Option<EmployeeId>,
    /// Everybody below them, at whatever depth, where their role reaches as far as a team with anything.
    pub(super) team: HashMap<EmployeeId, Employee>,
}

impl Standpoint {
    /// How far one must reach to come to an employee.
    pub(super) fn needed(&self, about: &Employee) -> Reach {
        if self.own.is_none() {
            return Reach::Everybody;
        }
        if self.own.as_ref() == Some(&about.id) {
            Reach::Own
        } else if self.team.contains_key(&about.id) {
            Reach::Team
        } else {
            Reach::Everybody
        }
    }

    /// Whether it matters whom they lead.
    fn has_a_team(&self) -> bool {
        let reaches_a_team = |role: PeopleRole| {
            let mut operations = PeopleOperation::ALL.iter();
            operations.any(|it| role.reach(*it) == Reach::Team)
        };
        self.role.is_some_and(reaches_a_team)
    }

    /// Whether their role reaches to an employee.
    pub(super) fn reaches(&self, operation: PeopleOperation, about: &Employee) -> bool {
        self.role
            .is_none_or(|role| role.reach(operation) >= self.needed(about))
    }

    /// How far they reach at all.
    ///
    /// # Errors
    /// `permission_denied` where that is nobody.
    pub(super) fn reach(&self, operation: PeopleOperation) -> Result<Reach> {
        match self
            .role
            .map_or(Reach::Everybody, |role| role.reach(operation))
        {
            Reach::Nobody => Err(PeopleRole::refusal(operation)),
            reach => Ok(reach),
        }
    }

    /// Lets them do something about an employee.
    ///
    /// # Errors
    /// `permission_denied`, naming the operation.
    pub(super) fn need(&self, operation: PeopleOperation, about: &Employee) -> Result<()> {
        if self.reaches(operation, about) {
            return Ok(());
        }
        Err(PeopleRole::refusal(operation))
    }
}

impl Tenant {
    /// Where somebody stands who acts.
    pub(super) async fn standpoint(&self, actor: &Actor) -> Result<Standpoint> {
        let mut standpoint = self.standpoint_alone(actor).await?;
        if let Some(own) = standpoint.own.as_ref().filter(|_| standpoint.has_a_team()) {
            standpoint.team = self.everybody_below(own).await?;
        }
        Ok(standpoint)
    }

    /// The same without the team.
    async fn standpoint_alone(&self, actor: &Actor) -> Result<Standpoint> {
        Ok(Standpoint {
            role: PeopleRole::of(actor),
            own: self.employee_behind(actor).await?.map(|it| it.id),
            team: HashMap::new(),
        })
    }

    /// Everybody whom somebody leads, and whom those lead: a level of the organisation with each question.
    async fn everybody_below(&self, manager: &EmployeeId) -> Result<HashMap<EmployeeId, Employee>> {
        let mut below: HashMap<EmployeeId, Employee> = HashMap::new();
        let mut level = vec![manager.to_string()];
        while !level.is_empty() {
            let query = Query::all(RecordKind::Employee).in_groups(std::mem::take(&mut level));
            for found in self.read_all::<Employee>(query).await? {
                let employee = found.value;
                // Managers in a circle are refused where they are written; here they would never end.
                if employee.id == *manager || below.contains_key(&employee.id) {
                    continue;
                }
                level.push(employee.id.to_string());
                below.insert(employee.id.clone(), employee);
            }
        }
        Ok(below)
    }

    /// Whether somebody leads an employee, themselves or through others.
    async fn is_below(&self, employee: &Employee, manager: &EmployeeId) -> Result<bool> {
        let mut above = employee.manager.clone();
        let mut seen = Vec::new();
        while let Some(next) = above.filter(|it| !seen.contains(it)) {
            if next == *manager {
                return Ok(true);
            }
            above = self.employee(&next).await?.manager;
            seen.push(next);
        }
        Ok(false)
    }

    /// Lets somebody do something about an employee, as their role reaches.
    pub(super) async fn may(
        &self,
        actor: &Actor,
        operation: PeopleOperation,
        about: &Employee,
    ) -> Result<()> {
        let mut standpoint = self.standpoint_alone(actor).await?;
        if let Some(own) = standpoint.own.clone().filter(|_| standpoint.has_a_team())
            && self.is_below(about, &own).await?
        {
            standpoint.team.insert(about.id.clone(), about.clone());
        }
        standpoint.need(operation, about)
    }

    /// Whether somebody acts about themselves.
    pub(super) async fn is_own(&self, actor: &Actor, about: &Employee) -> Result<bool> {
        let own = self.employee_behind(actor).await?;
        Ok(own.is_some_and(|own| own.id == about.id))
    }

    /// The employee who acts: by the address that the login vouches for, or else by an id that is one.
    pub(super) async fn employee_behind(&self, actor: &Actor) -> Result<Option<Employee>> {
        let vouched = actor.authority.as_ref().and_then(|it| it.address.clone());
        match vouched.map_or_else(|| Address::new(&actor.id), Ok) {
            Ok(address) => self.employee_by_email(&address).await,
            Err(_) => Ok(None),
        }
    }
}
