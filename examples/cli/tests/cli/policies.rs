//! Policies, and what else people have to do, as somebody types it who has not read anything.

use serde_json::{Value, json};

use crate::support::{Ran, Vendors};

/// Two people, and a configuration in which nobody publishes policies and nobody is told anything.
fn world() -> Vendors {
    let vendors = Vendors::start();
    let list = "number,last_name,work_email\n1,Lee,ann@acme.example\n2,Ray,bob@acme.example\n";
    std::fs::write(vendors.folder.path().join("people.csv"), list).unwrap();
    let imported = vendors.protect(&["employee", "import", "people.csv", "--json"]);
    assert_eq!(imported.good()["hired"], 2);
    vendors
}

/// The same with The One Legal, and with mail; and the id of the organisation there.
fn world_with_legal() -> (Vendors, String) {
    let vendors = world();
    let config = std::fs::read_to_string(vendors.folder.path().join("protect.toml")).unwrap();
    let value = |key: &str| {
        let (_, rest) = config.split_once(key).unwrap();
        rest.split('"').nth(1).unwrap().to_owned()
    };
    let api = value("kind = \"psa\"\ntenants = [\"acme\"]\nendpoints = { api =");
    let organisation = value("organisation_id =");
    let accepted = vendors.control("GET", "credentials", "");
    let password = vendors.folder.path().join("smtp.password");
    std::fs::write(password, accepted["smtp_password"].as_str().unwrap()).unwrap();
    let more = format!(
        r#"[connections.legal]
kind = "legal"
tenants = ["acme"]
endpoints = {{ api = "{}" }}
respond = {{ integration_key = {{ env = "ONESTACK_INTEGRATION_KEY" }} }}

[connections.mail]
kind = "notify"
tenants = ["acme"]
endpoints = {{ smtp = "{}" }}
respond = {{ username = "{}", password = {{ file = "smtp.password" }} }}

[tenants.acme.connectors.legal]
connection = "legal"
organisation_id = "{organisation}"

[tenants.acme.connectors.mail]
connection = "mail"
to = ["desk@acme.example"]

[tenants.acme.people.notices]
connector = "mail"
hr = ["hr@acme.example"]

[tenants.acme.connectors.breaches]
"#,
        api.replace("/psa", "/legal"),
        vendors.smtp,
        accepted["smtp_username"].as_str().unwrap(),
    );
    vendors.reconfigure("[tenants.acme.connectors.breaches]\n", &more);
    (vendors, organisation)
}

/// Refused as wrong use, in words and in JSON, each of which holds this.
fn refused(vendors: &Vendors, typed: &[&str], kind: &str, words: &str) {
    let ran = vendors.protect(typed);
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (2, ""),
        "{typed:?}: {ran:?}"
    );
    assert!(ran.err.contains(words), "{typed:?}: {}", ran.err);
    let ran = vendors.protect(&[typed, &["--json"]].concat());
    assert_eq!(ran.status, 2, "{typed:?}: {ran:?}");
    let error = ran.json();
    assert_eq!(error["kind"], kind, "{typed:?}: {error}");
    assert_eq!(error["complete"], false);
}

fn said(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.status, 0, "{ran:?}");
    for words in words {
        assert!(ran.out.contains(words), "{words} is missing: {}", ran.out);
    }
}

#[test]
fn who_begins_is_told_what_there_is_and_what_to_do_next() {
    let vendors = world();
    let help = vendors.protect(&["policies", "--help"]);
    said(
        &help,
        &[
            "sync",
            "take",
            "of",
            "remind",
            "--tenant",
            "how far each is acknowledged",
        ],
    );
    for command in ["sync", "take", "of", "remind"] {
        let help = vendors.protect(&["policies", command, "--help"]);
        said(&help, &["Usage: protect policies", "--tenant"]);
    }
    let none = vendors.protect(&["policies"]);
    said(&none, &["No policy is known.", "protect policies sync"]);
    let none = vendors.protect(&["policies", "--json"]).good();
    assert_eq!(none["policies"], json!([]));
    let none = vendors.protect(&["policies", "of", "1"]);
    said(&none, &["no policy that must be acknowledged"]);
    let none = vendors.protect(&["policies", "of", "ann@acme.example", "--json"]);
    assert_eq!(none.good()["policies"], json!([]));
    let none = vendors.protect(&["employee", "records"]);
    said(
        &none,
        &["Nothing was imported.", "protect employee import-records"],
    );
    let none = vendors
        .protect(&["employee", "records", "1", "--json"])
        .good();
    assert_eq!(none["records"], json!([]));
}

#[test]
fn what_is_wrong_is_said_with_what_would_be_right() {
    let vendors = world();
    let (wrong, away) = ("invalid_input", "unsupported");
    refused(&vendors, &["policies", "sync"], away, "`legal`");
    refused(
        &vendors,
        &["policies", "remind", "pol-use"],
        away,
        "people.notices",
    );
    refused(&vendors, &["policies", "remind"], wrong, "<POLICY>");
    refused(&vendors, &["policies", "of"], wrong, "<WHO>");
    refused(
        &vendors,
        &["policies", "of", "carl@acme.example"],
        "not_found",
        "no such employee",
    );
    refused(
        &vendors,
        &["policies", "of", "3"],
        "not_found",
        "no such employee",
    );
    refused(&vendors, &["policies", "snyc"], wrong, "sync");
    refused(
        &vendors,
        &["policies", "--tenant", "acne"],
        "not_found",
        "acme",
    );
    refused(
        &vendors,
        &["policies", "sync", "--tenant", "acne"],
        "not_found",
        "acme",
    );
    refused(
        &vendors,
        &["policies", "take", "gone.json"],
        wrong,
        "gone.json",
    );
    refused(
        &vendors,
        &["employee", "records", "3"],
        "not_found",
        "no such employee",
    );
    refused(
        &vendors,
        &["employee", "records", "--kind", "rewiev"],
        wrong,
        "review",
    );
}

#[test]
fn policies_are_asked_for_shown_for_each_person_and_old_while_the_publisher_is_away() {
    let (vendors, organisation) = world_with_legal();
    let synced = vendors.protect(&["policies", "sync", "--json"]).good();
    let policies = synced["policies"].as_array().unwrap();
    let titles: Vec<_> = policies.iter().map(|it| &it["policy"]["title"]).collect();
    assert_eq!(titles, ["Acceptable use", "Travel"]);
    let shown = vendors.protect(&["policies"]);
    said(
        &shown,
        &[
            "Acceptable use",
            "pol-use",
            "0 of 2",
            "not yet",
            "Travel",
            "0 of 0",
            "compliant",
        ],
    );
    let own = vendors.protect(&["policies", "of", "ann@acme.example"]);
    said(&own, &["Acceptable use", "pending"]);

    // Ann signs at Legal itself, and no callback comes: it is seen when she is looked at.
    let ann = vendors.protect(&["employee", "show", "1", "--json"]).good();
    let signature = json!({
        "organisation": organisation, "employee_id": ann["id"],
        "policy_id": "pol-use", "policy_version": "1.0",
    });
    vendors.control("POST", "one_stack/signatures", &signature.to_string());
    let own = vendors.protect(&["policies", "of", "1"]);
    said(&own, &["acknowledged"]);
    said(&vendors.protect(&["policies"]), &["1 of 2"]);

    vendors.break_with(&json!({ "kind": "unavailable", "vendor": "one_stack" }));
    let away = vendors.protect(&["policies", "sync"]);
    assert_eq!(away.status, 3, "{away:?}");
    let away = vendors.protect(&["policies", "sync", "--json"]);
    assert_eq!(
        (away.status, &away.json()["retryable"]),
        (3, &json!(true)),
        "{away:?}"
    );
    let unheard = "the publisher is not heard of";
    said(&vendors.protect(&["policies"]), &["1 of 2", unheard]);
    let own = vendors.protect(&["policies", "of", "1"]);
    said(&own, &["acknowledged when last heard of", unheard]);
    for shown in [
        vendors.protect(&["policies", "--json"]).good(),
        vendors.protect(&["policies", "of", "1", "--json"]).good(),
    ] {
        for it in shown["policies"].as_array().unwrap() {
            assert_eq!(
                (&it["stale"], &it["compliant"]),
                (&json!(true), &json!(false)),
                "{it}"
            );
        }
    }
    vendors.mend();
    let synced = vendors.protect(&["policies", "sync"]);
    said(&synced, &["1 of 2", "not yet"]);
}

#[test]
fn those_who_did_not_acknowledge_are_reminded_once_a_day() {
    let (vendors, _) = world_with_legal();
    let early = ["policies", "remind", "pol-use"];
    refused(&vendors, &early, "not_found", "no such policy");
    vendors.protect(&["policies", "sync", "--json"]).good();
    let reminded = vendors.protect(&["policies", "remind", "pol-use", "1"]);
    said(&reminded, &["1 reminder to go out.", "protect apply"]);
    let everybody = ["policies", "remind", "pol-use", "--json"];
    assert_eq!(
        vendors.protect(&everybody).good()["reminders"],
        1,
        "the other one"
    );
    assert_eq!(
        vendors.protect(&everybody).good()["reminders"],
        0,
        "once a day"
    );
    let nobody = vendors.protect(&["policies", "remind", "pol-use"]);
    said(&nobody, &["0 reminders"]);
    vendors.protect(&["apply", "--json"]).good();
    let state = vendors.control("GET", "state", "");
    let mails = state["smtp"]["mails"].as_array().unwrap();
    let mut to: Vec<&str> = mails
        .iter()
        .map(|it| it["to"][0].as_str().unwrap())
        .collect();
    to.sort_unstable();
    assert_eq!(to, ["ann@acme.example", "bob@acme.example"]);
}

#[test]
fn the_policies_of_a_publisher_that_is_no_connector_are_taken_from_a_file() {
    let vendors = world();
    let file = vendors.folder.path().join("policies.json");
    let list = json!([
        { "id": "conduct", "title": "Conduct", "version": "3", "requires_acknowledgment": true,
          "due_date": "2020-01-31" },
        { "id": "travel", "title": "Travel", "version": "1" },
    ]);
    std::fs::write(&file, list.to_string()).unwrap();
    let taken = vendors.protect(&["policies", "take", "policies.json"]);
    said(&taken, &["Conduct", "0 of 2", "Travel"]);
    said(
        &vendors.protect(&["policies", "of", "2"]),
        &["Conduct", "2020-01-31", "overdue"],
    );
    let shown = vendors.protect(&["policies", "--json"]).good();
    assert_eq!(shown["policies"][0]["overdue"].as_array().unwrap().len(), 2);
    for (wrong, words) in [
        ("{", "line 1"),
        ("[{ \"id\": \"x\" }]", "title"),
        (
            "[{ \"id\": \"x\", \"title\": \"X\", \"version\": \"1\", \"dew_date\": null }]",
            "dew_date",
        ),
        (
            "[{ \"id\": \"\", \"title\": \"X\", \"version\": \"1\" }]",
            "an id and a version",
        ),
    ] {
        std::fs::write(&file, wrong).unwrap();
        refused(
            &vendors,
            &["policies", "take", "policies.json"],
            "invalid_input",
            words,
        );
    }
    std::fs::write(&file, "[]").unwrap();
    let none = vendors.protect(&["policies", "take", "policies.json"]);
    said(&none, &["No policy is known."]);
}

#[test]
fn reviews_trainings_and_documents_are_imported_and_shown_the_next_due_first() {
    let vendors = world();
    let folder = vendors.folder.path();
    let trainings =
        "employee,title,due_on,status\n1,Fire drill,2026-12-01,\n2,Ladders,2026-11-30,\n";
    std::fs::write(folder.join("trainings.csv"), trainings).unwrap();
    let import = ["employee", "import-records", "training", "trainings.csv"];
    said(
        &vendors.protect(&import),
        &["2 trainings imported.", "protect employee records"],
    );
    let documents = "employee,title\nann@acme.example,Contract\n";
    std::fs::write(folder.join("documents.csv"), documents).unwrap();
    let import = [
        "employee",
        "import-records",
        "document",
        "documents.csv",
        "--json",
    ];
    assert_eq!(vendors.protect(&import).good()["imported"], 1);
    let all = vendors.protect(&["employee", "records", "--json"]).good();
    let titles = |shown: &Value| -> Vec<String> {
        let records = shown["records"].as_array().unwrap().iter();
        records
            .map(|it| it["title"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(titles(&all), ["Ladders", "Fire drill", "Contract"]);
    said(
        &vendors.protect(&["employee", "records"]),
        &["Lee", "Ray", "2026-11-30", "Contract"],
    );
    let own = [
        "employee",
        "records",
        "ann@acme.example",
        "--kind",
        "training",
        "--json",
    ];
    assert_eq!(titles(&vendors.protect(&own).good()), ["Fire drill"]);
    std::fs::write(
        folder.join("wrong.csv"),
        "employee,title\n1,First aid\n9,Ladders\n",
    )
    .unwrap();
    let wrong = ["employee", "import-records", "training", "wrong.csv"];
    refused(&vendors, &wrong, "invalid_input", "line    3");
    assert_eq!(
        titles(&vendors.protect(&["employee", "records", "--json"]).good()).len(),
        3
    );
}

#[test]
fn several_people_leave_with_one_plan_and_where_one_cannot_nobody_begins_to() {
    let vendors = world();
    let start = ["offboard", "start", "1", "2", "--last-day", "2099-12-31"];
    let start = [&start[..], &["--reason", "a site is closed", "--by", "hr"]].concat();
    let unknown: Vec<&str> = start
        .iter()
        .map(|it| if *it == "2" { "3" } else { it })
        .collect();
    refused(&vendors, &unknown, "not_found", "no such employee");
    let twice: Vec<&str> = start
        .iter()
        .map(|it| if *it == "2" { "1" } else { it })
        .collect();
    refused(&vendors, &twice, "invalid_input", "each once");
    let list = vendors.protect(&["offboard", "list", "--json"]).good();
    assert_eq!(list["workflows"], json!([]));
    let started = vendors.protect(&[&start[..], &["--json"]].concat()).good();
    assert_eq!(started["workflows"].as_array().unwrap().len(), 2);
    said(&vendors.protect(&["offboard", "list"]), &["Lee", "Ray"]);
}
