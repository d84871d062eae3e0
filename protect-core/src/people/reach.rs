//! How far away an employee is from whoever acts: themselves, somebody they lead, somebody else.

use super::role::{PeopleOperation, PeopleRole, Reach};
use crate::engine::Tenant;
use crate::error::Result;
use crate::model::{Actor, Address, Employee, EmployeeId};

/// Whoever acts, and how far they reach.
#[derive(Clone, Debug)]
pub(super) struct Standpoint {
    /// `None` for an actor whom nothing restricts.
    pub(super) role: Option<PeopleRole>,
    /// Who they are among the employees.
    pub(super) own: Option<EmployeeId>,
}

impl Standpoint {
    /// How far one must reach to come to an employee.
    pub(super) fn needed(&self, about: &Employee) -> Reach {
        if self.own.is_none() {
            return Reach::Everybody;
        }
        if self.own.as_ref() == Some(&about.id) {
            Reach::Own
        } else if self.own == about.manager {
            Reach::Team
        } else {
            Reach::Everybody
        }
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
        Ok(Standpoint {
            role: PeopleRole::of(actor),
            own: self.employee_behind(actor).await?.map(|it| it.id),
        })
    }

    /// Lets somebody do something about an employee, as their role reaches.
    pub(super) async fn may(
        &self,
        actor: &Actor,
        operation: PeopleOperation,
        about: &Employee,
    ) -> Result<()> {
        self.standpoint(actor).await?.need(operation, about)
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
