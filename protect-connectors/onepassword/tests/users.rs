//! The Users API and the remediator, over HTTP against the sandbox.

mod support;

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use jiff::SignedDuration;
use protect_core::ErrorKind;
use protect_core::connector::{AppliedStatus, Probe};
use protect_core::model::{AccountState, ActionKind};
use protect_core::testing::contract;
use protect_onepassword::{ApiVersion, User, UserFilter, UserState};
use protect_sandbox::{Fault, FaultKind};
use serde_json::json;
use support::{World, action};

#[tokio::test]
async fn every_user_is_listed_over_three_pages() {
    let world = World::with_users(2_300).await;
    let users: Vec<User> = world.watcher().users(None).try_collect().await.unwrap();
    assert_eq!(users.len(), 2_300);
    assert_eq!(world.asked("/users"), 3 + 1);
    assert_eq!(world.violations(), []);
}

#[tokio::test]
async fn a_filter_lists_only_whom_it_names() {
    let world = World::new().await;
    let suspended: Vec<User> = world
        .watcher()
        .users(Some(UserFilter::Suspended))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(suspended.len(), 1);
    assert_eq!(suspended[0].id, world.sandbox.planted().leaver.id);
    let active = world
        .watcher()
        .users(Some(UserFilter::Active))
        .count()
        .await;
    assert_eq!(active, 39);
    assert_eq!(world.violations(), []);
}

#[tokio::test]
async fn a_user_is_suspended_twice_and_reactivated_twice_and_changes_once_each() {
    let world = World::new().await;
    let op = world.responder();
    let id = world.sandbox.planted().leaked.id;
    for _ in 0..2 {
        assert_eq!(
            op.suspend_user(&id).await.unwrap().state,
            UserState::Suspended
        );
    }
    for _ in 0..2 {
        assert_eq!(
            op.reactivate_user(&id).await.unwrap().state,
            UserState::Active
        );
    }
    assert_eq!(world.sandbox.transitions().len(), 2);
    assert_eq!(world.asked("oauth"), 1, "one token serves them all");
    assert_eq!(world.violations(), []);
}

#[tokio::test]
async fn the_last_owner_and_an_external_administrator_are_refused_at_once() {
    let world = World::new().await;
    let op = world.responder();
    let planted = world.sandbox.planted();
    for (user, protection) in [
        (&planted.owner, "last_owner"),
        (&planted.external_admin, "externally_managed"),
    ] {
        let error = op.suspend_user(&user.id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(!error.is_retryable());
        assert!(
            error
                .context()
                .contains(&("protection", protection.to_owned())),
            "{error}"
        );
    }
    assert_eq!(world.asked(":suspend"), 2);
    assert_eq!(world.sandbox.transitions(), []);
}

#[tokio::test]
async fn a_token_is_used_for_its_life_and_renewed_before_it_ends() {
    let world = World::new().await;
    let op = world.watcher();
    let id = world.sandbox.planted().leaked.id;
    op.get_user(&id).await.unwrap();
    for seconds in [600, 200] {
        world.clock.advance(std::time::Duration::from_secs(seconds));
        world
            .sandbox
            .advance_clock(SignedDuration::from_secs(seconds.cast_signed()));
        op.get_user(&id).await.unwrap();
    }
    assert_eq!(world.asked("oauth"), 2);
    let refused = world
        .sandbox
        .requests()
        .iter()
        .filter(|request| request.status == 401)
        .count();
    assert_eq!(refused, 0, "no request went out with an expired token");
}

#[tokio::test]
async fn a_withdrawn_token_is_renewed_once_and_the_call_succeeds() {
    let world = World::new().await;
    let op = world.watcher();
    let id = world.sandbox.planted().leaked.id;
    op.get_user(&id).await.unwrap();
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::Unauthorized).on("/users/").times(1));
    op.get_user(&id).await.unwrap();
    assert_eq!(world.asked("oauth"), 2);
}

#[tokio::test]
async fn wrong_credentials_are_said_to_be_so_without_being_shown() {
    let world = World::new().await;
    let op = world.watcher_with(|builder| builder.credentials("id", "canary-secret"));
    let error = op.users_page(None, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(!error.is_retryable());
    assert!(!format!("{error:?} {op:?}").contains("canary"));
}

#[tokio::test]
async fn an_application_without_the_permission_is_told_so_at_once() {
    let world = World::new().await;
    let own = world.sandbox.credentials();
    let op = world.watcher_with(|builder| {
        builder.credentials(own.respond_client_id, own.respond_client_secret)
    });
    let error = op.users_page(None, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(
        error
            .context()
            .contains(&("vendor_message", "missing_scope".to_owned()))
    );
    assert_eq!(world.asked("/users"), 1 + 1);
}

#[tokio::test]
async fn an_account_with_automated_provisioning_says_so() {
    let world = World::new().await;
    world
        .post(
            "/_sandbox/onepassword/settings",
            &json!({"automated_provisioning": true}),
        )
        .await;
    let connector = world.connector(json!({}));
    let user = world.sandbox.planted().leaked;
    let suspend = action(ActionKind::SuspendAccount, &user.id, json!({}));
    let remediator = connector.as_remediator().unwrap();
    let applied = remediator.apply(&world.cx, &suspend).await.unwrap();
    assert_eq!(applied.status, AppliedStatus::Refused);
    assert_eq!(world.sandbox.transitions(), []);
}

#[tokio::test]
async fn another_account_than_the_tokens_is_not_found() {
    let world = World::new().await;
    let op = world.watcher_with(|builder| builder.account("ZZZZZZZZZZZZZZZZZZZZZZZZZZ"));
    assert_eq!(
        op.users_page(None, None).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn a_deadline_ends_a_call_that_takes_too_long() {
    let world = World::new().await;
    world.sandbox.set_fault(Fault::new(FaultKind::Unavailable));
    let op = world
        .watcher()
        .with_timeout(std::time::Duration::from_millis(1));
    let error = op.users_page(None, None).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Unavailable),
        "{error}"
    );
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_token_given_back_is_not_used_again() {
    let world = World::new().await;
    let op = world.watcher();
    op.revoke_token().await.unwrap();
    assert_eq!(world.asked("oauth"), 0, "there was none to give back");
    op.users_page(None, None).await.unwrap();
    op.revoke_token().await.unwrap();
    assert_eq!(world.asked("revoke"), 1);
    op.users_page(None, None).await.unwrap();
    assert_eq!(world.asked("oauth2/token"), 2);
    assert_eq!(world.violations(), []);
}

#[tokio::test]
async fn version_one_has_its_own_token_and_resource_paths() {
    let world = World::new().await;
    let op = world.watcher_with(|builder| builder.api_version(ApiVersion::V1));
    op.get_user(&world.sandbox.planted().leaked.id)
        .await
        .unwrap();
    let routes: Vec<_> = world
        .sandbox
        .requests()
        .into_iter()
        .map(|request| request.route)
        .collect();
    assert_eq!(
        routes,
        ["/v1/oauth/token", "/v1/accounts/{account}/users/{user}"]
    );
}

#[tokio::test]
async fn a_user_who_is_not_there_is_not_found() {
    let world = World::new().await;
    let error = world
        .watcher()
        .get_user("ZZZZZZZZZZZZZZZZZZZZZZZZZZ")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_id_that_is_none_is_refused_before_anything_is_sent() {
    let world = World::new().await;
    for id in [
        "",
        "..",
        "ann@acme.example",
        "A/B",
        "ZZZZZZZZZZZZZZZZZZZZZZZZZ:",
    ] {
        let error = world.responder().suspend_user(id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(world.sandbox.requests().len(), 0);
}

#[tokio::test]
async fn broken_answers_on_the_way_do_not_keep_a_suspension_from_happening_once() {
    for fault in [
        FaultKind::Html502,
        FaultKind::Unavailable,
        FaultKind::CloseEarly,
        FaultKind::AnswerLost,
        FaultKind::ResetMidBody,
        FaultKind::RateLimitedSeconds,
        FaultKind::RateLimitedBare,
        FaultKind::RateLimitedDate,
    ] {
        let world = World::new().await;
        let id = world.sandbox.planted().leaked.id;
        world
            .sandbox
            .set_fault(Fault::new(fault).on(":suspend").times(1));
        let user = world.responder().suspend_user(&id).await;
        assert_eq!(user.unwrap().state, UserState::Suspended, "{fault:?}");
        assert_eq!(world.sandbox.transitions().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn states_and_fields_invented_later_survive() {
    let world = World::new().await;
    world.sandbox.set_fault(Fault::new(FaultKind::UnknownEnum));
    world.sandbox.set_fault(Fault::new(FaultKind::NewFields));
    let users: Vec<User> = world.watcher().users(None).try_collect().await.unwrap();
    assert_eq!(users.len(), 40);
    assert!(
        users
            .iter()
            .any(|user| matches!(user.state, UserState::Other(_)))
    );
}

#[tokio::test]
async fn a_directory_lists_accounts_with_address_and_state() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let directory = connector.as_directory().unwrap();
    let page = directory.list(&world.cx, None).await.unwrap();
    assert_eq!((page.accounts.len(), page.cursor), (40, None));
    let leaver = world.sandbox.planted().leaver;
    let account = directory.get(&world.cx, &leaver.id).await.unwrap().unwrap();
    assert_eq!(account.state, AccountState::Suspended);
    assert_eq!(
        account.address.unwrap().as_str(),
        leaver.email.to_lowercase()
    );
    let gone = directory
        .get(&world.cx, "ZZZZZZZZZZZZZZZZZZZZZZZZZZ")
        .await
        .unwrap();
    assert_eq!(gone, None);
}

#[tokio::test]
async fn a_preview_reads_and_changes_nothing() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let remediator = connector.as_remediator().unwrap();
    let user = world.sandbox.planted().leaked;
    let suspend = action(ActionKind::SuspendAccount, &user.id, json!({}));
    let preview = remediator.preview(&world.cx, &suspend).await.unwrap();
    assert_eq!(json!(preview.before), json!({"state": "active"}));
    assert_eq!(json!(preview.after), json!({"state": "suspended"}));
    assert!(!preview.already_so);
    assert!(
        world
            .sandbox
            .requests()
            .iter()
            .all(|request| !request.changing)
    );
}

#[tokio::test]
async fn an_account_is_suspended_found_so_and_reactivated() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let remediator = connector.as_remediator().unwrap();
    let user = world.sandbox.planted().leaked;
    let address = json!({"address": user.email.to_uppercase()});
    let suspend = action(ActionKind::SuspendAccount, &user.id, address);
    let applied = remediator.apply(&world.cx, &suspend).await.unwrap();
    assert_eq!(applied.status, AppliedStatus::Applied);
    assert_eq!(json!(applied.after), json!({"state": "suspended"}));
    let probe = remediator.probe(&world.cx, &suspend).await.unwrap();
    assert!(matches!(probe, Probe::Happened(_)));
    let again = remediator.apply(&world.cx, &suspend).await.unwrap();
    assert_eq!(again.status, AppliedStatus::AlreadySo);
    let undo = action(ActionKind::ReactivateAccount, &user.id, json!({}));
    let applied = remediator.apply(&world.cx, &undo).await.unwrap();
    assert_eq!(applied.status, AppliedStatus::Applied);
    assert_eq!(world.asked(":suspend"), 1);
    assert_eq!(world.sandbox.transitions().len(), 2);
    assert_eq!(world.violations(), []);
}

#[tokio::test]
async fn an_account_with_another_address_than_meant_is_left_alone() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let user = world.sandbox.planted().leaked;
    let meant = json!({"address": "somebody.else@acme.example"});
    let suspend = action(ActionKind::SuspendAccount, &user.id, meant);
    let remediator = connector.as_remediator().unwrap();
    let applied = remediator.apply(&world.cx, &suspend).await.unwrap();
    assert_eq!(applied.status, AppliedStatus::Refused);
    assert_eq!(world.asked(":suspend"), 0);
}

#[tokio::test]
async fn protected_accounts_end_as_refused_and_unchanged() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let remediator = connector.as_remediator().unwrap();
    let planted = world.sandbox.planted();
    for user in [planted.owner, planted.external_admin] {
        let suspend = action(ActionKind::SuspendAccount, &user.id, json!({}));
        let applied = remediator.apply(&world.cx, &suspend).await.unwrap();
        assert_eq!(applied.status, AppliedStatus::Refused);
        assert!(!applied.reason.is_empty());
        assert_eq!(applied.before, applied.after);
    }
    assert_eq!(world.sandbox.transitions(), []);
}

#[tokio::test]
async fn reads_that_lag_behind_the_write_are_repeated_until_they_show_it() {
    let world = World::new().await;
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::StaleReads).reads(3));
    let connector = world.connector(json!({}));
    let user = world.sandbox.planted().leaked;
    let suspend = action(ActionKind::SuspendAccount, &user.id, json!({}));
    let remediator = connector.as_remediator().unwrap();
    let applied = remediator.apply(&world.cx, &suspend).await.unwrap();
    assert_eq!(applied.status, AppliedStatus::Applied);
}

#[tokio::test]
async fn a_change_that_no_read_ever_shows_is_not_confirmed() {
    let world = World::new().await;
    world
        .sandbox
        .set_fault(Fault::new(FaultKind::StaleReads).reads(1_000));
    let connector = world.connector(json!({}));
    let user = world.sandbox.planted().leaked;
    let suspend = action(ActionKind::SuspendAccount, &user.id, json!({}));
    let remediator = connector.as_remediator().unwrap();
    let applied = remediator.apply(&world.cx, &suspend).await.unwrap();
    assert_eq!(applied.status, AppliedStatus::NotConfirmed);
}

#[tokio::test]
async fn an_unreadable_answer_to_a_change_is_settled_by_reading_back() {
    for fault in [
        FaultKind::TruncatedJson,
        FaultKind::Html200,
        FaultKind::HugeBody,
    ] {
        let world = World::new().await;
        world
            .sandbox
            .set_fault(Fault::new(fault).on(":suspend").times(1));
        let connector = world.connector(json!({}));
        let user = world.sandbox.planted().leaked;
        let suspend = action(ActionKind::SuspendAccount, &user.id, json!({}));
        let remediator = connector.as_remediator().unwrap();
        let applied = remediator.apply(&world.cx, &suspend).await.unwrap();
        let happened = world.sandbox.transitions().len() == 1;
        let expected = if happened {
            AppliedStatus::Applied
        } else {
            AppliedStatus::NotConfirmed
        };
        assert_eq!(applied.status, expected, "{fault:?}");
    }
}

#[tokio::test]
async fn a_suspension_that_fails_every_time_is_unknown_and_a_probe_settles_it() {
    let world = World::new().await;
    world.sandbox.set_fault(Fault::new(FaultKind::SuspendFails));
    let connector = world.connector(json!({}));
    let user = world.sandbox.planted().leaked;
    let suspend = action(ActionKind::SuspendAccount, &user.id, json!({}));
    let remediator = connector.as_remediator().unwrap();
    let error = remediator.apply(&world.cx, &suspend).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    let probe = remediator.probe(&world.cx, &suspend).await.unwrap();
    assert!(matches!(probe, Probe::DidNotHappen(_)));
}

#[tokio::test]
async fn without_a_respond_credential_there_is_no_remediator() {
    let world = World::new().await;
    let connector = world.connector_without_respond();
    assert!(connector.as_remediator().is_none());
    assert!(connector.capability().actions.is_empty());
    assert!(connector.as_directory().is_some());
}

#[tokio::test]
async fn the_connector_keeps_the_contracts_of_every_connector() {
    let world = World::new().await;
    let connector = world.connector(json!({}));
    let connector = connector.as_ref();
    let own = world.sandbox.credentials();
    let secrets = [
        own.scan_client_secret.as_str(),
        &own.respond_client_secret,
        &own.events_token,
    ];
    contract::connector(connector, &world.cx, &secrets).await;
    assert_eq!(contract::directory(connector, &world.cx).await.len(), 40);
    contract::scanner(connector, &world.cx, &Arc::default()).await;
    let user = world.sandbox.planted().leaked;
    let suspend = action(ActionKind::SuspendAccount, &user.id, json!({}));
    let undo = action(ActionKind::ReactivateAccount, &user.id, json!({}));
    contract::remediator(connector, &world.cx, &suspend, Some(&undo)).await;
    contract::does_nothing_else(connector, &world.cx, &suspend).await;
    assert_eq!(world.violations(), []);
}
