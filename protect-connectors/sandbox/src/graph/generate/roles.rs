//! Directory roles, who holds them, and Privileged Identity Management.

use serde_json::{Value, json};

use super::Maker;
use crate::{graph::login::Application, graph::users::EMERGENCY, scenario::Part};

/// Built-in roles by their template identifiers, which are the same in every tenant.
const ROLES: [(&str, &str); 23] = [
    (
        "62e90394-69f5-4237-9190-012177145e10",
        "Global Administrator",
    ),
    (
        "e8611ab8-c189-46e8-94e1-60213ab1f814",
        "Privileged Role Administrator",
    ),
    (
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
        "Privileged Authentication Administrator",
    ),
    (
        "194ae4cb-b126-40b2-bd5b-6091b380977d",
        "Security Administrator",
    ),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    (
        "29232cdf-9323-42fd-ade2-1d097af3e4de",
        "Exchange Administrator",
    ),
    (
        "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
        "SharePoint Administrator",
    ),
    (
        "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9",
        "Conditional Access Administrator",
    ),
    (
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
        "Application Administrator",
    ),
    (
        "158c047a-c907-4556-b7ef-446551a6b5f7",
        "Cloud Application Administrator",
    ),
    (
        "c4e39bd9-1100-46d3-8c65-fb160da0071f",
        "Authentication Administrator",
    ),
    (
        "729827e3-9c14-49f7-bb1b-9608f156bbb8",
        "Helpdesk Administrator",
    ),
    (
        "966707d0-3269-4727-9be2-8c3a10f19b9d",
        "Password Administrator",
    ),
    (
        "b0f54661-2d74-4c50-afa3-1ec803f12efe",
        "Billing Administrator",
    ),
    ("f2ef992c-3afb-46b9-b7cf-a126ee74c451", "Global Reader"),
    (
        "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
        "Hybrid Identity Administrator",
    ),
    ("88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "Directory Readers"),
    ("95e79109-95c0-4d8e-aee3-d01accf2d47b", "Guest Inviter"),
    (
        "fdd7a751-b60b-444a-984c-02652fe8fa1c",
        "Groups Administrator",
    ),
    (
        "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b",
        "Message Center Reader",
    ),
    ("4a5d8f65-41da-4de4-8968-e035b65339cf", "Reports Reader"),
    ("5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader"),
    (
        "3a2c62db-5318-420d-8d74-23affee5d9d5",
        "Intune Administrator",
    ),
];
/// Roles that members of the cast's crowd hold, in their order.
const HELD: [&str; 8] = [
    "Global Administrator",
    "Exchange Administrator",
    "SharePoint Administrator",
    "Security Administrator",
    "User Administrator",
    "Helpdesk Administrator",
    "Reports Reader",
    "Global Reader",
];
/// Roles to which the policies of Privileged Identity Management are read.
const PRIVILEGED: usize = 16;

impl Maker<'_> {
    pub(super) fn roles(&mut self, applications: &[Application]) {
        let definitions = ROLES.iter().map(|(id, name)| definition(id, name));
        let definitions: Vec<Value> = definitions.collect();
        self.add_all("roleDefinitions", definitions);
        let held = self.held(applications);
        let assignments: Vec<Value> = held
            .iter()
            .map(|(principal, role)| {
                json!({
                    "id": self.rng.hex(40),
                    "principalId": principal,
                    "roleDefinitionId": template(role),
                    "directoryScopeId": "/",
                })
            })
            .collect();
        self.schedules(&held);
        self.add_all("roleAssignments", assignments);
        self.activated(&held);
        let policies: Vec<Value> = ROLES[..PRIVILEGED]
            .iter()
            .map(|(id, name)| self.role_policy(id, name))
            .collect();
        self.add_all("roleManagementPolicyAssignments", policies);
    }

    /// Who holds which role.
    fn held(&self, applications: &[Application]) -> Vec<(String, &'static str)> {
        let part = |part| self.users.player(part).map(|it| self.users.id(it));
        let emergency = (0..EMERGENCY).map(|it| self.users.id(it));
        let crowd = self.users.bystanders().map(|it| self.users.id(it));
        let group = self
            .store
            .find("groups", "displayName", "Help desk operators");
        let group = group.and_then(|it| it["id"].as_str()).map(str::to_owned);
        let respond = applications.iter().find(|it| it.name == "respond");
        let administrators = emergency.chain(part(Part::Owner));
        administrators
            .map(|it| (it, "Global Administrator"))
            .chain(part(Part::ExternalAdmin).map(|it| (it, "User Administrator")))
            .chain(crowd.zip(HELD))
            .chain(group.map(|it| (it, "Helpdesk Administrator")))
            .chain(respond.map(|it| (it.principal.clone(), "User Administrator")))
            .collect()
    }

    fn activated(&mut self, held: &[(String, &'static str)]) {
        let in_use = |name: &&(&str, &str)| held.iter().any(|(_, role)| role == &name.1);
        let roles: Vec<Value> = ROLES
            .iter()
            .filter(in_use)
            .map(|(id, name)| {
                json!({
                    "id": self.rng.uuid(),
                    "displayName": name,
                    "description": null,
                    "roleTemplateId": id,
                })
            })
            .collect();
        self.add_all("directoryRoles", roles);
    }

    /// Everybody is active for ever; some could have been eligible.
    fn schedules(&mut self, held: &[(String, &'static str)]) {
        let instance = |maker: &mut Self, (principal, role): &(String, &str), eligible: bool| {
            let mut instance = json!({
                "id": maker.rng.hex(36),
                "principalId": principal,
                "roleDefinitionId": template(role),
                "directoryScopeId": "/",
                "appScopeId": null,
                "startDateTime": maker.days_ago(400),
                "endDateTime": null,
                "memberType": "Direct",
            });
            if eligible {
                instance["roleEligibilityScheduleId"] = Value::from(maker.rng.uuid());
            } else {
                instance["assignmentType"] = Value::from("Assigned");
                instance["roleAssignmentScheduleId"] = Value::from(maker.rng.uuid());
                instance["roleAssignmentOriginId"] = Value::from(maker.rng.hex(40));
            }
            instance
        };
        let active: Vec<Value> = held.iter().map(|it| instance(self, it, false)).collect();
        let crowd = self.users.bystanders().skip(HELD.len()).take(60);
        let crowd: Vec<(String, &str)> = crowd
            .map(|it| (self.users.id(it), ROLES[it % PRIVILEGED].1))
            .collect();
        let eligible: Vec<Value> = crowd.iter().map(|it| instance(self, it, true)).collect();
        self.add_all("roleAssignmentScheduleInstances", active);
        self.add_all("roleEligibilityScheduleInstances", eligible);
    }

    fn role_policy(&mut self, id: &str, name: &str) -> Value {
        let policy = format!("DirectoryRole_{}_{}", self.tenant, self.rng.uuid());
        let notification = |rule: &str, recipients: &[&str]| {
            json!({
                "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyNotificationRule",
                "id": rule,
                "notificationType": "Email",
                "recipientType": "Admin",
                "notificationLevel": "All",
                "isDefaultRecipientsEnabled": true,
                "notificationRecipients": recipients,
            })
        };
        let told: &[&str] = if name == "Global Administrator" {
            &["soc@acme.example"]
        } else {
            &[]
        };
        let rules = json!([
            {
                "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyApprovalRule",
                "id": "Approval_EndUser_Assignment",
                "setting": {
                    "isApprovalRequired": name == "Global Administrator",
                    "isApprovalRequiredForExtension": false,
                    "approvalMode": "SingleStage",
                    "approvalStages": [{"approvalStageTimeOutInDays": 1, "primaryApprovers": []}],
                },
            },
            {
                "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule",
                "id": "Expiration_Admin_Assignment",
                "isExpirationRequired": false,
                "maximumDuration": "P180D",
            },
            notification("Notification_Admin_Admin_Assignment", told),
            notification("Notification_Admin_Admin_Eligibility", told),
            notification("Notification_Admin_EndUser_Assignment", told),
        ]);
        json!({
            "id": format!("{policy}_{id}"),
            "policyId": policy,
            "scopeId": "/",
            "scopeType": "DirectoryRole",
            "roleDefinitionId": id,
            "policy": {"id": policy, "displayName": "DirectoryRole", "scopeId": "/", "rules": rules},
        })
    }
}

fn definition(id: &str, name: &str) -> Value {
    json!({
        "id": id,
        "templateId": id,
        "displayName": name,
        "description": null,
        "isBuiltIn": true,
        "isEnabled": true,
        "resourceScopes": ["/"],
        "rolePermissions": [],
        "version": "1",
    })
}

fn template(role: &str) -> &'static str {
    ROLES
        .iter()
        .find(|(_, name)| *name == role)
        .map_or("", |(id, _)| id)
}
