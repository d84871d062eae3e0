//! What broken vendors, stores and clocks make of the exit status and of what is printed.

use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::support::{Ran, Vendors};

/// How many findings are open and not about the installation itself.
fn found(vendors: &Vendors) -> usize {
    let all = vendors.protect(&["findings", "--json"]).good();
    let all = all["findings"].as_array().unwrap().clone();
    let is_real = |finding: &&Value| finding["kind"] != "operational";
    all.iter().filter(is_real).count()
}

fn says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.out.contains(word), "no `{word}` in {ran:?}");
    }
}

#[test]
fn whatever_a_vendor_does_wrong_is_status_3_with_its_place_and_nothing_is_lost() {
    let vendors = Vendors::start();
    vendors.protect(&["scan", "--json"]).good();
    let before = found(&vendors);
    assert!(before > 0);
    for (kind, vendor) in [
        ("unauthorized", "hibp"),
        ("scope_removed", "hibp"),
        ("truncated_json", "hibp"),
        ("huge_body", "hibp"),
        ("scope_removed", "onepassword"),
        ("html200", "onepassword"),
        ("redirect_elsewhere", "onepassword"),
        // A storm that outlasts every attempt takes a minute: one is enough here.
        ("unavailable", "onepassword"),
    ] {
        vendors.break_with(&json!({ "kind": kind, "vendor": vendor }));
        let ran = vendors.protect(&["scan", "--json"]);
        assert_eq!(ran.status, 3, "{kind} at {vendor}: {ran:?}");
        let connection = if vendor == "hibp" {
            "hibp"
        } else {
            "acme-passwords"
        };
        says(&ran, &["\"complete\": false", "acme", connection]);
        vendors.mend();
        assert_eq!(found(&vendors), before, "{kind} at {vendor}");
    }
    vendors.protect(&["scan", "--json"]).good();
    assert_eq!(found(&vendors), before);
}

#[test]
fn a_key_that_is_refused_is_said_in_words() {
    let vendors = Vendors::start();
    vendors.break_with(&json!({ "kind": "unauthorized", "vendor": "hibp" }));
    let ran = vendors.protect(&["scan"]);
    assert_eq!(ran.status, 3, "{ran:?}");
    says(&ran, &["connections.hibp", "does not accept the key"]);
}

#[test]
fn an_error_of_a_vendor_names_connector_connection_and_status_in_words() {
    let vendors = Vendors::start();
    vendors.break_with(&json!({ "kind": "scope_removed", "vendor": "onepassword" }));
    let ran = vendors.protect(&["scan"]);
    assert_eq!(ran.status, 3, "{ran:?}");
    says(&ran, &["passwords", "acme-passwords", "status 403"]);
}

#[test]
fn a_clock_that_is_ten_minutes_off_is_doctors_business_and_status_3() {
    let vendors = Vendors::start();
    vendors.break_with(&json!({ "kind": "clock_skew", "seconds": 600 }));
    let ran = vendors.protect(&["doctor"]);
    assert_eq!(ran.status, 3, "{ran:?}");
    says(&ran, &["600 s ahead of ours", "set this machine's clock"]);
    vendors.mend();
    assert_eq!(vendors.protect(&["doctor"]).status, 0);
}

#[test]
fn a_store_that_is_damaged_is_named_and_left_as_it_is() {
    let vendors = Vendors::start();
    vendors.protect(&["scan", "--json"]).good();
    let path = vendors.folder.path().join("protect.db");
    for log in ["protect.db-wal", "protect.db-shm"] {
        // Else the good pages may still stand in the log.
        drop(std::fs::remove_file(vendors.folder.path().join(log)));
    }
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..64].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let ran = vendors.protect(&["status"]);
    assert_eq!(ran.status, 3, "{ran:?}");
    assert!(ran.err.contains("store"), "{ran:?}");
    assert!(ran.err.contains("protect.db"), "{ran:?}");
    assert!(std::fs::read(&path).unwrap() == bytes, "left as it is");
}

#[test]
fn an_endpoint_without_tls_that_is_not_this_machine_is_wrong_configuration() {
    let vendors = Vendors::start();
    let text = std::fs::read_to_string(vendors.folder.path().join("protect.toml")).unwrap();
    let api = text
        .split('"')
        .find(|word| word.ends_with("/hibp/api/v3"))
        .unwrap()
        .to_owned();
    vendors.reconfigure(&api, "http://hibp.example/api/v3");
    let ran = vendors.protect(&["scan"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    for word in ["hibp", "api", "https"] {
        assert!(ran.err.contains(word), "no `{word}` in {}", ran.err);
    }
}

#[test]
fn two_programs_on_one_store_do_nothing_twice() {
    let vendors = Vendors::start();
    vendors.protect(&["scan", "--json"]).good();
    let plan = vendors.protect(&["plan", "--json"]).good();
    let id = plan["id"].as_str().unwrap();
    vendors
        .protect(&["approve", id, "--by", "bob", "--json"])
        .good();
    let ran: Vec<Ran> = std::thread::scope(|scope| {
        let run = || vendors.protect(&["apply", "--json"]);
        let both = [scope.spawn(run), scope.spawn(run)];
        both.map(|one| one.join().unwrap()).into()
    });
    let applied = |ran: &Ran| {
        let steps = ran.json()["steps"].as_array().unwrap().clone();
        let done = steps
            .iter()
            .filter(|step| step["outcome"]["status"] == "applied");
        done.map(|step| step["action"]["id"].to_string())
            .collect::<Vec<_>>()
    };
    let mut all: Vec<_> = ran.iter().flat_map(applied).collect();
    let count = all.len();
    all.sort();
    all.dedup();
    assert!(ran.iter().all(|ran| ran.status == 0), "{ran:?}");
    assert!(count >= all.len());
    assert_eq!(
        vendors.protect(&["plan", "--json"]).good()["actions"],
        json!([])
    );
}

#[test]
fn a_store_that_another_program_holds_is_waited_for_and_then_status_3() {
    let vendors = Vendors::start();
    vendors.protect(&["scan", "--json"]).good();
    let before = found(&vendors);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let held = runtime.block_on(hold(&vendors.folder.path().join("protect.db")));
    let ran = vendors.protect(&["scan"]);
    assert_eq!(ran.status, 3, "{ran:?}");
    assert!(ran.err.contains("another program"), "{ran:?}");
    runtime.block_on(held.close()).unwrap();
    vendors.protect(&["scan", "--json"]).good();
    assert_eq!(found(&vendors), before);
}

/// A connection that keeps everybody else from writing.
async fn hold(path: &std::path::Path) -> sqlx::SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = options.connect().await.unwrap();
    let begin = sqlx::query("begin immediate");
    begin.execute(&mut connection).await.unwrap();
    connection
}

#[cfg(unix)]
#[test]
fn a_store_that_cannot_grow_is_status_3_and_what_was_there_stays() {
    let vendors = Vendors::start();
    vendors
        .protect(&["scan", "--connector", "breaches", "--json"])
        .good();
    let before = found(&vendors);
    let ran = vendors.protect_with_small_files(&["scan"]);
    assert_eq!(ran.status, 3, "{ran:?}");
    assert!(ran.err.contains("the disk reported an error"), "{ran:?}");
    assert_eq!(found(&vendors), before);
    vendors.protect(&["scan", "--json"]).good();
    assert!(found(&vendors) > before);
}

#[test]
fn one_tenant_that_cannot_be_scanned_does_not_keep_the_others_from_it() {
    let vendors = Vendors::start();
    vendors.reconfigure(
        "[tenants.acme]\n",
        "[tenants.aaaa]\nname = \"Aaaa\"\nmonitor = { csv = \"gone.csv\" }\n\n[tenants.acme]\n",
    );
    let ran = vendors.protect(&["scan", "--json"]);
    assert_ne!(ran.status, 0, "{ran:?}");
    let document = ran.json();
    let tenants = document["tenants"].as_array().unwrap();
    assert_eq!(tenants.len(), 2, "{document}");
    assert!(tenants[0]["error"]["message"].is_string(), "{document}");
    assert_eq!(tenants[1]["tenant"], "acme");
    assert_eq!(tenants[1]["complete"], true, "{document}");
}
