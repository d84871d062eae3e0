//! A large tenant as a folder. With `PROTECT_FULL=1` it is as large as the figures ask for: 100,000 users
//! and 200 policies; run it alone and in a release build to see them.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use protect_core::model::{NotEvaluatedReason, Verdict};
use protect_core::posture::{FolderWriter, Profile, Snapshot};
use protect_m365::{FORMAT, evaluate};
use serde_json::{Value, json};

use crate::tenant::{CA, GUEST, REGISTRATIONS, good, id, items};

#[expect(
    clippy::disallowed_methods,
    reason = "a long test reads its count here"
)]
fn users() -> u64 {
    if std::env::var_os("PROTECT_FULL").is_some() {
        100_000
    } else {
        2_000
    }
}

/// Writes a tenant like the good one, with so many more users and 200 policies.
fn write(folder: &Path, users: u64) {
    let mut tenant = good();
    let mut writer = FolderWriter::create(folder).unwrap();
    let policy = items(&mut tenant, CA)[1].clone();
    for number in 0..190 {
        let mut policy = policy.clone();
        policy["id"] = id(1_000_000 + number).into();
        policy["state"] = "disabled".into();
        writer.line(CA, &policy).unwrap();
    }
    for (path, body) in tenant["resources"].as_object().unwrap() {
        match body["value"].as_array() {
            None => writer.line(path, body).unwrap(),
            Some(items) => {
                writer.touch(path).unwrap();
                for item in items {
                    writer.line(path, item).unwrap();
                }
            }
        }
    }
    let (user, registration) = templates(&mut tenant);
    for (path, template) in [("/users", user), (REGISTRATIONS, registration)] {
        for number in 0..users {
            let mut item = template.clone();
            item["id"] = id(2_000_000 + number).into();
            if path == "/users" {
                item["userPrincipalName"] =
                    format!("somebody.with.a.name{number}@acme.example").into();
                item["displayName"] = format!("Somebody With A Name {number}").into();
                item["assignedLicenses"] = json!([{ "skuId": id(number), "disabledPlans": [] }]);
                if number % 10 == 0 {
                    item["signInActivity"]["lastSignInDateTime"] = json!("2026-01-01T00:00:00Z");
                }
            }
            writer.line(path, &item).unwrap();
        }
    }
    let Value::Object(mut manifest) = tenant else {
        unreachable!()
    };
    manifest.remove("resources");
    writer.finish(manifest).unwrap();
}

fn templates(tenant: &mut Value) -> (Value, Value) {
    let of = |tenant: &mut Value, path: &str| {
        let found = items(tenant, path).iter().find(|it| it["id"] == id(GUEST));
        found.unwrap().clone()
    };
    (of(tenant, "/users"), of(tenant, REGISTRATIONS))
}

/// Reads every line of every file and does nothing with it.
fn bare_reading(folder: &Path) -> Duration {
    let began = Instant::now();
    let mut bytes = 0;
    for file in fs::read_dir(folder).unwrap() {
        let mut lines =
            BufReader::with_capacity(1 << 16, fs::File::open(file.unwrap().path()).unwrap());
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).unwrap() > 0 {
            bytes += line.len();
            line.clear();
        }
    }
    assert!(bytes > 0);
    began.elapsed()
}

/// The most memory that this process had, in KiB, where the system tells.
fn most_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_large_tenant_is_evaluated_from_its_folder_in_one_pass() {
    let folder = tempfile::tempdir().unwrap();
    let users = users();
    write(folder.path(), users);
    let reading = bare_reading(folder.path()).min(bare_reading(folder.path()));
    let began = Instant::now();
    let snapshot = Snapshot::open(folder.path(), &FORMAT).unwrap();
    let results = evaluate(&snapshot, &Profile::scuba());
    let took = began.elapsed();
    let beyond = took.saturating_sub(reading);
    println!(
        "{users} users: {beyond:?} beyond the {reading:?} of reading; {:?} KiB",
        most_memory()
    );
    let of = |check: &str| {
        results
            .iter()
            .find(|it| it.check.as_str() == check)
            .unwrap()
    };
    let stale = of("m365.user.stale_accounts");
    assert_eq!(stale.verdict, Verdict::Fail);
    assert_eq!(stale.affected.len() as u64, users / 10);
    assert_eq!(of("m365.mfa.users_capable").verdict, Verdict::Pass);
    let undecided = results
        .iter()
        .filter(|it| it.not_evaluated.is_some())
        .count();
    assert_eq!(undecided, 0);
    if !cfg!(debug_assertions) {
        assert!(beyond < Duration::from_secs(1), "{beyond:?}");
    }
}

#[test]
fn a_file_that_was_cut_off_gives_no_verdict_to_whoever_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 10);
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.path().join("manifest.json")).unwrap()).unwrap();
    let file = folder
        .path()
        .join(manifest["resources"]["/users"].as_str().unwrap());
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, &text[..text.len() - 20]).unwrap();
    let snapshot = Snapshot::open(folder.path(), &FORMAT).unwrap();
    for result in evaluate(&snapshot, &Profile::scuba()) {
        let needs_users = protect_m365::CATALOGUE
            .check(result.check.as_str())
            .unwrap()
            .needs
            .all
            .contains(&"/users");
        if needs_users {
            assert_eq!(
                result.not_evaluated,
                Some(NotEvaluatedReason::VendorError),
                "{}",
                result.check
            );
        }
    }
}
