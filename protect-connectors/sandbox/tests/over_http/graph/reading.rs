//! Reading: pages, query options, permissions, licences.

use super::{Graph, code};
use crate::support::send;
use jiff::SignedDuration;
use protect_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

/// Every path that the connectors read.
const READS: [&str; 49] = [
    "/organization",
    "/subscribedSkus",
    "/domains",
    "/groupSettings",
    "/directory/onPremisesSynchronization",
    "/devices",
    "/users?$select=id,userPrincipalName,displayName,accountEnabled,userType,createdDateTime,onPremisesSyncEnabled,onPremisesImmutableId,assignedLicenses,passwordPolicies,lastPasswordChangeDateTime,externalUserState,employeeHireDate,signInActivity&$top=999",
    "/users/delta?$select=id,accountEnabled",
    "/groups?$select=id,displayName,visibility,groupTypes,membershipRule,isAssignableToRole,isManagementRestricted",
    "/directoryRoles",
    "/roleManagement/directory/roleDefinitions",
    "/roleManagement/directory/roleAssignments?$expand=principal",
    "/roleManagement/directory/roleAssignmentScheduleInstances",
    "/roleManagement/directory/roleEligibilityScheduleInstances",
    "/policies/roleManagementPolicyAssignments?$filter=scopeId%20eq%20'/'%20and%20scopeType%20eq%20'DirectoryRole'&$expand=policy($expand=rules)",
    "/applications?$select=id,appId,displayName,signInAudience,createdDateTime,passwordCredentials,keyCredentials,requiredResourceAccess,verifiedPublisher,web",
    "/servicePrincipals?$select=id,appId,displayName,appOwnerOrganizationId,servicePrincipalType,accountEnabled,passwordCredentials,keyCredentials,tags,appRoles,verifiedPublisher",
    "/oauth2PermissionGrants",
    "/identity/conditionalAccess/policies",
    "/identity/conditionalAccess/namedLocations",
    "/policies/conditionalAccessPolicies",
    "/policies/authenticationStrengthPolicies",
    "/policies/identitySecurityDefaultsEnforcementPolicy",
    "/policies/authorizationPolicy",
    "/policies/authenticationMethodsPolicy",
    "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Fido2",
    "/policies/adminConsentRequestPolicy",
    "/policies/crossTenantAccessPolicy/default",
    "/policies/crossTenantAccessPolicy/partners",
    "/policies/defaultAppManagementPolicy",
    "/policies/appManagementPolicies",
    "/policies/activityBasedTimeoutPolicies",
    "/policies/deviceRegistrationPolicy",
    "/policies/permissionGrantPolicies",
    "/admin/sharepoint/settings",
    "/security/secureScores?$top=1",
    "/security/secureScoreControlProfiles",
    "/security/alerts_v2",
    "/identityProtection/riskyUsers",
    "/identityProtection/riskDetections",
    "/auditLogs/signIns",
    "/auditLogs/directoryAudits",
    "/reports/authenticationMethods/userRegistrationDetails",
    "/groups?$filter=isAssignableToRole%20eq%20true",
    "/users?$filter=accountEnabled%20eq%20false",
    "/identityProtection/riskyUsers?$filter=riskState%20eq%20'atRisk'",
    "/security/alerts_v2?$filter=status%20eq%20'new'",
    "/auditLogs/signIns?$filter=createdDateTime%20ge%202020-01-01T00:00:00Z&$top=10",
    "/applications/delta-is-no-path",
];

#[tokio::test]
async fn every_documented_path_answers_an_application_with_all_permissions() {
    let graph = Graph::scanning(Sandbox::builder().rate_limits(false)).await;
    for path in &READS[..48] {
        let got = graph.get(path).await;
        assert_eq!(got.status, 200, "{path}: {}", got.text);
        let body = got.json();
        assert!(body["@odata.context"].is_string(), "{path}");
    }
    assert_eq!(graph.get(READS[48]).await.status, 404);
    assert!(graph.rules().is_empty(), "{:?}", graph.rules());
}

#[tokio::test]
async fn users_come_page_by_page_and_each_once() {
    let graph = Graph::scanning(Sandbox::builder().m365_users(1200)).await;
    let users = graph.all("/users?$select=id,userPrincipalName").await;
    let mut ids: Vec<&str> = users.iter().map(|it| it["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((users.len(), ids.len()), (1304, 1304));
    assert_eq!(users[0].as_object().unwrap().len(), 2);
    let pages = graph.wire.sandbox.requests().len() - 1;
    assert_eq!(pages, 14);
    assert_eq!(graph.all("/users?$top=999").await.len(), 1304);
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn a_next_link_is_good_only_as_it_is() {
    let graph = Graph::scan().await;
    let page = graph.get("/users?$top=10&$select=id").await.json();
    let link = page["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with(&graph.wire.sandbox.m365_graph_url()));
    assert_eq!(graph.get(link).await.status, 200);
    let bent = link
        .replace("%24top=10", "%24top=20")
        .replace("$top=10", "$top=20");
    assert_eq!(graph.get(&bent).await.status, 400);
    assert_eq!(graph.get("/users?$skiptoken=abc").await.status, 400);
    assert_eq!(graph.rules(), ["page_token_reused", "page_token_unknown"]);
}

#[tokio::test]
async fn a_user_shows_few_properties_unless_more_are_selected() {
    let graph = Graph::scan().await;
    let leaked = graph.wire.sandbox.planted().m365.leaked;
    let bare = graph.get(&format!("/users/{}", leaked.id)).await.json();
    assert_eq!(bare["userPrincipalName"], leaked.email.as_str());
    assert!(bare.get("accountEnabled").is_none());
    let path = format!(
        "/users/{}?$select=id,accountEnabled,signInActivity",
        leaked.email
    );
    let more = graph.get(&path).await.json();
    assert_eq!(more["id"], leaked.id.as_str());
    assert_eq!(more["accountEnabled"], true);
    assert!(more["signInActivity"]["lastSuccessfulSignInDateTime"].is_string());
    let upper = format!("/users/{}", leaked.id.to_uppercase());
    assert_eq!(graph.get(&upper).await.status, 200);
    let nobody = graph
        .get("/users/7f0c1f6e-0000-4000-8000-000000000000")
        .await;
    assert_eq!(
        (nobody.status, code(&nobody)),
        (404, "Request_ResourceNotFound".to_owned())
    );
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn people_have_the_same_address_in_both_directories() {
    let graph = Graph::scan().await;
    let planted = graph.wire.sandbox.planted();
    assert_eq!(planted.leaked.email, planted.m365.leaked.email);
    assert_eq!(planted.suspicious.name, planted.m365.suspicious.name);
    assert_ne!(planted.leaked.id, planted.m365.leaked.id);
    let users = graph.all("/users").await;
    let mails: Vec<&str> = users.iter().filter_map(|it| it["mail"].as_str()).collect();
    assert!(mails.contains(&planted.owner.email.as_str()));
    // Forty people, two emergency accounts, five guests.
    assert_eq!(users.len(), 47);
}

#[tokio::test]
async fn options_that_graph_does_not_take_are_refused() {
    let graph = Graph::scan().await;
    let refused = [
        "/users?$skip=10",
        "/users?$top=1000",
        "/users?$select=shoeSize",
        "/users?$filter=shoeSize%20eq%2044",
        "/users?$search=x",
        "/users?$filter=displayName%20like%20'x'",
        "/directoryRoles?$top=5",
        "/reports/authenticationMethods/userRegistrationDetails?$select=id",
        "/policies/roleManagementPolicyAssignments",
        "/organization?$colour=red",
    ];
    for path in refused {
        assert_eq!(graph.get(path).await.status, 400, "{path}");
    }
    assert_eq!(graph.rules().len(), refused.len());
}

#[tokio::test]
async fn advanced_queries_need_the_header_and_the_count_on_every_page() {
    let graph = Graph::scan().await;
    let path = "/users?$count=true&$top=20&$filter=userType%20ne%20'Guest'";
    let got = graph.get(path).await;
    assert_eq!(
        (got.status, code(&got)),
        (400, "Request_UnsupportedQuery".to_owned())
    );
    let eventual = async |path: &str| {
        let request = graph
            .request(Method::GET, path)
            .header("ConsistencyLevel", "eventual");
        send(request).await
    };
    let first = eventual(path).await.json();
    assert_eq!(first["@odata.count"], 42);
    let link = first["@odata.nextLink"].as_str().unwrap();
    let second = eventual(link).await.json();
    assert!(second.get("@odata.count").is_none());
    assert_eq!(graph.get(link).await.status, 400);
    assert_eq!(graph.get("/users/$count").await.status, 400);
    let count = eventual("/users/$count").await;
    assert_eq!(count.text, "47");
    assert_eq!(graph.rules(), ["advanced_query"; 3]);
}

#[tokio::test]
async fn what_was_not_granted_is_denied_with_the_identifiers_of_the_request() {
    let graph = Graph::with_only(&["Directory.Read.All"]).await;
    assert_eq!(graph.get("/users").await.status, 200);
    let denied = [
        "/identity/conditionalAccess/policies",
        "/users?$select=id,signInActivity",
        "/security/alerts_v2",
        "/auditLogs/signIns",
        "/admin/sharepoint/settings",
        "/policies/deviceRegistrationPolicy",
    ];
    for path in denied {
        let request = graph.request(Method::GET, path);
        let response = request
            .header("client-request-id", "mine-1")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 403, "{path}");
        let id = response.headers()["request-id"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(response.headers()["client-request-id"], "mine-1");
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(body["error"]["code"], "Authorization_RequestDenied");
        assert_eq!(body["error"]["innerError"]["request-id"], id.as_str());
        assert_eq!(body["error"]["innerError"]["client-request-id"], "mine-1");
    }
    assert_eq!(graph.rules(), ["permission_missing"; 6]);
}

#[tokio::test]
async fn a_tenant_without_premium_is_told_so_service_by_service() {
    let graph = Graph::scanning(Sandbox::builder().rate_limits(false)).await;
    assert!(
        graph
            .wire
            .sandbox
            .edit_m365_tenant(json!({"plans": ["EXCHANGE_S_STANDARD"]}))
    );
    let premium = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
    let cases = [
        ("/auditLogs/signIns", 403, premium),
        (
            "/reports/authenticationMethods/userRegistrationDetails",
            403,
            premium,
        ),
        ("/users?$select=signInActivity", 403, premium),
        ("/identityProtection/riskyUsers", 403, "Forbidden"),
        (
            "/roleManagement/directory/roleEligibilityScheduleInstances",
            400,
            "AadPremiumLicenseRequired",
        ),
    ];
    for (path, status, wanted) in cases {
        let got = graph.get(path).await;
        assert_eq!(
            (got.status, code(&got)),
            (status, wanted.to_owned()),
            "{path}"
        );
    }
    assert_eq!(graph.get("/users").await.status, 200);
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn an_application_finds_its_own_permissions() {
    let graph = Graph::with_only(&["Directory.Read.All", "Policy.Read.All"]).await;
    let id = graph.wire.sandbox.credentials().m365_scan_client_id;
    let own = graph
        .get(&format!("/servicePrincipals(appId='{id}')"))
        .await
        .json();
    let path = format!(
        "/servicePrincipals/{}/appRoleAssignments",
        own["id"].as_str().unwrap()
    );
    let roles = graph.all(&path).await;
    let roles: Vec<&str> = roles
        .iter()
        .map(|it| it["appRoleId"].as_str().unwrap())
        .collect();
    assert_eq!(
        roles,
        [
            "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
            "246dd0d5-5bd0-4def-940b-0421030a5b68"
        ]
    );
}

#[tokio::test]
async fn roles_are_expanded_and_groups_have_members() {
    let graph = Graph::scan().await;
    let owner = graph.wire.sandbox.planted().m365.global_administrator;
    let filter = format!("principalId%20eq%20'{}'", owner.id);
    let path = format!(
        "/roleManagement/directory/roleAssignments?$filter={filter}&$expand=principal,roleDefinition"
    );
    let held = graph.all(&path).await;
    assert_eq!(
        held[0]["roleDefinition"]["displayName"],
        "Global Administrator"
    );
    assert_eq!(held[0]["principal"]["@odata.type"], "#microsoft.graph.user");
    let roles = graph.all("/directoryRoles").await;
    let global = roles
        .iter()
        .find(|it| it["displayName"] == "Global Administrator")
        .unwrap();
    let members = graph
        .all(&format!(
            "/directoryRoles/{}/members",
            global["id"].as_str().unwrap()
        ))
        .await;
    assert!(members.iter().any(|it| it["id"] == owner.id.as_str()));
    let groups = graph.all("/groups").await;
    for (name, members) in [("Help desk operators", 2), ("All staff", 42)] {
        let group = groups.iter().find(|it| it["displayName"] == name).unwrap();
        let path = format!(
            "/groups/{}/transitiveMembers",
            group["id"].as_str().unwrap()
        );
        assert_eq!(graph.all(&path).await.len(), members, "{name}");
    }
    let body =
        json!({"ids": [owner.id, "7f0c1f6e-0000-4000-8000-000000000000"], "types": ["user"]});
    let found = graph
        .send(Method::POST, "/directoryObjects/getByIds", body)
        .await
        .json();
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
    assert!(graph.wire.sandbox.transitions().is_empty());
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn a_usage_report_is_a_link_that_is_followed_without_the_token() {
    let graph = Graph::scan().await;
    let path = "/reports/getOffice365ActiveUserDetail(period='D180')";
    let response = graph.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), 302);
    let link = response.headers()["location"].to_str().unwrap().to_owned();
    let table = send(graph.wire.http.get(&link)).await;
    assert_eq!((table.status, table.text.lines().count()), (200, 43));
    assert!(table.text.contains("Exchange Last Activity Date"));
    assert_eq!(graph.get(&link).await.status, 401);
    graph
        .wire
        .sandbox
        .advance_clock(SignedDuration::from_mins(6));
    assert_eq!(send(graph.wire.http.get(&link)).await.status, 403);
    assert_eq!(graph.rules(), ["authorization_leaked"]);
}

#[tokio::test]
async fn names_in_a_usage_report_can_be_concealed() {
    let graph = Graph::scan().await;
    assert!(
        graph
            .wire
            .sandbox
            .edit_m365_tenant(json!({"conceals_names": true}))
    );
    let path = "/reports/getOffice365ActiveUserDetail(period='D7')";
    let response = graph.request(Method::GET, path).send().await.unwrap();
    let link = response.headers()["location"].to_str().unwrap().to_owned();
    assert!(
        !send(graph.wire.http.get(&link))
            .await
            .text
            .contains("@acme.example")
    );
}

#[tokio::test]
async fn a_delta_tells_what_changed_and_who_went() {
    let graph = Graph::scan().await;
    let planted = graph.wire.sandbox.planted().m365;
    let page = graph
        .get("/users/delta?$select=id,accountEnabled")
        .await
        .json();
    assert_eq!(page["value"].as_array().unwrap().len(), 47);
    let link = page["@odata.deltaLink"].as_str().unwrap().to_owned();
    let quiet = graph.get(&link).await.json();
    assert_eq!(quiet["value"], json!([]));
    assert!(
        graph
            .wire
            .sandbox
            .set_m365_user_enabled(&planted.leaked.id, false)
    );
    assert!(graph.wire.sandbox.delete_m365_user(&planted.guest.id));
    let changed = graph.get(&link).await.json();
    let changed = changed["value"].as_array().unwrap();
    assert!(changed.contains(&json!({"id": planted.leaked.id, "accountEnabled": false})));
    assert!(changed.contains(&json!({"id": planted.guest.id, "@removed": {"reason": "deleted"}})));
    let gone = graph.get(&format!("/users/{}", planted.guest.id)).await;
    assert_eq!(gone.status, 404);
    let latest = graph
        .get("/users/delta?$select=id,accountEnabled&$deltatoken=latest")
        .await
        .json();
    assert_eq!(latest["value"], json!([]));
    assert!(graph.rules().is_empty());
}
