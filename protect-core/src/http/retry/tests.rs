use std::sync::{Arc, Mutex};

use ::http::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::*;
use crate::clock::Clock as _;
use crate::http::{
    BudgetKey, ErrorAnswer, HttpClient, HttpClientBuilder, HttpErrorKind, Limit, RequestBuilder,
};
use crate::testing::{Expectation, TestContext, context, impatient_context, logged, op};

fn builder(test: &TestContext) -> HttpClientBuilder {
    HttpClient::builder(&test.context, "https://vendor.example").unwrap()
}

fn request(test: &TestContext, method: Method) -> RequestBuilder {
    builder(test)
        .build()
        .request(method, "vendor.call", "/x/{id}")
        .path("id", "1")
}

fn expected(method: Method) -> Expectation {
    Expectation::new(method, "/x/1")
}

async fn outcome(test: &TestContext, method: Method) -> Result<Answer> {
    request(test, method).send(&op()).await
}

#[tokio::test]
async fn what_broke_is_retried_where_sending_again_is_safe() {
    use HttpErrorKind::{
        Connect, Decode, Interrupted, Refused, Request, Timeout, TooLarge, Unknown,
    };
    for (kind, get, post) in [
        (Connect, 4, 4),
        (Request, 4, 4),
        (Timeout, 4, 1),
        (Interrupted, 4, 1),
        (Decode, 1, 1),
        (TooLarge, 1, 1),
        (Unknown, 1, 1),
        (Refused, 1, 1),
    ] {
        for (method, attempts) in [(Method::GET, get), (Method::POST, post)] {
            let test = impatient_context();
            test.transport
                .expect(expected(method.clone()).always().fail(kind));
            outcome(&test, method.clone()).await.unwrap_err();
            assert_eq!(
                test.transport.requests().len(),
                attempts,
                "{method} {kind:?}"
            );
        }
    }
}

#[tokio::test]
async fn statuses_are_retried_where_they_pass_and_sending_again_is_safe() {
    for (status, kind, get) in [
        (400, ErrorKind::InvalidInput, 1),
        (401, ErrorKind::Unauthenticated, 1),
        (403, ErrorKind::PermissionDenied, 1),
        (404, ErrorKind::NotFound, 1),
        (408, ErrorKind::Timeout, 4),
        (409, ErrorKind::Conflict, 1),
        (429, ErrorKind::RateLimited, 4),
        (500, ErrorKind::Unavailable, 4),
        (501, ErrorKind::Unsupported, 1),
        (503, ErrorKind::Unavailable, 4),
    ] {
        for (method, attempts) in [(Method::GET, get), (Method::POST, 1)] {
            let test = impatient_context();
            test.transport.expect(
                expected(method.clone())
                    .always()
                    .answer(status, &Value::Null),
            );
            let error = outcome(&test, method.clone()).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{status}");
            assert_eq!(error.http_status(), Some(status));
            assert_eq!(error.operation(), "vendor.call");
            assert_eq!(
                test.transport.requests().len(),
                attempts,
                "{method} {status}"
            );
        }
    }
}

#[tokio::test]
async fn f13_a_storm_ends_as_a_persistent_error_and_a_short_one_as_an_answer() {
    let test = impatient_context();
    test.transport
        .expect(expected(Method::GET).times(4).answer(503, &Value::Null));
    let error = outcome(&test, Method::GET).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Persistent);
    test.transport
        .expect(expected(Method::GET).times(3).answer(503, &Value::Null));
    test.transport.expect(expected(Method::GET));
    assert!(outcome(&test, Method::GET).await.is_ok());
    test.transport.assert_done();
}

#[tokio::test]
async fn waits_are_jittered_and_grow_to_a_ceiling() {
    let mut waits = Vec::new();
    let test = impatient_context();
    test.transport
        .expect(expected(Method::GET).always().fail(HttpErrorKind::Connect));
    for attempts in 1..=9 {
        let before = test.clock.monotonic();
        let client = builder(&test).max_attempts(attempts).build();
        let call = client.request(Method::GET, "vendor.call", "/x/1");
        call.send(&op()).await.unwrap_err();
        waits.push(test.clock.monotonic().saturating_sub(before));
    }
    let ceilings = [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500, 51_500, 71_500];
    for (wait, ceiling) in waits.iter().zip(ceilings) {
        assert!(*wait <= Duration::from_millis(ceiling), "{waits:?}");
    }
    let distinct: std::collections::BTreeSet<_> = waits.iter().collect();
    assert_eq!(distinct.len(), waits.len(), "no jitter in {waits:?}");
}

#[tokio::test]
async fn f10_f11_f12_retry_after_is_honoured_in_seconds_and_as_a_date_of_the_vendors_clock() {
    for (headers, least, most) in [
        (vec![("retry-after", "30")], 30, 31),
        (
            // The vendor's clock is years off; only the distance counts.
            vec![
                ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"),
            ],
            60,
            61,
        ),
        (
            vec![("retry-after", "Thu, 01 Jan 2026 00:01:00 GMT")],
            60,
            61,
        ),
        (vec![("retry-after", "99999999999999999999")], 0, 1),
        (vec![("retry-after", "9999999999")], 86_400, 86_401),
        (vec![("retry-after", "-5")], 0, 1),
        (vec![("retry-after", "soon")], 0, 1),
        (vec![], 0, 1),
    ] {
        let test = impatient_context();
        let limited = expected(Method::GET).answer(429, &Value::Null);
        test.transport
            .expect(headers.iter().fold(limited, |answer, (name, value)| {
                answer.answer_header(name, value)
            }));
        test.transport.expect(expected(Method::GET));
        outcome(&test, Method::GET).await.unwrap();
        let waited = test.clock.monotonic();
        let allowed = Duration::from_secs(least)..=Duration::from_secs(most);
        assert!(allowed.contains(&waited), "{headers:?}: {waited:?}");
    }
}

#[tokio::test]
async fn retry_after_reaches_the_caller_when_attempts_run_out() {
    let test = impatient_context();
    test.transport.expect(
        expected(Method::POST)
            .answer(429, &Value::Null)
            .answer_header("retry-after", "7"),
    );
    let error = outcome(&test, Method::POST).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(error.retry(), Retry::Temporary);
}

#[tokio::test]
async fn the_deadline_ends_retrying_before_a_wait_that_it_does_not_allow() {
    let test = impatient_context();
    test.transport.expect(
        expected(Method::GET)
            .always()
            .answer(503, &Value::Null)
            .answer_header("retry-after", "10"),
    );
    let cx = op().with_deadline(Duration::from_secs(25));
    let error = request(&test, Method::GET).send(&cx).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Persistent);
    assert_eq!(error.http_status(), Some(503));
    assert_eq!(test.transport.requests().len(), 3);
    assert!(test.clock.monotonic() < Duration::from_secs(25));
}

#[tokio::test]
async fn a_deadline_that_has_passed_sends_nothing() {
    let test = impatient_context();
    let cx = op().with_deadline(Duration::ZERO);
    let error = request(&test, Method::GET).send(&cx).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(test.transport.requests().is_empty());
}

fn spawn(call: RequestBuilder, cx: OpContext) -> JoinHandle<Result<Answer>> {
    tokio::spawn(async move { call.send(&cx).await })
}

#[tokio::test]
async fn f06_an_attempt_that_takes_too_long_is_given_up_and_sent_again() {
    let test = context();
    test.transport.expect(expected(Method::GET).never());
    test.transport.expect(expected(Method::GET));
    let task = spawn(request(&test, Method::GET), op());
    test.clock.advance(Duration::from_millis(29_900)).await;
    assert_eq!(test.transport.requests().len(), 1);
    test.clock.advance(Duration::from_secs(1)).await;
    assert!(task.await.unwrap().is_ok());
    test.transport.assert_done();
}

#[tokio::test]
async fn f04_a_change_whose_answer_was_lost_is_sent_once_and_may_have_happened() {
    let test = context();
    test.transport.expect(expected(Method::POST).never());
    let task = spawn(request(&test, Method::POST), op());
    test.clock.advance(Duration::from_mins(10)).await;
    let error = task.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_retryable());
    assert_eq!(test.transport.requests().len(), 1);
}

#[tokio::test]
async fn the_deadline_cuts_the_last_attempt_short() {
    let test = context();
    test.transport.expect(expected(Method::GET).never());
    let cx = op().with_deadline(Duration::from_secs(5));
    let task = spawn(request(&test, Method::GET), cx);
    test.clock.advance(Duration::from_secs(5)).await;
    assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn a_redirect_is_refused_by_name_and_never_followed() {
    for (location, target) in [
        ("https://evil.example/canary", "another host"),
        ("https://vendor.example/canary", "the same host"),
        ("/canary", "the same host"),
    ] {
        let test = impatient_context();
        test.transport.expect(
            expected(Method::GET)
                .answer(302, &Value::Null)
                .answer_header("location", location),
        );
        let error = outcome(&test, Method::GET).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        assert!(error.message().contains("a redirect was refused"));
        assert_eq!(error.context()[0], ("redirect_to", target.to_owned()));
        assert!(!format!("{error:?}").contains("canary"));
        assert_eq!(test.transport.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_body_beyond_the_cap_is_an_invalid_response() {
    let test = impatient_context();
    test.transport.expect(expected(Method::GET).answer_bytes(
        200,
        "application/json",
        vec![b' '; 11],
    ));
    let client = builder(&test).max_body(10).build();
    let error = client
        .request(Method::GET, "vendor.call", "/x/1")
        .send(&op())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn the_connectors_table_decides_what_an_answer_means() {
    fn table(answer: &ErrorAnswer) -> Error {
        match answer.json::<Value>() {
            Some(body) if body["code"] == 7 => {
                Error::new(ErrorKind::Refused, "the last owner stays")
            }
            _ if answer.status == 423 => {
                Error::new(ErrorKind::Conflict, "locked for a moment").temporary()
            }
            _ => answer.default_error(),
        }
    }
    let test = impatient_context();
    let client = builder(&test).errors(table).build();
    let get = || client.request(Method::GET, "vendor.call", "/x/1");
    test.transport
        .expect(expected(Method::GET).answer(403, &json!({"code": 7})));
    let error = get().send(&op()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.http_status()),
        (ErrorKind::Refused, Some(403))
    );
    test.transport
        .expect(expected(Method::GET).answer(423, &Value::Null));
    test.transport.expect(expected(Method::GET));
    get().send(&op()).await.unwrap();
    test.transport
        .expect(expected(Method::GET).answer(404, &Value::Null));
    assert_eq!(
        get().send(&op()).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn a_429_holds_every_caller_of_the_budget_and_no_other() {
    let test = context();
    test.transport.expect(
        Expectation::new(Method::GET, "/busy")
            .answer(429, &Value::Null)
            .answer_header("retry-after", "5"),
    );
    test.transport
        .expect(Expectation::new(Method::GET, "/busy").times(20));
    test.transport
        .expect(Expectation::new(Method::GET, "/other").times(20));
    let client = builder(&test).build();
    let done = Arc::new(Mutex::new(Vec::new()));
    let start = |path: &'static str, budget: &str| {
        let call = client
            .request(Method::GET, "vendor.call", path)
            .budget(BudgetKey(budget.to_owned()));
        let (done, clock) = (Arc::clone(&done), Arc::clone(&test.clock));
        tokio::spawn(async move {
            call.send(&op()).await.unwrap();
            done.lock()
                .unwrap()
                .push((path, clock.monotonic().as_secs()));
        });
    };
    start("/busy", "a");
    test.clock.advance(Duration::from_secs(1)).await;
    for _ in 0..19 {
        start("/busy", "a");
    }
    for _ in 0..20 {
        start("/other", "b");
    }
    test.clock.advance(Duration::from_secs(2)).await;
    assert_eq!(*done.lock().unwrap(), [("/other", 1); 20]);
    test.clock.advance(Duration::from_secs(3)).await;
    assert_eq!(done.lock().unwrap()[20..], [("/busy", 6); 20]);
    test.transport.assert_done();
}

#[tokio::test]
async fn every_attempt_takes_a_permit() {
    let test = impatient_context();
    let key = BudgetKey("k".to_owned());
    let limit = Limit::per_second(1, 1);
    test.context.limits.declare(&key, &limit);
    test.transport
        .expect(expected(Method::GET).times(3).fail(HttpErrorKind::Connect));
    test.transport.expect(expected(Method::GET));
    request(&test, Method::GET)
        .budget(key)
        .send(&op())
        .await
        .unwrap();
    assert!(test.clock.monotonic() >= Duration::from_secs(3));
}

#[tokio::test]
async fn a_closed_budget_beyond_the_deadline_gives_the_vendors_error_at_once() {
    let test = impatient_context();
    test.transport.expect(
        expected(Method::GET)
            .answer(429, &Value::Null)
            .answer_header("retry-after", "3600"),
    );
    let cx = op().with_deadline(Duration::from_mins(1));
    let call = request(&test, Method::GET).budget(BudgetKey("k".to_owned()));
    let error = call.send(&cx).await.unwrap_err();
    assert_eq!(error.http_status(), Some(429));
    assert_eq!(error.retry(), Retry::Persistent);
    assert_eq!(test.clock.monotonic(), Duration::ZERO);
}

#[test]
fn calls_can_be_spawned() {
    fn is_send<T: Send>(_: &T) {}
    let test = impatient_context();
    let cx = op();
    is_send(&request(&test, Method::GET).send(&cx));
}

#[tokio::test]
async fn the_log_holds_the_template_and_nothing_that_was_filled_in_sent_or_answered() {
    let test = impatient_context();
    let path = "/x/canary-path";
    for answer in [
        Expectation::new(Method::PUT, path).answer(503, &json!("canary-answer")),
        Expectation::new(Method::PUT, path).fail(HttpErrorKind::Interrupted),
        Expectation::new(Method::PUT, path).answer(200, &json!("canary-answer")),
    ] {
        test.transport
            .expect(answer.query("q", "canary-query").any_body());
    }
    let log = logged(async {
        builder(&test)
            .build()
            .request(Method::PUT, "vendor.call", "/x/{id}")
            .path("id", "canary-path")
            .query("q", "canary-query")
            .header("x-plain", "canary-header")
            .secret_header("x-key", &"canary-secret".into())
            .form(&[("f", "canary-body")])
            .send(&op())
            .await
            .unwrap();
    })
    .await;
    for shown in [
        "/x/{id}",
        "PUT",
        "vendor.example",
        "status=503",
        "status=200",
        "trying again",
    ] {
        assert!(log.contains(shown), "{shown} is not in:\n{log}");
    }
    assert!(!log.contains("canary"), "{log}");
}

#[tokio::test]
async fn a_sensitive_request_logs_not_even_its_template() {
    let test = impatient_context();
    test.transport
        .expect(Expectation::new(Method::POST, "/oauth/token"));
    let log = logged(async {
        let client = builder(&test).build();
        let call = client.request(Method::POST, "vendor.token", "/oauth/token");
        call.sensitive().send(&op()).await.unwrap();
    })
    .await;
    assert!(
        log.contains("answered") && !log.contains("/oauth/token"),
        "{log}"
    );
}
