//! A process that is killed at any point of `apply` neither loses nor repeats an effect.
//!
//! The parent keeps the simulated vendors; a child, which is this binary again, applies what was
//! approved and is killed. Each child's clock is past the lease of the one before, so that every
//! restart begins with what the kill left in flight.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use protect_connectors::core::engine::{Engine, Request};
use protect_connectors::core::model::{
    ActionKind, Address, Attributes, EmployeeId, Intent, IntentState, OutcomeStatus,
};
use protect_connectors::core::people::EmployeeInput;
use protect_connectors::core::testing::KILL_POINTS;
use protect_sandbox::Sandbox;

use crate::support::{LEASE, OffsetClock, World, alice, bob, context, exported, intents, open};

const CHILD: &str = "kills::child_applies";
const CONFIG: &str = "PROTECT_TEST_CONFIG";
const AHEAD: &str = "PROTECT_TEST_AHEAD";
const APPLYING: &str = "now applying";

/// More commits than the end of one suspension takes.
const MANY: u32 = 20;

/// Longer than every lease there is, that of the end of a temporary action too.
const LEASES: Duration = Duration::from_mins(2);

/// Longer than a lease.
const STEP: Duration = Duration::from_secs(LEASE.as_secs() + 1);

#[tokio::test]
async fn a_kill_at_every_commit_point_of_apply_loses_and_repeats_nothing() {
    let world = World::with(sandbox(30)).await;
    approve_everything(&world).await;
    for (number, name, _) in KILL_POINTS {
        for passes in 0..3 {
            let mut at = format!("{number}:{passes}");
            if *name == "apply.after_probe" {
                // A restart probes the one attempt that was interrupted before.
                assert!(run_child(&world, Some(&point("apply.after_attempt"))));
                at = number.to_string();
            }
            assert!(run_child(&world, Some(&at)), "{name} was not reached");
        }
    }
    assert!(!run_child(&world, None), "the last one comes to its end");
    assert!(assert_sound(&world).await > 0);
}

#[tokio::test]
async fn a_kill_at_every_commit_point_of_the_end_of_a_suspension_reactivates_once() {
    let world = World::with(sandbox(60)).await;
    let mut people = world.ordinary_people().into_iter().map(|(id, _)| id);
    let mut killed = 0;
    for (number, name, _) in KILL_POINTS {
        let is_store = name.starts_with("store.");
        // The store's two points come with every commit: each of the path is one case.
        for passes in 0..if is_store { MANY } else { 1 } {
            let user = people.next().unwrap();
            suspend_for_an_hour(&world, &user).await;
            world.advance(Duration::from_hours(1));
            let mut at = format!("{number}:{passes}");
            if *name == "apply.after_probe" {
                assert!(run_child(&world, Some(&point("apply.after_attempt"))));
                world.advance(LEASES);
                at = number.to_string();
            }
            let was_killed = run_child(&world, Some(&at));
            assert!(was_killed || is_store, "{name} was not reached");
            killed += u32::from(was_killed);
            for _restart in 0..2 {
                world.advance(LEASES);
                assert!(!run_child(&world, None), "a restart comes to its end");
            }
            let expected = [("SUSPENDED", true), ("ACTIVE", true)];
            let expected = expected.map(|(to, by_us)| (to.to_owned(), by_us));
            assert_eq!(world.user_changes()[&user], expected, "{name}:{passes}");
            if !was_killed {
                break;
            }
        }
    }
    assert!(killed >= 5 + 2 * 3, "{killed} kills");
    world.assert_no_violations();
    let engine = world.engine().await;
    let all = intents(&engine).await;
    assert!(all.iter().all(|intent| intent.state == IntentState::Done));
    assert_evidence(&engine, &all).await;
}

#[tokio::test]
async fn a_kill_at_every_commit_point_of_the_beginning_of_an_offboarding_begins_one() {
    let world = World::with(sandbox(60)).await;
    let mut people = world.ordinary_people().into_iter();
    let mut killed = 0;
    for (number, name, _) in KILL_POINTS {
        let is_store = name.starts_with("store.");
        for passes in 0..if is_store { MANY } else { 1 } {
            let (_, address) = people.next().unwrap();
            let employee = approve_to_leave(&world, &address).await;
            let mut at = format!("{number}:{passes}");
            if *name == "apply.after_probe" {
                assert!(run_child(&world, Some(&point("apply.after_attempt"))));
                at = number.to_string();
            }
            let was_killed = run_child(&world, Some(&at));
            assert!(was_killed || is_store, "{name} was not reached");
            killed += u32::from(was_killed);
            for _restart in 0..2 {
                world.advance(LEASES);
                assert!(!run_child(&world, None), "a restart comes to its end");
            }
            let tenant = world.tenant().await;
            tenant.review_workflows().await.unwrap();
            let all = tenant.workflows(None).await.unwrap();
            let own: Vec<_> = all.iter().filter(|it| it.employee == employee).collect();
            assert_eq!(own.len(), 1, "{name}:{passes}");
            assert!(own[0].plan.is_some(), "{name}:{passes}: it was planned");
            if !was_killed {
                break;
            }
        }
    }
    assert!(killed >= 5 + 2 * 3, "{killed} kills");
    assert!(world.user_changes().is_empty(), "nobody consented to that");
    let engine = world.engine().await;
    let all = intents(&engine).await;
    let is_applied = |intent: &Intent| {
        let outcome = intent.outcome.as_ref();
        outcome.is_some_and(|outcome| outcome.status == OutcomeStatus::Applied)
    };
    assert!(all.iter().all(is_applied), "{all:?}");
    assert_evidence(&engine, &all).await;
}

#[tokio::test]
async fn kills_at_random_moments_of_apply_lose_and_repeat_nothing() {
    let (wanted, people) = if full() { (5_000, 900) } else { (200, 150) };
    let mut random = Random(0x5eed);
    let mut killed = 0;
    let (mut rounds, mut interrupted) = (0, 0);
    let began = Instant::now();
    while killed < wanted {
        let world = World::with(sandbox(people).seed(rounds)).await;
        approve_everything(&world).await;
        let mut ended = false;
        while killed < wanted && !ended {
            world.advance(STEP);
            let mut child = spawn_child(&world, None);
            let moment = Duration::from_micros(random.below(80_000));
            wait_until_applying(&mut child);
            std::thread::sleep(moment);
            // By its handle, so nobody else is hit.
            child.kill().unwrap();
            ended = !was_killed(child.wait().unwrap());
            killed += u32::from(!ended);
        }
        assert!(!run_child(&world, None), "the last one comes to its end");
        interrupted += assert_sound(&world).await;
        rounds += 1;
    }
    let seconds = began.elapsed().as_secs();
    let report = format!(
        "{killed} kills in {rounds} rounds and {seconds} s interrupted {interrupted} attempts\n"
    );
    // On a machine that is busy, most children are killed before their first attempt.
    assert!(interrupted * 25 > killed, "{report}");
    std::io::stdout().write_all(report.as_bytes()).unwrap();
}

#[tokio::test]
async fn two_processes_on_one_store_share_the_work_and_do_nothing_twice() {
    let world = World::with(sandbox(30)).await;
    approve_everything(&world).await;
    let mut children = [spawn_child(&world, None), spawn_child(&world, None)];
    for child in &mut children {
        wait_until_applying(child);
    }
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_sound(&world).await;
}

#[tokio::test]
#[ignore = "a process that the tests here start and kill; alone it has nothing to do"]
async fn child_applies() {
    let Ok(path) = std::env::var(CONFIG) else {
        return;
    };
    let ahead = std::env::var(AHEAD).unwrap().parse().unwrap();
    let context = context(OffsetClock::ahead_by(ahead));
    let tenant = open(Path::new(&path), context)
        .await
        .tenant("acme")
        .unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "\n{APPLYING}").unwrap();
    out.flush().unwrap();
    tenant.apply_waiting().await.unwrap();
}

fn sandbox(people: usize) -> protect_sandbox::SandboxBuilder {
    Sandbox::builder().users(people).rate_limits(false)
}

fn full() -> bool {
    std::env::var("PROTECT_FULL").is_ok_and(|value| value == "1")
}

/// Makes an incident of every ordinary person and approves what the rules want done about it.
async fn approve_everything(world: &World) {
    let addresses: Vec<_> = world
        .ordinary_people()
        .into_iter()
        .map(|(_, a)| a)
        .collect();
    world.leak("EverybodyLeaked", &addresses);
    let tenant = world.tenant().await;
    let summary = tenant.scan().await.unwrap();
    assert!(summary.complete, "{summary:?}");
    let plan = tenant.plan().await.unwrap();
    assert!(plan.actions.len() >= addresses.len() * 2);
    tenant.approve(plan, &alice()).await.unwrap();
}

/// Suspends somebody for an hour, as bob approved it.
async fn suspend_for_an_hour(world: &World, user: &str) {
    let tenant = world.tenant().await;
    let request = Request {
        kind: ActionKind::SuspendAccount,
        account: format!("passwords:{user}"),
        reason: "a lost laptop".to_owned(),
        by: alice(),
        lasts: Some(Duration::from_hours(1)),
        parameters: Attributes::new(),
    };
    let plan = tenant.request(request).await.unwrap();
    let approved = tenant.approve(plan, &bob()).await.unwrap();
    tenant.apply(approved).await.unwrap();
    assert_eq!(world.user_changes()[user].len(), 1);
}

/// Somebody works here and is to leave: asked for by alice, approved by bob.
async fn approve_to_leave(world: &World, address: &str) -> EmployeeId {
    let tenant = world.tenant().await;
    let input = EmployeeInput {
        last_name: Some("Lee".to_owned()),
        work_email: Address::new(address).ok(),
        ..EmployeeInput::default()
    };
    let employee = tenant.hire(&input, false, &alice()).await.unwrap();
    let request = Request {
        kind: ActionKind::StartOffboarding,
        account: address.to_owned(),
        reason: "took the list of customers".to_owned(),
        by: alice(),
        lasts: None,
        parameters: Attributes::new(),
    };
    let plan = tenant.request(request).await.unwrap();
    tenant.approve(plan, &bob()).await.unwrap();
    employee.id
}

/// Runs a child to its end, past the lease of the one before; whether it was killed.
fn run_child(world: &World, kill_at: Option<&str>) -> bool {
    world.advance(STEP);
    let mut child = spawn_child(world, kill_at);
    wait_until_applying(&mut child);
    let status = child.wait().unwrap();
    assert!(status.success() || was_killed(status), "{status}");
    was_killed(status)
}

fn spawn_child(world: &World, kill_at: Option<&str>) -> Child {
    let ahead = world.ahead().to_string();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args([CHILD, "--exact", "--ignored", "--nocapture", "--quiet"])
        .env(CONFIG, world.path())
        .env(AHEAD, ahead)
        .env_remove("PROTECT_KILL_AT")
        .stdout(Stdio::piped());
    if let Some(point) = kill_at {
        child.env("PROTECT_KILL_AT", point);
    }
    child.spawn().unwrap()
}

/// Returns once the child says that it applies, or is gone.
fn wait_until_applying(child: &mut Child) {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    for line in lines {
        if line.unwrap_or_default().contains(APPLYING) {
            return;
        }
    }
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(9)
}

#[cfg(not(unix))]
fn was_killed(status: ExitStatus) -> bool {
    !status.success()
}

/// The number of a point, for `PROTECT_KILL_AT`.
fn point(name: &str) -> String {
    let found = KILL_POINTS.iter().find(|(_, known, _)| *known == name);
    found.unwrap().0.to_string()
}

/// Asserts that everything was done once and stands in the ledger; how many attempts were
/// interrupted.
async fn assert_sound(world: &World) -> u32 {
    let engine = world.engine().await;
    let all = intents(&engine).await;
    let (mut suspensions, mut tickets) = (0, 0);
    for intent in &all {
        assert_eq!(intent.state, IntentState::Done, "{intent:?}");
        let status = intent.outcome.as_ref().unwrap().status;
        assert_eq!(status, OutcomeStatus::Applied, "{intent:?}");
        match intent.action.kind {
            ActionKind::SuspendAccount => suspensions += 1,
            ActionKind::OpenTicket => tickets += 1,
            other => panic!("nobody asked for {other}"),
        }
    }
    let users = world.user_changes();
    let once = vec![("SUSPENDED".to_owned(), true)];
    assert!(users.values().all(|changes| *changes == once), "{users:?}");
    assert_eq!(users.len(), suspensions, "one transition per suspension");
    assert_eq!(world.tickets_opened(), tickets, "one create per ticket");
    world.assert_no_violations();
    assert_evidence(&engine, &all).await;
    let left = engine.tenant("acme").unwrap().plan().await.unwrap();
    assert!(left.actions.is_empty(), "nothing is left to do");
    let found_by_probe = |intent: &&Intent| {
        let outcome = intent.outcome.as_ref().unwrap();
        outcome.reason.contains("found done by a probe")
    };
    let found = u32::try_from(all.iter().filter(found_by_probe).count()).unwrap();
    let again: u32 = all.iter().map(|intent| intent.attempts - 1).sum();
    found + again
}

/// The ledger verifies, and each intent has one entry per attempt and one for its end.
async fn assert_evidence(engine: &Engine, intents: &[Intent]) {
    let (entries, report) = exported(engine).await;
    assert!(report.valid, "{report:?}");
    assert_eq!(report.entries, entries.len() as u64);
    let mut counts: BTreeMap<(String, String), u32> = BTreeMap::new();
    for entry in entries {
        if let Some(action) = entry.data.get("action").and_then(|id| id.as_str()) {
            *counts.entry((entry.kind, action.to_owned())).or_default() += 1;
        }
    }
    let count = |kind: &str, id: &str| {
        let key = (kind.to_owned(), id.to_owned());
        counts.get(&key).copied().unwrap_or_default()
    };
    for intent in intents {
        let id = intent.action.id.as_str();
        assert_eq!(count("action.attempted", id), intent.attempts, "{intent:?}");
        assert_eq!(count("action.finished", id), 1, "{intent:?}");
    }
}

/// Good enough to choose moments by, and the same in every run (Marsaglia's xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
