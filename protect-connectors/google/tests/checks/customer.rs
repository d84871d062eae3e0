//! A customer with whom every check passes, and what changes it.

use protect_core::model::{CheckResult, NotEvaluatedReason, Verdict};
use protect_core::posture::Profile;
use protect_core::testing::posture;
use protect_google::{CATALOGUE, FORMAT};
use serde_json::{Value, json};

use crate::records::{log, policies};

pub(crate) const SALES: &str = "sales1";
pub(crate) const BERLIN: &str = "berlin2";
pub(crate) const GROUP: &str = "group9";

pub(crate) const SCOPES: [&str; 7] = [
    "https://www.googleapis.com/auth/admin.directory.user.readonly",
    "https://www.googleapis.com/auth/admin.directory.domain.readonly",
    "https://www.googleapis.com/auth/admin.reports.audit.readonly",
    "https://www.googleapis.com/auth/cloud-identity.policies.readonly",
    "https://www.googleapis.com/auth/admin.directory.orgunit.readonly",
    "https://www.googleapis.com/auth/admin.directory.group.readonly",
    "https://www.googleapis.com/auth/admin.directory.rolemanagement.readonly",
];

/// Two super administrators, one with a role, a member, somebody new, somebody suspended.
pub(crate) const ADMINS: [&str; 2] = ["101", "102"];
pub(crate) const OPERATOR: &str = "103";
pub(crate) const MEMBER: &str = "104";
pub(crate) const NEW: &str = "105";
pub(crate) const SUSPENDED: &str = "106";
pub(crate) const GUEST: &str = "107";

/// A customer with whom every check of the profile `scuba` passes.
pub(crate) fn good() -> Value {
    json!({
        "provider": "google",
        "customer_id": "C01abc",
        "collected_at": "2026-11-01T00:00:00Z",
        "granted": SCOPES,
        "users": users(),
        "domains": [
            {
                "kind": "admin#directory#domain", "domainName": "acme.example", "isPrimary": true, "verified": true,
                "creationTime": "1577836800000",
                "domainAliases": [{ "domainAliasName": "alias.example", "parentDomainName": "acme.example", "verified": true }]
            },
            { "domainName": "mail.acme.example", "isPrimary": false, "verified": true }
        ],
        "domain_aliases": { "kind": "admin#directory#domainAliases", "domainAliases": [
            { "domainAliasName": "alias.example", "parentDomainName": "acme.example", "verified": true }
        ] },
        "orgunits": { "kind": "admin#directory#orgUnits", "organizationUnits": [
            { "orgUnitId": "id:root0", "name": "Acme", "orgUnitPath": "/" },
            {
                "orgUnitId": "id:sales1", "name": "Sales", "orgUnitPath": "/Sales",
                "parentOrgUnitId": "id:root0", "parentOrgUnitPath": "/"
            },
            {
                "orgUnitId": "id:berlin2", "name": "Berlin", "orgUnitPath": "/Sales/Berlin",
                "parentOrgUnitId": "id:sales1", "parentOrgUnitPath": "/Sales"
            }
        ] },
        "groups": { "groups": [{ "id": GROUP, "email": "vip@acme.example" }] },
        "roles": { "items": [
            { "roleId": "1", "roleName": "_SEED_ADMIN_ROLE", "isSystemRole": true, "isSuperAdminRole": false },
            { "roleId": "2", "roleName": "Super Admin", "isSystemRole": true, "isSuperAdminRole": true },
            { "roleId": "3", "roleName": "Help Desk", "isSystemRole": true, "isSuperAdminRole": false }
        ] },
        "role_assignments": { "items": [
            { "roleId": "1", "assignedTo": ADMINS[0], "assigneeType": "user", "scopeType": "CUSTOMER" },
            { "roleId": "2", "assignedTo": ADMINS[0], "assigneeType": "user", "scopeType": "CUSTOMER" },
            { "roleId": "2", "assignedTo": ADMINS[1], "assigneeType": "user", "scopeType": "CUSTOMER" },
            { "roleId": "3", "assignedTo": OPERATOR, "assigneeType": "user", "scopeType": "CUSTOMER" }
        ] },
        "activities": { "admin": { "kind": "admin#reports#activities", "items": log() } },
        "policies": { "policies": policies() },
        "dns": dns()
    })
}

fn users() -> Vec<Value> {
    let all = [
        ADMINS[0], ADMINS[1], OPERATOR, MEMBER, NEW, SUSPENDED, GUEST,
    ];
    all.map(|id| {
        let (admin, suspended, new) = (ADMINS.contains(&id), id == SUSPENDED, id == NEW);
        let mut user = json!({
            "kind": "admin#directory#user", "id": id, "primaryEmail": format!("User{id}@acme.example"),
            "customerId": "C01abc", "orgUnitPath": "/", "isAdmin": admin, "isDelegatedAdmin": id == OPERATOR,
            "isEnrolledIn2Sv": !suspended && !new, "isEnforcedIn2Sv": !suspended && !new,
            "suspended": suspended, "archived": false, "isGuestUser": id == GUEST, "ipWhitelisted": false,
            "creationTime": if new { "2026-10-29T00:00:00.000Z" } else { "2024-01-01T00:00:00.000Z" },
            "lastLoginTime": if new { "1970-01-01T00:00:00.000Z" } else { "2026-10-30T08:00:00.000Z" },
            "emails": [{ "address": format!("user{id}@acme.example"), "primary": true }]
        });
        if id == MEMBER {
            user["recoveryPhone"] = json!("+15550100");
        }
        user
    })
    .to_vec()
}

fn dns() -> Value {
    let spf = "v=spf1 include:_spf.google.com -all";
    let key = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    json!({
        "acme.example": { "TXT": ["google-site-verification=x", spf] },
        "alias.example": { "TXT": ["v=spf1 redirect=acme.example"] },
        "mail.acme.example": { "TXT": [spf] },
        "google._domainkey.acme.example": { "TXT": [key] },
        "google._domainkey.alias.example": { "TXT": [key] },
        "google._domainkey.mail.acme.example": { "TXT": [key] },
        "_dmarc.acme.example": { "TXT": ["v=DMARC1; p=reject; rua=mailto:d@acme.example"] },
        "_dmarc.alias.example": { "TXT": ["v=DMARC1; p=reject"] },
        "_dmarc.mail.acme.example": { "error": "NXDOMAIN" }
    })
}

/// The same customer without a part.
pub(crate) fn without(path: &str) -> Value {
    posture::without_path(&good(), &FORMAT, path)
}

/// An account.
pub(crate) fn user<'c>(customer: &'c mut Value, id: &str) -> &'c mut Value {
    let users = customer["users"].as_array_mut().unwrap();
    users.iter_mut().find(|user| user["id"] == id).unwrap()
}

/// The value of a setting that was made for everybody.
pub(crate) fn setting<'c>(customer: &'c mut Value, name: &str) -> &'c mut Value {
    let name = format!("settings/{name}");
    let policies = customer["policies"]["policies"].as_array_mut().unwrap();
    let found = policies
        .iter_mut()
        .find(|it| it["setting"]["type"] == *name);
    &mut found.unwrap()["setting"]["value"]
}

pub(crate) fn add_policy(customer: &mut Value, policy: Value) {
    customer["policies"]["policies"]
        .as_array_mut()
        .unwrap()
        .push(policy);
}

pub(crate) fn add_activity(customer: &mut Value, activity: Value) {
    let items = customer["activities"]["admin"]["items"].as_array_mut();
    items.unwrap().push(activity);
}

/// What becomes of one check.
pub(crate) fn result(customer: &Value, profile: &Profile, check: &str) -> CheckResult {
    let check = CATALOGUE.check(check).unwrap();
    posture::inspect(&CATALOGUE, check, profile, customer).result
}

/// The same in short, by `scuba`.
pub(crate) fn verdict(customer: &Value, check: &str) -> Expected {
    Expected::of(&result(customer, &Profile::scuba(), check))
}

/// A change of the good customer, and what it makes of a check.
pub(crate) type Case = (&'static str, &'static str, fn(&mut Value), Expected);

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Expected {
    Pass,
    Fail,
    NotApplicable,
    NotEvaluated(NotEvaluatedReason),
}

impl Expected {
    pub(crate) fn of(result: &CheckResult) -> Self {
        match (result.verdict, result.not_evaluated) {
            (Verdict::Pass, None) => Self::Pass,
            (Verdict::Fail, None) => Self::Fail,
            (Verdict::NotApplicable, None) => Self::NotApplicable,
            (_, Some(reason)) => Self::NotEvaluated(reason),
            (verdict, None) => panic!("{verdict:?}"),
        }
    }
}

/// Runs a table of cases.
pub(crate) fn hold(base: &Value, cases: &[Case]) {
    for (check, what, change, expected) in cases {
        let mut customer = base.clone();
        change(&mut customer);
        let result = result(&customer, &Profile::scuba(), check);
        assert_eq!(
            Expected::of(&result),
            *expected,
            "{check}: {what}: {}",
            result.reason
        );
    }
}
