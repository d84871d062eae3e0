//! Notices against the sandbox's mail server and chat receivers, over real sockets.

#![expect(clippy::unwrap_used, reason = "a failure to set up fails the test")]

use std::sync::Arc;

use protect_core::config::Config;
use protect_core::connector::{Connector, Delivery, OpContext};
use protect_core::engine::Engine;
use protect_core::model::{ActionId, ActionKind, Actor, Attributes, Severity, TenantId};
use protect_core::registry::Registry;
use protect_core::store::MemoryStore;
use protect_core::testing::contract;
use protect_core::{Context, Error, ErrorKind, Result};
use protect_http::system_context;
use protect_sandbox::{Fault, FaultKind, Sandbox, Vendor};
use serde_json::{Value, json};

/// How notices go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Mail,
    Slack,
    Teams,
}

const EVERY_WAY: [Way; 3] = [Way::Mail, Way::Slack, Way::Teams];

struct Setting {
    sandbox: Sandbox,
    tenants: Vec<Arc<dyn Connector>>,
    _folder: tempfile::TempDir,
}

impl Setting {
    /// A sandbox, and the connectors of two tenants as the configuration makes them.
    async fn new(way: Way) -> Self {
        Self::with_password(way, None).await
    }

    async fn with_password(way: Way, password: Option<&str>) -> Self {
        let sandbox = Sandbox::builder().start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let own = sandbox.credentials();
        let hide = |name: &str, secret: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, secret).unwrap();
            json!({ "file": path })
        };
        let connection = match way {
            Way::Mail => json!({
                "kind": "notify",
                "endpoints": { "smtp": sandbox.smtp_url() },
                "respond": {
                    "username": own.smtp_username,
                    "password": hide("password", password.unwrap_or(&own.smtp_password)),
                },
                "tenants": ["*"],
            }),
            Way::Slack => json!({
                "kind": "notify",
                "format": "slack",
                "respond": { "webhook_url": hide("slack", &own.slack_webhook_url) },
                "tenants": ["*"],
            }),
            Way::Teams => json!({
                "kind": "notify",
                "format": "teams",
                "respond": { "webhook_url": hide("teams", &own.teams_webhook_url) },
                "tenants": ["*"],
            }),
        };
        let tenant = |name: &str| {
            let mut connector = json!({ "connection": "people" });
            if way == Way::Mail {
                connector["to"] = json!([format!("security@{name}.example")]);
            }
            json!({
                "name": name,
                "domains": [format!("{name}.example")],
                "connectors": { "people": connector },
            })
        };
        let config = json!({
            "connections": { "people": connection },
            "tenants": { "acme": tenant("acme"), "other": tenant("other") },
        });
        let mut registry = Registry::new();
        protect_notify::register(&mut registry);
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

    fn connector(&self) -> &dyn Connector {
        &*self.tenants[0]
    }

    async fn deliver(&self, delivery: &Delivery) -> Result<String> {
        let sink = self.connector().as_sink().unwrap();
        Ok(sink.deliver(&op("acme"), delivery).await?.id)
    }

    /// What arrived, as the sandbox keeps it.
    fn arrived(&self, way: Way) -> Vec<Value> {
        let state = self.sandbox.state();
        let list = match way {
            Way::Mail => &state["smtp"]["mails"],
            Way::Slack => &state["slack"]["messages"],
            Way::Teams => &state["teams"]["messages"],
        };
        list.as_array().unwrap().clone()
    }

    fn has_broken_no_rule(&self) {
        let violations = self.sandbox.violations();
        assert!(violations.is_empty(), "{violations:?}");
    }

    async fn end(self) {
        self.sandbox.shutdown().await;
    }
}

fn vendor(way: Way) -> Vendor {
    match way {
        Way::Mail => Vendor::Smtp,
        Way::Slack => Vendor::Slack,
        Way::Teams => Vendor::Teams,
    }
}

fn op(tenant: &str) -> OpContext {
    OpContext::new(TenantId::new(tenant).unwrap(), "test", Actor::engine())
}

fn delivery(number: &str) -> Delivery {
    Delivery {
        action_id: ActionId::of(&TenantId::new("acme").unwrap(), &[number]),
        kind: ActionKind::Notify,
        source_reference: "protect:acme:incident".to_owned(),
        note_to: None,
        title: "A leaked password".to_owned(),
        body: "Somebody & <others>.\n\n- **Adobe** (critical): anna@acme.example\n  - password in clear\n\nSource: [Have I Been Pwned](https://haveibeenpwned.com/), CC BY 4.0.".to_owned(),
        severity: Severity::Critical,
        data: Attributes::new(),
    }
}

fn delivery_to(number: &str, to: &[&str]) -> Delivery {
    let mut delivery = delivery(number);
    delivery.data.insert("to".to_owned(), json!(to));
    delivery
}

/// Whether the engine may begin again by itself.
fn may_begin_again(error: &Error) -> bool {
    error.is_retryable() && error.is_untouched()
}

#[tokio::test]
async fn each_way_keeps_the_contract_of_a_sink_and_shows_no_secret() {
    for way in EVERY_WAY {
        let setting = Setting::new(way).await;
        let own = setting.sandbox.credentials();
        let secrets = [
            own.smtp_password.as_str(),
            own.slack_webhook_url.as_str(),
            own.teams_webhook_url.as_str(),
            "security@acme.example",
        ];
        contract::connector(setting.connector(), &op("acme"), &secrets).await;
        contract::sink(setting.connector(), &op("acme"), &delivery("1")).await;
        assert_eq!(setting.arrived(way).len(), 1, "{way:?}");
        assert_eq!(setting.sandbox.transitions().len(), 1);
        setting.has_broken_no_rule();
        setting.end().await;
    }
}

#[tokio::test]
async fn a_mail_arrives_with_its_severity_its_text_and_an_id_that_a_repeat_has_too() {
    let setting = Setting::new(Way::Mail).await;
    let id = setting.deliver(&delivery("1")).await.unwrap();
    let mails = setting.arrived(Way::Mail);
    assert_eq!(mails[0]["id"], json!(id));
    assert!(id.contains(delivery("1").action_id.as_str()), "{id}");
    assert_eq!(mails[0]["to"], json!(["security@acme.example"]));
    assert_eq!(mails[0]["subject"], json!("[critical] A leaked password"));
    let text = mails[0]["text"].as_str().unwrap();
    assert!(
        text.contains("- Adobe (critical): anna@acme.example"),
        "{text}"
    );
    setting.end().await;
}

#[tokio::test]
async fn slack_and_teams_get_their_own_bodies() {
    let slack = Setting::new(Way::Slack).await;
    slack.deliver(&delivery("1")).await.unwrap();
    let text = slack.arrived(Way::Slack)[0].as_str().unwrap().to_owned();
    assert!(text.starts_with("*[critical] A leaked password*\nSomebody &amp; &lt;others&gt;."));
    assert!(text.contains("<https://haveibeenpwned.com/|Have I Been Pwned>"));
    slack.has_broken_no_rule();
    slack.end().await;

    let teams = Setting::new(Way::Teams).await;
    teams.deliver(&delivery("1")).await.unwrap();
    let card = &teams.arrived(Way::Teams)[0];
    assert_eq!(
        card["body"][0]["text"],
        json!("[critical] A leaked password")
    );
    assert_eq!(
        card["body"][2]["text"],
        json!("• **Adobe** (critical): anna@acme.example")
    );
    teams.has_broken_no_rule();
    teams.end().await;
}

#[tokio::test]
async fn a_rule_may_name_other_recipients() {
    let setting = Setting::new(Way::Mail).await;
    let to = ["ciso@acme.example", "desk@acme.example"];
    setting.deliver(&delivery_to("1", &to)).await.unwrap();
    assert_eq!(setting.arrived(Way::Mail)[0]["to"], json!(to));
    setting.has_broken_no_rule();
    setting.end().await;
}

#[tokio::test]
async fn a_recipient_who_is_refused_does_not_keep_the_others_from_their_mail() {
    let setting = Setting::new(Way::Mail).await;
    let to = ["nobody@acme.example", "desk@acme.example"];
    setting.deliver(&delivery_to("1", &to)).await.unwrap();
    assert_eq!(
        setting.arrived(Way::Mail)[0]["to"],
        json!(["desk@acme.example"])
    );

    let nobody = delivery_to("2", &["nobody@acme.example"]);
    let error = setting.deliver(&nobody).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!format!("{error} {error:?}").contains("nobody@"));
    assert_eq!(setting.arrived(Way::Mail).len(), 1);
    setting.has_broken_no_rule();
    setting.end().await;
}

#[tokio::test]
async fn a_title_with_a_line_break_sends_no_further_header() {
    let setting = Setting::new(Way::Mail).await;
    let mut hostile = delivery("1");
    hostile.title = "Leak\r\nBcc: thief@evil.example".to_owned();
    setting.deliver(&hostile).await.unwrap();
    let mails = setting.arrived(Way::Mail);
    assert_eq!(mails[0]["to"], json!(["security@acme.example"]));
    assert_eq!(
        mails[0]["subject"],
        json!("[critical] Leak  Bcc: thief@evil.example")
    );
    setting.has_broken_no_rule();
    setting.end().await;
}

#[tokio::test]
async fn a_long_text_and_lines_that_begin_with_a_dot_arrive_whole() {
    let setting = Setting::new(Way::Mail).await;
    let mut long = delivery("1");
    long.body = format!(".\n..two\n{}", "Ünïcode and more. ".repeat(500));
    setting.deliver(&long).await.unwrap();
    assert_eq!(setting.arrived(Way::Mail).len(), 1);
    setting.has_broken_no_rule();
    setting.end().await;
}

#[tokio::test]
async fn what_was_surely_not_sent_may_begin_again() {
    for (way, kind, route) in [
        (Way::Mail, FaultKind::CloseEarly, "/connect"),
        (Way::Mail, FaultKind::Unavailable, "/ehlo"),
        (Way::Mail, FaultKind::Html200, "/connect"),
        (Way::Mail, FaultKind::RateLimitedBare, "/mail"),
        (Way::Mail, FaultKind::RateLimitedBare, "/rcpt"),
        (Way::Mail, FaultKind::TruncatedJson, "/rcpt"),
        (Way::Mail, FaultKind::Unavailable, "/data"),
        // A refusal of the whole mail is an answer: it was not taken.
        (Way::Mail, FaultKind::RateLimitedBare, "/message"),
        (Way::Slack, FaultKind::RateLimitedSeconds, "/services"),
        (Way::Slack, FaultKind::RateLimitedBare, "/services"),
        (Way::Teams, FaultKind::RateLimitedDate, "/workflows"),
    ] {
        let setting = Setting::new(way).await;
        setting
            .sandbox
            .set_fault(Fault::new(kind).at(vendor(way)).on(route).times(1));
        let error = setting.deliver(&delivery("1")).await.unwrap_err();
        assert!(may_begin_again(&error), "{way:?} {kind:?} {route}: {error}");
        assert!(setting.arrived(way).is_empty());
        setting.deliver(&delivery("1")).await.unwrap();
        assert_eq!(setting.arrived(way).len(), 1, "{way:?} {kind:?}");
        setting.has_broken_no_rule();
        setting.end().await;
    }
}

#[tokio::test]
async fn what_may_have_been_sent_is_sent_once_and_said_to_be_unknown() {
    for (way, kind, arrived) in [
        (Way::Mail, FaultKind::AnswerLost, 1),
        (Way::Mail, FaultKind::TruncatedJson, 1),
        (Way::Mail, FaultKind::Html200, 0),
        (Way::Slack, FaultKind::AnswerLost, 1),
        (Way::Slack, FaultKind::Html200, 0),
        (Way::Slack, FaultKind::Unavailable, 0),
        (Way::Teams, FaultKind::AnswerLost, 1),
        (Way::Teams, FaultKind::Html502, 0),
        (Way::Teams, FaultKind::Html200, 0),
    ] {
        let setting = Setting::new(way).await;
        let fault = Fault::new(kind).at(vendor(way)).times(1);
        let fault = if way == Way::Mail {
            fault.on("/message")
        } else {
            fault
        };
        setting.sandbox.set_fault(fault);
        let error = setting.deliver(&delivery("1")).await.unwrap_err();
        assert!(error.is_retryable(), "{way:?} {kind:?}: {error}");
        assert!(!error.is_untouched(), "{way:?} {kind:?}: {error}");
        assert_eq!(setting.arrived(way).len(), arrived, "{way:?} {kind:?}");
        setting.has_broken_no_rule();
        setting.end().await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_named_and_shown_nowhere() {
    let canary = "canary-not-the-password";
    let setting = Setting::with_password(Way::Mail, Some(canary)).await;
    let error = setting.deliver(&delivery("1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    let diagnosis = setting.connector().diagnose(&op("acme")).await.unwrap();
    assert_eq!(diagnosis.credentials[0].accepted, Some(false));
    let shown = format!("{error} {error:?} {diagnosis:?} {:?}", setting.connector());
    assert!(!shown.contains(canary), "{shown}");
    assert!(setting.arrived(Way::Mail).is_empty());
    setting.end().await;
}

#[tokio::test]
async fn doctor_signs_in_to_a_mail_server_and_sends_nothing() {
    let setting = Setting::new(Way::Mail).await;
    let diagnosis = setting.connector().diagnose(&op("acme")).await.unwrap();
    assert!(diagnosis.reachable);
    assert_eq!(diagnosis.credentials[0].accepted, Some(true));
    assert!(setting.sandbox.transitions().is_empty());
    setting.has_broken_no_rule();
    setting.end().await;
}

#[tokio::test]
async fn doctor_says_of_a_webhook_that_it_cannot_tell() {
    let setting = Setting::new(Way::Slack).await;
    let diagnosis = setting.connector().diagnose(&op("acme")).await.unwrap();
    assert!(diagnosis.reachable);
    assert_eq!(diagnosis.credentials[0].accepted, None);
    let note = diagnosis.credentials[0].note.clone().unwrap();
    assert!(note.contains("cannot tell"), "{note}");
    assert!(setting.arrived(Way::Slack).is_empty());
    setting.end().await;
}

#[tokio::test]
async fn two_tenants_at_once_each_write_to_their_own_people() {
    let setting = Setting::new(Way::Mail).await;
    let (mine, theirs) = (delivery("1"), delivery("2"));
    let (acme, other) = (op("acme"), op("other"));
    let first = setting.tenants[0].as_sink().unwrap().deliver(&acme, &mine);
    let second = setting.tenants[1]
        .as_sink()
        .unwrap()
        .deliver(&other, &theirs);
    let (first, second) = tokio::join!(first, second);
    let ids = [first.unwrap().id, second.unwrap().id];
    for (id, to) in ids
        .iter()
        .zip(["security@acme.example", "security@other.example"])
    {
        let mails = setting.arrived(Way::Mail);
        let mail = mails.iter().find(|mail| mail["id"] == json!(id)).unwrap();
        assert_eq!(mail["to"], json!([to]));
    }
    setting.has_broken_no_rule();
    setting.end().await;
}

#[tokio::test]
async fn a_mail_server_that_hangs_ends_with_the_deadline() {
    let setting = Setting::new(Way::Mail).await;
    let hangs = Fault::new(FaultKind::Delay).at(Vendor::Smtp).on("/rcpt");
    setting.sandbox.set_fault(hangs.millis(60_000));
    let context: Context = system_context("protect-test/0.1").unwrap();
    let own = setting.sandbox.credentials();
    let client = protect_notify::Notify::builder()
        .context(context)
        .smtp(setting.sandbox.smtp_url())
        .username(own.smtp_username)
        .password(own.smtp_password)
        .to(vec!["desk@acme.example".to_owned()])
        .build()
        .unwrap()
        .with_timeout(std::time::Duration::from_millis(300));
    let error = client.send("t", "x", None, None, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(may_begin_again(&error));
    setting.end().await;
}

#[tokio::test]
async fn a_webhook_inside_our_own_network_is_never_called() {
    let context: Context = system_context("protect-test/0.1").unwrap();
    for url in [
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/services/T/B/x",
        "https://[::ffff:10.0.0.1]/x",
        "http://hooks.example/x",
    ] {
        let client = protect_notify::Notify::builder()
            .context(context.clone())
            .url(url)
            .format(protect_notify::ChatFormat::Slack)
            .build()
            .unwrap();
        let error = client.send("t", "x", None, None, None).await.unwrap_err();
        let refused = [ErrorKind::Refused, ErrorKind::ConfigInvalid];
        assert!(refused.contains(&error.kind()), "{error}");
        assert!(!format!("{error:?}").contains("meta-data"));
    }
}
