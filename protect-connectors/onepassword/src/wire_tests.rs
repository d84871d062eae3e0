use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{AuditEvent, Introspection, ItemUsage, SignInAttempt};

const USER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn page_of(body: &Value) -> UserPage {
    let text = body.to_string();
    users(text.as_bytes())
        .unwrap_or_else(|| salvage_users(serde_json::from_str(&text).expect("an object")))
}

fn events_of<T: DeserializeOwned>(body: &Value) -> EventPage<T> {
    let text = body.to_string();
    events(text.as_bytes())
        .unwrap_or_else(|| salvage_events(serde_json::from_str(&text).expect("an object")))
}

fn sign_in() -> Value {
    json!({
        "uuid": "EVENT1", "session_uuid": "S1", "timestamp": "2026-11-20T10:00:00.123456789+02:00",
        "country": "DE", "category": "success", "type": "mfa_ok", "details": null,
        "target_user": { "uuid": USER, "name": "Ann", "email": "ann@acme.example" },
        "client": { "app_name": "1Password Browser", "ip_address": "192.0.2.1" },
        "location": { "country": "DE", "latitude": 52.5, "longitude": 13.4 }
    })
}

#[test]
fn a_full_user_is_read() {
    let page = page_of(&json!({
        "results": [{
            "id": USER, "email": "Ann@acme.example", "display_name": "Ann", "state": "ACTIVE",
            "create_time": "2024-01-02T03:04:05Z", "path": "accounts/A/users/B", "later": 1
        }],
        "next_page_token": "dG9rZW4="
    }));
    let user = &page.users[0];
    assert_eq!(
        (user.id.as_str(), user.state.clone()),
        (USER, UserState::Active)
    );
    assert_eq!(user.email.as_deref(), Some("Ann@acme.example"));
    assert_eq!(
        user.create_time.unwrap().to_string(),
        "2024-01-02T03:04:05Z"
    );
    assert_eq!(page.next_page_token.as_deref(), Some("dG9rZW4="));
}

#[test]
fn a_state_invented_later_survives_and_an_absent_one_is_unspecified() {
    let page = page_of(&json!({"results": [
        {"id": "A", "state": "ON_LEAVE"}, {"id": "B"}, {"id": "C", "state": null},
    ]}));
    let states: Vec<_> = page.users.iter().map(|user| user.state.as_str()).collect();
    assert_eq!(states, ["ON_LEAVE", "unspecified", "unspecified"]);
}

#[test]
fn a_malformed_record_is_listed_and_the_page_kept() {
    let page = page_of(&json!({"results": [
        {"id": "A"}, {"id": 7}, {"email": "b@acme.example"}, null, {"id": "E"},
    ]}));
    let ids: Vec<_> = page.users.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(ids, ["A", "E"]);
    let places: Vec<_> = page
        .rejected
        .iter()
        .map(|item| item.place.as_str())
        .collect();
    assert_eq!(places, ["results[1]", "results[2]", "results[3]"]);
    assert_eq!(page.rejected[0].reason, "`id` has an unexpected form");
    assert!(!format!("{:?}", page.rejected).contains("acme"));
}

#[test]
fn an_empty_answer_is_an_empty_last_page() {
    for body in [json!({}), json!({"results": null, "next_page_token": ""})] {
        assert_eq!(page_of(&body), UserPage::default());
    }
}

#[test]
fn debug_of_a_user_shows_neither_address_nor_name() {
    let page = page_of(&json!({"results": [
        {"id": USER, "email": "ann@acme.example", "display_name": "Ann"},
    ]}));
    let text = format!("{page:?}");
    assert!(
        text.contains(USER) && !text.contains("ann@") && !text.contains("Ann"),
        "{text}"
    );
}

#[test]
fn a_sign_in_with_an_offset_and_nanoseconds_is_read() {
    let page: EventPage<SignInAttempt> =
        events_of(&json!({"cursor": "c", "has_more": true, "items": [sign_in()]}));
    let event = &page.items[0];
    assert_eq!(
        event.timestamp.to_string(),
        "2026-11-20T08:00:00.123456789Z"
    );
    assert!(event.details.is_none() && page.has_more && page.cursor == "c");
}

#[test]
fn an_event_without_location_and_with_unknown_words_is_kept() {
    let mut event = sign_in();
    event["category"] = json!("quantum_failed");
    event["details"] = json!({"value": "Antarctica", "more": 1});
    event.as_object_mut().unwrap().remove("location");
    let page: EventPage<SignInAttempt> = events_of(&json!({"cursor": "c", "items": [event]}));
    assert_eq!(page.items[0].category, "quantum_failed");
    assert_eq!(page.items[0].location, None);
    assert!(!page.has_more);
}

#[test]
fn coordinates_out_of_range_or_of_another_type_are_tolerated() {
    let mut swapped = sign_in();
    swapped["location"] = json!({"latitude": -179.5, "longitude": 43.64});
    let mut text = sign_in();
    text["location"] = json!({"latitude": "43.6", "longitude": null});
    let mut odd = sign_in();
    odd["location"] = json!({"latitude": [1], "longitude": "east"});
    let page: EventPage<SignInAttempt> =
        events_of(&json!({"cursor": "c", "items": [swapped, text, odd]}));
    let latitudes: Vec<_> = page
        .items
        .iter()
        .map(|event| event.location.as_ref().unwrap().latitude)
        .collect();
    assert_eq!(latitudes, [Some(-179.5), Some(43.6), None]);
}

#[test]
fn an_event_without_user_or_time_is_listed_and_the_others_kept() {
    let mut no_user = sign_in();
    no_user.as_object_mut().unwrap().remove("target_user");
    let mut bad_time = sign_in();
    bad_time["timestamp"] = json!("yesterday");
    let page: EventPage<SignInAttempt> =
        events_of(&json!({"cursor": "c", "items": [no_user, bad_time, sign_in()]}));
    assert_eq!((page.items.len(), page.rejected.len()), (1, 2));
    assert_eq!(
        page.rejected[1].reason,
        "`timestamp` has an unexpected form"
    );
}

#[test]
fn item_usages_and_audit_events_of_both_versions_are_read() {
    let usage = json!({"uuid": "U", "timestamp": "2026-11-20T10:00:00Z", "used_version": 2,
        "vault_uuid": "v", "item_uuid": "i", "action": "reveal", "client": null,
        "user": {"uuid": USER, "user_type": "user", "user_account_uuid": "A"}});
    let page: EventPage<ItemUsage> = events_of(&json!({"cursor": "c", "items": [usage]}));
    assert_eq!(page.items[0].user.user_type.as_deref(), Some("user"));
    let audit = json!({"uuid": "U", "timestamp": "2026-11-20T10:00:00Z", "actor_uuid": USER,
        "action": "suspend", "object_type": "user", "object_uuid": "X", "aux_id": 0,
        "session": {"uuid": "S", "login_time": "2026-11-20T09:00:00Z", "ip": "192.0.2.1"}});
    let page: EventPage<AuditEvent> = events_of(&json!({"cursor": "c", "items": [audit]}));
    assert_eq!(
        page.items[0].session.as_ref().unwrap().ip.as_deref(),
        Some("192.0.2.1")
    );
}

#[test]
fn an_answer_without_cursor_is_no_page_of_events() {
    assert!(events::<SignInAttempt>(br#"{"items": []}"#).is_none());
    assert!(serde_json::from_str::<EventList<Value>>(r#"{"items": []}"#).is_err());
}

#[test]
fn the_first_call_and_the_later_ones_have_nothing_in_common() {
    let reset = EventRequest::Reset {
        limit: 1_000,
        start_time: Some("2026-11-20T10:00:00Z".parse().unwrap()),
    };
    assert_eq!(
        json!(reset),
        json!({"limit": 1000, "start_time": "2026-11-20T10:00:00Z"})
    );
    assert_eq!(
        json!(EventRequest::Continue { cursor: "c" }),
        json!({"cursor": "c"})
    );
}

#[test]
fn an_introspection_tolerates_an_unreadable_time() {
    let introspection: Introspection = serde_json::from_value(json!({
        "uuid": "U", "issued_at": "soon", "features": ["signinattempts"]
    }))
    .unwrap();
    assert_eq!(introspection.issued_at, None);
    assert_eq!(introspection.features, ["signinattempts"]);
}

/// JSON of any shape, biased to the names that matter.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "id",
        "state",
        "email",
        "uuid",
        "timestamp",
        "target_user",
        "location",
        "latitude",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2026-11-20T10:00:00Z")),
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn no_record_of_any_shape_is_lost_or_panics(records in prop::collection::vec(any_json(), 0..8)) {
        let page = page_of(&json!({"results": records}));
        prop_assert_eq!(page.users.len() + page.rejected.len(), records.len());
        let page: EventPage<SignInAttempt> = events_of(&json!({"cursor": "c", "items": records}));
        prop_assert_eq!(page.items.len() + page.rejected.len(), records.len());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = users(&bytes);
        let _ = events::<AuditEvent>(&bytes);
        let _ = crate::error::classify(403, &bytes);
    }

    #[test]
    fn reading_in_one_pass_and_record_by_record_agree(ids in prop::collection::vec("[A-Z0-9]{0,26}", 0..8)) {
        let records: Vec<_> = ids.iter().map(|id| json!({"id": id, "state": "ACTIVE"})).collect();
        let body = json!({"results": records}).to_string();
        let salvaged = salvage_users(serde_json::from_str(&body).unwrap());
        prop_assert_eq!(users(body.as_bytes()).unwrap(), salvaged);
    }
}
