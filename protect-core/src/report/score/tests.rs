use serde_json::{Value, json};

use super::counted::Counted;
use super::parts::{self, DomainScore};
use super::*;
use crate::connector::Watches;
use crate::engine::StoredVerdict;
use crate::model::Finding;

fn verdict(connector: &str, check: &str, severity: &str, verdict: &str) -> StoredVerdict {
    serde_json::from_value(json!({
        "connector": connector, "at": "2026-11-26T10:00:00Z", "check": check, "verdict": verdict,
        "severity": severity, "reason": "", "affected": [], "source": "", "confidence": "high",
        "references": [],
    }))
    .unwrap()
}

fn finding(source: &str, check: &str, kind: &str, severity: &str, status: &str) -> Counted {
    serde_json::from_value(stored(source, check, kind, severity, status)).unwrap()
}

fn stored(source: &str, check: &str, kind: &str, severity: &str, status: &str) -> Value {
    json!({
        "id": "0123456789abcdef0123456789abcdef", "tenant": "acme", "source": source, "check": check,
        "kind": kind, "subject": { "kind": "domain", "id": "acme.example" }, "discriminator": "",
        "severity": severity, "confidence": "high", "title": "t", "reasons": [], "status": status,
        "baseline": false, "occurrence": 1, "first_seen": "2026-11-26T10:00:00Z",
        "last_seen": "2026-11-26T10:00:00Z",
    })
}

fn exposure(severity: &str, status: &str) -> Counted {
    finding(
        "breaches",
        "hibp.exposure.breach",
        "credential_exposure",
        severity,
        status,
    )
}

fn watches(connector: &crate::model::ConnectorName) -> Watches {
    match connector.as_str() {
        "mail" => Watches::Mail,
        "breaches" => Watches::Exposures,
        _ => Watches::Settings,
    }
}

#[test]
fn a_finding_counts_the_same_whether_it_was_read_whole_or_not() {
    let kinds = FindingKind::ALL.map(FindingKind::as_str);
    for (kind, severity) in kinds
        .into_iter()
        .zip(["critical", "info"].into_iter().cycle())
    {
        let whole: Finding =
            serde_json::from_value(stored("entra", "m365.ca.a", kind, severity, "accepted"))
                .unwrap();
        let light: Counted = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
        assert_eq!(light, Counted::from(&whole));
    }
}

#[test]
fn an_application_is_scored_by_the_weight_of_its_checks() {
    let verdicts = [
        verdict("entra", "m365.ca.a", "critical", "pass"),
        verdict("entra", "m365.ca.b", "high", "fail"),
        verdict("entra", "m365.ca.c", "medium", "manual"),
        verdict("entra", "m365.ca.d", "low", "not_evaluated"),
        verdict("entra", "m365.event.alert", "info", "pass"),
        verdict("mail", "email.spf.missing", "critical", "fail"),
        verdict("breaches", "hibp.exposure.breach", "critical", "fail"),
        verdict("breaches", "hibp.connection.plan", "critical", "fail"),
    ];
    let part = parts::saas(&verdicts, &[], watches);
    assert_eq!(part.members.len(), 1, "{part:?}");
    assert_eq!(part.value, Some(63), "10 of 16");
    let app = &part.members[0];
    assert_eq!((app.passed, app.failed, app.not_evaluated), (1, 1, 1));
    assert_eq!(app.rating, Some(Rating::Fair));
}

#[test]
fn an_application_that_could_not_be_looked_at_has_no_value_and_says_why() {
    let verdicts = [
        verdict("entra", "m365.ca.a", "high", "pass"),
        verdict("entra", "m365.ca.b", "critical", "not_evaluated"),
    ];
    let part = parts::saas(&verdicts, &[], watches);
    assert_eq!(part.value, None);
    assert!(part.members[0].reason.as_deref().unwrap().contains("half"));
    assert_eq!(parts::saas(&[], &[], watches).value, None);
}

#[test]
fn what_was_never_wrong_takes_nothing_away_and_what_was_accepted_does() {
    let verdicts = [
        verdict("entra", "m365.ca.a", "high", "pass"),
        verdict("entra", "m365.ca.b", "high", "fail"),
    ];
    let of = |status| finding("entra", "m365.ca.b", "misconfiguration", "high", status);
    let value = |status| parts::saas(&verdicts, &[of(status)], watches).value;
    assert_eq!(value("false_positive"), Some(100));
    assert_eq!(value("accepted"), Some(50));
    assert_eq!(value("new"), Some(50));
}

#[test]
fn open_exposures_take_away_by_severity_and_never_below_nothing() {
    let looked = [verdict(
        "breaches",
        "hibp.exposure.breach",
        "critical",
        "fail",
    )];
    let value = |findings: &[Counted]| parts::dark_web(&looked, findings).value;
    assert_eq!(value(&[]), Some(100));
    let some = [
        exposure("critical", "new"),
        exposure("high", "accepted"),
        exposure("medium", "acknowledged"),
        exposure("low", "new"),
        exposure("critical", "resolved"),
        exposure("critical", "false_positive"),
    ];
    assert_eq!(value(&some), Some(100 - 25 - 15 - 5));
    let many = vec![exposure("critical", "new"); 9];
    assert_eq!(value(&many), Some(0));
}

#[test]
fn what_nobody_looked_for_is_no_hundred() {
    let failed = [verdict(
        "breaches",
        "hibp.exposure.breach",
        "critical",
        "not_evaluated",
    )];
    let part = parts::dark_web(&failed, &[]);
    assert_eq!(part.value, None);
    assert!(part.reason.is_some());
}

#[test]
fn parts_without_a_value_are_left_out_and_the_rest_counts_for_all() {
    let looked = [verdict(
        "breaches",
        "hibp.exposure.breach",
        "critical",
        "pass",
    )];
    let domain = |total| DomainScore {
        total,
        ..DomainScore::default()
    };
    let domains = BTreeMap::from([
        ("a.example".to_owned(), domain(Some(40))),
        ("b.example".to_owned(), domain(Some(61))),
        ("c.example".to_owned(), domain(None)),
    ]);
    let score = combine(vec![
        parts::saas(&[], &[], watches),
        parts::email(&domains, &[]),
        parts::dark_web(&looked, &[]),
    ]);
    let values: Vec<_> = score.parts.iter().map(|part| part.value).collect();
    assert_eq!(values, [None, Some(51), Some(100)]);
    let percents: Vec<_> = score.parts.iter().map(|part| part.percent).collect();
    assert_eq!(percents, [0, 50, 50]);
    assert_eq!(score.total, Some(76), "the mean of 51 and 100, rounded");
    assert_eq!(score.weights.areas["saas"], 40);
    assert_eq!(score.weights.checks["critical"], 10);
}

#[test]
fn ratings_begin_where_the_product_begins_them() {
    for (score, rating) in [
        (100, Rating::Excellent),
        (90, Rating::Excellent),
        (89, Rating::Good),
        (70, Rating::Good),
        (69, Rating::Fair),
        (50, Rating::Fair),
        (49, Rating::Poor),
        (0, Rating::Poor),
    ] {
        assert_eq!(Rating::of(score), rating, "{score}");
    }
}
