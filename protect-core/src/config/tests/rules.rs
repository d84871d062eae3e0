use proptest::prelude::*;
use serde_json::{Value, json};

use super::{example_with, lines, registry};
use crate::config::{Config, Facts, When};
use crate::model::{Account, Finding, TenantId};

fn read(when: &Value) -> Result<When, Vec<String>> {
    let value = example_with("/tenants/acme/rules/0", "when", when.clone());
    match Config::from_value(&value, &registry()) {
        Ok(config) => Ok(config.tenants[&TenantId::new("acme").unwrap()].rules[0]
            .when
            .clone()),
        Err(error) => Err(lines(&error)),
    }
}

fn refused(when: &Value) -> Vec<String> {
    let strip = |line: String| {
        line.strip_suffix(" (in rule `leaked password`)")
            .and_then(|line| line.strip_prefix("tenants.acme.rules[0].when"))
            .expect("names tenant, rule and place")
            .to_owned()
    };
    read(when).unwrap_err().into_iter().map(strip).collect()
}

fn finding() -> Finding {
    serde_json::from_value(json!({
        "id": "f6ff51b32e779474491598506595e381", "tenant": "acme", "source": "breaches",
        "check": "hibp.exposure.breach", "kind": "credential_exposure",
        "subject": { "kind": "address", "id": "a@acme.example" }, "discriminator": "Adobe",
        "severity": "high", "confidence": "medium", "title": "t", "reasons": [],
        "status": "new", "baseline": false, "occurrence": 2,
        "first_seen": "2026-11-23T00:00:00Z", "last_seen": "2026-11-23T00:00:00Z"
    }))
    .unwrap()
}

fn account(privileged: Option<bool>) -> Account {
    serde_json::from_value(json!({
        "connector": "passwords", "id": "u1", "provider": "onepassword", "address": null,
        "display_name": "A", "state": "active", "privileged": privileged, "protection": null,
        "created_at": null
    }))
    .unwrap()
}

fn holds(when: &Value) -> bool {
    let (finding, account) = (finding(), account(None));
    let facts = Facts {
        finding: &finding,
        source_kind: "hibp",
        account: Some(&account),
        department: Some("IT"),
        under_attack: None,
    };
    let when = read(when).unwrap();
    assert_eq!(when.explain(&facts).is_empty(), when.matches(&facts));
    when.matches(&facts)
}

#[test]
fn every_condition_holds_where_it_should() {
    for when in [
        json!({ "kind": "credential_exposure" }),
        json!({ "kind": ["drift", "credential_exposure"] }),
        json!({ "severity": "high" }),
        json!({ "severity": ">=high" }),
        json!({ "severity": "<= high" }),
        json!({ "severity": ["low", "high"] }),
        json!({ "confidence": ">=medium" }),
        json!({ "confidence": "medium" }),
        json!({ "confidence": "<=high" }),
        json!({ "check": "hibp.exposure.breach" }),
        json!({ "check": "hibp.exposure.*" }),
        json!({ "check": ["hibp.*", "email.spf.missing"] }),
        json!({ "source": "breaches" }),
        json!({ "source": ["hibp"] }),
        json!({ "account": { "privileged": false } }),
        json!({ "account": { "provider": "onepassword", "state": ["suspended", "active"] } }),
        json!({ "employee": { "department": ["HR", " it "] } }),
        json!({ "occurrence": ">=2" }),
        json!({ "occurrence": 2 }),
        json!({ "occurrence": "<=2" }),
        json!({ "any": [{ "severity": "low" }, { "kind": "credential_exposure" }] }),
        json!({ "all": [{ "severity": "high" }, { "occurrence": ">=1" }] }),
        json!({ "not": { "severity": "low" } }),
    ] {
        assert!(holds(&when), "{when}");
    }
}

#[test]
fn every_condition_fails_where_it_should() {
    for when in [
        json!({ "kind": "drift" }),
        json!({ "severity": ">=critical" }),
        json!({ "severity": "<=medium" }),
        json!({ "confidence": ">=high" }),
        json!({ "confidence": "low" }),
        json!({ "confidence": "<=low" }),
        json!({ "check": "hibp.paste.*" }),
        json!({ "check": "hibp.exposure.paste" }),
        json!({ "source": "passwords" }),
        json!({ "account": { "privileged": true } }),
        json!({ "account": { "state": "transfer_started" } }),
        json!({ "employee": { "department": "HR" } }),
        json!({ "occurrence": ">=3" }),
        json!({ "occurrence": 1 }),
        json!({ "kind": "credential_exposure", "severity": "low" }),
        json!({ "not": { "severity": "high" } }),
    ] {
        assert!(!holds(&when), "{when}");
    }
}

#[test]
fn a_condition_over_an_account_or_employee_does_not_hold_without_one() {
    let finding = finding();
    let facts = Facts {
        finding: &finding,
        source_kind: "hibp",
        account: None,
        department: None,
        under_attack: None,
    };
    for when in [
        json!({ "account": { "privileged": false } }),
        json!({ "account": { "provider": "onepassword" } }),
        json!({ "employee": { "department": "IT" } }),
    ] {
        assert!(!read(&when).unwrap().matches(&facts), "{when}");
    }
}

#[test]
fn an_explanation_names_each_part_that_is_to_blame() {
    let when = read(&json!({
        "severity": ">=critical", "kind": "credential_exposure",
        "account": { "privileged": true }, "employee": { "department": ["HR", "Legal"] },
        "any": [{ "occurrence": ">=5" }, { "check": "email.*" }],
        "not": { "source": "hibp" }
    }))
    .unwrap();
    let (finding, account) = (finding(), account(None));
    let facts = Facts {
        finding: &finding,
        source_kind: "hibp",
        account: Some(&account),
        department: None,
        under_attack: None,
    };
    assert_eq!(
        when.explain(&facts),
        [
            "severity >=critical asked, it is high",
            "account.privileged true asked, the vendor does not say, which counts as false",
            "employee.department HR or Legal asked, no department is known",
            "occurrence >=5 asked, it is 2",
            "check email.* asked, it is hibp.exposure.breach",
            "not so: source hibp",
        ]
    );
}

#[test]
fn an_unknown_key_or_value_stops_the_load_at_its_place() {
    for (when, said) in [
        (
            json!({ "severty": "high" }),
            ".severty: unknown key; did you mean `severity`?",
        ),
        (
            json!({ "severity": ">=hihg" }),
            ".severity: unknown severity `hihg`; did you mean `high`?",
        ),
        (
            json!({ "severity": ">high" }),
            ".severity: write the word alone, or with \">=\" or \"<=\" before it",
        ),
        (
            json!({ "kind": ["drift", "drifts"] }),
            ".kind[1]: unknown kind of finding `drifts`; did you mean `drift`?",
        ),
        (json!({ "kind": [] }), ".kind: an empty list"),
        (
            json!({ "confidence": "hgh" }),
            ".confidence: unknown confidence `hgh`; did you mean `high`?",
        ),
        (
            json!({ "check": "hibpp.exposure.breach" }),
            ".check: unknown first word of a check `hibpp`; did you mean `hibp`?",
        ),
        (
            json!({ "check": "hibp.exposure" }),
            ".check: not a check id: three or more words in lower snake case, joined by dots",
        ),
        (
            json!({ "check": "hibp*" }),
            ".check: unknown first word of a check `hibp*`; did you mean `hibp`?",
        ),
        (
            json!({ "check": "hibp.expo*" }),
            ".check: write a check's id, or an area like \"hibp.exposure.*\"",
        ),
        (
            json!({ "source": "breach" }),
            ".source: unknown connector `breach`; did you mean `breaches`?",
        ),
        (
            json!({ "account": { "privilegd": true } }),
            ".account.privilegd: unknown key; did you mean `privileged`?",
        ),
        (
            json!({ "account": { "privileged": "no" } }),
            ".account.privileged: expected true or false",
        ),
        (
            json!({ "account": { "provider": "1password" } }),
            ".account.provider: unknown provider `1password`; did you mean `onepassword`?",
        ),
        (
            json!({ "account": { "state": "actve" } }),
            ".account.state: unknown state of an account `actve`; did you mean `active`?",
        ),
        (
            json!({ "account": {} }),
            ".account: an empty condition would mean everything; say what is meant",
        ),
        (
            json!({ "employee": { "departments": "IT" } }),
            ".employee.departments: unknown key; did you mean `department`?",
        ),
        (
            json!({ "occurrence": ">=0" }),
            ".occurrence: write a number of times such as \">=2\"",
        ),
        (
            json!({ "any": { "severity": "low" } }),
            ".any: expected a list of conditions",
        ),
        (
            json!({ "any": [{ "not": { "severity": 3 } }] }),
            ".any[0].not.severity: expected text",
        ),
        (
            json!({}),
            ": an empty condition would mean everything; say what is meant",
        ),
        (
            json!("finding.severity == 'high'"),
            ": text is reserved for an expression language; write a table such as { severity = \">=high\" }",
        ),
    ] {
        assert_eq!(refused(&when), [said], "{when}");
    }
}

#[test]
fn a_condition_of_nulls_is_refused_rather_than_taken_for_everything() {
    assert_eq!(
        refused(&json!({ "severity": null })),
        [": an empty condition would mean everything; say what is meant"]
    );
    assert_eq!(
        refused(&json!({ "account": { "state": null } })),
        [".account: an empty condition would mean everything; say what is meant"]
    );
}

#[test]
fn a_condition_nested_without_end_is_refused() {
    let mut when = json!({ "severity": "high" });
    for _ in 0..200 {
        when = json!({ "not": when });
    }
    let said = refused(&when);
    assert!(said[0].ends_with(": nested more than 16 deep"), "{said:?}");
}

#[test]
fn a_rule_may_be_tried_out_and_have_a_cap_of_its_own() {
    let with = |key: &str, value: Value| {
        let value = example_with("/tenants/acme/rules/0", key, value);
        Config::from_value(&value, &registry())
            .map(|config| config.tenants[&TenantId::new("acme").unwrap()].rules[0].clone())
            .map_err(|error| lines(&error))
    };
    let plain = with("name", json!("leaked password")).unwrap();
    assert_eq!((plain.dry_run, plain.max_per_hour), (false, None));
    assert!(with("dry_run", json!(true)).unwrap().dry_run);
    assert_eq!(
        with("max_per_hour", json!(3)).unwrap().max_per_hour,
        Some(3)
    );
    for wrong in [json!(0), json!(-1), json!("3")] {
        assert_eq!(with("max_per_hour", wrong).unwrap_err().len(), 1);
    }
}

#[test]
fn whether_a_login_is_attacked_holds_only_where_somebody_was_asked() {
    let (finding, account) = (finding(), account(None));
    let when = read(&json!({ "under_attack": true })).unwrap();
    for (answer, holds, said) in [
        (Some(true), true, ""),
        (Some(false), false, "it is false"),
        (None, false, "only planning asks whoever keeps alerts"),
    ] {
        let facts = Facts {
            finding: &finding,
            source_kind: "hibp",
            account: Some(&account),
            department: None,
            under_attack: answer,
        };
        assert_eq!(when.matches(&facts), holds);
        assert!(when.explain(&facts).concat().ends_with(said));
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "kind",
        "severity",
        "any",
        "all",
        "not",
        "account",
        "state",
        "check",
        "high",
        ">=",
        "hibp.*",
        "privileged",
        "occurrence",
        "under_attack",
        "*",
        "<=low",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(words.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_condition_is_read_or_refused(when in any_json()) {
        if let Err(problems) = read(&when) {
            prop_assert!(!problems.is_empty());
        }
    }
}
