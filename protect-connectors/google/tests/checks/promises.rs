use protect_core::model::{Confidence, NotEvaluatedReason as Reason};
use protect_core::posture::{Check, Profile};
use protect_core::testing::posture;
use protect_google::{CATALOGUE, FORMAT, PERMISSIONS, evaluate};
use serde_json::{Value, json};

use crate::customer::{Expected, SCOPES, good, result, verdict, without};
use crate::folder::{as_folder, as_lists};

#[test]
fn there_are_fifty_four_checks_with_a_hint_each_and_a_title_that_is_a_sentence() {
    assert_eq!(CATALOGUE.checks.len(), 54);
    for check in CATALOGUE.checks {
        assert!(check.hint.ends_with('.'), "{}: {}", check.id, check.hint);
        assert!(check.title.contains(' '), "{}", check.id);
    }
}

#[test]
fn with_a_good_customer_every_check_passes_by_the_policies_and_by_the_log() {
    for check in CATALOGUE.checks {
        let found = result(&good(), &Profile::scuba(), check.id);
        assert_eq!(
            Expected::of(&found),
            Expected::Pass,
            "{}: {}",
            check.id,
            found.reason
        );
    }
    for check in CATALOGUE.checks {
        if check.needs.all.contains(&"policies") {
            continue;
        }
        let found = result(&without("policies"), &Profile::scuba(), check.id);
        assert_eq!(
            Expected::of(&found),
            Expected::Pass,
            "{}: {}",
            check.id,
            found.reason
        );
        if check.paths().any(|path| path == "activities/admin") {
            assert_eq!(found.confidence, Confidence::Low, "{}", check.id);
            assert_eq!(found.details["evidence"], "admin log", "{}", check.id);
        }
    }
}

#[test]
fn without_any_one_part_or_scope_that_it_needs_a_check_is_not_evaluated() {
    let samples = [good(), without("policies"), without("activities/admin")];
    posture::catalogue(&CATALOGUE, &Profile::scuba(), &samples);
}

#[test]
fn what_two_sources_tell_is_not_evaluated_without_both() {
    for check in CATALOGUE.checks {
        let without = |paths: &[&str]| {
            let strip =
                |customer: Value, path: &&str| posture::without_path(&customer, &FORMAT, path);
            verdict(&paths.iter().fold(good(), strip), check.id)
        };
        if check
            .paths()
            .any(|path| path == "activities/admin" || path == "policies")
        {
            let found = without(&["policies", "activities/admin"]);
            assert_eq!(
                found,
                Expected::NotEvaluated(Reason::NoObservation),
                "{}",
                check.id
            );
        }
    }
}

#[test]
fn whatever_else_google_answers_for_a_part_gives_no_verdict() {
    let error = |code: u16, reason: &str| json!({ "error": { "code": code, "message": "", "errors": [{ "domain": "global", "reason": reason }] } });
    for (body, reason) in [
        (error(403, "forbidden"), Reason::MissingPermission),
        (
            json!({ "error": "access_denied", "error_description": "Requested client not authorized." }),
            Reason::MissingPermission,
        ),
        (
            json!({ "error": { "code": 403, "status": "PERMISSION_DENIED", "message": "" } }),
            Reason::MissingPermission,
        ),
        (error(403, "quotaExceeded"), Reason::VendorError),
        (error(403, "accessNotConfigured"), Reason::VendorError),
        (error(503, "backendError"), Reason::VendorError),
        (json!("<html>"), Reason::VendorError),
        (json!(7), Reason::VendorError),
        (json!({}), Reason::VendorError),
        (json!([7]), Reason::VendorError),
        (json!([{}]), Reason::VendorError),
        (json!([null]), Reason::VendorError),
        // Only the beginning of the collection; also an empty page with more behind it.
        (
            json!({ "items": [], "nextPageToken": "x" }),
            Reason::VendorError,
        ),
        (
            json!({ "kind": "admin#reports#activities", "nextPageToken": "x" }),
            Reason::VendorError,
        ),
    ] {
        let expected = Expected::NotEvaluated(reason);
        let hold = |customer: &Value, needs: &dyn Fn(&Check) -> bool| {
            let results = posture::evaluate(&CATALOGUE, &Profile::scuba(), customer);
            for (check, found) in CATALOGUE.checks.iter().zip(&results) {
                if needs(check) {
                    assert_eq!(Expected::of(found), expected, "{}: {body}", check.id);
                }
            }
        };
        for resource in CATALOGUE.resources {
            let mut customer = good();
            match resource.path.split_once('/') {
                Some(("dns", _)) => continue,
                Some((part, name)) => customer[part][name] = body.clone(),
                None => customer[resource.path] = body.clone(),
            }
            hold(&customer, &|check| check.needs.all.contains(&resource.path));
        }
        let mut customer = good();
        customer["policies"] = body.clone();
        customer["activities"]["admin"] = body.clone();
        hold(&customer, &|check| !check.needs.any.is_empty());
    }
}

#[test]
fn a_reply_without_a_list_is_an_empty_list() {
    let empty = |kind: &str| json!({ "kind": kind, "etag": "x" });
    let mut customer = good();
    customer["users"] = empty("admin#directory#users");
    assert_eq!(
        verdict(&customer, "google.user.2sv_enrolled"),
        Expected::NotApplicable
    );
    assert_eq!(
        verdict(&customer, "google.admin.super_admin_min"),
        Expected::Fail
    );
    let mut customer = without("policies");
    customer["activities"]["admin"] = empty("admin#reports#activities");
    let found = verdict(&customer, "google.auth.session_length");
    assert_eq!(found, Expected::NotEvaluated(Reason::NoObservation));
    // One account is no reply without accounts.
    customer["users"] = empty("admin#directory#user");
    let found = verdict(&customer, "google.user.2sv_enrolled");
    assert_eq!(found, Expected::NotEvaluated(Reason::VendorError));
}

#[test]
fn the_page_of_the_checks_is_the_one_that_the_table_makes() {
    let page = include_str!("../../src/checks.md");
    assert!(
        page.ends_with(&protect_google::checks_markdown()),
        "stale, run `cargo xtask generate`"
    );
}

#[test]
fn the_page_says_with_which_scopes_a_check_gives_a_verdict() {
    let of = |scopes: &[&str], check: &str| {
        let mut customer = good();
        customer["granted"] = json!(scopes);
        // What is not granted is not collected.
        for (part, scope) in [
            ("policies", SCOPES[3]),
            ("orgunits", SCOPES[4]),
            ("groups", SCOPES[5]),
            ("roles", SCOPES[6]),
            ("role_assignments", SCOPES[6]),
        ] {
            if !scopes.contains(&scope) {
                customer = posture::without_path(&customer, &FORMAT, part);
            }
        }
        verdict(&customer, check)
    };
    let mut lacking_any = 0;
    for check in CATALOGUE.checks {
        let lacking = CATALOGUE.lacking(check, PERMISSIONS);
        lacking_any += usize::from(!lacking.is_empty());
        let missing = Expected::NotEvaluated(Reason::MissingPermission);
        let found = of(PERMISSIONS, check.id);
        assert_eq!(
            found == missing,
            !lacking.is_empty(),
            "{}: {lacking:?}",
            check.id
        );
        if lacking.is_empty() {
            assert_eq!(found, Expected::Pass, "{}", check.id);
        }
        let found = of(&[PERMISSIONS, &lacking].concat(), check.id);
        assert_eq!(found, Expected::Pass, "{} with {lacking:?}", check.id);
    }
    assert_eq!(lacking_any, 3);
}

/// Customers of every kind of verdict.
fn customers() -> Vec<Value> {
    let mut empty = good();
    empty["users"] = json!([]);
    empty["domains"] = json!({ "domains": [] });
    empty["policies"] = json!([]);
    let mut refused = good();
    refused["policies"] = json!({ "error": { "code": 403, "status": "PERMISSION_DENIED" } });
    refused["users"] =
        json!({ "error": { "code": 503, "errors": [{ "reason": "backendError" }] } });
    vec![
        good(),
        without("policies"),
        without("orgunits"),
        empty,
        refused,
    ]
}

#[test]
fn lists_pages_folders_and_unknown_fields_move_no_verdict() {
    for customer in customers() {
        for profile in [Profile::scuba(), Profile::cis()] {
            let same = |other: &Value, what| {
                posture::same_verdicts(&CATALOGUE, &profile, &customer, other, what);
            };
            same(&as_lists(&customer), "lists");
            same(
                &posture::with_unknown_fields(&customer, &FORMAT),
                "unknown fields",
            );
            let expected = posture::evaluate(&CATALOGUE, &profile, &customer);
            for pages in [false, true] {
                let (_folder, snapshot) = as_folder(&customer, pages);
                for (one, other) in expected.iter().zip(evaluate(&snapshot, &profile)) {
                    assert_eq!(
                        one.verdict, other.verdict,
                        "{} {pages}: {}",
                        one.check, other.reason
                    );
                    assert_eq!(one.affected, other.affected, "{}", one.check);
                }
            }
        }
    }
}

/// The same customer, everything so many days later.
fn later(customer: &Value, days: i64) -> Value {
    let shift = jiff::SignedDuration::from_hours(24 * days);
    match customer {
        Value::String(text) if !text.starts_with("1970") => {
            let moment = text.parse::<jiff::Timestamp>();
            moment.map_or_else(|_| customer.clone(), |it| (it + shift).to_string().into())
        }
        Value::Array(items) => items.iter().map(|item| later(item, days)).collect(),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, it)| (name.clone(), later(it, days)));
            fields.collect::<serde_json::Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(12))]
    #[test]
    fn the_order_of_anything_moves_no_verdict(seed: u64) {
        for customer in customers() {
            let shuffled = posture::shuffled(&customer, seed);
            posture::same_verdicts(&CATALOGUE, &Profile::scuba(), &customer, &shuffled, "shuffled");
        }
    }

    #[test]
    fn when_it_all_happened_moves_no_verdict(days in -3_000_i64..3_000) {
        for customer in customers() {
            let later = later(&customer, days);
            posture::same_verdicts(&CATALOGUE, &Profile::scuba(), &customer, &later, "later");
        }
    }

    #[test]
    fn a_field_that_is_gone_makes_nothing_pass_that_did_not(at in 0_usize..3_000, seed: u64) {
        let mut customer = good();
        let mut left = at;
        for part in ["users", "domains", "roles", "role_assignments", "policies", "activities", "orgunits"] {
            if remove_nth(&mut customer[part], &mut left) {
                break;
            }
        }
        let before = posture::evaluate(&CATALOGUE, &Profile::cis(), &good());
        let after = posture::evaluate(&CATALOGUE, &Profile::cis(), &posture::shuffled(&customer, seed));
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
