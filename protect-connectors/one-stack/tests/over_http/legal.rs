//! Policies are asked of Legal, signed there, and never shown as complied with while it is not heard of.

use std::time::Duration;

use protect_core::ErrorKind;
use protect_core::engine::{Engine, Tenant};
use protect_core::model::{AcknowledgementStatus, Actor, Employee};
use protect_core::people::{EmployeeInput, PolicyOfEmployee, PolicySignature};
use protect_core::testing::contract;
use protect_sandbox::{Fault, FaultKind, Vendor};
use serde_json::json;

use crate::world::{World, op};

const POLICY: &str = "pol-use";

async fn hired(acme: &Tenant, name: &str) -> Employee {
    let input = EmployeeInput {
        last_name: Some(name.to_owned()),
        work_email: Some(format!("{name}@acme.example").parse().unwrap()),
        ..EmployeeInput::default()
    };
    acme.hire(&input, false, &alice()).await.unwrap()
}

fn alice() -> Actor {
    Actor::unverified("alice")
}

fn signature(version: &str) -> PolicySignature {
    PolicySignature {
        policy_id: POLICY.to_owned(),
        version: version.to_owned(),
        ip_address: "192.0.2.7".to_owned(),
        user_agent: "Mozilla/5.0".to_owned(),
        typed_name: Some("Ann Roe".to_owned()),
    }
}

fn engine(world: &World) -> Engine {
    world.engine(&world.config(&["legal"], |_| {})).unwrap()
}

async fn own(acme: &Tenant, employee: &Employee) -> PolicyOfEmployee {
    let mut all = acme.policies_of(&employee.id, &alice()).await.unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// Legal publishes another version of the policy.
fn publish(world: &World, version: &str, due_date: &str) {
    let policy = json!({
        "id": POLICY, "title": "Acceptable use", "version": version, "status": "published",
        "effective_date": "2026-01-01", "requires_acknowledgment": true, "due_date": due_date,
        "content_html": "<p>Keep to it.</p>",
    });
    assert!(
        world
            .sandbox
            .edit_one_stack(json!({ "policies": [policy] }))
    );
}

#[tokio::test]
async fn legal_keeps_the_contract_of_a_connector() {
    let world = World::new().await;
    let connector = world.connector("acme", "legal", |_| {});
    let own = world.organisation("acme");
    contract::connector(&*connector, &op("acme"), &[&own.integration_key]).await;
    assert!(connector.as_publisher().is_some());
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_policy_is_read_signed_and_recorded_once_with_version_address_and_program() {
    let world = World::new().await;
    let acme = engine(&world).tenant("acme").unwrap();
    let ann = hired(&acme, "ann").await;
    hired(&acme, "bob").await;
    let seen = acme.sync_policies(&alice()).await.unwrap();
    let titles: Vec<_> = seen.iter().map(|it| it.policy.title.as_str()).collect();
    assert_eq!(titles, ["Acceptable use", "Travel"], "a draft is no policy");
    let before = own(&acme, &ann).await;
    assert_eq!(before.status, AcknowledgementStatus::Pending);

    let text = acme.policy_text(POLICY, "1.0", &alice()).await.unwrap();
    assert!(text.content_html.contains("Acceptable use"));
    let signed = acme
        .acknowledge_policy(&ann.id, &signature("1.0"), &alice())
        .await
        .unwrap();
    let again = acme
        .acknowledge_policy(&ann.id, &signature("1.0"), &alice())
        .await
        .unwrap();
    assert_eq!(again, signed);
    let recorded = world.made("acknowledgment");
    assert_eq!(recorded.len(), 1);
    let sent = &recorded[0]["fields"];
    assert_eq!(sent["policy_version"], "1.0");
    assert_eq!(sent["ip_address"], "192.0.2.7");
    assert_eq!(sent["user_agent"], "Mozilla/5.0");
    assert_eq!(sent["typed_name"], "Ann Roe");
    assert_eq!(signed.id, recorded[0]["id"]);
    assert_eq!(signed.ip_address.as_deref(), Some("192.0.2.7"));
    let after = own(&acme, &ann).await;
    assert!(after.compliant && !after.stale, "{after:?}");
    let standing = &acme.policies().await.unwrap()[0];
    assert_eq!((standing.required, standing.acknowledged), (2, 1));
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_recorded_once_and_found_again() {
    let world = World::new().await;
    let acme = engine(&world).tenant("acme").unwrap();
    let ann = hired(&acme, "ann").await;
    acme.sync_policies(&alice()).await.unwrap();
    let lost = Fault::named("answer_lost").unwrap();
    world
        .sandbox
        .set_fault(lost.on("/legal/api/people/acknowledgments").times(20));
    let signed = acme
        .acknowledge_policy(&ann.id, &signature("1.0"), &alice())
        .await;
    assert!(signed.is_err());
    world.sandbox.clear_faults();
    world.clock.advance(Duration::from_mins(5));
    acme.acknowledge_policy(&ann.id, &signature("1.0"), &alice())
        .await
        .unwrap();
    assert!(world.made("acknowledgment").len() <= 1);
    assert!(own(&acme, &ann).await.compliant);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn while_legal_is_away_what_is_known_is_old_and_nobody_complies() {
    let world = World::new().await;
    let acme = engine(&world).tenant("acme").unwrap();
    let ann = hired(&acme, "ann").await;
    acme.sync_policies(&alice()).await.unwrap();
    acme.acknowledge_policy(&ann.id, &signature("1.0"), &alice())
        .await
        .unwrap();
    assert!(acme.policies().await.unwrap()[0].compliant);

    let down = Fault::new(FaultKind::Unavailable).at(Vendor::OneStack);
    world.sandbox.set_fault(down);
    assert!(acme.sync_policies(&alice()).await.is_err());
    let standing = &acme.policies().await.unwrap()[0];
    assert!(standing.stale && !standing.compliant, "{standing:?}");
    assert_eq!(standing.acknowledged, 1, "it is shown all the same");
    let shown = own(&acme, &ann).await;
    assert_eq!(shown.status, AcknowledgementStatus::Acknowledged);
    assert!(shown.stale && !shown.compliant);
    let bob = hired(&acme, "bob").await;
    let signed = acme
        .acknowledge_policy(&bob.id, &signature("1.0"), &alice())
        .await;
    assert!(signed.unwrap_err().is_retryable());
    assert_eq!(
        own(&acme, &bob).await.status,
        AcknowledgementStatus::Pending,
        "nothing is remembered that Legal did not record"
    );

    world.sandbox.clear_faults();
    world.clock.advance(Duration::from_mins(5));
    acme.sync_policies(&alice()).await.unwrap();
    assert!(!acme.policies().await.unwrap()[0].stale);
    assert!(own(&acme, &ann).await.compliant);
}

#[tokio::test]
async fn another_version_must_be_acknowledged_anew_and_an_old_one_no_longer_can() {
    let world = World::new().await;
    let acme = engine(&world).tenant("acme").unwrap();
    let ann = hired(&acme, "ann").await;
    acme.sync_policies(&alice()).await.unwrap();
    acme.acknowledge_policy(&ann.id, &signature("1.0"), &alice())
        .await
        .unwrap();
    publish(&world, "2.0", "2020-01-31");
    acme.sync_policies(&alice()).await.unwrap();
    let shown = own(&acme, &ann).await;
    assert_eq!(shown.status, AcknowledgementStatus::Overdue);
    assert!(!shown.compliant);
    let bob = hired(&acme, "bob").await;
    let error = acme
        .acknowledge_policy(&bob.id, &signature("1.0"), &alice())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(world.made("acknowledgment").len(), 1);
    acme.acknowledge_policy(&ann.id, &signature("2.0"), &alice())
        .await
        .unwrap();
    assert!(own(&acme, &ann).await.compliant);
    assert_eq!(world.rules(), [""; 0]);
}

#[tokio::test]
async fn a_signature_that_says_nothing_of_where_it_came_from_is_refused() {
    let world = World::new().await;
    let acme = engine(&world).tenant("acme").unwrap();
    let ann = hired(&acme, "ann").await;
    let nowhere = PolicySignature {
        ip_address: "somewhere".to_owned(),
        ..signature("1.0")
    };
    let silent = PolicySignature {
        user_agent: " ".to_owned(),
        ..signature("1.0")
    };
    for wrong in [nowhere, silent] {
        let error = acme
            .acknowledge_policy(&ann.id, &wrong, &alice())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    assert!(world.made("acknowledgment").is_empty());
}
