//! Every connector keeps the contracts of the roles it plays, over HTTP.

use std::sync::Arc;

use protect_connectors::core::connector::{Connector, Delivery, OpContext};
use protect_connectors::core::model::{
    AccountRef, Action, ActionId, ActionKind, ActionTarget, Actor, Attributes, ConnectorName,
    Severity, TenantId,
};
use protect_connectors::core::testing::contract;

use crate::support::{World, alice};

#[tokio::test]
async fn every_connector_keeps_the_contracts_of_what_it_says_it_can_do() {
    let world = World::new().await;
    let acme = world.tenant().await;
    let own = world.sandbox.credentials();
    let secrets = [
        own.hibp_api_key.as_str(),
        &own.scan_client_secret,
        &own.respond_client_secret,
        &own.events_token,
        &own.webhook_secret,
    ];
    let cx = OpContext::new(TenantId::new("acme").unwrap(), "test", Actor::engine());
    acme.refresh_accounts(&ConnectorName::new("passwords").unwrap())
        .await
        .unwrap();
    let watched = Arc::new(acme.watch_list().await.unwrap());
    let (user, _) = world.ordinary_people().remove(0);
    let mut kept = Vec::new();
    for connector in acme.connectors() {
        let connector = &**connector;
        let name = connector.info().kind.clone();
        contract::connector(connector, &cx, &secrets).await;
        if connector.as_scanner().is_some() {
            contract::scanner(connector, &cx, &watched).await;
            kept.push(format!("{name} scanner"));
        }
        if connector.as_directory().is_some() {
            assert!(!contract::directory(connector, &cx).await.is_empty());
            kept.push(format!("{name} directory"));
        }
        for kind in connector.capability().actions.into_keys() {
            if kind.tells() {
                let delivery = delivery(kind);
                contract::sink(connector, &cx, &delivery).await;
            } else if let Some(undo) = kind.undo().filter(|_| is_first_of_pair(kind)) {
                let (done, undone) = (
                    action(connector, kind, &user),
                    action(connector, undo, &user),
                );
                contract::remediator(connector, &cx, &done, Some(&undone)).await;
                contract::does_nothing_else(connector, &cx, &done).await;
            }
            kept.push(format!("{name} {kind}"));
        }
    }
    kept.sort();
    assert_eq!(
        kept,
        [
            "hibp scanner",
            "onepassword directory",
            "onepassword reactivate_account",
            "onepassword scanner",
            "onepassword suspend_account",
            "webhook emit_event",
            "webhook notify",
            "webhook open_security_incident",
            "webhook open_ticket",
        ]
    );
    world.assert_no_violations();
}

/// Of two actions that undo one another, the one that can be done to an active account.
fn is_first_of_pair(kind: ActionKind) -> bool {
    kind != ActionKind::ReactivateAccount
}

fn action(connector: &dyn Connector, kind: ActionKind, user: &str) -> Action {
    let info = connector.info();
    Action {
        id: ActionId::of(&info.tenant, &["matrix", kind.as_str()]),
        kind,
        target: ActionTarget::Account(AccountRef {
            connector: info.name.clone(),
            id: user.to_owned(),
        }),
        reason: "a test".to_owned(),
        requested_by: alice(),
        incident: None,
        undoes: None,
        lasts: None,
        parameters: Attributes::new(),
    }
}

fn delivery(kind: ActionKind) -> Delivery {
    Delivery {
        action_id: ActionId::of(&TenantId::new("acme").unwrap(), &["matrix", kind.as_str()]),
        kind,
        source_reference: format!("protect:acme:{kind}"),
        note_to: None,
        title: "A leaked password".to_owned(),
        body: "Somebody's password leaked.".to_owned(),
        severity: Severity::High,
        data: Attributes::new(),
    }
}
