//! Cases of users, guests and their passwords.

use protect_core::posture::Profile;
use serde_json::{Value, json};

use crate::tenant::Expected::{self, Fail, NotApplicable, Pass};
use crate::tenant::{
    AUTHORIZATION, Case, DISABLED, GUEST, MEMBER, NO_VERDICT, NOT_SEEN, REPORT, body, good, hold,
    id, items, of, result, with_report,
};

const USERS: &str = "/users";

fn lockout(tenant: &mut Value, name: &str, value: &str) {
    let values = items(tenant, "/groupSettings")[0]["values"]
        .as_array_mut()
        .unwrap();
    values.iter_mut().find(|it| it["name"] == name).unwrap()["value"] = value.into();
}

pub(crate) const CASES: &[Case] = &[
    (
        "m365.user.password_never_expires",
        "a root expires, and what is below it",
        |t| items(t, "/domains")[0]["passwordValidityPeriodInDays"] = json!(90),
        Fail,
    ),
    (
        "m365.user.password_never_expires",
        "a way of signing in that nobody knows",
        |t| items(t, "/domains")[0]["authenticationType"] = json!("Other"),
        NO_VERDICT,
    ),
    (
        "m365.user.stale_accounts",
        "since January",
        |t| {
            of(t, USERS, GUEST)["signInActivity"]["lastSignInDateTime"] =
                json!("2026-01-01T00:00:00Z");
        },
        Fail,
    ),
    (
        "m365.user.stale_accounts",
        "never, but made last week",
        |t| {
            of(t, USERS, GUEST)["signInActivity"] = Value::Null;
            of(t, USERS, GUEST)["createdDateTime"] = json!("2026-10-25T00:00:00Z");
        },
        Pass,
    ),
    (
        "m365.user.stale_accounts",
        "neither seen nor made",
        |t| {
            of(t, USERS, GUEST)["signInActivity"] = Value::Null;
            of(t, USERS, GUEST)["createdDateTime"] = Value::Null;
        },
        NOT_SEEN,
    ),
    (
        "m365.user.stale_accounts",
        "disabled",
        |t| {
            of(t, USERS, DISABLED)["signInActivity"]["lastSignInDateTime"] =
                json!("2020-01-01T00:00:00Z");
        },
        Pass,
    ),
    (
        "m365.user.admins_stale",
        "since August",
        |t| of(t, USERS, 3)["signInActivity"]["lastSignInDateTime"] = json!("2026-08-31T00:00:00Z"),
        Fail,
    ),
    (
        "m365.user.admins_stale",
        "another since August",
        |t| {
            of(t, USERS, MEMBER)["signInActivity"]["lastSignInDateTime"] =
                json!("2026-08-31T00:00:00Z");
        },
        Pass,
    ),
    (
        "m365.user.password_policy_exceptions",
        "one",
        |t| {
            of(t, USERS, MEMBER)["passwordPolicies"] =
                json!("DisablePasswordExpiration, DisableStrongPassword");
        },
        Fail,
    ),
    (
        "m365.user.password_policy_exceptions",
        "not asked for",
        |t| {
            for user in items(t, USERS) {
                user.as_object_mut().unwrap().remove("passwordPolicies");
            }
        },
        NOT_SEEN,
    ),
    (
        "m365.user.smart_lockout",
        "as Microsoft has it",
        |t| items(t, "/groupSettings").clear(),
        Fail,
    ),
    (
        "m365.user.smart_lockout",
        "too many attempts",
        |t| lockout(t, "LockoutThreshold", "11"),
        Fail,
    ),
    (
        "m365.user.smart_lockout",
        "no own words",
        |t| lockout(t, "BannedPasswordList", ""),
        Fail,
    ),
    (
        "m365.user.smart_lockout",
        "no number",
        |t| lockout(t, "LockoutDurationInSeconds", "soon"),
        NO_VERDICT,
    ),
    (
        "m365.guest.access_restricted",
        "as members",
        |t| {
            body(t, AUTHORIZATION)["guestUserRoleId"] =
                json!("a0b1b346-4d3e-4e8b-98f8-753987be4970");
        },
        Fail,
    ),
    (
        "m365.guest.access_restricted",
        "as Microsoft has it",
        |t| {
            body(t, AUTHORIZATION)["guestUserRoleId"] =
                json!("10DAE51F-B6AF-4016-8D66-8C2A99B929B3");
        },
        Pass,
    ),
    (
        "m365.guest.access_restricted",
        "as Microsoft has it, strictly",
        |t| {
            body(t, AUTHORIZATION)["guestUserRoleId"] =
                json!("10dae51f-b6af-4016-8d66-8c2a99b929b3");
            t["config"]["checks"]["m365.guest.access_restricted"] = json!({ "level": "strict" });
        },
        Fail,
    ),
    (
        "m365.guest.access_restricted",
        "a role that nobody knows",
        |t| body(t, AUTHORIZATION)["guestUserRoleId"] = json!(id(1)),
        NO_VERDICT,
    ),
    (
        "m365.guest.invite_restricted",
        "everyone",
        |t| body(t, AUTHORIZATION)["allowInvitesFrom"] = json!("everyone"),
        Fail,
    ),
    (
        "m365.guest.invite_restricted",
        "a word that nobody knows",
        |t| body(t, AUTHORIZATION)["allowInvitesFrom"] = json!("unknownFutureValue"),
        NO_VERDICT,
    ),
];

#[test]
fn every_case_of_people_holds() {
    hold(CASES);
}

#[test]
fn a_tenant_whose_domains_are_all_federated_fails_with_cisa_and_is_nobodys_business_elsewhere() {
    let mut tenant = good();
    for domain in items(&mut tenant, "/domains") {
        domain["authenticationType"] = json!("Federated");
    }
    let of = |profile: &Profile| {
        Expected::of(&result(
            &tenant,
            profile,
            "m365.user.password_never_expires",
        ))
    };
    assert_eq!(
        (of(&Profile::scuba()), of(&Profile::cis())),
        (Fail, NotApplicable)
    );
}

#[test]
fn the_report_tells_who_is_unused_where_sign_ins_may_not_be_read() {
    let mut tenant = with_report();
    let report = tenant["resources"][REPORT].as_str().unwrap();
    let report = report.replace(
        "User6@acme.example,,2026-10-20",
        "User6@acme.example,2026-02-01,",
    );
    tenant["resources"][REPORT] = report.into();
    let unused = result(&tenant, &Profile::scuba(), "m365.user.stale_accounts");
    assert_eq!(Expected::of(&unused), Fail);
    assert_eq!(unused.affected, [id(MEMBER)]);
    let hidden = tenant["resources"][REPORT]
        .as_str()
        .unwrap()
        .replace('@', "");
    tenant["resources"][REPORT] = hidden.into();
    let unused = result(&tenant, &Profile::scuba(), "m365.user.stale_accounts");
    assert_eq!(Expected::of(&unused), NOT_SEEN);
}
