//! What changes policies, applications, grants and alerts.

use serde_json::{Map, Value, json};

use super::{
    Graph, accounts,
    error::{Answer, Refusal},
    filter::Filter,
    operation::{Ask, malformed},
    page::Rows,
    store::merge,
};
use crate::{
    clock::seconds,
    faults::FaultKind,
    request::{Context, Reply},
};

const STATES: [&str; 3] = ["enabled", "disabled", "enabledForReportingButNotEnforced"];
const ALERT_STATES: [&str; 3] = ["new", "inProgress", "resolved"];

impl Graph {
    pub(super) fn group_members(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let group = self.store.find("groups", "id", ask.id(0));
        let group = group.ok_or_else(Refusal::not_found)?;
        if group["_everybody"] == true {
            let rows = Rows {
                len: self.users.len(),
                at: Box::new(|number| {
                    let account = self.users.account(number).filter(|it| !it.is_guest())?;
                    Some(self.object(&account.id))
                }),
                properties: None,
            };
            return self.page(ask, rows, cx);
        }
        let members = self.store.children("groupMembers", "_group", ask.id(0));
        let members = members
            .into_iter()
            .map(|it| self.object(it["id"].as_str().unwrap_or_default()))
            .filter(|it| !it.is_null());
        let rows = Rows::made(members.collect());
        self.page(ask, rows, cx)
    }

    /// `POST /directoryObjects/getByIds`: what is not there is left out.
    pub(super) fn get_by_ids(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let body = ask.body(&["ids", "types"], cx)?;
        let ids = body.get("ids").and_then(Value::as_array);
        let Some(ids) = ids.filter(|ids| (1..=1000).contains(&ids.len())) else {
            return Err(malformed(cx));
        };
        let found = ids.iter().filter_map(Value::as_str);
        let found = found.map(|id| self.object(id)).filter(|it| !it.is_null());
        let rows = Rows::made(found.collect());
        self.page(ask, rows, cx)
    }

    pub(super) fn role_policies(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let filter = ask.options.filter.as_ref();
        let named: Vec<&str> = filter.into_iter().flat_map(Filter::properties).collect();
        if !named.contains(&"scopeId") || !named.contains(&"scopeType") {
            cx.violate("filter_missing", "scopeId and scopeType must be filtered");
            let message = "The scopeId and scopeType must be specified in the filter.";
            return Err(Refusal::new(400, "InvalidFilter", message));
        }
        let rows = self.store.list("roleManagementPolicyAssignments").iter();
        let expanded = ask.options.expand.join(",");
        let rows = rows.map(|it| {
            let mut row = it.clone();
            match row.as_object_mut() {
                Some(row) if !expanded.contains("policy") => drop(row.remove("policy")),
                Some(row) if !expanded.contains("rules") => {
                    if let Some(Value::Object(policy)) = row.get_mut("policy") {
                        policy.remove("rules");
                    }
                }
                _ => {}
            }
            row
        });
        let rows = Rows::made(rows.collect());
        self.page(ask, rows, cx)
    }

    pub(super) fn method_policy(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let policy = self.store.single("authenticationMethodsPolicy").cloned();
        let mut policy = policy.ok_or_else(Refusal::not_found)?;
        let methods = self.store.list("authenticationMethodConfigurations");
        policy["authenticationMethodConfigurations"] = Value::from(methods.to_vec());
        self.one(ask, policy, None, cx)
    }

    pub(super) fn patch_method_policy(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let typed = |body: &Map<String, Value>| body.contains_key("@odata.type");
        let Some(Value::Object(body)) = ask
            .call
            .json()
            .filter(|it| it.as_object().is_some_and(typed))
        else {
            return Err(malformed(cx));
        };
        self.patch_item(("authenticationMethodConfigurations", "id"), &body, ask, cx)?;
        Ok(Reply::empty(204))
    }

    pub(super) fn patch_domain(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let fields = [
            "passwordValidityPeriodInDays",
            "passwordNotificationWindowInDays",
        ];
        let body = ask.body(&fields, cx)?;
        let domain = self.store.find("domains", "id", ask.id(0));
        if domain.is_some_and(|it| it["isRoot"] == false) {
            let message = "Only root domains have a password policy of their own.";
            return Err(Refusal::bad_request(message));
        }
        self.patch_item(("domains", "id"), &body, ask, cx)?;
        Ok(Reply::empty(204))
    }

    pub(super) fn patch_security_defaults(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let body = ask.body(&["isEnabled"], cx)?;
        let policies = self.store.list("conditionalAccessPolicies");
        let on = body.get("isEnabled") == Some(&Value::Bool(true));
        if on && policies.iter().any(|it| it["state"] == "enabled") {
            let message =
                "Security defaults cannot be enabled while Conditional Access policies are.";
            return Err(Refusal::bad_request(message));
        }
        self.patch_single("securityDefaults", &body, cx)?;
        Ok(Reply::empty(204))
    }

    pub(super) fn patch_authorization(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let fields = [
            "allowInvitesFrom",
            "guestUserRoleId",
            "defaultUserRolePermissions",
            "allowedToUseSSPR",
            "allowedToSignUpEmailBasedSubscriptions",
            "allowEmailVerifiedUsersToJoinOrganization",
            "blockMsolPowerShell",
        ];
        let body = ask.body(&fields, cx)?;
        self.patch_single("authorizationPolicy", &body, cx)?;
        Ok(Reply::empty(204))
    }

    /// A PUT replaces: what is left out becomes its default.
    pub(super) fn put_consent_policy(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let fields = [
            "isEnabled",
            "notifyReviewers",
            "remindersEnabled",
            "requestDurationInDays",
            "reviewers",
        ];
        let body = ask.body(&fields, cx)?;
        if !body.contains_key("isEnabled") {
            return Err(malformed(cx));
        }
        let mut whole = json!({
            "notifyReviewers": false, "remindersEnabled": false, "requestDurationInDays": 30,
            "reviewers": [],
        });
        merge(&mut whole, &body);
        if let Value::Object(whole) = whole {
            self.patch_single("adminConsentRequestPolicy", &whole, cx)?;
        }
        Ok(Reply::empty(204))
    }

    pub(super) fn patch_sharepoint(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let fields = [
            "sharingCapability",
            "sharingDomainRestrictionMode",
            "isLegacyAuthProtocolsEnabled",
            "isResharingByExternalUsersEnabled",
            "isRequireAcceptingUserToMatchInvitedUserEnabled",
            "isUnmanagedSyncAppForTenantRestricted",
            "sharingAllowedDomainList",
            "sharingBlockedDomainList",
            "idleSessionSignOut",
        ];
        let body = ask.body(&fields, cx)?;
        let after = self.patch_single("sharepointSettings", &body, cx)?;
        Ok(Reply::json(200, &after))
    }

    pub(super) fn create_policy(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let fields = [
            "displayName",
            "state",
            "conditions",
            "grantControls",
            "sessionControls",
        ];
        let body = ask.body(&fields, cx)?;
        let has = |name: &str| body.get(name).is_some_and(|it| !it.is_null());
        let state = body
            .get("state")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let whole = has("displayName") && has("conditions");
        if !whole || !STATES.contains(&state) || !(has("grantControls") || has("sessionControls")) {
            return Err(malformed(cx));
        }
        let mut policy = Value::Object(body.clone());
        policy["id"] = Value::from(self.rng.uuid());
        policy["createdDateTime"] = Value::from(seconds(cx.now));
        policy["modifiedDateTime"] = Value::Null;
        let id = policy["id"].as_str().unwrap_or_default().to_owned();
        cx.change("conditional_access_policy", &id, "", state);
        self.store.add("conditionalAccessPolicies", policy.clone());
        Ok(Reply::json(201, &policy))
    }

    pub(super) fn patch_principal(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let body = ask.body(&["accountEnabled"], cx)?;
        let Some(enabled) = body.get("accountEnabled").and_then(Value::as_bool) else {
            return Err(malformed(cx));
        };
        let principal = self.store.find_mut("servicePrincipals", "id", ask.id(0));
        let principal = principal.ok_or_else(Refusal::not_found)?;
        let before = principal["accountEnabled"].as_bool().unwrap_or_default();
        principal["accountEnabled"] = Value::Bool(enabled);
        if before != enabled {
            let states = (accounts::state(before), accounts::state(enabled));
            cx.change("service_principal", ask.id(0), states.0, states.1);
        }
        Ok(Reply::empty(204))
    }

    pub(super) fn remove_password(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let body = ask.body(&["keyId"], cx)?;
        let key = body.get("keyId").cloned().unwrap_or_default();
        let application = self.store.find_mut("applications", "id", ask.id(0));
        let application = application.ok_or_else(Refusal::not_found)?;
        let secrets = application["passwordCredentials"].as_array_mut();
        let secrets = secrets.ok_or_else(Refusal::not_found)?;
        let Some(place) = secrets.iter().position(|it| it["keyId"] == key) else {
            return Err(Refusal::bad_request(
                "No password credential found with keyId.",
            ));
        };
        secrets.remove(place);
        cx.change(
            "application_secret",
            ask.id(0),
            key.as_str().unwrap_or_default(),
            "",
        );
        Ok(Reply::empty(204))
    }

    pub(super) fn delete_grant(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.delete(
            ("oauth2PermissionGrants", "id"),
            ask.id(0),
            "oauth2_permission_grant",
            cx,
        )
    }

    pub(super) fn delete_app_role(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let assignment = self.store.find("appRoleAssignments", "id", ask.id(1));
        let of = assignment.and_then(|it| it["principalId"].as_str());
        if !of.is_some_and(|of| of.eq_ignore_ascii_case(ask.id(0))) {
            return Err(Refusal::not_found());
        }
        self.delete(
            ("appRoleAssignments", "id"),
            ask.id(1),
            "app_role_assignment",
            cx,
        )
    }

    pub(super) fn patch_alert(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let fields = ["status", "classification", "determination", "assignedTo"];
        let body = ask.body(&fields, cx)?;
        let state = body.get("status").and_then(Value::as_str);
        if state.is_some_and(|state| !ALERT_STATES.contains(&state)) {
            return Err(malformed(cx));
        }
        let alert = self.patch_item(("alerts", "id"), &body, ask, cx)?;
        alert["lastUpdateDateTime"] = Value::from(seconds(cx.now));
        Ok(Reply::json(200, alert))
    }

    fn patch_single(
        &mut self,
        name: &'static str,
        change: &Map<String, Value>,
        cx: &mut Context,
    ) -> Result<Value, Refusal> {
        let document = self.store.single_mut(name).ok_or_else(Refusal::not_found)?;
        let before = document.clone();
        changed(document, change, name, cx);
        let after = document.clone();
        if let Some(fault) = cx.struck.get(FaultKind::StaleReads) {
            self.store.show_late(name, before, fault.reads);
        }
        Ok(after)
    }

    fn patch_item(
        &mut self,
        (collection, field): (&'static str, &str),
        change: &Map<String, Value>,
        ask: &Ask<'_>,
        cx: &mut Context,
    ) -> Result<&mut Value, Refusal> {
        let document = self.store.find_mut(collection, field, ask.id(0));
        let document = document.ok_or_else(Refusal::not_found)?;
        changed(document, change, &format!("{collection}/{}", ask.id(0)), cx);
        Ok(document)
    }

    fn delete(
        &mut self,
        (collection, field): (&'static str, &str),
        id: &str,
        object: &'static str,
        cx: &mut Context,
    ) -> Answer {
        let gone = self.store.remove(collection, field, id);
        gone.ok_or_else(Refusal::not_found)?;
        cx.change(object, id, "granted", "");
        Ok(Reply::empty(204))
    }
}

/// Merges a change into a document; the journal gets what was and what is, where they differ.
fn changed(document: &mut Value, change: &Map<String, Value>, id: &str, cx: &mut Context) {
    let before = merge(document, change).to_string();
    let after = Value::Object(change.clone()).to_string();
    if before != after {
        cx.change("document", id, &before, &after);
    }
}
