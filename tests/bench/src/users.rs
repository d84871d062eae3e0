//! All users of a 1Password account through our client, beside a bare loop over the same pages.
//!
//! The sandbox is a process of its own that has rendered its pages before; each reader is one too,
//! so that its memory can be told. All are this program again.

use std::time::Instant;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use protect_connectors::onepassword::OnePassword;
use protect_sandbox::Sandbox;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::measure::{RUNS, median, rate};
use crate::parts::{self, SandboxPart, text};
use crate::table::{Row, Table};

/// First argument of a process that plays a part; the second is which.
pub(crate) const PART: &str = "play-users";

const USERS: usize = 100_000;
const PAGE: usize = 1_000;

/// What one reader says at its end.
#[derive(Deserialize)]
struct Said {
    rate: f64,
    peak_kib: Option<f64>,
}

/// Rates and memory, the two in turn.
pub(crate) fn measure(table: &mut Table) {
    let sandbox = SandboxPart::start(&[PART, "sandbox"]);
    let read_as = |name| parts::run::<Said>(&[PART, name], &sandbox.description);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(read_as("ours"));
        bare.push(read_as("bare"));
    }
    let rates = |said: &[Said]| median(said.iter().map(|said| said.rate).collect());
    table.row(Row {
        name: "users, 1Password, 100,000 users".to_owned(),
        unit: "/s".to_owned(),
        figure: rates(&ours),
        bare: Some(rates(&bare)),
        target: "≥ 0.8 of bare".to_owned(),
    });
    let peak = |said: &[Said]| parts::most_mib(said.iter().map(|said| said.peak_kib));
    let (Some(figure), Some(bare)) = (peak(&ours), peak(&bare)) else {
        table.remark("skipped: memory of the users' client: only Linux tells it in /proc");
        return;
    };
    table.row(Row {
        name: "users, 1Password, memory of the client's process at most".to_owned(),
        unit: "MiB".to_owned(),
        figure,
        bare: Some(bare),
        target: "< 64 MiB".to_owned(),
    });
    table.remark(
        "users: our limits off, the vendor's too; bare: reqwest and serde over the same pages; the \
         sandbox and each reader are processes of their own.",
    );
}

/// Plays a part in a process of its own.
pub(crate) async fn play(part: &[String]) {
    let said = match part.first().map(String::as_str) {
        Some("sandbox") => {
            let builder = Sandbox::builder().users(USERS).rate_limits(false);
            return parts::serve(builder.prerender(PAGE)).await;
        }
        Some("ours") => ours(&parts::task()).await,
        _ => bare(&parts::task()).await,
    };
    println!("{said}");
}

async fn ours(description: &Value) -> Value {
    let (context, _) = protect_connectors::context().unwrap();
    let credentials = &description["credentials"];
    let client = OnePassword::builder()
        .context(context)
        .account(text(&credentials["account_id"]))
        .credentials(
            text(&credentials["scan_client_id"]),
            text(&credentials["scan_client_secret"]),
        )
        .base_url(text(&description["onepassword_api"]))
        .without_limit()
        .build()
        .unwrap();
    let begun = Instant::now();
    let mut users = std::pin::pin!(client.users(None));
    let mut count = 0;
    while let Some(user) = futures::StreamExt::next(&mut users).await {
        count += usize::from(!user.unwrap().id.is_empty());
    }
    said(count, begun)
}

/// The peer: no limits, no retries, no errors but the end.
async fn bare(description: &Value) -> Value {
    let credentials = &description["credentials"];
    let base = text(&description["onepassword_api"]);
    let client = reqwest::Client::new();
    let begun = Instant::now();
    let token: Value = json_of(
        client
            .post(format!("{base}/v1beta1/users/oauth2/token"))
            .basic_auth(
                text(&credentials["scan_client_id"]),
                Some(text(&credentials["scan_client_secret"])),
            )
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials"),
    )
    .await;
    let token = text(&token["access_token"]);
    let account = text(&credentials["account_id"]);
    let pages = format!("{base}/v1beta1/accounts/{account}/users?max_page_size={PAGE}");
    let (mut count, mut next) = (0, Some(String::new()));
    while let Some(place) = next {
        let url = if place.is_empty() {
            pages.clone()
        } else {
            let place = utf8_percent_encode(&place, NON_ALPHANUMERIC);
            format!("{pages}&page_token={place}")
        };
        let page: BarePage = json_of(client.get(url).bearer_auth(token)).await;
        count += page
            .results
            .iter()
            .filter(|user| !user.id.is_empty())
            .count();
        next = page.next_page_token;
    }
    said(count, begun)
}

#[derive(Deserialize)]
struct BarePage {
    results: Vec<BareUser>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding them is what is measured")]
struct BareUser {
    id: String,
    email: Option<String>,
    display_name: String,
    state: String,
    create_time: String,
    path: String,
}

async fn json_of<T: serde::de::DeserializeOwned>(request: reqwest::RequestBuilder) -> T {
    let answer = request.send().await.unwrap().error_for_status().unwrap();
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

fn said(count: usize, begun: Instant) -> Value {
    let took = begun.elapsed();
    assert_eq!(count, USERS);
    json!({ "rate": rate(count, took), "peak_kib": parts::peak_kib() })
}
