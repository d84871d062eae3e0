use protect_core::connector::{AppliedStatus, Connector, Probe, Remediator};
use protect_core::model::{Action, ActionKind, Protection};
use protect_core::testing::contract;
use serde_json::json;

use crate::world::{World, action, map};

fn remediator(connector: &dyn Connector) -> &dyn Remediator {
    connector.as_remediator().unwrap()
}

#[tokio::test]
async fn an_account_is_suspended_and_reactivated_and_other_actions_keep_the_contract() {
    let world = World::new().await;
    let planted = world.sandbox.planted().google;
    let connector = world.connector(&json!({ "enforced_org_unit": "/Sales/Berlin" }));
    let id = &planted.suspicious.id;
    let suspend = action(ActionKind::SuspendAccount, id);
    let undo = action(ActionKind::ReactivateAccount, id);
    contract::remediator(&*connector, &world.cx, &suspend, Some(&undo)).await;
    for kind in [
        ActionKind::ForcePasswordReset,
        ActionKind::RevokeGrants,
        ActionKind::RemoveMfaMethods,
        ActionKind::EnrollMfa,
    ] {
        contract::remediator(&*connector, &world.cx, &action(kind, id), None).await;
    }
    contract::does_nothing_else(&*connector, &world.cx, &suspend).await;
    world.assert_lawful();
}

#[tokio::test]
async fn every_session_is_ended_each_time_and_nobody_claims_to_have_seen_it() {
    let world = World::new().await;
    let id = world.sandbox.planted().google.suspicious.id;
    let connector = world.connector(&json!({}));
    let revoke = action(ActionKind::RevokeSessions, &id);
    let remediator = remediator(&*connector);
    for _ in 0..2 {
        let applied = remediator.apply(&world.cx, &revoke).await.unwrap();
        assert_eq!(applied.status, AppliedStatus::Applied);
    }
    let probe = remediator.probe(&world.cx, &revoke).await.unwrap();
    assert_eq!(probe, Probe::CannotTell);
    assert_eq!(world.asked("/signOut"), 2);
    world.assert_lawful();
}

#[tokio::test]
async fn a_new_password_leaves_through_the_folder_alone_and_ends_every_session() {
    let world = World::new().await;
    let id = world.sandbox.planted().google.suspicious.id;
    let folder = tempfile::tempdir().unwrap();
    let connector = world.connector(&json!({ "handover": folder.path() }));
    let reset = action(ActionKind::ForcePasswordReset, &id);
    let applied = remediator(&*connector)
        .apply(&world.cx, &reset)
        .await
        .unwrap();
    assert_eq!(applied.status, AppliedStatus::Applied, "{}", applied.reason);
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
    let password = std::fs::read_to_string(file.unwrap().path()).unwrap();
    assert!(password.trim().len() >= 20);
    assert!(!format!("{applied:?}").contains(password.trim()));
    assert_eq!(world.asked("/signOut"), 1);
    // A second time would be another password: nobody does that by itself.
    let again = remediator(&*connector).apply(&world.cx, &reset).await;
    again.unwrap_err();
    let user = world.responder().get_user(&id).await.unwrap();
    assert_eq!(user.change_password_at_next_login, Some(true));
    world.assert_lawful();
}

#[tokio::test]
async fn protected_accounts_are_refused_before_anything_is_sent() {
    let world = World::new().await;
    let planted = world.sandbox.planted().google;
    let kept = &planted.delegated_administrator;
    let connector = world.connector(&json!({ "break_glass": [kept.email] }));
    for (id, protection) in [
        (&planted.super_administrator.id, Protection::Administrator),
        (&planted.subject.id, Protection::OwnPrincipal),
        (&kept.id, Protection::BreakGlass),
    ] {
        for kind in [ActionKind::SuspendAccount, ActionKind::RevokeSessions] {
            let wanted = action(kind, id);
            let preview = remediator(&*connector).preview(&world.cx, &wanted).await;
            assert_eq!(preview.unwrap().protection, Some(protection), "{kind}");
            let applied = remediator(&*connector).apply(&world.cx, &wanted).await;
            assert_eq!(applied.unwrap().status, AppliedStatus::Refused, "{kind}");
        }
    }
    assert!(world.sandbox.transitions().is_empty());
    world.assert_lawful();
}

#[tokio::test]
async fn the_last_super_administrator_who_can_sign_in_is_never_touched() {
    let world = World::new().await;
    let planted = world.sandbox.planted().google;
    let connector = world.connector(&json!({ "act_on_administrators": true }));
    let wanted = action(ActionKind::SuspendAccount, &planted.super_administrator.id);
    let preview = remediator(&*connector).preview(&world.cx, &wanted).await;
    assert_eq!(preview.unwrap().protection, None, "there are others");
    let client = world.watcher();
    let mut token = None;
    loop {
        let page = client.users_page(token.as_deref()).await.unwrap();
        for user in page.users {
            let is_other =
                user.id != planted.super_administrator.id && user.id != planted.subject.id;
            if is_other && user.is_admin == Some(true) {
                let change = json!({ "suspended": true });
                assert!(world.sandbox.edit_google_user(&user.id, change));
            }
        }
        token = page.next_page_token;
        if token.is_none() {
            break;
        }
    }
    // The administrator that is acted as is another one, and counts.
    let preview = remediator(&*connector).preview(&world.cx, &wanted).await;
    assert_eq!(preview.unwrap().protection, None);
    let own = action(ActionKind::RemoveRoles, &planted.subject.id);
    let preview = remediator(&*connector).preview(&world.cx, &own).await;
    assert_eq!(preview.unwrap().protection, Some(Protection::OwnPrincipal));
    let demoted = json!({ "super_admin": false });
    assert!(
        world
            .sandbox
            .edit_google_user(&planted.super_administrator.id, demoted)
    );
    assert_eq!(
        world
            .sandbox
            .requests()
            .iter()
            .filter(|it| it.status == 500)
            .count(),
        0
    );
}

#[tokio::test]
async fn super_administrator_is_taken_and_given_back() {
    let world = World::new().await;
    let planted = world.sandbox.planted().google;
    let connector = world.connector(&json!({ "act_on_administrators": true }));
    let id = &planted.super_administrator.id;
    let remove = action(ActionKind::RemoveRoles, id);
    let taken = remediator(&*connector)
        .apply(&world.cx, &remove)
        .await
        .unwrap();
    assert_eq!(taken.status, AppliedStatus::Applied, "{}", taken.reason);
    let restore = Action {
        parameters: map(&json!({ "before": taken.before })),
        ..action(ActionKind::RestoreRoles, id)
    };
    let given = remediator(&*connector)
        .apply(&world.cx, &restore)
        .await
        .unwrap();
    assert_eq!(given.status, AppliedStatus::Applied, "{}", given.reason);
    let user = world.responder().get_user(id).await.unwrap();
    assert_eq!(user.is_admin, Some(true));
    let nobody_wrote_it_down = action(ActionKind::RestoreRoles, id);
    let error = remediator(&*connector)
        .apply(&world.cx, &nobody_wrote_it_down)
        .await;
    error.unwrap_err();
}

#[tokio::test]
async fn a_missing_scope_is_named_and_nothing_was_changed() {
    let world = World::new().await;
    let id = world.sandbox.planted().google.suspicious.id;
    world.delegate("respond", &["admin.directory.user"]);
    let connector = world.connector(&json!({}));
    let revoke = action(ActionKind::RevokeSessions, &id);
    let error = remediator(&*connector)
        .apply(&world.cx, &revoke)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("admin.directory.user.security"),
        "{error}"
    );
    assert!(!error.is_retryable());
    assert!(world.sandbox.transitions().is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_reading_back_and_a_deleted_account_is_not_found() {
    let world = World::new().await;
    let planted = world.sandbox.planted().google;
    let connector = world.connector(&json!({}));
    world.fault(&json!({ "kind": "stale_reads", "route": "/users/{userKey}", "reads": 2 }));
    let suspend = action(ActionKind::SuspendAccount, &planted.suspicious.id);
    let applied = remediator(&*connector)
        .apply(&world.cx, &suspend)
        .await
        .unwrap();
    assert_eq!(applied.status, AppliedStatus::Applied, "{}", applied.reason);
    world.sandbox.clear_faults();
    let deleted = json!({ "deleted": true });
    assert!(
        world
            .sandbox
            .edit_google_user(&planted.forgotten.id, deleted)
    );
    let gone = action(ActionKind::SuspendAccount, &planted.forgotten.id);
    let error = remediator(&*connector)
        .preview(&world.cx, &gone)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), protect_core::ErrorKind::NotFound);
}

#[tokio::test]
async fn an_account_that_google_itself_stopped_is_not_given_back() {
    let world = World::with_users(2_000).await;
    let client = world.responder();
    let mut token = None;
    let stopped = loop {
        let page = client.users_page(token.as_deref()).await.unwrap();
        let by_google = page.users.into_iter().find(|user| {
            let reason = user.suspension_reason.as_deref().unwrap_or("ADMIN");
            user.suspended == Some(true) && reason != "ADMIN"
        });
        if let Some(user) = by_google {
            break user;
        }
        token = page.next_page_token;
        assert!(token.is_some(), "there is none");
    };
    let connector = world.connector(&json!({}));
    let back = action(ActionKind::ReactivateAccount, &stopped.id);
    let applied = remediator(&*connector)
        .apply(&world.cx, &back)
        .await
        .unwrap();
    assert_eq!(applied.status, AppliedStatus::Refused);
    assert!(
        applied.reason.contains("Google itself"),
        "{}",
        applied.reason
    );
}
