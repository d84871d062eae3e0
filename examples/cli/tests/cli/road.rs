use crate::support::Vendors;

#[test]
fn a_newcomer_walks_from_doctor_to_apply() {
    let vendors = Vendors::start();
    let doctor = vendors.protect(&["doctor", "--json"]).good();
    let connectors = doctor["tenants"][0]["connectors"].as_array().unwrap();
    assert_eq!(connectors.len(), 7);
    assert!(
        connectors
            .iter()
            .all(|connector| connector["healthy"] == true)
    );

    let scan = vendors.protect(&["scan", "--json"]).good();
    assert_eq!(scan["tenants"][0]["tenant"], "acme");
    let incidents = vendors.protect(&["incidents", "--json"]).good();
    assert_eq!(incidents["incidents"][0]["severity"], "critical");
    let findings = vendors.protect(&["findings", "--severity", "high"]);
    assert!(
        findings.out.contains("Source: Have I Been Pwned"),
        "{}",
        findings.out
    );

    let plan = vendors.protect(&["plan", "--json"]).good();
    let id = plan["id"].as_str().unwrap();
    let shown = vendors.protect(&["plan"]);
    assert!(shown.out.contains("state active"), "{}", shown.out);
    assert!(
        shown.out.contains(&format!("next: protect approve {id}")),
        "{}",
        shown.out
    );
    let approved = vendors
        .protect(&["approve", id, "--by", "bob", "--json"])
        .good();
    assert_eq!(approved["approval"]["by"]["id"], "bob");
    let applied = vendors.protect(&["apply", "--json"]).good();
    let steps = applied["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 10);
    assert!(
        steps
            .iter()
            .all(|step| step["outcome"]["status"] == "applied")
    );

    let status = vendors.protect(&["status", "--json"]).good();
    assert_eq!(
        status["tenants"][0]["waiting_actions"],
        serde_json::json!({})
    );
    let undoable = status["tenants"][0]["undoable"].as_array().unwrap();
    assert_eq!(undoable.len(), 4, "neither tickets nor ended sessions");
    let shown = vendors.protect(&["status"]);
    assert!(shown.out.contains("next: protect undo"), "{}", shown.out);
    let mut all = incidents["incidents"].as_array().unwrap().iter();
    let leaked = all.find(|incident| incident["kind"] == "credential_exposure");
    let incident = leaked.unwrap()["id"].as_str().unwrap();
    let whole = vendors
        .protect(&["incidents", "show", incident, "--json"])
        .good();
    assert_eq!(whole["actions"].as_array().unwrap().len(), 6, "{whole}");
    let again = vendors.protect(&["plan", "--json"]).good();
    assert_eq!(again["actions"], serde_json::json!([]));
    let score = vendors.protect(&["score", "--json"]).good();
    assert!(score["total"].as_u64().unwrap() < 100);
    let report = vendors.protect(&["report", "--format", "html"]);
    assert!(report.out.contains("<html"), "{}", report.out);
    let events = vendors.protect(&["report", "--format", "ocsf"]);
    for line in events.out.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["metadata"]["version"], "1.8.0", "{line}");
    }
    assert!(events.out.contains("\"class_uid\":7001"), "{}", events.out);
    let check = vendors
        .protect(&["checks", "explain", "hibp.exposure.breach", "--json"])
        .good();
    assert_eq!(check["check"], "hibp.exposure.breach");
    let rule = vendors
        .protect(&["rules", "test", "flagged sign-in", "--json"])
        .good();
    assert!(
        rule["trials"]
            .as_array()
            .unwrap()
            .iter()
            .any(|trial| trial["applies"] == true)
    );
}

#[test]
fn scan_exits_with_1_where_something_is_as_bad_as_asked_about() {
    let vendors = Vendors::start();
    let scan = vendors.protect(&["scan", "--fail-on", "critical", "--json"]);
    assert_eq!(scan.status, 1, "{scan:?}");
    assert_eq!(scan.json()["complete"], true);
}

#[test]
fn nobody_approves_their_own_request_and_a_pause_stops_what_was_approved() {
    let vendors = Vendors::start();
    assert_eq!(vendors.protect(&["scan"]).status, 0);
    let directory = vendors.protect(&["monitor", "list", "--json"]).good();
    let address = directory["addresses"][0]["address"]
        .as_str()
        .unwrap()
        .to_owned();
    let words = [
        "request",
        "suspend_account",
        &address,
        "--reason",
        "lost laptop",
        "--for",
        "24h",
        "--json",
    ];
    let plan = vendors.protect(&words).good();
    let id = plan["id"].as_str().unwrap();

    let own = vendors.protect(&["approve", id]);
    assert_eq!(own.status, 2, "{own:?}");
    assert!(own.err.contains("own request"), "{}", own.err);
    vendors
        .protect(&["pause", "--reason", "wait", "--json"])
        .good();
    vendors
        .protect(&["approve", id, "--by", "bob", "--json"])
        .good();
    let held = vendors.protect(&["apply", "--json"]).good();
    assert!(
        held["steps"][0]["waits"]
            .as_str()
            .unwrap()
            .starts_with("paused"),
        "{held}"
    );
    vendors.protect(&["resume", "--json"]).good();
    let applied = vendors.protect(&["apply", "--json"]).good();
    assert_eq!(
        applied["steps"][0]["outcome"]["status"], "applied",
        "{applied}"
    );

    let action = applied["steps"][0]["action"]["id"].as_str().unwrap();
    let undo = vendors
        .protect(&["undo", action, "--reason", "it was found", "--json"])
        .good();
    assert_eq!(undo["actions"][0]["action"]["kind"], "reactivate_account");
}

#[test]
fn a_dry_run_shows_the_plan_and_refuses_to_approve_it() {
    let vendors = Vendors::start();
    vendors.reconfigure("mode = \"enforce\"", "mode = \"dry_run\"");
    assert_eq!(vendors.protect(&["scan"]).status, 0);
    let plan = vendors.protect(&["plan", "--json"]).good();
    let id = plan["id"].as_str().unwrap();
    let approved = vendors.protect(&["approve", id]);
    assert_eq!(approved.status, 2, "{approved:?}");
    assert!(approved.err.contains("dry_run"), "{}", approved.err);
}

#[test]
fn watching_is_added_and_taken_back() {
    let vendors = Vendors::start();
    let add = ["monitor", "add", "Ceo@Personal.example", "--json"];
    assert_eq!(vendors.protect(&add).good()["added"], 1);
    assert_eq!(vendors.protect(&add).good()["added"], 0);
    let csv = vendors.folder.path().join("people.csv");
    std::fs::write(
        &csv,
        "name,email\nA,a@personal.example\nB,b@personal.example\n",
    )
    .unwrap();
    let imported = vendors
        .protect(&["monitor", "import", "people.csv", "--json"])
        .good();
    assert_eq!(imported["added"], 2);
    let listed = vendors.protect(&["monitor", "list"]);
    assert!(
        listed.out.contains("ceo@personal.example"),
        "{}",
        listed.out
    );
    let remove = ["monitor", "remove", "ceo@personal.example", "--json"];
    assert_eq!(vendors.protect(&remove).good()["removed"], 1);
}

#[test]
fn a_finding_is_acknowledged_accepted_and_marked_false() {
    let vendors = Vendors::start();
    assert_eq!(vendors.protect(&["scan"]).status, 0);
    let listed = vendors.protect(&["findings", "--json"]).good();
    let id = listed["findings"][0]["id"].as_str().unwrap();
    let seen = vendors
        .protect(&["findings", "acknowledge", id, "--json"])
        .good();
    assert_eq!(seen["status"], "acknowledged");
    let words = [
        "findings", "accept", id, "--until", "30d", "--reason", "known", "--json",
    ];
    let accepted = vendors.protect(&words).good();
    assert_eq!(accepted["status"], "accepted");
    assert_eq!(accepted["acceptance"]["reason"], "known");
    let words = [
        "findings",
        "false-positive",
        id,
        "--reason",
        "a test",
        "--json",
    ];
    assert_eq!(vendors.protect(&words).good()["status"], "false_positive");
    let words = [
        "findings", "accept", id, "--until", "soon", "--reason", "known",
    ];
    let wrong = vendors.protect(&words);
    assert_eq!(wrong.status, 2, "{wrong:?}");
}

#[test]
fn a_vendor_that_cannot_be_reached_makes_doctor_and_scan_exit_with_3() {
    let mut vendors = Vendors::start();
    vendors.stop();
    let doctor = vendors.protect(&["doctor", "--json"]);
    assert_eq!(doctor.status, 3, "{doctor:?}");
    assert_eq!(doctor.json()["complete"], false);
    let connectors = doctor.json()["tenants"][0]["connectors"].clone();
    assert!(
        connectors
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["healthy"] == false)
    );
}
