//! Who may do what with the workforce: one table, by which the engine decides, from which
//! `docs/reference/workforce-roles.md` is printed, and which a test walks through over HTTP. Roles are assigned
//! in The One Hub and inherited; the table is ours where its documentation is silent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Actor, Employee, Role};

pub use crate::model::PeopleRole;

/// How far a permission reaches. A farther one holds every nearer one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Nobody.
    Nobody,
    /// Themselves.
    Own,
    /// Whom they lead, themselves or through others, and themselves.
    Team,
    /// Everybody.
    Everybody,
}

impl Reach {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Own => "own",
            Self::Team => "team",
            Self::Everybody => "everybody",
        }
    }
}

macro_rules! operations {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal: $($reach:ident)+;)+) => {
        /// What can be done with the workforce.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum PeopleOperation { $($(#[doc = $doc])+ $variant),+ }

        impl PeopleOperation {
            /// Every one, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it is, for people.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii_start()),+ }
            }

            /// How far it reaches, in the order of [`PeopleRole::ALL`].
            const fn reaches(self) -> [Reach; PeopleRole::ALL.len()] {
                match self { $(Self::$variant => [$(Reach::$reach),+]),+ }
            }
        }
    };
}

// The columns: Admin, HR Manager, HR Staff, Manager, Viewer, the employee themselves.
operations! {
    /// See the directory and the org chart.
    ViewDirectory = "view_directory": Everybody Everybody Everybody Everybody Everybody Everybody;
    /// See how and since when people are employed, and who is leaving.
    ViewEmployment = "view_employment": Everybody Everybody Everybody Team Everybody Own;
    /// See addresses at home, private e-mail addresses and dates of birth.
    ViewPrivate = "view_private": Everybody Everybody Everybody Own Own Own;
    /// Change the directory, import and sync.
    EditDirectory = "edit_directory": Everybody Everybody Everybody Nobody Nobody Nobody;
    /// Change the name to be called by, telephone, address at home and private e-mail address.
    EditOwnProfile = "edit_own_profile": Everybody Everybody Everybody Own Own Own;
    /// See, start, change and cancel onboardings and offboardings, and do their tasks.
    ManageWorkflows = "manage_workflows": Everybody Everybody Everybody Nobody Nobody Nobody;
    /// See insider-threat signals, and judge them.
    InsiderThreat = "insider_threat": Everybody Everybody Nobody Nobody Nobody Nobody;
    /// See who is away, or asks to be.
    ViewTimeOff = "view_time_off": Everybody Everybody Everybody Team Everybody Own;
    /// See of which sort time off is, what was noted, and how much is left.
    ViewLeaveType = "view_leave_type": Everybody Everybody Everybody Team Own Own;
    /// Ask for time off, and call it off.
    RequestTimeOff = "request_time_off": Everybody Everybody Everybody Own Own Own;
    /// Approve and deny time off; nobody their own.
    DecideTimeOff = "decide_time_off": Everybody Everybody Everybody Team Nobody Nobody;
    /// See certifications.
    ViewCertifications = "view_certifications": Everybody Everybody Everybody Team Everybody Own;
    /// Enter and import certifications.
    EditCertifications = "edit_certifications": Everybody Everybody Everybody Nobody Nobody Nobody;
    /// See who acknowledged what.
    ViewAcknowledgements = "view_acknowledgements": Everybody Everybody Everybody Team Everybody Own;
    /// Send policies out and remind.
    ManagePolicies = "manage_policies": Everybody Everybody Everybody Nobody Nobody Nobody;
    /// Acknowledge a policy: nobody does it for somebody else.
    AcknowledgePolicy = "acknowledge_policy": Own Own Own Own Own Own;
    /// See reviews, trainings and documents to be signed.
    ViewPersonnel = "view_personnel": Everybody Everybody Everybody Team Nobody Own;
    /// Import them.
    EditPersonnel = "edit_personnel": Everybody Everybody Everybody Nobody Nobody Nobody;
}

impl PeopleRole {
    /// The role of somebody who acts: what The One Hub says of the product, or else what their role in the
    /// organisation comes to. `None` for an actor whom nothing restricts.
    pub fn of(actor: &Actor) -> Option<Self> {
        let authority = actor.authority.as_ref()?;
        let own = authority.product_role(Self::PRODUCT).map(str::parse);
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
        Err(Self::refusal(operation))
    }

    /// The refusal, naming the operation.
    pub(super) fn refusal(operation: PeopleOperation) -> Error {
        Error::new(
            ErrorKind::PermissionDenied,
            "your role in the workforce does not allow this; an administrator assigns roles in Hub",
        )
        .with_context("operation", operation.as_str())
    }

    /// About whom somebody with this role may do it.
    pub const fn reach(self, operation: PeopleOperation) -> Reach {
        operation.reaches()[self as usize]
    }

    /// An employee as somebody with this role may see them; `needed` says how far away they are.
    pub fn view(self, employee: Employee, needed: Reach) -> Employee {
        let sees = |operation| self.reach(operation) >= needed;
        let employee = if sees(PeopleOperation::ViewPrivate) {
            employee
        } else {
            employee.without_private()
        };
        if sees(PeopleOperation::ViewEmployment) {
            employee
        } else {
            employee.without_employment()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_but_human_resources_may_do_is_so_for_every_other_role() {
        use PeopleOperation as O;
        for role in [
            PeopleRole::Manager,
            PeopleRole::Viewer,
            PeopleRole::Employee,
        ] {
            for operation in [
                O::EditDirectory,
                O::ManageWorkflows,
                O::InsiderThreat,
                O::EditCertifications,
                O::ManagePolicies,
            ] {
                assert_eq!(
                    role.reach(operation),
                    Reach::Nobody,
                    "{role:?} {operation:?}"
                );
            }
            // Documented: addresses at home are for administrators and Human Resources.
            assert_eq!(role.reach(O::ViewPrivate), Reach::Own);
        }
        // Documented: insider-threat signals are for administrators and HR managers alone.
        let sees = |role: &PeopleRole| role.reach(O::InsiderThreat) != Reach::Nobody;
        let seeing: Vec<PeopleRole> = PeopleRole::ALL.into_iter().filter(sees).collect();
        assert_eq!(seeing, [PeopleRole::Admin, PeopleRole::HrManager]);
    }

    #[test]
    fn administrators_reach_everybody_and_everybody_reaches_themselves_where_it_is_theirs() {
        use PeopleOperation as O;
        for operation in PeopleOperation::ALL {
            let reach = PeopleRole::Admin.reach(*operation);
            let signs = *operation == O::AcknowledgePolicy;
            assert_eq!(reach, if signs { Reach::Own } else { Reach::Everybody });
            assert_eq!(serde_json::json!(operation), operation.as_str());
            assert!(operation.about().ends_with('.') && !operation.about().starts_with(' '));
        }
        for role in PeopleRole::ALL {
            for own in [
                O::ViewPrivate,
                O::EditOwnProfile,
                O::RequestTimeOff,
                O::ViewTimeOff,
            ] {
                assert!(role.reach(own) >= Reach::Own, "{role:?} {own:?}");
            }
        }
        assert_eq!(PeopleRole::Manager.reach(O::DecideTimeOff), Reach::Team);
        assert_eq!(PeopleRole::Employee.reach(O::DecideTimeOff), Reach::Nobody);
    }
}
