//! Runs over real HTTP against the sandbox.

use std::sync::Arc;

use crate::world::{BREACH, Memory, World, op, run, try_run, watch};
use jiff::SignedDuration;
use protect_core::ErrorKind;
use protect_core::connector::{Connector, Cursor, ScanRequest, Scanner};
use protect_core::model::{FindingKind, Severity, WatchList};
use protect_sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

const PASTE: &str = "hibp.exposure.paste";

fn test_account(alias: &str) -> String {
    format!("{alias}@hibp-integration-tests.com")
}

fn new_breach(name: &str, description: &str) -> Value {
    json!({
        "Name": name, "Title": name, "Domain": "shop.example", "BreachDate": "2025-01-01",
        "AddedDate": "2025-02-01T00:00:00Z", "ModifiedDate": "2025-02-01T00:00:00Z",
        "PwnCount": 1, "Description": description, "DataClasses": ["Email addresses", "Passwords"],
        "IsVerified": true,
    })
}

fn twelve_hours_pass(world: &World) {
    world.sandbox.advance_clock(SignedDuration::from_hours(12));
}

#[tokio::test]
async fn a_first_run_finds_what_is_known_about_each_address_by_ranges() {
    let world = World::new("Pro 1").await;
    let connector = world.connector("acme", json!({}));
    let multiple = test_account("multiple-breaches");
    let exists = test_account("account-exists");
    let sensitive = test_account("sensitive-breach");
    let clean = test_account("opt-out");
    let watched = watch(&[], &[&multiple, &exists, &sensitive, &clean]);
    let found = run(&connector, &watched, &Memory::default()).await;
    assert_eq!(found.breaches(&multiple).len(), 3);
    assert_eq!(found.breaches(&exists).len(), 1);
    assert_eq!(found.breaches(&sensitive), Vec::<&str>::new());
    for address in [&multiple, &exists, &sensitive, &clean] {
        assert!(found.is_checked(BREACH, address));
        assert!(found.is_checked(PASTE, address));
    }
    assert_eq!(found.of(PASTE).len(), 1);
    for seen in found.observations() {
        let credit = seen.attribution.as_ref().unwrap();
        assert_eq!(credit.source, "Have I Been Pwned");
        assert_eq!(credit.url, "https://haveibeenpwned.com");
        assert_eq!(credit.licence, "CC BY 4.0");
        assert!(!seen.title.contains('@'));
    }
    assert_eq!(found.verdict().0, "fail");
    assert_eq!(world.asked("/breachedaccount/{account}"), 0);
    assert_eq!(world.asked("/breachedaccount/range/{prefix}"), 4);
    assert_eq!(world.sandbox.violations(), []);
}

#[tokio::test]
async fn without_k_anonymity_addresses_are_asked_about_directly() {
    let world = World::new("Core 4").await;
    let connector = world.connector("acme", json!({"pastes": "off"}));
    let address = test_account("multiple-breaches");
    let found = run(&connector, &watch(&[], &[&address]), &Memory::default()).await;
    assert_eq!(found.breaches(&address).len(), 3);
    assert_eq!(world.asked("/breachedaccount/{account}"), 1);
    assert_eq!(world.asked("/pasteaccount/{account}"), 0);
    assert_eq!(world.sandbox.violations(), []);
}

#[tokio::test]
async fn a_verified_domain_is_asked_about_once_and_none_of_its_addresses() {
    let world = World::new("Pro 1").await;
    world
        .tell("accounts", json!({"email": "leaver@acme.example", "breaches": ["Adobe"], "stealer_sites": ["vpn.acme.example"]}))
        .await;
    let connector = world.connector("acme", json!({}));
    let leaked = world.sandbox.planted().leaked.email;
    let watched = watch(&["acme.example"], &[&leaked, "clean.person@acme.example"]);
    let found = run(&connector, &watched, &Memory::default()).await;
    assert_eq!(world.asked_about_addresses(), 0);
    assert_eq!(world.asked("/breacheddomain/{domain}"), 1);
    assert!(!found.breaches(&leaked).is_empty());
    assert_eq!(found.breaches("leaver@acme.example"), ["Adobe"]);
    assert!(found.is_checked(BREACH, "clean.person@acme.example"));
    let stolen = found.of("hibp.exposure.stealer_log");
    assert_eq!(stolen.len(), 1);
    assert_eq!(stolen[0].discriminator, "vpn.acme.example");
    assert_eq!(stolen[0].severity, Severity::Critical);
    assert_eq!(world.sandbox.violations(), []);
}

#[tokio::test]
async fn an_unlisted_mailbox_that_is_clean_again_is_evaluated_and_so_resolved() {
    let world = World::new("Pro 1").await;
    let leaver = json!({"email": "leaver@acme.example", "breaches": ["Adobe"]});
    world.tell("accounts", leaver).await;
    let connector = world.connector("acme", json!({}));
    let watched = watch(&["acme.example"], &[]);
    let state = Memory::default();
    let first = run(&connector, &watched, &state).await;
    assert_eq!(first.breaches("leaver@acme.example"), ["Adobe"]);
    world
        .tell("accounts", json!({"email": "leaver@acme.example"}))
        .await;
    let second = try_run(&connector, &watched, &state, true).await.unwrap();
    assert_eq!(second.breaches("leaver@acme.example"), Vec::<&str>::new());
    assert!(second.is_checked(BREACH, "leaver@acme.example"));
    let third = try_run(&connector, &watched, &state, true).await.unwrap();
    assert!(!third.is_checked(BREACH, "leaver@acme.example"));
}

#[tokio::test]
async fn an_unchanged_catalogue_costs_no_question_and_resolves_nothing() {
    let world = World::new("Pro 1").await;
    let connector = world.connector("acme", json!({"cadence": "catalogue_gated"}));
    let address = test_account("multiple-breaches");
    let watched = watch(&[], &[&address]);
    let state = Memory::default();
    run(&connector, &watched, &state).await;
    let asked = world.asked_about_addresses();
    twelve_hours_pass(&world);
    let second = run(&connector, &watched, &state).await;
    assert_eq!(world.asked_about_addresses(), asked);
    assert_eq!(second.pages.len(), 1);
    assert!(!second.is_checked(BREACH, &address));
    assert_eq!(second.observations().len(), 0);
    let (verdict, reason) = second.verdict();
    assert_eq!(verdict, "fail", "what was true of this version still is");
    assert!(
        reason.starts_with("checked against catalogue version "),
        "{reason}"
    );
    assert!(reason.ends_with(", unchanged"), "{reason}");
}

#[tokio::test]
async fn a_new_breach_starts_a_sweep_and_a_week_does_as_well() {
    let world = World::new("Pro 1").await;
    let connector = world.connector("acme", json!({"cadence": "catalogue_gated"}));
    let watched = watch(&[], &["ann@other.example"]);
    let state = Memory::default();
    run(&connector, &watched, &state).await;
    twelve_hours_pass(&world);
    world.sandbox.publish_breach(
        new_breach("FreshShop", "Passwords in plain text."),
        &["ann@other.example".to_owned()],
    );
    let second = run(&connector, &watched, &state).await;
    assert_eq!(second.breaches("ann@other.example"), ["FreshShop"]);
    let seen = second.of(BREACH)[0];
    assert_eq!(seen.severity, Severity::Critical);
    assert_eq!(seen.cause.as_deref(), Some("breach:FreshShop"));
    let asked = world.asked("/breachedaccount/range/{prefix}");
    world
        .sandbox
        .advance_clock(SignedDuration::from_hours(24 * 7));
    run(&connector, &watched, &state).await;
    assert_eq!(world.asked("/breachedaccount/range/{prefix}"), asked + 1);
}

#[tokio::test]
async fn a_reworded_breach_is_judged_again_without_a_question() {
    let world = World::new("Pro 1").await;
    let exposed = ["ann@other.example".to_owned()];
    world.sandbox.publish_breach(
        new_breach("Shop", "Passwords stored as bcrypt hashes."),
        &exposed,
    );
    let connector = world.connector("acme", json!({"cadence": "catalogue_gated"}));
    let watched = watch(&[], &["ann@other.example"]);
    let state = Memory::default();
    let first = run(&connector, &watched, &state).await;
    assert_eq!(first.of(BREACH)[0].severity, Severity::High);
    let asked = world.asked_about_addresses();
    world
        .sandbox
        .publish_breach(new_breach("Shop", "Passwords in plain text."), &exposed);
    let second = run(&connector, &watched, &state).await;
    assert_eq!(second.of(BREACH)[0].severity, Severity::Critical);
    assert_eq!(world.asked_about_addresses(), asked);
    let mut withdrawn = new_breach("Shop", "Passwords in plain text.");
    withdrawn["IsRetired"] = json!(true);
    world.sandbox.publish_breach(withdrawn, &exposed);
    let third = run(&connector, &watched, &state).await;
    assert_eq!(third.of(BREACH).len(), 0, "the source was withdrawn");
    assert!(
        third.is_checked(BREACH, "ann@other.example"),
        "so the finding closes"
    );
}

#[tokio::test]
async fn every_window_asks_again_whatever_the_catalogue_says() {
    let world = World::new("Pro 1").await;
    let connector = world.connector("acme", json!({}));
    let watched = watch(&[], &["ann@other.example"]);
    let state = Memory::default();
    for runs in 1..=3 {
        run(&connector, &watched, &state).await;
        assert_eq!(world.asked("/breachedaccount/range/{prefix}"), runs);
        assert_eq!(world.asked("/pasteaccount/{account}"), 1, "pastes weekly");
        twelve_hours_pass(&world);
    }
}

#[tokio::test]
async fn what_could_not_be_asked_stays_due_and_nothing_is_resolved_by_it() {
    for kind in [
        FaultKind::Unavailable,
        FaultKind::Html200,
        FaultKind::TruncatedJson,
        FaultKind::RateLimitedBare,
        FaultKind::CloseEarly,
        FaultKind::ResetMidBody,
    ] {
        let world = World::new("Core 4").await;
        let connector = world.connector("acme", json!({"pastes": "off"}));
        let address = test_account("multiple-breaches");
        let watched = watch(&[], &[&address]);
        let state = Memory::default();
        world
            .sandbox
            .set_fault(Fault::new(kind).on("/breachedaccount/{account}"));
        let first = run(&connector, &watched, &state).await;
        assert!(!first.is_checked(BREACH, &address), "{kind:?}");
        assert_eq!(first.verdict().0, "not_evaluated", "{kind:?}");
        assert_eq!(
            first
                .pages
                .iter()
                .map(|page| page.rejected.len())
                .sum::<usize>(),
            1
        );
        world.sandbox.clear_faults();
        let second = run(&connector, &watched, &state).await;
        assert!(second.is_checked(BREACH, &address), "{kind:?}");
        assert_eq!(second.breaches(&address).len(), 3, "{kind:?}");
    }
}

#[tokio::test]
async fn a_refused_key_or_plan_ends_the_run_with_one_finding() {
    for (kind, check) in [
        (FaultKind::Unauthorized, "hibp.connection.credential"),
        (FaultKind::ScopeRemoved, "hibp.connection.plan"),
    ] {
        let world = World::new("Core 4").await;
        let connector = world.connector("acme", json!({"pastes": "off"}));
        let addresses: Vec<String> = (0..250).map(|n| format!("p{n}@other.example")).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let watched = watch(&[], &addresses);
        world
            .sandbox
            .set_fault(Fault::new(kind).on("/breachedaccount/{account}"));
        let found = run(&connector, &watched, &Memory::default()).await;
        assert_eq!(found.observations().len(), 1, "{kind:?}");
        let seen = found.observations()[0];
        assert_eq!(seen.kind, FindingKind::Operational);
        assert_eq!(seen.check.as_str(), check);
        assert!(!found.is_checked(BREACH, addresses[0]));
        assert!(
            world.asked_about_addresses() <= 200,
            "the queue is not burnt through"
        );
        // As soon as it is put right, the next run says so and the finding closes.
        world.sandbox.clear_faults();
        let next = run(&connector, &watched, &Memory::default()).await;
        assert_eq!(next.observations().len(), 0);
        assert!(
            next.last()
                .evaluated
                .iter()
                .any(|done| done.check.as_str() == check)
        );
    }
}

#[tokio::test]
async fn a_key_that_is_refused_at_once_asks_nothing_more() {
    let world = World::new("Pro 1").await;
    let connector = world.connector("acme", json!({}));
    world.sandbox.set_fault(Fault::new(FaultKind::Unauthorized));
    let found = run(
        &connector,
        &watch(&[], &["a@b.example"]),
        &Memory::default(),
    )
    .await;
    assert_eq!(found.pages.len(), 1);
    assert_eq!(found.observations().len(), 1);
    assert_eq!(found.verdict().0, "not_evaluated");
    assert_eq!(world.asked_about_addresses(), 0);
}

#[tokio::test]
async fn a_vendor_that_is_down_ends_the_run_as_an_error() {
    let world = World::new("Core 4").await;
    let connector = world.connector("acme", json!({"pastes": "off"}));
    let addresses: Vec<String> = (0..150).map(|n| format!("p{n}@other.example")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let watched = watch(&[], &addresses);
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::Unavailable).on("/breachedaccount/{account}"));
    let error = try_run(&connector, &watched, &Memory::default(), false)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_run_goes_on_after_a_restart_without_asking_twice() {
    let world = World::new("Core 5").await;
    let addresses: Vec<String> = (0..350).map(|n| format!("p{n}@other.example")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let watched = watch(&[], &addresses);
    let state = Memory::default();
    let mut cursor = None;
    let mut more = true;
    let mut pages = 0;
    while more {
        // Each page by a process of its own: nothing but cursor and state survives.
        let connector = world.connector("acme", json!({"pastes": "off"}));
        let request = ScanRequest {
            cursor: cursor.as_ref(),
            starts_run: pages == 0,
            watched: &watched,
            others: &[],
            state: &state,
            forced: true,
        };
        let mut page = connector.scan(&op("acme"), request).await.unwrap();
        if page.more
            && page
                .evaluated
                .iter()
                .all(|done| done.check.as_str() != BREACH)
        {
            // The plan was only made; the same process makes one page of it.
            let request = ScanRequest {
                cursor: page.cursor.as_ref(),
                starts_run: false,
                watched: &watched,
                others: &[],
                state: &state,
                forced: false,
            };
            page = connector.scan(&op("acme"), request).await.unwrap();
        }
        state.commit(&page);
        more = page.more;
        cursor = page.cursor;
        pages += 1;
        assert!(pages < 10, "the run ends");
    }
    assert_eq!(world.asked("/breachedaccount/{account}"), 350);
}

#[tokio::test]
async fn an_unverified_domain_is_told_of_and_its_addresses_are_asked_about() {
    let world = World::new("Pro 1").await;
    let connector = world.connector("acme", json!({"pastes": "off"}));
    let watched = watch(&["unverified.example"], &["ann@unverified.example"]);
    let found = run(&connector, &watched, &Memory::default()).await;
    assert!(found.is_checked(BREACH, "ann@unverified.example"));
    assert_eq!(world.asked("/breacheddomain/{domain}"), 0);
    let told = &found.pages[0].verdicts[0];
    assert_eq!(told.affected, ["unverified.example"]);
    assert_eq!(world.sandbox.violations(), []);
}

#[tokio::test]
async fn the_diagnosis_knows_key_plan_clock_and_capacity() {
    let world = World::new("Core 3").await;
    let connector = world.connector("acme", json!({}));
    let good = connector.diagnose(&op("acme")).await.unwrap();
    assert!(good.reachable);
    assert_eq!(good.credentials[0].accepted, Some(true));
    assert_eq!(
        good.credentials[0].missing,
        [
            "IncludesKAnon",
            "IncludesStealerLogs",
            "IncludesCustomerDomains"
        ]
    );
    assert!(
        good.notes[0].contains("53568 addresses every 12 hours"),
        "{:?}",
        good.notes
    );
    assert!(good.notes.iter().any(|note| note.contains("Core plans")));
    assert_eq!(good.clock_skew_seconds, Some(0));
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::ClockSkew).seconds(600));
    let skewed = connector.diagnose(&op("acme")).await.unwrap();
    assert!(skewed.clock_skew_seconds.unwrap() >= 599);
    world.sandbox.clear_faults();
    world.sandbox.set_fault(Fault::new(FaultKind::Unauthorized));
    let refused = connector.diagnose(&op("acme")).await.unwrap();
    assert_eq!(refused.credentials[0].accepted, Some(false));
}

#[tokio::test]
async fn neither_key_nor_address_stands_in_state_cursor_or_debug() {
    let world = World::new("Pro 1").await;
    let connector = world.connector("acme", json!({}));
    let watched = watch(&[], &["secret.person@other.example"]);
    let state = Memory::default();
    let found = run(&connector, &watched, &state).await;
    let key = world.sandbox.credentials().hibp_api_key;
    let cursors: Vec<_> = found
        .pages
        .iter()
        .filter_map(|page| page.cursor.clone())
        .collect();
    let kept = format!(
        "{:?} {connector:?} {:?}",
        state.0.lock().unwrap(),
        cursors.iter().map(|c| &c.0).collect::<Vec<_>>()
    );
    for secret in [key.as_str(), "secret.person"] {
        assert!(!kept.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_refused_domain_ends_no_run_and_its_addresses_are_asked_about_next_time() {
    let world = World::new("Pro 1").await;
    let connector = world.connector("acme", json!({"pastes": "off"}));
    let watched = watch(&["acme.example"], &["ann@acme.example", "bob@b.example"]);
    let state = Memory::default();
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::ScopeRemoved).on("/breacheddomain"));
    let first = run(&connector, &watched, &state).await;
    assert!(!first.is_checked(BREACH, "ann@acme.example"));
    assert!(first.is_checked(BREACH, "bob@b.example"));
    assert_eq!(first.verdict().0, "not_evaluated");
    let second = run(&connector, &watched, &state).await;
    assert!(second.is_checked(BREACH, "ann@acme.example"));
}

fn forced<'a>(
    cursor: Option<&'a Cursor>,
    starts_run: bool,
    watched: &'a Arc<WatchList>,
    state: &'a Memory,
) -> ScanRequest<'a> {
    ScanRequest {
        cursor,
        starts_run,
        watched,
        others: &[],
        state,
        forced: true,
    }
}

#[tokio::test]
async fn a_large_domain_comes_in_pages_and_survives_a_restart_between_them() {
    let world = World::new("Pro 1").await;
    let exposed: Vec<String> = (0..1_200).map(|n| format!("m{n}@acme.example")).collect();
    let breach = new_breach("BigShop", "Passwords in plain text.");
    world.sandbox.publish_breach(breach, &exposed);
    let watched = watch(&["acme.example"], &[]);
    let connector = world.connector("acme", json!({}));
    let state = Memory::default();
    let whole = run(&connector, &watched, &state).await;
    assert!(whole.pages.len() >= 4, "{} pages", whole.pages.len());
    for address in &exposed {
        assert_eq!(whole.breaches(address), ["BigShop"]);
    }
    assert_eq!(world.asked("/breacheddomain/{domain}"), 1);

    // The next run is cut off after its second page; another process asks the domain again.
    twelve_hours_pass(&world);
    let cx = op("acme");
    let first = connector
        .scan(&cx, forced(None, true, &watched, &state))
        .await
        .unwrap();
    state.commit(&first);
    let second = connector
        .scan(&cx, forced(first.cursor.as_ref(), false, &watched, &state))
        .await
        .unwrap();
    state.commit(&second);
    let other = world.connector("acme", json!({}));
    let mut cursor = second.cursor;
    let mut seen = 0;
    while let Some(place) = cursor {
        let page = other
            .scan(&cx, forced(Some(&place), false, &watched, &state))
            .await
            .unwrap();
        state.commit(&page);
        seen += page.observations.len();
        cursor = page.cursor;
    }
    assert!(seen >= 1_200, "{seen}");
    assert_eq!(world.asked("/breacheddomain/{domain}"), 3);
}
