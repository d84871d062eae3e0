//! A connector over real HTTP against the sandbox, on a clock that drives both.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use protect_core::Context;
use protect_core::Result;
use protect_core::clock::Clock;
use protect_core::config::{ConnectionConfig, TenantScope};
use protect_core::connector::{
    Connector, ConnectorInfo, OpContext, ScanPage, ScanRequest, ScanState, Scanner,
};
use protect_core::http::{HttpError, HttpErrorKind, HttpTransport, RateLimits};
use protect_core::model::{
    Actor, Address, ConnectionName, ConnectorName, Observation, Subject, TenantId, WatchList,
    WatchedAddress,
};
use protect_core::registry::ConnectorSetup;
use protect_core::secret::{SecretRef, SecretResolver, SecretString};
use protect_core::testing::{MapDns, SeededRandom};
use protect_hibp::{Hibp, HibpBuilder, HibpConnector};
use protect_sandbox::{Plan, Sandbox, SandboxBuilder};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The check of a mailbox that stands in a breach.
pub(crate) const BREACH: &str = "hibp.exposure.breach";

/// The sandbox with one context for every connector of a test.
pub(crate) struct World {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) context: Context,
}

impl World {
    pub(crate) async fn new(plan: &str) -> Self {
        Self::with(Sandbox::builder().range_rows(20), plan).await
    }

    pub(crate) async fn with(builder: SandboxBuilder, plan: &str) -> Self {
        let plan = Plan::named(plan).unwrap();
        let sandbox = Arc::new(builder.plan(plan).start().await.unwrap());
        let transport = Arc::new(Loopback::default());
        let clock = Arc::new(DrivenClock {
            sandbox: Arc::clone(&sandbox),
            began: sandbox.now(),
            under_way: Arc::clone(&transport.under_way),
        });
        let context = Context {
            transport,
            clock,
            dns: Arc::new(MapDns::default()),
            secrets: Arc::new(Key(sandbox.credentials().hibp_api_key)),
            random: Arc::new(SeededRandom::new(1)),
            limits: Arc::new(RateLimits::default()),
            user_agent: "protect-hibp-tests/1".into(),
        };
        Self { sandbox, context }
    }

    pub(crate) fn client(&self) -> HibpBuilder {
        Hibp::builder()
            .api_key(self.sandbox.credentials().hibp_api_key)
            .api_url(self.sandbox.hibp_api_url())
            .passwords_url(self.sandbox.hibp_passwords_url())
    }

    pub(crate) fn connector(&self, tenant: &str, settings: Value) -> HibpConnector {
        self.connector_of(tenant, "hibp", json!({}), settings)
    }

    pub(crate) fn connector_of(
        &self,
        tenant: &str,
        connection: &str,
        shared: Value,
        settings: Value,
    ) -> HibpConnector {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let endpoints = BTreeMap::from([
            ("api".to_owned(), self.sandbox.hibp_api_url()),
            ("passwords".to_owned(), self.sandbox.hibp_passwords_url()),
        ]);
        let setup = ConnectorSetup {
            info: ConnectorInfo {
                kind: "hibp".into(),
                name: ConnectorName::new("breaches").unwrap(),
                tenant: TenantId::new(tenant).unwrap(),
            },
            connection: Some((
                ConnectionName::new(connection).unwrap(),
                ConnectionConfig {
                    kind: "hibp".into(),
                    endpoints,
                    scan: map(json!({"api_key": {"env": "HIBP_API_KEY"}})),
                    respond: None,
                    tenants: TenantScope::Every,
                    settings: map(shared),
                },
            )),
            settings: map(settings),
        };
        HibpConnector::new(setup, &self.context).unwrap()
    }

    /// Tells the sandbox something below `/_sandbox/hibp`.
    pub(crate) async fn tell(&self, path: &str, body: Value) {
        let uri = format!("{}/_sandbox/hibp/{path}", self.sandbox.base_url());
        let request = http::Request::post(uri)
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let answer = Loopback::default().send(request).await.unwrap();
        assert_eq!(answer.status(), 200, "{:?}", answer.body());
    }

    /// How often a route was asked, since the beginning.
    pub(crate) fn asked(&self, route: &str) -> usize {
        self.sandbox
            .requests()
            .iter()
            .filter(|request| request.route == route)
            .count()
    }

    pub(crate) fn asked_about_addresses(&self) -> usize {
        self.asked("/breachedaccount/{account}")
            + self.asked("/breachedaccount/range/{prefix}")
            + self.asked("/pasteaccount/{account}")
    }

    pub(crate) fn has_refused_for_rate(&self) -> bool {
        self.sandbox
            .requests()
            .iter()
            .any(|request| request.status == 429)
    }
}

pub(crate) fn op(tenant: &str) -> OpContext {
    OpContext::new(TenantId::new(tenant).unwrap(), "test", Actor::engine())
}

pub(crate) fn watch(domains: &[&str], addresses: &[&str]) -> Arc<WatchList> {
    Arc::new(WatchList {
        domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
        addresses: addresses
            .iter()
            .map(|address| WatchedAddress {
                address: Address::new(address).unwrap(),
                person: None,
                privileged: false,
                source: "test".into(),
            })
            .collect(),
    })
}

/// What a run gave, all pages together.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) pages: Vec<ScanPage>,
}

impl Run {
    pub(crate) fn observations(&self) -> Vec<&Observation> {
        self.pages
            .iter()
            .flat_map(|page| &page.observations)
            .collect()
    }

    pub(crate) fn of(&self, check: &str) -> Vec<&Observation> {
        self.observations()
            .into_iter()
            .filter(|seen| seen.check.as_str() == check)
            .collect()
    }

    /// Names of the breaches of an address, sorted.
    pub(crate) fn breaches(&self, address: &str) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .of("hibp.exposure.breach")
            .into_iter()
            .filter(|seen| seen.subject.id == address)
            .map(|seen| seen.discriminator.as_str())
            .collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn is_checked(&self, check: &str, address: &str) -> bool {
        let subject = Subject::address(&Address::new(address).unwrap());
        self.pages
            .iter()
            .flat_map(|page| &page.evaluated)
            .any(|done| done.check.as_str() == check && done.subject.as_ref() == Some(&subject))
    }

    pub(crate) fn last(&self) -> &ScanPage {
        self.pages.last().unwrap()
    }

    /// The run's verdict on breaches: verdict, reason.
    pub(crate) fn verdict(&self) -> (String, String) {
        let verdict = self
            .last()
            .verdicts
            .iter()
            .find(|verdict| verdict.check.as_str() == "hibp.exposure.breach")
            .unwrap();
        let name = serde_json::to_value(verdict.verdict).unwrap();
        (name.as_str().unwrap().to_owned(), verdict.reason.clone())
    }
}

/// A scanner's state, committed with each page as the engine does.
#[derive(Debug, Default)]
pub(crate) struct Memory(pub(crate) Mutex<BTreeMap<String, Value>>);

#[async_trait]
impl ScanState for Memory {
    async fn get(&self, keys: &[String]) -> Result<BTreeMap<String, Value>> {
        let stored = self.0.lock().unwrap();
        Ok(keys
            .iter()
            .filter_map(|key| Some((key.clone(), stored.get(key)?.clone())))
            .collect())
    }
}

impl Memory {
    pub(crate) fn commit(&self, page: &ScanPage) {
        let mut stored = self.0.lock().unwrap();
        for (key, value) in &page.state {
            match value {
                Some(value) => stored.insert(key.clone(), value.clone()),
                None => stored.remove(key),
            };
        }
    }
}

/// Runs to the end.
pub(crate) async fn run(
    connector: &HibpConnector,
    watched: &Arc<WatchList>,
    state: &Memory,
) -> Run {
    try_run(connector, watched, state, false).await.unwrap()
}

pub(crate) async fn try_run(
    connector: &HibpConnector,
    watched: &Arc<WatchList>,
    state: &Memory,
    forced: bool,
) -> Result<Run> {
    let cx = op(connector.info().tenant.as_str());
    let mut run = Run::default();
    let mut cursor = None;
    loop {
        let request = ScanRequest {
            cursor: cursor.as_ref(),
            starts_run: run.pages.is_empty(),
            watched,
            others: &[],
            state,
            forced,
        };
        let page = connector.scan(&cx, request).await?;
        state.commit(&page);
        cursor.clone_from(&page.cursor);
        let more = page.more;
        run.pages.push(page);
        if !more {
            return Ok(run);
        }
    }
}

/// The sandbox's clock: whoever sleeps moves it on, so that hours pass at once for both sides.
#[derive(Debug)]
struct DrivenClock {
    sandbox: Arc<Sandbox>,
    began: Timestamp,
    under_way: Arc<AtomicUsize>,
}

#[async_trait]
impl Clock for DrivenClock {
    fn now(&self) -> Timestamp {
        self.sandbox.now()
    }

    fn monotonic(&self) -> Duration {
        let passed = self.sandbox.now().duration_since(self.began);
        Duration::try_from(passed).unwrap_or_default()
    }

    async fn sleep(&self, wait: Duration) {
        // Time passes only while nobody waits for an answer: else every attempt would time out.
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if self.under_way.load(Ordering::SeqCst) == 0 {
                break;
            }
        }
        self.sandbox
            .advance_clock(SignedDuration::try_from(wait).unwrap());
    }
}

struct Key(String);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

#[async_trait]
impl SecretResolver for Key {
    async fn resolve(&self, _reference: &SecretRef) -> Result<SecretString> {
        Ok(self.0.clone().into())
    }
}

/// One request on one connection: HTTP/1.1 as simple as it gets, to loopback alone.
#[derive(Debug, Default)]
pub(crate) struct Loopback {
    under_way: Arc<AtomicUsize>,
}

/// Counts a request while it lives.
struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl HttpTransport for Loopback {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let _under_way = UnderWay::begin(&self.under_way);
        let broken = |error: std::io::Error| HttpError::new(HttpErrorKind::Interrupted, error);
        let authority = request.uri().authority().unwrap().to_string();
        let mut stream = TcpStream::connect(&authority)
            .await
            .map_err(|error| HttpError::new(HttpErrorKind::Connect, error))?;
        let target = request.uri().path_and_query().unwrap();
        let mut head = format!(
            "{} {target} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\ncontent-length: {}\r\n",
            request.method(),
            request.body().len()
        )
        .into_bytes();
        for (name, value) in request.headers() {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(request.body());
        stream.write_all(&head).await.map_err(broken)?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.map_err(broken)?;
        parse(&bytes)
            .ok_or_else(|| HttpError::new(HttpErrorKind::Interrupted, "the answer broke off"))
    }
}

fn parse(bytes: &[u8]) -> Option<http::Response<Bytes>> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut answer = http::Response::builder().status(status);
    let mut length = None;
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok();
        }
        answer = answer.header(name, value);
    }
    let body = &bytes[end + 4..];
    let complete = length.is_none_or(|length: usize| length == body.len());
    complete.then(|| answer.body(Bytes::copy_from_slice(body)).ok())?
}
