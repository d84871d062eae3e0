use protect_core::ErrorKind;
use protect_core::connector::{AppliedStatus, Connector, Probe, Remediator};
use protect_core::model::{Action, ActionKind, Protection};
use protect_core::testing::contract;
use serde_json::{Value, json};

use crate::world::{World, action, map, on_settings};

fn remediator(connector: &dyn Connector) -> &dyn Remediator {
    connector.as_remediator().unwrap()
}

#[tokio::test]
async fn an_account_is_suspended_and_reactivated_and_other_actions_keep_the_contract() {
    let world = World::new().await;
    let planted = world.sandbox.planted().m365;
    let connector = world.connector(&json!({}));
    let id = &planted.suspicious.id;
    let suspend = action(ActionKind::SuspendAccount, id);
    let undo = action(ActionKind::ReactivateAccount, id);
    contract::remediator(&*connector, &world.cx, &suspend, Some(&undo)).await;
    for kind in [
        ActionKind::ConfirmCompromised,
        ActionKind::DismissRisk,
        ActionKind::RemoveMfaMethods,
    ] {
        contract::remediator(&*connector, &world.cx, &action(kind, id), None).await;
    }
    contract::does_nothing_else(&*connector, &world.cx, &suspend).await;
    // Which method is the default, only trying tells.
    let violations = world.sandbox.violations();
    assert!(
        violations.iter().all(|it| it.rule == "default_method"),
        "{violations:?}"
    );
}

#[tokio::test]
async fn sessions_are_revoked_each_time_and_it_shows_that_they_were() {
    let world = World::new().await;
    let id = world.sandbox.planted().m365.suspicious.id;
    let connector = world.connector(&json!({}));
    let revoke = action(ActionKind::RevokeSessions, &id);
    let remediator = remediator(&*connector);
    for _ in 0..2 {
        let applied = remediator.apply(&world.cx, &revoke).await.unwrap();
        assert_eq!(applied.status, AppliedStatus::Applied);
        world
            .context
            .clock
            .sleep(std::time::Duration::from_secs(2))
            .await;
    }
    let probe = remediator.probe(&world.cx, &revoke).await.unwrap();
    assert!(matches!(probe, Probe::Happened(_)), "{probe:?}");
    world.assert_lawful();
}

#[tokio::test]
async fn a_new_password_is_demanded_and_made_only_where_graph_takes_the_demand_no_other_way() {
    let world = World::new().await;
    let id = world.sandbox.planted().m365.suspicious.id;
    let folder = tempfile::tempdir().unwrap();
    let connector = world.connector(&json!({ "handover": folder.path() }));
    let reset = action(ActionKind::ForcePasswordReset, &id);
    let applied = remediator(&*connector)
        .apply(&world.cx, &reset)
        .await
        .unwrap();
    assert_eq!(applied.status, AppliedStatus::Applied, "{}", applied.reason);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let strict = json!({ "force_change_needs_password": true });
    assert!(world.sandbox.edit_m365_tenant(strict));
    let applied = remediator(&*connector)
        .apply(&world.cx, &reset)
        .await
        .unwrap();
    assert_eq!(applied.status, AppliedStatus::Applied, "{}", applied.reason);
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
    let password = std::fs::read_to_string(file.unwrap().path()).unwrap();
    assert!(password.trim().len() >= 20);
    assert!(!format!("{applied:?}").contains(password.trim()));
    let without = world.connector(&json!({}));
    remediator(&*without)
        .apply(&world.cx, &reset)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn protected_accounts_are_refused_before_anything_is_sent() {
    let world = World::new().await;
    let planted = world.sandbox.planted().m365;
    let emergency: Vec<_> = planted.emergency.iter().map(|it| it.id.clone()).collect();
    let connector = world.connector(&json!({
        "checks": { "m365.ca.break_glass_excluded": { "excluded_users": emergency } },
    }));
    for (id, protection) in [
        (&planted.global_administrator.id, Protection::Administrator),
        (&emergency[0], Protection::BreakGlass),
        (&planted.synced.id, Protection::ExternallyManaged),
    ] {
        for kind in [ActionKind::SuspendAccount, ActionKind::RemoveRoles] {
            let wanted = action(kind, id);
            let preview = remediator(&*connector).preview(&world.cx, &wanted).await;
            let preview = preview.unwrap();
            assert_eq!(preview.protection, Some(protection));
            let applied = remediator(&*connector).apply(&world.cx, &wanted).await;
            let applied = applied.unwrap();
            let is_nothing = applied.status == AppliedStatus::AlreadySo;
            assert!(
                applied.status == AppliedStatus::Refused || is_nothing,
                "{kind} {protection:?}"
            );
        }
    }
    assert!(world.sandbox.transitions().is_empty());
}

#[tokio::test]
async fn a_holder_of_a_higher_role_is_refused_by_the_vendor_and_that_is_no_missing_permission() {
    let world = World::new().await;
    let planted = world.sandbox.planted().m365;
    let connector = world.connector(&json!({ "act_on_administrators": true }));
    let wanted = action(ActionKind::SuspendAccount, &planted.global_administrator.id);
    let applied = remediator(&*connector)
        .apply(&world.cx, &wanted)
        .await
        .unwrap();
    assert_eq!(applied.status, AppliedStatus::Refused, "{}", applied.reason);
    assert!(applied.reason.contains("higher role"), "{}", applied.reason);
}

#[tokio::test]
async fn the_last_global_administrator_who_can_sign_in_is_never_touched() {
    let world = World::new().await;
    let planted = world.sandbox.planted().m365;
    let connector = world.connector(&json!({ "act_on_administrators": true }));
    let directory = connector.as_directory().unwrap();
    let listed = directory.list(&world.cx, None).await.unwrap();
    let administrators = listed.accounts.iter().filter(|account| {
        let roles = account.attributes.get("roles").and_then(Value::as_array);
        roles.is_some_and(|roles| roles.contains(&json!("Global Administrator")))
    });
    for other in administrators.filter(|it| it.reference.id != planted.global_administrator.id) {
        assert!(
            world
                .sandbox
                .set_m365_user_enabled(&other.reference.id, false)
        );
    }
    let wanted = action(ActionKind::SuspendAccount, &planted.global_administrator.id);
    let preview = remediator(&*connector)
        .preview(&world.cx, &wanted)
        .await
        .unwrap();
    assert_eq!(preview.protection, Some(Protection::LastOwner));
}

#[tokio::test]
async fn roles_are_taken_and_given_back_as_they_were() {
    let world = World::new().await;
    let planted = world.sandbox.planted().m365;
    let id = &planted.suspicious.id;
    let client = world.responder();
    let reader = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";
    client.add_role_assignment(id, reader, None).await.unwrap();
    let connector = world.connector(&json!({}));
    let remove = action(ActionKind::RemoveRoles, id);
    let taken = remediator(&*connector)
        .apply(&world.cx, &remove)
        .await
        .unwrap();
    assert_eq!(taken.status, AppliedStatus::Applied, "{}", taken.reason);
    assert!(client.role_assignments(id).await.unwrap().is_empty());
    let restore = Action {
        parameters: map(&json!({ "before": taken.before })),
        ..action(ActionKind::RestoreRoles, id)
    };
    let given = remediator(&*connector)
        .apply(&world.cx, &restore)
        .await
        .unwrap();
    assert_eq!(given.status, AppliedStatus::Applied, "{}", given.reason);
    let held = client.role_assignments(id).await.unwrap();
    assert_eq!(held[0].role_definition_id, reader);
    world.assert_lawful();
}

#[tokio::test]
async fn a_pass_leaves_through_the_folder_alone() {
    let world = World::new().await;
    let id = world.sandbox.planted().m365.suspicious.id;
    let folder = tempfile::tempdir().unwrap();
    let connector = world.connector(&json!({ "handover": folder.path() }));
    let enroll = action(ActionKind::EnrollMfa, &id);
    let applied = remediator(&*connector)
        .apply(&world.cx, &enroll)
        .await
        .unwrap();
    assert_eq!(applied.status, AppliedStatus::Applied, "{}", applied.reason);
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    let pass = std::fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
    assert!(pass.trim().len() > 5);
    assert!(!format!("{applied:?}").contains(pass.trim()));
    world.assert_lawful();
}

#[tokio::test]
async fn what_users_let_applications_do_is_taken_back_and_kept_from_happening_again() {
    let world = World::new().await;
    let id = world.sandbox.planted().m365.suspicious.id;
    let client = world.responder();
    let connector = world.connector(&json!({}));
    let revoke = action(ActionKind::RevokeGrants, &id);
    let applied = remediator(&*connector)
        .apply(&world.cx, &revoke)
        .await
        .unwrap();
    assert_ne!(applied.status, AppliedStatus::NotConfirmed);
    assert!(client.grants(&id).await.unwrap().is_empty());
    let before = client.block_app_consent().await.unwrap();
    let now = client.user_consent().await.unwrap();
    assert!(now.permission_grant_policies.iter().all(|it| {
        !it.to_lowercase()
            .starts_with("managepermissiongrantsforself")
    }));
    let back = client
        .set_user_consent(before.permission_grant_policies.clone())
        .await;
    assert_eq!(back.unwrap(), before);
    world.assert_lawful();
}

#[tokio::test]
async fn users_are_kept_from_letting_applications_in_and_what_they_might_is_given_back() {
    let world = World::new().await;
    let connector = world.connector(&json!({}));
    let remediator = remediator(&*connector);
    let block = on_settings(ActionKind::BlockAppConsent, &json!({}));
    let planned = remediator.preview(&world.cx, &block).await.unwrap();
    assert!(!planned.already_so, "users may consent to begin with");
    assert!(matches!(
        remediator.probe(&world.cx, &block).await.unwrap(),
        Probe::DidNotHappen(_)
    ));
    let done = remediator.apply(&world.cx, &block).await.unwrap();
    assert_eq!(done.status, AppliedStatus::Applied, "{}", done.reason);
    assert_eq!(
        (&done.before, &done.after),
        (&planned.before, &planned.after)
    );
    let again = remediator.apply(&world.cx, &block).await.unwrap();
    assert_eq!(again.status, AppliedStatus::AlreadySo);
    assert!(matches!(
        remediator.probe(&world.cx, &block).await.unwrap(),
        Probe::Happened(_)
    ));

    let blind = on_settings(ActionKind::RestoreAppConsent, &json!({}));
    let error = remediator.apply(&world.cx, &blind).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let before = json!({ "before": done.before });
    let restore = on_settings(ActionKind::RestoreAppConsent, &before);
    let back = remediator.apply(&world.cx, &restore).await.unwrap();
    assert_eq!(
        (back.status, back.after),
        (AppliedStatus::Applied, done.before)
    );
    world.assert_lawful();
}

#[tokio::test]
async fn a_change_of_consent_that_shows_late_is_waited_for_and_one_that_never_shows_is_not_confirmed()
 {
    for (reads, expected) in [
        (2, AppliedStatus::Applied),
        (50, AppliedStatus::NotConfirmed),
    ] {
        let world = World::new().await;
        let connector = world.connector(&json!({}));
        let fault = json!({ "kind": "stale_reads", "vendor": "m365", "route": "/policies/authorizationPolicy", "reads": reads });
        world
            .sandbox
            .set_fault(serde_json::from_value(fault).unwrap());
        let block = on_settings(ActionKind::BlockAppConsent, &json!({}));
        let applied = remediator(&*connector)
            .apply(&world.cx, &block)
            .await
            .unwrap();
        assert_eq!(applied.status, expected, "{}", applied.reason);
    }
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_reading_back_and_a_deleted_user_is_not_found() {
    let world = World::new().await;
    let planted = world.sandbox.planted().m365;
    let connector = world.connector(&json!({}));
    let fault =
        json!({ "kind": "stale_reads", "vendor": "m365", "route": "/users/{id}", "reads": 2 });
    world
        .sandbox
        .set_fault(serde_json::from_value(fault).unwrap());
    let suspend = action(ActionKind::SuspendAccount, &planted.suspicious.id);
    let applied = remediator(&*connector)
        .apply(&world.cx, &suspend)
        .await
        .unwrap();
    assert_eq!(applied.status, AppliedStatus::Applied, "{}", applied.reason);
    world.sandbox.clear_faults();
    assert!(world.sandbox.delete_m365_user(&planted.leaked.id));
    let gone = action(ActionKind::SuspendAccount, &planted.leaked.id);
    let error = remediator(&*connector)
        .preview(&world.cx, &gone)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), protect_core::ErrorKind::NotFound);
}
