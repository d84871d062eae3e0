use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::error::ErrorKind;
use crate::model::{NotEvaluatedReason, Severity, Verdict};
use crate::testing::posture;

static FORMAT: Format = Format {
    provider: "example",
    tenant_field: "tenant_id",
    bodies: Bodies::Under("resources"),
    items: &["value"],
    aliases: &[("/people", "/users")],
    paging: Some(Paging {
        field: "next",
        path: |link| link.strip_prefix("https://example.com").map(str::to_owned),
    }),
    version: 1,
};

static CATALOGUE: Catalogue = Catalogue {
    format: &FORMAT,
    resources: &[
        Resource {
            path: "/users",
            permissions: &["Users.Read"],
        },
        Resource {
            path: "/settings",
            permissions: &["Settings.Read"],
        },
        Resource {
            path: "/licences",
            permissions: &["Users.Read"],
        },
        Resource {
            path: "/secrets",
            permissions: &[],
        },
    ],
    checks: &[USERS, SETTING],
    profiles: &["scuba", "cis"],
    licensed: |read, _| {
        let mut any = false;
        read.each("/licences", |_: Value| any = true)?;
        Ok(any)
    },
    licence_paths: &["/licences"],
    vendor_error: |error| match error.code.as_str() {
        "denied" => NotEvaluatedReason::MissingPermission,
        _ => NotEvaluatedReason::VendorError,
    },
    logs: &Logs::NONE,
};

const USERS: Check = Check {
    id: "example.user.enough",
    title: "Enough users",
    severity: Severity::High,
    needs: Needs {
        all: &["/users"],
        any: &[],
        also: &[],
        missing_in_clouds: &["moon"],
    },
    licences: &[],
    references: &[],
    level: Some(Level {
        form: LevelForm::Number,
        docs: "how many",
        defaults: &[("cis", "3"), ("", "2")],
    }),
    affects: Affects::Accounts,
    default_compliant: Some(false),
    hint: "add users",
    decide: |read| {
        let users = read.view::<Users>()?;
        let enough = users.0.len() >= usize::try_from(read.number()?).unwrap_or_default();
        Ok(Decision::of(enough, "counted").affecting(users.0.clone()))
    },
};

const SETTING: Check = Check {
    id: "example.setting.on",
    title: "It is on",
    needs: Needs {
        all: &["/settings"],
        any: &[],
        also: &[],
        missing_in_clouds: &[],
    },
    licences: &["GOLD"],
    level: None,
    affects: Affects::Setting("/settings"),
    decide: |read| Ok(Decision::of(read.one::<Settings>("/settings")?.on, "asked")),
    ..USERS
};

struct Users(Vec<String>);

impl View for Users {
    const PATHS: &'static [&'static str] = &["/users"];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let mut users = Vec::new();
        read.each("/users", |user: User| users.push(user.id))?;
        Ok(Self(users))
    }
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Settings {
    on: bool,
}

fn sample() -> Value {
    json!({
        "provider": "example", "tenant_id": "t", "collected_at": "2026-11-01T00:00:00Z",
        "granted": ["Users.Read", "Settings.Read"],
        "resources": {
            "/users": { "value": [{ "id": "b" }, { "id": "a" }] },
            "/settings": { "on": true },
            "/licences": { "value": [1] },
        }
    })
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut sample = sample();
    change(&mut sample);
    sample
}

fn verdicts(snapshot: &Value) -> Vec<(Verdict, Option<NotEvaluatedReason>)> {
    let results = posture::evaluate(&CATALOGUE, &Profile::scuba(), snapshot);
    results
        .iter()
        .map(|it| (it.verdict, it.not_evaluated))
        .collect()
}

fn users(change: impl FnOnce(&mut Value)) -> (Verdict, Option<NotEvaluatedReason>) {
    verdicts(&with(change))[0]
}

const PASS: (Verdict, Option<NotEvaluatedReason>) = (Verdict::Pass, None);

fn not_evaluated(reason: NotEvaluatedReason) -> (Verdict, Option<NotEvaluatedReason>) {
    (Verdict::NotEvaluated, Some(reason))
}

#[test]
fn a_catalogue_keeps_its_promises() {
    posture::catalogue(&CATALOGUE, &Profile::scuba(), &[sample()]);
}

#[test]
fn what_changes_nothing_moves_no_verdict() {
    let same = |other: &Value, what| {
        posture::same_verdicts(&CATALOGUE, &Profile::scuba(), &sample(), other, what);
    };
    same(&posture::shuffled(&sample(), 7), "shuffled");
    same(
        &posture::with_unknown_fields(&sample(), &FORMAT),
        "unknown fields",
    );
    same(&posture::recased(&sample()), "recased");
    let split = posture::split_pages(&sample(), &FORMAT, |path, page| {
        let at = format!("{path}?page={page}");
        (format!("https://example.com{at}"), at)
    });
    assert_ne!(split, sample());
    same(&split, "split");
}

#[test]
fn the_profile_gives_the_level_and_the_tenant_changes_it() {
    let cis = posture::evaluate(&CATALOGUE, &Profile::cis(), &sample());
    assert_eq!(cis[0].verdict, Verdict::Fail);
    assert_eq!(cis[0].affected, ["a", "b"]);
    let tuned = |level: Value| {
        users(|it| {
            it["config"] = json!({ "checks": { "example.user.enough": { "level": level } } });
        })
    };
    assert_eq!(tuned(json!(3)).0, Verdict::Fail);
    assert_eq!(tuned(json!("1")), PASS);
    assert_eq!(
        tuned(json!("many")),
        not_evaluated(NotEvaluatedReason::NotConfigured)
    );
}

#[test]
fn a_level_or_check_that_does_not_exist_is_an_error_before_anything_is_evaluated() {
    let verify = |text: &str| CATALOGUE.verify(&EvaluateConfig::parse(text).unwrap());
    assert!(verify(r#"{"profile":"cis","checks":{"example.user.enough":{"level":4}}}"#).is_ok());
    for wrong in [
        r#"{"profile":"cus"}"#,
        r#"{"checks":{"example.user.enuogh":{}}}"#,
        r#"{"checks":{"example.user.enough":{"level":"x"}}}"#,
        r#"{"checks":{"example.setting.on":{"level":"x"}}}"#,
    ] {
        assert!(verify(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_missing_says_what_is_missing() {
    use NotEvaluatedReason as Reason;
    let refused = |code: &str| json!({ "error": { "code": code, "message": "no" } });
    for (change, reason) in [
        (
            json!(["/granted", ["Settings.Read"]]),
            Reason::MissingPermission,
        ),
        (
            json!(["/resources/~1users", refused("denied")]),
            Reason::MissingPermission,
        ),
        (
            json!(["/resources/~1users", refused("busy")]),
            Reason::VendorError,
        ),
        (
            json!(["/resources/~1users", { "value": [{ "id": 1 }] }]),
            Reason::VendorError,
        ),
        (
            json!(["/resources/~1users", { "value": null }]),
            Reason::VendorError,
        ),
        (json!(["/resources/~1users", "text"]), Reason::VendorError),
        (
            json!(["/resources/~1users", { "value": [], "next": "https://evil.example/" }]),
            Reason::VendorError,
        ),
        (
            json!(["/resources/~1users", { "value": [], "next": "https://example.com/users" }]),
            Reason::VendorError,
        ),
        (
            json!(["/resources/~1users", { "value": [], "next": "https://example.com/users?2" }]),
            Reason::NoObservation,
        ),
        (json!(["/resources", {}]), Reason::NoObservation),
        (json!(["/tenant_id", "t"]), Reason::UnsupportedCloud),
    ] {
        let place = change[0].as_str().unwrap().to_owned();
        let cloud = if place == "/tenant_id" {
            "moon"
        } else {
            "global"
        };
        let snapshot = with(|it| {
            it["cloud"] = cloud.into();
            *it.pointer_mut(&place).unwrap() = change[1].clone();
        });
        assert_eq!(verdicts(&snapshot)[0], not_evaluated(reason), "{change}");
    }
    let unlicensed = with(|it| it["resources"]["/licences"]["value"] = json!([]));
    assert_eq!(
        verdicts(&unlicensed)[1],
        not_evaluated(Reason::MissingLicence)
    );
}

#[test]
fn a_path_may_have_another_name_and_ids_in_it_another_case() {
    let other = with(|it| it["resources"]["/people"] = it["resources"]["/users"].take());
    let other = posture::without_path(&other, &FORMAT, "/users");
    assert_eq!(verdicts(&other)[0], PASS);
    assert_eq!(FORMAT.key("/groups/AB-1/owners"), "/groups/ab-1/owners");
    assert_eq!(FORMAT.key("/Users?$skiptoken=AbC"), "/users?$skiptoken=AbC");
    assert_eq!(FORMAT.key("/users#signInActivity"), "/users");
}

#[test]
fn where_nobody_says_what_was_granted_the_answers_tell() {
    assert_eq!(users(|it| it["granted"] = Value::Null), PASS);
}

#[test]
fn what_is_no_snapshot_of_ours_is_a_named_error() {
    for (text, kind) in [
        ("", ErrorKind::InvalidInput),
        ("[]", ErrorKind::InvalidInput),
        ("{}", ErrorKind::InvalidInput),
        (
            r#"{"provider":"other","resources":{}}"#,
            ErrorKind::InvalidInput,
        ),
        (
            r#"{"provider":"example","resources":{}}"#,
            ErrorKind::InvalidInput,
        ),
        (
            r#"{"provider":"example","resources":[]}"#,
            ErrorKind::InvalidInput,
        ),
    ] {
        let error = Snapshot::parse(text, &FORMAT).unwrap_err();
        assert_eq!(error.kind(), kind, "{text}: {error}");
    }
    let newer = with(|it| it["version"] = 2.into());
    let error = Snapshot::from_value(&newer, &FORMAT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let odd = with(|it| it["config"] = json!({ "chekcs": {} }));
    let error = Snapshot::from_value(&odd, &FORMAT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
}

#[test]
fn a_check_that_reads_what_it_does_not_declare_is_not_evaluated() {
    static SNEAKY: Check = Check {
        decide: |read| Ok(Decision::of(read.has("/secrets")?, "looked")),
        ..USERS
    };
    let snapshot = Snapshot::from_value(&sample(), &FORMAT).unwrap();
    let profile = Profile::scuba();
    let inspected = Evaluation::new(&CATALOGUE, &snapshot, &profile)
        .inspect(&SNEAKY)
        .unwrap();
    assert_eq!(inspected.undeclared.as_deref(), Some("/secrets"));
    assert_eq!(inspected.result.verdict, Verdict::NotEvaluated);
}

#[test]
fn a_folder_is_read_line_by_line_and_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = FolderWriter::create(folder.path()).unwrap();
    writer.line("/users", &json!({ "id": "a" })).unwrap();
    writer.line("/settings", &json!({ "on": true })).unwrap();
    writer
        .line("/users", &json!({ "value": [{ "id": "b" }] }))
        .unwrap();
    writer.line("/licences", &json!({ "value": [1] })).unwrap();
    let mut manifest = sample();
    manifest["resources"].take();
    let Value::Object(manifest) = manifest else {
        panic!()
    };
    writer.finish(manifest).unwrap();
    let snapshot = Snapshot::open(folder.path(), &FORMAT).unwrap();
    let profile = Profile::scuba();
    let results = Evaluation::new(&CATALOGUE, &snapshot, &profile).results();
    assert_eq!(results, posture::evaluate(&CATALOGUE, &profile, &sample()));
    assert_eq!(results[0].verdict, Verdict::Pass);
}

#[test]
fn a_manifest_names_only_files_of_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["../secret", "/etc/passwd", "", "missing.ndjson"] {
        let mut manifest = sample();
        manifest["resources"] = json!({ "/users": name });
        std::fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
        let error = Snapshot::open(folder.path(), &FORMAT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name}");
    }
}

#[test]
fn a_failure_becomes_a_finding_per_account_and_a_verdict_covers_its_check() {
    let cis = posture::evaluate(&CATALOGUE, &Profile::cis(), &sample());
    let found: Vec<_> = observations(&CATALOGUE, &cis).collect();
    let subjects: Vec<_> = found.iter().map(|it| it.subject.id.as_str()).collect();
    assert_eq!(subjects, ["a", "b"]);
    assert_eq!(covered(&cis).len(), 2);
    let nothing = with(|it| it["resources"] = json!({}));
    let unread = posture::evaluate(&CATALOGUE, &Profile::cis(), &nothing);
    assert_eq!(observations(&CATALOGUE, &unread).count(), 0);
    assert!(covered(&unread).is_empty());
}
