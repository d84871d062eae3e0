use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
struct Page {
    users: Vec<User>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only the failure to fill it matters")]
struct User {
    id: u64,
}

fn answer(body: &str) -> Answer {
    Answer {
        operation: "vendor.list",
        changes: false,
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

fn fails(body: &str) -> Error {
    let error = answer(body).json::<Page>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert_eq!(error.operation(), "vendor.list");
    error
}

fn fact<'a>(error: &'a Error, key: &str) -> &'a str {
    let found = error.context().iter().find(|(name, _)| *name == key);
    found.map_or("", |(_, value)| value)
}

#[test]
fn f21_a_number_as_string_is_named_by_place_and_not_by_content() {
    let error = fails("{\"users\": [{\"id\": 1},\n {\"id\": \"canary, expected nothing\"}]}");
    assert_eq!(fact(&error, "path"), "users[1].id");
    assert_eq!(fact(&error, "line"), "2");
    assert!(error.message().ends_with("expected u64"), "{error}");
    assert!(!format!("{error:?}").contains("canary"));
}

#[test]
fn a_missing_field_is_named() {
    assert!(
        fails("{\"users\": [{}]}")
            .message()
            .ends_with("missing field `id`")
    );
}

#[test]
fn f07_truncated_json_says_that_it_breaks_off() {
    assert_eq!(
        fails("{\"users\": [{\"i").message(),
        "the answer's JSON breaks off"
    );
    assert_eq!(
        fails("").message(),
        "the answer is empty where JSON is expected"
    );
}

#[test]
fn what_follows_the_json_is_not_overlooked() {
    assert_eq!(
        fails("{\"users\": []} trailing").message(),
        "the answer is not JSON"
    );
}

#[test]
fn f08_an_html_page_says_so() {
    assert!(
        fails("\n <!doctype html><p>canary")
            .message()
            .contains("HTML")
    );
    let mut declared = answer("Please log in");
    declared.headers.insert(
        header::CONTENT_TYPE,
        "text/html; charset=utf-8".parse().unwrap(),
    );
    let error = declared.json::<Page>().unwrap_err();
    assert!(error.message().contains("HTML"));
}

#[test]
fn unknown_fields_do_no_harm() {
    let page: Page = answer("{\"users\": [{\"id\": 1, \"new\": null}], \"more\": 1}")
        .json()
        .unwrap();
    assert_eq!(page.users.len(), 1);
}

#[test]
fn keys_that_are_data_stay_out_of_the_path() {
    type Domain = BTreeMap<String, Vec<u64>>;
    let error = answer("{\"canary\": [\"x\"]}")
        .json_with_private_keys::<Domain>()
        .unwrap_err();
    assert_eq!(fact(&error, "path"), "*[0]");
    let error = answer("{\"canary@a.example\": [\"x\"]}")
        .json::<Domain>()
        .unwrap_err();
    assert_eq!(fact(&error, "path"), "*[0]");
}

#[test]
fn an_unreadable_answer_to_a_change_does_not_say_that_nothing_happened() {
    let mut answer = answer("<html>");
    assert!(!answer.json::<Page>().unwrap_err().is_retryable());
    answer.changes = true;
    assert_eq!(
        answer.json::<Page>().unwrap_err().retry(),
        crate::Retry::Persistent
    );
}

#[test]
fn f22_the_vendors_clock_can_be_read() {
    let mut answer = answer("");
    answer.headers.insert(
        header::DATE,
        "Mon, 23 Nov 2026 10:00:00 GMT".parse().unwrap(),
    );
    assert_eq!(answer.date(), Some("2026-11-23T10:00:00Z".parse().unwrap()));
}

#[test]
fn debug_shows_neither_headers_nor_body() {
    assert!(!format!("{:?}", answer("canary")).contains("canary"));
}
