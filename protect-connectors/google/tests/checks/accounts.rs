//! Cases of accounts and roles.

use protect_core::model::NotEvaluatedReason as Reason;
use protect_core::posture::Profile;
use serde_json::{Value, json};

use crate::customer::Expected::{self, Fail, NotApplicable, NotEvaluated, Pass};
use crate::customer::{
    ADMINS, Case, GUEST, MEMBER, NEW, OPERATOR, SUSPENDED, good, hold, result, user,
};

const NOT_SEEN: Expected = NotEvaluated(Reason::NoObservation);

fn forget(customer: &mut Value, id: &str, field: &str) {
    user(customer, id).as_object_mut().unwrap().remove(field);
}

fn level(customer: &mut Value, check: &str, level: &Value) {
    customer["config"]["checks"][check] = json!({ "level": level });
}

fn nobody(customer: &mut Value) {
    customer["users"] = json!([]);
}

fn promote(customer: &mut Value, ids: &[&str]) {
    for id in ids {
        user(customer, id)["isAdmin"] = true.into();
    }
}

const NEVER: &str = "1970-01-01T00:00:00.000Z";
const MIN: &str = "google.admin.super_admin_min";
const MAX: &str = "google.admin.super_admin_max";
const STALE_ADMIN: &str = "google.admin.stale_admin";
const ENROLLED: &str = "google.user.2sv_enrolled";
const ENFORCED: &str = "google.user.2sv_enforced";
const STALE: &str = "google.user.stale";
const NEVER_USED: &str = "google.user.never_signed_in";
const RECOVERY: &str = "google.admin.recovery_contact";
const MIXED: &str = "google.admin.mixed_roles";

const ADMIN_CASES: &[Case] = &[
    (
        MIN,
        "one is suspended",
        |c| user(c, ADMINS[0])["suspended"] = true.into(),
        Fail,
    ),
    (
        MIN,
        "one is archived",
        |c| user(c, ADMINS[0])["archived"] = true.into(),
        Fail,
    ),
    (
        MIN,
        "one does not say whether it is suspended",
        |c| forget(c, ADMINS[0], "suspended"),
        NOT_SEEN,
    ),
    (
        MIN,
        "a third does not say whether it is one",
        |c| forget(c, MEMBER, "isAdmin"),
        Pass,
    ),
    (
        MIN,
        "the level asks for three",
        |c| level(c, MIN, &json!(3)),
        Fail,
    ),
    (MIN, "nobody", nobody, Fail),
    (
        MAX,
        "nine",
        |c| {
            promote(c, &[OPERATOR, MEMBER, NEW, GUEST]);
            level(c, MAX, &json!(5));
        },
        Fail,
    ),
    (
        MAX,
        "as many as may be",
        |c| {
            promote(c, &[OPERATOR, MEMBER, NEW, GUEST]);
            level(c, MAX, &json!(6));
        },
        Pass,
    ),
    (
        MAX,
        "a suspended one too many",
        |c| {
            promote(c, &[SUSPENDED]);
            level(c, MAX, &json!(2));
        },
        Pass,
    ),
    (
        MAX,
        "one may be too many",
        |c| {
            forget(c, MEMBER, "isAdmin");
            level(c, MAX, &json!(2));
        },
        NOT_SEEN,
    ),
    (
        MAX,
        "a level that is none",
        |c| level(c, MAX, &json!("few")),
        NotEvaluated(Reason::NotConfigured),
    ),
    (
        "google.admin.super_admin_2sv_enrolled",
        "one is not",
        |c| user(c, ADMINS[1])["isEnrolledIn2Sv"] = false.into(),
        Fail,
    ),
    (
        "google.admin.super_admin_2sv_enrolled",
        "a suspended one is not",
        |c| promote(c, &[SUSPENDED]),
        Pass,
    ),
    (
        "google.admin.super_admin_2sv_enrolled",
        "a member is not",
        |c| user(c, MEMBER)["isEnrolledIn2Sv"] = false.into(),
        Pass,
    ),
    (
        "google.admin.super_admin_2sv_enrolled",
        "one does not say",
        |c| forget(c, ADMINS[0], "isEnrolledIn2Sv"),
        NOT_SEEN,
    ),
    (
        "google.admin.super_admin_2sv_enrolled",
        "one is not and another does not say",
        |c| {
            forget(c, ADMINS[0], "isEnrolledIn2Sv");
            user(c, ADMINS[1])["isEnrolledIn2Sv"] = false.into();
        },
        Fail,
    ),
    (
        "google.admin.super_admin_2sv_enrolled",
        "nobody",
        nobody,
        NotApplicable,
    ),
    (
        "google.admin.admin_2sv_enforced",
        "an administrator with a role needs none",
        |c| user(c, OPERATOR)["isEnforcedIn2Sv"] = false.into(),
        Fail,
    ),
    (
        "google.admin.admin_2sv_enforced",
        "a member needs none",
        |c| user(c, MEMBER)["isEnforcedIn2Sv"] = false.into(),
        Pass,
    ),
    (
        "google.admin.admin_2sv_enforced",
        "a member who may be an administrator",
        |c| {
            user(c, MEMBER)["isEnforcedIn2Sv"] = false.into();
            forget(c, MEMBER, "isDelegatedAdmin");
        },
        NOT_SEEN,
    ),
    (
        "google.admin.admin_2sv_enforced",
        "nobody",
        nobody,
        NotApplicable,
    ),
    (
        STALE_ADMIN,
        "45 days and an hour",
        |c| user(c, OPERATOR)["lastLoginTime"] = json!("2026-09-16T23:00:00Z"),
        Fail,
    ),
    (
        STALE_ADMIN,
        "44 days",
        |c| user(c, OPERATOR)["lastLoginTime"] = json!("2026-09-18T00:00:00Z"),
        Pass,
    ),
    (
        STALE_ADMIN,
        "never, and old",
        |c| user(c, OPERATOR)["lastLoginTime"] = json!(NEVER),
        Fail,
    ),
    (STALE_ADMIN, "never, and new", |c| promote(c, &[NEW]), Pass),
    (
        STALE_ADMIN,
        "unknown",
        |c| forget(c, OPERATOR, "lastLoginTime"),
        NOT_SEEN,
    ),
    (STALE_ADMIN, "nobody", nobody, NotApplicable),
    (
        "google.admin.suspended_with_privilege",
        "a super administrator",
        |c| promote(c, &[SUSPENDED]),
        Fail,
    ),
    (
        "google.admin.suspended_with_privilege",
        "one with a role",
        |c| user(c, SUSPENDED)["isDelegatedAdmin"] = true.into(),
        Fail,
    ),
    (
        "google.admin.suspended_with_privilege",
        "does not say",
        |c| forget(c, SUSPENDED, "isAdmin"),
        NOT_SEEN,
    ),
    (
        "google.admin.suspended_with_privilege",
        "nobody is",
        |c| user(c, SUSPENDED)["suspended"] = false.into(),
        NotApplicable,
    ),
    (
        RECOVERY,
        "an address",
        |c| user(c, ADMINS[0])["recoveryEmail"] = json!("me@home.example"),
        Fail,
    ),
    (
        RECOVERY,
        "a number",
        |c| user(c, ADMINS[0])["recoveryPhone"] = json!("+15550101"),
        Fail,
    ),
    (
        RECOVERY,
        "an empty one",
        |c| user(c, ADMINS[0])["recoveryPhone"] = json!(""),
        Pass,
    ),
    (
        RECOVERY,
        "somebody who may be one has a number",
        |c| forget(c, MEMBER, "isAdmin"),
        NOT_SEEN,
    ),
    (RECOVERY, "nobody", nobody, NotApplicable),
];

const USER_CASES: &[Case] = &[
    (
        ENROLLED,
        "a member is not",
        |c| user(c, MEMBER)["isEnrolledIn2Sv"] = false.into(),
        Fail,
    ),
    (
        ENROLLED,
        "an archived member is not",
        |c| {
            user(c, MEMBER)["isEnrolledIn2Sv"] = false.into();
            user(c, MEMBER)["archived"] = true.into();
        },
        Pass,
    ),
    (
        ENROLLED,
        "a new member has no grace",
        |c| level(c, ENROLLED, &json!(2)),
        Fail,
    ),
    (
        ENROLLED,
        "a member whose age is unknown has none",
        |c| forget(c, NEW, "creationTime"),
        Fail,
    ),
    (
        ENROLLED,
        "a member who is left out",
        |c| {
            user(c, MEMBER)["isEnrolledIn2Sv"] = false.into();
            c["config"]["checks"][ENROLLED] = json!({ "excluded_users": ["USER104@acme.example"] });
        },
        Pass,
    ),
    (
        ENROLLED,
        "a member does not say",
        |c| forget(c, MEMBER, "isEnrolledIn2Sv"),
        NOT_SEEN,
    ),
    (
        ENROLLED,
        "everybody is suspended",
        |c| {
            for user in c["users"].as_array_mut().unwrap() {
                user["suspended"] = true.into();
            }
        },
        NotApplicable,
    ),
    (
        ENFORCED,
        "a member needs none",
        |c| user(c, MEMBER)["isEnforcedIn2Sv"] = false.into(),
        Fail,
    ),
    (
        ENFORCED,
        "a member does not say",
        |c| forget(c, MEMBER, "isEnforcedIn2Sv"),
        NOT_SEEN,
    ),
    (ENFORCED, "nobody", nobody, NotApplicable),
    (
        STALE,
        "91 days",
        |c| user(c, MEMBER)["lastLoginTime"] = json!("2026-08-02T00:00:00Z"),
        Fail,
    ),
    (
        STALE,
        "89 days",
        |c| user(c, MEMBER)["lastLoginTime"] = json!("2026-08-04T00:00:01Z"),
        Pass,
    ),
    (
        STALE,
        "never is another check's",
        |c| user(c, MEMBER)["lastLoginTime"] = json!(NEVER),
        Pass,
    ),
    (
        STALE,
        "89 days with a stricter level",
        |c| {
            user(c, MEMBER)["lastLoginTime"] = json!("2026-08-04T00:00:01Z");
            level(c, STALE, &json!(60));
        },
        Fail,
    ),
    (
        STALE,
        "unknown",
        |c| forget(c, MEMBER, "lastLoginTime"),
        NOT_SEEN,
    ),
    (STALE, "nobody", nobody, NotApplicable),
    (
        NEVER_USED,
        "old",
        |c| user(c, MEMBER)["lastLoginTime"] = json!(NEVER),
        Fail,
    ),
    (
        NEVER_USED,
        "of unknown age",
        |c| forget(c, NEW, "creationTime"),
        NOT_SEEN,
    ),
    (
        NEVER_USED,
        "unknown",
        |c| forget(c, MEMBER, "lastLoginTime"),
        NOT_SEEN,
    ),
    (NEVER_USED, "nobody", nobody, NotApplicable),
    (
        "google.user.external_guest_admin",
        "a super administrator",
        |c| promote(c, &[GUEST]),
        Fail,
    ),
    (
        "google.user.external_guest_admin",
        "one with a role",
        |c| user(c, GUEST)["isDelegatedAdmin"] = true.into(),
        Fail,
    ),
    (
        "google.user.external_guest_admin",
        "an administrator who may be a guest",
        |c| forget(c, ADMINS[0], "isGuestUser"),
        NOT_SEEN,
    ),
    (
        "google.user.external_guest_admin",
        "no guest",
        |c| user(c, GUEST)["isGuestUser"] = false.into(),
        NotApplicable,
    ),
    (
        "google.user.legacy_ip_allowlist",
        "one",
        |c| user(c, MEMBER)["ipWhitelisted"] = true.into(),
        Fail,
    ),
    (
        "google.user.legacy_ip_allowlist",
        "does not say",
        |c| forget(c, MEMBER, "ipWhitelisted"),
        NOT_SEEN,
    ),
    (
        "google.user.legacy_ip_allowlist",
        "nobody",
        nobody,
        NotApplicable,
    ),
];

const ROLE_CASES: &[Case] = &[
    (
        MIXED,
        "another role",
        |c| assign(c, ADMINS[1], "3", "user"),
        Fail,
    ),
    (
        MIXED,
        "another role, left out",
        |c| {
            assign(c, ADMINS[1], "3", "user");
            c["config"]["checks"][MIXED] = json!({ "excluded_users": [ADMINS[1]] });
        },
        Pass,
    ),
    (
        MIXED,
        "a role twice",
        |c| assign(c, ADMINS[1], "2", "user"),
        Pass,
    ),
    (
        MIXED,
        "a group's role",
        |c| assign(c, "g1", "3", "group"),
        Pass,
    ),
    (
        MIXED,
        "a role that is not listed",
        |c| assign(c, OPERATOR, "77", "user"),
        NOT_SEEN,
    ),
    (
        MIXED,
        "no role says what it is",
        |c| {
            for role in c["roles"]["items"].as_array_mut().unwrap() {
                role.as_object_mut().unwrap().remove("isSuperAdminRole");
            }
        },
        NOT_SEEN,
    ),
    (
        MIXED,
        "nobody holds a role",
        |c| c["role_assignments"] = json!([]),
        NOT_SEEN,
    ),
];

fn assign(customer: &mut Value, to: &str, role: &str, kind: &str) {
    let assignments = customer["role_assignments"]["items"].as_array_mut();
    assignments
        .unwrap()
        .push(json!({ "assignedTo": to, "roleId": role, "assigneeType": kind }));
}

#[test]
fn administrators_are_judged_case_by_case() {
    hold(&good(), ADMIN_CASES);
}

#[test]
fn users_are_judged_case_by_case() {
    hold(&good(), USER_CASES);
}

#[test]
fn roles_are_judged_case_by_case() {
    hold(&good(), ROLE_CASES);
}

#[test]
fn how_many_super_administrators_are_too_many_depends_on_the_profile() {
    let mut customer = good();
    promote(&mut customer, &[OPERATOR, MEMBER, NEW]);
    let of = |profile: &Profile| Expected::of(&result(&customer, profile, MAX));
    assert_eq!(of(&Profile::scuba()), Pass);
    assert_eq!(of(&Profile::cis()), Fail);
}

#[test]
fn the_accounts_that_are_wrong_are_named_by_their_ids() {
    let mut customer = good();
    for id in [MEMBER, GUEST] {
        user(&mut customer, id)["isEnrolledIn2Sv"] = false.into();
    }
    let found = result(&customer, &Profile::scuba(), ENROLLED);
    assert_eq!(found.affected, [MEMBER, GUEST]);
    promote(&mut customer, &[OPERATOR, MEMBER, NEW]);
    let found = result(&customer, &Profile::cis(), MAX);
    assert_eq!(
        found.affected,
        [ADMINS[0], ADMINS[1], OPERATOR, MEMBER, NEW]
    );
}
