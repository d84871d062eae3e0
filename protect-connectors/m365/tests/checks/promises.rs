use protect_core::model::{NotEvaluatedReason as Reason, Severity};
use protect_core::posture::{Profile, Snapshot};
use protect_core::testing::posture;
use protect_m365::{CATALOGUE, FORMAT};
use serde_json::{Value, json};

use crate::tenant::{Case, Expected, REPORT, good, result, with_activated_roles, with_report};
use crate::{access, apps, exceptions, factors, people, roles};

/// Every case of every theme.
fn cases() -> impl Iterator<Item = &'static Case> {
    let themes = [
        access::CASES,
        apps::CASES,
        exceptions::CASES,
        factors::CASES,
        people::CASES,
        roles::CASES,
    ];
    themes.into_iter().flatten()
}

#[test]
fn every_check_has_a_case_that_fails() {
    let failing: Vec<_> = cases().filter(|case| case.3 == Expected::Fail).collect();
    for check in CATALOGUE.checks {
        assert!(
            failing.iter().any(|case| case.0 == check.id),
            "{}",
            check.id
        );
    }
}

#[test]
fn there_are_sixty_checks_with_a_hint_each_and_a_title_that_is_a_sentence() {
    assert_eq!(CATALOGUE.checks.len(), 60);
    for check in CATALOGUE.checks {
        assert!(check.hint.ends_with('.'), "{}: {}", check.id, check.hint);
        assert!(check.title.contains(' '), "{}", check.id);
    }
}

#[test]
fn in_a_good_tenant_every_check_passes() {
    for tenant in [good(), with_activated_roles(), with_report()] {
        for result in posture::evaluate(&CATALOGUE, &Profile::scuba(), &tenant) {
            let registered = result.check.as_str().starts_with("m365.mfa.");
            if registered && tenant == with_report() {
                continue;
            }
            assert_eq!(
                Expected::of(&result),
                Expected::Pass,
                "{}: {}",
                result.check,
                result.reason
            );
        }
    }
}

#[test]
fn without_any_one_resource_or_permission_that_it_needs_a_check_is_not_evaluated() {
    let samples = [good(), with_activated_roles(), with_report()];
    posture::catalogue(&CATALOGUE, &Profile::scuba(), &samples);
}

#[test]
fn whatever_else_graph_answers_at_a_path_gives_no_verdict() {
    let error = |code: &str| json!({ "error": { "code": code, "message": "" } });
    for (body, reason) in [
        (
            error("Authorization_RequestDenied"),
            Reason::MissingPermission,
        ),
        (
            error("Authentication_RequestFromNonPremiumTenantOrB2CTenant"),
            Reason::MissingLicence,
        ),
        (error("Request_ResourceNotFound"), Reason::VendorError),
        (error("TooManyRequests"), Reason::VendorError),
        (error(""), Reason::VendorError),
        (json!("<html>"), Reason::VendorError),
        (json!(7), Reason::VendorError),
        (json!({ "value": [{ "id": 7 }] }), Reason::VendorError),
        (json!({ "value": [null] }), Reason::VendorError),
    ] {
        for check in CATALOGUE.checks {
            for path in check.needs.all {
                let mut tenant = good();
                tenant["resources"][*path] = body.clone();
                let found = result(&tenant, &Profile::scuba(), check.id);
                let found = Expected::of(&found);
                let reasons = if body.get("value").is_some() {
                    // An object that is not the one that was asked for.
                    vec![reason, Reason::NoObservation]
                } else {
                    vec![reason]
                };
                let fits = reasons
                    .iter()
                    .any(|it| found == Expected::NotEvaluated(*it));
                assert!(fits, "{} at {path}: {body}: {found:?}", check.id);
            }
        }
    }
}

#[test]
fn the_page_of_the_checks_is_the_one_that_the_table_makes() {
    let page = include_str!("../../src/checks.md");
    assert!(
        page.ends_with(&protect_m365::checks_markdown()),
        "stale, run `cargo xtask generate`"
    );
}

#[test]
fn the_page_says_with_which_permissions_a_check_gives_a_verdict() {
    let of = |permissions: &[&str]| {
        let mut tenant = good();
        tenant["granted"] = json!(permissions);
        tenant
    };
    for check in CATALOGUE.checks {
        let lacking = CATALOGUE.lacking(check, protect_m365::PERMISSIONS);
        let found = Expected::of(&result(
            &with_reported(of(protect_m365::PERMISSIONS)),
            &Profile::scuba(),
            check.id,
        ));
        let missing = Expected::NotEvaluated(Reason::MissingPermission);
        assert_eq!(
            found == missing,
            !lacking.is_empty(),
            "{}: {lacking:?}",
            check.id
        );
        let all = [protect_m365::PERMISSIONS, &lacking].concat();
        let found = Expected::of(&result(
            &with_reported(of(&all)),
            &Profile::scuba(),
            check.id,
        ));
        assert_eq!(found, Expected::Pass, "{} with {lacking:?}", check.id);
    }
}

/// With the report of who used what.
fn with_reported(mut tenant: Value) -> Value {
    tenant["resources"][REPORT] = with_report()["resources"][REPORT].clone();
    tenant
}

fn link(path: &str, page: usize) -> (String, String) {
    let at = format!("{path}?$skiptoken=Page{page}");
    (format!("https://graph.microsoft.com/v1.0{at}"), at)
}

fn unrelated(tenant: &Value) -> Value {
    let more = |path, item| posture::with_items(tenant, &FORMAT, path, &[item]);
    let disabled = json!({
        "id": "5b3b2cd1-0000-4000-8000-00000000abcd", "displayName": "unrelated", "state": "disabled",
        "conditions": {
            "users": { "includeUsers": ["All"], "excludeUsers": [], "excludeGroups": [], "excludeRoles": [] },
            "applications": { "includeApplications": [], "excludeApplications": [] }
        },
        "grantControls": null
    });
    let tenant = more("/identity/conditionalAccess/policies", disabled);
    let setting = json!({ "templateId": "62375ab9-6b52-47ed-826b-58e47e0e304b", "values": [] });
    posture::with_items(&tenant, &FORMAT, "/groupSettings", &[setting])
}

/// Tenants of every kind of verdict.
fn tenants() -> Vec<Value> {
    let bare = json!({ "value": [] });
    let mut empty = good();
    let mut refused = good();
    for (path, body) in empty["resources"].as_object_mut().unwrap() {
        if body["value"].is_array() && path != "/subscribedSkus" {
            *body = bare.clone();
        }
    }
    for (at, body) in refused["resources"]
        .as_object_mut()
        .unwrap()
        .values_mut()
        .enumerate()
    {
        if at % 3 == 0 {
            *body = json!({ "error": { "code": "ServiceUnavailable" } });
        }
    }
    vec![
        good(),
        with_activated_roles(),
        with_report(),
        empty,
        refused,
    ]
}

#[test]
fn splitting_pages_adding_fields_and_objects_and_changing_the_case_of_ids_moves_no_verdict() {
    for tenant in tenants() {
        for profile in [Profile::scuba(), Profile::cis(), Profile::prowler()] {
            let same = |other: &Value, what| {
                posture::same_verdicts(&CATALOGUE, &profile, &tenant, other, what);
            };
            same(&posture::split_pages(&tenant, &FORMAT, link), "split pages");
            same(
                &posture::with_unknown_fields(&tenant, &FORMAT),
                "unknown fields",
            );
            same(&posture::recased(&tenant), "recased");
            same(
                &posture::recased(&posture::recased(&tenant)),
                "recased twice",
            );
            let policies = &tenant["resources"]["/identity/conditionalAccess/policies"]["value"];
            if policies.as_array().is_some_and(|it| !it.is_empty()) {
                same(&unrelated(&tenant), "unrelated objects");
            }
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(12))]
    #[test]
    fn the_order_of_anything_moves_no_verdict(seed: u64) {
        for tenant in tenants() {
            let shuffled = posture::shuffled(&tenant, seed);
            posture::same_verdicts(&CATALOGUE, &Profile::scuba(), &tenant, &shuffled, "shuffled");
        }
    }

    #[test]
    fn nothing_that_a_body_can_be_is_a_pass_where_a_field_is_gone(at in 0_usize..2000, seed: u64) {
        // One field taken away anywhere never turns what did not pass into a pass.
        let mut tenant = good();
        let mut left = at;
        remove_nth(&mut tenant["resources"], &mut left);
        let before = posture::evaluate(&CATALOGUE, &Profile::cis(), &good());
        let after = posture::evaluate(&CATALOGUE, &Profile::cis(), &posture::shuffled(&tenant, seed));
        for (before, after) in before.iter().zip(&after) {
            let passes = Expected::of(after) == Expected::Pass;
            let passed = Expected::of(before) == Expected::Pass;
            proptest::prop_assert!(!passes || passed, "{}", after.check);
        }
    }
}

/// Removes the field that comes after so many others.
fn remove_nth(value: &mut Value, left: &mut usize) -> bool {
    match value {
        Value::Object(fields) => {
            let names: Vec<_> = fields.keys().cloned().collect();
            for name in names {
                if *left == 0 {
                    fields.remove(&name);
                    return true;
                }
                *left -= 1;
                if fields.get_mut(&name).is_some_and(|it| remove_nth(it, left)) {
                    return true;
                }
            }
            false
        }
        Value::Array(items) => items.iter_mut().any(|item| remove_nth(item, left)),
        _ => false,
    }
}

/// What an application changed in the directory.
fn audit(id: &str, activity: &str, result: &str, targets: &Value) -> Value {
    json!({
        "id": id, "activityDisplayName": activity, "activityDateTime": "2026-10-30T12:00:00Z",
        "category": "RoleManagement", "result": result, "targetResources": targets,
        "initiatedBy": { "user": null, "app": { "appId": "app9", "servicePrincipalId": null } }
    })
}

#[test]
fn what_happened_is_a_result_per_event_of_the_logs_that_the_snapshot_holds() {
    let mut tenant = good();
    tenant["resources"]["/identityProtection/riskDetections"] = json!({ "value": [
        {
            "id": "d1", "riskEventType": "leakedCredentials", "riskLevel": "high", "riskState": "atRisk",
            "detectedDateTime": "2026-10-30T12:00:00Z", "userId": "AB-1", "userPrincipalName": "ann@acme.example"
        },
        {
            "id": "d2", "riskEventType": "unfamiliarFeatures", "riskLevel": "low", "riskState": "remediated",
            "detectedDateTime": "2026-10-30T12:00:00Z", "userId": "ab-1"
        }
    ] });
    tenant["resources"]["/auditLogs/directoryAudits"] = json!({ "value": [
        audit("a1", "Consent to application", "failure", &json!([])),
        audit("a2", "Update user", "success", &json!([{ "id": "u1", "type": "User" }])),
        audit("a3", "Add member to role.", "success", &json!([{ "id": "r1", "type": "Role" }, { "id": "U1", "type": "User" }])),
        audit(
            "a4", "Update application \u{2013} Certificates and secrets management ", "success",
            &json!([{ "id": "app1", "type": "Application" }])
        ),
    ] });
    tenant["resources"]["/security/alerts_v2"] =
        json!({ "error": { "code": "Authorization_RequestDenied", "message": "no" } });
    let snapshot = Snapshot::parse(&tenant.to_string(), &FORMAT).unwrap();
    let results = protect_m365::evaluate(&snapshot, &Profile::scuba());
    let [risk, role, secret, alerts] = &results[CATALOGUE.checks.len()..] else {
        panic!("{results:?}");
    };
    assert_eq!(risk.check.as_str(), "m365.event.risk_detection");
    assert_eq!(Expected::of(risk), Expected::Fail);
    assert_eq!(risk.affected, ["ab-1"]);
    assert_eq!(risk.details["at"], "2026-10-30T12:00:00Z");
    for (change, affected) in [(role, "u1"), (secret, "Application/app1")] {
        assert_eq!(change.check.as_str(), "m365.event.sensitive_change");
        assert_eq!(
            (change.severity, &*change.affected),
            (Severity::High, &[affected.to_owned()][..])
        );
        assert_eq!(change.details["by_app"], "app9");
    }
    assert_eq!(alerts.check.as_str(), "m365.event.alert");
    let missing = Expected::NotEvaluated(Reason::MissingPermission);
    assert_eq!(Expected::of(alerts), missing);
}
