use std::time::Duration;

use protect_core::ErrorKind;
use protect_core::model::{ActionKind, Severity};
use protect_core::testing::logged;
use protect_sandbox::{Fault, Vendor};
use serde_json::json;

use crate::world::{World, delivery, env, op};

const TICKET: ActionKind = ActionKind::OpenTicket;

#[tokio::test]
async fn answers_that_are_none_say_what_is_wrong_and_never_that_nothing_is_there() {
    for (fault, kind) in [
        ("html200", ErrorKind::InvalidResponse),
        ("truncated_json", ErrorKind::InvalidResponse),
        ("scope_removed", ErrorKind::PermissionDenied),
        ("unauthorized", ErrorKind::Unauthenticated),
        ("redirect_elsewhere", ErrorKind::InvalidResponse),
    ] {
        let world = World::new().await;
        let connector = world.connector("acme", "psa", |_| {});
        let sink = connector.as_sink().unwrap();
        world
            .sandbox
            .set_fault(Fault::named(fault).unwrap().at(Vendor::OneStack).times(9));
        let error = sink.find(&op("acme"), TICKET, "x").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}: {error}");
        let told = delivery(TICKET, "1", Severity::High);
        let error = sink.deliver(&op("acme"), &told).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}: {error}");
        let unclear = matches!(fault, "html200" | "truncated_json");
        assert_eq!(
            error.is_retryable(),
            unclear,
            "{fault}: it may have been made"
        );
    }
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |_| {});
    world
        .sandbox
        .set_fault(Fault::named("scope_removed").unwrap());
    let diagnosis = connector.diagnose(&op("acme")).await.unwrap();
    assert_eq!(diagnosis.credentials[0].missing, ["tickets.write"]);
    let told = delivery(TICKET, "1", Severity::High);
    let error = connector
        .as_sink()
        .unwrap()
        .deliver(&op("acme"), &told)
        .await
        .unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("tickets.write") && said.contains("psa"),
        "{said}"
    );
}

#[tokio::test]
async fn refused_fields_are_named_with_the_vendors_words() {
    let world = World::new().await;
    let client = json!({
        "organisation_id": world.organisation("acme").id,
        "api_key": env("ACME_API_KEY"),
        "base_url": world.sandbox.one_stack_url("psa"),
    });
    let psa = protect_one_stack::psa::connect(client, &world.context).unwrap();
    let ticket = json!({ "title": "x", "priority": "P1", "source_ref": "r" });
    let error = psa
        .call("create_ticket", json!({ "ticket": ticket }))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let said = error.to_string();
    assert!(
        said.contains("priority: Must be one of: low, medium, high, critical"),
        "{said}"
    );
    assert!(said.contains("VALIDATION_ERROR"), "{said}");
}

#[tokio::test]
async fn a_storm_of_errors_is_ridden_out_by_what_reads_and_left_to_the_engine_by_what_makes() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |_| {});
    let sink = connector.as_sink().unwrap();
    world.sandbox.set_fault(
        Fault::named("unavailable")
            .unwrap()
            .at(Vendor::OneStack)
            .times(2),
    );
    assert_eq!(sink.find(&op("acme"), TICKET, "x").await.unwrap(), None);
    world.sandbox.set_fault(
        Fault::named("unavailable")
            .unwrap()
            .at(Vendor::OneStack)
            .times(1),
    );
    let told = delivery(TICKET, "1", Severity::High);
    let error = sink.deliver(&op("acme"), &told).await.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(world.made("ticket").len(), 0);
}

#[tokio::test]
async fn new_members_and_new_words_in_answers_change_nothing() {
    for fault in ["new_fields", "unknown_enum", "numbers_as_strings"] {
        let world = World::new().await;
        let connector = world.connector("acme", "psa", |_| {});
        let sink = connector.as_sink().unwrap();
        world
            .sandbox
            .set_fault(Fault::named(fault).unwrap().at(Vendor::OneStack));
        let told = delivery(TICKET, "1", Severity::High);
        let made = sink.deliver(&op("acme"), &told).await.unwrap();
        let found = sink
            .find(&op("acme"), TICKET, &told.source_reference)
            .await
            .unwrap();
        assert_eq!(found.unwrap().id, made.id, "{fault}");
    }
}

#[tokio::test]
async fn a_canary_for_a_key_shows_in_no_error_and_no_debug_output() {
    let canary = "tos_CANARY7f1e";
    let world = World::new().await;
    world.secrets.set_env("ACME_API_KEY", canary);
    for kind in ["psa", "security"] {
        let connector = world.connector("acme", kind, |_| {});
        let action = *connector.capability().actions.keys().next().unwrap();
        let told = delivery(action, "1", Severity::High);
        let sink = connector.as_sink().unwrap();
        let wrong = sink.deliver(&op("acme"), &told).await.unwrap_err();
        assert_eq!(wrong.kind(), ErrorKind::Unauthenticated, "{wrong}");
        let diagnosis = connector.diagnose(&op("acme")).await.unwrap();
        assert_eq!(diagnosis.credentials[0].accepted, Some(false));
        world
            .sandbox
            .set_fault(Fault::named("close_early").unwrap().times(4));
        let broken = sink.deliver(&op("acme"), &told).await.unwrap_err();
        let all = format!("{wrong:?} {broken:?} {diagnosis:?} {connector:?}");
        assert!(!all.contains("CANARY"), "{all}");
        world.sandbox.clear_faults();
    }
}

#[tokio::test]
async fn a_base_url_inside_our_own_network_is_refused_unless_somebody_says_so() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |config| {
        config["connections"]["acme-psa"]["endpoints"]["api"] = json!("https://10.0.0.1");
    });
    let cx = op("acme").with_deadline(Duration::from_hours(1));
    let error = connector
        .as_sink()
        .unwrap()
        .find(&cx, TICKET, "x")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_right_names_its_place() {
    type Change = fn(&mut serde_json::Value);
    let world = World::new().await;
    let cases: [(Change, &str); 4] = [
        (
            |config| config["connections"]["acme-psa"]["respond"] = json!({}),
            "respond",
        ),
        (
            |config| {
                config["connections"]["acme-psa"]["respond"] =
                    json!({ "api_key": { "env": "A" }, "integration_key": { "env": "B" } });
            },
            "give one of",
        ),
        (
            |config| {
                config["tenants"]["acme"]["connectors"]["psa"]["link"] = json!("https://x.example");
            },
            "{incident}",
        ),
        (
            |config| {
                let psa = &mut config["tenants"]["acme"]["connectors"]["psa"];
                psa.as_object_mut().unwrap().remove("organisation_id");
            },
            "organisation_id",
        ),
    ];
    for (change, part) in cases {
        let error = world.engine(&world.config(&["psa"], change)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn not_even_the_loudest_log_of_real_requests_holds_a_key_or_an_address() {
    let world = World::new().await;
    let actions = [
        ("psa", TICKET),
        ("security", ActionKind::OpenSecurityIncident),
        ("oncall", ActionKind::Page),
        ("bus", ActionKind::EmitEvent),
    ];
    let log = logged(async {
        for (kind, action) in actions {
            let connector = world.connector("acme", kind, |_| {});
            let told = delivery(action, "1", Severity::High);
            let sink = connector.as_sink().unwrap();
            sink.deliver(&op("acme"), &told).await.unwrap();
            world
                .sandbox
                .set_fault(Fault::named("close_early").unwrap().times(9));
            sink.deliver(&op("acme"), &told).await.unwrap_err();
            world.sandbox.clear_faults();
        }
    })
    .await;
    assert!(log.contains("/api/webhooks/ingest"), "it was logged at all");
    let own = world.organisation("acme");
    for secret in [&own.api_key, &own.integration_key] {
        assert!(!log.contains(secret.as_str()), "a key is in the log");
    }
    assert!(
        !log.contains("jane@acme.example"),
        "an address is in the log"
    );
}
