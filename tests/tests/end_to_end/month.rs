//! A whole month by the scheduler alone, on a clock that is moved by hand: scans every 6 and 12 hours, a
//! score and evidence a day, one report, one usage event, and tickets that are never doubled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use protect_connectors::core::model::Month;
use protect_connectors::core::testing::MapDns;
use serde_json::{Value, json};

use crate::support::{World, open};

const HOUR: Duration = Duration::from_hours(1);

/// The products of The One Stack and Stripe beside what every test here has.
fn whole(world: &mut World) {
    let own = world.sandbox.credentials().one_stack.remove(0);
    let stripe = world.sandbox.credentials().stripe_restricted_key;
    let secret = |name: &str, value: &str| {
        let file = world.folder.path().join(name);
        std::fs::write(&file, value).unwrap();
        json!({ "file": file })
    };
    let api_key = json!({ "api_key": secret("tos.key", &own.api_key) });
    let integration_key =
        json!({ "integration_key": secret("integration.key", &own.integration_key) });
    let stripe = json!({ "secret_key": secret("stripe.key", &stripe) });
    let customer = world.sandbox.state()["stripe"]["customers"][0].clone();
    for (kind, respond) in [
        ("psa", &api_key),
        ("rmm", &integration_key),
        ("compliance", &integration_key),
        ("portal", &integration_key),
    ] {
        let connection = json!({
            "kind": kind, "endpoints": { "api": world.sandbox.one_stack_url(kind) },
            "respond": respond, "tenants": ["acme"],
        });
        world.set(&format!("/connections/{kind}"), connection);
        let connector = json!({ "connection": kind, "organisation_id": own.id });
        world.set(&format!("/tenants/acme/connectors/{kind}"), connector);
    }
    let connection = json!({
        "kind": "stripe", "endpoints": { "api": world.sandbox.stripe_api_url() },
        "respond": stripe, "tenants": ["acme"],
    });
    world.set("/connections/stripe", connection);
    let billing = json!({ "connection": "stripe", "customer_id": customer });
    world.set("/tenants/acme/connectors/billing", billing);
    world.set("/tenants/acme/connectors/mail", json!({ "kind": "email" }));
    for connector in ["billing", "compliance", "portal"] {
        world.set(
            &format!("/tenants/acme/connectors/{connector}/approval"),
            json!("auto"),
        );
        world.set(
            &format!("/tenants/acme/connectors/{connector}/enabled_by"),
            json!("Ada"),
        );
    }
    world.set(
        "/tenants/acme/connectors/compliance/auto_collection",
        json!(true),
    );
    world.set("/tenants/acme/connectors/portal/client_id", json!("1001"));
    world.set("/tenants/acme/connectors/rmm/owners", json!([]));
    world.set("/tenants/acme/route", json!({ "open_ticket": ["psa"] }));
    let rules = json!([{
        "name": "leaked password",
        "when": { "kind": "credential_exposure", "severity": ">=high" },
        "then": ["force_password_reset", "open_ticket"],
        "approval": "auto", "enabled_by": "Ada",
    }]);
    world.set("/tenants/acme/rules", rules);
}

#[tokio::test]
async fn a_month_by_the_scheduler_scans_scores_reports_bills_once_and_doubles_no_ticket() {
    let mut world = World::new().await;
    whole(&mut world);
    let dns = MapDns::default();
    dns.set_txt("acme.example", &["v=spf1 -all"]);
    let mut context = world.context();
    context.dns = Arc::new(dns);
    // The month that is told is a whole one: it begins with the next.
    let begins = Month::of(context.clock.now()).end();
    let ahead = begins.duration_since(context.clock.now());
    world.advance(Duration::try_from(ahead).unwrap() + HOUR);
    let month = Month::of(begins);
    let engine = open(&world.path(), context).await;
    let acme = engine.tenant("acme").unwrap();

    let mut scans: BTreeMap<String, u32> = BTreeMap::new();
    let mut hours = 0;
    let clock = Arc::clone(&engine.context().clock);
    while clock.now() < month.end() + jiff::SignedDuration::from_hours(30) {
        if hours == 24 * 9 {
            let people = world.ordinary_people();
            world.leak("Shop", &[people[0].1.clone()]);
        }
        let tick = engine.tick().await.unwrap();
        for scan in tick.scans {
            assert!(scan.error.is_none(), "{:?}", scan.error);
            *scans.entry(scan.connector.to_string()).or_default() += 1;
        }
        world.advance(HOUR * 6);
        hours += 6;
    }
    let days = month.end().duration_since(month.start()).as_hours() / 24;
    for (connector, a_day) in [("breaches", 2), ("mail", 4)] {
        let times = i64::from(scans[connector]);
        assert!(
            (times - a_day * days).abs() <= 6,
            "{connector}: {times} in {days} days"
        );
    }
    let history = acme.score_history(month).await.unwrap();
    assert!(
        i64::try_from(history.len()).unwrap() >= days - 1,
        "{}",
        history.len()
    );
    let made = |object: &str| -> Vec<Value> {
        let all = world.sandbox.one_stack_items().into_iter();
        all.filter(|item| item["object"] == object).collect()
    };
    let references: Vec<_> = made("ticket")
        .iter()
        .map(|ticket| ticket["fields"]["source_ref"].clone())
        .collect();
    let mut once = references.clone();
    once.sort_by_key(Value::to_string);
    once.dedup();
    assert_eq!(once.len(), references.len(), "a ticket for each incident");
    assert!(
        references.len() >= 2,
        "those of the beginning and the one of the ninth day"
    );
    let resets = made("remediation");
    assert_eq!(resets.len(), references.len());
    assert!(
        resets.iter().all(|it| it["status"] == "completed"),
        "{resets:?}"
    );
    assert!(!made("evidence").is_empty() && !made("snapshot").is_empty());

    let kept = acme.kept_reports().await.unwrap();
    assert_eq!(
        kept.iter().filter(|report| report.month == month).count(),
        1
    );
    let told = world.sandbox.state()["stripe"]["events"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(told.len(), 1, "{told:?}");
    let report = acme.kept_report(month).await.unwrap().unwrap();
    assert!(report.score.total.is_some());
    let nothing = acme.plan().await.unwrap();
    assert!(nothing.actions.is_empty(), "{:?}", nothing.actions);
    world.assert_no_violations();
}
