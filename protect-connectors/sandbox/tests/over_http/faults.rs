//! Each fault as a client meets it.

use std::time::{Duration, Instant};

use crate::support::{Got, Wire, send, wire};
use protect_sandbox::{Fault, FaultKind, Sandbox, Vendor};
use reqwest::Method;
use serde_json::json;

impl Wire {
    fn with(&self, fault: Fault) -> &Self {
        self.sandbox.clear_faults();
        self.sandbox.set_fault(fault);
        self
    }

    fn latest(&self) -> reqwest::RequestBuilder {
        self.http
            .get(format!("{}/latestbreach", self.sandbox.hibp_api_url()))
    }

    async fn token(&self) -> String {
        let own = self.sandbox.credentials();
        let url = format!(
            "{}/v1beta1/users/oauth2/token",
            self.sandbox.onepassword_api_url()
        );
        let request = self
            .http
            .post(url)
            .basic_auth(own.respond_client_id, Some(own.respond_client_secret));
        let form = request.header("content-type", "application/x-www-form-urlencoded");
        let got = send(form.body("grant_type=client_credentials")).await;
        got.json()["access_token"].as_str().unwrap().to_owned()
    }

    fn user(&self, method: Method, rest: &str, token: &str) -> reqwest::RequestBuilder {
        let account = self.sandbox.credentials().account_id;
        let url = format!(
            "{}/v1beta1/accounts/{account}/users{rest}",
            self.sandbox.onepassword_api_url()
        );
        self.http.request(method, url).bearer_auth(token)
    }

    async fn let_list(&self) {
        let body =
            json!({"application": "respond", "scopes": ["list", "get", "suspend", "reactivate"]});
        self.control(Method::POST, "/onepassword/scopes", body)
            .await;
    }
}

fn ids(got: &Got) -> Vec<String> {
    let rows = got.json();
    let rows = rows["results"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_early_close_and_a_cut_body_are_errors_of_the_connection() {
    let wire = wire(Sandbox::builder()).await;
    let early = wire
        .with(Fault::new(FaultKind::CloseEarly))
        .latest()
        .send()
        .await;
    assert!(early.is_err());
    let cut = wire
        .with(Fault::new(FaultKind::ResetMidBody))
        .latest()
        .send()
        .await;
    assert!(cut.unwrap().bytes().await.is_err());
}

#[tokio::test]
async fn a_lost_answer_was_applied_and_an_early_close_was_not() {
    let wire = wire(Sandbox::builder()).await;
    let token = wire.token().await;
    let path = format!("/{}:suspend", wire.sandbox.planted().leaked.id);
    wire.with(Fault::new(FaultKind::CloseEarly));
    assert!(wire.user(Method::POST, &path, &token).send().await.is_err());
    assert!(wire.sandbox.transitions().is_empty());
    wire.with(Fault::new(FaultKind::AnswerLost));
    assert!(wire.user(Method::POST, &path, &token).send().await.is_err());
    assert_eq!(wire.sandbox.transitions().len(), 1);
}

#[tokio::test]
async fn delays_and_slow_bodies_take_their_time_and_then_are_whole() {
    let wire = wire(Sandbox::builder()).await;
    for kind in [FaultKind::Delay, FaultKind::SlowDrip] {
        let begun = Instant::now();
        let got = send(wire.with(Fault::new(kind).millis(60)).latest()).await;
        assert!(begun.elapsed() >= Duration::from_millis(60));
        assert!(got.json()["Name"].is_string());
    }
}

#[tokio::test]
async fn bodies_can_be_half_html_or_huge() {
    let wire = wire(Sandbox::builder()).await;
    let got = send(wire.with(Fault::new(FaultKind::TruncatedJson)).latest()).await;
    assert_eq!(got.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&got.text).is_err());
    for (kind, status) in [(FaultKind::Html200, 200), (FaultKind::Html502, 502)] {
        let got = send(wire.with(Fault::new(kind)).latest()).await;
        assert_eq!(
            (got.status, got.text.starts_with("<!DOCTYPE")),
            (status, true)
        );
    }
    let huge = send(wire.with(Fault::new(FaultKind::HugeBody)).latest()).await;
    assert!(huge.text.len() > 10 * 1024 * 1024);
}

#[tokio::test]
async fn refusals_by_fault_are_no_violations_and_end_with_their_count() {
    let wire = wire(Sandbox::builder()).await;
    let seconds = Fault::new(FaultKind::RateLimitedSeconds)
        .seconds(7)
        .times(1);
    let got = send(wire.with(seconds).latest()).await;
    assert_eq!((got.status, got.retry_after.as_deref()), (429, Some("7")));
    assert_eq!(send(wire.latest()).await.status, 200);
    let got = send(wire.with(Fault::new(FaultKind::RateLimitedDate)).latest()).await;
    assert!(got.retry_after.unwrap().ends_with(" GMT"));
    let got = send(wire.with(Fault::new(FaultKind::RateLimitedBare)).latest()).await;
    assert_eq!((got.status, got.retry_after), (429, None));
    let statuses = [
        (FaultKind::Unavailable, 503),
        (FaultKind::ScopeRemoved, 403),
        (FaultKind::Unauthorized, 401),
        (FaultKind::RedirectElsewhere, 307),
    ];
    for (kind, status) in statuses {
        assert_eq!(
            send(wire.with(Fault::new(kind)).latest()).await.status,
            status
        );
    }
    assert!(wire.sandbox.violations().is_empty());
    let last = wire.sandbox.requests().pop().unwrap();
    assert_eq!(last.faults, ["redirect_elsewhere"]);
}

#[tokio::test]
async fn revoked_tokens_are_refused_until_a_new_one_is_fetched() {
    let wire = wire(Sandbox::builder()).await;
    let path = format!("/{}", wire.sandbox.planted().leaked.id);
    let token = wire.token().await;
    wire.with(
        Fault::new(FaultKind::Unauthorized)
            .on("/users/{user}")
            .times(1),
    );
    assert_eq!(
        send(wire.user(Method::GET, &path, &token)).await.status,
        401
    );
    assert_eq!(
        send(wire.user(Method::GET, &path, &token)).await.status,
        401
    );
    let token = wire.token().await;
    assert_eq!(
        send(wire.user(Method::GET, &path, &token)).await.status,
        200
    );
    assert!(wire.sandbox.violations().is_empty());
}

#[tokio::test]
async fn pages_can_repeat_omit_and_expire() {
    let wire = wire(Sandbox::builder()).await;
    wire.let_list().await;
    let token = wire.token().await;
    let list = async |query: &str| send(wire.user(Method::GET, query, &token)).await;
    let whole = ids(&list("?max_page_size=1000").await);
    let first = list("").await;
    let next = first.json()["next_page_token"].as_str().unwrap().to_owned();
    let next = next
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let query = format!("?page_token={next}");
    wire.with(Fault::new(FaultKind::DuplicateItems));
    assert_eq!(ids(&list(&query).await), whole[24..]);
    wire.with(Fault::new(FaultKind::MissingItems));
    assert_eq!(ids(&list("").await), whole[..24]);
    wire.with(Fault::new(FaultKind::PageTokenExpired));
    assert_eq!(list(&query).await.status, 400);
    assert!(wire.sandbox.violations().is_empty());
}

#[tokio::test]
async fn reads_after_a_write_stay_old_for_as_many_reads_as_set() {
    let wire = wire(Sandbox::builder()).await;
    let token = wire.token().await;
    let id = wire.sandbox.planted().leaked.id;
    wire.with(Fault::new(FaultKind::StaleReads).reads(2));
    let written = send(wire.user(Method::POST, &format!("/{id}:suspend"), &token)).await;
    assert_eq!(written.json()["state"], "SUSPENDED");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let got = send(wire.user(Method::GET, &format!("/{id}"), &token)).await;
        seen.push(got.json()["state"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["ACTIVE", "ACTIVE", "SUSPENDED"]);
}

#[tokio::test]
async fn content_can_drift_from_its_documented_form() {
    let wire = wire(Sandbox::builder()).await;
    let got = send(wire.with(Fault::new(FaultKind::UnknownEnum)).latest())
        .await
        .json();
    assert!(
        got["DataClasses"]
            .as_array()
            .unwrap()
            .contains(&json!("Not yet documented"))
    );
    let got = send(wire.with(Fault::new(FaultKind::NumbersAsStrings)).latest()).await;
    assert!(got.json()["PwnCount"].is_string());
    let got = send(wire.with(Fault::new(FaultKind::NewFields)).latest()).await;
    assert!(got.json()["NotYetDocumented"].is_array());
    let response = wire
        .with(Fault::new(FaultKind::ClockSkew))
        .latest()
        .send()
        .await
        .unwrap();
    let date = response
        .headers()
        .get("date")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(date)
        .unwrap();
    let ahead = date.duration_since(wire.sandbox.now()).as_secs();
    assert!((590..=600).contains(&ahead));
}

#[tokio::test]
async fn suspensions_can_fail_or_be_refused_while_the_rest_works() {
    let wire = wire(Sandbox::builder()).await;
    let token = wire.token().await;
    let id = wire.sandbox.planted().leaked.id;
    for (name, status) in [("suspend_fails", 500), ("suspend_refused", 403)] {
        wire.with(Fault::named(name).unwrap().at(Vendor::OnePassword));
        let got = send(wire.user(Method::POST, &format!("/{id}:suspend"), &token)).await;
        assert_eq!(got.status, status);
        assert!(got.json()["code"].is_number());
        assert_eq!(
            send(wire.user(Method::GET, &format!("/{id}"), &token))
                .await
                .status,
            200
        );
    }
    assert!(wire.sandbox.transitions().is_empty());
    assert!(wire.sandbox.violations().is_empty());
}
