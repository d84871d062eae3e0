//! A machine's clock that is ten minutes off.

use std::time::Duration;

use protect_connectors::core::connector::Diagnosis;
use protect_connectors::core::engine::Checkup;
use protect_connectors::core::model::OutcomeStatus;
use protect_sandbox::{Fault, FaultKind};

use super::{errors, scan};
use crate::support::{OffsetClock, World, bob};

const TEN_MINUTES: i64 = 600;

/// A world whose vendors' clocks are right and whose machine's is not.
async fn ten_minutes_ahead() -> World {
    let mut world = World::new().await;
    world.clock = OffsetClock::ahead_by(TEN_MINUTES);
    world
}

fn skews(checkups: &[Checkup]) -> Vec<i64> {
    let skew = |checkup: &Checkup| checkup.diagnosis.as_ref()?.clock_skew_seconds;
    checkups.iter().filter_map(skew).collect()
}

#[tokio::test]
async fn doctor_names_how_far_the_clock_is_off_at_every_vendor_that_tells_the_time() {
    let world = ten_minutes_ahead().await;
    let checkups = world.tenant().await.doctor().await;
    let found = skews(&checkups);
    assert!(found.len() >= 2, "{checkups:?}");
    for skew in found {
        assert!((skew + TEN_MINUTES).abs() <= 2, "{skew}");
    }
    let told = |checkup: &&Checkup| {
        checkup
            .diagnosis
            .as_ref()
            .is_some_and(Diagnosis::is_clock_wrong)
    };
    assert!(checkups.iter().filter(told).all(|checkup| !checkup.healthy));

    let world = World::new().await;
    let behind = Fault::new(FaultKind::ClockSkew).seconds(TEN_MINUTES);
    world.sandbox.set_fault(behind);
    for skew in skews(&world.tenant().await.doctor().await) {
        assert!((skew - TEN_MINUTES).abs() <= 2, "{skew}");
    }
}

#[tokio::test]
async fn tokens_events_and_suspensions_do_not_mind_a_wrong_clock() {
    let world = ten_minutes_ahead().await;
    let acme = world.tenant().await;
    let first = scan(&acme).await;
    assert!(first.complete, "{:?}", errors(&first));
    // Tokens live fifteen minutes; the next scan comes after half of that and the third after all.
    for _ in 0..2 {
        world
            .sandbox
            .advance_clock(jiff::SignedDuration::from_mins(8));
        let again = scan(&acme).await;
        assert!(again.complete, "{:?}", errors(&again));
        assert_eq!(again.incidents.opened.len(), 0, "no event comes twice");
    }
    let signals = |summary: &protect_connectors::core::engine::ScanSummary| {
        let counts = summary.connectors.iter().map(|scan| scan.counts.signals);
        counts.sum::<u64>()
    };
    assert!(signals(&first) > 0);
    let suspicious = world.sandbox.planted().suspicious.id;
    let plan = acme.plan().await.unwrap();
    let approved = acme.approve(plan, &bob()).await.unwrap();
    acme.apply(approved).await.unwrap();
    assert_eq!(world.user_changes()[&suspicious].len(), 1);
}

#[tokio::test]
async fn a_signature_that_is_refused_for_a_wrong_clock_says_so_and_is_sent_when_it_is_right() {
    let world = ten_minutes_ahead().await;
    let acme = world.tenant().await;
    scan(&acme).await;
    let plan = acme.plan().await.unwrap();
    let approved = acme.approve(plan, &bob()).await.unwrap();
    let steps = acme.apply(approved).await.unwrap();
    let refused: Vec<_> = steps.iter().map(ToString::to_string).collect();
    let clock = refused
        .iter()
        .filter(|step| step.contains("600 s ahead of the vendor's"));
    assert!(clock.count() >= 1, "{refused:?}");
    assert_eq!(world.tickets_opened(), 0);
    let applied = steps
        .iter()
        .filter(|step| step.status() == Some(OutcomeStatus::Applied));
    assert_eq!(applied.count(), world.user_changes().len());
    drop(acme);

    let mut world = world;
    world.clock = OffsetClock::ahead_by(0);
    world.advance(Duration::from_hours(1));
    let acme = world.tenant().await;
    let plan = acme.plan().await.unwrap();
    assert_eq!(
        plan.actions.len(),
        2,
        "what failed is planned again: {plan:?}"
    );
    let approved = acme.approve(plan, &bob()).await.unwrap();
    let steps = acme.apply(approved).await.unwrap();
    assert_eq!(world.tickets_opened(), 2, "{steps:?}");
}
