use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use protect_core::connector::{Connector, ScanPage};
use protect_core::model::{
    NotEvaluatedReason as Reason, Observation, Signal, Subject, Verdict, WatchList,
};
use protect_core::testing::contract;
use protect_google::{CATALOGUE, KIND, PERMISSIONS};
use serde_json::json;

use crate::world::World;

fn signals(pages: &[ScanPage]) -> Vec<Signal> {
    pages.iter().flat_map(|page| page.signals.clone()).collect()
}

/// What the detections find in signals, each put to them by its own account, as the engine does.
fn found(connector: &dyn Connector, signals: &[Signal]) -> Vec<Observation> {
    let subjects: BTreeSet<_> = signals.iter().map(|it| it.subject.clone()).collect();
    let mut found = Vec::new();
    for subject in subjects {
        for detection in connector.detections() {
            let kinds = detection.signal_kinds();
            let mut own: Vec<_> = signals
                .iter()
                .filter(|it| it.subject == subject && kinds.contains(&it.kind.as_str()))
                .cloned()
                .collect();
            own.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
            own.dedup_by(|one, other| one.id == other.id);
            found.extend(detection.evaluate(&own, &[]));
        }
    }
    found
}

#[tokio::test]
async fn a_connector_keeps_the_contracts_and_breaks_no_rule() {
    let world = World::new().await;
    let connector = world.connector(&json!({}));
    let keys = [&world.own.google_scan_key, &world.own.google_respond_key];
    let keys = keys.map(|key| {
        let key: serde_json::Value = serde_json::from_str(key).unwrap();
        key["private_key"].as_str().unwrap().to_owned()
    });
    let secrets = [&*keys[0], &*keys[1], &*world.own.google_subject];
    contract::connector(&*connector, &world.cx, &secrets).await;
    let seen = contract::scanner(&*connector, &world.cx, &Arc::new(WatchList::default())).await;
    let checks: BTreeSet<_> = seen.iter().map(|it| it.check.as_str()).collect();
    assert!(checks.contains("google.user.2sv_enrolled"), "{checks:?}");
    world.assert_lawful();
}

#[tokio::test]
async fn what_happened_is_about_the_account_that_it_happened_to() {
    let world = World::new().await;
    let planted = world.sandbox.planted().google;
    let connector = world.connector(&json!({}));
    let pages = world.run(&*connector, None).await;
    let found = found(&*connector, &signals(&pages));
    let of = |id: &str| -> BTreeSet<&str> {
        let about = Subject::account(KIND, id);
        let own = found.iter().filter(|it| it.subject == about);
        own.map(|it| it.check.as_str()).collect()
    };
    assert!(of(&planted.leaked.id).contains("google.event.password_leaked"));
    assert!(of(&planted.suspicious.id).contains("google.event.suspicious_login_success"));
    // Nobody is named as having acted, and the account is known by its id all the same.
    assert!(of(&planted.forgotten.id).contains("google.event.suspicious_login_blocked"));
    let verdicts: Vec<_> = pages.iter().flat_map(|page| &page.verdicts).collect();
    assert!(of(&planted.suspicious.id).contains("google.event.far_reaching_grant"));
    assert_eq!(verdicts.len(), CATALOGUE.checks.len() + 24);
    let shown = format!(
        "{:?}",
        pages
            .iter()
            .map(|page| &page.observations)
            .collect::<Vec<_>>()
    );
    assert!(!shown.contains('@'), "an address is shown");
    world.assert_lawful();
}

#[tokio::test]
async fn one_suspicious_sign_in_is_one_finding_however_many_polls_and_logs_tell_of_it() {
    let world = World::new().await;
    let connector = world.connector(&json!({}));
    let first = world.run(&*connector, None).await;
    let victim = world.sandbox.planted().google.suspicious;
    assert!(world.sandbox.plant_google_login(&victim.email, 45));
    let second = world.run(&*connector, first.last().cloned()).await;
    world.sandbox.advance_clock(SignedDuration::from_mins(30));
    let third = world.run(&*connector, second.last().cloned()).await;
    let all = [signals(&first), signals(&second), signals(&third)].concat();
    let about = Subject::account(KIND, &victim.id);
    let own = all.iter().filter(|it| it.subject == about);
    assert!(own.count() > 2, "several polls tell of it");
    let found = found(&*connector, &all);
    let own: Vec<_> = found
        .iter()
        .filter(|it| it.subject == about && it.check.as_str().contains("login"))
        .collect();
    let logins: BTreeSet<_> = own
        .iter()
        .map(|it| (it.check.as_str(), &it.discriminator))
        .collect();
    assert_eq!(
        logins.len(),
        2,
        "the planted one and the new one: {logins:?}"
    );
}

#[tokio::test]
async fn settings_are_collected_once_a_day_and_what_happened_every_time() {
    let world = World::new().await;
    let connector = world.connector(&json!({}));
    let first = world.run(&*connector, None).await;
    let collected = world.asked("/domains");
    let second = world.run(&*connector, first.last().cloned()).await;
    assert_eq!(world.asked("/domains"), collected);
    let old: BTreeSet<_> = signals(&first).iter().map(|it| it.id.clone()).collect();
    let again = signals(&second);
    assert!(
        again.iter().all(|it| old.contains(&it.id)),
        "nothing new happened"
    );
    world.sandbox.advance_clock(SignedDuration::from_hours(25));
    world.run(&*connector, second.last().cloned()).await;
    assert!(world.asked("/domains") > collected);
}

#[tokio::test]
async fn what_is_not_delegated_is_told_and_stops_nothing() {
    let world = World::new().await;
    world.delegate("scan", PERMISSIONS);
    let connector = world.connector(&json!({}));
    let pages = world.run(&*connector, None).await;
    let verdicts: Vec<_> = pages.iter().flat_map(|page| &page.verdicts).collect();
    let of = |check: &str| {
        let mut all = verdicts.iter().filter(|it| it.check.as_str() == check);
        all.next().unwrap()
    };
    let alert = of("google.event.alert");
    assert_eq!(alert.not_evaluated, Some(Reason::MissingPermission));
    assert!(alert.reason.contains("apps.alerts"), "{}", alert.reason);
    assert_eq!(of("google.event.password_leaked").verdict, Verdict::Pass);
    let covered = pages.iter().flat_map(|page| &page.evaluated);
    let covered: BTreeSet<_> = covered.map(|it| it.check.as_str()).collect();
    for verdict in &verdicts {
        let is_open = verdict.verdict == Verdict::NotEvaluated;
        assert!(
            !(is_open && covered.contains(verdict.check.as_str())),
            "{}",
            verdict.check
        );
    }
    let asked = world.asked("/token");
    world.run(&*connector, pages.last().cloned()).await;
    assert_eq!(world.asked("/token"), asked, "it is asked once");
    world.assert_lawful();
}

#[tokio::test]
async fn doctor_says_by_scope_which_checks_give_verdicts_and_what_is_switched_off() {
    let world = World::new().await;
    world.delegate("scan", PERMISSIONS);
    world.delegate("respond", &["admin.directory.user"]);
    let connector = world.connector(&json!({}));
    let diagnosis = connector.diagnose(&world.cx).await.unwrap();
    let scan = &diagnosis.credentials[0];
    assert_eq!((scan.accepted, &scan.missing), (Some(true), &Vec::new()));
    let notes = diagnosis.notes.join("\n");
    assert!(notes.contains("of 54 checks give a verdict"), "{notes}");
    assert!(notes.contains("admin.directory.rolemanagement.readonly is not delegated, and opens google.admin.mixed_roles"), "{notes}");
    assert!(notes.contains("apps.alerts is not delegated"), "{notes}");
    let respond = &diagnosis.credentials[1];
    assert_eq!(
        respond.missing,
        ["https://www.googleapis.com/auth/admin.directory.user.security"]
    );
    assert!(notes.contains("nothing does revoke_sessions"), "{notes}");
    assert!(diagnosis.clock_skew_seconds.is_some());
    world.assert_lawful();

    let world = World::new().await;
    let off = json!({ "apis_off": ["admin.googleapis.com"] });
    assert!(world.sandbox.edit_google_domain(off));
    let connector = world.connector(&json!({}));
    let notes = connector
        .diagnose(&world.cx)
        .await
        .unwrap()
        .notes
        .join("\n");
    assert!(notes.contains("Admin SDK API does not answer"), "{notes}");
}

#[tokio::test]
async fn an_interface_that_is_switched_off_is_an_answer_and_no_failure_of_the_run() {
    let world = World::new().await;
    let off = json!({ "apis_off": ["admin.googleapis.com"] });
    assert!(world.sandbox.edit_google_domain(off));
    let connector = world.connector(&json!({}));
    let pages = world.run(&*connector, None).await;
    let verdicts: Vec<_> = pages.iter().flat_map(|page| &page.verdicts).collect();
    let of_accounts = verdicts
        .iter()
        .filter(|it| it.check.as_str().starts_with("google.user."));
    for verdict in of_accounts {
        assert_eq!(
            verdict.not_evaluated,
            Some(Reason::VendorError),
            "{}",
            verdict.check
        );
    }
    let observed = pages.iter().flat_map(|page| &page.observations);
    assert!(
        observed
            .clone()
            .all(|it| !it.check.as_str().starts_with("google.user."))
    );
}

#[tokio::test]
async fn two_events_of_the_same_moment_are_two_signals() {
    let world = World::new().await;
    let connector = world.connector(&json!({}));
    let whole = signals(&world.run(&*connector, None).await);
    let again = World::new().await;
    again.fault(
        &json!({ "kind": "same_times", "route": "/applications/{applicationName}", "count": 100 }),
    );
    let connector = again.connector(&json!({}));
    let bent = signals(&again.run(&*connector, None).await);
    assert_eq!(bent.len(), whole.len());
}

#[tokio::test]
async fn a_key_that_is_none_names_connection_and_field() {
    let world = World::new().await;
    let connector = world.connector_with("canary", &json!({}));
    let diagnosis = connector.diagnose(&world.cx).await.unwrap();
    let scan = &diagnosis.credentials[0];
    assert_eq!(scan.accepted, Some(false));
    let note = scan.note.as_deref().unwrap();
    assert!(
        note.contains("acme-google") && note.contains("scan.service_account"),
        "{note}"
    );
    assert!(!note.contains("canary"), "{note}");
}

#[tokio::test]
async fn a_poll_after_a_long_pause_begins_where_the_last_one_ended() {
    let world = World::new().await;
    let connector = world.connector(&json!({ "lookback": 3_600 }));
    let first = world.run(&*connector, None).await;
    world.sandbox.advance_clock(SignedDuration::from_hours(1));
    let victim = world.sandbox.planted().google.forgotten;
    assert!(world.sandbox.plant_google_login(&victim.email, 5));
    world
        .sandbox
        .advance_clock(SignedDuration::from_hours(20 * 24));
    let second = world.run(&*connector, first.last().cloned()).await;
    let found = found(&*connector, &signals(&second));
    let about = Subject::account(KIND, &victim.id);
    let seen = found.iter().filter(|it| it.subject == about);
    assert!(seen.count() > 0, "what happened in between is not lost");
}
