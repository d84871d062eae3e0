//! A person with accounts in Google Workspace, Microsoft 365 and 1Password is one subject, one incident
//! and one plan.

use std::collections::BTreeSet;

use protect_connectors::core::engine::{FindingFilter, IncidentFilter};
use protect_connectors::core::model::{
    ActionKind, ActionTarget, ConnectorName, OutcomeStatus, Plan, Subject,
};
use serde_json::json;

use crate::m365::{planned, scan};
use crate::support::{World, bob, exported};

/// The usual world with Microsoft 365, and the customer of Google Workspace with it.
async fn world() -> World {
    with_google(crate::m365::world().await)
}

/// A world, and the customer of Google Workspace with it.
pub(crate) fn with_google(mut world: World) -> World {
    let own = world.sandbox.credentials();
    let folder = world.folder.path().to_owned();
    let secret = |name: &str, value: &str| {
        std::fs::write(folder.join(name), value).unwrap();
        json!({ "file": folder.join(name) })
    };
    let root = world.sandbox.google_api_url();
    let connection = json!({
        "kind": "google",
        "endpoints": {
            "token": world.sandbox.google_token_url(),
            "admin": root, "reports": root, "cloud_identity": root, "alerts": root,
        },
        "scan": { "service_account": secret("google-scan.json", &own.google_scan_key) },
        "respond": { "service_account": secret("google-respond.json", &own.google_respond_key) },
        "tenants": ["acme"],
    });
    world.set("/connections/acme-google", connection);
    let workspace = json!({ "connection": "acme-google", "subject": own.google_subject });
    world.set("/tenants/acme/connectors/workspace", workspace);
    world
}

/// The incidents behind what is planned for the accounts with these ids.
fn incidents(plan: &Plan, ids: &[&str]) -> BTreeSet<String> {
    let actions = plan.actions.iter().map(|it| &it.action);
    let about = actions.filter(
        |it| matches!(&it.target, ActionTarget::Account(account) if ids.contains(&&*account.id)),
    );
    about.map(|it| format!("{:?}", it.incident)).collect()
}

#[tokio::test]
async fn one_person_at_three_vendors_is_one_subject_and_one_plan_acts_at_all_three() {
    let world = world().await;
    let planted = world.sandbox.planted();
    let engine = world.engine().await;
    let acme = engine.tenant("acme").unwrap();
    let summary = scan(&acme).await;
    assert!(summary.complete, "{summary:#?}");

    let (workspace, entra) = (&planted.google.suspicious.id, &planted.m365.suspicious.id);
    let passwords = &planted.suspicious.id;
    let subjects = [
        Subject::account("google", workspace),
        Subject::account("m365", entra),
        Subject::account("onepassword", passwords),
    ];
    let mut people = BTreeSet::new();
    for subject in &subjects {
        let person = acme.person_of(subject).await.unwrap().unwrap();
        assert_eq!(person.accounts.len(), 3, "{:?}", person.accounts);
        people.insert(person.id);
    }
    assert_eq!(people.len(), 1, "one person");

    let plan = acme.plan().await.unwrap();
    let ids = [workspace.as_str(), entra, passwords];
    assert_eq!(
        planned(&plan, &ids),
        [
            ("entra".to_owned(), ActionKind::SuspendAccount),
            ("entra".to_owned(), ActionKind::RevokeSessions),
            ("passwords".to_owned(), ActionKind::SuspendAccount),
            ("workspace".to_owned(), ActionKind::SuspendAccount),
            ("workspace".to_owned(), ActionKind::RevokeSessions),
        ]
    );
    assert_eq!(
        incidents(&plan, &ids).len(),
        1,
        "one person is one incident"
    );

    let approved = acme.approve(plan, &bob()).await.unwrap();
    for step in acme.apply(approved).await.unwrap() {
        let outcome = step.outcome.as_ref().unwrap();
        assert_eq!(outcome.status, OutcomeStatus::Applied, "{step}");
    }
    let (_, report) = exported(&engine).await;
    assert!(report.valid, "{report:?}");
    world.assert_no_violations();
}

#[tokio::test]
async fn a_second_look_at_the_same_sign_in_opens_nothing() {
    let world = world().await;
    let victim = world.sandbox.planted().google.suspicious;
    let engine = world.engine().await;
    let acme = engine.tenant("acme").unwrap();
    let workspace = ConnectorName::new("workspace").unwrap();
    acme.refresh_accounts(&workspace).await.unwrap();
    scan(&acme).await;
    let about = Subject::account("google", &victim.id);
    let before = findings(&acme, &about).await;
    assert_eq!(
        before
            .iter()
            .filter(|it| it.contains("suspicious_login"))
            .count(),
        1,
        "log and alert are one finding: {before:?}"
    );
    let incidents = acme
        .incidents(&IncidentFilter::default())
        .await
        .unwrap()
        .len();
    // By now the alert is old enough, and the log is read once more.
    world.advance(std::time::Duration::from_mins(30));
    scan(&acme).await;
    assert_eq!(findings(&acme, &about).await, before);
    assert_eq!(
        acme.incidents(&IncidentFilter::default())
            .await
            .unwrap()
            .len(),
        incidents
    );
}

async fn findings(
    acme: &protect_connectors::core::engine::Tenant,
    subject: &Subject,
) -> Vec<String> {
    let filter = FindingFilter {
        subject: Some(subject.clone()),
        ..FindingFilter::default()
    };
    let own = acme.findings(&filter).await.unwrap().findings;
    let own = own.iter();
    let mut told: Vec<_> = own
        .map(|it| format!("{} {}", it.observation.check, it.id))
        .collect();
    told.sort();
    told
}
