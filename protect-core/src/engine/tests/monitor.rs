use super::harness::{Build, World, account, address, connector};
use crate::config::{CsvMonitor, MonitorConfig};
use crate::engine::parse_people;
use crate::error::{Error, ErrorKind};
use crate::model::{AccountState, Actor, Address};

fn bob() -> Actor {
    Actor::unverified("bob")
}

fn place(error: &Error) -> (String, String) {
    let fact = |name: &str| {
        let found = error.context().iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    (fact("line"), fact("column"))
}

#[test]
fn a_csv_of_people_may_have_any_column_order_separator_and_a_byte_order_mark() {
    for text in [
        "name,address\nAnn,ann@acme.example\n",
        "EMAIL\nann@acme.example",
        "\u{feff}Name;E-Mail;Email\r\nAnn;x; Ann@acme.example \r\n\r\n",
        "email\tname\nann@acme.example\t\"Ann, the first\"\n",
    ] {
        assert_eq!(
            parse_people(text.as_bytes()).unwrap(),
            [address("ann")],
            "{text:?}"
        );
    }
}

#[test]
fn capitals_plus_signs_quotes_and_other_scripts_are_addresses() {
    let text = "email\nO'Neil+News@Example.COM\n\"\"\"a.b\"\"@c.example\"\nmüller@bücher.example\n";
    let people = parse_people(text.as_bytes()).unwrap();
    let texts: Vec<_> = people.iter().map(Address::as_str).collect();
    assert_eq!(
        texts,
        [
            "o'neil+news@example.com",
            "\"a.b\"@c.example",
            "müller@bücher.example"
        ]
    );
}

#[test]
fn what_is_wrong_with_a_csv_is_said_by_line_and_column_and_never_repeated() {
    for (text, line, column) in [
        (&b"name\nAnn\n"[..], "1", "1"),
        (b"", "1", "1"),
        (b"name,email\nAnn,ann@acme.example\nBen,secret\n", "3", "2"),
        (b"name,email\nAnn\n", "2", "2"),
        (b"email\nann@acme.example\nb\xe4n@acme.example\n", "3", "2"),
        (b"\xff\xfee\0m\0", "1", "1"),
    ] {
        let error = parse_people(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(
            place(&error),
            (line.to_owned(), column.to_owned()),
            "{text:?}"
        );
        assert!(!error.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn an_import_with_one_wrong_line_imports_nothing() {
    let world = World::new();
    let text = b"email\nann@acme.example\nnonsense\n";
    world.acme.monitor_import(text, &bob()).await.unwrap_err();
    assert!(world.acme.monitor_list().await.unwrap().is_empty());
    assert!(world.ledger().await.is_empty());
}

#[tokio::test]
async fn addresses_are_added_imported_and_removed_and_the_ledger_names_nobody() {
    let world = World::new();
    let acme = &world.acme;
    assert!(acme.monitor_add(&address("ann"), &bob()).await.unwrap());
    assert!(!acme.monitor_add(&address("ann"), &bob()).await.unwrap());
    let text = b"email\nann@acme.example\nben@acme.example\nBEN@acme.example\n";
    assert_eq!(acme.monitor_import(text, &bob()).await.unwrap(), 1);
    let listed: Vec<_> = acme.monitor_list().await.unwrap();
    let sources: Vec<_> = listed
        .iter()
        .map(|w| (w.address.clone(), w.source.as_str()))
        .collect();
    assert_eq!(
        sources,
        [(address("ann"), "added"), (address("ben"), "csv")]
    );
    assert!(acme.monitor_remove(&address("ann"), &bob()).await.unwrap());
    assert!(!acme.monitor_remove(&address("ann"), &bob()).await.unwrap());
    assert_eq!(acme.watch_list().await.unwrap().addresses.len(), 1);
    let ledger = world.ledger().await;
    let kinds: Vec<_> = ledger.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["monitor.added", "monitor.imported", "monitor.removed"]
    );
    assert!(!serde_json::to_string(&ledger).unwrap().contains('@'));
}

#[tokio::test]
async fn the_watch_list_joins_configuration_csv_directories_and_what_was_added() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "address\ncsv@acme.example\nann@acme.example\n").unwrap();
    let world = Build {
        directories: vec!["other", "passwords"],
        monitor: MonitorConfig {
            domains: true,
            addresses: vec![address("ceo")],
            csv: Some(CsvMonitor {
                path: file.path().to_owned(),
            }),
            directories: vec![connector("passwords")],
        },
        ..Build::default()
    }
    .world();
    let mut admin = account("passwords", "p1", Some("ann@acme.example"));
    admin.privileged = Some(true);
    let mut leaver = account("passwords", "p2", Some("left@acme.example"));
    leaver.state = AccountState::Deleted;
    let dave = account("passwords", "p3", Some("dave@acme.example"));
    world.script("passwords").lock().unwrap().directory = Some(vec![admin, leaver, dave]);
    let mut elsewhere = account("other", "o1", Some("ceo@acme.example"));
    elsewhere.privileged = Some(true);
    let unwatched = account("other", "o2", Some("eve@acme.example"));
    world.script("other").lock().unwrap().directory = Some(vec![elsewhere, unwatched]);
    world
        .acme
        .monitor_add(&address("added"), &bob())
        .await
        .unwrap();
    world.acme.scan().await.unwrap();
    let list = world.acme.watch_list().await.unwrap();
    assert_eq!(list.domains, ["acme.example"]);
    let watched: Vec<_> = list
        .addresses
        .iter()
        .map(|w| (w.address.local_part(), w.source.as_str(), w.privileged))
        .collect();
    assert_eq!(
        watched,
        [
            ("added", "added", false),
            ("ann", "csv", true),
            ("ceo", "configuration", true),
            ("csv", "csv", false),
            ("dave", "directory:passwords", false),
        ]
    );
}

#[tokio::test]
async fn a_broken_csv_of_the_configuration_stops_the_scan_and_says_where() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "email\nann@acme.example\nnonsense\n").unwrap();
    let with = |path: &std::path::Path| {
        let monitor = MonitorConfig {
            csv: Some(CsvMonitor {
                path: path.to_owned(),
            }),
            ..MonitorConfig::default()
        };
        Build {
            monitor,
            ..Build::default()
        }
        .world()
    };
    let error = with(file.path()).acme.scan().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert_eq!(place(&error), ("3".to_owned(), "1".to_owned()));
    let text = error.to_string();
    assert!(text.contains("acme") && text.contains("monitor.csv") && !text.contains("nonsense"));
    let missing = with(std::path::Path::new("no-such-file.csv"));
    let error = missing.acme.scan().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
}
