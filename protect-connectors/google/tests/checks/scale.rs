//! A large customer as a folder. With `PROTECT_FULL=1` it is as large as the figures ask for: 100,000 users
//! and 1,000,000 admin events; run it alone and in a release build to see them.

use std::fs;
use std::time::{Duration, Instant};

use protect_core::model::{NotEvaluatedReason, Verdict};
use protect_core::posture::{FolderWriter, Profile, Snapshot};
use protect_google::{CATALOGUE, FORMAT, evaluate};
use serde_json::{Value, json};

use crate::customer::{MEMBER, good, user};
use crate::folder::write;
use crate::records::activity;

#[expect(
    clippy::disallowed_methods,
    reason = "a long test reads its count here"
)]
fn users() -> u32 {
    if std::env::var_os("PROTECT_FULL").is_some() {
        100_000
    } else {
        2_000
    }
}

/// Writes a customer like the good one, with so many more users, every tenth of them unused, and ten
/// times as many events.
fn write_large(folder: &std::path::Path, users: u32) {
    let mut customer = good();
    let template = user(&mut customer, MEMBER).clone();
    let mut writer = FolderWriter::create(folder).unwrap();
    let manifest = write(&mut writer, &customer, false);
    for number in 0..users {
        let mut user = template.clone();
        user["id"] = format!("2{number:09}").into();
        user["primaryEmail"] = format!("somebody.with.a.name{number}@acme.example").into();
        if number % 10 == 0 {
            user["lastLoginTime"] = json!("2026-01-01T00:00:00.000Z");
        }
        writer.line("users", &user).unwrap();
    }
    for number in 0..users * 10 {
        let change = ("CREATE_USER", "", "USER_EMAIL", "somebody@acme.example");
        writer
            .line("activities/admin", &activity(number % 1_400, &change, None))
            .unwrap();
    }
    writer.finish(manifest).unwrap();
}

/// Reads every file and does nothing with it.
fn bare_reading(folder: &std::path::Path) -> Duration {
    let began = Instant::now();
    let files = fs::read_dir(folder).unwrap();
    let bytes: usize = files
        .map(|it| fs::read(it.unwrap().path()).unwrap().len())
        .sum();
    assert!(bytes > 0);
    began.elapsed()
}

#[test]
fn a_large_customer_is_evaluated_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let users = users();
    write_large(folder.path(), users);
    let reading = bare_reading(folder.path());
    let began = Instant::now();
    let snapshot = Snapshot::open(folder.path(), &FORMAT).unwrap();
    let results = evaluate(&snapshot, &Profile::scuba());
    let took = began.elapsed();
    println!("{users} users: {took:?}, of which reading takes {reading:?}");
    for result in &results {
        assert_eq!(
            result.not_evaluated, None,
            "{}: {}",
            result.check, result.reason
        );
    }
    let stale = results
        .iter()
        .find(|it| it.check.as_str() == "google.user.stale");
    let stale = stale.unwrap();
    assert_eq!(stale.verdict, Verdict::Fail);
    assert_eq!(stale.affected.len(), users as usize / 10);
}

#[test]
fn a_file_that_was_cut_off_gives_no_verdict_to_whoever_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    write_large(folder.path(), 10);
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.path().join("manifest.json")).unwrap()).unwrap();
    for part in ["users", "policies", "roles", "domains"] {
        let name = manifest["resources"][part].as_str().unwrap();
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name), &text[..text.len() - 20]).unwrap();
        let snapshot = Snapshot::open(folder.path(), &FORMAT).unwrap();
        for result in evaluate(&snapshot, &Profile::scuba()) {
            let check = CATALOGUE.check(result.check.as_str()).unwrap();
            let needs = check.needs.all.contains(&part) || check.needs.any.concat().contains(&part);
            if needs {
                let reason = Some(NotEvaluatedReason::VendorError);
                assert_eq!(result.not_evaluated, reason, "{} {part}", result.check);
            }
        }
        fs::write(folder.path().join(name), text).unwrap();
    }
}
