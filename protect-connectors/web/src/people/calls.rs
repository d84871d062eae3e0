//! What can be called, as data: the routes are made from it, the page of the roles is printed from it, and
//! a test calls each of them in every role.

use http::Method;
use protect_core::inbound::Route;
use protect_core::people::PeopleOperation;

/// Where the workforce stands below a tenant.
macro_rules! at {
    ($path:literal) => {
        concat!("/api/people", $path)
    };
}

/// The largest list that is imported: fifty thousand people have room in it.
const LIST_LIMIT: usize = 16 * 1024 * 1024;

/// One thing that can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeopleCall {
    /// Its name: that of the operation in Python and Node where there is one.
    pub name: &'static str,
    /// The route's own name, for the log.
    route: &'static str,
    /// Whether it changes something, and is sent by `POST`; otherwise by `GET`.
    pub changes: bool,
    /// The path below `/t/{tenant}`.
    pub path: &'static str,
    /// What the caller's role must allow.
    pub needs: PeopleOperation,
}

macro_rules! calls {
    ($($method:ident $path:literal $name:ident $needs:ident;)+) => {
        /// Every one.
        pub const PEOPLE_CALLS: &[PeopleCall] = &[$(PeopleCall {
            name: stringify!($name),
            route: concat!("web.people.", stringify!($name)),
            changes: calls!(@changes $method),
            path: at!($path),
            needs: PeopleOperation::$needs,
        }),+];
    };
    (@changes GET) => { false };
    (@changes POST) => { true };
}

calls! {
    GET "/me" me ViewDirectory;
    GET "/employees" employees ViewDirectory;
    POST "/employees" hire EditDirectory;
    GET "/employees/{who}" employee ViewDirectory;
    GET "/employees/{who}/accounts" accounts_of_employee ManageWorkflows;
    POST "/employees/{id}/update" update_employee EditDirectory;
    POST "/employees/{id}/status" set_employee_status EditDirectory;
    POST "/employees/{id}/profile" update_profile EditOwnProfile;
    GET "/export" export_employees EditDirectory;
    POST "/import" import_employees EditDirectory;
    POST "/sync" sync_employees EditDirectory;
    GET "/org-chart" org_chart ViewDirectory;
    POST "/employees/{id}/offboard" offboard ManageWorkflows;
    POST "/offboardings" offboard_many ManageWorkflows;
    POST "/employees/{id}/onboard" onboard ManageWorkflows;
    GET "/workflows" workflows ManageWorkflows;
    POST "/workflows/review" review_workflows ManageWorkflows;
    GET "/workflows/{id}" workflow ManageWorkflows;
    GET "/workflows/{id}/evidence" workflow_evidence ManageWorkflows;
    GET "/workflows/{id}/page" workflow_page ManageWorkflows;
    POST "/workflows/{id}/tasks/{number}" set_task ManageWorkflows;
    POST "/workflows/{id}/resume" resume_offboarding ManageWorkflows;
    POST "/workflows/{id}/cancel" cancel_workflow ManageWorkflows;
    GET "/time-off" time_off ViewTimeOff;
    POST "/employees/{id}/time-off" request_time_off RequestTimeOff;
    POST "/time-off/{id}/decide" decide_time_off DecideTimeOff;
    POST "/time-off/{id}/cancel" cancel_time_off RequestTimeOff;
    GET "/employees/{id}/balances" time_off_balances ViewLeaveType;
    POST "/balances/import" import_time_off_balances EditDirectory;
    GET "/certifications" certifications ViewCertifications;
    POST "/certifications/import" import_certifications EditCertifications;
    GET "/policies" policies ViewAcknowledgements;
    POST "/policies" take_policies ManagePolicies;
    POST "/policies/sync" sync_policies ManagePolicies;
    GET "/policies/{id}/text" policy_text AcknowledgePolicy;
    POST "/policies/{id}/remind" remind_of_policy ManagePolicies;
    POST "/reminders" send_reminders ManagePolicies;
    GET "/employees/{id}/policies" acknowledgements_of ViewAcknowledgements;
    GET "/employees/{id}/policies/now" policies_of ViewAcknowledgements;
    POST "/employees/{id}/policies/acknowledge" acknowledge_policy AcknowledgePolicy;
    GET "/records" personnel_records ViewPersonnel;
    POST "/records/import" import_personnel_records EditPersonnel;
    GET "/insider-signals" insider_signals InsiderThreat;
    POST "/insider-signals/{id}/judge" judge_insider_signal InsiderThreat;
}

impl PeopleCall {
    /// Its route. The handler asks for the role, so that a session is enough to come there.
    pub(super) fn route(&self) -> Route {
        let route = if self.changes {
            Route::post(self.route, self.path)
        } else {
            Route::get(self.route, self.path)
        };
        if self.path.ends_with("/import") {
            route.body_limit(LIST_LIMIT)
        } else {
            route
        }
    }

    /// The call that a request is.
    pub(super) fn of(method: &Method, path: &str) -> Option<&'static Self> {
        let changes = *method == Method::POST;
        PEOPLE_CALLS
            .iter()
            .find(|call| call.changes == changes && call.route().matches(path).is_some())
    }
}
