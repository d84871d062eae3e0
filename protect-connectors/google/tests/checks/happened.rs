//! What the logs of a snapshot tell of, besides the settings that changed.

use protect_core::model::{CheckResult, NotEvaluatedReason as Reason, Severity, Verdict};
use protect_core::posture::{Profile, Snapshot};
use protect_core::testing::posture;
use protect_google::{CATALOGUE, FORMAT};
use serde_json::{Value, json};

use crate::customer::{ADMINS, MEMBER, add_activity, good};
use crate::folder::as_folder;

fn activity(log: &str, number: u64, actor: &str, event: &Value) -> Value {
    json!({
        "id": {
            "time": format!("2026-10-30T12:{:02}:00.250Z", number % 60), "uniqueQualifier": number.to_string(),
            "applicationName": log, "customerId": "C01abc"
        },
        "actor": { "callerType": "USER", "email": format!("user{actor}@acme.example"), "profileId": actor },
        "ipAddress": "192.0.2.7",
        "events": [event]
    })
}

fn login(number: u64, name: &str) -> Value {
    let parameters = json!([{ "name": "affected_email_address", "value": "user104@acme.example" }]);
    activity(
        "login",
        number,
        MEMBER,
        &json!({ "type": "x", "name": name, "parameters": parameters }),
    )
}

/// The good customer, in whose logs three things happened.
fn eventful() -> Value {
    let mut customer = good();
    customer["activities"]["login"] = json!({
        "kind": "admin#reports#activities",
        "items": [
            login(9, "login_success"),
            login(5, "account_disabled_password_leak"),
            login(5, "account_disabled_password_leak"),
        ]
    });
    customer["activities"]["user_accounts"] = json!({ "kind": "admin#reports#activities" });
    customer["activities"]["token"] = json!({ "items": [activity("token", 7, MEMBER, &json!({
        "name": "authorize",
        "parameters": [
            { "name": "app_name", "value": "Mail Exporter" },
            { "name": "client_id", "value": "720-mail.apps.googleusercontent.com" },
            { "name": "scope", "multiValue": ["openid", "https://mail.google.com/"] }
        ]
    }))] });
    let grant = json!({
        "type": "USER_SETTINGS", "name": "GRANT_ADMIN_PRIVILEGE",
        "parameters": [{ "name": "USER_EMAIL", "value": "User102@acme.example" }]
    });
    add_activity(&mut customer, activity("admin", 8, ADMINS[0], &grant));
    customer
}

fn evaluate(customer: &Value) -> Vec<CheckResult> {
    let snapshot = Snapshot::parse(&customer.to_string(), &FORMAT).unwrap();
    protect_google::evaluate(&snapshot, &Profile::scuba())
}

fn happened(customer: &Value) -> Vec<CheckResult> {
    evaluate(customer).split_off(CATALOGUE.checks.len())
}

fn names(results: &[CheckResult]) -> Vec<&str> {
    results.iter().map(|it| it.check.as_str()).collect()
}

const ALL: [&str; 3] = [
    "google.event.password_leaked",
    "google.event.admin_role_granted",
    "google.event.far_reaching_grant",
];

#[test]
fn each_logged_event_that_matters_is_a_result_of_its_own_that_fails() {
    let results = happened(&eventful());
    assert_eq!(names(&results), ALL);
    assert!(results.iter().all(|it| it.verdict == Verdict::Fail));
    let [leaked, granted, grant] = &results[..] else {
        panic!("{results:?}");
    };
    assert_eq!(
        (leaked.severity, &leaked.affected),
        (Severity::Critical, &vec![MEMBER.to_owned()])
    );
    assert_eq!(leaked.details["at"], "2026-10-30T12:05:00.25Z");
    // It is about who became an administrator, and says who made them one.
    assert_eq!(granted.affected, [ADMINS[1]]);
    assert_eq!(granted.details["actor"], ADMINS[0]);
    assert_eq!(grant.details["far_reaching"], "https://mail.google.com/");
    let shown = serde_json::to_string(&results).unwrap();
    assert!(!shown.contains("@acme"), "{shown}");
}

#[test]
fn without_logs_nothing_is_said_and_without_accounts_addresses_stand_for_them() {
    assert!(happened(&good()).is_empty());
    let customer = posture::without_path(&eventful(), &FORMAT, "users");
    let results = happened(&customer);
    assert_eq!(names(&results), ALL);
    assert_eq!(results[1].affected, ["user102@acme.example"]);
}

#[test]
fn a_log_that_cannot_be_read_is_told_and_the_others_are_read() {
    for (body, reason) in [
        (
            json!({ "error": { "code": 403, "errors": [{ "reason": "forbidden" }] } }),
            Reason::MissingPermission,
        ),
        (json!({ "items": [{ "id": 1 }] }), Reason::VendorError),
    ] {
        let mut customer = eventful();
        customer["activities"]["login"] = body;
        let (open, found): (Vec<_>, Vec<_>) = happened(&customer)
            .into_iter()
            .partition(|it| it.verdict == Verdict::NotEvaluated);
        assert_eq!(names(&found), &ALL[1..]);
        assert!(names(&open).contains(&ALL[0]));
        assert!(names(&open).contains(&"google.event.sign_in_failures"));
        assert!(open.iter().all(|it| it.not_evaluated == Some(reason)));
    }
}

#[test]
fn order_pages_and_unknown_fields_move_nothing_that_happened() {
    let customer = eventful();
    let expected = happened(&customer);
    for seed in 0..20 {
        assert_eq!(happened(&posture::shuffled(&customer, seed)), expected);
    }
    let noisy = happened(&posture::with_unknown_fields(&customer, &FORMAT));
    assert_eq!(noisy, expected);
    for pages in [false, true] {
        let (_folder, snapshot) = as_folder(&customer, pages);
        let results = protect_google::evaluate(&snapshot, &Profile::scuba());
        assert_eq!(results[CATALOGUE.checks.len()..], expected);
    }
}

#[test]
fn many_failures_are_one_result_where_they_begin_to_be_many() {
    let mut customer = good();
    let failures: Vec<_> = (0..25)
        .map(|number| login(number, "login_failure"))
        .collect();
    let of = |count: usize| json!({ "items": failures[..count] });
    customer["activities"]["login"] = of(9);
    assert!(happened(&customer).is_empty());
    // A minute apart, so that never more than eleven lie within ten minutes.
    customer["activities"]["login"] = of(25);
    let results = happened(&customer);
    assert_eq!(names(&results), ["google.event.sign_in_failures"]);
    assert_eq!(results[0].details["at"], "2026-10-30T12:09:00.25Z");
}
