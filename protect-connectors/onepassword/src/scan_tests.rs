use std::sync::Arc;

use http::Method;
use protect_core::connector::ScanState;
use protect_core::model::WatchList;
use protect_core::secret::SecretRef;
use protect_core::testing::{Expectation, TestContext, impatient_context, op};
use serde_json::{Value, json};

use super::*;
use crate::testing::{ACCOUNT, setup};

#[derive(Debug)]
struct NoState;

#[async_trait]
impl ScanState for NoState {
    async fn get(&self, _keys: &[String]) -> Result<BTreeMap<String, Value>> {
        Ok(BTreeMap::new())
    }
}

fn begin() -> (TestContext, OnePasswordConnector) {
    let test = impatient_context();
    test.secrets.set(SecretRef::env("T"), "token");
    let connection = json!({"scan": {"events_token": {"env": "T"}}});
    let setup = setup(connection, json!({"account_id": ACCOUNT}));
    let connector = OnePasswordConnector::new(&setup, &test.context).expect("a connector");
    (test, connector)
}

async fn page(
    connector: &OnePasswordConnector,
    cursor: Option<&Cursor>,
    starts_run: bool,
) -> Result<ScanPage> {
    let request = ScanRequest {
        cursor,
        starts_run,
        watched: &Arc::new(WatchList::default()),
        others: &[],
        state: &NoState,
        forced: false,
    };
    connector.scan(&op(), request).await
}

fn introspection(features: &[&str]) -> Expectation {
    Expectation::new(Method::GET, "/api/v2/auth/introspect")
        .answer(200, &json!({"uuid": "U", "features": features}))
}

fn sign_ins(body: Value, cursor: &str, has_more: bool) -> Expectation {
    Expectation::new(Method::POST, "/api/v2/signinattempts")
        .json(body)
        .answer(
            200,
            &json!({"cursor": cursor, "has_more": has_more, "items": []}),
        )
}

/// The first poll, fourteen days before the beginning of the test's clock.
fn first() -> Value {
    json!({"limit": 1000, "start_time": "2025-12-18T00:00:00Z"})
}

#[tokio::test]
async fn an_empty_page_that_promises_more_is_followed_and_a_cursor_that_stands_still_is_not() {
    let (test, connector) = begin();
    test.transport.expect(introspection(&["signinattempts"]));
    test.transport.expect(sign_ins(first(), "c1", true));
    test.transport
        .expect(sign_ins(json!({"cursor": "c1"}), "c1", true));
    let one = page(&connector, None, true).await.unwrap();
    assert!(one.more && one.verdicts.is_empty());
    let two = page(&connector, one.cursor.as_ref(), false).await.unwrap();
    assert!(two.more, "the other streams have their turn");
    let reasons: Vec<_> = two
        .verdicts
        .iter()
        .map(|result| result.not_evaluated)
        .collect();
    assert!(!reasons.is_empty());
    assert!(
        reasons
            .iter()
            .all(|reason| *reason == Some(NotEvaluatedReason::VendorError))
    );
    test.transport.assert_done();
}

#[tokio::test]
async fn the_token_is_looked_at_once_a_run_and_the_cursor_kept_where_there_is_no_more() {
    let (test, connector) = begin();
    test.transport
        .expect(introspection(&["signinattempts"]).times(2));
    test.transport.expect(sign_ins(first(), "c1", false));
    test.transport
        .expect(sign_ins(json!({"cursor": "c1"}), "c1", false));
    let mut cursor = None;
    for _ in 0..2 {
        for starts_run in [true, false, false] {
            cursor = page(&connector, cursor.as_ref(), starts_run)
                .await
                .unwrap()
                .cursor;
        }
    }
    test.transport.assert_done();
}

#[tokio::test]
async fn a_stored_cursor_of_another_form_begins_anew() {
    let (test, connector) = begin();
    test.transport.expect(introspection(&["signinattempts"]));
    test.transport.expect(sign_ins(first(), "c1", false));
    let stored = Cursor("not ours".to_owned());
    page(&connector, Some(&stored), true).await.unwrap();
    test.transport.assert_done();
}

#[tokio::test]
async fn a_rejected_token_fails_the_run_instead_of_finding_nothing() {
    let (test, connector) = begin();
    let body = json!({"Error": {"Message": "Unauthorized"}});
    let refusal = Expectation::new(Method::GET, "/api/v2/auth/introspect").answer(401, &body);
    test.transport.expect(refusal.always());
    let error = page(&connector, None, true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn what_is_not_a_page_of_events_is_an_error_of_that_stream() {
    let (test, connector) = begin();
    test.transport.expect(introspection(&["signinattempts"]));
    let html = Expectation::new(Method::POST, "/api/v2/signinattempts")
        .any_body()
        .answer_bytes(200, "text/html", "<html>portal</html>");
    test.transport.expect(html.always());
    let one = page(&connector, None, true).await.unwrap();
    assert!(
        one.verdicts
            .iter()
            .all(|result| result.reason.contains("HTML"))
    );
    assert!(!one.verdicts.is_empty());
}
