//! What the remediators change, and what is refused.

use super::{Graph, code};
use crate::support::{Got, send};
use protect_sandbox::Transition;
use reqwest::Method;
use serde_json::{Value, json};

impl Graph {
    async fn patch(&self, path: &str, body: Value) -> Got {
        self.send(Method::PATCH, path, body).await
    }

    async fn delete(&self, path: &str) -> Got {
        send(self.request(Method::DELETE, path)).await
    }

    fn transitions(&self) -> Vec<(String, String, String)> {
        let seen = self.wire.sandbox.transitions().into_iter();
        seen.map(
            |Transition {
                 object, from, to, ..
             }| (object, from, to),
        )
        .collect()
    }

    fn give(&self, permissions: &[&str]) {
        let change = json!({"permissions": permissions});
        assert!(self.wire.sandbox.edit_m365_application("respond", change));
    }
}

fn moved(object: &str, from: &str, to: &str) -> (String, String, String) {
    (object.to_owned(), from.to_owned(), to.to_owned())
}

#[tokio::test]
async fn an_account_is_disabled_and_enabled_and_only_changes_are_journalled() {
    let graph = Graph::respond().await;
    let path = format!("/users/{}", graph.wire.sandbox.planted().m365.suspicious.id);
    for enabled in [false, false, true] {
        let got = graph.patch(&path, json!({"accountEnabled": enabled})).await;
        assert_eq!((got.status, got.text.as_str()), (204, ""));
        let seen = graph
            .get(&format!("{path}?$select=accountEnabled"))
            .await
            .json();
        assert_eq!(seen["accountEnabled"], enabled);
    }
    let wanted = [
        moved("user", "enabled", "disabled"),
        moved("user", "disabled", "enabled"),
    ];
    assert_eq!(graph.transitions(), wanted);
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn disabling_needs_a_permission_to_write_and_one_to_read() {
    for (granted, status) in [
        (&["User.EnableDisableAccount.All"][..], 403),
        (&["User.EnableDisableAccount.All", "User.Read.All"], 204),
        (&["User.ReadWrite.All"], 204),
        (&["Directory.Read.All"], 403),
    ] {
        let graph = Graph::respond().await;
        graph.give(granted);
        let own = graph.wire.sandbox.credentials();
        let (id, secret) = (own.m365_respond_client_id, own.m365_respond_client_secret);
        let graph = Graph::with(graph.wire, &id, &secret).await;
        let path = format!("/users/{}", graph.wire.sandbox.planted().m365.leaked.id);
        let got = graph.patch(&path, json!({"accountEnabled": false})).await;
        assert_eq!(got.status, status, "{granted:?}");
    }
}

#[tokio::test]
async fn administrators_are_protected_from_an_application_without_a_higher_role() {
    let graph = Graph::respond().await;
    let planted = graph.wire.sandbox.planted().m365;
    let path = format!("/users/{}", planted.global_administrator.id);
    let off = json!({"accountEnabled": false});
    let got = graph.patch(&path, off.clone()).await;
    assert_eq!(
        (got.status, code(&got)),
        (403, "Authorization_RequestDenied".to_owned())
    );
    let password = json!({"passwordProfile": {"forceChangePasswordNextSignIn": true}});
    assert_eq!(graph.patch(&path, password).await.status, 403);
    assert!(graph.transitions().is_empty());
    let higher = json!({"directory_roles": ["Privileged Authentication Administrator"]});
    assert!(graph.wire.sandbox.edit_m365_application("respond", higher));
    assert_eq!(graph.patch(&path, off).await.status, 204);
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn low_administrators_can_be_touched_by_a_user_administrator_alone() {
    let graph = Graph::respond().await;
    let roles = graph
        .all("/roleManagement/directory/roleAssignments?$expand=roleDefinition")
        .await;
    let holder = |role: &str| {
        let found = roles
            .iter()
            .find(|it| it["roleDefinition"]["displayName"] == role);
        format!("/users/{}", found.unwrap()["principalId"].as_str().unwrap())
    };
    let off = json!({"accountEnabled": false});
    let (low, high) = (holder("Reports Reader"), holder("Exchange Administrator"));
    assert_eq!(graph.patch(&high, off.clone()).await.status, 403);
    let none = json!({"directory_roles": []});
    assert!(graph.wire.sandbox.edit_m365_application("respond", none));
    assert_eq!(graph.patch(&low, off.clone()).await.status, 403);
    let user = json!({"directory_roles": ["User Administrator"]});
    assert!(graph.wire.sandbox.edit_m365_application("respond", user));
    let got = graph.patch(&low, off).await;
    // Some people come from the on-premises directory; nobody is refused for the role.
    assert!(got.status == 204 || code(&got) == "Request_BadRequest");
}

#[tokio::test]
async fn an_account_from_elsewhere_is_changed_there() {
    let graph = Graph::respond().await;
    let path = format!("/users/{}", graph.wire.sandbox.planted().m365.synced.id);
    let seen = graph
        .get(&format!(
            "{path}?$select=onPremisesSyncEnabled,onPremisesImmutableId"
        ))
        .await
        .json();
    assert_eq!(seen["onPremisesSyncEnabled"], true);
    let got = graph.patch(&path, json!({"accountEnabled": false})).await;
    assert_eq!(
        (got.status, code(&got)),
        (400, "Request_BadRequest".to_owned())
    );
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn a_password_is_forced_to_change_or_replaced_and_never_journalled() {
    let graph = Graph::respond().await;
    let path = format!("/users/{}", graph.wire.sandbox.planted().m365.leaked.id);
    let profile = |profile: Value| json!({"passwordProfile": profile});
    let force = json!({"forceChangePasswordNextSignIn": true});
    assert_eq!(graph.patch(&path, profile(force.clone())).await.status, 204);
    let weak = json!({"password": "password", "forceChangePasswordNextSignIn": true});
    assert_eq!(graph.patch(&path, profile(weak)).await.status, 400);
    let secret = "Correct-Horse-77-Battery";
    let strong = json!({"password": secret, "forceChangePasswordNextSignIn": true});
    assert_eq!(graph.patch(&path, profile(strong)).await.status, 204);
    let wanted = [
        moved("password", "set", "must_change"),
        moved("password", "must_change", "reset_must_change"),
    ];
    assert_eq!(graph.transitions(), wanted);
    let everything = format!(
        "{:?}{}",
        graph.wire.sandbox.requests(),
        graph.wire.sandbox.state()
    );
    assert!(!everything.contains(secret));
    let stricter = json!({"force_change_needs_password": true});
    assert!(graph.wire.sandbox.edit_m365_tenant(stricter));
    assert_eq!(graph.patch(&path, profile(force)).await.status, 400);
}

#[tokio::test]
async fn revoking_sessions_moves_the_time_from_which_they_are_valid() {
    let graph = Graph::respond().await;
    let path = format!("/users/{}", graph.wire.sandbox.planted().m365.suspicious.id);
    let valid = async || {
        let got = graph
            .get(&format!("{path}?$select=signInSessionsValidFromDateTime"))
            .await;
        got.json()["signInSessionsValidFromDateTime"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let before = valid().await;
    let revoke = graph.request(Method::POST, &format!("{path}/revokeSignInSessions"));
    let got = send(revoke).await;
    assert_eq!(
        (got.status, got.json()["value"].clone()),
        (200, Value::Bool(true))
    );
    assert!(valid().await > before);
    assert_eq!(graph.transitions()[0].0, "sessions");
    let bodied = graph
        .send(
            Method::POST,
            &format!("{path}/revokeSignInSessions"),
            json!({}),
        )
        .await;
    assert_eq!(bodied.status, 400);
    assert_eq!(graph.rules(), ["body_not_empty"]);
}

#[tokio::test]
async fn a_temporary_access_pass_is_told_once_and_replaced_by_the_next() {
    let graph = Graph::respond().await;
    let path = format!(
        "/users/{}/authentication",
        graph.wire.sandbox.planted().m365.leaked.id
    );
    let create = format!("{path}/temporaryAccessPassMethods");
    let body = json!({"lifetimeInMinutes": 60, "isUsableOnce": true});
    let first = graph.send(Method::POST, &create, body.clone()).await;
    assert_eq!(first.status, 201);
    assert!(first.json()["temporaryAccessPass"].is_string());
    assert_eq!(graph.send(Method::POST, &create, body).await.status, 201);
    let methods = graph.all(&format!("{path}/methods")).await;
    let passes: Vec<&Value> = methods
        .iter()
        .filter(|it| {
            it["@odata.type"]
                .as_str()
                .unwrap()
                .contains("temporaryAccessPass")
        })
        .collect();
    assert_eq!(
        (passes.len(), &passes[0]["temporaryAccessPass"]),
        (1, &Value::Null)
    );
    let short = json!({"lifetimeInMinutes": 5});
    assert_eq!(graph.send(Method::POST, &create, short).await.status, 400);
    assert_eq!(graph.rules(), ["pass_lifetime"]);
    let policy = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass";
    let off = json!({"@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration", "state": "disabled"});
    assert_eq!(graph.patch(policy, off).await.status, 204);
    let got = graph
        .send(Method::POST, &create, json!({"isUsableOnce": true}))
        .await;
    assert_eq!(got.status, 400);
}

#[tokio::test]
async fn methods_go_one_by_one_and_the_default_last() {
    let graph = Graph::respond().await;
    let path = format!(
        "/users/{}/authentication",
        graph.wire.sandbox.planted().m365.suspicious.id
    );
    let methods = graph.all(&format!("{path}/methods")).await;
    let id = |kind: &str| {
        let found = methods
            .iter()
            .find(|it| it["@odata.type"].as_str().unwrap().contains(kind));
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let phone = format!("{path}/phoneMethods/{}", id("phone"));
    let default = format!(
        "{path}/microsoftAuthenticatorMethods/{}",
        id("microsoftAuthenticator")
    );
    let password = format!("{path}/passwordMethods/{}", id("password"));
    assert_eq!(graph.delete(&default).await.status, 400);
    assert_eq!(graph.delete(&password).await.status, 400);
    assert_eq!(graph.rules(), ["default_method", "method_type"]);
    assert_eq!(graph.delete(&phone).await.status, 204);
    assert_eq!(graph.delete(&phone).await.status, 404);
    assert_eq!(graph.delete(&default).await.status, 204);
    assert_eq!(graph.all(&format!("{path}/methods")).await.len(), 1);
    assert_eq!(
        graph.transitions()[0],
        moved("authentication_method", "phone", "")
    );
}

#[tokio::test]
async fn risk_is_confirmed_and_dismissed() {
    let graph = Graph::respond().await;
    let planted = graph.wire.sandbox.planted().m365;
    let act = async |what: &str, ids: Value| {
        graph
            .wire
            .sandbox
            .advance_clock(jiff::SignedDuration::from_secs(2));
        let path = format!("/identityProtection/riskyUsers/{what}");
        graph
            .send(Method::POST, &path, json!({"userIds": ids}))
            .await
            .status
    };
    assert_eq!(
        act("confirmCompromised", json!([planted.suspicious.id])).await,
        204
    );
    assert_eq!(act("dismiss", json!([planted.forgotten.id])).await, 204);
    // Somebody who was no risk can be confirmed too.
    assert_eq!(
        act("confirmCompromised", json!([planted.guest.id])).await,
        204
    );
    let nobody = "7f0c1f6e-0000-4000-8000-000000000000";
    assert_eq!(
        act("dismiss", json!([planted.leaked.id, nobody])).await,
        404
    );
    assert_eq!(act("dismiss", json!([])).await, 400);
    let wanted = [
        moved("risky_user", "atRisk", "confirmedCompromised"),
        moved("risky_user", "atRisk", "dismissed"),
        moved("risky_user", "none", "confirmedCompromised"),
    ];
    assert_eq!(graph.transitions(), wanted);
    graph
        .wire
        .sandbox
        .advance_clock(jiff::SignedDuration::from_secs(2));
    let path = format!("/identityProtection/riskyUsers/{}", planted.suspicious.id);
    assert_eq!(graph.get(&path).await.json()["riskLevel"], "high");
    assert_eq!(graph.rules(), ["body_malformed"]);
}

#[tokio::test]
async fn a_role_is_removed_and_given_back_but_not_from_the_last_administrator() {
    let graph = Graph::respond().await;
    let roles = "/roleManagement/directory/roleAssignments";
    let all = graph.all(&format!("{roles}?$expand=roleDefinition")).await;
    let globals: Vec<&Value> = all
        .iter()
        .filter(|it| it["roleDefinition"]["displayName"] == "Global Administrator")
        .collect();
    let id = |it: &Value| it["id"].as_str().unwrap().to_owned();
    for one in &globals[1..] {
        assert_eq!(
            graph.delete(&format!("{roles}/{}", id(one))).await.status,
            204
        );
    }
    let last = graph.delete(&format!("{roles}/{}", id(globals[0]))).await;
    assert_eq!(
        (last.status, code(&last)),
        (400, "Request_BadRequest".to_owned())
    );
    let back = json!({
        "principalId": globals[1]["principalId"],
        "roleDefinitionId": globals[1]["roleDefinitionId"],
        "directoryScopeId": "/",
    });
    assert_eq!(
        graph.send(Method::POST, roles, back.clone()).await.status,
        201
    );
    assert_eq!(graph.send(Method::POST, roles, back).await.status, 400);
    assert_eq!(
        graph.transitions().last().unwrap(),
        &moved("role_assignment", "", "Global Administrator")
    );
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn applications_lose_secrets_grants_and_their_principals_are_disabled() {
    let graph = Graph::respond().await;
    let planted = graph.wire.sandbox.planted().m365;
    let app = format!("/applications/{}", planted.expiring_application);
    let shown = graph.get(&app).await.json();
    let key = shown["passwordCredentials"][0]["keyId"].clone();
    let remove = format!("{app}/removePassword");
    assert_eq!(
        graph
            .send(Method::POST, &remove, json!({"keyId": key}))
            .await
            .status,
        204
    );
    assert_eq!(
        graph
            .send(Method::POST, &remove, json!({"keyId": key}))
            .await
            .status,
        400
    );
    let principal = format!("/servicePrincipals/{}", planted.risky_principal);
    assert_eq!(
        graph
            .patch(&principal, json!({"accountEnabled": false}))
            .await
            .status,
        204
    );
    let roles = graph.all(&format!("{principal}/appRoleAssignments")).await;
    let role = format!(
        "{principal}/appRoleAssignments/{}",
        roles[0]["id"].as_str().unwrap()
    );
    assert_eq!(graph.delete(&role).await.status, 204);
    assert_eq!(graph.delete(&role).await.status, 404);
    let filter = format!("clientId%20eq%20'{}'", planted.risky_principal);
    let grants = graph
        .all(&format!("/oauth2PermissionGrants?$filter={filter}"))
        .await;
    let grant = format!(
        "/oauth2PermissionGrants/{}",
        grants[0]["id"].as_str().unwrap()
    );
    assert_eq!(graph.delete(&grant).await.status, 204);
    let objects: Vec<String> = graph.transitions().into_iter().map(|it| it.0).collect();
    let wanted = [
        "application_secret",
        "service_principal",
        "app_role_assignment",
        "oauth2_permission_grant",
    ];
    assert_eq!(objects, wanted);
    assert!(graph.rules().is_empty());
}

#[tokio::test]
async fn policies_take_the_fields_that_they_have() {
    let graph = Graph::respond().await;
    let authorization = "/policies/authorizationPolicy";
    let change = json!({"defaultUserRolePermissions": {"allowedToCreateApps": false}});
    assert_eq!(graph.patch(authorization, change).await.status, 204);
    let shown = graph.get(authorization).await.json();
    assert_eq!(
        shown["defaultUserRolePermissions"]["allowedToCreateApps"],
        false
    );
    assert_eq!(
        shown["defaultUserRolePermissions"]["allowedToReadOtherUsers"],
        true
    );
    assert_eq!(
        graph
            .patch(authorization, json!({"colour": "red"}))
            .await
            .status,
        400
    );
    let defaults = "/policies/identitySecurityDefaultsEnforcementPolicy";
    let got = graph.patch(defaults, json!({"isEnabled": true})).await;
    assert_eq!(got.status, 400, "Conditional Access is on");
    let put = json!({"isEnabled": true, "requestDurationInDays": 7, "reviewers": []});
    let consent = "/policies/adminConsentRequestPolicy";
    assert_eq!(graph.send(Method::PUT, consent, put).await.status, 204);
    assert_eq!(graph.get(consent).await.json()["requestDurationInDays"], 7);
    let never = json!({"passwordValidityPeriodInDays": 2_147_483_647});
    assert_eq!(
        graph
            .patch("/domains/acme.example", never.clone())
            .await
            .status,
        204
    );
    assert_eq!(
        graph
            .patch("/domains/shop.acme.example", never)
            .await
            .status,
        400
    );
    let sharing = json!({"sharingCapability": "disabled"});
    let got = graph.patch("/admin/sharepoint/settings", sharing).await;
    assert_eq!(
        (got.status, got.json()["sharingCapability"].clone()),
        (200, json!("disabled"))
    );
    let policy = json!({
        "displayName": "New", "state": "enabledForReportingButNotEnforced",
        "conditions": {"users": {"includeUsers": ["All"]}},
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    });
    let made = graph
        .send(Method::POST, "/identity/conditionalAccess/policies", policy)
        .await;
    assert_eq!(made.status, 201);
    assert!(made.json()["id"].is_string());
    assert_eq!(graph.rules(), ["body_malformed"]);
}

#[tokio::test]
async fn an_alert_is_resolved() {
    let graph = Graph::respond().await;
    let path = format!(
        "/security/alerts_v2/{}",
        graph.wire.sandbox.planted().m365.alert
    );
    let done = json!({"status": "resolved", "classification": "truePositive", "determination": "compromisedAccount"});
    let got = graph.patch(&path, done).await;
    assert_eq!(
        (got.status, got.json()["status"].clone()),
        (200, json!("resolved"))
    );
    assert_eq!(
        graph.patch(&path, json!({"status": "gone"})).await.status,
        400
    );
}

#[tokio::test]
async fn somebody_who_went_meanwhile_is_not_found() {
    let graph = Graph::respond().await;
    let id = graph.wire.sandbox.planted().m365.leaked.id;
    assert!(graph.wire.sandbox.delete_m365_user(&id));
    let got = graph
        .patch(&format!("/users/{id}"), json!({"accountEnabled": false}))
        .await;
    assert_eq!(
        (got.status, code(&got)),
        (404, "Request_ResourceNotFound".to_owned())
    );
    assert!(graph.rules().is_empty());
    let last = graph.wire.sandbox.transitions().pop().unwrap();
    assert_eq!((last.to.as_str(), last.request), ("deleted", None));
}
