//! What changes an account, and what it leaves behind.

use super::{Google, reason};
use jiff::SignedDuration;
use protect_sandbox::Fault;
use reqwest::Method;
use serde_json::{Value, json};

const USERS: &str = "/admin/directory/v1/users";
const ROLES: &str = "/admin/directory/v1/customer/my_customer/roleassignments";

/// Object, state before and state after of every transition so far.
fn moves(google: &Google) -> Vec<(String, String, String)> {
    let transitions = google.wire.sandbox.transitions();
    assert!(transitions.iter().all(|it| it.request.is_some()));
    transitions
        .into_iter()
        .map(|it| (it.object, it.from, it.to))
        .collect()
}

fn moved(object: &str, from: &str, to: &str) -> (String, String, String) {
    (object.to_owned(), from.to_owned(), to.to_owned())
}

/// The suspicious person's path.
fn suspicious(google: &Google) -> String {
    format!(
        "{USERS}/{}",
        google.wire.sandbox.planted().google.suspicious.id
    )
}

#[tokio::test]
async fn an_account_is_suspended_and_restored_and_only_changes_are_journalled() {
    let google = Google::respond().await;
    let path = suspicious(&google);
    for (suspended, reason) in [
        (true, json!("ADMIN")),
        (true, json!("ADMIN")),
        (false, Value::Null),
    ] {
        let got = google
            .send(Method::PUT, &path, json!({"suspended": suspended}))
            .await;
        assert_eq!(got.status, 200, "{}", got.text);
        assert_eq!(got.json()["suspended"], suspended);
        assert_eq!(google.get(&path).await.json()["suspensionReason"], reason);
    }
    assert_eq!(
        moves(&google),
        [
            moved("user", "active", "suspended"),
            moved("user", "suspended", "active")
        ]
    );
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn what_was_done_is_in_the_log_of_administrators_two_minutes_later() {
    let google = Google::respond().await;
    let path = suspicious(&google);
    google
        .send(Method::PUT, &path, json!({"suspended": true}))
        .await;
    let google = Google::reading(google.wire, &["admin.reports.audit.readonly"]).await;
    let start = google.wire.sandbox.now() - SignedDuration::from_mins(5);
    let log = format!(
        "/admin/reports/v1/activity/users/all/applications/admin?eventName=SUSPEND_USER&startTime={start}"
    );
    assert!(google.get(&log).await.json().get("items").is_none());
    google
        .wire
        .sandbox
        .advance_clock(SignedDuration::from_mins(2));
    let found = google.get(&log).await.json()["items"].clone();
    let planted = google.wire.sandbox.planted().google;
    assert_eq!(found[0]["actor"]["email"], planted.subject.email);
    assert_eq!(
        found[0]["events"][0]["parameters"][0],
        json!({"name": "USER_EMAIL", "value": planted.suspicious.email})
    );
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn a_new_password_ends_app_passwords_and_grants_that_read_mail() {
    let google = Google::respond().await;
    let path = suspicious(&google);
    let list = async |name: &str| google.all(&format!("{path}/{name}"), "items").await;
    assert_eq!(list("asps").await.len(), 2);
    let risky = |rows: &[Value]| rows.iter().any(|it| it["displayText"] == "Mail Exporter");
    assert!(risky(&list("tokens").await));
    for wrong in [
        json!({"password": "short"}),
        json!({"password": 7}),
        json!({"name": {}}),
    ] {
        assert_eq!(google.send(Method::PUT, &path, wrong).await.status, 400);
    }
    let body = json!({"password": "correct horse battery", "changePasswordAtNextLogin": true});
    let got = google.send(Method::PUT, &path, body).await;
    assert_eq!(got.json()["changePasswordAtNextLogin"], true);
    assert!(!got.text.contains("correct horse"));
    assert!(list("asps").await.is_empty());
    assert!(!risky(&list("tokens").await));
    let moves = moves(&google);
    assert_eq!(moves[0], moved("password", "set", "reset_must_change"));
    assert_eq!(moves.iter().filter(|it| it.0 == "app_password").count(), 2);
    assert!(moves.contains(&moved("oauth_grant", "granted", "revoked")));
    assert_eq!(google.rules(), ["invalid_request"; 3]);
}

#[tokio::test]
async fn grants_app_passwords_and_backup_codes_go_one_by_one() {
    let google = Google::respond().await;
    let path = suspicious(&google);
    let list = async |name: &str| google.all(&format!("{path}/{name}"), "items").await;
    let gone = async |what: String| {
        google
            .send(Method::DELETE, &format!("{path}/{what}"), json!({}))
            .await
    };
    for token in list("tokens").await {
        let client = token["clientId"].as_str().unwrap();
        assert_eq!(gone(format!("tokens/{client}")).await.status, 204);
        assert_eq!(reason(&gone(format!("tokens/{client}")).await).0, 404);
    }
    for password in list("asps").await {
        assert!(password["lastTimeUsed"].is_string());
        assert_eq!(
            gone(format!("asps/{}", password["codeId"])).await.status,
            204
        );
    }
    assert_eq!(list("verificationCodes").await.len(), 10);
    let post = async |what: &str| {
        google
            .send(Method::POST, &format!("{path}/{what}"), json!({}))
            .await
            .status
    };
    assert_eq!(post("verificationCodes/invalidate").await, 204);
    for name in ["tokens", "asps", "verificationCodes"] {
        assert!(
            google
                .get(&format!("{path}/{name}"))
                .await
                .json()
                .get("items")
                .is_none()
        );
    }
    assert_eq!(post("verificationCodes/generate").await, 204);
    assert_eq!(list("verificationCodes").await.len(), 10);
    assert_eq!(post("signOut").await, 204);
    assert_eq!(moves(&google).last().unwrap().0, "sessions");
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn a_second_factor_that_is_turned_off_is_told_in_two_logs() {
    let google = Google::respond().await;
    let path = suspicious(&google);
    let off = format!("{path}/twoStepVerification/turnOff");
    assert_eq!(google.get(&path).await.json()["isEnrolledIn2Sv"], true);
    assert_eq!(google.send(Method::POST, &off, json!({})).await.status, 204);
    assert_eq!(google.get(&path).await.json()["isEnrolledIn2Sv"], false);
    let google = Google::reading(google.wire, &["admin.reports.audit.readonly"]).await;
    google
        .wire
        .sandbox
        .advance_clock(SignedDuration::from_mins(31));
    for application in ["login", "user_accounts"] {
        let log = format!(
            "/admin/reports/v1/activity/users/all/applications/{application}?eventName=2sv_disable"
        );
        assert_eq!(google.all(&log, "items").await.len(), 1);
    }
}

#[tokio::test]
async fn a_unit_that_enforces_the_second_factor_is_one_to_move_to() {
    let google = Google::respond().await;
    let path = suspicious(&google);
    let to = async |unit: &str| {
        google
            .send(Method::PATCH, &path, json!({"orgUnitPath": unit}))
            .await
    };
    let got = to("/Engineering/Contractors").await.json();
    assert_eq!(got["isEnforcedIn2Sv"], false);
    let got = to("/Finance").await.json();
    assert_eq!(
        (&got["orgUnitPath"], &got["isEnforcedIn2Sv"]),
        (&json!("/Finance"), &json!(true))
    );
    assert_eq!(reason(&to("/Nowhere").await), (400, "invalid".to_owned()));
    assert_eq!(
        moves(&google)[1],
        moved("org_unit", "/Engineering/Contractors", "/Finance")
    );
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn rights_of_administrators_are_taken_and_given_back() {
    let google = Google::respond().await;
    let owner = google.wire.sandbox.planted().google.super_administrator.id;
    let path = format!("{USERS}/{owner}/makeAdmin");
    let admin = async || google.get(&format!("{USERS}/{owner}")).await.json()["isAdmin"].clone();
    assert_eq!(
        google.send(Method::POST, &path, json!({})).await.status,
        400
    );
    assert_eq!(
        google
            .send(Method::POST, &path, json!({"status": false}))
            .await
            .status,
        204
    );
    assert_eq!(admin().await, false);
    let held = google
        .all(&format!("{ROLES}?userKey={owner}"), "items")
        .await;
    assert_eq!(held.len(), 1, "the other role stays");
    let id = held[0]["roleAssignmentId"].as_str().unwrap();
    let one = format!("{ROLES}/{id}");
    assert_eq!(
        google.send(Method::DELETE, &one, json!({})).await.status,
        204
    );
    assert_eq!(
        reason(&google.send(Method::DELETE, &one, json!({})).await).0,
        404
    );
    let role = json!({"roleId": held[0]["roleId"], "assignedTo": owner, "scopeType": "CUSTOMER"});
    assert_eq!(
        google.send(Method::POST, ROLES, role.clone()).await.status,
        200
    );
    let again = google.send(Method::POST, ROLES, role).await;
    assert_eq!(reason(&again), (409, "duplicate".to_owned()));
    assert_eq!(
        google
            .send(Method::POST, &path, json!({"status": true}))
            .await
            .status,
        204
    );
    assert_eq!(admin().await, true);
    assert_eq!(
        moves(&google),
        [
            moved("super_admin", "super_admin", "no_super_admin"),
            moved("role_assignment", "assigned", "deleted"),
            moved("role_assignment", "", "assigned"),
            moved("super_admin", "no_super_admin", "super_admin"),
        ]
    );
}

#[tokio::test]
async fn only_a_super_administrator_acts_on_administrators() {
    let google = Google::respond().await;
    let planted = google.wire.sandbox.planted().google;
    let key = google.wire.sandbox.credentials().google_respond_key;
    let scopes = ["admin.directory.user", "admin.directory.user.security"];
    let assertion = super::Assertion::of(&google.wire, &key, &scopes)
        .claim("sub", planted.delegated_administrator.email);
    let google = Google::with(google.wire, &assertion).await;
    let owner = format!("{USERS}/{}", planted.super_administrator.id);
    let off = json!({"suspended": true});
    let refused = google.send(Method::PUT, &owner, off.clone()).await;
    assert_eq!(reason(&refused), (403, "forbidden".to_owned()));
    let refused = google
        .send(Method::POST, &format!("{owner}/signOut"), json!({}))
        .await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        google
            .send(Method::PUT, &suspicious(&google), off)
            .await
            .status,
        200
    );
    assert_eq!(moves(&google).len(), 1);
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn suspending_can_fail_be_refused_or_show_late() {
    let google = Google::respond().await;
    let path = suspicious(&google);
    let off = json!({"suspended": true});
    for (name, status) in [("suspend_fails", 500), ("suspend_refused", 403)] {
        google.wire.sandbox.clear_faults();
        google.wire.sandbox.set_fault(Fault::named(name).unwrap());
        assert_eq!(
            google.send(Method::PUT, &path, off.clone()).await.status,
            status
        );
        assert_eq!(google.get(&path).await.status, 200);
    }
    assert!(moves(&google).is_empty());
    google.wire.sandbox.clear_faults();
    google
        .wire
        .sandbox
        .set_fault(Fault::named("stale_reads").unwrap());
    assert_eq!(google.send(Method::PUT, &path, off).await.status, 200);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(
            google.get(&path).await.json()["suspended"]
                .as_bool()
                .unwrap(),
        );
    }
    assert_eq!(seen, [false, false, true]);
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn a_search_finds_what_was_changed_a_day_and_a_half_later() {
    let google = Google::respond().await;
    let id = google.wire.sandbox.planted().google.suspicious.id;
    google
        .send(
            Method::PUT,
            &suspicious(&google),
            json!({"suspended": true}),
        )
        .await;
    let find = format!("{USERS}?customer=my_customer&query=isSuspended%3Dtrue");
    let finds = |rows: &[Value]| rows.iter().any(|it| it["id"] == *id);
    assert!(!finds(&google.all(&find, "users").await));
    google
        .wire
        .sandbox
        .advance_clock(SignedDuration::from_hours(36));
    let google = Google::reading(google.wire, &["admin.directory.user.readonly"]).await;
    assert!(finds(&google.all(&find, "users").await));
}

#[tokio::test]
async fn a_recovery_contact_is_cleared_and_an_account_archived() {
    let google = Google::respond().await;
    let planted = google.wire.sandbox.planted().google;
    let path = format!("{USERS}/{}", planted.super_administrator.id);
    assert!(google.get(&path).await.json()["recoveryPhone"].is_string());
    for body in [json!({"recoveryPhone": ""}), json!({"recoveryPhone": null})] {
        let got = google.send(Method::PUT, &path, body).await.json();
        assert!(got.get("recoveryPhone").is_none());
    }
    let path = suspicious(&google);
    for archived in [true, true, false] {
        let got = google
            .send(Method::PUT, &path, json!({"archived": archived}))
            .await;
        assert_eq!(got.json()["archived"], archived);
    }
    assert_eq!(
        moves(&google),
        [
            moved("user_field", "set", "none"),
            moved("archive", "active", "archived"),
            moved("archive", "archived", "active"),
        ]
    );
    let wrong = google
        .send(Method::PUT, &path, json!({"recoveryEmail": 3}))
        .await;
    assert_eq!(wrong.status, 400);
    assert_eq!(google.rules(), ["invalid_request"]);
}
