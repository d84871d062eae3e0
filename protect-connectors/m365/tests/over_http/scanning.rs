use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use protect_core::model::{NotEvaluatedReason as Reason, Severity, Verdict, WatchList};
use protect_core::testing::contract;
use protect_m365::{CATALOGUE, PERMISSIONS};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_connector_keeps_the_contracts_and_breaks_no_rule() {
    let world = World::new().await;
    let connector = world.connector(&json!({}));
    let own = &world.own;
    let secrets = [
        &*own.m365_scan_client_secret,
        &*own.m365_respond_client_secret,
    ];
    contract::connector(&*connector, &world.cx, &secrets).await;
    let seen = contract::scanner(&*connector, &world.cx, &Arc::new(WatchList::default())).await;
    let checks: BTreeSet<_> = seen.iter().map(|it| it.check.as_str()).collect();
    assert!(checks.contains("m365.risk.user_at_risk"), "{checks:?}");
    assert!(
        checks.iter().any(|it| it.starts_with("m365.app.")),
        "{checks:?}"
    );
    world.assert_lawful();
}

#[tokio::test]
async fn users_at_risk_are_findings_and_what_happened_are_signals() {
    let world = World::new().await;
    let planted = world.sandbox.planted().m365;
    let connector = world.connector(&json!({}));
    let pages = world.run(&*connector, None).await;
    let risky: Vec<_> = pages
        .iter()
        .flat_map(|page| &page.observations)
        .filter(|it| it.check.as_str() == "m365.risk.user_at_risk")
        .collect();
    let severity = |id: &str| {
        risky
            .iter()
            .find(|it| it.subject.id == id)
            .map(|it| it.severity)
    };
    assert_eq!(severity(&planted.leaked.id), Some(Severity::High));
    assert_eq!(severity(&planted.suspicious.id), Some(Severity::High));
    assert_eq!(severity(&planted.forgotten.id), Some(Severity::Low));
    let signals: Vec<_> = pages.iter().flat_map(|page| page.signals.clone()).collect();
    let kinds: BTreeSet<_> = signals.iter().map(|it| it.kind.as_str()).collect();
    for kind in [
        "m365.risk_detection",
        "m365.alert",
        "m365.sign_in",
        "m365.secure_score",
    ] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
    let alert = signals
        .iter()
        .find(|it| it.attributes.get("alert") == Some(&json!(planted.alert)));
    assert_eq!(alert.unwrap().subject.id, planted.suspicious.id);
    let verdicts: Vec<_> = pages.iter().flat_map(|page| &page.verdicts).collect();
    assert_eq!(verdicts.len(), CATALOGUE.checks.len() + 6);
    assert!(
        verdicts
            .iter()
            .all(|it| it.verdict != Verdict::NotEvaluated)
    );
    world.assert_lawful();
}

#[tokio::test]
async fn settings_are_collected_once_a_day_and_what_happened_every_time() {
    let world = World::new().await;
    let connector = world.connector(&json!({}));
    let first = world.run(&*connector, None).await;
    let collected = world.asked("/policies/authorizationPolicy");
    let second = world.run(&*connector, first.last().cloned()).await;
    assert_eq!(world.asked("/policies/authorizationPolicy"), collected);
    assert!(second.iter().all(|page| page.verdicts.len() <= 1));
    let old: BTreeSet<_> = first
        .iter()
        .flat_map(|page| &page.signals)
        .map(|it| &it.id)
        .collect();
    let repeated = second.iter().flat_map(|page| &page.signals);
    assert!(
        repeated.clone().all(|it| old.contains(&it.id)),
        "nothing new happened"
    );
    assert!(
        repeated.count() < 10,
        "a poll begins where the last one ended"
    );
    world.sandbox.advance_clock(SignedDuration::from_hours(25));
    world.run(&*connector, second.last().cloned()).await;
    assert!(world.asked("/policies/authorizationPolicy") > collected);
}

#[tokio::test]
async fn what_is_not_granted_or_not_licensed_is_told_once_and_stops_nothing() {
    let world = World::new().await;
    world.grant("scan", PERMISSIONS);
    let connector = world.connector(&json!({}));
    let pages = world.run(&*connector, None).await;
    let verdicts: Vec<_> = pages.iter().flat_map(|page| &page.verdicts).collect();
    let of = |check: &str| {
        verdicts
            .iter()
            .find(|it| it.check.as_str() == check)
            .unwrap()
    };
    let risk = of("m365.risk.user_at_risk");
    assert_eq!(risk.not_evaluated, Some(Reason::MissingPermission));
    assert!(risk.reason.contains("IdentityRiskyUser.Read.All"));
    assert_eq!(of("m365.event.secure_score_dropped").verdict, Verdict::Pass);
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
    world.assert_lawful();
}

#[tokio::test]
async fn doctor_says_which_checks_give_verdicts_and_what_opens_the_others() {
    let world = World::new().await;
    world.grant("scan", &[PERMISSIONS, &["Mail.ReadWrite"]].concat());
    let connector = world.connector(&json!({}));
    let diagnosis = connector.diagnose(&world.cx).await.unwrap();
    let scan = &diagnosis.credentials[0];
    assert_eq!((scan.accepted, &scan.missing), (Some(true), &Vec::new()));
    assert_eq!(scan.excess, ["Mail.ReadWrite"]);
    let notes = diagnosis.notes.join("\n");
    assert!(notes.contains(" of 60 checks give a verdict"), "{notes}");
    assert!(
        notes.contains("AuditLog.Read.All is not granted, and opens"),
        "{notes}"
    );
    assert!(notes.contains("m365.risk.user_at_risk"), "{notes}");
    let respond = &diagnosis.credentials[1];
    assert_eq!(
        (respond.accepted, &respond.missing),
        (Some(true), &Vec::new())
    );
    assert!(diagnosis.clock_skew_seconds.is_some());
    world.assert_lawful();
}

#[tokio::test]
async fn what_the_tenant_has_no_licence_for_is_asked_once_a_day() {
    let world = World::new().await;
    let plans = json!({ "plans": ["AAD_PREMIUM"] });
    assert!(world.sandbox.edit_m365_tenant(plans));
    let connector = world.connector(&json!({}));
    let first = world.run(&*connector, None).await;
    let risk = first.iter().flat_map(|page| &page.verdicts);
    let mut risk = risk.filter(|it| it.check.as_str() == "m365.risk.user_at_risk");
    assert_eq!(
        risk.next().unwrap().not_evaluated,
        Some(Reason::MissingLicence)
    );
    let asked = world.asked("/identityProtection/riskyUsers");
    let second = world.run(&*connector, first.last().cloned()).await;
    assert_eq!(world.asked("/identityProtection/riskyUsers"), asked);
    let told = second.iter().flat_map(|page| &page.verdicts);
    let told = told.filter(|it| it.not_evaluated == Some(Reason::MissingLicence));
    assert!(told.count() >= 2, "it is told every time");
}

#[tokio::test]
async fn a_run_moves_on_with_every_page() {
    let world = World::with_users(6_000).await;
    let connector = world.connector(&json!({}));
    let pages = world.run(&*connector, None).await;
    let cursors: BTreeSet<_> = pages
        .iter()
        .map(|it| &it.cursor.as_ref().unwrap().0)
        .collect();
    assert_eq!(cursors.len(), pages.len());
    assert!(pages.len() > 8, "{}", pages.len());
    world.assert_lawful();
}
