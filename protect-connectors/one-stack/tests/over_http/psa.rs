use std::time::Duration;

use protect_core::ErrorKind;
use protect_core::engine::Tenant;
use protect_core::model::{ActionKind, Severity};
use protect_core::testing::contract;
use protect_sandbox::Fault;
use serde_json::{Value, json};

use crate::world::{World, delivery, op, rule, walk};

const TICKET: ActionKind = ActionKind::OpenTicket;

fn settings(config: &mut Value) -> &mut Value {
    &mut config["tenants"]["acme"]["connectors"]["psa"]
}

#[tokio::test]
async fn psa_keeps_the_contract_of_a_sink() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |_| {});
    let own = world.organisation("acme");
    let secrets = [own.api_key.as_str(), own.integration_key.as_str()];
    contract::connector(&*connector, &op("acme"), &secrets).await;
    contract::sink(
        &*connector,
        &op("acme"),
        &delivery(TICKET, "1", Severity::High),
    )
    .await;
    assert_eq!(world.made("ticket").len(), 1);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_ticket_goes_where_its_template_says_and_a_repeat_becomes_an_internal_note() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |config| {
        let psa = settings(config);
        psa["client_id"] = json!("c-7");
        psa["link"] = json!("https://protect.example/incidents/{incident}");
        psa["templates"] = json!({ "dark_web_alert": {
            "board": "SOC", "queue": "Leaks", "title": "{{ breach.name }} ({{ domain }})",
            "body": "{{ account }}: {{ finding.title }}\n{{ link }}",
        }});
    });
    let sink = connector.as_sink().unwrap();
    let first = delivery(TICKET, "1", Severity::Critical);
    let made = sink.deliver(&op("acme"), &first).await.unwrap();
    assert_eq!(made.status.as_deref(), Some("open"));
    let expected = json!({
        "title": "Adobe (acme.example)",
        "description": "jane@acme.example: A leaked password\nhttps://protect.example/incidents/inc-1",
        "priority": "critical", "type": "incident", "board": "SOC", "queue": "Leaks",
        "client_id": "c-7", "source": "protect", "source_ref": "protect:acme:inc-1",
        "source_url": "https://protect.example/incidents/inc-1",
    });
    assert_eq!(world.made("ticket")[0]["fields"], expected);

    let mut again = delivery(TICKET, "2", Severity::Critical);
    again.note_to = Some(made.id.clone());
    let noted = sink.deliver(&op("acme"), &again).await.unwrap();
    assert_eq!(noted.id, made.id);
    let tickets = world.made("ticket");
    assert_eq!(
        (tickets.len(), tickets[0]["notes"].as_array().unwrap().len()),
        (1, 1)
    );
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn each_kind_of_finding_has_the_products_own_board_type_and_priority() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |_| {});
    let sink = connector.as_sink().unwrap();
    for (number, (kind, wanted)) in [
        ("credential_exposure", ("incident", "medium")),
        ("misconfiguration", ("change_request", "medium")),
        ("email_authentication", ("change_request", "medium")),
        ("insider_threat", ("incident", "medium")),
        ("suspicious_sign_in", ("incident", "medium")),
    ]
    .into_iter()
    .enumerate()
    {
        let mut told = delivery(TICKET, &number.to_string(), Severity::Medium);
        told.source_reference = format!("protect:acme:{kind}");
        told.data["findings"][0]["kind"] = json!(kind);
        sink.deliver(&op("acme"), &told).await.unwrap();
        let fields = &world.made("ticket")[number]["fields"];
        assert_eq!(
            (&fields["type"], &fields["priority"]),
            (&json!(wanted.0), &json!(wanted.1))
        );
        assert_eq!(fields["board"], "Security");
    }
}

#[tokio::test]
async fn a_status_that_nobody_documented_is_read_back_and_a_closed_ticket_is_not_found() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |_| {});
    let sink = connector.as_sink().unwrap();
    let told = delivery(TICKET, "1", Severity::High);
    let made = sink.deliver(&op("acme"), &told).await.unwrap();
    let status = async || {
        let found = sink.find(&op("acme"), TICKET, &told.source_reference).await;
        found.unwrap().map(|item| item.status.unwrap())
    };
    for word in ["waiting_on_client", "parked_by_magic"] {
        world.sandbox.set_one_stack_status(&made.id, word);
        assert_eq!(status().await.as_deref(), Some(word));
    }
    world.sandbox.set_one_stack_status(&made.id, "resolved");
    assert_eq!(status().await, None);
}

#[tokio::test]
async fn a_mistake_in_a_template_names_tenant_connector_template_and_line_when_it_is_loaded() {
    let world = World::new().await;
    let config = world.config(&["psa"], |config| {
        settings(config)["templates"] =
            json!({ "dark_web_alert": { "body": "a\nb {{ acount }}" } });
    });
    let error = world.engine(&config).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    let said = error.to_string();
    for part in [
        "acme",
        "psa",
        "templates.dark_web_alert.body",
        "line: 2",
        "acount",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn tickets_that_show_no_reference_stop_the_next_one_instead_of_doubling_it() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |_| {});
    let sink = connector.as_sink().unwrap();
    let told = delivery(TICKET, "1", Severity::High);
    sink.deliver(&op("acme"), &told).await.unwrap();
    world
        .sandbox
        .edit_one_stack(json!({ "drop_references": true }));
    let error = sink
        .find(&op("acme"), TICKET, &told.source_reference)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidResponse);
    assert!(error.to_string().contains("conventions.members"), "{error}");
}

#[tokio::test]
async fn a_switched_off_template_and_one_below_its_severity_open_nothing() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |config| {
        settings(config)["templates"] = json!({
            "dark_web_alert": { "min_severity": "high" }, "quiet": { "enabled": false },
        });
    });
    let sink = connector.as_sink().unwrap();
    let low = delivery(TICKET, "1", Severity::Medium);
    assert!(
        sink.declines(&low)
            .unwrap()
            .unwrap()
            .contains("min_severity")
    );
    let mut high = delivery(TICKET, "2", Severity::High);
    assert_eq!(sink.declines(&high).unwrap(), None);
    high.data.insert("template".to_owned(), json!("quiet"));
    assert!(
        sink.declines(&high)
            .unwrap()
            .unwrap()
            .contains("switched off")
    );
    assert!(sink.templates().unwrap().contains(&"quiet".to_owned()));
}

#[tokio::test]
async fn no_ticket_is_opened_beside_an_incident_that_security_opens_one_for() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |_| {});
    let sink = connector.as_sink().unwrap();
    let at_security = |state: &str, severity| {
        let mut told = delivery(TICKET, "1", severity);
        let since = world.sandbox.now().to_string();
        let place = json!([{
            "connector": "desk", "kind": "security", "state": state, "since": since,
        }]);
        told.data.insert("security_incidents".to_owned(), place);
        told
    };
    let opened = sink
        .declines(&at_security("applied", Severity::High))
        .unwrap();
    assert!(opened.unwrap().contains("Security opens the ticket"));
    let coming = sink
        .declines(&at_security("waiting", Severity::High))
        .unwrap_err();
    assert!(coming.is_retryable(), "it is not known yet");
    let late = at_security("waiting", Severity::High);
    world.clock.advance(Duration::from_mins(61));
    assert_eq!(
        sink.declines(&late).unwrap(),
        None,
        "two tickets do less harm than none"
    );
    let mild = sink
        .declines(&at_security("applied", Severity::Medium))
        .unwrap();
    assert_eq!(
        mild, None,
        "Security opens tickets for critical and high ones only"
    );

    let both = world.connector("acme", "psa", |config| {
        settings(config)["security_opens_tickets"] = json!(false);
    });
    let told = at_security("applied", Severity::High);
    assert_eq!(both.as_sink().unwrap().declines(&told).unwrap(), None);
}

#[tokio::test]
async fn names_paths_and_words_of_another_api_are_a_matter_of_configuration() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |config| {
        config["connections"]["acme-psa"]["conventions"] = json!({
            "members": { "board": "queue" }, "values": { "type": { "incident": "problem" } },
        });
    });
    let sink = connector.as_sink().unwrap();
    sink.deliver(&op("acme"), &delivery(TICKET, "1", Severity::High))
        .await
        .unwrap();
    let fields = &world.made("ticket")[0]["fields"];
    assert_eq!(
        (&fields["queue"], &fields["type"]),
        (&json!("Security"), &json!("problem"))
    );
    let wrong = world.config(&["psa"], |config| {
        config["connections"]["acme-psa"]["conventions"] = json!({ "paths": { "tiket": "/t" } });
    });
    let error = world.engine(&wrong).unwrap_err().to_string();
    assert!(error.contains("conventions.paths.tiket"), "{error}");
}

#[tokio::test]
async fn a_lost_answer_leaves_one_ticket_which_is_found_and_not_opened_again() {
    let world = World::new().await;
    let connector = world.connector("acme", "psa", |_| {});
    let sink = connector.as_sink().unwrap();
    let told = delivery(TICKET, "1", Severity::High);
    world.sandbox.set_fault(
        Fault::named("answer_lost")
            .unwrap()
            .on("/psa/api/tickets")
            .times(1),
    );
    let error = sink.deliver(&op("acme"), &told).await.unwrap_err();
    assert!(error.is_retryable(), "whether it was made is not known");
    let found = sink
        .find(&op("acme"), TICKET, &told.source_reference)
        .await
        .unwrap();
    assert_eq!(
        found.unwrap().id,
        world.made("ticket")[0]["id"].as_str().unwrap()
    );
    assert_eq!(world.made("ticket").len(), 1);
}

/// A tenant with so many open tickets.
async fn with_tickets(world: &World, number: u32) -> Tenant {
    let config = world.config(&["psa"], |config| rule(config, &json!(["open_ticket"])));
    let acme = world.engine(&config).unwrap().tenant("acme").unwrap();
    for who in 0..number {
        world.leak("acme", &format!("p{who}"), "Adobe", Severity::Medium);
    }
    walk(&acme).await;
    assert_eq!(world.made("ticket").len(), usize::try_from(number).unwrap());
    acme
}

/// The routes that following asks, in order, and how many tickets moved by the ledger.
async fn followed(world: &World, acme: &Tenant) -> (Vec<String>, usize) {
    let asked = world.sandbox.requests().len();
    let head = acme.ledger_head().await.unwrap().unwrap().sequence;
    acme.follow_incidents().await.unwrap();
    let routes = world.sandbox.requests().split_off(asked);
    let news = acme.ledger_after(head, 1_000).await.unwrap();
    let moved = news.iter().filter(|entry| entry.kind == "ticket.moved");
    let routes = routes
        .into_iter()
        .map(|it| format!("{} {}", it.method, it.route));
    (routes.collect(), moved.count())
}

#[tokio::test]
async fn three_hundred_open_tickets_cost_three_requests_an_hour_and_only_what_moved_is_news() {
    const BATCH: &str = "POST /psa/api/tickets/batch";
    let world = World::new().await;
    let acme = with_tickets(&world, 300).await;
    let (asked, moved) = followed(&world, &acme).await;
    assert_eq!(
        (asked, moved),
        (vec![BATCH.to_owned(); 3], 300),
        "first seen"
    );
    assert_eq!(followed(&world, &acme).await.1, 0);

    let tickets = world.made("ticket");
    let id = |number: usize| tickets[number]["id"].as_str().unwrap();
    world.sandbox.set_one_stack_status(id(7), "in_progress");
    world.sandbox.set_one_stack_status(id(150), "resolved");
    let (asked, moved) = followed(&world, &acme).await;
    assert_eq!((asked.len(), moved), (3, 2));
    // What is closed is not asked about any more.
    for number in 200..300 {
        world.sandbox.set_one_stack_status(id(number), "closed");
    }
    assert_eq!(followed(&world, &acme).await.1, 100);
    let (asked, moved) = followed(&world, &acme).await;
    assert_eq!((asked.len(), moved), (2, 0));
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn tickets_are_looked_up_one_by_one_where_psa_does_not_answer_for_several() {
    let world = World::new().await;
    let acme = with_tickets(&world, 4).await;
    for fault in ["not_found", "scope_removed", "html200"] {
        let fault = Fault::named(fault).unwrap().on("/psa/api/tickets/batch");
        world.sandbox.set_fault(fault);
        let (asked, _) = followed(&world, &acme).await;
        world.sandbox.clear_faults();
        let single = asked.iter().filter(|it| *it == "GET /psa/api/tickets");
        assert_eq!((single.count(), asked.len()), (4, 5), "{asked:?}");
    }
    // One that is away is not asked four times more.
    let fault = Fault::named("unavailable").unwrap().times(100);
    world.sandbox.set_fault(fault.on("/psa/api/tickets/batch"));
    let before = world.sandbox.requests().len();
    assert!(acme.follow_incidents().await.unwrap_err().is_retryable());
    let asked = world.sandbox.requests().split_off(before);
    assert!(asked.iter().all(|it| it.route == "/psa/api/tickets/batch"));
}

#[tokio::test]
async fn a_ticket_that_psa_leaves_out_of_its_answer_is_looked_up_before_it_counts_as_gone() {
    let world = World::new().await;
    let acme = with_tickets(&world, 2).await;
    followed(&world, &acme).await;
    let fault = Fault::named("missing_items").unwrap();
    world.sandbox.set_fault(fault.on("/psa/api/tickets/batch"));
    let (asked, moved) = followed(&world, &acme).await;
    assert_eq!((asked.len(), moved), (2, 0), "{asked:?}");
}
