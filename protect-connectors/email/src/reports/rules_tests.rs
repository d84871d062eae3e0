use std::collections::BTreeSet;

use jiff::civil::Date;
use protect_core::model::{CheckResult, Verdict};
use serde_json::json;

use super::rules::History;
use super::volumes::{Counts, Month};

const TODAY: Date = jiff::civil::date(2026, 11, 20);

/// A month of rows: days back from today, source, messages, and how many of them pass.
fn month(rows: &[(i32, &str, u64, u64)]) -> Month {
    let rows: Vec<_> = rows
        .iter()
        .map(|(back, source, messages, passed)| {
            let counts = Counts {
                messages: *messages,
                passed: *passed,
                unauthorised: messages - passed,
                ..Counts::default()
            };
            let mut row = serde_json::to_value(counts).unwrap();
            let day = TODAY.saturating_sub(jiff::Span::new().days(i64::from(*back)));
            row["day"] = json!(day);
            row["source"] = json!(source);
            row["header_from"] = json!("example.com");
            row
        })
        .collect();
    serde_json::from_value(json!({"rows": rows, "reports": 1})).unwrap()
}

fn history(rows: &[(i32, &str, u64, u64)]) -> History {
    History::of([&month(rows)])
}

fn verdict(result: protect_core::Result<CheckResult>) -> Verdict {
    result.unwrap().verdict
}

#[test]
fn an_unknown_source_with_twenty_messages_in_a_day_is_new_and_unauthorised() {
    let judge = |rows: &[_]| {
        history(rows)
            .new_unauthorised_sender("example.com", TODAY)
            .unwrap()
    };
    let usual = (40, "192.0.2.1", 100, 100);
    let fails = judge(&[usual, (1, "203.0.113.9", 20, 0)]);
    assert_eq!(fails.verdict, Verdict::Fail);
    assert_eq!(fails.affected, ["example.com"]);
    assert_eq!(fails.details["sources"], json!(["203.0.113.9"]));
    let cases: [&[_]; 4] = [
        // Too few.
        &[usual, (1, "203.0.113.9", 19, 0)],
        // Known for a week.
        &[usual, (8, "203.0.113.9", 1, 0), (1, "203.0.113.9", 20, 0)],
        // Passes.
        &[usual, (1, "203.0.113.9", 20, 20)],
        // Long ago.
        &[usual, (9, "203.0.113.9", 20, 0)],
    ];
    for rows in cases {
        assert_eq!(judge(rows).verdict, Verdict::Pass, "{rows:?}");
    }
    let young = judge(&[(10, "192.0.2.1", 1, 1), (1, "203.0.113.9", 20, 0)]);
    assert_eq!(young.verdict, Verdict::NotEvaluated);
}

#[test]
fn a_rate_five_points_under_the_four_weeks_before_is_a_drop() {
    let judge = |rows: &[_]| verdict(history(rows).alignment_drop("example.com", TODAY));
    let before = (20, "192.0.2.1", 1_000, 990);
    assert_eq!(judge(&[before, (2, "192.0.2.1", 200, 188)]), Verdict::Fail);
    assert_eq!(judge(&[before, (2, "192.0.2.1", 200, 189)]), Verdict::Pass);
    assert_eq!(
        judge(&[before, (2, "192.0.2.1", 199, 0)]),
        Verdict::NotEvaluated
    );
    assert_eq!(judge(&[(2, "192.0.2.1", 500, 0)]), Verdict::NotEvaluated);
    // What lies before the five weeks is not compared with.
    assert_eq!(
        judge(&[(50, "192.0.2.1", 9, 9), (2, "192.0.2.1", 500, 0)]),
        Verdict::NotEvaluated
    );
}

#[test]
fn three_times_the_usual_failures_are_a_spike() {
    let judge = |rows: &[_]| verdict(history(rows).fail_spike("example.com", TODAY));
    let usual = (10, "192.0.2.1", 500, 450);
    assert_eq!(judge(&[usual, (1, "192.0.2.1", 500, 350)]), Verdict::Fail);
    assert_eq!(judge(&[usual, (1, "192.0.2.1", 500, 351)]), Verdict::Pass);
    assert_eq!(judge(&[(1, "192.0.2.1", 500, 0)]), Verdict::NotEvaluated);
}

#[test]
fn three_silent_days_fail_only_where_reports_should_come_here() {
    let judge = |back, ours| {
        verdict(history(&[(back, "192.0.2.1", 1, 1)]).no_reports("example.com", ours, TODAY))
    };
    assert_eq!(judge(4, true), Verdict::Fail);
    assert_eq!(judge(3, true), Verdict::Pass);
    assert_eq!(judge(40, false), Verdict::NotEvaluated);
    let never = History::default().no_reports("example.com", true, TODAY);
    assert_eq!(verdict(never), Verdict::NotEvaluated);
}

#[test]
fn a_selector_that_the_configuration_does_not_name_is_told() {
    let month: Month = serde_json::from_value(json!({
        "rows": month(&[(1, "192.0.2.1", 1, 1)]).rows(), "reports": 1,
        "selectors": {"example.com": {"s1": "2026-11-19", "s2": "2026-11-19", "old": "2026-01-01"}},
    }))
    .unwrap();
    let history = History::of([&month]);
    let known = BTreeSet::from(["s1".to_owned()]);
    let told = history.selector_seen("example.com", &known, TODAY).unwrap();
    assert_eq!(told.verdict, Verdict::Fail);
    assert_eq!(
        told.details["selectors"],
        json!(["s2._domainkey.example.com"])
    );
}
