//! What happened to accounts, from the shapes of Google's `login` and `user_accounts` logs.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of test functions"
)]

use protect_core::model::{FindingKind, Observation, Severity, Signal, SubjectKind};
use serde_json::{Value, json};

const ADMIN: &str = "boss@acme.example";

/// An activity of the victim's, in which nobody else is named.
fn activity(event: &str, parameters: &Value) -> Value {
    json!({
        "kind": "admin#reports#activity",
        "id": {
            "time": "2026-10-30T12:00:00.250Z", "uniqueQualifier": "-123", "applicationName": "login",
            "customerId": "C01abc"
        },
        "actor": { "callerType": "USER", "email": "Ann@acme.example", "profileId": "104" },
        "ipAddress": "192.0.2.7",
        "events": [{ "type": "login", "name": event, "parameters": parameters }]
    })
}

fn signals(activity: &Value) -> Vec<Signal> {
    protect_google::signals(&activity.to_string(), |address| address == ADMIN).unwrap()
}

/// What all detections find in some signals of one subject, in the order of time: each in those of
/// its kinds, as the engine does.
fn found(new: &[Signal], history: &[Signal]) -> Vec<Observation> {
    let all = protect_google::detections();
    let of_kinds = |signals: &[Signal], kinds: &[&str]| -> Vec<Signal> {
        let wanted = |it: &&Signal| kinds.contains(&it.kind.as_str());
        signals.iter().filter(wanted).cloned().collect()
    };
    let found = all.iter().flat_map(|it| {
        let kinds = it.signal_kinds();
        it.evaluate(&of_kinds(new, kinds), &of_kinds(history, kinds))
    });
    found.collect()
}

fn single(activity: &Value) -> Observation {
    let mut found = found(&signals(activity), &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn at(mut activity: Value, time: &str) -> Value {
    activity["id"]["time"] = time.into();
    activity
}

#[test]
fn each_event_that_matters_is_one_finding_of_its_severity() {
    use FindingKind::{CredentialExposure, InsiderThreat, SuspiciousSignIn};
    use Severity::{Critical, High, Medium};
    for (event, check, kind, severity) in [
        (
            "account_disabled_password_leak",
            "password_leaked",
            CredentialExposure,
            Critical,
        ),
        (
            "account_disabled_hijacked",
            "account_hijacked",
            SuspiciousSignIn,
            Critical,
        ),
        (
            "account_disabled_generic",
            "account_disabled",
            SuspiciousSignIn,
            High,
        ),
        (
            "account_disabled_spamming",
            "account_disabled",
            SuspiciousSignIn,
            High,
        ),
        (
            "account_disabled_spamming_through_relay",
            "account_disabled",
            SuspiciousSignIn,
            High,
        ),
        (
            "suspicious_login",
            "suspicious_login_blocked",
            SuspiciousSignIn,
            Medium,
        ),
        (
            "suspicious_login_less_secure_app",
            "suspicious_login_blocked",
            SuspiciousSignIn,
            Medium,
        ),
        (
            "suspicious_programmatic_login",
            "suspicious_login_blocked",
            SuspiciousSignIn,
            Medium,
        ),
        (
            "gov_attack_warning",
            "government_attack",
            SuspiciousSignIn,
            Critical,
        ),
        (
            "user_signed_out_due_to_suspicious_session_cookie",
            "session_stolen",
            SuspiciousSignIn,
            High,
        ),
        (
            "2sv_disable",
            "second_factor_removed",
            SuspiciousSignIn,
            High,
        ),
        (
            "titanium_unenroll",
            "advanced_protection_left",
            SuspiciousSignIn,
            Medium,
        ),
        (
            "email_forwarding_out_of_domain",
            "forwarding_outside",
            InsiderThreat,
            High,
        ),
        (
            "risky_sensitive_action_blocked",
            "sensitive_action_blocked",
            SuspiciousSignIn,
            Medium,
        ),
        (
            "risky_sensitive_action_allowed",
            "sensitive_action_allowed",
            SuspiciousSignIn,
            High,
        ),
    ] {
        let found = single(&activity(event, &Value::Null));
        assert_eq!(found.check.as_str(), format!("google.event.{check}"));
        assert_eq!((found.kind, found.severity), (kind, severity), "{event}");
        assert!(found.from_event);
    }
    for event in [
        "login_failure",
        "login_challenge",
        "logout",
        "2sv_enroll",
        "password_edit",
        "something_new",
    ] {
        assert!(
            found(&signals(&activity(event, &Value::Null)), &[]).is_empty(),
            "{event}"
        );
    }
}

/// What an administrator did, to somebody where `user` says to whom.
fn by_admin(event: &str, user: Option<&str>, parameters: &[(&str, &str)]) -> Value {
    let own = parameters
        .iter()
        .copied()
        .chain(user.map(|it| ("USER_EMAIL", it)));
    let own: Vec<_> = own
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let mut activity = activity(event, &json!(own));
    activity["id"]["applicationName"] = json!("admin");
    activity["actor"] = json!({ "callerType": "USER", "email": ADMIN, "profileId": "101" });
    activity
}

#[test]
fn what_administrators_do_is_about_whom_it_is_done_to() {
    use FindingKind::{Drift, InsiderThreat, SuspiciousSignIn};
    use Severity::{Critical, High, Medium};
    let user = Some("Bob@acme.example");
    for (event, user, check, kind, severity) in [
        (
            "GRANT_ADMIN_PRIVILEGE",
            user,
            "admin_role_granted",
            Drift,
            High,
        ),
        (
            "GRANT_DELEGATED_ADMIN_PRIVILEGES",
            user,
            "admin_role_granted",
            Drift,
            High,
        ),
        ("ASSIGN_ROLE", user, "admin_role_granted", Drift, High),
        ("ASSIGN_ROLE", None, "admin_role_granted", Drift, High),
        ("CREATE_ROLE", None, "admin_role_changed", Drift, Medium),
        ("ADD_PRIVILEGE", None, "admin_role_changed", Drift, Medium),
        (
            "AUTHORIZE_API_CLIENT_ACCESS",
            None,
            "delegation_granted",
            Drift,
            Critical,
        ),
        (
            "TURN_OFF_2_STEP_VERIFICATION",
            user,
            "second_factor_removed_by_admin",
            SuspiciousSignIn,
            High,
        ),
        (
            "UNENROLL_USER_FROM_STRONG_AUTH",
            user,
            "second_factor_removed_by_admin",
            SuspiciousSignIn,
            High,
        ),
        (
            "UNENROLL_USER_FROM_TITANIUM",
            user,
            "second_factor_removed_by_admin",
            SuspiciousSignIn,
            High,
        ),
        (
            "GENERATE_2SV_SCRATCH_CODES",
            user,
            "backup_codes_made",
            SuspiciousSignIn,
            Medium,
        ),
        (
            "CREATE_EMAIL_MONITOR",
            user,
            "mail_monitored",
            InsiderThreat,
            High,
        ),
        ("ADD_TRUSTED_DOMAINS", None, "domain_trusted", Drift, Medium),
    ] {
        let found = single(&by_admin(event, user, &[("DOMAIN_NAME", "b.example")]));
        assert_eq!(found.check.as_str(), format!("google.event.{check}"));
        assert_eq!((found.kind, found.severity), (kind, severity), "{event}");
        assert_eq!(found.details["actor"], "101");
        match user {
            Some(_) => assert_eq!(found.subject.id, "bob@acme.example"),
            None => assert_eq!(found.subject.kind, SubjectKind::Setting, "{event}"),
        }
    }
    let of_admin = single(&by_admin("TURN_OFF_2_STEP_VERIFICATION", Some(ADMIN), &[]));
    assert_eq!(of_admin.severity, Critical);
    for event in [
        "SUSPEND_USER",
        "UNSUSPEND_USER",
        "CHANGE_PASSWORD",
        "CREATE_USER",
    ] {
        assert!(
            found(&signals(&by_admin(event, user, &[])), &[]).is_empty(),
            "{event}"
        );
    }
}

#[test]
fn two_roles_given_in_one_second_are_two_findings() {
    let given = |role| {
        let found = single(&by_admin(
            "ASSIGN_ROLE",
            Some(ADMIN),
            &[("ROLE_NAME", role)],
        ));
        (found.subject, found.discriminator)
    };
    assert_ne!(given("_HELP_DESK_ADMIN_ROLE"), given("Auditor"));
    assert_eq!(given("Auditor"), given("Auditor"));
}

/// What somebody let an application do.
fn grant(client: &str, scopes: &[&str]) -> Value {
    let mut activity = activity(
        "authorize",
        &json!([
            { "name": "app_name", "value": "Export <b>ann@acme.example</b>" },
            { "name": "client_id", "value": client },
            { "name": "scope", "multiValue": scopes }
        ]),
    );
    activity["id"]["applicationName"] = json!("token");
    activity
}

#[test]
fn a_grant_matters_where_it_reaches_mail_files_the_vault_or_the_administration() {
    let near = [
        "openid",
        "https://www.googleapis.com/auth/calendar",
        "https://www.googleapis.com/auth/drive.file",
        "https://www.googleapis.com/auth/gmail.labels",
    ];
    assert!(found(&signals(&grant("1", &near)), &[]).is_empty());
    assert!(found(&signals(&activity("authorize", &Value::Null)), &[]).is_empty());
    for far in [
        "https://mail.google.com/",
        "https://www.googleapis.com/auth/gmail.readonly",
        "https://www.googleapis.com/auth/drive",
        "https://www.googleapis.com/auth/drive.readonly",
        "https://www.googleapis.com/auth/ediscovery",
        "https://www.googleapis.com/auth/admin.directory.user",
        "https://www.googleapis.com/auth/cloud-platform",
    ] {
        let hit = single(&grant("1", &[near[0], far]));
        assert_eq!(hit.check.as_str(), "google.event.far_reaching_grant");
        assert_eq!(hit.subject.id, "104");
        let shown = format!("{hit:?}");
        assert!(!shown.contains("@acme") && !shown.contains('<'), "{shown}");
    }
    let again = |client, time| {
        let far = ["https://www.googleapis.com/auth/drive"];
        single(&at(grant(client, &far), time)).discriminator
    };
    let (noon, later) = ("2026-10-30T12:00:00Z", "2026-10-31T12:00:00Z");
    assert_eq!(
        again("1", noon),
        again("1", later),
        "one application, one finding"
    );
    assert_ne!(again("1", noon), again("2", noon));
}

#[test]
fn failures_of_many_accounts_from_one_address_are_one_finding_of_the_log() {
    let failure = |number: u32, ip: &str| {
        let mut failure = at(
            activity("login_failure", &Value::Null),
            &format!("2026-10-30T12:00:{number:02}Z"),
        );
        failure["id"]["uniqueQualifier"] = json!(number.to_string());
        failure["ipAddress"] = json!(ip);
        failure["actor"] =
            json!({ "email": format!("p{number}@acme.example"), "profileId": number.to_string() });
        signals(&failure)
    };
    let of_log = |signals: Vec<Signal>| -> Vec<Signal> {
        let own = |it: &Signal| it.subject.kind == SubjectKind::Setting;
        signals.into_iter().filter(own).collect()
    };
    let spray: Vec<_> = (0..12)
        .flat_map(|number| of_log(failure(number, "192.0.2.9")))
        .collect();
    let hits = found(&spray, &[]);
    assert_eq!(hits.len(), 1, "{hits:?}");
    assert_eq!(
        hits[0].check.as_str(),
        "google.event.sign_in_failures_from_address"
    );
    assert_eq!(hits[0].details["account"], "9");
    // Wherever a page is cut, it is the same finding, and it is not found again.
    assert_eq!(found(&spray[5..], &spray[..5]), hits);
    assert!(found(&spray[10..], &spray[..10]).is_empty());
    let apart: Vec<_> = (0..12)
        .flat_map(|number| of_log(failure(number, &format!("192.0.2.{number}"))))
        .collect();
    assert!(found(&apart, &[]).is_empty());
}

#[test]
fn a_sign_in_that_succeeded_matters_where_google_holds_it_to_be_suspicious() {
    let login = |suspicious: Value| {
        activity(
            "login_success",
            &json!([
                { "name": "login_type", "value": "google_password" },
                { "name": "login_challenge_method", "multiValue": ["password", "none"] },
                suspicious
            ]),
        )
    };
    let hit = single(&login(
        json!({ "name": "is_suspicious", "boolValue": true }),
    ));
    assert_eq!(hit.check.as_str(), "google.event.suspicious_login_success");
    assert_eq!(hit.details["login_challenge_method"], "password,none");
    for not in [
        json!({ "name": "is_suspicious", "boolValue": false }),
        json!({ "name": "other" }),
    ] {
        assert!(found(&signals(&login(not)), &[]).is_empty());
    }
}

#[test]
fn a_finding_is_about_the_victim_and_not_about_who_acted() {
    let names = |address: &str| json!([{ "name": "affected_email_address", "value": address }]);
    let own = single(&activity("suspicious_login", &names("ann@ACME.example")));
    assert_eq!(
        (own.subject.kind, own.subject.id.as_str()),
        (SubjectKind::Account, "104")
    );
    let others = single(&activity("suspicious_login", &names("Bob@acme.example")));
    assert_eq!(
        (others.subject.kind, others.subject.id.as_str()),
        (SubjectKind::Address, "bob@acme.example")
    );
    let mut nobody = activity("suspicious_login", &names("bob@acme.example"));
    nobody["actor"] = json!({ "profileId": "105250506097979753968" });
    assert_eq!(single(&nobody).subject, others.subject);
    nobody["events"][0]["parameters"] = Value::Null;
    assert_eq!(single(&nobody).subject.kind, SubjectKind::Setting);
}

#[test]
fn what_happens_to_an_administrator_is_worse() {
    let of = |event| {
        let names = json!([{ "name": "affected_email_address", "value": "Boss@acme.example" }]);
        single(&activity(event, &names)).severity
    };
    assert_eq!(of("suspicious_login"), Severity::High);
    assert_eq!(of("2sv_disable"), Severity::Critical);
}

#[test]
fn the_same_event_read_twice_is_one_signal_and_from_two_logs_one_finding() {
    let login = activity("2sv_disable", &Value::Null);
    assert_eq!(signals(&login), signals(&login));
    let mut accounts = at(login.clone(), "2026-10-30T12:00:00.4Z");
    accounts["id"]["applicationName"] = json!("user_accounts");
    accounts["id"]["uniqueQualifier"] = json!("77");
    let (one, other) = (single(&login), single(&accounts));
    assert_ne!(signals(&login)[0].id, signals(&accounts)[0].id);
    let id = |it: &Observation| {
        (
            it.check.clone(),
            it.subject.clone(),
            it.discriminator.clone(),
        )
    };
    assert_eq!(id(&one), id(&other));
    let later = single(&at(login, "2026-10-30T12:00:05Z"));
    assert_ne!(id(&one), id(&later));
}

#[test]
fn two_events_of_one_activity_are_two_signals() {
    let mut activity = activity("2sv_disable", &Value::Null);
    let more =
        json!([{ "name": "2sv_disable" }, { "name": "titanium_unenroll" }, { "type": "nameless" }]);
    activity["events"] = more;
    let signals = signals(&activity);
    assert_eq!(signals.len(), 2);
    assert_ne!(signals[0].id, signals[1].id);
}

#[test]
fn a_changed_password_matters_within_a_day_of_something_suspicious() {
    let edit = |time| signals(&at(activity("password_edit", &Value::Null), time));
    let suspicion = signals(&activity("suspicious_login", &Value::Null));
    let check = "google.event.credentials_changed_after_suspicion";
    let after = found(&edit("2026-10-31T11:00:00Z"), &suspicion);
    assert_eq!(
        after.iter().map(|it| it.check.as_str()).collect::<Vec<_>>(),
        [check]
    );
    assert!(found(&edit("2026-10-31T13:00:00Z"), &suspicion).is_empty());
    let both = [suspicion, edit("2026-10-30T12:10:00Z")].concat();
    assert_eq!(found(&both, &[]).len(), 2);
}

#[test]
fn what_is_no_activity_is_an_error_that_shows_nothing_of_it() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"id":{"time":"1761825600"},"actor":{"email":"ann@acme.example"}}"#,
    ] {
        let error = protect_google::signals(text, |_| false).unwrap_err();
        assert!(!error.to_string().contains("acme"), "{error}");
    }
    let mut empty = activity("x", &Value::Null);
    empty.as_object_mut().unwrap().remove("events");
    assert!(signals(&empty).is_empty());
}
