//! Have I Been Pwned over HTTP: each rule once.

use crate::support::{Got, Wire, send, wire};
use jiff::SignedDuration;
use protect_sandbox::{Plan, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

impl Wire {
    async fn hibp(&self, path: &str) -> Got {
        let key = self.sandbox.credentials().hibp_api_key;
        self.hibp_with(path, &key).await
    }

    async fn hibp_with(&self, path: &str, key: &str) -> Got {
        let url = format!("{}{path}", self.sandbox.hibp_api_url());
        send(self.http.get(url).header("hibp-api-key", key)).await
    }

    async fn hibp_post(&self, path: &str, body: Value) -> Got {
        let key = self.sandbox.credentials().hibp_api_key;
        let url = format!("{}{path}", self.sandbox.hibp_api_url());
        let request = self.http.post(url).header("hibp-api-key", key);
        send(
            request
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
        .await
    }
}

fn encoded(email: &str) -> String {
    email.replace('@', "%40")
}

fn names(got: &Got) -> Vec<String> {
    let rows = got.json();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["Name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_planted_address_is_in_the_planted_breach_and_a_clean_one_is_404() {
    let wire = wire(Sandbox::builder()).await;
    let planted = wire.sandbox.planted();
    let found = wire
        .hibp(&format!(
            "/breachedaccount/{}",
            encoded(&planted.leaked.email)
        ))
        .await;
    assert_eq!(
        (found.status, names(&found)),
        (200, vec![planted.leaked_breach.clone()])
    );
    let clean = wire.hibp("/breachedaccount/nobody%40acme.example").await;
    assert_eq!(clean.status, 404);
    let breach = wire
        .hibp(&format!("/breach/{}", planted.leaked_breach))
        .await
        .json();
    assert!(
        breach["Description"]
            .as_str()
            .unwrap()
            .to_lowercase()
            .contains("plain text")
    );
    assert_eq!(wire.rules(), Vec::<String>::new());
    assert!(
        wire.sandbox
            .requests()
            .iter()
            .all(|request| !request.changing)
    );
}

#[tokio::test]
async fn keys_are_checked_for_their_form_first_and_then_for_being_known() {
    let wire = wire(Sandbox::builder()).await;
    assert_eq!(
        wire.hibp_with("/subscription/status", "short").await.status,
        401
    );
    assert_eq!(
        wire.hibp_with("/subscription/status", &"0".repeat(32))
            .await
            .status,
        401
    );
    assert_eq!(wire.rules(), ["key_format", "key_unknown"]);
}

#[tokio::test]
async fn any_well_formed_key_may_ask_about_the_test_accounts() {
    let wire = wire(Sandbox::builder()).await;
    let ask = async |alias: &str, what: &str| {
        let path = format!("/{what}/{alias}%40hibp-integration-tests.com");
        wire.hibp_with(&path, &"0".repeat(32)).await
    };
    let expected = [
        ("account-exists", 1),
        ("multiple-breaches", 3),
        ("not-active-and-active-breach", 1),
        ("not-active-breach", 0),
        ("opt-out", 0),
        ("opt-out-breach", 0),
        ("paste-sensitive-breach", 0),
        ("permanent-opt-out", 0),
        ("sensitive-and-other-breaches", 2),
        ("sensitive-breach", 0),
        ("spam-list-only", 1),
        ("spam-list-and-others", 3),
        ("stealer-log", 1),
        ("subscription-free-breach", 1),
        ("subscription-free-and-other-breaches", 3),
        ("unverified-breach", 1),
    ];
    for (alias, count) in expected {
        let got = ask(alias, "breachedaccount").await;
        let found = if got.status == 404 {
            0
        } else {
            names(&got).len()
        };
        assert_eq!(found, count, "{alias}");
    }
    assert_eq!(
        ask("paste-sensitive-breach", "pasteaccount").await.json()[0]["EmailCount"],
        139
    );
    assert_eq!(ask("opt-out", "pasteaccount").await.status, 404);
    assert_eq!(wire.rules(), Vec::<String>::new());
}

#[tokio::test]
async fn a_missing_or_misleading_user_agent_gets_403() {
    let wire = wire(Sandbox::builder()).await;
    let bare = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/breaches", wire.sandbox.hibp_api_url());
    assert_eq!(send(bare.get(&url)).await.status, 403);
    assert_eq!(
        send(bare.get(&url).header("user-agent", "Mozilla/5.0"))
            .await
            .status,
        403
    );
    assert_eq!(
        wire.rules(),
        ["user_agent_missing", "user_agent_misleading"]
    );
}

#[tokio::test]
async fn an_account_must_be_percent_encoded_and_well_formed() {
    let wire = wire(Sandbox::builder()).await;
    for path in [
        "/breachedaccount/a+b@acme.example",
        "/breachedaccount/a%40b%40c.example",
        "/breachedaccount/%20",
    ] {
        assert_eq!(wire.hibp(path).await.status, 400, "{path}");
    }
    assert_eq!(
        wire.rules(),
        [
            "parameter_not_encoded",
            "account_malformed",
            "parameter_empty"
        ]
    );
}

#[tokio::test]
async fn truncation_unverified_and_site_are_chosen_by_the_query() {
    let wire = wire(Sandbox::builder()).await;
    let key = "0".repeat(32);
    let full = wire.hibp_with("/breachedaccount/multiple-breaches%40hibp-integration-tests.com?truncateResponse=false", &key).await;
    let first = full.json()[0].clone();
    assert!(first["DataClasses"].is_array());
    let titles: Vec<String> = full
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["Title"].as_str().unwrap().to_owned())
        .collect();
    assert!(titles.is_sorted());
    let site = first["Domain"].as_str().unwrap();
    let one = wire
        .hibp_with(
            &format!(
                "/breachedaccount/multiple-breaches%40hibp-integration-tests.com?Domain={site}"
            ),
            &key,
        )
        .await;
    assert_eq!(names(&one), [first["Name"].as_str().unwrap()]);
    let none = wire.hibp_with("/breachedaccount/unverified-breach%40hibp-integration-tests.com?IncludeUnverified=false", &key).await;
    assert_eq!(none.status, 404);
    let wrong = wire
        .hibp_with(
            "/breachedaccount/stealer-log%40hibp-integration-tests.com?truncateResponse=no",
            &key,
        )
        .await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn a_range_holds_the_searched_suffix_among_strangers() {
    let wire = wire(Sandbox::builder().range_rows(25)).await;
    wire.sandbox.publish_breach(
        json!({"Name": "Mine", "AddedDate": "2026-11-01T00:00:00Z", "IsVerified": true}),
        &["test@example.com".to_owned()],
    );
    let rows = wire.hibp("/breachedaccount/range/567159").await.json();
    let rows = rows.as_array().unwrap().clone();
    let own = rows
        .iter()
        .find(|row| row["hashSuffix"] == "D622FFBB50B11B0EFD307BE358624A26EE")
        .unwrap();
    assert_eq!(own["websites"], json!(["Mine"]));
    assert_eq!(rows.len(), 26);
    assert_eq!(wire.hibp("/breachedaccount/range/56715").await.status, 400);
    assert_eq!(wire.hibp("/latestbreach").await.json()["Name"], "Mine");
}

#[tokio::test]
async fn a_core_plan_has_no_ranges_no_stealer_logs_and_no_domain_verification() {
    let wire = wire(Sandbox::builder().plan(Plan::named("Core 3").unwrap())).await;
    let status = wire.hibp("/subscription/status").await.json();
    assert_eq!(
        (&status["Rpm"], &status["IncludesKAnon"]),
        (&json!(100), &json!(false))
    );
    assert!(!status["SubscribedUntil"].as_str().unwrap().ends_with('Z'));
    assert_eq!(wire.hibp("/breachedaccount/range/567159").await.status, 403);
    assert_eq!(
        wire.hibp("/stealerlogsbyemaildomain/acme.example")
            .await
            .status,
        403
    );
    let token = wire
        .hibp_post(
            "/domainverification/generatednstoken",
            json!({"DomainName": "b.example"}),
        )
        .await;
    assert_eq!(token.status, 403);
    assert_eq!(wire.rules(), ["plan_lacks_feature"; 3]);
}

#[tokio::test]
async fn the_rate_is_held_over_any_minute_and_429_tells_when_to_come_back() {
    let wire = wire(Sandbox::builder().plan(Plan::named("Core 1").unwrap())).await;
    let ask = async || wire.hibp("/breachedaccount/nobody%40acme.example").await;
    for _ in 0..10 {
        assert_eq!(ask().await.status, 404);
    }
    let limited = ask().await;
    assert_eq!(limited.status, 429);
    let wait: i64 = limited.retry_after.clone().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert!(limited.text.contains(&wait.to_string()));
    wire.sandbox
        .advance_clock(SignedDuration::from_secs(wait - 30));
    assert_eq!(ask().await.status, 429, "still within the sliding minute");
    wire.sandbox.advance_clock(SignedDuration::from_secs(31));
    assert_eq!(ask().await.status, 404);
    assert_eq!(wire.rules(), ["rate_limit_exceeded"; 2]);
    assert_eq!(
        wire.hibp("/latestbreach").await.status,
        200,
        "the catalogue has no limit"
    );
}

#[tokio::test]
async fn a_range_can_weigh_two_requests() {
    let wire = wire(Sandbox::builder()).await;
    let changed = wire
        .control(Method::POST, "/hibp/settings", json!({"kanon_weight": 400}))
        .await;
    assert_eq!(changed.status, 200);
    let statuses = [
        wire.hibp("/breachedaccount/range/567159").await.status,
        wire.hibp("/breachedaccount/range/567150").await.status,
        wire.hibp("/breachedaccount/range/567151").await.status,
    ];
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test]
async fn a_domain_is_searched_only_once_verified() {
    let wire = wire(Sandbox::builder()).await;
    let planted = wire.sandbox.planted();
    let found = wire.hibp("/breacheddomain/acme.example").await.json();
    let alias = planted.leaked.email.split('@').next().unwrap();
    assert_eq!(found[alias], json!([planted.leaked_breach]));
    assert_eq!(found.as_object().unwrap().len(), 2);
    let rows = wire.hibp("/subscribeddomains").await.json();
    assert_eq!(
        (&rows[0]["DomainName"], &rows[0]["PwnCount"]),
        (&json!("acme.example"), &json!(2))
    );
    assert!(
        !rows[0]["NextSubscriptionRenewal"]
            .as_str()
            .unwrap()
            .ends_with('Z')
    );
    assert_eq!(wire.rules(), Vec::<String>::new());
    assert_eq!(wire.hibp("/breacheddomain/b.example").await.status, 403);

    let body = json!({"DomainName": "b.example"});
    let token = wire
        .hibp_post("/domainverification/generatednstoken", body.clone())
        .await
        .json();
    let early = wire
        .hibp_post("/domainverification/verifydnstoken", body.clone())
        .await;
    assert_eq!(
        (early.status, early.json()["message"].is_string()),
        (200, true)
    );
    wire.control(
        Method::POST,
        "/hibp/settings",
        json!({"dns_failure_status": 400}),
    )
    .await;
    assert_eq!(
        wire.hibp_post("/domainverification/verifydnstoken", body.clone())
            .await
            .status,
        400
    );
    wire.control(
        Method::POST,
        "/hibp/domains",
        json!({"domain": "b.example", "txt": token["txtRecordValue"]}),
    )
    .await;
    let verified = wire
        .hibp_post("/domainverification/verifydnstoken", body)
        .await;
    assert_eq!((verified.status, verified.text.as_str()), (200, ""));
    assert_eq!(wire.hibp("/breacheddomain/b.example").await.status, 404);
    assert_eq!(wire.rules(), ["domain_not_verified"]);
    assert_eq!(wire.sandbox.transitions().len(), 1);
    let mail = wire
        .hibp_post(
            "/domainverification/sendemail",
            json!({"DomainName": "c.example", "EmailAlias": "boss"}),
        )
        .await;
    assert_eq!(mail.status, 400);
}

#[tokio::test]
async fn domain_search_shows_sensitive_breaches_and_the_plan_bounds_its_size() {
    let wire = wire(Sandbox::builder().plan(Plan::named("Core 1").unwrap())).await;
    let breach = json!({"Name": "Secret", "IsSensitive": true});
    let accounts: Vec<String> = (0..24).map(|n| format!("p{n}@acme.example")).collect();
    wire.sandbox.publish_breach(breach, &accounts[..3]);
    assert_eq!(
        wire.hibp("/breachedaccount/p0%40acme.example").await.status,
        404
    );
    assert_eq!(
        wire.hibp("/breacheddomain/acme.example").await.json()["p0"],
        json!(["Secret"])
    );
    wire.sandbox.publish_breach(
        json!({"Name": "Spam", "IsSpamList": true}),
        &["only@acme.example".to_owned()],
    );
    wire.sandbox
        .publish_breach(json!({"Name": "Open"}), &accounts[3..23]);
    assert_eq!(wire.hibp("/breacheddomain/acme.example").await.status, 200);
    wire.sandbox
        .publish_breach(json!({"Name": "Open"}), &accounts[23..]);
    assert_eq!(wire.hibp("/breacheddomain/acme.example").await.status, 403);
}

#[tokio::test]
async fn stealer_logs_answer_by_address_site_and_mail_domain() {
    let wire = wire(Sandbox::builder()).await;
    let account =
        json!({"email": "x@acme.example", "stealer_sites": ["shop.example", "acme.example"]});
    wire.control(Method::POST, "/hibp/accounts", account).await;
    let sites = wire
        .hibp("/stealerlogsbyemail/x%40acme.example")
        .await
        .json();
    assert_eq!(sites, json!(["acme.example", "shop.example"]));
    assert_eq!(
        wire.hibp("/stealerlogsbywebsitedomain/acme.example")
            .await
            .json(),
        json!(["x@acme.example"])
    );
    assert_eq!(
        wire.hibp("/stealerlogsbyemaildomain/acme.example")
            .await
            .json()["x"],
        sites
    );
    assert_eq!(
        wire.hibp("/stealerlogsbyemail/nobody%40acme.example")
            .await
            .status,
        404
    );
    assert_eq!(
        wire.hibp("/stealerlogsbyemail/x%40other.example")
            .await
            .status,
        403
    );
    for _ in 0..8 {
        wire.hibp("/stealerlogsbyemaildomain/acme.example").await;
    }
    assert_eq!(
        wire.hibp("/stealerlogsbyemaildomain/acme.example")
            .await
            .status,
        429
    );
}

#[tokio::test]
async fn the_catalogue_is_open_and_can_be_filtered() {
    let wire = wire(Sandbox::builder()).await;
    let get = async |path: &str| {
        send(
            wire.http
                .get(format!("{}{path}", wire.sandbox.hibp_api_url())),
        )
        .await
    };
    let all = get("/breaches").await.json();
    assert!(all.as_array().unwrap().len() > 300);
    let spam = get("/breaches?IsSpamList=true").await.json();
    assert!(
        spam.as_array()
            .unwrap()
            .iter()
            .all(|breach| breach["IsSpamList"] == true)
    );
    assert_eq!(get("/BREACH/Adobe").await.json()["Name"], "Adobe");
    assert_eq!(get("/breach/NoSuchBreach").await.status, 404);
    let classes = get("/dataclasses").await.json();
    assert!(classes.as_array().unwrap().contains(&json!("Passwords")));
    assert_eq!(get("/nosuchendpoint").await.status, 404);
    assert_eq!(wire.rules(), ["unknown_route"]);
}

#[tokio::test]
async fn password_ranges_are_crlf_lines_with_padding_and_ntlm_on_demand() {
    let wire = wire(Sandbox::builder()).await;
    let get = async |path: &str| {
        send(
            wire.http
                .get(format!("{}{path}", wire.sandbox.hibp_passwords_url()))
                .header("add-padding", "true"),
        )
        .await
    };
    let sha1 = get("/range/5BAA6").await.text;
    assert!(sha1.contains("1E4C9B93F3F0682250B6CF8331B7EE68FD8:10434004\r\n"));
    assert!((800..=1000).contains(&sha1.split("\r\n").count()));
    let ntlm = get("/range/8846f?mode=ntlm").await.text;
    assert!(ntlm.contains("7EAEE8FB117AD06BDD830B7586C:10434004"));
    assert_eq!(get("/range/XYZ12").await.status, 400);
    let keyed = wire
        .http
        .get(format!("{}/range/00000", wire.sandbox.hibp_passwords_url()));
    send(keyed.header("hibp-api-key", "0".repeat(32))).await;
    assert_eq!(wire.rules(), ["hash_prefix", "key_sent_to_passwords"]);
}

#[tokio::test]
async fn a_catalogue_file_is_served_as_it_is_and_a_bad_one_is_refused() {
    let folder = std::env::temp_dir().join(format!("protect-sandbox-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("breaches.json");
    std::fs::write(
        &path,
        r#"[{"Name": "Only", "Unheard": 1, "AddedDate": "2026-01-01T00:00:00Z"}]"#,
    )
    .unwrap();
    let wire = wire(Sandbox::builder().catalogue(&path)).await;
    assert_eq!(wire.hibp("/breach/only").await.json()["Unheard"], 1);
    std::fs::write(&path, "{}").unwrap();
    assert!(Sandbox::builder().catalogue(&path).start().await.is_err());
    assert!(
        Sandbox::builder()
            .catalogue(folder.join("absent"))
            .start()
            .await
            .is_err()
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
