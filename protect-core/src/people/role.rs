//! Who may do what with the workforce. The roles are assigned in The One Hub and inherited; the table
//! is ours where its documentation is silent (`docs/guides/offboarding.md` shows it).

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Actor, Employee, Role};

/// A role in the workforce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeopleRole {
    /// Everything.
    Admin,
    /// Everything of Human Resources.
    HrManager,
    /// The same without insider-threat signals.
    HrStaff,
    /// Their own team.
    Manager,
    /// Looks, at what is nobody's secret.
    Viewer,
    /// Their own.
    Employee,
}

/// What can be done with the workforce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeopleOperation {
    /// See the directory and the org chart.
    ViewDirectory,
    /// Change the directory, import and sync.
    EditDirectory,
    /// See addresses at home and dates of birth.
    ViewPrivate,
    /// Change their own name to be called by, and telephone.
    EditOwnProfile,
    /// Start, change and cancel onboardings and offboardings, and do their tasks.
    ManageWorkflows,
    /// See insider-threat signals, and judge them.
    InsiderThreat,
    /// See time off.
    ViewTimeOff,
    /// Ask for time off.
    RequestTimeOff,
    /// Approve and deny time off.
    DecideTimeOff,
    /// See certifications.
    ViewCertifications,
    /// Enter and import certifications.
    EditCertifications,
    /// See who acknowledged what.
    ViewAcknowledgements,
    /// Send policies out and remind.
    ManagePolicies,
    /// Acknowledge a policy: nobody does it for somebody else.
    AcknowledgePolicy,
    /// See reviews, trainings and documents to be signed.
    ViewPersonnel,
    /// Import them.
    EditPersonnel,
}

impl PeopleOperation {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ViewDirectory => "view_directory",
            Self::EditDirectory => "edit_directory",
            Self::ViewPrivate => "view_private",
            Self::EditOwnProfile => "edit_own_profile",
            Self::ManageWorkflows => "manage_workflows",
            Self::InsiderThreat => "insider_threat",
            Self::ViewTimeOff => "view_time_off",
            Self::RequestTimeOff => "request_time_off",
            Self::DecideTimeOff => "decide_time_off",
            Self::ViewCertifications => "view_certifications",
            Self::EditCertifications => "edit_certifications",
            Self::ViewAcknowledgements => "view_acknowledgements",
            Self::ManagePolicies => "manage_policies",
            Self::AcknowledgePolicy => "acknowledge_policy",
            Self::ViewPersonnel => "view_personnel",
            Self::EditPersonnel => "edit_personnel",
        }
    }
}

/// How far a permission reaches.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Nobody.
    Nobody,
    /// Themselves.
    Own,
    /// Whom they lead, and themselves.
    Team,
    /// Everybody.
    Everybody,
}

impl PeopleRole {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Admin,
        Self::HrManager,
        Self::HrStaff,
        Self::Manager,
        Self::Viewer,
        Self::Employee,
    ];

    /// The role of somebody who acts: what The One Hub says of the product, or else what their role in the
    /// organisation comes to. `None` for an actor whom nothing restricts.
    pub fn of(actor: &Actor) -> Option<Self> {
        let authority = actor.authority.as_ref()?;
        let own = authority.product_role("people").map(str::parse);
        Some(match own {
            Some(Ok(role)) => role,
            _ if authority.client.is_some() => Self::Employee,
            None if matches!(authority.role, Role::Owner | Role::Admin) => Self::Admin,
            None | Some(Err(_)) => Self::Employee,
        })
    }

    /// Lets those do something about everybody whose role allows it, and those who have no role.
    ///
    /// # Errors
    /// `permission_denied`, naming the operation.
    pub fn need(actor: &Actor, operation: PeopleOperation) -> Result<()> {
        let reach = Self::of(actor).map_or(Reach::Everybody, |role| role.reach(operation));
        if reach == Reach::Everybody {
            return Ok(());
        }
        Self::refuse(operation)
    }

    /// The refusal, naming the operation.
    pub(super) fn refuse(operation: PeopleOperation) -> Result<()> {
        Err(Error::new(
            ErrorKind::PermissionDenied,
            "your role in the workforce does not allow this; an administrator assigns roles in Hub",
        )
        .with_context("operation", operation.as_str()))
    }

    /// About whom somebody with this role may do it.
    pub const fn reach(self, operation: PeopleOperation) -> Reach {
        use PeopleOperation as O;
        use PeopleRole as R;
        match (operation, self) {
            (O::InsiderThreat, R::HrStaff) => Reach::Nobody,
            (O::AcknowledgePolicy, _) => Reach::Own,
            (_, R::Admin | R::HrManager | R::HrStaff)
            | (O::ViewDirectory, _)
            | (O::ViewTimeOff | O::ViewCertifications | O::ViewAcknowledgements, R::Viewer) => {
                Reach::Everybody
            }
            (
                O::ViewTimeOff
                | O::DecideTimeOff
                | O::ViewCertifications
                | O::ViewAcknowledgements
                | O::ViewPersonnel,
                R::Manager,
            ) => Reach::Team,
            (O::EditOwnProfile | O::RequestTimeOff, _)
            | (
                O::ViewPrivate
                | O::ViewTimeOff
                | O::ViewCertifications
                | O::ViewAcknowledgements
                | O::ViewPersonnel,
                R::Employee,
            ) => Reach::Own,
            _ => Reach::Nobody,
        }
    }

    /// An employee as somebody with this role may see them; `own` says that it is they themselves.
    pub fn view(self, employee: Employee, own: bool) -> Employee {
        match self.reach(PeopleOperation::ViewPrivate) {
            Reach::Everybody => employee,
            _ if own => employee,
            _ => employee.without_private(),
        }
    }
}

impl FromStr for PeopleRole {
    type Err = Error;

    /// A role as The One Hub writes it: `HR Manager` is `hr_manager`.
    fn from_str(text: &str) -> Result<Self> {
        match text.trim().to_lowercase().replace([' ', '-'], "_").as_str() {
            "admin" => Ok(Self::Admin),
            "hr_manager" => Ok(Self::HrManager),
            "hr_staff" => Ok(Self::HrStaff),
            "manager" => Ok(Self::Manager),
            "viewer" => Ok(Self::Viewer),
            "employee" => Ok(Self::Employee),
            _ => Err(Error::invalid_input("not a role of the workforce")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_of_every_role_and_operation_about_whom() {
        use PeopleOperation as O;
        let table = [
            (O::ViewDirectory, "EEEEEE"),
            (O::EditDirectory, "EEENNN"),
            (O::ViewPrivate, "EEENNO"),
            (O::EditOwnProfile, "EEEOOO"),
            (O::ManageWorkflows, "EEENNN"),
            (O::InsiderThreat, "EENNNN"),
            (O::ViewTimeOff, "EEETEO"),
            (O::RequestTimeOff, "EEEOOO"),
            (O::DecideTimeOff, "EEETNN"),
            (O::ViewCertifications, "EEETEO"),
            (O::EditCertifications, "EEENNN"),
            (O::ViewAcknowledgements, "EEETEO"),
            (O::ManagePolicies, "EEENNN"),
            (O::AcknowledgePolicy, "OOOOOO"),
            (O::ViewPersonnel, "EEETNO"),
            (O::EditPersonnel, "EEENNN"),
        ];
        for (operation, reaches) in table {
            let found: String = PeopleRole::ALL
                .map(|role| match role.reach(operation) {
                    Reach::Nobody => 'N',
                    Reach::Own => 'O',
                    Reach::Team => 'T',
                    Reach::Everybody => 'E',
                })
                .iter()
                .collect();
            assert_eq!(found, reaches, "{operation:?}");
        }
        assert_eq!(
            "HR Manager".parse::<PeopleRole>().unwrap(),
            PeopleRole::HrManager
        );
    }
}
