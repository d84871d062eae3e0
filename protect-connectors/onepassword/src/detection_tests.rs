use std::collections::BTreeSet;

use protect_core::model::{FindingKind, Observation, Severity, Signal, Subject};
use serde_json::{Value, json};

use super::*;

/// A sign-in of the one user, `seconds` after an arbitrary hour.
fn sign_in(seconds: i64, category: &str, ip: &str, facts: &Value) -> Signal {
    let mut attributes = json!({
        "category": category, "ip": ip, "country": "DE", "app": "1Password Browser",
        "type": if category == "success" { "mfa_ok" } else { "password_secret_bad" },
    });
    for (name, value) in facts.as_object().expect("an object") {
        attributes[name] = value.clone();
    }
    event(SIGN_IN, seconds, attributes)
}

fn success(seconds: i64, ip: &str) -> Signal {
    sign_in(seconds, "success", ip, &json!({}))
}

fn failures(from: i64, count: i64, ip: &str) -> Vec<Signal> {
    (0..count)
        .map(|index| sign_in(from + index, "credentials_failed", ip, &json!({})))
        .collect()
}

fn event(kind: &str, seconds: i64, attributes: Value) -> Signal {
    let Value::Object(attributes) = attributes else {
        panic!("an object")
    };
    let tag = attributes
        .get("ip")
        .or(attributes.get("item"))
        .cloned()
        .unwrap_or_default();
    Signal {
        id: format!("{kind}-{seconds}-{tag}"),
        kind: kind.to_owned(),
        at: Timestamp::from_second(1_795_000_000 + seconds).expect("a time"),
        subject: Subject::account("onepassword", "USER"),
        attributes,
    }
}

fn run(
    check: &str,
    thresholds: &Thresholds,
    new: &[Signal],
    history: &[Signal],
) -> Vec<Observation> {
    let detections = all(thresholds);
    let detection = detections
        .iter()
        .find(|detection| detection.check().as_str() == check)
        .expect("an enabled detection");
    detection.evaluate(new, history)
}

fn find(check: &str, new: &[Signal], history: &[Signal]) -> Vec<Observation> {
    run(check, &Thresholds::default(), new, history)
}

/// The same events cut into pages at every place give the same findings.
fn assert_pages_do_not_matter(check: &str, events: &[Signal]) {
    let whole = find(check, events, &[]);
    for cut in 1..events.len() {
        let mut parts = find(check, &events[..cut], &[]);
        parts.extend(find(check, &events[cut..], &events[..cut]));
        assert_eq!(parts, whole, "cut at {cut}");
    }
}

const BRUTE_FORCE: &str = "onepassword.sign_in.brute_force";
const THEN_SUCCESS: &str = "onepassword.sign_in.failures_then_success";
const NEW_COUNTRY: &str = "onepassword.sign_in.new_country";
const NEW_ADDRESS: &str = "onepassword.sign_in.new_address";
const TRAVEL: &str = "onepassword.sign_in.impossible_travel";
const BULK: &str = "onepassword.items.bulk_access";

#[test]
fn every_row_of_the_table_has_a_valid_id_of_its_own() {
    let ids: BTreeSet<_> = SPECS.iter().map(Spec::id).collect();
    assert_eq!(ids.len(), SPECS.len());
}

#[test]
fn five_failures_within_ten_minutes_are_one_finding_named_after_the_fifth() {
    let events = failures(0, 25, "192.0.2.1");
    let found = find(BRUTE_FORCE, &events, &[]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].discriminator, events[4].id);
    assert_eq!(found[0].kind, FindingKind::SuspiciousSignIn);
    assert!(found[0].from_event);
    assert_pages_do_not_matter(BRUTE_FORCE, &events);
}

#[test]
fn four_failures_or_ten_spread_over_hours_are_nobodys_attack() {
    assert!(find(BRUTE_FORCE, &failures(0, 4, "192.0.2.1"), &[]).is_empty());
    let slow: Vec<_> = (0..10)
        .map(|hour| sign_in(hour * 3_600, "mfa_failed", "192.0.2.1", &json!({})))
        .collect();
    assert!(find(BRUTE_FORCE, &slow, &[]).is_empty());
}

#[test]
fn a_second_burst_after_a_pause_is_a_second_finding() {
    let mut events = failures(0, 10, "192.0.2.1");
    events.extend(failures(7_200, 10, "192.0.2.1"));
    assert_eq!(find(BRUTE_FORCE, &events, &[]).len(), 2);
    assert_pages_do_not_matter(BRUTE_FORCE, &events);
}

#[test]
fn a_success_from_elsewhere_after_a_burst_is_high() {
    let history = failures(0, 10, "192.0.2.1");
    let found = find(THEN_SUCCESS, &[success(60, "198.51.100.9")], &history);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].severity, found[0].confidence),
        (Severity::High, Confidence::High)
    );
    let mut all = history;
    all.push(success(60, "198.51.100.9"));
    all.push(success(90, "198.51.100.9"));
    assert_eq!(find(THEN_SUCCESS, &all, &[]).len(), 1);
    assert_pages_do_not_matter(THEN_SUCCESS, &all);
}

#[test]
fn somebody_who_mistypes_at_home_and_then_succeeds_there_is_left_alone() {
    let mut history = vec![success(-3_600, "192.0.2.1")];
    history.extend(failures(0, 12, "192.0.2.1"));
    assert!(find(THEN_SUCCESS, &[success(60, "192.0.2.1")], &history).is_empty());
}

#[test]
fn a_success_from_the_attackers_own_address_is_high_where_the_user_is_known_elsewhere() {
    let mut history = vec![success(-3_600, "203.0.113.5")];
    history.extend(failures(0, 12, "192.0.2.1"));
    let found = find(THEN_SUCCESS, &[success(60, "192.0.2.1")], &history);
    assert_eq!(found[0].severity, Severity::High);
}

#[test]
fn the_user_signing_in_at_home_during_an_attack_is_only_a_weak_sign() {
    let mut history = vec![success(-3_600, "203.0.113.5")];
    history.extend(failures(0, 12, "192.0.2.1"));
    let found = find(THEN_SUCCESS, &[success(60, "203.0.113.5")], &history);
    assert_eq!(
        (found[0].severity, found[0].confidence),
        (Severity::Medium, Confidence::Low)
    );
}

#[test]
fn a_success_hours_after_a_burst_does_not_belong_to_it() {
    let history = failures(0, 10, "192.0.2.1");
    assert!(find(THEN_SUCCESS, &[success(7_200, "198.51.100.9")], &history).is_empty());
}

#[test]
fn an_address_is_new_when_the_user_is_known_from_others() {
    let history = [success(0, "192.0.2.1")];
    let found = find(NEW_ADDRESS, &[success(60, "198.51.100.9")], &history);
    assert_eq!(found[0].severity, Severity::Low);
    assert!(find(NEW_ADDRESS, &[success(60, "192.0.2.1")], &history).is_empty());
    assert!(find(NEW_ADDRESS, &[success(60, "192.0.2.1")], &[]).is_empty());
}

#[test]
fn an_event_is_no_part_of_its_own_baseline() {
    let events = [success(0, "192.0.2.1"), success(60, "198.51.100.9")];
    assert_eq!(find(NEW_ADDRESS, &events, &[]).len(), 1);
    assert_pages_do_not_matter(NEW_ADDRESS, &events);
}

#[test]
fn failed_attempts_make_no_address_familiar() {
    let mut history = vec![success(-60, "192.0.2.1")];
    history.extend(failures(0, 3, "198.51.100.9"));
    assert_eq!(
        find(NEW_ADDRESS, &[success(60, "198.51.100.9")], &history).len(),
        1
    );
}

#[test]
fn an_address_not_used_for_fourteen_days_is_new_again() {
    let day = 86_400;
    let history = [success(0, "192.0.2.1"), success(10 * day, "203.0.113.5")];
    assert_eq!(
        find(NEW_ADDRESS, &[success(15 * day, "192.0.2.1")], &history).len(),
        1
    );
    assert!(find(NEW_ADDRESS, &[success(13 * day, "192.0.2.1")], &history).is_empty());
}

#[test]
fn the_scim_bridge_signs_in_from_servers_and_says_nothing_about_a_person() {
    let bridge = json!({"app": "1Password SCIM Bridge", "country": "US"});
    let new = [sign_in(60, "success", "198.51.100.9", &bridge)];
    let history = [success(0, "192.0.2.1")];
    assert!(find(NEW_ADDRESS, &new, &history).is_empty());
    assert!(find(NEW_COUNTRY, &new, &history).is_empty());
}

#[test]
fn a_country_is_new_by_the_list_or_else_by_the_users_own_past() {
    let abroad = [sign_in(
        60,
        "success",
        "198.51.100.9",
        &json!({"country": "br"}),
    )];
    let history = [success(0, "192.0.2.1")];
    assert_eq!(find(NEW_COUNTRY, &abroad, &history).len(), 1);
    assert!(find(NEW_COUNTRY, &abroad, &[]).is_empty());
    let listed = |countries: &[&str]| Thresholds {
        countries: countries.iter().map(|name| (*name).to_owned()).collect(),
        ..Thresholds::default()
    };
    assert_eq!(run(NEW_COUNTRY, &listed(&["DE"]), &abroad, &[]).len(), 1);
    assert!(run(NEW_COUNTRY, &listed(&["DE", "BR"]), &abroad, &history).is_empty());
    let again = [sign_in(
        90,
        "success",
        "198.51.100.9",
        &json!({"country": "BR"}),
    )];
    assert!(run(NEW_COUNTRY, &listed(&["DE"]), &again, &abroad).is_empty());
}

#[test]
fn an_unexpected_program_is_reported_only_where_a_list_is_given() {
    let check = "onepassword.sign_in.unusual_client";
    let new = [sign_in(
        0,
        "success",
        "192.0.2.1",
        &json!({"app": "rclone"}),
    )];
    let thresholds = Thresholds {
        clients: vec!["1Password Browser".to_owned()],
        ..Thresholds::default()
    };
    assert_eq!(run(check, &thresholds, &new, &[]).len(), 1);
    assert!(run(check, &thresholds, &[success(0, "192.0.2.1")], &[]).is_empty());
    assert!(
        all(&Thresholds::default())
            .iter()
            .all(|detection| detection.check().as_str() != check)
    );
}

#[test]
fn a_sign_in_from_where_no_managed_device_is_seen_is_reported_once_and_only_with_a_list() {
    let check = "onepassword.sign_in.unmanaged_device";
    let thresholds = Thresholds {
        managed_networks: vec!["192.0.2.0/24".parse().expect("a network")],
        ..Thresholds::default()
    };
    let find = |new: &[Signal], history: &[Signal]| run(check, &thresholds, new, history);
    let outside = [success(0, "203.0.113.9"), success(60, "203.0.113.9")];
    let found = find(&outside, &[]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].severity, Severity::Medium);
    assert!(find(&outside[1..], &outside[..1]).is_empty(), "told before");
    assert!(find(&[success(0, "192.0.2.77")], &[]).is_empty());
    assert!(find(&failures(0, 1, "203.0.113.9"), &[]).is_empty());
    let bridge = json!({"app": "1Password SCIM Bridge"});
    assert!(find(&[sign_in(0, "success", "203.0.113.9", &bridge)], &[]).is_empty());
    let defaults = all(&Thresholds::default());
    let mut checks = defaults.iter().map(|detection| detection.check().as_str());
    assert!(checks.all(|enabled| enabled != check));
}

fn at(seconds: i64, ip: &str, latitude: f64, longitude: f64) -> Signal {
    sign_in(
        seconds,
        "success",
        ip,
        &json!({"latitude": latitude, "longitude": longitude}),
    )
}

#[test]
fn berlin_and_new_york_within_an_hour_are_impossible_and_within_ten_are_a_flight() {
    let berlin = [at(0, "192.0.2.1", 52.5, 13.4)];
    let found = find(TRAVEL, &[at(3_600, "198.51.100.9", 40.7, -74.0)], &berlin);
    assert_eq!(found.len(), 1);
    let km = found[0].details["kilometres"].as_f64().unwrap();
    assert!((6_300.0..6_500.0).contains(&km), "{km}");
    assert!(find(TRAVEL, &[at(36_000, "198.51.100.9", 40.7, -74.0)], &berlin).is_empty());
}

#[test]
fn swapped_or_impossible_coordinates_invent_no_journey() {
    let toronto = [at(0, "192.0.2.1", 43.64, -79.39)];
    assert!(find(TRAVEL, &[at(60, "198.51.100.9", -79.39, 43.64)], &toronto).is_empty());
    let newcastle = [at(0, "192.0.2.1", 151.78, -32.93)];
    assert!(
        find(
            TRAVEL,
            &[at(60, "198.51.100.9", -32.93, 151.78)],
            &newcastle
        )
        .is_empty()
    );
    assert!(find(TRAVEL, &[at(60, "198.51.100.9", 400.0, 900.0)], &toronto).is_empty());
    assert!(find(TRAVEL, &[success(60, "198.51.100.9")], &toronto).is_empty());
}

#[test]
fn two_places_at_the_same_instant_are_impossible_and_two_suburbs_are_not() {
    let berlin = [at(0, "192.0.2.1", 52.5, 13.4)];
    assert_eq!(
        find(TRAVEL, &[at(0, "198.51.100.9", 40.7, -74.0)], &berlin).len(),
        1
    );
    assert!(find(TRAVEL, &[at(0, "198.51.100.9", 52.4, 13.1)], &berlin).is_empty());
}

#[test]
fn a_firewall_report_is_medium_and_a_block_low_and_each_once_a_day() {
    let reported = "onepassword.sign_in.firewall_reported";
    let blocked = "onepassword.sign_in.firewall_blocked";
    let events = [
        sign_in(
            0,
            "firewall_failed",
            "192.0.2.1",
            &json!({"type": "country_blocked"}),
        ),
        sign_in(
            9,
            "firewall_failed",
            "192.0.2.1",
            &json!({"type": "country_blocked"}),
        ),
        sign_in(20, "firewall_reported_success", "192.0.2.1", &json!({})),
        sign_in(90_000, "firewall_failed", "192.0.2.1", &json!({})),
    ];
    assert_eq!(find(reported, &events, &[])[0].severity, Severity::Medium);
    let blocks = find(blocked, &events, &[]);
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks[0].severity, Severity::Low);
    assert_pages_do_not_matter(blocked, &events);
}

fn usage(seconds: i64, action: &str, item: &str) -> Signal {
    event(ITEM_USAGE, seconds, json!({"action": action, "item": item}))
}

#[test]
fn thirty_different_items_taken_within_minutes_are_an_insider_threat() {
    let actions = ["reveal", "secure-copy", "export"].into_iter().cycle();
    let events: Vec<_> = (0..40)
        .zip(actions)
        .map(|(index, action)| usage(index, action, &format!("i{index}")))
        .collect();
    let found = find(BULK, &events, &[]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].kind, FindingKind::InsiderThreat);
    assert_eq!(found[0].discriminator, events[29].id);
    assert_pages_do_not_matter(BULK, &events);
}

#[test]
fn one_item_revealed_often_and_many_filled_in_are_everyday_work() {
    let same: Vec<_> = (0..50).map(|index| usage(index, "reveal", "i1")).collect();
    assert!(find(BULK, &same, &[]).is_empty());
    let fills: Vec<_> = (0..50)
        .map(|index| usage(index, "fill", &format!("i{index}")))
        .collect();
    assert!(find(BULK, &fills, &[]).is_empty());
}

#[test]
fn each_weakened_protection_grant_and_export_is_a_finding() {
    let done = |action: &str, object: &str| {
        event(AUDIT, 0, json!({"action": action, "object_type": object}))
    };
    let weakened = "onepassword.audit.protection_weakened";
    for (action, severity) in [
        ("disblmfa", Severity::High),
        ("disblsso", Severity::High),
        ("updatfw", Severity::Medium),
    ] {
        let found = find(weakened, &[done(action, "account")], &[]);
        assert_eq!((found.len(), found[0].severity), (1, severity), "{action}");
    }
    assert!(find(weakened, &[done("enblmfa", "account")], &[]).is_empty());
    let granted = "onepassword.audit.privilege_granted";
    assert_eq!(find(granted, &[done("grant", "uva")], &[]).len(), 1);
    assert!(find(granted, &[done("grant", "report")], &[]).is_empty());
    assert_eq!(
        find(
            "onepassword.audit.data_exported",
            &[done("export", "items")],
            &[]
        )
        .len(),
        1
    );
}

#[test]
fn detections_ask_for_no_more_of_the_past_than_their_window() {
    for detection in all(&Thresholds::default()) {
        assert!(
            detection.window() <= Duration::from_hours(14 * 24),
            "{detection:?}"
        );
    }
}
