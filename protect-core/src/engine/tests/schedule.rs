use std::time::Duration;

use jiff::Timestamp;

use super::harness::{Answer, Build, NOON, World, away, connector, exposed, last};
use crate::engine::schedule::{RETRY, next_tick, offset};
use crate::error::{Error, ErrorKind};
use crate::model::TenantId;

const HOUR: Duration = Duration::from_hours(1);

fn noon() -> Timestamp {
    Timestamp::from_second(NOON).unwrap()
}

#[test]
fn the_next_tick_is_one_however_many_were_missed() {
    let every = 12 * HOUR;
    let offset = HOUR;
    let first = next_tick(noon(), every, offset);
    assert_eq!(first, Timestamp::from_second(NOON + 3600).unwrap());
    let week_later = Timestamp::from_second(NOON + 7 * 86_400).unwrap();
    let next = next_tick(week_later, every, offset);
    assert_eq!(
        next,
        Timestamp::from_second(NOON + 7 * 86_400 + 3600).unwrap()
    );
    assert_eq!(
        next_tick(first, every, offset),
        Timestamp::from_second(NOON + 13 * 3600).unwrap()
    );
}

#[test]
fn many_tenants_are_spread_over_the_interval_and_each_keeps_its_place() {
    let every = 12 * HOUR;
    let place = |n: u32| {
        let tenant = TenantId::new(format!("t{n}")).unwrap();
        offset(&tenant, &connector("breaches"), every)
    };
    let mut hours = [0_u32; 12];
    for n in 0..12_000 {
        assert_eq!(place(n), place(n));
        hours[usize::try_from(place(n).as_secs() / 3600).unwrap()] += 1;
    }
    assert!(
        hours.iter().all(|count| (800..1200).contains(count)),
        "{hours:?}"
    );
}

#[tokio::test]
async fn a_connector_that_was_never_scanned_is_due_at_once_and_then_at_its_moment() {
    let world = World::new();
    world.answers([last(vec![exposed("ann", "Adobe")], vec![])]);
    let tick = world.engine.tick().await.unwrap();
    assert_eq!(tick.scans.len(), 1);
    let summary = tick.scans[0].summary.as_ref().unwrap();
    assert_eq!(summary.incidents.opened.len(), 1);
    assert!(world.engine.tick().await.unwrap().scans.is_empty());
    let offset = offset(world.acme.id(), &connector("breaches"), 12 * HOUR);
    assert_eq!(tick.scans[0].next, next_tick(noon(), 12 * HOUR, offset));
    let status = world.acme.status().await.unwrap();
    assert_eq!(status.connectors[0].next_scan_at, Some(tick.scans[0].next));
    world.clock.advance(12 * HOUR);
    assert_eq!(world.engine.tick().await.unwrap().scans.len(), 1);
}

#[tokio::test]
async fn a_connector_that_names_its_interval_is_scanned_so_often() {
    let world = World::new();
    world.script("breaches").lock().unwrap().every = Some(60);
    for _ in 0..3 {
        assert_eq!(world.engine.tick().await.unwrap().scans.len(), 1);
        world.pass(60);
    }
}

#[tokio::test]
async fn missed_ticks_collapse_into_one_scan() {
    let world = World::new();
    world.engine.tick().await.unwrap();
    world.clock.advance(HOUR * 24 * 30);
    assert_eq!(world.engine.tick().await.unwrap().scans.len(), 1);
    assert!(world.engine.tick().await.unwrap().scans.is_empty());
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_sooner_and_each_time_later() {
    let world = World::new();
    for wait in [RETRY, RETRY * 2, RETRY * 4] {
        world.answers([Answer::Fails(away())]);
        let before = world.acme.now();
        let tick = world.engine.tick().await.unwrap();
        assert_eq!(tick.scans[0].next, crate::clock::later(before, wait));
        assert!(world.engine.tick().await.unwrap().scans.is_empty());
        world.clock.advance(wait);
    }
    assert!(
        world.engine.tick().await.unwrap().scans[0]
            .summary
            .as_ref()
            .unwrap()
            .complete
    );
}

#[tokio::test]
async fn a_permanent_failure_waits_for_the_next_tick_and_a_vendors_wish_is_kept() {
    let world = World::new();
    world.answers([Answer::Fails(Error::new(ErrorKind::Unauthenticated, "no"))]);
    let tick = world.engine.tick().await.unwrap();
    let offset = offset(world.acme.id(), &connector("breaches"), 12 * HOUR);
    assert_eq!(tick.scans[0].next, next_tick(noon(), 12 * HOUR, offset));

    let world = World::new();
    world.answers([Answer::Fails(away().with_retry_after(HOUR / 2))]);
    let tick = world.engine.tick().await.unwrap();
    assert_eq!(tick.scans[0].next, crate::clock::later(noon(), HOUR / 2));
}

#[tokio::test]
async fn two_workers_on_one_store_scan_what_is_due_once() {
    let store: std::sync::Arc<dyn crate::store::Store> =
        std::sync::Arc::new(crate::store::MemoryStore::new());
    let build = || {
        let store = std::sync::Arc::clone(&store);
        Build {
            store,
            ..Build::default()
        }
        .world()
    };
    let (one, two) = (build(), build());
    let (first, second) = futures::join!(one.engine.tick(), two.engine.tick());
    let scans = first.unwrap().scans.len() + second.unwrap().scans.len();
    assert_eq!(scans, 1);
    assert_eq!(one.asked("breaches").len() + two.asked("breaches").len(), 1);
}

#[tokio::test]
async fn a_scan_whose_worker_died_is_due_again_soon_and_taken_up() {
    let world = World::new();
    world.answers([super::harness::page("1", vec![], vec![]), Answer::Hangs]);
    {
        use futures::FutureExt;
        assert!(world.engine.tick().now_or_never().is_none());
    }
    assert!(world.engine.tick().await.unwrap().scans.is_empty());
    world.clock.advance(RETRY);
    world.answers([last(vec![], vec![])]);
    let tick = world.engine.tick().await.unwrap();
    let summary = tick.scans[0].summary.as_ref().unwrap();
    assert!(summary.connectors[0].resumed && summary.complete);
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_keep_a_connector_waiting_for_days() {
    let world = World::new();
    world.engine.tick().await.unwrap();
    world.clock.set_back(HOUR * 24 * 10);
    world.engine.tick().await.unwrap();
    let next = world.acme.status().await.unwrap().connectors[0].next_scan_at;
    assert!(next.unwrap() <= crate::clock::later(world.acme.now(), 12 * HOUR));
}

#[tokio::test]
async fn the_loop_scans_what_becomes_due_until_it_is_told_to_stop() {
    let world = World::new();
    world.script("breaches").lock().unwrap().every = Some(60);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let engine = world.engine.clone();
    let running = tokio::spawn(async move { engine.run(async move { drop(stopped.await) }).await });
    for _ in 0..60 {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        world.pass(5);
    }
    let scans = world.asked("breaches").len();
    assert!((5..=7).contains(&scans), "{scans}");
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}
