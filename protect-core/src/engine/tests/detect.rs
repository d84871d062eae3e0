use std::time::Duration;

use jiff::Timestamp;

use super::harness::{Answer, Build, NOON, World, away, page, signals};
use crate::connector::{Cursor, Detection, ScanPage};
use crate::model::{
    Attributes, CheckId, Confidence, FindingKind, FindingStatus, Observation, Severity, Signal,
    Subject,
};
use crate::store::{Query, RecordKind};

const DAY: u64 = 86_400;

/// A sign-in from a place not seen in the days before.
#[derive(Debug)]
struct NewPlace {
    check: CheckId,
}

impl Detection for NewPlace {
    fn check(&self) -> &CheckId {
        &self.check
    }

    fn signal_kinds(&self) -> &[&str] {
        &["vault.sign_in"]
    }

    fn window(&self) -> Duration {
        Duration::from_secs(14 * DAY)
    }

    fn evaluate(&self, new: &[Signal], history: &[Signal]) -> Vec<Observation> {
        let mut known: Vec<&Signal> = history.iter().collect();
        let mut seen = Vec::new();
        for signal in new {
            let place = &signal.attributes["place"];
            if !known.is_empty() && known.iter().all(|old| old.attributes["place"] != *place) {
                seen.push(self.observation(signal));
            }
            known.push(signal);
        }
        seen
    }
}

impl NewPlace {
    fn observation(&self, signal: &Signal) -> Observation {
        Observation {
            check: self.check.clone(),
            kind: FindingKind::SuspiciousSignIn,
            subject: signal.subject.clone(),
            discriminator: signal.id.clone(),
            cause: None,
            severity: Severity::Medium,
            confidence: Confidence::Medium,
            title: "A sign-in from a new place".to_owned(),
            reasons: vec![],
            attribution: None,
            references: vec![],
            details: Attributes::new(),
            from_event: false,
        }
    }
}

fn world() -> World {
    Build {
        detections: || {
            let check = CheckId::new("vault.sign_in.new_place").unwrap();
            vec![Box::new(NewPlace { check })]
        },
        ..Build::default()
    }
    .world()
}

fn sign_in(id: &str, who: &str, place: &str, day: i64) -> Signal {
    let mut attributes = Attributes::new();
    attributes.insert("place".to_owned(), place.into());
    Signal {
        id: id.to_owned(),
        kind: "vault.sign_in".to_owned(),
        at: Timestamp::from_second(NOON + day * 86_400).unwrap(),
        subject: Subject::account("vault", who),
        attributes,
    }
}

async fn found(world: &World) -> Vec<String> {
    let found = world.stored().await;
    let mut ids: Vec<String> = found
        .into_iter()
        .filter(|finding| finding.observation.check.as_str() == "vault.sign_in.new_place")
        .map(|finding| finding.observation.discriminator)
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn a_sign_in_is_held_against_those_stored_before_and_never_against_itself() {
    let world = world();
    world.answers([signals(vec![sign_in("1", "ann", "Graz", 0)])]);
    world.acme.scan().await.unwrap();
    assert!(found(&world).await.is_empty(), "nothing to compare with");
    world.answers([signals(vec![
        sign_in("2", "ann", "Lima", 1),
        sign_in("3", "ben", "Lima", 1),
    ])]);
    let summary = world.acme.scan().await.unwrap();
    assert_eq!(summary.connectors[0].counts.signals, 2);
    assert_eq!(found(&world).await, ["2"]);
}

#[tokio::test]
async fn an_event_that_arrives_twice_is_one_signal_and_one_finding() {
    let world = world();
    let both = || {
        vec![
            sign_in("1", "ann", "Graz", 0),
            sign_in("2", "ann", "Lima", 1),
        ]
    };
    let mut twice = both();
    twice.extend(both());
    world.answers([signals(twice), signals(both())]);
    assert_eq!(
        world.acme.scan().await.unwrap().connectors[0]
            .counts
            .signals,
        2
    );
    assert_eq!(
        world.acme.scan().await.unwrap().connectors[0]
            .counts
            .signals,
        0
    );
    assert_eq!(found(&world).await, ["2"]);
    let finding = world.stored().await.remove(0);
    assert_eq!(finding.occurrence, 1);
}

#[tokio::test]
async fn what_was_resolved_is_not_reopened_by_the_same_event() {
    let world = world();
    world.answers([signals(vec![
        sign_in("1", "ann", "Graz", 0),
        sign_in("3", "ann", "Lima", 3),
    ])]);
    world.acme.scan().await.unwrap();
    let id = world.stored().await.remove(0).id;
    let bob = crate::model::Actor::unverified("bob");
    world.acme.resolve_finding(&id, &bob).await.unwrap();
    // A late event brings the third with it, which is looked at again.
    world.answers([signals(vec![sign_in("2", "ann", "Graz", 2)])]);
    world.acme.scan().await.unwrap();
    assert_eq!(world.stored().await[0].status, FindingStatus::Resolved);
}

#[tokio::test]
async fn the_order_in_which_events_arrive_does_not_change_what_is_found() {
    let all = || {
        vec![
            sign_in("1", "ann", "Graz", 0),
            sign_in("2", "ann", "Lima", 1),
            sign_in("3", "ann", "Graz", 2),
        ]
    };
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0]] {
        let world = world();
        world.answers(order.map(|index| signals(vec![all().remove(index)])));
        for _ in order {
            world.acme.scan().await.unwrap();
        }
        assert!(found(&world).await.contains(&"2".to_owned()), "{order:?}");
    }
}

#[tokio::test]
async fn a_detection_from_events_never_resolves_by_absence() {
    let world = world();
    world.answers([signals(vec![
        sign_in("1", "ann", "Graz", 0),
        sign_in("2", "ann", "Lima", 1),
    ])]);
    world.acme.scan().await.unwrap();
    let everything = crate::connector::Evaluated {
        check: CheckId::new("vault.sign_in.new_place").unwrap(),
        subject: None,
    };
    world.answers([super::harness::last(vec![], vec![everything])]);
    world.pass(60);
    world.acme.scan().await.unwrap();
    assert_eq!(world.stored().await[0].status, FindingStatus::New);
}

#[tokio::test]
async fn signals_commit_with_their_cursor_so_that_an_error_afterwards_loses_none() {
    let world = world();
    world.answers([
        Answer::Page(Box::new(ScanPage {
            signals: vec![sign_in("1", "ann", "Graz", 0)],
            cursor: Some(Cursor("after-1".to_owned())),
            more: true,
            ..ScanPage::default()
        })),
        Answer::Fails(away()),
        signals(vec![sign_in("2", "ann", "Lima", 1)]),
    ]);
    world.acme.scan().await.unwrap();
    world.acme.scan().await.unwrap();
    assert_eq!(
        world.asked("breaches")[2].cursor.as_deref(),
        Some("after-1")
    );
    assert_eq!(found(&world).await, ["2"]);
}

#[tokio::test]
async fn signals_are_forgotten_after_the_longest_window_and_unwanted_ones_at_once() {
    let world = world();
    let mut unwanted = sign_in("9", "ann", "Graz", 0);
    unwanted.kind = "vault.item_usage".to_owned();
    world.answers([signals(vec![sign_in("1", "ann", "Graz", 0), unwanted])]);
    world.acme.scan().await.unwrap();
    let stored = || async {
        let query = Query::all(RecordKind::Signal);
        let page = world.engine.store().query(world.acme.id(), query).await;
        page.unwrap().records.len()
    };
    assert_eq!(stored().await, 1);
    world.pass(14 * DAY - 1);
    world.acme.scan().await.unwrap();
    assert_eq!(stored().await, 1);
    world.pass(1);
    world.acme.scan().await.unwrap();
    assert_eq!(stored().await, 0);
}

#[tokio::test]
async fn a_signal_that_cannot_be_kept_is_rejected_and_loses_no_other() {
    let world = world();
    let mut broken = sign_in("1", "ann", "Graz", 0);
    broken.subject.id.push('\0');
    world.answers([signals(vec![broken, sign_in("2", "ben", "Graz", 0)])]);
    let summary = world.acme.scan().await.unwrap();
    let counts = &summary.connectors[0].counts;
    assert_eq!((counts.signals, counts.rejected), (1, 1));
    world.answers([page("1", vec![], vec![])]);
    assert!(world.acme.scan().await.unwrap().complete);
}
