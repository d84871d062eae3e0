//! Administrators are protected: who may touch their accounts (graph/api/resources/users,
//! "sensitive actions"), and how roles are held and given up.

use serde_json::{Value, json};

use super::{
    Graph,
    error::{Answer, Refusal},
    operation::{Ask, malformed},
    page::Rows,
    store::Store,
    users::Account,
};
use crate::request::{Context, Reply};

const GLOBAL_ADMINISTRATOR: &str = "Global Administrator";
/// They may touch everybody.
const TOUCHES_ALL: [&str; 2] = [
    GLOBAL_ADMINISTRATOR,
    "Privileged Authentication Administrator",
];
const TOUCHES_LOW: &str = "User Administrator";
/// Whoever holds no other role than these can be touched by a User Administrator.
const LOW: [&str; 8] = [
    "Directory Readers",
    "Guest Inviter",
    "Groups Administrator",
    "Helpdesk Administrator",
    "Message Center Reader",
    "Password Administrator",
    "Reports Reader",
    "User Administrator",
];

/// Refuses to let this principal change a sensitive property of an account that is over it.
pub(crate) fn guard(store: &Store, account: &Account, principal: &str) -> Result<(), Refusal> {
    let target = roles(store, &account.id);
    let highest =
        target.iter().any(|role| !LOW.contains(role)) || in_role_group(store, &account.id);
    let caller = roles(store, principal);
    let allowed = if highest {
        caller.iter().any(|role| TOUCHES_ALL.contains(role))
    } else {
        let may = |role: &&str| *role == TOUCHES_LOW || TOUCHES_ALL.contains(role);
        target.is_empty() || caller.iter().any(may)
    };
    allowed.then_some(()).ok_or_else(Refusal::denied)
}

/// Names of the roles that are assigned to this principal.
fn roles<'a>(store: &'a Store, principal: &str) -> Vec<&'a str> {
    store
        .children("roleAssignments", "principalId", principal)
        .into_iter()
        .filter_map(|it| role_name(store, it["roleDefinitionId"].as_str()?))
        .collect()
}

fn in_role_group(store: &Store, id: &str) -> bool {
    store
        .children("groupMembers", "id", id)
        .into_iter()
        .filter_map(|it| store.find("groups", "id", it["_group"].as_str()?))
        .any(|group| group["isAssignableToRole"] == true)
}

fn role_name<'a>(store: &'a Store, definition: &str) -> Option<&'a str> {
    store.find("roleDefinitions", "id", definition)?["displayName"].as_str()
}

impl Graph {
    /// Role assignments, with what was expanded.
    pub(super) fn role_assignments(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let expand = ask.options.expand.join(",");
        let rows = self.store.list("roleAssignments").iter().map(|it| {
            let mut row = it.clone();
            if expand.contains("principal") {
                row["principal"] = self.object(it["principalId"].as_str().unwrap_or_default());
            }
            if expand.contains("roleDefinition") {
                let id = it["roleDefinitionId"].as_str().unwrap_or_default();
                let definition = self.store.find("roleDefinitions", "id", id);
                row["roleDefinition"] = definition.cloned().unwrap_or_default();
            }
            row
        });
        let rows = Rows::made(rows.collect());
        self.page(ask, rows, cx)
    }

    /// Members of an activated role; not paged, as the vendor documents.
    pub(super) fn role_members(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let role = self.store.find("directoryRoles", "id", ask.id(0));
        let template = role.ok_or_else(Refusal::not_found)?["roleTemplateId"].as_str();
        let held = self.store.children(
            "roleAssignments",
            "roleDefinitionId",
            template.unwrap_or_default(),
        );
        let members = held
            .into_iter()
            .map(|it| self.object(it["principalId"].as_str().unwrap_or_default()))
            .filter(|it| !it.is_null());
        let rows = Rows::made(members.collect());
        self.page(ask, rows, cx)
    }

    pub(super) fn remove_role(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let assignment = self.store.find("roleAssignments", "id", ask.id(0));
        let definition = assignment.ok_or_else(Refusal::not_found)?["roleDefinitionId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let name = role_name(&self.store, &definition)
            .unwrap_or_default()
            .to_owned();
        let holders = self
            .store
            .children("roleAssignments", "roleDefinitionId", &definition);
        if name == GLOBAL_ADMINISTRATOR && holders.len() <= 1 {
            let message = "The last company administrator cannot be removed.";
            return Err(Refusal::bad_request(message));
        }
        let gone = self.store.remove("roleAssignments", "id", ask.id(0));
        let principal = gone.as_ref().and_then(|it| it["principalId"].as_str());
        cx.change("role_assignment", principal.unwrap_or_default(), &name, "");
        Ok(Reply::empty(204))
    }

    pub(super) fn assign_role(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let fields = [
            "@odata.type",
            "principalId",
            "roleDefinitionId",
            "directoryScopeId",
        ];
        let body = ask.body(&fields, cx)?;
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let (principal, definition) = (text("principalId"), text("roleDefinitionId"));
        if text("directoryScopeId") != "/" {
            return Err(malformed(cx));
        }
        let Some(name) = role_name(&self.store, definition).map(str::to_owned) else {
            return Err(Refusal::bad_request("The role definition does not exist."));
        };
        if self.object(principal).is_null() {
            return Err(Refusal::not_found());
        }
        if roles(&self.store, principal).contains(&name.as_str()) {
            let message = "A conflicting object with one or more of the specified property values \
                           is present in the directory.";
            return Err(Refusal::bad_request(message));
        }
        let assignment = json!({
            "id": self.rng.hex(40),
            "principalId": principal,
            "roleDefinitionId": definition,
            "directoryScopeId": "/",
        });
        cx.change("role_assignment", principal, "", &name);
        self.store.add("roleAssignments", assignment.clone());
        Ok(Reply::json(201, &assignment))
    }

    /// A user, group or service principal in short; null for what is not there.
    pub(super) fn object(&self, id: &str) -> Value {
        if let Some(account) = self.users.number(id).and_then(|it| self.users.account(it)) {
            return json!({
                "@odata.type": "#microsoft.graph.user",
                "id": account.id,
                "displayName": account.name,
                "userPrincipalName": account.upn,
                "mail": account.mail,
                "accountEnabled": account.enabled,
                "userType": if account.is_guest() { "Guest" } else { "Member" },
                "onPremisesSyncEnabled": account.synced.then_some(true),
            });
        }
        for (collection, kind) in [
            ("groups", "group"),
            ("servicePrincipals", "servicePrincipal"),
            ("applications", "application"),
            ("directoryRoles", "directoryRole"),
            ("devices", "device"),
        ] {
            if let Some(found) = self.store.find(collection, "id", id) {
                let mut found = found.clone();
                found["@odata.type"] = Value::from(format!("#microsoft.graph.{kind}"));
                return found;
            }
        }
        Value::Null
    }
}
