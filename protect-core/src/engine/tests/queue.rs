use std::time::Duration;

use super::fixture::{Fault, Fixture};
use crate::config::Config;
use crate::engine::Engine;
use crate::model::OutcomeStatus;
use crate::registry::Registry;
use crate::store::MemoryStore;

/// A rule that tells a sink two things and changes nothing.
const TELL: &str = r#"
[[tenants.acme.rules]]
name = "leaked"
when = { kind = "credential_exposure" }
then = ["emit_event", "open_ticket"]
"#;

/// Lets time pass in steps, as a scheduler does.
async fn pass(fixture: &Fixture, steps: u32, step: Duration) {
    for _ in 0..steps {
        fixture.clock.advance(step).await;
        fixture.tenant.apply_waiting().await.unwrap();
    }
}

#[tokio::test]
async fn a_sink_that_is_down_for_a_day_gets_everything_once_and_in_order_per_subject() {
    let fixture = Fixture::new(TELL).await;
    let first = fixture.incident(1, 1).await;
    fixture.vendor.with(|state| state.fault = Fault::Down);
    let mut events = vec![fixture.walk().await[0].action.id.clone()];
    for breach in ["Second", "Third"] {
        pass(&fixture, 6, Duration::from_mins(70)).await;
        fixture.join(&first, 1, breach).await;
        let steps = fixture.walk().await;
        assert!(
            steps.iter().all(|step| step.waits.is_some()),
            "nothing overtakes what waits"
        );
        events.push(steps[0].action.id.clone());
    }
    fixture.incident(2, 1).await;
    fixture.walk().await;
    pass(&fixture, 20, Duration::from_mins(70)).await;
    assert_eq!(fixture.vendor.journal(), [""; 0], "it is still down");

    fixture.vendor.with(|state| state.fault = Fault::None);
    pass(&fixture, 8, Duration::from_mins(70)).await;
    let journal = fixture.vendor.journal();
    let told = |what: &str| journal.iter().filter(|entry| *entry == what).count();
    assert_eq!((told("ticket"), told("note")), (2, 2), "{journal:?}");
    assert_eq!(journal.iter().filter(|e| e.starts_with("event")).count(), 4);
    let arrived = fixture.vendor.with(|state| state.delivered.clone());
    let in_order: Vec<_> = arrived.iter().filter(|id| events.contains(id)).collect();
    assert_eq!(in_order, events.iter().collect::<Vec<_>>());
    let open = fixture.tenant.plan().await.unwrap().actions;
    assert!(
        open.is_empty(),
        "nothing failed and nothing is planned again"
    );
    pass(&fixture, 8, Duration::from_mins(70)).await;
    assert_eq!(
        fixture.vendor.journal().len(),
        journal.len(),
        "and only once"
    );
}

#[tokio::test]
async fn a_later_message_about_the_same_waits_although_the_sink_is_back() {
    let fixture = Fixture::new(TELL).await;
    let incident = fixture.incident(1, 1).await;
    fixture.vendor.with(|state| state.fault = Fault::Down);
    fixture.walk().await;
    pass(&fixture, 3, Duration::from_mins(10)).await;
    fixture.join(&incident, 1, "Second").await;
    fixture.vendor.with(|state| state.fault = Fault::None);
    let steps = fixture.walk().await;
    assert_eq!(
        fixture.vendor.journal(),
        [""; 0],
        "the first is not due yet"
    );
    let waits = steps[0].waits.as_deref().unwrap();
    assert!(
        waits.contains("an earlier message about the same"),
        "{waits}"
    );
    pass(&fixture, 20, Duration::from_mins(2)).await;
    let journal = fixture.vendor.journal();
    let tickets: Vec<_> = journal.iter().filter(|e| !e.starts_with("event")).collect();
    assert_eq!(tickets, ["ticket", "note"]);
}

#[tokio::test]
async fn a_message_that_nobody_could_take_for_a_week_ends_as_failed() {
    let fixture = Fixture::new(TELL).await;
    fixture.incident(1, 1).await;
    fixture.vendor.with(|state| state.fault = Fault::Down);
    let steps = fixture.walk().await;
    pass(&fixture, 160, Duration::from_mins(70)).await;
    let plan = fixture.tenant.plan().await.unwrap();
    assert_eq!(plan.actions.len(), steps.len(), "both are planned again");
}

#[tokio::test]
async fn what_the_settings_of_a_sink_keep_back_is_refused_and_not_planned_again() {
    let rule = TELL.replace(
        "\"open_ticket\"",
        "{ action = \"open_ticket\", template = \"quiet\" }",
    );
    let fixture = Fixture::new(&rule).await;
    fixture.incident(1, 1).await;
    let steps = fixture.walk().await;
    assert_eq!(steps[1].status(), Some(OutcomeStatus::Refused));
    let said = steps[1].to_string();
    assert!(said.contains("this text is switched off"), "{said}");
    assert!(fixture.tenant.plan().await.unwrap().actions.is_empty());
}

#[tokio::test]
async fn a_template_that_the_sink_does_not_have_is_found_when_the_configuration_is_loaded() {
    let rule = TELL.replace(
        "\"open_ticket\"",
        "{ action = \"open_ticket\", template = \"quit\" }",
    );
    let fixture = Fixture::new(TELL).await;
    let mut registry = Registry::new();
    let vendor = fixture.vendor;
    registry.register("fake", move |setup, _| Ok(vendor.connector(setup.info)));
    let text = format!(
        "[tenants.acme]\nname = \"Acme\"\ndomains = [\"acme.example\"]\n\
         [tenants.acme.connectors.fake]\nkind = \"fake\"\n{rule}"
    );
    let config = Config::from_toml(&text, &registry).unwrap();
    let engine = Engine::builder(config, registry, crate::testing::context().context)
        .build(std::sync::Arc::new(MemoryStore::new()));
    let error = engine.unwrap_err().to_string();
    for part in ["acme", "leaked", "quit", "did you mean `quiet`"] {
        assert!(error.contains(part), "{error}");
    }
}
