//! Usage told to the sandbox's Stripe, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a failure to set up fails the test")]

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use protect_core::config::Config;
use protect_core::connector::{Connector, Delivery, OpContext};
use protect_core::engine::Engine;
use protect_core::model::{ActionId, ActionKind, Actor, Attributes, Month, Severity, TenantId};
use protect_core::registry::Registry;
use protect_core::secret::SecretString;
use protect_core::store::MemoryStore;
use protect_core::testing::contract;
use protect_core::{Context, Error, ErrorKind, Result};
use protect_http::system_context;
use protect_sandbox::{Fault, FaultKind, Sandbox};
use protect_stripe::{KeyMode, Stripe};
use serde_json::{Value, json};

struct Setting {
    sandbox: Sandbox,
    tenants: Vec<Arc<dyn Connector>>,
    _folder: tempfile::TempDir,
}

impl Setting {
    async fn new() -> Self {
        Self::with_key(str::to_owned).await
    }

    /// Two tenants with one key, made from the sandbox's own by `key`.
    async fn with_key(key: impl Fn(&str) -> String) -> Self {
        let sandbox = Sandbox::builder().start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let own = sandbox.credentials();
        std::fs::write(&path, key(&own.stripe_restricted_key)).unwrap();
        let customers = sandbox.state()["stripe"]["customers"].clone();
        let tenant = |name: &str, customer: &Value| {
            json!({
                "name": name,
                "domains": [format!("{name}.example")],
                "connectors": {
                    "billing": { "connection": "stripe", "customer_id": customer },
                },
            })
        };
        let config = json!({
            "connections": { "stripe": {
                "kind": "stripe",
                "endpoints": { "api": sandbox.stripe_api_url() },
                "respond": { "secret_key": { "file": path } },
                "tenants": ["*"],
            } },
            "tenants": {
                "acme": tenant("acme", &customers[0]),
                "other": tenant("other", &customers[1]),
            },
        });
        let mut registry = Registry::new();
        protect_stripe::register(&mut registry);
        let config = Config::from_json(&config.to_string(), &registry).unwrap();
        let context: Context = system_context("protect-test/0.1").unwrap();
        let engine = Engine::builder(config, registry, context)
            .build(Arc::new(MemoryStore::new()))
            .unwrap();
        let tenants = engine.tenants();
        Self {
            sandbox,
            tenants: tenants
                .iter()
                .map(|tenant| Arc::clone(&tenant.connectors()[0]))
                .collect(),
            _folder: folder,
        }
    }

    async fn deliver(&self, delivery: &Delivery) -> Result<Option<String>> {
        let sink = self.tenants[0].as_sink().unwrap();
        Ok(sink.deliver(&op("acme"), delivery).await?.status)
    }

    async fn is_known(&self) -> Result<bool> {
        let sink = self.tenants[0].as_sink().unwrap();
        let reference = delivery("acme", "1").source_reference;
        let found = sink
            .find(&op("acme"), ActionKind::ReportUsage, &reference)
            .await?;
        Ok(found.is_some())
    }

    fn events(&self) -> Vec<Value> {
        let state = self.sandbox.state();
        state["stripe"]["events"].as_array().unwrap().clone()
    }

    fn has_broken_no_rule(&self) {
        let violations = self.sandbox.violations();
        assert!(violations.is_empty(), "{violations:?}");
    }

    async fn end(self) {
        self.sandbox.shutdown().await;
    }
}

fn op(tenant: &str) -> OpContext {
    OpContext::new(TenantId::new(tenant).unwrap(), "test", Actor::engine())
}

/// The month before the present one, as the engine tells it.
fn last_month() -> Month {
    let context = system_context("protect-test/0.1").unwrap();
    let now = context.clock.now();
    Month::of(Month::of(now).start() - SignedDuration::from_hours(1))
}

fn delivery(tenant: &str, number: &str) -> Delivery {
    let month = last_month();
    let mut data = Attributes::new();
    data.insert("month".to_owned(), json!(month));
    data.insert("users".to_owned(), json!(42));
    Delivery {
        action_id: ActionId::of(&TenantId::new(tenant).unwrap(), &[number]),
        kind: ActionKind::ReportUsage,
        source_reference: format!("protect-users:{tenant}:{month}"),
        note_to: None,
        title: "42 monitored users".to_owned(),
        body: String::new(),
        severity: Severity::Info,
        data,
    }
}

#[tokio::test]
async fn a_month_is_told_in_stripes_form_and_marked_as_test_mode() {
    let setting = Setting::new().await;
    let status = setting.deliver(&delivery("acme", "1")).await.unwrap();
    assert_eq!(status.as_deref(), Some("test_mode"));
    let event = &setting.events()[0];
    let month = last_month();
    assert_eq!(
        event["identifier"],
        json!(format!("protect-users:acme:{month}"))
    );
    assert_eq!(event["value"], json!(42));
    assert_eq!(event["timestamp"], json!(month.end().as_second() - 1));
    let requests = setting.sandbox.requests();
    let told = requests.iter().find(|request| request.changing).unwrap();
    let key = delivery("acme", "1").action_id.to_string();
    assert_eq!(told.idempotency.as_deref(), Some(key.as_str()));
    setting.has_broken_no_rule();
    setting.end().await;
}

#[tokio::test]
async fn stripe_keeps_the_contract_of_a_sink_once_it_has_counted() {
    let setting = Setting::new().await;
    let key = setting.sandbox.credentials().stripe_restricted_key;
    let connector = &*setting.tenants[0];
    contract::connector(connector, &op("acme"), &[&key]).await;
    setting.deliver(&delivery("acme", "1")).await.unwrap();
    assert!(!setting.is_known().await.unwrap(), "it is not counted yet");
    setting.sandbox.advance_clock(SignedDuration::from_mins(2));
    assert!(setting.is_known().await.unwrap());
    contract::sink(connector, &op("acme"), &delivery("acme", "1")).await;
    assert_eq!(setting.events().len(), 1);
    setting.has_broken_no_rule();
    setting.end().await;
}

#[tokio::test]
async fn an_identifier_that_stripe_knows_counts_as_told() {
    let setting = Setting::new().await;
    setting.deliver(&delivery("acme", "1")).await.unwrap();
    // Another attempt: another action, so another idempotency key, the same month.
    let status = setting.deliver(&delivery("acme", "2")).await.unwrap();
    assert_eq!(status.as_deref(), Some("test_mode"));
    assert_eq!(setting.events().len(), 1);
    setting.end().await;
}

#[tokio::test]
async fn a_lost_answer_and_a_rate_limit_leave_one_event() {
    for kind in [
        FaultKind::AnswerLost,
        FaultKind::RateLimitedSeconds,
        FaultKind::RateLimitedBare,
        FaultKind::Unavailable,
        FaultKind::ResetMidBody,
        FaultKind::TruncatedJson,
        FaultKind::Html200,
        FaultKind::Html502,
    ] {
        let setting = Setting::new().await;
        let fault = Fault::new(kind).on("meter_events").times(1);
        setting.sandbox.set_fault(fault);
        if setting.deliver(&delivery("acme", "1")).await.is_err() {
            setting.deliver(&delivery("acme", "1")).await.unwrap();
        }
        assert_eq!(setting.events().len(), 1, "{kind:?}");
        setting.has_broken_no_rule();
        setting.end().await;
    }
}

#[tokio::test]
async fn nobody_is_billed_where_stripe_cannot_say_what_it_has() {
    for (kind, expected) in [
        (FaultKind::Html200, ErrorKind::InvalidResponse),
        (FaultKind::TruncatedJson, ErrorKind::InvalidResponse),
        (FaultKind::ScopeRemoved, ErrorKind::PermissionDenied),
        (FaultKind::Unauthorized, ErrorKind::Unauthenticated),
    ] {
        let setting = Setting::new().await;
        setting
            .sandbox
            .set_fault(Fault::new(kind).on("event_summaries"));
        let error = setting.is_known().await.unwrap_err();
        assert_eq!(error.kind(), expected, "{kind:?}");
        assert!(setting.events().is_empty());
        setting.end().await;
    }
}

#[tokio::test]
async fn two_tenants_at_once_are_billed_each_for_their_own() {
    let setting = Setting::new().await;
    let (mine, theirs) = (delivery("acme", "1"), delivery("other", "1"));
    let (acme, other) = (op("acme"), op("other"));
    let first = setting.tenants[0].as_sink().unwrap().deliver(&acme, &mine);
    let second = setting.tenants[1]
        .as_sink()
        .unwrap()
        .deliver(&other, &theirs);
    let (first, second) = tokio::join!(first, second);
    first.unwrap();
    second.unwrap();
    let customers = setting.sandbox.state()["stripe"]["customers"].clone();
    for (place, tenant) in ["acme", "other"].iter().enumerate() {
        let of = |event: &&Value| event["customer"] == customers[place];
        let events = setting.events();
        let identifier = events.iter().find(of).unwrap()["identifier"].clone();
        assert!(
            identifier.as_str().unwrap().contains(tenant),
            "{identifier}"
        );
    }
    setting.has_broken_no_rule();
    setting.end().await;
}

#[tokio::test]
async fn doctor_knows_the_mode_and_the_reach_of_a_key() {
    let restricted = Setting::new().await;
    let diagnosis = restricted.tenants[0].diagnose(&op("acme")).await.unwrap();
    assert!(diagnosis.reachable);
    let key = &diagnosis.credentials[0];
    assert_eq!(
        (key.accepted, key.excess.len(), key.missing.len()),
        (Some(true), 0, 0)
    );
    assert!(diagnosis.notes[0].contains("test mode"), "{diagnosis:?}");
    restricted.has_broken_no_rule();
    restricted.end().await;

    let full = Setting::with_key(|key| key.replace("rk_test", "sk_live")).await;
    let diagnosis = full.tenants[0].diagnose(&op("acme")).await.unwrap();
    assert!(
        diagnosis.credentials[0].excess[0].contains("rk_"),
        "{diagnosis:?}"
    );
    assert!(diagnosis.notes[0].contains("live"), "{diagnosis:?}");
    full.end().await;

    let wrong = Setting::with_key(|_| "rk_test_canary".to_owned()).await;
    let diagnosis = wrong.tenants[0].diagnose(&op("acme")).await.unwrap();
    assert_eq!(diagnosis.credentials[0].accepted, Some(false));
    assert!(!format!("{diagnosis:?}").contains("canary"));
    wrong.end().await;
}

#[tokio::test]
async fn a_refused_key_is_named_and_shown_nowhere() {
    for (key, expected) in [
        ("rk_test_canary", ErrorKind::Unauthenticated),
        ("READ_ONLY", ErrorKind::PermissionDenied),
    ] {
        let setting = Setting::with_key(|own| match key {
            "READ_ONLY" => format!("{own}ro"),
            other => other.to_owned(),
        })
        .await;
        let error = setting.deliver(&delivery("acme", "1")).await.unwrap_err();
        assert_eq!(error.kind(), expected, "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"));
        assert!(setting.events().is_empty());
        setting.end().await;
    }
}

fn client(sandbox: &Sandbox, context: Context) -> Stripe {
    let key = SecretString::from(sandbox.credentials().stripe_restricted_key);
    Stripe::builder()
        .context(context)
        .secret_key(key)
        .base_url(sandbox.stripe_api_url())
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_client_reports_lists_meters_and_reads_totals() {
    let sandbox = Sandbox::builder().start().await.unwrap();
    let context = system_context("protect-test/0.1").unwrap();
    let now = context.clock.now();
    let stripe = client(&sandbox, context);
    let customer = sandbox.credentials().stripe_customer_id;
    assert_eq!(stripe.key_mode().await.unwrap(), KeyMode::Test);
    let meters = stripe.meters().await.unwrap();
    assert_eq!(meters.len(), 2, "both pages");
    let event = stripe.report_usage(&customer, 7, "my-own-1", None, None);
    assert!(!event.await.unwrap().livemode);
    let again = stripe.report_usage(&customer, 7, "my-own-1", None, Some(now));
    let error: Error = again.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    sandbox.advance_clock(SignedDuration::from_mins(2));
    let minute = |at: Timestamp| Timestamp::from_second(at.as_second() / 60 * 60).unwrap();
    let (start, end) = (
        minute(now - SignedDuration::from_mins(5)),
        minute(now + SignedDuration::from_mins(5)),
    );
    let total = stripe
        .usage_total(&customer, start, end, None)
        .await
        .unwrap();
    assert!(total.any && (total.value - 7.0).abs() < f64::EPSILON);
    let nobody = stripe.report_usage("cus_NOBODY", 1, "x", None, None).await;
    assert_eq!(nobody.unwrap_err().kind(), ErrorKind::NotFound);
    let other = stripe.report_usage(&customer, 1, "x", Some("other"), None);
    let error = other.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("meter"), "{error}");
    sandbox.shutdown().await;
}
