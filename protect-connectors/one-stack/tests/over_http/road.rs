use std::collections::BTreeSet;
use std::time::Duration;

use protect_core::model::{ActionKind, OutcomeStatus, Severity};
use protect_sandbox::{Fault, FaultKind, Vendor};
use serde_json::{Value, json};

use crate::world::{World, walk};

const ALL: [&str; 4] = ["psa", "security", "oncall", "bus"];

/// Both tenants tell everybody about leaked passwords.
fn rule(config: &mut Value, then: &Value) {
    for tenant in ["acme", "beta"] {
        config["tenants"][tenant]["rules"] = json!([{
            "name": "leaked", "when": { "kind": "credential_exposure" }, "then": then,
        }]);
    }
}

#[tokio::test]
async fn a_leak_reaches_every_product_once_and_two_tenants_are_never_mixed() {
    let world = World::new().await;
    let ticket = json!({ "action": "open_ticket", "template": "dark_web_alert" });
    let event = json!({ "action": "emit_event", "event": "protect.finding.created" });
    let config = world.config(&ALL, |config| {
        rule(
            config,
            &json!(["open_security_incident", "page", event, ticket]),
        );
        for tenant in ["acme", "beta"] {
            config["tenants"][tenant]["connectors"]["psa"]["security_opens_tickets"] = json!(false);
        }
    });
    let engine = world.engine(&config).unwrap();
    world.leak("acme", "jane", "Adobe", Severity::Critical);
    world.leak("beta", "otto", "Canva", Severity::Critical);
    let (acme, beta) = (
        engine.tenant("acme").unwrap(),
        engine.tenant("beta").unwrap(),
    );
    for _ in 0..2 {
        let (first, second) = tokio::join!(walk(&acme), walk(&beta));
        for step in first.into_iter().chain(second) {
            assert_eq!(step.status(), Some(OutcomeStatus::Applied), "{step}");
        }
    }
    for object in ["ticket", "incident", "page", "event"] {
        let made = world.made(object);
        assert_eq!(
            made.len(),
            2,
            "one {object} for each tenant, also after a second scan"
        );
        for item in made {
            let is_acme = item["organisation"] == json!(world.organisation("acme").id);
            let text = item["fields"].to_string();
            let (own, foreign) = if is_acme {
                ("acme", "beta")
            } else {
                ("beta", "acme")
            };
            assert!(
                text.contains(&format!("protect:{own}:")) || object == "event",
                "{text}"
            );
            assert!(!text.contains(&format!("{foreign}.example")), "{text}");
        }
    }
    let organisations: BTreeSet<_> = world
        .sandbox
        .requests()
        .into_iter()
        .filter_map(|it| it.tenant)
        .collect();
    assert_eq!(organisations.len(), 2);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_further_finding_becomes_a_note_on_both_the_ticket_and_the_incident() {
    let world = World::new().await;
    let config = world.config(&["psa", "security"], |config| {
        rule(config, &json!(["open_security_incident", "open_ticket"]));
        config["tenants"]["acme"]["connectors"]["psa"]["security_opens_tickets"] = json!(false);
    });
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    world.leak("acme", "jane", "Adobe", Severity::High);
    walk(&acme).await;
    world.leak("acme", "jane", "Canva", Severity::High);
    walk(&acme).await;
    for object in ["ticket", "incident"] {
        let made = world.made(object);
        assert_eq!(made.len(), 1, "{object}");
        assert_eq!(made[0]["notes"].as_array().unwrap().len(), 1, "{object}");
    }
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_high_incident_at_security_keeps_the_ticket_back_whatever_the_order_of_the_rule() {
    for then in [
        json!(["open_security_incident", "open_ticket"]),
        json!(["open_ticket", "open_security_incident"]),
    ] {
        let world = World::new().await;
        let config = world.config(&["psa", "security"], |config| rule(config, &then));
        let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
        world.leak("acme", "jane", "Adobe", Severity::High);
        walk(&acme).await;
        world.pass(&acme, 3, Duration::from_mins(5)).await;
        assert_eq!(world.made("incident").len(), 1);
        assert_eq!(world.made("ticket").len(), 0, "Security opens it");
        world.leak("acme", "otto", "Adobe", Severity::Medium);
        walk(&acme).await;
        world.pass(&acme, 3, Duration::from_mins(5)).await;
        assert_eq!(
            world.made("ticket").len(),
            1,
            "a mild one is no incident, so it is ours"
        );
        assert!(acme.plan().await.unwrap().actions.is_empty());
    }
}

#[tokio::test]
async fn everything_is_delivered_once_and_in_order_after_a_day_of_a_platform_that_is_down() {
    let world = World::new().await;
    let config = world.config(&["psa", "bus"], |config| {
        rule(config, &json!(["emit_event", "open_ticket"]));
    });
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::Unavailable).at(Vendor::OneStack));
    let mut emitted = Vec::new();
    for breach in ["Adobe", "Canva", "Dropbox"] {
        if breach == "Dropbox" {
            assert!(world.made("event").is_empty() && world.made("ticket").is_empty());
            world.sandbox.clear_faults();
        }
        world.leak("acme", "jane", breach, Severity::High);
        let steps = walk(&acme).await;
        assert!(
            steps
                .iter()
                .all(|step| step.waits.is_some() || step.status() == Some(OutcomeStatus::Unknown)),
            "the last one does not overtake those that wait, although the platform is back"
        );
        let event = steps
            .iter()
            .find(|step| step.action.kind == ActionKind::EmitEvent);
        emitted.push(json!(event.unwrap().action.id));
        world.pass(&acme, 12, Duration::from_hours(1)).await;
    }
    let tickets = world.made("ticket");
    assert_eq!(tickets.len(), 1);
    assert_eq!(
        tickets[0]["notes"].as_array().unwrap().len(),
        2,
        "the two others"
    );
    let events = world.made("event");
    let arrived: Vec<_> = events
        .iter()
        .map(|event| event["fields"]["metadata"]["event_id"].clone())
        .collect();
    assert_eq!(
        arrived, emitted,
        "each once, in the order in which they were decided"
    );
    assert_eq!(world.rules(), [""; 0]);
    assert!(
        acme.plan().await.unwrap().actions.is_empty(),
        "nothing is left to do"
    );
}

#[tokio::test]
async fn what_people_do_with_a_ticket_is_read_back() {
    let world = World::new().await;
    let config = world.config(&["psa", "security"], |config| {
        rule(config, &json!(["open_ticket", "open_security_incident"]));
        config["tenants"]["acme"]["connectors"]["psa"]["security_opens_tickets"] = json!(false);
    });
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    world.leak("acme", "jane", "Adobe", Severity::High);
    walk(&acme).await;
    let id = world.made("ticket")[0]["id"].as_str().unwrap().to_owned();
    world.sandbox.set_one_stack_status(&id, "waiting_on_vendor");
    let of_psa = async || {
        let standings = acme.tickets().await.unwrap();
        assert_eq!(standings.len(), 2);
        let found = standings
            .into_iter()
            .find(|it| it.connector.as_str() == "psa");
        found.unwrap()
    };
    let standing = of_psa().await;
    assert_eq!(
        (standing.open, standing.status.as_deref()),
        (Some(true), Some("waiting_on_vendor"))
    );
    assert_eq!(
        (standing.id.as_str(), standing.incident.is_some()),
        (id.as_str(), true)
    );
    world.sandbox.set_one_stack_status(&id, "closed");
    assert_eq!(of_psa().await.open, Some(false));
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::Unavailable).at(Vendor::OneStack));
    let away = of_psa().await;
    assert_eq!(away.open, None, "could not look is not closed");
    assert!(away.note.is_some());
}

#[tokio::test]
async fn a_lost_answer_leaves_exactly_one_ticket_through_the_engine() {
    let world = World::new().await;
    let config = world.config(&["psa"], |config| rule(config, &json!(["open_ticket"])));
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    world.leak("acme", "jane", "Adobe", Severity::High);
    world.sandbox.set_fault(
        Fault::named("answer_lost")
            .unwrap()
            .on("/psa/api/tickets")
            .after(1)
            .times(1),
    );
    let steps = walk(&acme).await;
    assert_eq!(
        steps[0].status(),
        Some(OutcomeStatus::Applied),
        "{}",
        steps[0]
    );
    assert_eq!(world.made("ticket").len(), 1);
    walk(&acme).await;
    assert_eq!(world.made("ticket").len(), 1);
    assert_eq!(world.rules(), [""; 0]);
}
