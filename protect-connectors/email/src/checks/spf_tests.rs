use std::collections::BTreeMap;

use protect_core::dns::{DnsAnswer, DnsFailure, DnsRecord, RecordType};
use protect_core::model::{NotEvaluatedReason, Severity, Verdict};
use protect_core::testing::{self, TestContext};

use crate::name::DomainName;
use crate::{AuditOptions, DomainAudit, audit};

/// A domain with a mail host and this record, and others that it may lead to.
fn zone(record: &str) -> TestContext {
    let test = testing::impatient_context();
    let dns = &test.dns;
    let exchange = "mx.a.example".to_owned();
    let preference = 10;
    dns.add(
        "a.example",
        DnsRecord::Mx {
            preference,
            exchange,
        },
    );
    dns.add("mx.a.example", DnsRecord::A([198, 18, 0, 1].into()));
    dns.set_txt("a.example", &[record]);
    dns.set_txt("b.example", &["v=spf1 ip4:198.18.1.0/24 -all"]);
    dns.set_txt("open.example", &["v=spf1 +all"]);
    dns.set_txt("wrong.example", &["v=spf1 moo"]);
    dns.set_txt("example", &["the registry"]);
    let silent = DnsAnswer::Failed(DnsFailure::Timeout);
    dns.set("silent.example", RecordType::Txt, silent);
    test
}

async fn audited(test: &TestContext) -> DomainAudit {
    let domain = DomainName::parse("a.example").unwrap();
    let options = AuditOptions::default();
    audit(&domain, &options, &test.context, &testing::op())
        .await
        .unwrap()
}

/// The rules of SPF that a domain fails, each with its severity.
async fn fails(test: &TestContext) -> BTreeMap<String, Severity> {
    let audit = audited(test).await;
    let failed = audit.results.iter().filter_map(|result| {
        let name = result.check.as_str().strip_prefix("email.spf.")?;
        (result.verdict == Verdict::Fail).then(|| (name.to_owned(), result.severity))
    });
    failed.collect()
}

#[tokio::test]
async fn each_rule_fails_for_its_own_reason_and_nothing_else() {
    use Severity::{Critical, High, Info, Low, Medium};
    let many = format!("v=spf1 {}-all", "include:b.example ".repeat(11));
    let networks: Vec<_> = (1..40).map(|n| format!("ip4:198.18.{n}.1")).collect();
    let long = format!("v=spf1 {} -all", networks.join(" "));
    for (record, expected) in [
        ("v=spf1 mx -all", vec![]),
        ("v=spf1 mx ~all", vec![("softfail", Info)]),
        ("v=spf1 mx ?all", vec![("neutral_all", High)]),
        ("v=spf1 mx", vec![("neutral_all", High)]),
        ("v=spf1 mx +all", vec![("plus_all", Critical)]),
        ("v=spf1 redirect=open.example", vec![("plus_all", Critical)]),
        (
            "v=spf1 include:open.example -all",
            vec![("plus_all", Critical)],
        ),
        ("v=spf1 moo -all", vec![("syntax", High)]),
        (
            "v=spf1 include:wrong.example -all",
            vec![("include_broken", High)],
        ),
        (
            "v=spf1 include:mx.a.example -all",
            vec![("include_broken", High)],
        ),
        (
            "v=spf1 include:a.example -all",
            vec![("include_broken", High)],
        ),
        (
            "v=spf1 include:spf.gone.example -all",
            vec![("include_dangling", Critical)],
        ),
        ("v=spf1 ptr:b.example -all", vec![("ptr", Low)]),
        ("v=spf1 a:gone.a.example -all", vec![("too_many_void", Low)]),
        (
            "v=spf1 a:x.a.example a:y.a.example a:z.a.example -all",
            vec![("too_many_void", Medium)],
        ),
        ("v=spf1 mx -all mx", vec![("redundant", Low)]),
        ("v=spf1 ip4:8.0.0.0/15 -all", vec![("wide_range", Medium)]),
        ("v=spf1 ip4:10.1.0.0/16 -all", vec![("private_range", Low)]),
        (
            "v=spf1 exists:%{i}.b.example -all",
            vec![("macro_dynamic", Info)],
        ),
        (&many, vec![("redundant", Low), ("too_many_lookups", High)]),
        (&long, vec![("too_long", Medium)]),
    ] {
        let expected: BTreeMap<_, _> = expected
            .into_iter()
            .map(|(name, severity)| (name.to_owned(), severity))
            .collect();
        assert_eq!(fails(&zone(record)).await, expected, "{record}");
    }
}

#[tokio::test]
async fn two_records_and_none_are_told_apart() {
    let two = zone("v=spf1 mx -all");
    two.dns
        .set_txt("a.example", &["v=spf1 mx -all", "v=spf1 -all"]);
    assert_eq!(
        Vec::from_iter(fails(&two).await),
        [("multiple".to_owned(), Severity::High)]
    );
    let none = zone("something else");
    assert_eq!(
        Vec::from_iter(fails(&none).await),
        [("missing".to_owned(), Severity::High)]
    );
    none.dns
        .set_txt("_dmarc.a.example", &["v=DMARC1; p=reject"]);
    assert_eq!(fails(&none).await["missing"], Severity::Medium);
}

#[tokio::test]
async fn what_was_not_answered_is_neither_missing_nor_right() {
    let test = zone("v=spf1 include:silent.example ptr -all");
    let audit = audited(&test).await;
    let of = |check: &str| audit.result(&format!("email.spf.{check}")).unwrap();
    // What is seen is wrong whatever else there is.
    assert_eq!(of("ptr").verdict, Verdict::Fail);
    assert_eq!(of("missing").verdict, Verdict::Pass);
    for check in [
        "too_many_lookups",
        "include_broken",
        "plus_all",
        "too_many_void",
    ] {
        assert_eq!(of(check).verdict, Verdict::NotEvaluated, "{check}");
        assert_eq!(
            of(check).not_evaluated,
            Some(NotEvaluatedReason::VendorError)
        );
    }
    let failed = DnsAnswer::Failed(DnsFailure::ServFail);
    test.dns.set("a.example", RecordType::Txt, failed);
    for result in audited(&test).await.results {
        if result.check.as_str().starts_with("email.spf.") {
            let named = result.check.as_str();
            assert!(
                matches!(
                    result.verdict,
                    Verdict::NotEvaluated | Verdict::NotApplicable
                ),
                "{named}: {:?}",
                result.verdict
            );
        }
    }
}
