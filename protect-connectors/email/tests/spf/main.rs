//! SPF against what others say it is.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests may do as tests do"
)]

mod corpus;
mod openspf;
mod pyspf;

use std::sync::Arc;

use protect_core::clock::SystemClock;
use protect_core::dns::{DnsAnswer, DnsFailure};
use protect_core::testing::MapDns;
use protect_email::resolve::Resolver;
use protect_email::spf::{Message, check_host};

#[tokio::test]
async fn every_test_of_the_openspf_suite_gets_a_result_that_the_suite_accepts() {
    let Some(suite) = openspf::suite() else {
        return;
    };
    let mut passed = 0;
    let mut wrong = Vec::new();
    for scenario in &suite {
        for test in &scenario.tests {
            let resolver = Resolver::new(Arc::new(dns(scenario)));
            let message = Message {
                ip: test.ip,
                sender: &test.sender,
                domain: None,
                helo: &test.helo,
                receiver: "receiver.example",
            };
            let decision = check_host(&message, &resolver, &SystemClock::new()).await;
            let said = decision.explanation.as_deref().unwrap_or("DEFAULT");
            let expected = test.explanation.as_deref();
            if test
                .results
                .iter()
                .any(|result| result == decision.result.as_str())
                && expected.is_none_or(|expected| expected == said)
            {
                passed += 1;
            } else {
                wrong.push(format!(
                    "{} / {}: {decision:?}, not {:?} {expected:?}",
                    scenario.description, test.name, test.results
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{passed} passed;\n{}", wrong.join("\n"));
    assert_eq!((suite.len(), passed), (16, 203));
}

/// The zone as a map.
fn dns(scenario: &openspf::Scenario) -> MapDns {
    let dns = MapDns::default();
    for (name, entries) in &scenario.zone {
        for entry in entries {
            match entry {
                openspf::Entry::Record(record) => dns.add(name, record.clone()),
                openspf::Entry::Timeout => {
                    for kind in openspf::missing(entries) {
                        dns.set(name, kind, DnsAnswer::Failed(DnsFailure::Timeout));
                    }
                }
            }
        }
    }
    dns
}
