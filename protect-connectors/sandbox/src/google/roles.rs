//! Roles of administrators and who holds them.

use serde_json::{Value, json};

use super::{
    Google,
    error::{Answer, Refusal},
    operation::{Ask, bad},
    page::Named,
    users::{Rank, SUBJECT, Users},
};
use crate::{
    request::{Context, Reply},
    rng::Rng,
    scenario::Part,
};

const SEED: usize = 0;
const SUPER: usize = 1;
const HELP_DESK: usize = 3;
const USERS: usize = 4;
const AUDITOR: usize = 6;

/// Name, whether of the system, whether of a super administrator, and privileges.
const ROLES: [(&str, bool, bool, &[&str]); 7] = [
    ("_SEED_ADMIN_ROLE", true, true, &["SUPER_ADMIN"]),
    ("_SUPER_ADMIN_ROLE", true, true, &["SUPER_ADMIN"]),
    ("_GROUPS_ADMIN_ROLE", true, false, &["GROUPS_ALL"]),
    (
        "_HELP_DESK_ADMIN_ROLE",
        true,
        false,
        &["USERS_RETRIEVE", "RESET_PASSWORD"],
    ),
    (
        "_USER_MANAGEMENT_ADMIN_ROLE",
        true,
        false,
        &["USERS_ALL", "ORGANIZATION_UNITS_RETRIEVE"],
    ),
    (
        "_SERVICE_ADMIN_ROLE",
        true,
        false,
        &["APP_ADMIN", "SERVICES_ALL"],
    ),
    (
        "Security Auditor",
        false,
        false,
        &["REPORTS_ACCESS", "VIEW_SECURITY_CENTER"],
    ),
];

pub(crate) struct Roles {
    ids: Vec<String>,
    assignments: Vec<Assignment>,
    rng: Rng,
}

struct Assignment {
    id: String,
    role: usize,
    holder: Holder,
}

#[derive(Clone, PartialEq, Eq)]
enum Holder {
    User(usize),
    Group(String),
}

impl Roles {
    /// `auditors` is the group that holds the custom role.
    pub(crate) fn new(users: &Users, auditors: &str) -> Self {
        let mut rng = Rng::new(users.seed(), "google roles");
        let mut roles = Self {
            ids: ROLES
                .iter()
                .map(|_| format!("{}", 10_000_000_000_000 + rng.below(10_000_000_000_000)))
                .collect(),
            assignments: Vec::new(),
            rng,
        };
        let everybody = [
            (SEED, Some(0)),
            (SUPER, Some(0)),
            (SUPER, Some(1)),
            (SUPER, Some(SUBJECT)),
            (SUPER, users.player(Part::Owner)),
            // One super administrator with another role, as checks of roles look for.
            (HELP_DESK, users.player(Part::Owner)),
            (HELP_DESK, users.player(Part::ExternalAdmin)),
            (USERS, users.dormant_admin),
            (USERS, users.suspended_admin),
        ];
        for (role, number) in everybody {
            if let Some(number) = number {
                roles.assign(role, Holder::User(number));
            }
        }
        roles.assign(AUDITOR, Holder::Group(auditors.to_owned()));
        roles
    }

    pub(crate) fn rank(&self, number: usize) -> Rank {
        let mut rank = Rank::default();
        for held in self.held_by(number) {
            rank.super_admin |= ROLES[held.role].2;
            rank.delegated_admin |= !ROLES[held.role].2;
        }
        rank
    }

    /// How many hold a role of super administrators.
    pub(crate) fn super_admins(&self) -> impl Iterator<Item = usize> {
        let supers = self.assignments.iter().filter(|it| ROLES[it.role].2);
        supers.filter_map(|it| match it.holder {
            Holder::User(number) => Some(number),
            Holder::Group(_) => None,
        })
    }

    /// Makes somebody a super administrator, or no longer.
    pub(crate) fn set_super_admin(&mut self, number: usize, on: bool) {
        self.assignments
            .retain(|it| it.holder != Holder::User(number) || !ROLES[it.role].2);
        if on {
            self.assign(SUPER, Holder::User(number));
        }
    }

    fn held_by(&self, number: usize) -> impl Iterator<Item = &Assignment> {
        let holder = Holder::User(number);
        self.assignments
            .iter()
            .filter(move |it| it.holder == holder)
    }

    fn assign(&mut self, role: usize, holder: Holder) -> usize {
        let id = 20_000_000_000_000 + self.rng.below(10_000_000_000_000);
        self.assignments.push(Assignment {
            id: id.to_string(),
            role,
            holder,
        });
        self.assignments.len() - 1
    }

    fn shown_role(&self, role: usize) -> Value {
        let (name, system, of_super, privileges) = ROLES[role];
        let privileges: Vec<Value> = privileges
            .iter()
            .map(|name| json!({"privilegeName": name, "serviceId": "00haapch16h1ysv"}))
            .collect();
        json!({
            "kind": "admin#directory#role",
            "etag": format!("\"{}\"", self.ids[role]),
            "roleId": self.ids[role],
            "roleName": name,
            "roleDescription": name,
            "isSystemRole": system,
            "isSuperAdminRole": of_super,
            "rolePrivileges": privileges,
        })
    }

    fn shown(&self, assignment: &Assignment, users: &Users) -> Value {
        let (to, kind) = match &assignment.holder {
            Holder::User(number) => (users.id(*number), "user"),
            Holder::Group(id) => (id.clone(), "group"),
        };
        json!({
            "kind": "admin#directory#roleAssignment",
            "etag": format!("\"{}\"", assignment.id),
            "roleAssignmentId": assignment.id,
            "roleId": self.ids[assignment.role],
            "assignedTo": to,
            "assigneeType": kind,
            "scopeType": "CUSTOMER",
        })
    }
}

impl Google {
    pub(super) fn list_roles(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.check_customer(ask.id(0))?;
        let size = ask.count("maxResults", 100, 100, cx)?;
        let named = Named {
            kind: Some("admin#directory#roles"),
            list: "items",
        };
        let row = |at: usize| Some(self.roles.shown_role(at));
        self.page(ask, (named, size, ROLES.len()), &row, cx)
    }

    pub(super) fn list_assignments(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.check_customer(ask.id(0))?;
        let size = ask.count("maxResults", 200, 100, cx)?;
        let indirect = ask.flag("includeIndirectRoleAssignments", cx)?;
        if indirect && ask.parameter("userKey").is_none() {
            return Err(bad("includeIndirectRoleAssignments needs userKey", cx));
        }
        let holders = match ask.parameter("userKey") {
            Some(key) => Some(self.holders(key, indirect)?),
            None => None,
        };
        let role = ask.parameter("roleId");
        let wanted = |it: &&Assignment| {
            role.is_none_or(|id| self.roles.ids[it.role] == id)
                && holders
                    .as_ref()
                    .is_none_or(|them| them.contains(&it.holder))
        };
        let found: Vec<&Assignment> = self.roles.assignments.iter().filter(wanted).collect();
        let row = |at: usize| Some(self.roles.shown(found.get(at)?, &self.users));
        let named = Named {
            kind: Some("admin#directory#roleAssignments"),
            list: "items",
        };
        self.page(ask, (named, size, found.len()), &row, cx)
    }

    pub(super) fn insert_assignment(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.check_customer(ask.id(0))?;
        self.need_super(ask)?;
        let body = ask.body(&["roleId", "assignedTo", "scopeType", "orgUnitId"], cx)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("scopeType") != "CUSTOMER" {
            return Err(bad("Invalid Input: scopeType", cx));
        }
        let role = self.roles.ids.iter().position(|id| id == text("roleId"));
        let role = role.ok_or_else(|| Refusal::not_found("roleId"))?;
        let number = self.users.number(text("assignedTo"));
        let number = number.filter(|it| self.users.account(*it).is_some());
        let number = number.ok_or_else(|| Refusal::not_found("assignedTo"))?;
        if self.roles.held_by(number).any(|it| it.role == role) {
            let message = "Entity already exists.";
            return Err(Refusal::new(409, "duplicate", message));
        }
        let place = self.roles.assign(role, Holder::User(number));
        self.users.version += 1;
        let shown = self
            .roles
            .shown(&self.roles.assignments[place], &self.users);
        cx.change(
            "role_assignment",
            &self.roles.assignments[place].id,
            "",
            "assigned",
        );
        self.log_role("ASSIGN_ROLE", number, role, ask);
        Ok(Reply::json(200, &shown))
    }

    pub(super) fn delete_assignment(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.check_customer(ask.id(0))?;
        self.need_super(ask)?;
        let mut assignments = self.roles.assignments.iter();
        let place = assignments.position(|it| it.id == ask.id(1));
        let place = place.ok_or_else(|| Refusal::not_found("roleAssignmentId"))?;
        let gone = self.roles.assignments.remove(place);
        self.users.version += 1;
        cx.change("role_assignment", &gone.id, "assigned", "deleted");
        if let Holder::User(number) = gone.holder {
            self.log_role("UNASSIGN_ROLE", number, gone.role, ask);
        }
        Ok(Reply::empty(204))
    }

    /// A user, and the groups that it is in where asked for.
    fn holders(&self, key: &str, indirect: bool) -> Result<Vec<Holder>, Refusal> {
        if let Some(group) = self.groups.find(key) {
            return Ok(vec![Holder::Group(self.groups.id(group).to_owned())]);
        }
        let account = self.account(key)?;
        let mut holders = vec![Holder::User(account.number)];
        if indirect {
            let groups = self.groups.of(account.number);
            holders.extend(groups.map(|it| Holder::Group(self.groups.id(it).to_owned())));
        }
        Ok(holders)
    }

    fn log_role(&mut self, event: &'static str, number: usize, role: usize, ask: &Ask<'_>) {
        let parameters = [("ROLE_NAME", ROLES[role].0.to_owned())];
        self.log_change(event, "DELEGATED_ADMIN_SETTINGS", number, &parameters, ask);
    }
}
