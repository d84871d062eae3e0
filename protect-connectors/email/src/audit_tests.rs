use protect_core::dns::{DnsAnswer, DnsFailure, DnsRecord, RecordType};
use protect_core::model::NotEvaluatedReason;
use protect_core::testing::{self, Expectation, TestContext};

use super::*;
use crate::checks::SeenInReports;
use crate::dkim::testing::{RSA_1024, RSA_2048, rsa};

const FAILED: DnsAnswer = DnsAnswer::Failed(DnsFailure::ServFail);

fn mx(test: &TestContext, domain: &str, exchange: &str) {
    test.dns.add(
        domain,
        DnsRecord::Mx {
            preference: 10,
            exchange: exchange.to_owned(),
        },
    );
}

/// A domain with nothing wrong.
fn good() -> TestContext {
    let test = testing::impatient_context();
    let dns = &test.dns;
    mx(&test, "b.example", "mx.b.example");
    dns.set_txt("b.example", &["v=spf1 mx -all"]);
    dns.add("mx.b.example", DnsRecord::A([192, 0, 2, 1].into()));
    dns.set_txt(
        "_dmarc.b.example",
        &["v=DMARC1; p=reject; rua=mailto:d@b.example"],
    );
    dns.set_txt(
        "mail2026._domainkey.b.example",
        &[&format!("v=DKIM1; p={RSA_2048}")],
    );
    dns.set_txt("_mta-sts.b.example", &["v=STSv1; id=1"]);
    dns.add("mta-sts.b.example", DnsRecord::A([192, 0, 2, 2].into()));
    dns.set_txt(
        "_smtp._tls.b.example",
        &["v=TLSRPTv1; rua=mailto:t@b.example"],
    );
    let policy = "version: STSv1\nmode: enforce\nmx: mx.b.example\nmax_age: 604800\n";
    let answer = Expectation::new(http::Method::GET, "/.well-known/mta-sts.txt");
    test.transport
        .expect(answer.answer_bytes(200, "text/plain", policy).always());
    test
}

fn options() -> AuditOptions {
    AuditOptions {
        selectors: vec!["mail2026".to_owned()],
        ..AuditOptions::default()
    }
}

async fn audited(test: &TestContext, options: &AuditOptions) -> DomainAudit {
    let domain = DomainName::parse("b.example").unwrap();
    audit(&domain, options, &test.context, &testing::op())
        .await
        .unwrap()
}

fn wrong(audit: &DomainAudit) -> Vec<&str> {
    let wrong = audit.wrong();
    wrong.iter().map(|result| result.check.as_str()).collect()
}

#[tokio::test]
async fn a_domain_with_nothing_wrong_has_full_marks_and_nothing_to_publish() {
    let audit = audited(&good(), &options()).await;
    assert_eq!(wrong(&audit), [] as [&str; 0]);
    assert_eq!(
        (audit.score.total, audit.transport_score.total),
        (Some(100), Some(100))
    );
    assert_eq!(audit.proposals, []);
    assert!(audit.complete);
}

#[tokio::test]
async fn every_part_of_the_score_adds_up_to_a_hundred() {
    let audit = audited(&good(), &options()).await;
    for score in [&audit.score, &audit.transport_score] {
        let of: u32 = score.parts.iter().map(|part| u32::from(part.of)).sum();
        assert_eq!(of, 100);
    }
}

#[tokio::test]
async fn a_failure_of_dns_is_never_missing_opens_nothing_and_leaves_no_score() {
    for (name, kind, check) in [
        ("_dmarc.b.example", RecordType::Txt, "email.dmarc.missing"),
        (
            "_mta-sts.b.example",
            RecordType::Txt,
            "email.mta_sts.missing",
        ),
        (
            "_smtp._tls.b.example",
            RecordType::Txt,
            "email.tls_rpt.missing",
        ),
        (
            "mail2026._domainkey.b.example",
            RecordType::Txt,
            "email.dkim.not_found",
        ),
        ("b.example", RecordType::Mx, "email.tls_rpt.missing"),
    ] {
        let test = good();
        test.dns.set(name, kind, FAILED);
        let audit = audited(&test, &options()).await;
        let result = audit.result(check).unwrap();
        assert_eq!(result.verdict, Verdict::NotEvaluated, "{name}: {result:?}");
        assert_eq!(result.not_evaluated, Some(NotEvaluatedReason::VendorError));
        assert_eq!(wrong(&audit), [] as [&str; 0], "{name}");
        assert!(!audit.complete);
        let none = audit.score.total.is_none() || audit.transport_score.total.is_none();
        assert!(none, "{name}: a guess");
    }
}

#[tokio::test]
async fn an_unreachable_policy_host_is_unknown_and_a_missing_one_is_wrong() {
    let test = good();
    test.dns.set("mta-sts.b.example", RecordType::A, FAILED);
    let audit = audited(&test, &options()).await;
    let policy = audit.result("email.mta_sts.policy").unwrap();
    assert_eq!(policy.verdict, Verdict::NotEvaluated);
    test.dns
        .set("mta-sts.b.example", RecordType::A, DnsAnswer::NoName);
    let audit = audited(&test, &options()).await;
    assert_eq!(wrong(&audit), ["email.mta_sts.policy"]);
}

#[tokio::test]
async fn an_empty_domain_gets_records_for_everything_and_no_jump() {
    let test = testing::impatient_context();
    mx(&test, "b.example", "mx.b.example");
    let audit = audited(&test, &AuditOptions::default()).await;
    let proposed: Vec<_> = audit
        .proposals
        .iter()
        .map(|proposal| (proposal.name.as_str(), proposal.value.as_str()))
        .collect();
    assert!(proposed.contains(&(
        "_dmarc.b.example",
        "v=DMARC1; p=none; np=reject; rua=mailto:dmarc-reports@b.example"
    )));
    assert!(proposed.contains(&(
        "_smtp._tls.b.example",
        "v=TLSRPTv1; rua=mailto:tls-reports@b.example"
    )));
    let names: Vec<_> = proposed.iter().map(|(name, _)| *name).collect();
    assert!(names.contains(&"_mta-sts.b.example"), "{names:?}");
    assert!(
        names.contains(&"protect1._domainkey.b.example"),
        "{names:?}"
    );
    assert!(audit.score.total.unwrap() <= 40, "capped without DMARC");
    let dkim = audit.result("email.dkim.not_found").unwrap();
    assert_eq!(dkim.confidence, protect_core::model::Confidence::Low);
    assert!(!dkim.reason.contains("missing"));
}

#[tokio::test]
async fn weak_revoked_tested_and_shared_keys_are_each_said() {
    let test = good();
    let set = |selector: &str, text: &str| {
        let name = format!("{selector}._domainkey.b.example");
        test.dns.set_txt(&name, &[text]);
    };
    set("default", &format!("p={}", rsa(512, false)));
    set("k1", &format!("p={RSA_1024}; t=y"));
    set("k2", "v=DKIM1; p=");
    set("s1", &format!("v=DKIM1; p={RSA_2048}"));
    set("s2", "v=DKIM1; k=rsa");
    set("mail", &format!("v=DKIM1; h=sha1; p={}", rsa(2_049, false)));
    set("smtp", &format!("v=DKIM1; p={}", rsa(8_192, true)));
    let options = AuditOptions {
        guess: Guess::All,
        ..options()
    };
    let audit = audited(&test, &options).await;
    assert_eq!(
        wrong(&audit),
        [
            "email.dkim.key_weak",
            "email.dkim.key_invalid",
            "email.dkim.sha1_only",
            "email.dkim.key_1024",
            "email.dkim.shared_key",
            "email.dkim.key_long",
            "email.dkim.testing",
            "email.dkim.revoked",
        ]
    );
    let rewritten = audit
        .proposals
        .iter()
        .find(|p| p.name.starts_with("mail._"));
    assert!(!rewritten.unwrap().value.contains("h="));
}

#[tokio::test]
async fn with_a_wildcard_nothing_is_guessed() {
    let test = good();
    let name = DomainName::parse("_domainkey.b.example").unwrap();
    // The map has no wildcards, so the label that would be made is set.
    let mut bytes = [0; 8];
    let random = protect_core::testing::SeededRandom::new(1);
    protect_core::context::Random::fill(&random, &mut bytes);
    let label = format!("{:016x}.{name}", u64::from_le_bytes(bytes));
    test.dns.set_txt(&label, &[&format!("p={RSA_2048}")]);
    let audit = audited(&test, &options()).await;
    assert_eq!(wrong(&audit), ["email.dkim.wildcard"]);
    assert_eq!(audit.dkim.asked, ["mail2026"]);
}

#[tokio::test]
async fn guesses_end_where_a_key_was_found_and_what_was_not_asked_is_said() {
    let key = format!("v=DKIM1; p={RSA_2048}");
    let found = async |there: &[&str], guess| {
        let test = good();
        for selector in there {
            let name = format!("{selector}._domainkey.b.example");
            test.dns.set_txt(&name, &[&key]);
        }
        let options = AuditOptions {
            guess,
            ..AuditOptions::default()
        };
        let dkim = audited(&test, &options).await.dkim;
        let live = dkim.live().map(|(at, _)| at.candidate.selector.clone());
        (
            live.collect::<Vec<_>>(),
            dkim.asked.len(),
            dkim.left_out.len(),
        )
    };
    let until = Guess::UntilFound;
    // The second of a pair is asked for where the first was found.
    let pair = (vec!["s1".to_owned(), "s2".to_owned()], 9, 11);
    assert_eq!(found(&["s1", "s2", "mx"], until).await, pair);
    // Nothing under the usual names: the others are asked for.
    let (live, asked, left_out) = found(&["mx"], until).await;
    assert_eq!((live, asked, left_out), (vec!["mx".to_owned()], 20, 0));
    let (live, asked, _) = found(&["s1", "mx"], Guess::All).await;
    assert_eq!((live.len(), asked), (2, 20));
    assert_eq!(found(&["s1"], Guess::Never).await, (Vec::new(), 0, 0));
}

#[tokio::test]
async fn many_domains_ask_what_they_share_once_and_come_in_order() {
    let test = good();
    mx(&test, "c.example", "mx.b.example");
    let domains = ["b.example", "c.example", "d.example"];
    let domains: Vec<_> = domains.map(|name| DomainName::parse(name).unwrap()).into();
    let (options, op) = (options(), testing::op());
    let audits: Vec<_> = audit_all(domains.clone(), &options, &test.context, &op)
        .map(|audit| audit.unwrap().domain)
        .collect()
        .await;
    assert_eq!(audits, domains);
    let top = ("_dmarc.example".to_owned(), RecordType::Txt);
    let asked = test.dns.asked();
    assert_eq!(asked.iter().filter(|question| **question == top).count(), 1);
}

#[tokio::test]
async fn a_long_monitoring_phase_is_worse_than_a_short_one() {
    let test = good();
    test.dns.set_txt(
        "_dmarc.b.example",
        &["v=DMARC1; p=none; rua=mailto:d@b.example"],
    );
    let now = test.context.clock.now();
    for (days, severity) in [(89, Severity::Medium), (91, Severity::High)] {
        let since = now - jiff::SignedDuration::from_hours(days * 24);
        let mut options = options();
        options.known.monitoring_since = Some(since);
        let audit = audited(&test, &options).await;
        assert_eq!(
            audit.result("email.dmarc.policy_none").unwrap().severity,
            severity
        );
        assert!(audit.score.total.unwrap() <= 65);
    }
}

#[tokio::test]
async fn strict_alignment_is_wrong_only_where_reports_show_own_mail_that_it_refuses() {
    let test = good();
    test.dns.set_txt(
        "_dmarc.b.example",
        &["v=DMARC1; p=reject; adkim=s; rua=mailto:dmarc@b.example"],
    );
    let verdict = async |relaxed_only: Option<u64>| {
        let mut options = options();
        options.known.reports = relaxed_only.map(|relaxed_only| SeenInReports {
            relaxed_only,
            by_dkim: 10,
            ..SeenInReports::default()
        });
        let audit = audited(&test, &options).await;
        let result = audit.result("email.dmarc.strict_alignment").unwrap();
        (result.verdict, result.not_evaluated)
    };
    let no_reports = Some(NotEvaluatedReason::NoObservation);
    assert_eq!(verdict(None).await, (Verdict::NotEvaluated, no_reports));
    assert_eq!(verdict(Some(0)).await, (Verdict::Pass, None));
    assert_eq!(verdict(Some(3)).await, (Verdict::Fail, None));
}

#[tokio::test]
async fn the_models_cross_as_json_and_come_back() {
    let audit = audited(&good(), &options()).await;
    let json = serde_json::to_value(&audit).unwrap();
    assert_eq!(json["dmarc"]["steps"][0]["record"]["p"], "reject");
    let again: DomainAudit = serde_json::from_value(json).unwrap();
    assert_eq!(again, audit);
}

#[test]
fn a_public_suffix_is_not_audited() {
    assert_eq!(auditable("B.example.").unwrap().as_str(), "b.example");
    for suffix in ["co.uk", "com", "localhost", ""] {
        assert!(auditable(suffix).is_err(), "{suffix}");
    }
}
