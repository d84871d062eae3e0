//! What can be decided, by whom, and from where.

use http::StatusCode;
use protect_connectors::core::engine::FindingFilter;
use protect_connectors::core::model::Actor;
use protect_sandbox::HubToken;
use serde_json::json;

use crate::world::{World, client, location, staff, text};

#[tokio::test]
async fn an_admin_approves_a_plan_and_the_account_is_suspended() {
    let world = World::new().await.scanned().await;
    let plan = world.request("acme", &Actor::unverified("carol")).await;
    let browser = world.staff("acme", "admin").await;
    let list = browser.page("/t/acme/plans").await;
    assert!(list.contains(plan.id.as_str()) && list.contains("suspend account"));
    let path = format!("/t/acme/plans/{}", plan.id);
    let page = browser.page(&path).await;
    assert!(page.contains("state: active") && page.contains("state: suspended"));
    let done = browser.submit(&format!("{path}/approve"), "").await;
    assert_eq!(
        (done.status(), location(&done)),
        (StatusCode::SEE_OTHER, path.as_str())
    );
    assert!(browser.page(&path).await.contains("Approved by hub-admin"));
    let tenant = world.tenant("acme");
    let approved = tenant.approved_by_id(&plan.id).await.unwrap();
    let by = approved.approval().by.clone();
    assert_eq!(
        (by.id.as_str(), by.authenticated_by.as_str()),
        ("hub-admin", "hub")
    );
    let steps = tenant.apply(approved).await.unwrap();
    assert_eq!(steps.len(), 1);
}

#[tokio::test]
async fn a_rejected_plan_says_so_and_asks_for_a_reason_without_addresses() {
    let world = World::new().await.scanned().await;
    let plan = world.request("acme", &Actor::unverified("carol")).await;
    let browser = world.staff("acme", "owner").await;
    let path = format!("/t/acme/plans/{}/reject", plan.id);
    for reason in ["", "reason=", "reason=jane%40acme.example+is+on+site"] {
        let refused = browser.submit(&path, reason).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{reason}");
    }
    let done = browser.submit(&path, "reason=She+is+on+site").await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    let page = browser.page(&format!("/t/acme/plans/{}", plan.id)).await;
    assert!(page.contains("does not wait any more"));
    let late = browser
        .submit(&format!("/t/acme/plans/{}/approve", plan.id), "")
        .await;
    assert_eq!(late.status(), StatusCode::CONFLICT);
}

#[tokio::test]
async fn who_only_reads_finds_no_button_and_is_refused_all_the_same() {
    let world = World::new().await.scanned().await;
    let plan = world.request("acme", &Actor::unverified("carol")).await;
    for role in ["viewer", "member", "billing", "superuser"] {
        let browser = world.staff("acme", role).await;
        for what in ["approve", "reject"] {
            let path = format!("/t/acme/plans/{}/{what}", plan.id);
            let refused = browser.submit(&path, "reason=no").await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{role} {what}");
            let api = format!("/t/acme/api/plans/{}/{what}", plan.id);
            let refused = browser.submit(&api, "").await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{role} {what}");
        }
    }
    let viewer = world.staff("acme", "viewer").await;
    let page = viewer.page(&format!("/t/acme/plans/{}", plan.id)).await;
    assert!(!page.contains("<button>Approve") && page.contains("Your role does not allow"));
    // Somebody without any permission is shown nothing of what is wrong.
    let billing = world.staff("acme", "billing").await;
    assert!(
        billing
            .page("/t/acme/")
            .await
            .contains("neither findings nor scores")
    );
    assert_eq!(
        billing.get("/t/acme/findings").await.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        billing.get("/t/acme/evidence").await.status(),
        StatusCode::FORBIDDEN
    );
    assert!(world.tenant("acme").approved_by_id(&plan.id).await.is_err());
}

#[tokio::test]
async fn nobody_approves_what_they_asked_for_themselves() {
    let world = World::new().await.scanned().await;
    let granted = json!({ "permissions": ["protect.findings.view", "protect.remediations.request", "protect.remediations.approve"] });
    let member = HubToken {
        claims: granted.as_object().unwrap().clone(),
        ..staff("acme", "member")
    };
    let browser = world.browser(&member).await;
    let mia = Actor::authenticated("hub", "hub-member", None);
    let plan = world.request("acme", &mia).await;
    let path = format!("/t/acme/plans/{}/approve", plan.id);
    let refused = browser.submit(&path, "").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(text(&refused).contains("nobody approves their own request"));
    let other = world
        .request("acme", &Actor::authenticated("hub", "hub-moe", None))
        .await;
    let path = format!("/t/acme/plans/{}/approve", other.id);
    assert_eq!(
        browser.submit(&path, "").await.status(),
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn what_another_site_has_a_browser_send_changes_nothing() {
    let world = World::new().await.scanned().await;
    let plan = world.request("acme", &Actor::unverified("carol")).await;
    let browser = world.staff("acme", "admin").await;
    let csrf = browser.csrf("/t/acme/").await;
    let other = world.staff("acme", "owner").await.csrf("/t/acme/").await;
    let good = format!("csrf={csrf}");
    for path in [
        format!("/t/acme/plans/{}/approve", plan.id),
        format!("/t/acme/api/plans/{}/approve", plan.id),
        format!("/api/plans/{}/approve", plan.id),
        "/sign-out".to_owned(),
    ] {
        for (body, headers) in [
            ("", &[][..]),
            ("csrf=", &[]),
            ("csrf=AAAA", &[]),
            (&format!("csrf={other}"), &[]),
            (good.as_str(), &[("sec-fetch-site", "cross-site")]),
            (&good, &[("sec-fetch-site", "same-site")]),
            (&good, &[("sec-fetch-site", "none")]),
            (&good, &[("origin", "https://evil.example")]),
            (&good, &[("origin", "null")]),
        ] {
            let refused = browser.post(&path, body, headers).await;
            assert_eq!(
                refused.status(),
                StatusCode::FORBIDDEN,
                "{path} {body} {headers:?}"
            );
        }
    }
    assert!(world.tenant("acme").approved_by_id(&plan.id).await.is_err());
    let path = format!("/t/acme/api/plans/{}/approve", plan.id);
    let headers = [
        ("origin", "https://protect.example"),
        ("x-csrf-token", csrf.as_str()),
    ];
    let done = browser.post(&path, "", &headers).await;
    assert_eq!(done.status(), StatusCode::OK, "{}", text(&done));
    // Nothing changes by looking.
    for path in ["approve", "reject"].map(|what| format!("/t/acme/plans/{}/{what}", plan.id)) {
        assert_eq!(browser.get(&path).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn behind_a_proxy_that_renames_the_host_the_origin_that_was_named_counts() {
    let mut world = World::new().await;
    let options = protect_web::Options {
        origin: Some("https://protect.example".to_owned()),
        sign_in_url: Some("https://my.theonestack.com".to_owned()),
        ..protect_web::Options::default()
    };
    world.web = protect_web::Web::with(&world.engine, options);
    let browser = world.staff("acme", "admin").await;
    let csrf = format!("csrf={}", browser.csrf("/t/acme/").await);
    for (origin, status) in [
        ("https://evil.example", StatusCode::FORBIDDEN),
        ("http://protect.example", StatusCode::FORBIDDEN),
        ("https://protect.example", StatusCode::SEE_OTHER),
    ] {
        let headers = [("origin", origin)];
        let left = browser.post("/sign-out", &csrf, &headers).await;
        assert_eq!(left.status(), status, "{origin}");
    }
    let page = browser.get("/t/acme/").await;
    assert!(
        text(&page).contains("href=\"https:&#x2f;&#x2f;my.theonestack.com\""),
        "{}",
        text(&page)
    );
}

#[tokio::test]
async fn a_finding_is_acknowledged_and_resolved_on_its_page_and_the_dashboard_knows_at_once() {
    let world = World::new().await.scanned().await;
    let browser = world.staff("acme", "admin").await;
    let open = async || {
        let overview = browser.json("/t/acme/api/overview").await;
        overview["open"]["critical"].as_u64().unwrap_or_default()
    };
    assert_eq!(open().await, 1);
    let found = browser
        .json("/t/acme/api/findings?min_severity=critical")
        .await;
    let id = found["findings"][0]["id"].as_str().unwrap();
    let path = format!("/t/acme/findings/{id}");
    for what in ["acknowledge", "resolve"] {
        let done = browser.submit(&format!("{path}/{what}"), "").await;
        assert_eq!(location(&done), path);
    }
    assert!(browser.page(&path).await.contains("resolved"));
    assert_eq!(open().await, 0);
}

#[tokio::test]
async fn a_client_changes_nothing_and_sees_none_of_the_staffs_pages() {
    let world = World::new().await.scanned().await;
    let plan = world.request("beta", &Actor::unverified("carol")).await;
    let found = world
        .tenant("beta")
        .findings(&FindingFilter::default())
        .await
        .unwrap();
    let finding = &found.findings[0].id;
    for level in ["own", "company", "company_admin"] {
        let browser = world.browser(&client(level, "jane@beta.example")).await;
        for path in [
            format!("/t/beta/plans/{}/approve", plan.id),
            format!("/t/beta/plans/{}/reject", plan.id),
            format!("/t/beta/findings/{finding}/resolve"),
        ] {
            let refused = browser.submit(&path, "reason=no").await;
            assert_eq!(refused.status(), StatusCode::NOT_FOUND, "{level} {path}");
            let api = path.replace("/t/beta/", "/t/beta/api/");
            assert_eq!(
                browser.submit(&api, "").await.status(),
                StatusCode::FORBIDDEN
            );
        }
        for path in ["findings", "plans", "evidence"] {
            let page = browser.get(&format!("/t/beta/{path}")).await;
            assert_eq!(page.status(), StatusCode::NOT_FOUND, "{path}");
            if path != "reports" {
                let api = browser.get(&format!("/t/beta/api/{path}")).await;
                assert_eq!(api.status(), StatusCode::FORBIDDEN, "{path}");
            }
        }
        let acme = browser.get("/t/acme/").await;
        assert_eq!(acme.status(), StatusCode::NOT_FOUND);
    }
}
