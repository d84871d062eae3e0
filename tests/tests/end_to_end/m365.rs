//! A person with accounts in Microsoft 365 and 1Password is one incident and one plan.

use protect_connectors::core::engine::{Request, ScanOptions, Tenant};
use protect_connectors::core::model::{ActionKind, ActionTarget, OutcomeStatus, Plan};
use serde_json::{Value, json};

use crate::support::{World, bob, exported};

/// The usual world, and the tenant of Microsoft 365 with it.
pub(crate) async fn world() -> World {
    with_microsoft(World::new().await)
}

/// A world, and the tenant of Microsoft 365 with it.
pub(crate) fn with_microsoft(mut world: World) -> World {
    let own = world.sandbox.credentials();
    let folder = world.folder.path().to_owned();
    let secret = |name: &str, value: &str| {
        std::fs::write(folder.join(name), value).unwrap();
        json!({ "file": folder.join(name) })
    };
    let connection = json!({
        "kind": "m365",
        "endpoints": {
            "login": world.sandbox.m365_login_url(), "graph": world.sandbox.m365_graph_url(),
        },
        "scan": {
            "client_id": own.m365_scan_client_id,
            "client_secret": secret("m365-scan.secret", &own.m365_scan_client_secret),
        },
        "respond": {
            "client_id": own.m365_respond_client_id,
            "client_secret": secret("m365-respond.secret", &own.m365_respond_client_secret),
        },
        "tenants": ["acme"],
    });
    world.set("/connections/acme-m365", connection);
    let entra = json!({ "connection": "acme-m365", "tenant_id": own.m365_tenant_id });
    world.set("/tenants/acme/connectors/entra", entra);
    let then = json!(["suspend_account", "revoke_sessions", "open_ticket"]);
    world.set("/tenants/acme/rules/1/then", then);
    world
}

pub(crate) async fn scan(tenant: &Tenant) -> protect_connectors::core::engine::ScanSummary {
    tenant.scan_with(ScanOptions::default()).await.unwrap()
}

/// What is planned for the accounts with these ids, as (connector, action).
pub(crate) fn planned(plan: &Plan, ids: &[&str]) -> Vec<(String, ActionKind)> {
    let of = |target: &ActionTarget| match target {
        ActionTarget::Account(account) if ids.contains(&&*account.id) => {
            Some(account.connector.to_string())
        }
        _ => None,
    };
    let actions = plan.actions.iter().map(|it| &it.action);
    let mut planned: Vec<_> = actions
        .filter_map(|action| Some((of(&action.target)?, action.kind)))
        .collect();
    planned.sort();
    planned
}

fn enabled(world: &World, id: &str) -> Value {
    let transitions = world.sandbox.transitions();
    let last = transitions.iter().rfind(|it| it.id == id);
    json!(last.map(|it| it.to.clone()))
}

#[tokio::test]
async fn a_risky_user_is_disabled_everywhere_told_of_once_and_let_in_again_by_undo() {
    let world = world().await;
    let planted = world.sandbox.planted();
    let engine = world.engine().await;
    let acme = engine.tenant("acme").unwrap();
    let summary = scan(&acme).await;
    assert!(summary.complete, "{summary:#?}");
    let plan = acme.plan().await.unwrap();
    let (entra, passwords) = (&planted.m365.suspicious.id, &planted.suspicious.id);
    assert_eq!(
        planned(&plan, &[entra, passwords]),
        [
            ("entra".to_owned(), ActionKind::SuspendAccount),
            ("entra".to_owned(), ActionKind::RevokeSessions),
            ("passwords".to_owned(), ActionKind::SuspendAccount),
        ]
    );
    let incidents: std::collections::BTreeSet<_> = plan
        .actions
        .iter()
        .map(|it| &it.action)
        .filter(|it| matches!(&it.target, ActionTarget::Account(account) if [entra, passwords].contains(&&account.id)))
        .map(|it| it.incident.clone())
        .collect();
    assert_eq!(incidents.len(), 1, "one person is one incident");

    let approved = acme.approve(plan, &bob()).await.unwrap();
    let steps = acme.apply(approved).await.unwrap();
    let mut disabled = None;
    for step in &steps {
        let outcome = step.outcome.as_ref().unwrap();
        assert_eq!(outcome.status, OutcomeStatus::Applied, "{step}");
        let is_it = step.action.kind == ActionKind::SuspendAccount
            && matches!(&step.action.target, ActionTarget::Account(account) if account.id == *entra);
        disabled = disabled.or(is_it.then(|| step.action.id.clone()));
    }
    let (entries, report) = exported(&engine).await;
    assert!(report.valid, "{report:?}");
    assert!(!entries.is_empty());
    let before = enabled(&world, entra);

    let plan = acme
        .undo(&disabled.unwrap(), &bob(), "cleared")
        .await
        .unwrap();
    let alice = crate::support::alice();
    let approved = acme.approve(plan, &alice).await.unwrap();
    for step in acme.apply(approved).await.unwrap() {
        let outcome = step.outcome.as_ref().unwrap();
        assert_eq!(outcome.status, OutcomeStatus::Applied, "{step}");
    }
    assert_ne!(enabled(&world, entra), before, "it can sign in again");
    world.assert_no_violations();
}

#[tokio::test]
async fn users_consent_is_blocked_on_request_only_with_somebody_elses_approval_and_given_back_by_undo()
 {
    let world = world().await;
    let engine = world.engine().await;
    let acme = engine.tenant("acme").unwrap();
    let alice = crate::support::alice();
    let request = |account: &str| Request {
        kind: ActionKind::BlockAppConsent,
        account: account.to_owned(),
        reason: "an application that reads mail".to_owned(),
        by: alice.clone(),
        lasts: None,
        parameters: protect_connectors::core::model::Attributes::new(),
    };
    let error = acme.request(request("nobody")).await.unwrap_err();
    assert!(error.to_string().contains("entra"), "{error}");
    let plan = acme.request(request("entra")).await.unwrap();
    let [planned] = &plan.actions[..] else {
        panic!("{plan:?}");
    };
    assert!(matches!(
        planned.action.target,
        ActionTarget::Setting { .. }
    ));
    let why = planned.guard.reasons.join("; ");
    assert!(why.contains("for everybody"), "{why}");
    assert!(acme.approve(plan.clone(), &alice).await.is_err());
    let approved = acme.approve(plan, &bob()).await.unwrap();
    let steps = acme.apply(approved).await.unwrap();
    let outcome = steps[0].outcome.as_ref().unwrap();
    assert_eq!(outcome.status, OutcomeStatus::Applied, "{}", steps[0]);

    let undo = acme.undo(&steps[0].action.id, &alice, "cleared").await;
    let approved = acme.approve(undo.unwrap(), &bob()).await.unwrap();
    let back = acme.apply(approved).await.unwrap();
    let restored = back[0].outcome.as_ref().unwrap();
    assert_eq!(restored.status, OutcomeStatus::Applied, "{}", back[0]);
    assert_eq!(restored.after, outcome.before);
    world.assert_no_violations();
}

#[tokio::test]
async fn a_key_in_a_vault_is_read_by_the_application_that_may_do_nothing_else() {
    let mut world = world().await;
    let own = world.sandbox.credentials();
    let file = world.folder.path().join("vault.secret");
    std::fs::write(&file, &own.m365_vault_client_secret).unwrap();
    let vault = json!({
        "tenant_id": own.m365_tenant_id,
        "client_id": own.m365_vault_client_id,
        "client_secret": { "file": file },
        "login": world.sandbox.m365_login_url(),
    });
    world.set("/key_vault", vault);
    let key = json!({ "key_vault": world.sandbox.m365_vault_url(), "name": "HIBP-API-KEY" });
    world.set("/connections/hibp/scan/api_key", key);
    let builder = protect_connectors::Protect::builder().context(world.context());
    let protect = builder.open(world.path()).await.unwrap();
    let acme = protect.tenant("acme").unwrap();
    let breaches = ScanOptions {
        connectors: vec!["breaches".parse().unwrap()],
        ..ScanOptions::default()
    };
    let summary = acme.scan_with(breaches).await.unwrap();
    assert!(summary.complete, "{summary:#?}");
    world.assert_no_violations();
}
