use futures::{StreamExt, TryStreamExt};
use http::Method;
use protect_core::testing::Expectation;
use serde_json::{Value, json};

use super::*;
use crate::testing::{ACCOUNT, USER, begin, token};

const TOKEN: &str = "/v1beta1/users/oauth2/token";

fn users_path() -> String {
    format!("/v1beta1/accounts/{ACCOUNT}/users")
}

fn user(state: &str) -> Value {
    json!({"id": USER, "email": "ann@acme.example", "display_name": "Ann", "state": state})
}

fn listing(ids: &[&str], next: Option<&str>) -> Value {
    let results: Vec<_> = ids
        .iter()
        .map(|id| json!({"id": id, "state": "ACTIVE"}))
        .collect();
    json!({"results": results, "next_page_token": next})
}

#[tokio::test]
async fn a_suspension_is_a_post_without_body_to_a_path_with_a_literal_colon() {
    let (test, builder) = begin();
    test.transport
        .expect(token(TOKEN, "T1").header("authorization", "Basic aWQ6c2VjcmV0"));
    let path = format!("{}/{USER}:suspend", users_path());
    test.transport.expect(
        Expectation::new(Method::POST, &path)
            .header("authorization", "Bearer T1")
            .header("user-agent", "protect-test/0")
            .without_header("content-type")
            .answer(200, &user("SUSPENDED")),
    );
    let suspended = builder.build().unwrap().suspend_user(USER).await.unwrap();
    assert_eq!(suspended.state, UserState::Suspended);
    let hosts: Vec<_> = test
        .transport
        .requests()
        .iter()
        .map(|r| r.uri().host().unwrap().to_owned())
        .collect();
    assert_eq!(hosts, ["api.1password.com", "api.1password.com"]);
    test.transport.assert_done();
}

#[tokio::test]
async fn the_basic_header_is_the_plain_pair_with_colons_and_letters_outside_ascii() {
    let (test, builder) = begin();
    // printf 'client-1:a:ß+/=' | base64
    test.transport
        .expect(token(TOKEN, "T1").header("authorization", "Basic Y2xpZW50LTE6YTrDnysvPQ=="));
    test.transport.expect(
        Expectation::new(Method::GET, &format!("{}/{USER}", users_path()))
            .answer(200, &user("ACTIVE")),
    );
    let op = builder.credentials("client-1", "a:ß+/=").build().unwrap();
    op.get_user(USER).await.unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn a_region_and_a_version_decide_host_and_paths() {
    let (test, builder) = begin();
    test.transport.expect(token("/v1/oauth/token", "T1"));
    let path = format!("/v1/accounts/{ACCOUNT}/users/{USER}");
    test.transport
        .expect(Expectation::new(Method::GET, &path).answer(200, &user("ACTIVE")));
    let op = builder
        .region(Region::Eu)
        .api_version(ApiVersion::V1)
        .build()
        .unwrap();
    op.get_user(USER).await.unwrap();
    assert_eq!(
        test.transport.requests()[0].uri().host(),
        Some("api.1password.eu")
    );
    test.transport.assert_done();
}

#[tokio::test]
async fn a_list_asks_in_snake_case_with_the_same_filter_and_size_on_every_page() {
    let (test, builder) = begin();
    test.transport.expect(token(TOKEN, "T1"));
    let page = || {
        Expectation::new(Method::GET, &users_path())
            .query("max_page_size", "1000")
            .query("filter", "user.isActive()")
    };
    test.transport.expect(
        page()
            .query("page_token", "b=")
            .answer(200, &listing(&["C"], Some(""))),
    );
    test.transport
        .expect(page().answer(200, &listing(&["A", "B"], Some("b="))));
    let op = builder.build().unwrap();
    let users: Vec<User> = op
        .users(Some(UserFilter::Active))
        .try_collect()
        .await
        .unwrap();
    let ids: Vec<_> = users.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(ids, ["A", "B", "C"]);
    let query = test.transport.requests()[1]
        .uri()
        .query()
        .unwrap()
        .to_owned();
    assert!(query.contains("filter=user.isActive%28%29"), "{query}");
    test.transport.assert_done();
}

#[tokio::test]
async fn a_page_token_that_comes_again_ends_the_list_with_an_error() {
    for tokens in [["a", "a", "a"], ["a", "b", "a"]] {
        let (test, builder) = begin();
        test.transport.expect(token(TOKEN, "T1"));
        let mut before = None;
        for next in tokens {
            let mut page =
                Expectation::new(Method::GET, &users_path()).query("max_page_size", "1000");
            if let Some(before) = before {
                page = page.query("page_token", before);
            }
            test.transport
                .expect(page.answer(200, &listing(&["A"], Some(next))));
            before = Some(next);
        }
        let users: Vec<_> = builder
            .build()
            .unwrap()
            .users(None)
            .take(50)
            .collect()
            .await;
        let error = users.last().unwrap().as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        assert!(users.len() < 5);
    }
}

#[tokio::test]
async fn an_unreadable_record_is_an_error_of_its_own_and_the_list_goes_on() {
    let (test, builder) = begin();
    test.transport.expect(token(TOKEN, "T1"));
    let page = || Expectation::new(Method::GET, &users_path()).query("max_page_size", "1000");
    test.transport.expect(
        page()
            .query("page_token", "n")
            .answer(200, &listing(&["C"], None)),
    );
    let body = json!({"results": [{"id": "A"}, {"id": 7}], "next_page_token": "n"});
    test.transport.expect(page().answer(200, &body));
    let users: Vec<_> = builder.build().unwrap().users(None).collect().await;
    let ids: Vec<_> = users
        .iter()
        .map(|user| user.as_ref().map(|user| user.id.as_str()).ok())
        .collect();
    assert_eq!(ids, [Some("A"), None, Some("C")]);
}

#[tokio::test]
async fn an_answer_that_shows_another_state_is_no_success() {
    let (test, builder) = begin();
    test.transport.expect(token(TOKEN, "T1"));
    let path = format!("{}/{USER}:suspend", users_path());
    test.transport
        .expect(Expectation::new(Method::POST, &path).answer(200, &user("ACTIVE")));
    let error = builder
        .build()
        .unwrap()
        .suspend_user(USER)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert_eq!(test.transport.requests().len(), 2, "it is not sent again");
}

#[tokio::test]
async fn a_rejected_token_is_renewed_once_and_then_given_up() {
    let (test, builder) = begin();
    test.transport.expect(token(TOKEN, "T1"));
    test.transport.expect(token(TOKEN, "T2"));
    let path = format!("{}/{USER}", users_path());
    for bearer in ["Bearer T1", "Bearer T2"] {
        let body = json!({"code": 16, "message": "unauthenticated"});
        test.transport.expect(
            Expectation::new(Method::GET, &path)
                .header("authorization", bearer)
                .answer(401, &body),
        );
    }
    let error = builder.build().unwrap().get_user(USER).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    test.transport.assert_done();
}

#[tokio::test]
async fn a_last_owner_is_refused_without_a_second_attempt() {
    let (test, builder) = begin();
    test.transport.expect(token(TOKEN, "T1"));
    let path = format!("{}/{USER}:suspend", users_path());
    let body = json!({"code": 7, "message": "no_owner_remain", "details": []});
    test.transport
        .expect(Expectation::new(Method::POST, &path).answer(403, &body));
    let error = builder
        .build()
        .unwrap()
        .suspend_user(USER)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(error.operation(), "onepassword.suspend_user");
    test.transport.assert_done();
}

#[tokio::test]
async fn a_page_that_is_no_json_is_retried_where_the_status_says_so() {
    let (test, builder) = begin();
    test.transport.expect(token(TOKEN, "T1"));
    let path = format!("{}/{USER}", users_path());
    let broken = Expectation::new(Method::GET, &path).answer_bytes(
        502,
        "text/html",
        "<html>Bad Gateway</html>",
    );
    test.transport.expect(broken);
    test.transport
        .expect(Expectation::new(Method::GET, &path).answer(200, &user("ACTIVE")));
    builder.build().unwrap().get_user(USER).await.unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn events_are_asked_for_with_the_token_as_it_is_and_a_cursor_alone() {
    let (test, builder) = begin();
    let page = json!({"cursor": "c2", "has_more": false, "items": []});
    test.transport.expect(
        Expectation::new(Method::POST, "/api/v2/signinattempts")
            .header("authorization", "Bearer events")
            .header("content-type", "application/json")
            .json(json!({"limit": 1000, "start_time": "2026-11-20T10:00:00Z"}))
            .answer(200, &page),
    );
    test.transport.expect(
        Expectation::new(Method::POST, "/api/v2/signinattempts")
            .json(json!({"cursor": "c2"}))
            .answer(200, &page),
    );
    let op = builder
        .region(Region::Ent)
        .base_url("https://api.example")
        .build()
        .unwrap();
    let start = "2026-11-20T10:00:00Z".parse().unwrap();
    let first = op.sign_in_attempts_page(None, Some(start)).await.unwrap();
    op.sign_in_attempts_page(Some(&first.cursor), None)
        .await
        .unwrap();
    assert_eq!(
        test.transport.requests()[0].uri().host(),
        Some("events.ent.1password.com")
    );
    test.transport.assert_done();
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let field = |builder: OnePasswordBuilder| {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        error
            .context()
            .iter()
            .find(|(key, _)| *key == "field")
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(field(OnePassword::builder()), "context");
    assert_eq!(field(begin().1.account("short")), "account");
    assert_eq!(field(begin().1.region(Region::Ent)), "base_url");
    assert_eq!(field(begin().1.base_url("http://api.example")), "base_url");
    let bare = OnePassword::builder()
        .context(begin().0.context)
        .account(ACCOUNT);
    assert_eq!(field(bare), "credentials");
}

#[test]
fn no_secret_stands_in_debug() {
    let op = begin()
        .1
        .credentials("id", "canary")
        .events_token("canary")
        .build()
        .unwrap();
    let builder = begin().1.credentials("id", "canary").events_token("canary");
    assert!(!format!("{op:?} {builder:?}").contains("canary"));
}
