use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use protect_core::connector::ConnectorInfo;
use protect_core::dns::{DnsAnswer, DnsFailure, DnsLookup, DnsRecord, RecordType};
use protect_core::model::{Verdict, WatchList};
use protect_core::registry::ConnectorSetup;
use protect_core::testing::{self, TestContext, contract};
use serde_json::json;

use super::*;
use crate::EmailConnector;

/// A report of one day about `b.example`: a hundred messages that pass, signed with `mail2026`.
const REPORT: &str = r#"<?xml version="1.0"?><feedback>
<report_metadata><org_name>Receiver</org_name><email>r@receiver.example</email>
<report_id>1</report_id><date_range><begin>1767139200</begin><end>1767225599</end></date_range></report_metadata>
<policy_published><domain>b.example</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.7</source_ip><count>100</count>
<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row>
<identifiers><header_from>b.example</header_from></identifiers>
<auth_results><dkim><domain>b.example</domain><selector>mail2026</selector><result>pass</result></dkim>
<spf><domain>b.example</domain><result>pass</result></spf></auth_results></record></feedback>"#;

fn world() -> TestContext {
    let test = testing::impatient_context();
    for domain in ["b.example", "c.example"] {
        test.dns.add(
            domain,
            DnsRecord::Mx {
                preference: 10,
                exchange: format!("mx.{domain}"),
            },
        );
        test.dns.set_txt(domain, &["v=spf1 mx ?all"]);
        test.dns
            .add(&format!("mx.{domain}"), DnsRecord::A([192, 0, 2, 1].into()));
        test.dns
            .set_txt(&format!("_dmarc.{domain}"), &["v=DMARC1; p=none"]);
    }
    test
}

fn watched(domains: &[&str]) -> Arc<WatchList> {
    Arc::new(WatchList {
        domains: domains.iter().map(|&name| name.to_owned()).collect(),
        addresses: Vec::new(),
    })
}

fn connector(test: &TestContext, settings: &Value) -> EmailConnector {
    let setup = ConnectorSetup {
        info: ConnectorInfo {
            kind: crate::KIND.to_owned(),
            name: "mail".parse().unwrap(),
            tenant: "acme".parse().unwrap(),
        },
        connection: None,
        settings: settings.as_object().unwrap().clone(),
    };
    EmailConnector::new(setup, &test.context).unwrap()
}

/// State in memory.
#[derive(Debug, Default)]
struct Kept(BTreeMap<String, Value>);

#[async_trait]
impl ScanState for Kept {
    async fn get(&self, keys: &[String]) -> Result<BTreeMap<String, Value>> {
        let found = keys
            .iter()
            .filter_map(|key| Some((key.clone(), self.0.get(key)?.clone())));
        Ok(found.collect())
    }
}

/// A whole run, with what it stores kept.
async fn run(connector: &EmailConnector, state: &mut Kept, domains: &[&str]) -> Vec<ScanPage> {
    use protect_core::connector::Connector as _;
    let watched = watched(domains);
    let mut pages: Vec<ScanPage> = Vec::new();
    loop {
        let request = ScanRequest {
            cursor: pages.last().and_then(|page| page.cursor.as_ref()),
            starts_run: pages.is_empty(),
            watched: &watched,
            others: &[],
            state,
            forced: true,
        };
        let scanner = connector.as_scanner().unwrap();
        let page = scanner.scan(&testing::op(), request).await.unwrap();
        for (key, value) in page.state.clone() {
            match value {
                Some(value) => state.0.insert(key, value),
                None => state.0.remove(&key),
            };
        }
        let more = page.more;
        pages.push(page);
        if !more {
            return pages;
        }
    }
}

fn found(pages: &[ScanPage], domain: &str) -> BTreeSet<String> {
    let seen = pages.iter().flat_map(|page| &page.observations);
    let of_it = seen.filter(|seen| seen.subject.id == domain);
    of_it.map(|seen| seen.check.to_string()).collect()
}

#[tokio::test]
async fn the_contracts_of_a_connector_and_of_a_scanner_hold() {
    let test = world();
    let connector = connector(&test, &json!({}));
    contract::connector(&connector, &testing::op(), &[]).await;
    let watched = watched(&["b.example", "c.example", "not a domain"]);
    let seen = contract::scanner(&connector, &testing::op(), &watched).await;
    assert!(
        seen.iter()
            .any(|seen| seen.check.as_str() == "email.dmarc.policy_none")
    );
}

#[tokio::test]
async fn domains_come_side_by_side_so_many_a_page_and_what_is_no_domain_is_listed() {
    let test = world();
    let connector = connector(&test, &json!({}));
    let many: Vec<_> = (0..DOMAINS).map(|n| format!("d{n}.example")).collect();
    let mut watched = vec!["b.example", "a b"];
    watched.extend(many.iter().map(String::as_str));
    watched.push("c.example");
    let pages = run(&connector, &mut Kept::default(), &watched).await;
    assert_eq!(pages.len(), 2);
    assert_eq!(pages[0].rejected.len(), 1);
    assert_eq!(pages[0].rejected[0].place, "domains[1]");
    assert!(found(&pages[..1], "b.example").contains("email.spf.neutral_all"));
    assert!(found(&pages[1..], "c.example").contains("email.spf.neutral_all"));
    for domain in &many {
        assert!(found(&pages, domain).contains("email.dmarc.missing"));
    }
}

#[tokio::test]
async fn a_record_that_is_worth_nothing_is_weak_and_only_none_at_all_is_missing() {
    let standing = async |records: &[&str]| {
        let test = world();
        test.dns.set_txt("b.example", records);
        let mut state = Kept::default();
        run(&connector(&test, &json!({})), &mut state, &["b.example"]).await;
        state.0["score:b.example"]["spf"].clone()
    };
    for (records, wanted) in [
        (&["v=spf1 mx -all"][..], "right"),
        (&["v=spf1 mx ?all"], "weak"),
        (&["v=spf1 +all"], "weak"),
        (&["v=spf1 mx -all", "v=spf1 -all"], "weak"),
        (&["v=spf1 frobnicate -all"], "weak"),
        (&["hello"], "missing"),
    ] {
        assert_eq!(standing(records).await, wanted, "{records:?}");
    }
}

#[tokio::test]
async fn a_key_that_verifies_nothing_is_weak_and_one_that_was_withdrawn_is_missing() {
    for (key, wanted) in [
        ("v=DKIM1; k=rsa; p=AAAA", "weak"),
        ("v=DKIM1; k=rsa; p=", "missing"),
    ] {
        let test = world();
        test.dns.set_txt("mail2026._domainkey.b.example", &[key]);
        let mut state = Kept::default();
        let connector = connector(&test, &json!({ "selectors": ["mail2026"] }));
        run(&connector, &mut state, &["b.example"]).await;
        assert_eq!(state.0["score:b.example"]["dkim"], wanted, "{key}");
    }
}

/// Every question takes a while, as over a network.
#[derive(Debug)]
struct Far(Arc<dyn DnsLookup>);

#[async_trait]
impl DnsLookup for Far {
    async fn query(&self, name: &str, kind: RecordType) -> DnsAnswer {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        self.0.query(name, kind).await
    }
}

#[tokio::test(start_paused = true)]
async fn ten_domains_take_no_longer_than_one() {
    let mut test = world();
    test.context.dns = Arc::new(Far(Arc::clone(&test.context.dns)));
    let connector = connector(&test, &json!({}));
    let many: Vec<_> = (0..10).map(|n| format!("d{n}.example")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let mut took = Vec::new();
    for domains in [&many[..1], &many] {
        let began = tokio::time::Instant::now();
        run(&connector, &mut Kept::default(), domains).await;
        took.push(began.elapsed());
    }
    assert!(took[1] < took[0] * 2, "{took:?}");
}

#[tokio::test]
async fn what_dns_does_not_answer_opens_nothing_and_resolves_nothing() {
    let test = world();
    let connector = connector(&test, &json!({}));
    let failed = DnsAnswer::Failed(DnsFailure::Timeout);
    for name in ["_dmarc.b.example", "b.example"] {
        test.dns.set(name, RecordType::Txt, failed.clone());
    }
    let pages = run(&connector, &mut Kept::default(), &["b.example"]).await;
    let evaluated: BTreeSet<_> = pages[0]
        .evaluated
        .iter()
        .map(|it| it.check.to_string())
        .collect();
    for check in [
        "email.dmarc.missing",
        "email.dmarc.policy_none",
        "email.spf.missing",
    ] {
        assert!(!evaluated.contains(check), "{check} was evaluated");
        assert!(
            !found(&pages, "b.example").contains(check),
            "{check} was found"
        );
    }
    let verdicts = &pages[0].verdicts;
    let missing = verdicts
        .iter()
        .find(|v| v.check.as_str() == "email.dmarc.missing");
    assert_eq!(missing.unwrap().verdict, Verdict::NotEvaluated);
}

#[tokio::test]
async fn a_key_that_two_domains_share_is_found_from_the_second_run_on() {
    let test = world();
    let key = format!("v=DKIM1; p={}", crate::dkim::testing::RSA_2048);
    for domain in ["b.example", "c.example"] {
        test.dns
            .set_txt(&format!("default._domainkey.{domain}"), &[&key]);
    }
    let connector = connector(&test, &json!({}));
    let mut state = Kept::default();
    run(&connector, &mut state, &["b.example", "c.example"]).await;
    let pages = run(&connector, &mut state, &["b.example", "c.example"]).await;
    for domain in ["b.example", "c.example"] {
        assert!(
            found(&pages, domain).contains("email.dkim.shared_key"),
            "{domain}"
        );
    }
}

#[tokio::test]
async fn reports_are_read_once_and_teach_selectors() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.xml"), REPORT).unwrap();
    std::fs::write(folder.path().join("again.xml"), REPORT).unwrap();
    std::fs::write(folder.path().join("broken.xml"), "<html>").unwrap();
    let test = world();
    let key = format!("v=DKIM1; p={}", crate::dkim::testing::RSA_2048);
    test.dns.set_txt("mail2026._domainkey.b.example", &[&key]);
    let settings = json!({ "reports": folder.path() });
    let connector = connector(&test, &settings);
    let mut state = Kept::default();
    // The report is of the day before this clock begins, or it would teach nothing any more.
    let pages = run(&connector, &mut state, &["b.example"]).await;
    assert_eq!(pages[0].rejected.len(), 1, "{:?}", pages[0].rejected);
    let months: Vec<_> = state
        .0
        .keys()
        .filter(|key| key.starts_with("month:"))
        .collect();
    assert_eq!(months, ["month:b.example:2025-12"]);
    let month = &state.0["month:b.example:2025-12"];
    assert_eq!(month["rows"][0]["messages"], 100, "{month}");
    let seen = found(&pages, "b.example");
    assert!(
        !seen.contains("email.dkim.not_found"),
        "the selector was learnt: {seen:?}"
    );
    assert!(seen.contains("email.rua.selector_seen"), "{seen:?}");
    let before = state.0.clone();
    run(&connector, &mut state, &["b.example"]).await;
    assert_eq!(
        state.0["month:b.example:2025-12"],
        before["month:b.example:2025-12"]
    );
}

#[tokio::test]
async fn a_folder_is_read_on_a_thread_of_its_own() {
    use protect_core::connector::Connector as _;
    let folder = tempfile::tempdir().unwrap();
    for number in 0..200 {
        std::fs::write(folder.path().join(format!("{number}.xml")), REPORT).unwrap();
    }
    let test = world();
    let connector = connector(&test, &json!({ "reports": folder.path() }));
    let (watched, state) = (watched(&["b.example"]), Kept::default());
    let request = ScanRequest {
        cursor: None,
        starts_run: true,
        watched: &watched,
        others: &[],
        state: &state,
        forced: true,
    };
    let op = testing::op();
    let mut page = connector.as_scanner().unwrap().scan(&op, request);
    // This runtime has one thread: were the files read on it, the page would be there at once.
    assert!(futures::poll!(&mut page).is_pending());
    assert!(page.await.unwrap().more);
}

#[tokio::test]
async fn reports_about_a_domain_that_nobody_watches_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.xml"), REPORT).unwrap();
    let test = world();
    let connector = connector(&test, &json!({ "reports": folder.path() }));
    let mut state = Kept::default();
    run(&connector, &mut state, &["c.example"]).await;
    assert!(!state.0.keys().any(|key| key.starts_with("month:")));
}
