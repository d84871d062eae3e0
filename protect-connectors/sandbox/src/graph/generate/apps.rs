//! Applications, service principals, and what they were granted.

use serde_json::{Value, json};

use super::{Maker, RESPOND, SCAN};
use crate::{
    graph::{login::Application, store::Store},
    rng::Rng,
    scenario::Part,
};

/// Microsoft Graph itself.
const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// The tenant of Microsoft's own applications.
const MICROSOFT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";
const OTHERS: usize = 20;
/// Identifiers of the application permissions that Microsoft documents and the tenant needs.
const APP_ROLES: [(&str, &str); 22] = [
    ("Directory.Read.All", "7ab1d382-f21e-4acd-a863-ba3e13f7da61"),
    ("Policy.Read.All", "246dd0d5-5bd0-4def-940b-0421030a5b68"),
    (
        "SecurityEvents.Read.All",
        "bf394140-e372-4bf9-a898-299cfc7564e5",
    ),
    ("Reports.Read.All", "230c1aed-a721-4c5d-9cb4-a90514e508ef"),
    ("AuditLog.Read.All", "b0afded3-3588-46d8-8b3d-9842eff778da"),
    (
        "SecurityAlert.Read.All",
        "472e4a4d-bb4a-4026-98d1-0b0d74cb74a5",
    ),
    (
        "IdentityRiskyUser.Read.All",
        "dc5007c0-2d7d-4c42-879c-2dab87571379",
    ),
    (
        "IdentityRiskEvent.Read.All",
        "6e472fd1-ad78-48da-a0f0-97ab2c6b769e",
    ),
    (
        "RoleManagement.Read.Directory",
        "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    ),
    (
        "SharePointTenantSettings.Read.All",
        "83d4163d-a2d8-4d3b-9695-4ae3ca98f888",
    ),
    (
        "Policy.Read.DeviceConfiguration",
        "bdba4817-6ba1-4a7c-8a01-be9bc7c242dd",
    ),
    (
        "Policy.Read.PermissionGrant",
        "9e640839-a198-48fb-8b9a-013fd6f6cbcd",
    ),
    (
        "OnPremDirectorySynchronization.Read.All",
        "bb70e231-92dc-4729-aff5-697b3f04be95",
    ),
    (
        "User.EnableDisableAccount.All",
        "3011c876-62b7-4ada-afa2-506cbbecc68c",
    ),
    (
        "User.RevokeSessions.All",
        "77f3a031-c388-4f99-b373-dc68676a979e",
    ),
    (
        "User-PasswordProfile.ReadWrite.All",
        "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7",
    ),
    (
        "UserAuthenticationMethod.ReadWrite.All",
        "50483e42-d915-4231-9639-7fdb7fd190e5",
    ),
    (
        "RoleManagement.ReadWrite.Directory",
        "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
    ),
    (
        "Application.ReadWrite.All",
        "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    ),
    (
        "AppRoleAssignment.ReadWrite.All",
        "06b708a9-e830-4db3-a914-8e69da51d44f",
    ),
    ("Mail.ReadWrite", "e2a3a72e-5f79-4c64-b1b1-878b674786c9"),
    ("User.Read.All", "df021288-bdef-4463-88db-98f22de89214"),
];

/// Days from now between which a secret is good.
type Span = (i64, i64);

impl Maker<'_> {
    /// The application whose secret ends soon, and the foreign principal that may do too much.
    pub(super) fn apps(&mut self, own: &[Application]) -> (String, String) {
        for collection in [
            "applications",
            "applicationOwners",
            "servicePrincipals",
            "principalOwners",
            "appRoleAssignments",
            "oauth2PermissionGrants",
            "delegatedPermissionClassifications",
        ] {
            self.store.replace(collection, Vec::new());
        }
        let graph = self.rng.uuid();
        let resource = self.resource(&graph);
        self.store.add("servicePrincipals", resource);
        for application in own {
            self.own(application);
        }
        let mut expiring = String::new();
        for number in 0..OTHERS {
            let id = self.other(number);
            if number == 0 {
                expiring = id;
            }
        }
        let risky = self.foreign("Mail Butler", &["Mail.ReadWrite", "User.Read.All"]);
        self.foreign("Meeting Poll", &["User.Read.All"]);
        self.grants(&risky, &graph);
        (expiring, risky)
    }

    fn resource(&mut self, id: &str) -> Value {
        let mut roles: Vec<(&str, String)> = APP_ROLES
            .iter()
            .map(|(name, id)| (*name, (*id).to_owned()))
            .collect();
        for name in SCAN.iter().chain(RESPOND) {
            if !roles.iter().any(|(known, _)| known == name) {
                roles.push((name, app_role(name)));
            }
        }
        let roles: Vec<Value> = roles
            .into_iter()
            .map(|(name, id)| {
                json!({
                    "id": id,
                    "value": name,
                    "displayName": name,
                    "allowedMemberTypes": ["Application"],
                    "isEnabled": true,
                    "origin": "Application",
                })
            })
            .collect();
        let mut principal = self.principal(id, GRAPH, "Microsoft Graph", MICROSOFT);
        principal["appRoles"] = Value::Array(roles);
        principal
    }

    /// The tenant's registration of an application of the sandbox itself.
    fn own(&mut self, application: &Application) {
        let name = format!("protect {}", application.name);
        let id = self.rng.uuid();
        let secret = self.secret((-60, 120));
        let registration = self.application(&id, &application.client_id, &name, &[secret]);
        self.store.add("applications", registration);
        let principal = &application.principal;
        let principal = self.principal(principal, &application.client_id, &name, self.tenant);
        self.store.add("servicePrincipals", principal);
        for permission in &application.permissions {
            self.assign(&application.principal, &name, permission);
        }
    }

    /// One of the organisation's applications; answers its object id.
    fn other(&mut self, number: usize) -> String {
        let spans: &[Span] = match number {
            0 => &[(-351, 14)],
            1 => &[(-500, -40)],
            2 => &[(-100, 1900)],
            3..8 => &[],
            _ => &[(-90, 90)],
        };
        let (id, client, principal) = (self.rng.uuid(), self.rng.uuid(), self.rng.uuid());
        let name = format!("Acme service {number}");
        let secrets: Vec<Value> = spans.iter().map(|span| self.secret(*span)).collect();
        let mut registration = self.application(&id, &client, &name, &secrets);
        if (3..8).contains(&number) {
            registration["keyCredentials"] = json!([{
                "keyId": self.rng.uuid(),
                "type": "AsymmetricX509Cert",
                "usage": "Verify",
                "displayName": format!("CN={name}"),
                "customKeyIdentifier": self.rng.hex(40),
                "startDateTime": self.days_ago(100),
                "endDateTime": self.days_ago(-200),
            }]);
        }
        self.store.add("applications", registration);
        let shown = self.principal(&principal, &client, &name, self.tenant);
        self.store.add("servicePrincipals", shown);
        if number == 3 {
            self.assign(&principal, &name, "Directory.Read.All");
        }
        if let Some(owner) = self.users.bystanders().nth(number) {
            let owner = json!({
                "_application": id,
                "@odata.type": "#microsoft.graph.user",
                "id": self.users.id(owner),
            });
            self.store.add("applicationOwners", owner);
        }
        id
    }

    /// A service principal of somebody else's application; answers its object id.
    fn foreign(&mut self, name: &str, permissions: &[&str]) -> String {
        let (id, client, tenant) = (self.rng.uuid(), self.rng.uuid(), self.rng.uuid());
        let principal = self.principal(&id, &client, name, &tenant);
        self.store.add("servicePrincipals", principal);
        for permission in permissions {
            self.assign(&id, name, permission);
        }
        id
    }

    fn grants(&mut self, risky: &str, graph: &str) {
        let everybody = json!({
            "id": self.rng.hex(43),
            "clientId": risky,
            "consentType": "AllPrincipals",
            "principalId": null,
            "resourceId": graph,
            "scope": "Mail.ReadWrite Mail.Send offline_access",
        });
        self.store.add("oauth2PermissionGrants", everybody);
        let people = self.users.player(Part::Suspicious).into_iter();
        let people: Vec<usize> = people.chain(self.users.bystanders().take(10)).collect();
        for person in people {
            let grant = json!({
                "id": self.rng.hex(43),
                "clientId": risky,
                "consentType": "Principal",
                "principalId": self.users.id(person),
                "resourceId": graph,
                "scope": "User.Read Calendars.Read",
            });
            self.store.add("oauth2PermissionGrants", grant);
        }
        let classification = json!({
            "_principal": graph,
            "id": self.rng.hex(22),
            "classification": "low",
            "permissionId": self.rng.uuid(),
            "permissionName": "User.Read",
        });
        self.store
            .add("delegatedPermissionClassifications", classification);
    }

    fn assign(&mut self, principal: &str, name: &str, permission: &str) {
        let since = self.days_ago(200);
        grant(
            &mut self.store,
            &mut self.rng,
            (principal, name),
            permission,
            &since,
        );
    }

    fn secret(&mut self, (from, to): Span) -> Value {
        json!({
            "keyId": self.rng.uuid(),
            "displayName": "rotated by hand",
            "hint": self.rng.hex(3),
            "secretText": null,
            "customKeyIdentifier": null,
            "startDateTime": self.days_ago(-from),
            "endDateTime": self.days_ago(-to),
        })
    }

    fn application(&self, id: &str, client: &str, name: &str, secrets: &[Value]) -> Value {
        json!({
            "id": id,
            "appId": client,
            "displayName": name,
            "createdDateTime": self.days_ago(700),
            "signInAudience": "AzureADMyOrg",
            "publisherDomain": crate::DOMAIN,
            "identifierUris": [],
            "tags": [],
            "passwordCredentials": secrets,
            "keyCredentials": [],
            "requiredResourceAccess": [],
            "verifiedPublisher": {"displayName": null, "verifiedPublisherId": null, "addedDateTime": null},
            "web": {"redirectUris": [], "logoutUrl": null},
            "spa": {"redirectUris": []},
            "publicClient": {"redirectUris": []},
            "isFallbackPublicClient": null,
        })
    }

    fn principal(&self, id: &str, client: &str, name: &str, tenant: &str) -> Value {
        json!({
            "id": id,
            "appId": client,
            "appDisplayName": name,
            "displayName": name,
            "accountEnabled": true,
            "appOwnerOrganizationId": tenant,
            "appRoleAssignmentRequired": false,
            "appRoles": [],
            "oauth2PermissionScopes": [],
            "createdDateTime": self.days_ago(600),
            "passwordCredentials": [],
            "keyCredentials": [],
            "publisherName": null,
            "replyUrls": [],
            "servicePrincipalNames": [client],
            "servicePrincipalType": "Application",
            "signInAudience": "AzureADMultipleOrgs",
            "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
            "verifiedPublisher": {"displayName": null, "verifiedPublisherId": null, "addedDateTime": null},
        })
    }
}

/// Gives an application permission of Microsoft Graph to a service principal of this id and name.
pub(in crate::graph) fn grant(
    store: &mut Store,
    rng: &mut Rng,
    (principal, name): (&str, &str),
    permission: &str,
    since: &str,
) {
    let graph = store.find("servicePrincipals", "appId", GRAPH);
    let graph = graph.map_or(Value::Null, |it| it["id"].clone());
    let assignment = json!({
        "id": rng.hex(43),
        "appRoleId": app_role(permission),
        "createdDateTime": since,
        "principalDisplayName": name,
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": graph,
    });
    store.add("appRoleAssignments", assignment);
}

fn app_role(permission: &str) -> String {
    let known = APP_ROLES.iter().find(|(name, _)| *name == permission);
    known.map_or_else(
        || Rng::new(0, permission).uuid(),
        |(_, id)| (*id).to_owned(),
    )
}
