//! What the pages show, to whom, and what they leave out.

use http::{Request, StatusCode};
use protect_connectors::core::report::Month;
use serde_json::Value;

use crate::world::{EVIL, World, client, text};

const STAFF: [&str; 6] = ["", "findings", "plans", "domains", "reports", "evidence"];

#[tokio::test]
async fn every_page_is_html_that_needs_no_script_and_may_hold_none() {
    let world = World::new().await.scanned().await;
    let staff = world.staff("acme", "admin").await;
    let found = staff.json("/t/acme/api/findings").await;
    let ids = found["findings"].as_array().unwrap().iter();
    let mut paths: Vec<String> = STAFF.iter().map(|path| format!("/t/acme/{path}")).collect();
    paths
        .extend(ids.map(|finding| format!("/t/acme/findings/{}", finding["id"].as_str().unwrap())));
    let month = Month::of(world.outside.context.clock.now());
    paths.push(format!("/t/acme/reports/{month}"));
    for path in paths {
        let response = staff.get(&path).await;
        assert_eq!(
            response.status(),
            StatusCode::OK,
            "{path}: {}",
            text(&response)
        );
        let headers = response.headers();
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src '"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains("script-src"),
            "{policy}"
        );
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(headers[name], value, "{path}");
        }
        let page = text(&response);
        assert!(
            !page.contains("<script") && !page.contains("onload="),
            "{path}"
        );
        assert!(!page.contains(EVIL), "{path}");
        assert!(
            !page.contains(" style=") && page.contains("<html lang=\"en\">"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_comes_from_outside_is_shown_as_text() {
    let world = World::new().await.scanned().await;
    let staff = world.staff("acme", "admin").await;
    let list = staff.page("/t/acme/findings").await;
    assert!(list.contains("&lt;script&gt;alert(1)"), "{list}");
    let client = world
        .browser(&client("company_admin", "boss@beta.example"))
        .await;
    let alerts = client.page("/t/beta/alerts").await;
    assert!(alerts.contains("&lt;script&gt;alert(1)") && !alerts.contains("<script"));
}

#[tokio::test]
async fn a_client_sees_as_much_of_an_address_as_their_level_allows() {
    let world = World::new().await.scanned().await;
    for (level, seen, hidden) in [
        (
            "own",
            &["jane@beta.example"][..],
            &["john@beta.example", "j***@"][..],
        ),
        (
            "company",
            &["jane@beta.example", "j***@beta.example"],
            &["john@beta.example"],
        ),
        (
            "company_admin",
            &["jane@beta.example", "john@beta.example"],
            &["***"],
        ),
    ] {
        let browser = world.browser(&client(level, "jane@beta.example")).await;
        let page = browser.page("/t/beta/alerts").await;
        let view = browser.json("/t/beta/api/portal").await.to_string();
        for shown in [page, view] {
            assert!(
                seen.iter().all(|address| shown.contains(address)),
                "{level}: {shown}"
            );
            assert!(
                !hidden.iter().any(|address| shown.contains(address)),
                "{level}: {shown}"
            );
            assert!(!shown.contains("acme"), "{level}");
        }
    }
}

#[tokio::test]
async fn a_client_gets_the_reports_that_were_kept_and_only_with_the_level_for_them() {
    let world = World::new().await.scanned().await;
    let month = Month::of(world.outside.context.clock.now());
    let path = format!("/t/beta/reports/{month}");
    let admin = world
        .browser(&client("company_admin", "boss@beta.example"))
        .await;
    assert_eq!(admin.get(&path).await.status(), StatusCode::NOT_FOUND);
    world.tenant("beta").keep_report(month).await.unwrap();
    assert!(admin.page("/t/beta/reports").await.contains(&path));
    let report = admin.get(&path).await;
    let policy = report.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(policy.contains("style-src 'sha256-"), "{policy}");
    assert!(text(&report).contains("Beta AG"));
    let own = world.browser(&client("own", "jane@beta.example")).await;
    assert_eq!(own.get(&path).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        own.get("/t/beta/reports/nonsense").await.status(),
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn what_the_tenant_switches_off_clients_do_not_see() {
    let off = "[tenants.beta]\nclient_view = { protection_dashboard = false, active_alerts = false, dmarc_status = true, reports = false }\n";
    let config = crate::world::config().replace("[tenants.beta]\n", off);
    let world = World::with(
        &config,
        std::sync::Arc::new(protect_connectors::core::store::MemoryStore::new()),
    )
    .await
    .scanned()
    .await;
    let browser = world
        .browser(&client("company_admin", "boss@beta.example"))
        .await;
    let page = browser.page("/t/beta/").await;
    assert!(!page.contains("/t/beta/alerts") && page.contains("/t/beta/domains"));
    for path in ["alerts", "reports", "reports/2026-01"] {
        assert_eq!(
            browser.get(&format!("/t/beta/{path}")).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let view: Value = browser.json("/t/beta/api/portal").await;
    assert!(view.get("alerts").is_none() && view.get("domains").is_some());
}

#[tokio::test]
async fn long_lists_are_shown_in_pages() {
    let world = World::new().await.scanned().await;
    for _ in 0..60 {
        let tenant = world.tenant("acme");
        tenant
            .pause(
                &protect_connectors::core::model::Actor::unverified("carol"),
                "a test",
            )
            .await
            .unwrap();
    }
    let browser = world.staff("acme", "admin").await;
    let latest = browser.page("/t/acme/evidence").await;
    assert_eq!(latest.matches("<summary>").count(), 50);
    let (_, older) = latest
        .split_once("href=\"/t/acme/evidence?before=")
        .unwrap();
    let before = older.split('"').next().unwrap();
    let older = browser
        .page(&format!("/t/acme/evidence?before={before}"))
        .await;
    assert!(older.contains(">1</td>") && !older.contains("rel=\"next\""));
    let bad = browser.get("/t/acme/findings?status=nonsense").await;
    assert_eq!(bad.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_style_sheet_is_there_for_everybody() {
    let world = World::new().await;
    let style = world.send(Request::get("/assets/style.css"), "").await;
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");
    assert!(text(&style).contains("prefers-color-scheme: dark"));
}
