//! 1Password over HTTP: each rule once.

use crate::support::{Got, Wire, send, wire};
use jiff::SignedDuration;
use protect_sandbox::Sandbox;
use reqwest::Method;
use serde_json::json;

const FORM: &str = "application/x-www-form-urlencoded";

impl Wire {
    async fn token_with(&self, path: &str, id: &str, secret: &str, form: &str) -> Got {
        let url = format!("{}{path}", self.sandbox.onepassword_api_url());
        let request = self.http.post(url).basic_auth(id, Some(secret));
        send(request.header("content-type", FORM).body(form.to_owned())).await
    }

    async fn scan_token(&self) -> String {
        let own = self.sandbox.credentials();
        let form = "grant_type=client_credentials";
        let got = self
            .token_with(
                "/v1beta1/users/oauth2/token",
                &own.scan_client_id,
                &own.scan_client_secret,
                form,
            )
            .await;
        got.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn respond_token(&self) -> String {
        let own = self.sandbox.credentials();
        let form = "grant_type=client_credentials&scope=openid";
        let got = self
            .token_with(
                "/v1/oauth/token",
                &own.respond_client_id,
                &own.respond_client_secret,
                form,
            )
            .await;
        assert_eq!(got.json()["expires_in"], 900);
        got.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn users(&self, method: Method, rest: &str, token: &str) -> Got {
        let account = self.sandbox.credentials().account_id;
        let url = format!(
            "{}/v1beta1/accounts/{account}/users{rest}",
            self.sandbox.onepassword_api_url()
        );
        send(self.http.request(method, url).bearer_auth(token)).await
    }
}

fn page_token(got: &Got) -> String {
    let token = got.json()["next_page_token"].as_str().unwrap().to_owned();
    token
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

#[tokio::test]
async fn a_token_is_given_for_exact_basic_credentials_only() {
    let wire = wire(Sandbox::builder()).await;
    let own = wire.sandbox.credentials();
    let path = "/v1beta1/users/oauth2/token";
    let refused = [
        (own.scan_client_secret.as_str(), "grant_type=password", 400),
        (
            &own.scan_client_secret,
            "grant_type=client_credentials&scope=list_users",
            400,
        ),
        (&own.scan_client_secret, "scope=openid", 400),
        (
            &own.scan_client_secret,
            "grant_type=client_credentials&client_id=x",
            401,
        ),
        (
            &own.scan_client_secret,
            "grant_type=client_credentials&audience=x",
            400,
        ),
        ("wrong", "grant_type=client_credentials", 401),
    ];
    for (secret, form, status) in refused {
        let got = wire
            .token_with(path, &own.scan_client_id, secret, form)
            .await;
        assert_eq!(got.status, status, "{form}");
        assert!(got.json()["error"].is_string());
    }
    let url = format!("{}{path}", wire.sandbox.onepassword_api_url());
    let bare = wire.http.post(&url).header("content-type", FORM);
    assert_eq!(
        send(bare.body("grant_type=client_credentials"))
            .await
            .status,
        401
    );
    let json = wire
        .http
        .post(&url)
        .basic_auth(&own.scan_client_id, Some(&own.scan_client_secret));
    assert_eq!(
        send(json.header("content-type", "application/json").body("{}"))
            .await
            .status,
        400
    );
    assert_eq!(
        wire.rules(),
        [
            "grant_type",
            "scope_not_openid",
            "grant_type",
            "credentials_in_body",
            "unknown_form_field",
            "client_credentials",
            "basic_missing",
            "form_content_type"
        ]
    );
}

#[tokio::test]
async fn tokens_expire_after_900_seconds_and_can_be_revoked() {
    let wire = wire(Sandbox::builder()).await;
    let token = wire.scan_token().await;
    wire.sandbox.advance_clock(SignedDuration::from_secs(890));
    assert_eq!(wire.users(Method::GET, "", &token).await.status, 200);
    wire.sandbox.advance_clock(SignedDuration::from_secs(11));
    let expired = wire.users(Method::GET, "", &token).await;
    assert_eq!((expired.status, &expired.json()["code"]), (401, &json!(16)));
    let fresh = wire.scan_token().await;
    let own = wire.sandbox.credentials();
    let revoke = wire
        .token_with(
            "/v1beta1/users/oauth2/revoke",
            &own.scan_client_id,
            &own.scan_client_secret,
            &format!("token={fresh}"),
        )
        .await;
    assert_eq!((revoke.status, revoke.text.as_str()), (200, ""));
    assert_eq!(wire.users(Method::GET, "", &fresh).await.status, 401);
    assert_eq!(
        wire.rules(),
        Vec::<String>::new(),
        "neither can be known to a client"
    );
    assert_eq!(wire.users(Method::GET, "", "made-up").await.status, 401);
    assert_eq!(wire.rules(), ["bearer_unknown"]);
}

#[tokio::test]
async fn lists_come_in_pages_of_25_and_tokens_are_bound_to_filter_and_size() {
    let wire = wire(Sandbox::builder()).await;
    let token = wire.scan_token().await;
    let first = wire.users(Method::GET, "", &token).await;
    assert_eq!(first.json()["results"].as_array().unwrap().len(), 25);
    let next = page_token(&first);
    let second = wire
        .users(Method::GET, &format!("?page_token={next}"), &token)
        .await
        .json();
    assert_eq!(second["results"].as_array().unwrap().len(), 15);
    assert!(second.get("next_page_token").is_none());
    let user = &second["results"][0];
    let account = wire.sandbox.credentials().account_id;
    assert_eq!(
        user["path"],
        json!(format!(
            "accounts/{account}/users/{}",
            user["id"].as_str().unwrap()
        ))
    );
    let active = wire
        .users(
            Method::GET,
            "?filter=user.isActive()&max_page_size=1000",
            &token,
        )
        .await
        .json();
    assert_eq!(active["results"].as_array().unwrap().len(), 39);
    let suspended = wire
        .users(Method::GET, "?filter=user.isSuspended()", &token)
        .await
        .json();
    assert_eq!(
        suspended["results"][0]["email"],
        json!(wire.sandbox.planted().leaver.email)
    );
    assert_eq!(wire.rules(), Vec::<String>::new());
    let bad = [
        format!("?page_token={next}&max_page_size=30"),
        "?page_token=AAAA".to_owned(),
        "?maxPageSize=10".to_owned(),
        "?max_page_size=1001".to_owned(),
        "?filter=user.isOwner()".to_owned(),
    ];
    for query in bad {
        let got = wire.users(Method::GET, &query, &token).await;
        assert_eq!(
            (got.status, &got.json()["code"]),
            (400, &json!(3)),
            "{query}"
        );
    }
    assert_eq!(
        wire.rules(),
        [
            "page_token_reused",
            "page_token_unknown",
            "unknown_query",
            "page_size",
            "filter_unknown"
        ]
    );
}

#[tokio::test]
async fn suspending_twice_is_one_transition_and_reactivating_undoes_it() {
    let wire = wire(Sandbox::builder()).await;
    let token = wire.respond_token().await;
    let id = wire.sandbox.planted().leaked.id;
    for _ in 0..2 {
        let got = wire
            .users(Method::POST, &format!("/{id}:suspend"), &token)
            .await;
        assert_eq!(
            (got.status, &got.json()["state"]),
            (200, &json!("SUSPENDED"))
        );
    }
    assert_eq!(wire.sandbox.transitions().len(), 1);
    let got = wire
        .users(Method::GET, &format!("/{id}"), &token)
        .await
        .json();
    assert_eq!(got["state"], "SUSPENDED");
    wire.users(Method::POST, &format!("/{id}:reactivate"), &token)
        .await;
    let moves: Vec<(String, String)> = wire
        .sandbox
        .transitions()
        .into_iter()
        .map(|t| (t.from, t.to))
        .collect();
    assert_eq!(moves[1], ("SUSPENDED".to_owned(), "ACTIVE".to_owned()));
    let changing = wire
        .sandbox
        .requests()
        .iter()
        .filter(|request| request.changing)
        .count();
    assert_eq!(changing, 3);
    assert_eq!(wire.rules(), Vec::<String>::new());
    let audit = wire
        .events("/api/v2/auditevents", json!({"limit": 1000}))
        .await
        .json();
    let actions: Vec<&str> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|e| e["action"].as_str())
        .collect();
    assert!(actions.ends_with(&["suspend", "reactive"]));
}

#[tokio::test]
async fn protected_users_are_refused_and_that_is_no_violation() {
    let wire = wire(Sandbox::builder()).await;
    let token = wire.respond_token().await;
    let planted = wire.sandbox.planted();
    let owner = wire
        .users(
            Method::POST,
            &format!("/{}:suspend", planted.owner.id),
            &token,
        )
        .await;
    assert_eq!(
        (owner.status, owner.json()),
        (
            403,
            json!({"code": 7, "message": "no_owner_remain", "details": []})
        )
    );
    let admin = wire
        .users(
            Method::POST,
            &format!("/{}:suspend", planted.external_admin.id),
            &token,
        )
        .await;
    assert_eq!(admin.status, 403);
    wire.control(
        Method::POST,
        "/onepassword/settings",
        json!({"automated_provisioning": true}),
    )
    .await;
    let provisioned = wire
        .users(
            Method::POST,
            &format!("/{}:suspend", planted.leaked.id),
            &token,
        )
        .await;
    assert_eq!(provisioned.status, 403);
    let unknown = wire
        .users(Method::GET, &format!("/{}", "A".repeat(26)), &token)
        .await;
    assert_eq!(unknown.status, 404);
    assert_eq!(wire.rules(), Vec::<String>::new());
    assert!(wire.sandbox.transitions().is_empty());
}

#[tokio::test]
async fn an_owner_can_be_suspended_while_another_remains() {
    let wire = wire(Sandbox::builder()).await;
    let token = wire.respond_token().await;
    let planted = wire.sandbox.planted();
    wire.control(
        Method::PATCH,
        &format!("/onepassword/users/{}", planted.mistyped.id),
        json!({"owner": true}),
    )
    .await;
    let got = wire
        .users(
            Method::POST,
            &format!("/{}:suspend", planted.owner.id),
            &token,
        )
        .await;
    assert_eq!(got.status, 200);
}

#[tokio::test]
async fn the_scan_application_cannot_suspend_and_wrong_forms_are_refused() {
    let wire = wire(Sandbox::builder()).await;
    let (scan, respond) = (wire.scan_token().await, wire.respond_token().await);
    let id = wire.sandbox.planted().leaked.id;
    assert_eq!(
        wire.users(Method::POST, &format!("/{id}:suspend"), &scan)
            .await
            .status,
        403
    );
    assert_eq!(
        wire.users(Method::POST, &format!("/{id}%3Asuspend"), &respond)
            .await
            .status,
        404
    );
    assert_eq!(
        wire.users(Method::POST, &format!("/{id}/:suspend"), &respond)
            .await
            .status,
        404
    );
    assert_eq!(
        wire.users(Method::PATCH, &format!("/{id}:suspend"), &respond)
            .await
            .status,
        404
    );
    assert_eq!(
        wire.users(Method::GET, "/lower", &respond).await.status,
        400
    );
    let url = format!(
        "{}/v1beta1/accounts/{}/users",
        wire.sandbox.onepassword_api_url(),
        "B".repeat(26)
    );
    assert_eq!(
        send(wire.http.get(url).bearer_auth(&scan)).await.status,
        404
    );
    assert_eq!(
        wire.rules(),
        [
            "scope_missing",
            "unknown_route",
            "unknown_route",
            "unknown_route",
            "user_id_malformed",
            "unknown_account"
        ]
    );
}

#[tokio::test]
async fn a_hundred_thousand_users_come_from_prepared_pages() {
    let wire = wire(
        Sandbox::builder()
            .users(100_000)
            .prerender(1000)
            .rate_limits(false),
    )
    .await;
    let token = wire.scan_token().await;
    let mut query = "?max_page_size=1000".to_owned();
    let mut count = 0;
    loop {
        let got = wire.users(Method::GET, &query, &token).await;
        count += got.json()["results"].as_array().unwrap().len();
        if got.json().get("next_page_token").is_none() {
            break;
        }
        query = format!("?max_page_size=1000&page_token={}", page_token(&got));
    }
    assert_eq!(count, 100_000);
}

#[tokio::test]
async fn the_seed_decides_the_people_and_a_reset_brings_the_beginning_back() {
    let (one, other) = (
        wire(Sandbox::builder().seed(1)).await,
        wire(Sandbox::builder().seed(2)).await,
    );
    assert_ne!(one.sandbox.planted(), other.sandbox.planted());
    let same = wire(Sandbox::builder().seed(1)).await;
    assert_eq!(one.sandbox.planted(), same.sandbox.planted());
    let accepted = one.sandbox.credentials();
    let mut elsewhere = same.sandbox.credentials();
    // Key files name the token endpoint, and webhooks are addresses, which are at another port.
    elsewhere
        .google_scan_key
        .clone_from(&accepted.google_scan_key);
    elsewhere
        .google_respond_key
        .clone_from(&accepted.google_respond_key);
    let path = |url: &str| url.splitn(4, '/').nth(3).map(str::to_owned);
    assert_eq!(
        path(&elsewhere.slack_webhook_url),
        path(&accepted.slack_webhook_url)
    );
    assert_eq!(
        path(&elsewhere.teams_webhook_url),
        path(&accepted.teams_webhook_url)
    );
    elsewhere
        .slack_webhook_url
        .clone_from(&accepted.slack_webhook_url);
    elsewhere
        .teams_webhook_url
        .clone_from(&accepted.teams_webhook_url);
    assert_eq!(accepted, elsewhere);
    let id = one.sandbox.planted().leaked.id;
    assert!(one.sandbox.set_user_suspended(&id, true));
    assert!(!one.sandbox.set_user_suspended("nobody", true));
    assert_eq!(one.sandbox.transitions()[0].request, None);
    one.control(Method::POST, "/reset", json!({})).await;
    assert!(one.sandbox.transitions().is_empty());
    assert_eq!(one.sandbox.credentials(), accepted);
    one.sandbox.shutdown().await;
}
