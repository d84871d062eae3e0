//! Who gets in, for how long, and out again.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{Request, StatusCode};
use protect_connectors::core::engine::FindingFilter;
use protect_connectors::core::inbound::ClientAddress;
use protect_connectors::core::model::Attributes;
use protect_connectors::core::testing::logged;
use protect_sandbox::HubToken;
use protect_web::{Options, Web};
use serde_json::{Value, json};

use crate::served::Served;
use crate::world::{World, client, location, staff, text, worker};

#[tokio::test]
async fn the_landing_begins_a_session_whose_cookie_no_script_and_no_other_site_reads() {
    let world = World::new().await;
    let token = world.token(&staff("acme", "admin"));
    let landed = world
        .send(Request::get(format!("/auth/hub-sso?token={token}")), "")
        .await;
    assert_eq!(
        (landed.status(), location(&landed)),
        (StatusCode::SEE_OTHER, "/")
    );
    let cookie = landed.headers()[SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.starts_with("__Host-protect_session=acme."),
        "{cookie}"
    );
    for flag in [
        "Path=/",
        "HttpOnly",
        "Secure",
        "SameSite=Lax",
        "Max-Age=28800",
    ] {
        assert!(
            cookie.split("; ").any(|part| part == flag),
            "{flag}: {cookie}"
        );
    }
    assert!(!cookie.contains("Domain"));
    // The address bar held a token, and nobody hears of it.
    assert_eq!(landed.headers()["referrer-policy"], "no-referrer");
    let again = world
        .send(Request::get(format!("/auth/hub-sso?token={token}")), "")
        .await;
    assert_eq!(again.status(), StatusCode::UNAUTHORIZED);
    assert!(!text(&again).contains(&token));
}

#[tokio::test]
async fn a_session_ends_when_its_time_is_over_or_somebody_signs_out() {
    let world = World::new().await;
    let browser = world.staff("acme", "admin").await;
    assert_eq!(location(&browser.get("/").await), "/t/acme/");
    let left = browser.submit("/sign-out", "").await;
    assert_eq!(left.status(), StatusCode::SEE_OTHER);
    let cookie = left.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("Max-Age=0"), "{cookie}");
    // Not only the browser forgot it.
    assert_eq!(
        browser.get("/t/acme/").await.status(),
        StatusCode::UNAUTHORIZED
    );

    let browser = world.staff("acme", "admin").await;
    world
        .outside
        .clock
        .advance(Duration::from_secs(8 * 3600 - 1))
        .await;
    assert_eq!(browser.get("/t/acme/").await.status(), StatusCode::OK);
    world.outside.clock.advance(Duration::from_secs(1)).await;
    assert_eq!(
        browser.get("/t/acme/").await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_session_reaches_its_own_tenant_and_another_one_looks_like_none() {
    let world = World::new().await.scanned().await;
    let browser = world.staff("acme", "owner").await;
    let mine = browser.page("/t/acme/findings").await;
    assert!(mine.contains("jane@acme.example") && !mine.contains("beta"));
    let finding = world
        .tenant("beta")
        .findings(&FindingFilter::default())
        .await
        .unwrap();
    let id = &finding.findings[0].id;
    for path in [
        "/t/beta/".to_owned(),
        "/t/beta/api/findings".to_owned(),
        "/t/nobody/".to_owned(),
        format!("/t/beta/findings/{id}"),
        format!("/t/acme/findings/{id}"),
        format!("/t/acme/api/findings/{id}"),
    ] {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(
            !text(&answer).contains("Beta") && !text(&answer).contains("beta.example"),
            "{path}"
        );
    }
    // A cookie that was made up, or is another tenant's by its first half.
    let secret = browser.cookie.split_once('.').unwrap().1;
    for cookie in [
        format!("__Host-protect_session=beta.{secret}"),
        "__Host-protect_session=acme.AAAA".to_owned(),
        "__Host-protect_session=".to_owned(),
    ] {
        let request = Request::get("/t/acme/api/me").header(COOKIE, &cookie);
        assert_eq!(
            world.send(request, "").await.status(),
            StatusCode::UNAUTHORIZED,
            "{cookie}"
        );
    }
}

#[tokio::test]
async fn staff_of_a_provider_choose_among_the_tenants_that_they_look_after() {
    let world = World::of_one_organisation().await.scanned().await;
    let browser = world.browser(&staff("acme", "admin")).await;
    let choice = browser.page("/").await;
    assert!(choice.contains("href=\"/t/acme/\"") && choice.contains("href=\"/t/beta/\""));
    for (tenant, other) in [("acme", "beta"), ("beta", "acme")] {
        let page = browser.page(&format!("/t/{tenant}/findings")).await;
        assert!(page.contains(&format!("jane@{tenant}.example")));
        assert!(!page.contains(&format!("{other}.example")));
        assert_eq!(
            browser.json(&format!("/t/{tenant}/api/me")).await["tenant"],
            tenant
        );
    }
    // Without a tenant in the path nothing is guessed.
    assert_eq!(
        browser.get("/api/me").await.status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_program_shows_hubs_session_token_and_needs_no_cookie() {
    let world = World::new().await.scanned().await;
    let session = HubToken {
        session: true,
        ..staff("acme", "viewer")
    };
    let token = world.token(&session);
    let ask = |path: &str| Request::get(path).header(AUTHORIZATION, format!("Bearer {token}"));
    let me = world.send(ask("/api/me"), "").await;
    let me: serde_json::Value = serde_json::from_slice(me.body()).unwrap();
    assert_eq!(
        (&me["tenant"], &me["actor"]["authority"]["role"]),
        (&json!("acme"), &json!("viewer"))
    );
    assert_eq!(
        world.send(ask("/t/acme/api/findings"), "").await.status(),
        StatusCode::OK
    );
    assert_eq!(
        world.send(ask("/t/beta/api/findings"), "").await.status(),
        StatusCode::NOT_FOUND
    );
    let bad = Request::get("/api/me").header(AUTHORIZATION, "Bearer nonsense");
    assert_eq!(world.send(bad, "").await.status(), StatusCode::UNAUTHORIZED);
    // Hub's own cookie, where the service stands below Hub's domain.
    let cookie = Request::get("/api/me").header(COOKIE, format!("hub_session={token}"));
    assert_eq!(world.send(cookie, "").await.status(), StatusCode::OK);
    // A hand-off is no session, however it is shown.
    let hand_off = world.token(&staff("acme", "admin"));
    let landed = world
        .send(Request::get(format!("/auth/hub-sso?token={token}")), "")
        .await;
    assert_eq!(landed.status(), StatusCode::UNAUTHORIZED);
    assert!(!hand_off.is_empty());
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_told_so_in_the_form_they_asked_for() {
    let world = World::new().await;
    let page = world
        .send(Request::get("/t/acme/").header("accept", "text/html"), "")
        .await;
    assert_eq!(page.status(), StatusCode::UNAUTHORIZED);
    assert!(text(&page).contains("<h1>Sign in</h1>"));
    let api = world.send(Request::get("/t/acme/api/findings"), "").await;
    let body: serde_json::Value = serde_json::from_slice(api.body()).unwrap();
    assert_eq!(
        (api.status(), &body["code"]),
        (StatusCode::UNAUTHORIZED, &json!("UNAUTHORIZED"))
    );
    for path in [
        "/auth/hub-sso",
        "/auth/hub-sso?token=",
        "/auth/hub-sso?token=a.b.c",
    ] {
        let refused = world.send(Request::get(path), "").await;
        assert!(refused.status().is_client_error(), "{path}");
        assert!(!refused.headers().contains_key(SET_COOKIE));
    }
    // HEAD uses no token up.
    let token = world.token(&client("own", "bea@beta.example"));
    let path = format!("/api/auth/client-hub-sso?token={token}");
    let looked = world.send(Request::head(&path), "").await;
    assert_eq!(looked.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        world.send(Request::get(&path), "").await.status(),
        StatusCode::SEE_OTHER
    );
}

/// Where events go.
const BUS: &str = r#"
[connections.bus]
kind = "bus"
respond = { integration_key = { env = "BUS_INTEGRATION_KEY" } }
tenants = ["acme"]
[tenants.acme.connectors.bus]
connection = "bus"
organisation_id = "org-1"
style = "a"
"#;

#[tokio::test]
async fn the_bus_is_told_who_signed_in_and_once_a_minute_that_somebody_could_not() {
    let world = world_with_a_bus().await;
    let told = async || {
        let steps = world.tenant("acme").actions().await.unwrap();
        let told = steps.into_iter().map(|step| step.action.parameters);
        let told = told.map(|it| (it["event"].as_str().unwrap().to_owned(), it));
        told.collect::<Vec<_>>()
    };
    let token = world.token(&staff("acme", "viewer"));
    let landing = format!("/auth/hub-sso?token={token}");
    let landed = world.send(Request::get(&landing), "").await;
    assert_eq!(landed.status(), StatusCode::SEE_OTHER);
    let first = told().await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].0, "login_success");
    let metadata = &first[0].1["metadata"];
    assert_eq!(metadata["email"], "viewer@acme.example");
    assert_eq!(metadata["auth_method"], "hub_sso");
    assert_eq!(metadata["actor_id"], "hub-viewer");
    // The same token again, and one that Hub did not sign.
    let mut forged = staff("acme", "owner");
    forged.secret = Some("x".repeat(48));
    let forged = world.token(&forged);
    for token in [token, forged.clone(), forged.clone()] {
        let landing = format!("/auth/hub-sso?token={token}");
        let refused = world.send(Request::get(&landing), "").await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    }
    let failed = |told: &[(String, Attributes)]| {
        let failed = told.iter().filter(|(event, _)| event == "login_failed");
        failed.cloned().collect::<Vec<_>>()
    };
    let once = failed(&told().await);
    assert_eq!(once.len(), 1);
    assert_eq!(once[0].1["metadata"]["failure_reason"], "unauthenticated");
    // Nobody vouches for whom a refused token names.
    assert!(!json!(once[0].1).to_string().contains("owner@"));
    let later = jiff::SignedDuration::from_secs(61);
    world.outside.clock.jump_wall(later);
    let landing = format!("/auth/hub-sso?token={forged}");
    world.send(Request::get(&landing), "").await;
    assert_eq!(failed(&told().await).len(), 2);
    // A tenant that has no bus tells nobody, and its people sign in all the same.
    world.agree_on_the_time();
    world.browser(&staff("beta", "viewer")).await;
    assert!(world.tenant("beta").actions().await.unwrap().is_empty());
}

/// A world with a bus, and what it is told.
async fn world_with_a_bus() -> World {
    let config = format!("{}{BUS}", crate::world::config());
    let store = std::sync::Arc::new(protect_connectors::core::store::MemoryStore::new());
    World::with(&config, store).await
}

/// The metadata of every event of this name.
async fn told(world: &World, event: &str) -> Vec<Value> {
    let steps = world.tenant("acme").actions().await.unwrap();
    let all = steps.into_iter().map(|step| step.action.parameters);
    let told = all.filter(|it| it["event"] == event);
    told.map(|it| it["metadata"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bus_is_told_from_where_and_with_which_program_somebody_signed_in_or_could_not() {
    let served = Served::of(world_with_a_bus().await).await;
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let land = async |token: &str, agent: &str| {
        let url = served.url(&format!("/auth/hub-sso?token={token}"));
        let landing = http.get(url).header("user-agent", agent);
        // Anybody can write this: without proxies of ours it says nothing.
        let landing = landing.header("x-forwarded-for", "203.0.113.9");
        landing.send().await.unwrap().status()
    };
    let token = served.world.token(&staff("acme", "viewer"));
    let long = format!("Mozilla/5.0 {}", "x".repeat(600));
    assert_eq!(land(&token, &long).await, StatusCode::SEE_OTHER);
    assert_eq!(land(&token, "curl/8").await, StatusCode::UNAUTHORIZED);
    let signed_in = told(&served.world, "login_success").await;
    assert_eq!(signed_in.len(), 1);
    assert_eq!(signed_in[0]["ip"], "127.0.0.1");
    assert_eq!(signed_in[0]["user_agent"], long[..512]);
    let refused = told(&served.world, "login_failed").await;
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["ip"], "127.0.0.1");
    assert_eq!(refused[0]["user_agent"], "curl/8");
}

#[tokio::test]
async fn behind_proxies_the_address_is_the_one_that_the_farthest_of_ours_saw() {
    for (proxies, forwarded, expected) in [
        (0, "203.0.113.9", Value::Null),
        (1, "198.51.100.1, 203.0.113.9", json!("203.0.113.9")),
        (
            2,
            "192.0.2.1, 198.51.100.1, 203.0.113.9",
            json!("198.51.100.1"),
        ),
        (1, "203.0.113.9:4711", json!("203.0.113.9")),
        (1, "::ffff:203.0.113.9", json!("203.0.113.9")),
        (1, "[2001:db8::1]:443", json!("2001:db8::1")),
        // Fewer than there are, or none at all: nobody knows.
        (2, "203.0.113.9", Value::Null),
        (1, "somewhere", Value::Null),
        (1, "", Value::Null),
    ] {
        let world = world_with_a_bus().await;
        let options = Options {
            proxies,
            ..Options::default()
        };
        let web = Web::with(&world.engine, options);
        let token = world.token(&staff("acme", "viewer"));
        let landing = Request::get(format!("/auth/hub-sso?token={token}"))
            .header("x-forwarded-for", forwarded)
            .body(Bytes::new());
        let landed = web.handle(landing.unwrap()).await;
        assert_eq!(landed.status(), StatusCode::SEE_OTHER);
        let told = told(&world, "login_success").await;
        assert_eq!(told[0]["ip"], expected, "{proxies} {forwarded}");
        assert_eq!(told[0]["user_agent"], Value::Null);
    }
}

#[tokio::test]
async fn the_log_says_that_a_sign_in_was_refused_and_not_from_where() {
    let world = world_with_a_bus().await;
    let token = world.token(&staff("acme", "viewer"));
    let log = logged(async {
        for expected in [StatusCode::SEE_OTHER, StatusCode::UNAUTHORIZED] {
            let mut landing = Request::get(format!("/auth/hub-sso?token={token}"))
                .header("user-agent", "a-browser-of-one")
                .body(Bytes::new())
                .unwrap();
            let address = ClientAddress("203.0.113.9".parse().unwrap());
            landing.extensions_mut().insert(address);
            assert!(!format!("{landing:?}").contains("203.0.113.9"));
            assert_eq!(world.web.handle(landing).await.status(), expected);
        }
    })
    .await;
    for event in ["login_success", "login_failed"] {
        assert_eq!(told(&world, event).await[0]["ip"], "203.0.113.9");
    }
    assert!(log.contains("a sign-in was refused"), "{log}");
    for unsaid in [
        "203.0.113.9",
        "a-browser-of-one",
        "viewer@acme.example",
        &token,
    ] {
        assert!(!log.contains(unsaid), "{unsaid} is in the log");
    }
}

/// Who has which role without Hub saying so.
const ROLES: &str = r#"
[tenants.acme.people.roles]
product = "workforce"
organisation = { admin = "viewer", viewer = "viewer" }
addresses = { "near@acme.example" = "hr_manager" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_role_comes_from_hub_or_else_from_the_configuration() {
    let role_of = async |world: &World, token: protect_sandbox::HubToken| {
        world.agree_on_the_time();
        let browser = world.browser(&token).await;
        let me = browser.json("/t/acme/api/people/me").await;
        me["role"].as_str().unwrap().to_owned()
    };
    let said_by_hub = |role: &str, product: &str, people: Value| {
        let mut token = worker("", "near@acme.example");
        token.role = Some(role.to_owned());
        token.claims = json!({ "products": { product: people } })
            .as_object()
            .unwrap()
            .clone();
        token
    };
    let plain = World::new().await;
    for (role, people, expected) in [
        ("member", json!("HR Manager"), "hr_manager"),
        ("owner", json!("viewer"), "viewer"),
        ("owner", Value::Null, "admin"),
        ("admin", Value::Null, "admin"),
        ("member", Value::Null, "employee"),
        ("viewer", Value::Null, "employee"),
        // A word that nobody knows gives nothing.
        ("admin", json!("superuser"), "employee"),
    ] {
        let token = said_by_hub(role, "people", people);
        assert_eq!(role_of(&plain, token).await, expected, "{role}");
    }
    let config = format!("{}{ROLES}", crate::world::config());
    let store = std::sync::Arc::new(protect_connectors::core::store::MemoryStore::new());
    let configured = World::with(&config, store).await;
    for (role, product, people, expected) in [
        ("member", "workforce", json!("hr_staff"), "hr_staff"),
        // Another product's role is none of the workforce.
        ("member", "people", json!("admin"), "hr_manager"),
        ("admin", "workforce", Value::Null, "hr_manager"),
    ] {
        let token = said_by_hub(role, product, people);
        assert_eq!(
            role_of(&configured, token).await,
            expected,
            "{role} {product}"
        );
    }
    let mut other = worker("", "far@acme.example");
    other.claims.clear();
    for (role, expected) in [
        ("admin", "viewer"),
        ("owner", "employee"),
        ("member", "employee"),
    ] {
        other.role = Some(role.to_owned());
        assert_eq!(
            role_of(&configured, other.clone()).await,
            expected,
            "{role}"
        );
    }
}
