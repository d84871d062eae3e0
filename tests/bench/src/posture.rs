//! A whole tenant collected through our clients, beside the same requests sent by a bare loop; and its
//! folder judged by every check, beside the bare reading of the same files.
//!
//! The requests of the bare loop are those that our own client sent in a collection before, written
//! down by a transport that passes them on: whatever the vendor, both ask for the same.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use protect_connectors::{google, m365};
use protect_core::clock::{Clock, SystemClock};
use protect_core::context::Context;
use protect_core::http::{HttpError, HttpTransport};
use protect_core::posture::{Profile, Snapshot};
use protect_sandbox::Sandbox;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::measure::{RUNS, count_as_f64, median};
use crate::parts::{self, SandboxPart, text};
use crate::table::{Row, Table};

/// First argument of a process that plays a part; then the vendor, then which part.
pub(crate) const PART: &str = "play-posture";

const USERS: usize = 100_000;
const POLICIES: usize = 200;
const ADMIN_EVENTS: usize = 1_000_000;

/// What a part says at its end.
#[derive(Deserialize)]
struct Said {
    seconds: f64,
    peak_kib: Option<f64>,
    /// Requests of a collection.
    #[serde(default)]
    requests: usize,
}

/// Both vendors, one after the other.
pub(crate) fn measure(table: &mut Table) {
    for (vendor, title, target) in [
        (m365::KIND, "Microsoft 365", "< 1 s"),
        (google::KIND, "Google Workspace", "< 2 s"),
    ] {
        measure_vendor(table, vendor, title, target);
    }
    table.remark(
        "posture: 100,000 users; Microsoft 365 with 200 policies, Google with 1,000,000 admin events; all \
         limits off; bare: reqwest sends the same requests one after another, looks for the next page and \
         appends each answer to one file; the folder's bare reading parses every line and keeps nothing.",
    );
}

fn measure_vendor(table: &mut Table, vendor: &str, title: &str, target: &str) {
    let sandbox = SandboxPart::start(&[PART, vendor, "sandbox"]);
    let folder = folder();
    let requests = folder.path().join("requests.jsonl");
    let at = Timestamp::now();
    let play = |part: &str, into: &Path| {
        let task = json!({
            "sandbox": sandbox.description, "at": at, "folder": into, "requests": requests,
        });
        parts::run::<Said>(&[PART, vendor, part], &task)
    };
    let collected = folder.path().join("first");
    let count = count_as_f64(play("record", &collected).requests);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        let into = folder.path().join(run.to_string());
        ours.push(play("ours", &into));
        fs::remove_dir_all(into).unwrap();
        bare.push(play("bare", folder.path()));
    }
    let seconds = |said: &[Said]| median(said.iter().map(|said| said.seconds).collect());
    table.row(Row {
        name: format!("collect, {title}: requests"),
        unit: "/s".to_owned(),
        figure: count / seconds(&ours),
        bare: Some(count / seconds(&bare)),
        target: "≥ 0.8 of bare".to_owned(),
    });
    let (mut judged, mut read) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        judged.push(play("evaluate", &collected));
        read.push(play("read", &collected));
    }
    table.row(Row {
        name: format!("evaluate, {title}: seconds beyond the bare reading"),
        unit: "s".to_owned(),
        figure: seconds(&judged) - seconds(&read),
        bare: Some(seconds(&read)),
        target: target.to_owned(),
    });
    for (name, said) in [("collect", &ours), ("evaluate", &judged)] {
        if let Some(figure) = parts::most_mib(said.iter().map(|said| said.peak_kib)) {
            table.row(Row {
                name: format!("{name}, {title}: memory at most"),
                unit: "MiB".to_owned(),
                figure,
                bare: None,
                target: "< 128 MiB".to_owned(),
            });
        }
    }
}

/// Plays a part in a process of its own.
pub(crate) async fn play(part: &[String]) {
    let [vendor, part]: &[String; 2] = part.try_into().unwrap();
    if part == "sandbox" {
        let builder = Sandbox::builder().rate_limits(false);
        return parts::serve(match vendor.as_str() {
            m365::KIND => builder
                .m365_users(USERS)
                .m365_policies(POLICIES)
                .m365_keep_pages(),
            _ => builder
                .google_users(USERS)
                .google_admin_events(ADMIN_EVENTS)
                .google_keep_pages(),
        })
        .await;
    }
    let task = parts::task();
    let (folder, requests) = (path(&task["folder"]), path(&task["requests"]));
    let context = || context(&task["sandbox"], &task["at"]);
    let begun = Instant::now();
    let count = match part.as_str() {
        "record" => record(vendor, &task["sandbox"], &folder, &requests, context()).await,
        "ours" => {
            collect(vendor, &task["sandbox"], &folder, context()).await;
            0
        }
        "bare" => replay(&requests, &folder.join("bare")).await,
        "evaluate" => evaluate(vendor, &folder),
        _ => read(&folder),
    };
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({ "seconds": seconds, "requests": count, "peak_kib": parts::peak_kib() })
    );
}

/// With the sandbox's name server, which answers at once where the system's may wait for nobody; and
/// at the same moment in every run, so that each asks for the pages that the sandbox has rendered.
fn context(sandbox: &Value, at: &Value) -> Context {
    let (mut context, _) = protect_connectors::context().unwrap();
    let server = text(&sandbox["dns"]).parse().unwrap();
    context.dns = context.dns.by_server(server).unwrap();
    context.clock = Arc::new(OneMoment {
        at: text(at).parse().unwrap(),
        system: SystemClock::new(),
    });
    context
}

/// A clock whose hands stand still; waiting takes its time.
#[derive(Debug)]
struct OneMoment {
    at: Timestamp,
    system: SystemClock,
}

#[async_trait]
impl Clock for OneMoment {
    fn now(&self) -> Timestamp {
        self.at
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic()
    }

    async fn sleep(&self, wait: Duration) {
        self.system.sleep(wait).await;
    }
}

async fn collect(vendor: &str, sandbox: &Value, folder: &Path, context: Context) {
    let credentials = &sandbox["credentials"];
    if vendor == m365::KIND {
        let client = m365::M365::builder()
            .context(context)
            .tenant(text(&credentials["m365_tenant_id"]))
            .credentials(
                text(&credentials["m365_scan_client_id"]),
                text(&credentials["m365_scan_client_secret"]),
            )
            .login_url(text(&sandbox["m365_login"]))
            .graph_url(text(&sandbox["m365_graph"]))
            .without_limit()
            .build()
            .unwrap();
        client.collect_snapshot(folder).await.unwrap();
    } else {
        let client = google::Google::builder()
            .context(context)
            .customer_id(text(&credentials["google_customer_id"]))
            .subject(text(&credentials["google_subject"]))
            .service_account(text(&credentials["google_scan_key"]))
            .base_url(text(&sandbox["google_api"]))
            .token_url(text(&sandbox["google_token"]))
            .without_limit()
            .build()
            .unwrap();
        client.collect_snapshot(folder).await.unwrap();
    }
}

/// A request as it was sent, one a line.
#[derive(Debug, Serialize, Deserialize)]
struct Sent {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// Passes requests on and writes down those that carry a token.
#[derive(Debug)]
struct Recorder {
    inner: Arc<dyn HttpTransport>,
    sent: Mutex<Vec<Sent>>,
}

#[async_trait]
impl HttpTransport for Recorder {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        if request.headers().contains_key(http::header::AUTHORIZATION) {
            let headers = request.headers().iter();
            let sent = Sent {
                method: request.method().to_string(),
                url: request.uri().to_string(),
                headers: headers
                    .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                    .collect(),
                body: String::from_utf8(request.body().to_vec()).unwrap(),
            };
            self.sent.lock().unwrap().push(sent);
        }
        self.inner.send(request).await
    }
}

async fn record(
    vendor: &str,
    sandbox: &Value,
    folder: &Path,
    requests: &Path,
    mut context: Context,
) -> usize {
    let recorder = Arc::new(Recorder {
        inner: Arc::clone(&context.transport),
        sent: Mutex::default(),
    });
    context.transport = Arc::clone(&recorder) as _;
    collect(vendor, sandbox, folder, context).await;
    let sent = recorder.sent.lock().unwrap();
    let lines: Vec<String> = sent
        .iter()
        .map(|sent| serde_json::to_string(sent).unwrap())
        .collect();
    fs::write(requests, lines.join("\n")).unwrap();
    sent.len()
}

/// All that a bare loop looks at: whether there is a page after this one.
#[derive(Deserialize)]
struct BarePage {
    #[serde(rename = "@odata.nextLink", alias = "nextPageToken")]
    _next: Option<String>,
}

/// Sends them, looks for the next page, and appends each answer to one file.
async fn replay(requests: &Path, into: &Path) -> usize {
    let client = reqwest::Client::new();
    let mut into = File::create(into).unwrap();
    let mut count = 0;
    for line in BufReader::new(File::open(requests).unwrap()).lines() {
        let sent: Sent = serde_json::from_str(&line.unwrap()).unwrap();
        let mut request = client.request(sent.method.parse().unwrap(), sent.url);
        for (name, value) in sent.headers {
            request = request.header(name, value);
        }
        let answer = request.body(sent.body).send().await.unwrap();
        let body = answer.bytes().await.unwrap();
        let _: BarePage = serde_json::from_slice(&body).unwrap();
        into.write_all(&body).unwrap();
        count += 1;
    }
    count
}

fn evaluate(vendor: &str, folder: &Path) -> usize {
    let profile = Profile::scuba();
    let results = if vendor == m365::KIND {
        let snapshot = Snapshot::open(folder, &m365::FORMAT).unwrap();
        m365::evaluate(&snapshot, &profile)
    } else {
        let snapshot = Snapshot::open(folder, &google::FORMAT).unwrap();
        google::evaluate(&snapshot, &profile)
    };
    assert!(!results.is_empty());
    0
}

/// Every line of every file as JSON, of which nothing is kept.
fn read(folder: &Path) -> usize {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path);
            continue;
        }
        let mut lines = BufReader::new(File::open(path).unwrap());
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).unwrap() > 0 {
            let _: IgnoredAny = serde_json::from_slice(&line).unwrap();
            line.clear();
        }
    }
    0
}

fn path(value: &Value) -> PathBuf {
    text(value).into()
}

/// Beside this program, as collections are on a disk in life.
fn folder() -> tempfile::TempDir {
    let program = std::env::current_exe().unwrap();
    tempfile::TempDir::new_in(program.parent().unwrap()).unwrap()
}
