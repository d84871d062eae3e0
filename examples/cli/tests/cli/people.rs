//! The workforce side: who works here, who leaves, who is away.

use serde_json::json;

use crate::support::Vendors;

/// Simulated vendors whose 1Password directory is the workforce, and somebody of it.
fn world() -> (Vendors, String) {
    let vendors = Vendors::start();
    vendors
        .protect(&["employee", "sync", "passwords", "--json"])
        .good();
    let list = vendors.protect(&["employee", "list", "--json"]).good();
    let employees = list["employees"].as_array().unwrap();
    assert_eq!(employees.len(), 39, "the suspended one is nobody's");
    let somebody = employees[8]["work_email"].as_str().unwrap().to_owned();
    (vendors, somebody)
}

#[test]
fn somebody_leaves_and_the_evidence_says_who_approved() {
    let (vendors, who) = world();
    let shown = vendors.protect(&["employee", "show", &who]);
    assert!(shown.out.contains("passwords"), "{}", shown.out);
    let refused = vendors.protect(&["employee", "set", &who, "terminated"]);
    assert!(refused.err.contains("offboard"), "{}", refused.err);

    let start = [
        "offboard",
        "start",
        &who,
        "--last-day",
        "2099-12-31",
        "--now",
    ];
    let start = [
        &start[..],
        &["--reason", "found another job", "--by", "hr", "--json"],
    ]
    .concat();
    let started = vendors.protect(&start).good();
    let plan = started["plan"]["id"].as_str().unwrap();
    let own = vendors.protect(&["approve", plan, "--by", "hr"]);
    assert!(own.err.contains("their own"), "{}", own.err);
    vendors
        .protect(&["approve", plan, "--by", "bob", "--json"])
        .good();
    vendors.protect(&["apply", "--json"]).good();
    let shown = vendors
        .protect(&["offboard", "show", &who, "--json"])
        .good();
    let steps = shown["steps"].as_array().unwrap();
    let done = |it: &serde_json::Value| it["outcome"] == "applied" || it["outcome"] == "already_so";
    assert!(steps.iter().all(done), "{shown}");
    assert_eq!(shown["access_gone"], true);
    for number in 1..=shown["tasks"].as_array().unwrap().len() {
        let number = number.to_string();
        vendors
            .protect(&["offboard", "task", &who, &number, "done", "--json"])
            .good();
    }
    let evidence = vendors
        .protect(&["offboard", "evidence", &who, "--json"])
        .good();
    let text = evidence.to_string();
    assert!(text.contains("plan.approved"), "{text}");
    assert!(!text.contains(&who), "people stand in it as pseudonyms");
    let list = vendors.protect(&["offboard", "list"]);
    assert!(!list.out.is_empty());
}

#[test]
fn a_list_that_is_wrong_says_where_and_nothing_of_it_is_taken() {
    let (vendors, who) = world();
    let file = vendors.folder.path().join("people.csv");
    let list = format!("work_email,last_name,department\n{who},Lee,Sales\nnobody,Ray,Sales\n");
    std::fs::write(&file, &list).unwrap();
    let wrong = vendors.protect(&["employee", "import", "people.csv"]);
    assert!(wrong.err.contains('3'), "the line: {}", wrong.err);
    std::fs::write(&file, list.replace("nobody", "new@acme.example")).unwrap();
    let import = ["employee", "import", "people.csv", "--json"];
    let checked = vendors
        .protect(&[&import[..], &["--check"]].concat())
        .good();
    assert_eq!(
        (&checked["hired"], &checked["updated"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(vendors.protect(&import).good()["hired"], 1);
    let exported = vendors.protect(&["employee", "export", "--department", "Sales"]);
    assert_eq!(exported.out.lines().count(), 3, "{}", exported.out);
}

#[test]
fn time_off_is_asked_for_and_approved_and_certifications_are_flagged() {
    let (vendors, who) = world();
    let ask = [
        "timeoff",
        "request",
        &who,
        "vacation",
        "2099-03-02",
        "2099-03-04",
        "--json",
    ];
    let asked = vendors.protect(&ask).good();
    let id = asked["id"].as_str().unwrap();
    let again = vendors.protect(&ask);
    assert!(again.out.contains("overlaps"), "{again:?}");
    let approved = vendors
        .protect(&["timeoff", "approve", id, "--json"])
        .good();
    assert_eq!(approved["status"], "approved");
    let list = vendors
        .protect(&["timeoff", "list", "--from", "2099-03-04", "--json"])
        .good();
    assert_eq!(list["time_off"].as_array().unwrap().len(), 1);

    let file = vendors.folder.path().join("certificates.csv");
    std::fs::write(
        file,
        format!("employee,name,expires_on\n{who},First aid,2020-01-01\n"),
    )
    .unwrap();
    vendors
        .protect(&["certifications", "import", "certificates.csv", "--json"])
        .good();
    let shown = vendors.protect(&["certifications", "list"]);
    assert!(shown.out.contains("expired"), "{shown:?}");
    let findings = vendors.protect(&["findings"]);
    assert!(findings.out.contains("First aid"), "{findings:?}");
    vendors.protect(&["policies", "--json"]).good();
}
