//! Any interleaving of pages, errors, crashes and a store that fails before or after the fact:
//! nothing is lost, nothing doubled, and the ledger's counts are those of the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::FutureExt;
use proptest::prelude::*;

use super::harness::{Answer, Build, World, away, check, covers, covers_everything, exposed};
use crate::connector::{Cursor, Evaluated, ScanPage};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{FindingStatus, TenantId};
use crate::store::{
    Change, Claim, Claimed, Commit, Committed, MemoryStore, Page, Query, RecordKind, Store,
};

const PEOPLE: usize = 6;
const ON_A_PAGE: usize = 2;

/// Who is exposed in what.
type Truth = BTreeSet<(usize, usize)>;

#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    Before,
    After,
    Conflict,
}

#[derive(Clone, Debug)]
enum Step {
    /// The world changes for one person and breach.
    Toggle(usize, usize),
    /// A scan, whose commits meet these faults, and which after some pages meets an end.
    Scan(Vec<Fault>, usize, End),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Complete,
    Error,
    CursorRefused,
    Crash,
}

#[derive(Debug, Default)]
struct Unreliable {
    inner: MemoryStore,
    faults: Mutex<VecDeque<Fault>>,
}

#[async_trait]
impl Store for Unreliable {
    async fn commit(&self, tenant: &TenantId, commit: Commit) -> Result<Committed> {
        let fault = self.faults.lock().unwrap().pop_front();
        let broken = || Error::new(ErrorKind::Store, "the disk is slow").temporary();
        match fault.unwrap_or(Fault::None) {
            Fault::Before => Err(broken()),
            Fault::Conflict if touches_findings(&commit) => {
                Err(Error::new(ErrorKind::Conflict, "somebody was faster"))
            }
            Fault::None | Fault::Conflict => self.inner.commit(tenant, commit).await,
            Fault::After => {
                self.inner.commit(tenant, commit).await?;
                Err(broken())
            }
        }
    }

    async fn query(&self, tenant: &TenantId, query: Query) -> Result<Page> {
        self.inner.query(tenant, query).await
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        self.inner.claim(claim).await
    }
}

/// Only what somebody else writes too can be written by somebody else first.
fn touches_findings(commit: &Commit) -> bool {
    commit
        .changes
        .iter()
        .any(|change| matches!(change, Change::Put(put) if put.kind == RecordKind::Finding))
}

fn name(person: usize) -> String {
    format!("p{person}")
}

/// The page at a cursor, of the world as it is.
fn page_at(cursor: Option<&str>, truth: &Truth, everywhere: bool) -> Answer {
    let first = cursor.map_or(0, |cursor| cursor.parse().unwrap());
    let people = first..(first + ON_A_PAGE).min(PEOPLE);
    let more = people.end < PEOPLE;
    let seen = truth.iter().filter(|(person, _)| people.contains(person));
    let evaluated: Vec<Evaluated> = if everywhere {
        vec![covers_everything()]
    } else {
        people.clone().map(|person| covers(&name(person))).collect()
    };
    Answer::Page(Box::new(ScanPage {
        observations: seen
            .map(|(person, breach)| exposed(&name(*person), &format!("B{breach}")))
            .collect(),
        evaluated,
        cursor: more.then(|| Cursor(people.end.to_string())),
        more,
        ..ScanPage::default()
    }))
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::Before),
        1 => Just(Fault::After),
        1 => Just(Fault::Conflict),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![
        3 => Just(End::Complete),
        1 => Just(End::Error),
        1 => Just(End::CursorRefused),
        1 => Just(End::Crash),
    ];
    prop_oneof![
        (0..PEOPLE, 0..2_usize).prop_map(|(person, breach)| Step::Toggle(person, breach)),
        (prop::collection::vec(fault(), 0..12), 0..4_usize, end)
            .prop_map(|(faults, pages, end)| Step::Scan(faults, pages, end)),
    ]
}

struct Play {
    world: World,
    store: Arc<Unreliable>,
    truth: Arc<Mutex<Truth>>,
    everywhere: bool,
    /// How often each became true.
    risen: BTreeMap<(usize, usize), u32>,
}

impl Play {
    fn new(everywhere: bool) -> Self {
        let store = Arc::new(Unreliable::default());
        let world = Build {
            store: Arc::clone(&store) as Arc<dyn Store>,
            ..Build::default()
        }
        .world();
        Self {
            world,
            store,
            truth: Arc::default(),
            everywhere,
            risen: BTreeMap::new(),
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Toggle(person, breach) => {
                let mut truth = self.truth.lock().unwrap();
                if !truth.remove(&(person, breach)) {
                    truth.insert((person, breach));
                    *self.risen.entry((person, breach)).or_default() += 1;
                }
            }
            Step::Scan(faults, pages, end) => {
                *self.store.faults.lock().unwrap() = faults.into();
                self.arm(pages, end);
                let scan = self.world.acme.scan();
                if matches!(end, End::Crash) {
                    drop(scan.now_or_never());
                } else {
                    drop(scan.await);
                }
                self.world.pass(60);
            }
        }
    }

    fn arm(&self, pages: usize, end: End) {
        let (truth, everywhere) = (Arc::clone(&self.truth), self.everywhere);
        let mut left = pages;
        let answer = move |cursor: Option<&str>| match end {
            End::Error if left == 0 => Answer::Fails(away()),
            End::CursorRefused if left == 0 => {
                Answer::Fails(Error::invalid_input("no such cursor"))
            }
            End::Crash if left == 0 => Answer::Hangs,
            _ => {
                left = left.saturating_sub(1);
                page_at(cursor, &truth.lock().unwrap(), everywhere)
            }
        };
        self.world.script("breaches").lock().unwrap().otherwise = Some(Box::new(answer));
    }

    /// After undisturbed runs the store says what is true.
    async fn check(&mut self) {
        for _ in 0..2 {
            self.step(Step::Scan(Vec::new(), 0, End::Complete)).await;
        }
        let truth = self.truth.lock().unwrap().clone();
        let mut found = self.world.stored().await;
        found.retain(|finding| finding.observation.check == check());
        let open: BTreeSet<(String, String)> = found
            .iter()
            .filter(|finding| finding.status == FindingStatus::New)
            .map(|finding| {
                let seen = &finding.observation;
                (seen.subject.id.clone(), seen.discriminator.clone())
            })
            .collect();
        let expected: BTreeSet<(String, String)> = truth
            .iter()
            .map(|(person, breach)| {
                let address = super::harness::address(&name(*person));
                (address.as_str().to_owned(), format!("B{breach}"))
            })
            .collect();
        assert_eq!(open, expected);
        let risen: u32 = self.risen.values().sum();
        let occurrences: u32 = found.iter().map(|finding| finding.occurrence).sum();
        assert!(occurrences <= risen, "{occurrences} of {risen}");
        self.check_ledger().await;
        self.check_incidents().await;
    }

    async fn check_ledger(&self) {
        let found = self.world.stored().await;
        let known = found
            .iter()
            .filter(|finding| finding.observation.check == check());
        let back: u32 = known.clone().map(|finding| finding.occurrence - 1).sum();
        let sum = |name: &str| {
            let name = name.to_owned();
            async move {
                let ledger = self.world.ledger().await;
                let pages = ledger.iter().filter(|entry| entry.kind == "scan.page");
                let counts = pages.filter_map(|entry| entry.data.get(&name)?.as_u64());
                counts.sum::<u64>()
            }
        };
        assert_eq!(sum("new").await, known.count() as u64);
        assert_eq!(sum("reopened").await, u64::from(back));
    }

    async fn check_incidents(&self) {
        for finding in self.world.stored().await {
            if finding.status == FindingStatus::New {
                let incident = finding
                    .incident
                    .as_ref()
                    .expect("an open finding has an incident");
                let incident = self.world.acme.incident(incident).await.unwrap();
                assert!(incident.status.is_open());
                assert_eq!(
                    incident
                        .findings
                        .iter()
                        .filter(|id| **id == finding.id)
                        .count(),
                    1
                );
            }
        }
    }
}

fn play(steps: Vec<Step>, everywhere: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut play = Play::new(everywhere);
        for step in steps {
            play.step(step).await;
        }
        play.check().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_shrink_iters: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_interleaving_of_pages_errors_and_crashes_loses_or_doubles_a_finding(
        steps in prop::collection::vec(step(), 1..40),
        everywhere in any::<bool>(),
    ) {
        play(steps, everywhere);
    }
}
