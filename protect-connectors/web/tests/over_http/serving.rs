//! By a server on loopback, and in a browser.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::StatusCode;
use protect_connectors::core::engine::FindingFilter;
use protect_connectors::core::model::Actor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::served::Served;
use crate::world::{client, staff};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_answers_what_the_function_does() {
    let served = Served::new().await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let http = http.build().unwrap();
    let token = served.world.token(&staff("acme", "admin"));
    let landed = http
        .get(served.url(&format!("/auth/hub-sso?token={token}")))
        .send()
        .await
        .unwrap();
    assert_eq!(landed.status(), StatusCode::SEE_OTHER);
    let cookie = landed.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let page = http
        .get(served.url("/t/acme/"))
        .header("cookie", cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert!(page.text().await.unwrap().contains("protection score"));
    let head = http
        .head(served.url("/assets/style.css"))
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_a_hundred_megabytes_is_refused_before_it_is_there() {
    let served = Served::new().await;
    let mut stream = TcpStream::connect(("127.0.0.1", served.port))
        .await
        .unwrap();
    let head = format!(
        "POST /in/acme/fake/hook HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        100 * 1024 * 1024
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let sending = tokio::spawn(async move {
        let chunk = vec![b'x'; 64 * 1024];
        let mut sent = 0_usize;
        while write.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
            if sent >= 100 * 1024 * 1024 {
                break;
            }
        }
        sent
    });
    let mut answer = vec![0; 512];
    let length = read.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    drop(read);
    let sent = sending.await.unwrap();
    assert!(sent < 50 * 1024 * 1024, "{sent} bytes were taken");
}

/// The browser of this machine, where it has one.
fn chromium() -> Option<PathBuf> {
    let places = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ];
    let known = std::env::var_os("PROTECT_CHROMIUM").map(PathBuf::from);
    known
        .into_iter()
        .chain(places.map(PathBuf::from))
        .find(|path| path.exists())
}

/// What a browser makes of a page: its document, and what it complained of.
async fn browse(profile: &Path, url: &str, picture: Option<&str>, dark: bool) -> (String, String) {
    let mut command = tokio::process::Command::new(chromium().unwrap());
    command
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--hide-scrollbars",
        ])
        .args([
            "--enable-logging=stderr",
            "--v=0",
            "--virtual-time-budget=4000",
        ])
        .arg(format!("--user-data-dir={}", profile.display()));
    if dark {
        command.arg("--force-dark-mode");
    }
    match picture {
        Some(size) => {
            let name = url
                .rsplit("/t/")
                .next()
                .unwrap_or("page")
                .replace(['/', ':', '?', '='], "_");
            let shade = if dark { "dark" } else { "light" };
            let folder = std::env::var("PROTECT_PICTURES").unwrap();
            command.arg(format!("--screenshot={folder}/{name}-{size}-{shade}.png"));
            command.arg(format!("--window-size={size}"));
        }
        None => {
            command.arg("--dump-dom");
        }
    }
    command.arg(url).kill_on_drop(true);
    let done = tokio::time::timeout(Duration::from_mins(1), command.output());
    let done = done.await.unwrap().unwrap();
    (
        String::from_utf8_lossy(&done.stdout).into_owned(),
        String::from_utf8_lossy(&done.stderr).into_owned(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_lands_keeps_its_cookie_and_shows_every_page_without_a_complaint() {
    if chromium().is_none() {
        println!("SKIPPED: there is no Chromium here; set PROTECT_CHROMIUM to its path");
        return;
    }
    let served = Served::new().await;
    let tenant = served.world.tenant("beta");
    served
        .world
        .request("acme", &Actor::unverified("carol"))
        .await;
    let month =
        protect_connectors::core::report::Month::of(served.world.outside.context.clock.now());
    tenant.keep_report(month).await.unwrap();
    let pictures = std::env::var_os("PROTECT_PICTURES").is_some();
    for (token, landing, pages) in [
        (
            staff("acme", "admin"),
            "/auth/hub-sso",
            &[
                "/t/acme/",
                "/t/acme/findings",
                "/t/acme/plans",
                "/t/acme/domains",
                "/t/acme/reports",
                "/t/acme/evidence",
            ][..],
        ),
        (
            client("company", "jane@beta.example"),
            "/api/auth/client-hub-sso",
            &[
                "/t/beta/",
                "/t/beta/alerts",
                "/t/beta/domains",
                "/t/beta/reports",
            ][..],
        ),
    ] {
        let profile = tempfile::tempdir().unwrap();
        served.world.agree_on_the_time();
        let token = served.world.token(&token);
        let url = served.url(&format!("{landing}?token={token}"));
        let (landed, _) = browse(profile.path(), &url, None, false).await;
        assert!(landed.contains("protection score"), "{landed}");
        for page in pages {
            let (shown, complaints) = browse(profile.path(), &served.url(page), None, false).await;
            assert!(shown.contains("aria-current=\"page\""), "{page}: {shown}");
            assert!(!complaints.contains("Refused to"), "{page}: {complaints}");
            assert!(
                !complaints.contains("Content Security Policy"),
                "{page}: {complaints}"
            );
            if pictures {
                for (size, dark) in [("1200,900", false), ("1200,900", true), ("500,900", false)] {
                    browse(profile.path(), &served.url(page), Some(size), dark).await;
                }
            }
        }
        if pictures && landing.contains("auth/hub") {
            let plan = served.world.tenant("acme").plans_waiting().await.unwrap();
            let finding = served
                .world
                .tenant("acme")
                .findings(&FindingFilter::default())
                .await
                .unwrap();
            for page in [
                format!("/t/acme/plans/{}", plan[0].id),
                format!("/t/acme/findings/{}", finding.findings[0].id),
                format!("/t/acme/reports/{month}"),
            ] {
                browse(profile.path(), &served.url(&page), Some("1200,900"), false).await;
            }
        }
    }
}
