//! The endpoints that change or read single things, one function each. What they are for is said in
//! `client.rs`; what a scan collects stands in `questions.rs`.

use http::Method;
use jiff::Timestamp;
use protect_core::connector::OpContext;
use protect_core::http::RequestBuilder;
use protect_core::model::RejectedItem;
use protect_core::{Error, Result};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use crate::api::Graph;
use crate::model::{
    Alert, AuthenticationMethod, Device, DirectoryAudit, Grant, Page, RiskDetection, RiskyUser,
    RoleAssignment, SecureScore, SignIn, TemporaryAccessPass, User, UserConsent, UserPage,
};
use crate::signals::{ALERTS, DIRECTORY_AUDITS, RISK_DETECTIONS, SECURE_SCORES, SIGN_INS};

const USER_FIELDS: &str = "id,userPrincipalName,displayName,mail,accountEnabled,userType,onPremisesSyncEnabled,createdDateTime,signInSessionsValidFromDateTime,lastPasswordChangeDateTime";

/// The default method of signing in, which is no method that could be taken away.
const PASSWORD: &str = "passwordAuthenticationMethod";

/// What Graph has people use where they did not choose.
const PREFERRED: &[&str] = &[
    "microsoftAuthenticatorAuthenticationMethod",
    "phoneAuthenticationMethod",
];

/// The sorts of method that can be taken away, with the collection that each is deleted from
/// (<https://learn.microsoft.com/graph/api/resources/authenticationmethods-overview>).
const DELETABLE: &[(&str, &str)] = &[
    (
        "phoneAuthenticationMethod",
        "/users/{id}/authentication/phoneMethods/{method}",
    ),
    (
        "microsoftAuthenticatorAuthenticationMethod",
        "/users/{id}/authentication/microsoftAuthenticatorMethods/{method}",
    ),
    (
        "softwareOathAuthenticationMethod",
        "/users/{id}/authentication/softwareOathMethods/{method}",
    ),
    (
        "fido2AuthenticationMethod",
        "/users/{id}/authentication/fido2Methods/{method}",
    ),
    (
        "emailAuthenticationMethod",
        "/users/{id}/authentication/emailMethods/{method}",
    ),
    (
        "windowsHelloForBusinessAuthenticationMethod",
        "/users/{id}/authentication/windowsHelloForBusinessMethods/{method}",
    ),
    (
        "temporaryAccessPassAuthenticationMethod",
        "/users/{id}/authentication/temporaryAccessPassMethods/{method}",
    ),
    (
        "passwordlessMicrosoftAuthenticatorAuthenticationMethod",
        "/users/{id}/authentication/passwordlessMicrosoftAuthenticatorMethods/{method}",
    ),
];

impl Graph {
    /// `GET /organization`, for the time in its answer alone.
    pub(crate) async fn organization(&self, cx: &OpContext) -> Result<Option<Timestamp>> {
        let answer = self
            .request(Method::GET, "m365.organization", "/organization", 1)
            .query("$select", "id")
            .send(cx)
            .await?;
        Ok(answer.date())
    }

    /// `GET /users`: one page.
    pub(crate) async fn users(&self, cx: &OpContext, link: Option<&str>) -> Result<UserPage> {
        let first =
            |request: RequestBuilder| request.query("$select", USER_FIELDS).query("$top", "999");
        let page: Page<User> = self
            .records(cx, "m365.users", "/users", link, first)
            .await?;
        Ok(UserPage {
            users: page.items,
            rejected: page.rejected,
            next_page_token: page.next_page_token,
        })
    }

    /// `GET /users/delta` from now on, or behind a link: who changed since, and where the next round
    /// begins (<https://learn.microsoft.com/graph/delta-query-overview>). What changed of somebody is
    /// not read from it, since it may hold no more than that.
    pub(crate) async fn changed_users(
        &self,
        cx: &OpContext,
        link: Option<&str>,
    ) -> Result<ChangedUsers> {
        let (operation, path) = ("m365.changed_users", "/users/delta");
        let request = match link {
            Some(link) => self.follow(operation, path, link, 1)?,
            None => self
                .request(Method::GET, operation, path, 1)
                .query("$select", USER_FIELDS)
                .query("$deltatoken", "latest"),
        };
        request.send(cx).await?.json()
    }

    /// `GET /users/{id}`.
    pub(crate) async fn user(&self, cx: &OpContext, id: &str) -> Result<User> {
        self.about(Method::GET, "m365.get_user", "/users/{id}", id)?
            .query("$select", USER_FIELDS)
            .send(cx)
            .await?
            .json()
    }

    /// `PATCH /users/{id}`. The same again changes nothing.
    pub(crate) async fn patch_user(
        &self,
        cx: &OpContext,
        operation: &'static str,
        id: &str,
        change: &Value,
    ) -> Result<()> {
        self.about(Method::PATCH, operation, "/users/{id}", id)?
            .idempotent(true)
            .json(change)?
            .send(cx)
            .await
            .map(drop)
    }

    /// `POST /users/{id}/revokeSignInSessions`. Documented as 204; a known issue has it answer 200
    /// with a boolean.
    pub(crate) async fn revoke_sessions(&self, cx: &OpContext, id: &str) -> Result<()> {
        let path = "/users/{id}/revokeSignInSessions";
        self.about(Method::POST, "m365.revoke_sessions", path, id)?
            .idempotent(true)
            .send(cx)
            .await
            .map(drop)
    }

    /// `GET /users/{id}/authentication/methods`.
    pub(crate) async fn methods(
        &self,
        cx: &OpContext,
        id: &str,
    ) -> Result<Vec<AuthenticationMethod>> {
        let operation = "m365.authentication_methods";
        let request = self.about(
            Method::GET,
            operation,
            "/users/{id}/authentication/methods",
            id,
        )?;
        let body: Value = request.send(cx).await?.json()?;
        let listed = body.get("value").and_then(Value::as_array);
        let read = listed.into_iter().flatten().filter_map(|method| {
            let kind = method.get("@odata.type")?.as_str()?;
            Some(AuthenticationMethod {
                id: method.get("id")?.as_str()?.to_owned(),
                kind: kind.trim_start_matches("#microsoft.graph.").to_owned(),
            })
        });
        let mut methods: Vec<_> = read.collect();
        // What is most likely the default comes last: Graph takes that one away only as the last.
        methods.sort_by_key(|it: &AuthenticationMethod| PREFERRED.contains(&it.kind.as_str()));
        Ok(methods)
    }

    /// `DELETE` of one method. Where Graph does not have it any more, it is gone.
    pub(crate) async fn delete_method(
        &self,
        cx: &OpContext,
        id: &str,
        method: &AuthenticationMethod,
    ) -> Result<()> {
        let found = DELETABLE.iter().find(|(kind, _)| *kind == method.kind);
        let Some((_, path)) = found else {
            return Err(Error::new(
                protect_core::ErrorKind::Unsupported,
                "this sort of method cannot be taken away through Graph",
            )
            .with_context("method", &*method.kind));
        };
        let deleted = self
            .about(
                Method::DELETE,
                "m365.delete_authentication_methods",
                path,
                id,
            )?
            .path("method", &*method.id)
            .send(cx)
            .await;
        match deleted {
            Err(error) if crate::error::is_gone(&error) => Ok(()),
            other => other.map(drop),
        }
    }

    /// `POST /users/{id}/authentication/temporaryAccessPassMethods`. Never sent twice: a second pass
    /// takes the place of the first.
    pub(crate) async fn create_pass(
        &self,
        cx: &OpContext,
        id: &str,
        lifetime_minutes: Option<u32>,
        one_time: bool,
    ) -> Result<TemporaryAccessPass> {
        let mut body = json!({ "isUsableOnce": one_time });
        if let Some(minutes) = lifetime_minutes {
            body["lifetimeInMinutes"] = minutes.into();
        }
        self.about(
            Method::POST,
            "m365.create_temporary_access_pass",
            "/users/{id}/authentication/temporaryAccessPassMethods",
            id,
        )?
        .sensitive()
        .json(&body)?
        .send(cx)
        .await?
        .json()
    }

    /// `GET /roleManagement/directory/roleAssignments` of one principal.
    pub(crate) async fn role_assignments(
        &self,
        cx: &OpContext,
        id: &str,
    ) -> Result<Vec<RoleAssignment>> {
        let id = guid(id)?;
        let filter = format!("principalId eq '{id}'");
        self.all(
            cx,
            "m365.role_assignments",
            "/roleManagement/directory/roleAssignments",
            |request| request.query("$filter", filter),
        )
        .await
    }

    /// `DELETE /roleManagement/directory/roleAssignments/{assignment}`.
    pub(crate) async fn delete_role_assignment(&self, cx: &OpContext, id: &str) -> Result<()> {
        let path = "/roleManagement/directory/roleAssignments/{assignment}";
        self.request(Method::DELETE, "m365.remove_role_assignment", path, 2)
            .path("assignment", id)
            .send(cx)
            .await
            .map(drop)
    }

    /// `POST /roleManagement/directory/roleAssignments`. Where it is there already, Graph answers
    /// 400 or 409, and nothing was changed.
    pub(crate) async fn add_role_assignment(
        &self,
        cx: &OpContext,
        user: &str,
        role: &str,
        scope: &str,
    ) -> Result<RoleAssignment> {
        let path = "/roleManagement/directory/roleAssignments";
        let body = json!({
            "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
            "principalId": guid(user)?,
            "roleDefinitionId": guid(role)?,
            "directoryScopeId": scope,
        });
        self.request(Method::POST, "m365.add_role_assignment", path, 2)
            .json(&body)?
            .send(cx)
            .await?
            .json()
    }

    /// `GET /users/{id}/oauth2PermissionGrants`.
    pub(crate) async fn grants(&self, cx: &OpContext, id: &str) -> Result<Vec<Grant>> {
        let id = guid(id)?.to_owned();
        self.all(
            cx,
            "m365.grants",
            "/users/{id}/oauth2PermissionGrants",
            |request| request.path("id", id),
        )
        .await
    }

    /// `DELETE /oauth2PermissionGrants/{grant}`.
    pub(crate) async fn delete_grant(&self, cx: &OpContext, id: &str) -> Result<()> {
        let path = "/oauth2PermissionGrants/{grant}";
        let deleted = self
            .request(Method::DELETE, "m365.revoke_grants", path, 2)
            .path("grant", id)
            .send(cx)
            .await;
        match deleted {
            Err(error) if crate::error::is_gone(&error) => Ok(()),
            other => other.map(drop),
        }
    }

    /// `GET /devices`: one page.
    pub(crate) async fn devices(&self, cx: &OpContext, link: Option<&str>) -> Result<Page<Device>> {
        let first = |request: RequestBuilder| request.query("$top", "999");
        self.records(cx, "m365.devices_page", "/devices", link, first)
            .await
    }

    /// `GET /devices/{id}/registeredOwners`.
    pub(crate) async fn device_owners(&self, cx: &OpContext, id: &str) -> Result<Vec<User>> {
        let id = guid(id)?.to_owned();
        let path = "/devices/{id}/registeredOwners";
        let about = |request: RequestBuilder| request.path("id", id);
        self.all(cx, "m365.device_owners", path, about).await
    }

    /// `GET /identityProtection/riskyUsers`: one page of those who are confirmed to be compromised, or
    /// else of those at risk. One condition at a time: that Graph joins them with `or` here is not
    /// documented.
    pub(crate) async fn risky_users(
        &self,
        cx: &OpContext,
        confirmed: bool,
        link: Option<&str>,
    ) -> Result<Page<RiskyUser>> {
        let state = if confirmed {
            "confirmedCompromised"
        } else {
            "atRisk"
        };
        let first =
            |request: RequestBuilder| request.query("$filter", format!("riskState eq '{state}'"));
        let path = "/identityProtection/riskyUsers";
        self.records(cx, "m365.risky_users_page", path, link, first)
            .await
    }

    /// `GET /identityProtection/riskyUsers/{id}`; `None` where Identity Protection never had
    /// anything about the user.
    pub(crate) async fn risky_user(&self, cx: &OpContext, id: &str) -> Result<Option<RiskyUser>> {
        let path = "/identityProtection/riskyUsers/{id}";
        let answer = self
            .about(Method::GET, "m365.risky_user", path, id)?
            .send(cx)
            .await;
        match answer {
            Ok(answer) => answer.json().map(Some),
            Err(error) if crate::error::is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `POST /identityProtection/riskyUsers/confirmCompromised`.
    pub(crate) async fn confirm_compromised(&self, cx: &OpContext, id: &str) -> Result<()> {
        let path = "/identityProtection/riskyUsers/confirmCompromised";
        self.judge(cx, "m365.confirm_compromised", path, id).await
    }

    /// `POST /identityProtection/riskyUsers/dismiss`.
    pub(crate) async fn dismiss_risk(&self, cx: &OpContext, id: &str) -> Result<()> {
        let path = "/identityProtection/riskyUsers/dismiss";
        self.judge(cx, "m365.dismiss_risk", path, id).await
    }

    async fn judge(
        &self,
        cx: &OpContext,
        operation: &'static str,
        path: &'static str,
        id: &str,
    ) -> Result<()> {
        self.request(Method::POST, operation, path, 1)
            .idempotent(true)
            .json(&json!({ "userIds": [guid(id)?] }))?
            .send(cx)
            .await
            .map(drop)
    }

    /// `GET /identityProtection/riskDetections` from a moment on.
    pub(crate) async fn risk_detections(
        &self,
        cx: &OpContext,
        since: Timestamp,
        link: Option<&str>,
    ) -> Result<Page<RiskDetection>> {
        let first =
            |request: RequestBuilder| request.query("$filter", from("detectedDateTime", since));
        let path = RISK_DETECTIONS;
        self.records(cx, "m365.risk_detections_page", path, link, first)
            .await
    }

    /// `GET /auditLogs/signIns` from a moment on.
    pub(crate) async fn sign_ins(
        &self,
        cx: &OpContext,
        since: Timestamp,
        link: Option<&str>,
    ) -> Result<Page<SignIn>> {
        let first =
            |request: RequestBuilder| request.query("$filter", from("createdDateTime", since));
        let path = SIGN_INS;
        self.records(cx, "m365.sign_ins_page", path, link, first)
            .await
    }

    /// `GET /auditLogs/directoryAudits` from a moment on.
    pub(crate) async fn directory_audits(
        &self,
        cx: &OpContext,
        since: Timestamp,
        link: Option<&str>,
    ) -> Result<Page<DirectoryAudit>> {
        let first =
            |request: RequestBuilder| request.query("$filter", from("activityDateTime", since));
        let path = DIRECTORY_AUDITS;
        self.records(cx, "m365.directory_audits_page", path, link, first)
            .await
    }

    /// `GET /security/alerts_v2` that changed from a moment on.
    pub(crate) async fn alerts(
        &self,
        cx: &OpContext,
        since: Timestamp,
        link: Option<&str>,
    ) -> Result<Page<Alert>> {
        let first =
            |request: RequestBuilder| request.query("$filter", from("lastUpdateDateTime", since));
        let path = ALERTS;
        self.records(cx, "m365.alerts_page", path, link, first)
            .await
    }

    /// `GET /security/secureScores?$top=1`: the newest.
    pub(crate) async fn secure_score(&self, cx: &OpContext) -> Result<Option<SecureScore>> {
        let path = SECURE_SCORES;
        let newest = |request: RequestBuilder| request.query("$top", "1");
        let page: crate::api::PageOf<SecureScore> = self
            .page(cx, "m365.secure_score", path, None, newest)
            .await?;
        Ok(page.value.into_iter().next())
    }

    /// `GET /policies/authorizationPolicy`: what users may consent to.
    pub(crate) async fn user_consent(&self, cx: &OpContext) -> Result<UserConsent> {
        let path = "/policies/authorizationPolicy";
        let answer = self
            .request(Method::GET, "m365.user_consent", path, 1)
            .send(cx)
            .await?;
        let body: Value = answer.json()?;
        let assigned = body
            .get("defaultUserRolePermissions")
            .and_then(|it| it.get("permissionGrantPoliciesAssigned"))
            .and_then(Value::as_array)
            .ok_or_else(|| {
                let message = "the policy does not say what users may consent to";
                Error::new(protect_core::ErrorKind::InvalidResponse, message)
            })?;
        let names = assigned.iter().filter_map(Value::as_str);
        Ok(UserConsent {
            permission_grant_policies: names.map(ToOwned::to_owned).collect(),
        })
    }

    /// `PATCH /policies/authorizationPolicy` with nothing but what users may consent to.
    pub(crate) async fn set_user_consent(&self, cx: &OpContext, policies: &[String]) -> Result<()> {
        let change = json!({
            "defaultUserRolePermissions": { "permissionGrantPoliciesAssigned": policies },
        });
        let path = "/policies/authorizationPolicy";
        self.request(Method::PATCH, "m365.set_user_consent", path, 2)
            .idempotent(true)
            .json(&change)?
            .send(cx)
            .await
            .map(drop)
    }

    /// One page, each record read for itself: one that cannot be read is listed, and the others
    /// stay.
    async fn records<T: DeserializeOwned>(
        &self,
        cx: &OpContext,
        operation: &'static str,
        template: &'static str,
        link: Option<&str>,
        first: impl FnOnce(RequestBuilder) -> RequestBuilder + Send,
    ) -> Result<Page<T>> {
        let page = self
            .page::<Value>(cx, operation, template, link, first)
            .await?;
        let mut read = Page {
            items: Vec::with_capacity(page.value.len()),
            rejected: Vec::new(),
            next_page_token: page.next,
        };
        for (index, record) in page.value.into_iter().enumerate() {
            match serde_path_to_error::deserialize(record) {
                Ok(record) => read.items.push(record),
                Err(error) => read.rejected.push(RejectedItem {
                    place: format!("value[{index}]"),
                    reason: unreadable(&error.path().to_string()),
                }),
            }
        }
        Ok(read)
    }
}

/// A page of who changed.
#[derive(Deserialize)]
pub(crate) struct ChangedUsers {
    pub(crate) value: Vec<ChangedUser>,
    #[serde(rename = "@odata.nextLink")]
    pub(crate) next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    pub(crate) delta: Option<String>,
}

/// Somebody who changed, or is no longer there.
#[derive(Deserialize)]
pub(crate) struct ChangedUser {
    pub(crate) id: String,
    #[serde(rename = "@removed")]
    pub(crate) removed: Option<IgnoredAny>,
}

/// Whether a method can be taken away at all: not the password, which is none of those.
pub(crate) fn is_deletable(method: &AuthenticationMethod) -> bool {
    method.kind != PASSWORD && DELETABLE.iter().any(|(kind, _)| *kind == method.kind)
}

/// What is wrong with a record, without repeating any of it.
fn unreadable(path: &str) -> String {
    if path == "." {
        "a required field is missing, or the record is no object".to_owned()
    } else {
        format!("`{path}` has an unexpected form")
    }
}

fn from(field: &str, since: Timestamp) -> String {
    // Graph takes whole seconds everywhere; what is seen twice is known by its id.
    format!("{field} ge {}", since.strftime("%Y-%m-%dT%H:%M:%SZ"))
}

/// An id of an object: nothing else may become part of a filter or body.
fn guid(id: &str) -> Result<&str> {
    if crate::config::is_guid(id) {
        Ok(id)
    } else {
        Err(Error::invalid_input("an id of Microsoft 365 is a GUID"))
    }
}
