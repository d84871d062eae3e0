//! No secret is in anything that a person, a log or a file gets to see, whatever goes wrong.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protect_connectors::Protect;
use protect_connectors::core::engine::{FindingFilter, IncidentFilter, ScanOptions, Tenant};
use protect_connectors::core::ledger::{LedgerKey, checkpoint, export};
use protect_connectors::core::model::Plan;
use protect_connectors::core::report::Month;
use protect_connectors::core::{Error, config::Config};
use protect_sandbox::{Fault, FaultKind, Vendor};
use serde::Serialize;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{World, alice};

#[tokio::test]
async fn no_secret_is_in_any_output_log_error_file_or_debug() {
    let logged = Shown::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(logged.clone())
        .finish();
    // Once for the process: the store and the vendors have threads of their own.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let world = World::with_every_receiver(20).await;
    let secrets = secrets(&world);
    let shown = Shown::default();
    let protect = Protect::builder()
        .context(world.context())
        .open(world.path())
        .await
        .unwrap();
    shown.debug(&protect);
    shown.debug(protect.config());
    shown.debug(protect.context());
    let acme = protect.tenant("acme").unwrap();
    everything(&world, &protect, &acme, &shown).await;
    for (kind, route) in failures() {
        world.advance(Duration::from_hours(13));
        let mut fault = Fault::new(kind);
        fault.route = route.map(str::to_owned);
        world.sandbox.set_fault(fault);
        everything(&world, &protect, &acme, &shown).await;
        world.sandbox.clear_faults();
    }
    wrong_configurations(&world, &shown).await;
    everything(&world, &protect, &acme, &shown).await;
    shown.debug(&world.sandbox.requests());

    assert!(shown.text().len() > 100_000 && logged.text().len() > 10_000);
    assert_everybody_was_told(&world);
    assert_free_of(&secrets, "what was shown", &shown.text());
    assert_free_of(&secrets, "the log", &logged.text());
    assert_free_of_addresses("the log", &logged.text());
    for name in ["protect.db", "protect.db-wal"] {
        let file = std::fs::read(world.folder.path().join(name)).unwrap();
        assert_free_of(&secrets, name, &String::from_utf8_lossy(&file));
    }
}

/// No receiver was left out, so that its secrets had the chance to show.
fn assert_everybody_was_told(world: &World) {
    let requests = world.sandbox.requests();
    let asked: BTreeSet<_> = requests.iter().map(|request| request.vendor).collect();
    for vendor in [Vendor::Scim, Vendor::Slack, Vendor::Stripe] {
        assert!(
            asked.contains(&vendor),
            "{vendor:?} was not asked: {asked:?}"
        );
    }
    let items = world.sandbox.one_stack_items();
    let made: BTreeSet<_> = items
        .iter()
        .filter_map(|it| it["object"].as_str())
        .collect();
    let wanted = [
        "event",
        "evidence",
        "incident",
        "page",
        "remediation",
        "revocation",
        "ticket",
    ];
    assert_eq!(made.into_iter().collect::<Vec<_>>(), wanted);
}

/// The road and everything that shows something of it, on whatever the vendors do now.
async fn everything(world: &World, protect: &Protect, acme: &Tenant, shown: &Shown) {
    shown.both(&acme.doctor().await);
    let forced = ScanOptions {
        forced: true,
        ..ScanOptions::default()
    };
    shown.result(acme.scan_with(forced).await);
    world.advance(Duration::ZERO);
    carry_out(acme, acme.plan().await, shown).await;
    carry_out(acme, acme.plan_evidence().await, shown).await;
    shown.result(acme.apply_waiting().await);
    shown.result(protect.tick().await);
    shown.result(acme.status().await);
    shown.result(acme.findings(&FindingFilter::default()).await);
    shown.result(acme.incidents(&IncidentFilter::default()).await);
    shown.result(acme.accounts().await);
    shown.result(acme.verdicts().await);
    shown.result(acme.plans_waiting().await);
    shown.result(acme.actions().await);
    shown.result_debug(acme.watch_list().await);
    let now = protect.context().clock.now();
    if let Some(report) = shown.result_debug(acme.report(Month::of(now), &[]).await) {
        shown.add(&report.to_markdown());
        shown.add(&report.to_html().unwrap());
        shown.add(&report.to_json().unwrap());
    }
    for connector in acme.connectors() {
        shown.debug(connector);
    }
    let mut ledger = Vec::new();
    export(protect.store().as_ref(), acme.id(), &mut ledger)
        .await
        .unwrap();
    shown.add(&String::from_utf8(ledger).unwrap());
    let reference = protect.config().ledger.key.as_ref().unwrap();
    let key = protect.context().secrets.resolve(reference).await.unwrap();
    shown.debug(&key);
    let key = LedgerKey::parse(&key).unwrap();
    shown.debug(&key);
    let head = checkpoint(protect.store().as_ref(), acme.id(), &key, now).await;
    shown.add(&head.unwrap().to_string());
}

async fn carry_out(acme: &Tenant, plan: Result<Plan, Error>, shown: &Shown) {
    if let Some(plan) = shown.result(plan)
        && let Some(approved) = shown.result_debug(acme.approve(plan, &alice()).await)
        && let Some(steps) = shown.result(acme.apply(approved).await)
    {
        for step in steps {
            shown.add(&step.to_string());
        }
    }
}

/// Each secret where a reference, or something else, belongs.
async fn wrong_configurations(world: &World, shown: &Shown) {
    let registry = protect_connectors::registry();
    let secrets = world.sandbox.credentials();
    for (place, secret) in [
        ("/connections/hibp/scan/api_key", &secrets.hibp_api_key),
        (
            "/connections/acme-passwords/respond/client_secret",
            &secrets.respond_client_secret,
        ),
        ("/connections/acme-passwords/region", &secrets.events_token),
        (
            "/connections/acme-desk/endpoints/url",
            &secrets.webhook_secret,
        ),
        ("/mode", &secrets.scan_client_secret),
        (
            "/tenants/acme/connectors/passwords/account_id",
            &secrets.events_token,
        ),
    ] {
        let mut config = world.config.clone();
        let (parent, key) = place.rsplit_once('/').unwrap();
        config.pointer_mut(parent).unwrap()[key] = secret.as_str().into();
        if let Err(error) = Config::from_value(&config, &registry) {
            shown.error(&error);
        }
        // Some values only the connector can judge.
        let opened = Protect::builder().context(world.context());
        shown.error(&opened.open_config(&config).await.unwrap_err());
    }
}

fn failures() -> Vec<(FaultKind, Option<&'static str>)> {
    let everywhere = [
        FaultKind::Unauthorized,
        FaultKind::ScopeRemoved,
        FaultKind::Html200,
        FaultKind::Html502,
        FaultKind::TruncatedJson,
        FaultKind::RateLimitedSeconds,
        FaultKind::Unavailable,
        FaultKind::RedirectElsewhere,
        FaultKind::CloseEarly,
        FaultKind::HugeBody,
        FaultKind::UnknownEnum,
        FaultKind::NumbersAsStrings,
    ];
    let mut all: Vec<_> = everywhere.into_iter().map(|kind| (kind, None)).collect();
    all.push((FaultKind::AnswerLost, Some(":suspend")));
    all.push((FaultKind::Html200, Some("token")));
    all.push((FaultKind::SuspendFails, None));
    all.push((FaultKind::SuspendRefused, None));
    all
}

/// Every secret in every form in which it is sent or could be printed, by name.
fn secrets(world: &World) -> Vec<(&'static str, String)> {
    let credentials = world.sandbox.credentials();
    let basic = |id: &str, secret: &str| STANDARD.encode(format!("{id}:{secret}"));
    let webhook = credentials.webhook_secret.trim_start_matches("whsec_");
    let webhook_bytes = STANDARD.decode(webhook).unwrap();
    let key = std::fs::read_to_string(world.folder.path().join("ledger.key")).unwrap();
    let key_line = key.lines().find(|line| !line.starts_with('-')).unwrap();
    // The last 32 bytes of PKCS#8 are the seed.
    let der = STANDARD.decode(key_line).unwrap();
    let seed = &der[der.len() - 32..];
    let organisation = &credentials.one_stack[0];
    let slack = credentials.slack_webhook_url.rsplit('/').next().unwrap();
    vec![
        ("One Stack API key", organisation.api_key.clone()),
        ("One Stack key", organisation.integration_key.clone()),
        ("Slack's address", slack.to_owned()),
        ("Stripe key", credentials.stripe_restricted_key),
        ("SMTP password", credentials.smtp_password),
        ("SCIM scan token", credentials.scim_scan_token),
        ("SCIM respond token", credentials.scim_respond_token),
        ("HIBP key", credentials.hibp_api_key),
        (
            "scan basic",
            basic(&credentials.scan_client_id, &credentials.scan_client_secret),
        ),
        (
            "respond basic",
            basic(
                &credentials.respond_client_id,
                &credentials.respond_client_secret,
            ),
        ),
        ("scan secret", credentials.scan_client_secret),
        ("respond secret", credentials.respond_client_secret),
        ("events token", credentials.events_token),
        ("webhook secret", webhook.to_owned()),
        ("webhook key", String::from_utf8(webhook_bytes).unwrap()),
        ("ledger key", key_line.to_owned()),
        ("ledger seed", STANDARD.encode(seed)),
        ("ledger seed as bytes", format!("{seed:?}")),
    ]
}

fn assert_free_of(secrets: &[(&str, String)], place: &str, text: &str) {
    for (name, secret) in secrets {
        assert!(secret.len() >= 16, "{name} is too short to be looked for");
        let at = text.find(secret.as_str());
        let before = at.map(|at| text[..at].chars().rev().take(200).collect::<String>());
        let before = before.map(|text| text.chars().rev().collect::<String>());
        assert_eq!(before, None, "{name} is in {place}, after this");
    }
}

fn assert_free_of_addresses(place: &str, text: &str) {
    let line = text.lines().find(|line| line.contains("@acme.example"));
    assert_eq!(line, None, "an address is in {place}");
}

/// What was shown so far; also where the log goes.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    fn add(&self, text: &str) {
        self.0.lock().unwrap().extend_from_slice(text.as_bytes());
    }

    fn debug(&self, value: &impl Debug) {
        self.add(&format!("{value:?}\n{value:#?}\n"));
    }

    fn both(&self, value: &(impl Debug + Serialize)) {
        self.debug(value);
        self.add(&serde_json::to_string(value).unwrap());
    }

    fn error(&self, error: &Error) {
        self.both(&error.envelope());
        self.add(&format!("{error}\n{error:?}\n{error:#}\n"));
        assert_free_of_addresses("an error", &format!("{error:?}"));
    }

    fn result<T: Debug + Serialize>(&self, result: Result<T, Error>) -> Option<T> {
        let value = self.result_debug(result)?;
        self.add(&serde_json::to_string(&value).unwrap());
        Some(value)
    }

    fn result_debug<T: Debug>(&self, result: Result<T, Error>) -> Option<T> {
        match &result {
            Ok(value) => self.debug(value),
            Err(error) => self.error(error),
        }
        result.ok()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Shown {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
