//! The binary against NSD, a name server that this project did not write: every verdict that was
//! planted in its zones must come out.
//!
//! NSD has no way to leave a question unanswered, so silence comes from a relay in front of it that
//! passes packets on as they are and drops those about names below `silent`. SERVFAIL is NSD's own:
//! a zone that it is told of and whose file does not exist.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "helpers of tests stand outside of test functions, and ask whether this is CI"
)]

mod planted;
mod relay;
mod server;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;

use planted::Planted;
use serde_json::Value;

/// The audits of these domains, by the name server at an address.
fn audits(domains: &[String], server: SocketAddr) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_protect"));
    command
        .env_clear()
        .args(["email", "audit", "--json", "--no-fetch"]);
    command
        .args(["--resolver", &server.to_string()])
        .args(domains);
    let ran = command.output().unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    let audits: Vec<Value> = match domains {
        [_] => vec![serde_json::from_str(&out).unwrap()],
        _ => out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    };
    assert_eq!(
        audits.len(),
        domains.len(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    audits
}

fn checks(audit: &Value, verdict: &str) -> BTreeSet<String> {
    let results = audit["results"].as_array().unwrap().iter();
    let of_it = results.filter(|result| result["verdict"] == verdict);
    of_it
        .map(|result| result["check"].as_str().unwrap().to_owned())
        .collect()
}

/// What did not answer, as opposed to what needs reports or settings.
fn unanswered(audit: &Value) -> BTreeSet<String> {
    let results = audit["results"].as_array().unwrap().iter();
    let of_it = results.filter(|result| result["not_evaluated"] == "vendor_error");
    of_it
        .map(|result| result["check"].as_str().unwrap().to_owned())
        .collect()
}

fn set(checks: &[&str]) -> BTreeSet<String> {
    checks
        .iter()
        .map(|check| format!("email.{check}"))
        .collect()
}

/// Compares every domain and reports all differences at once.
fn compare(planted: &[Planted], audits: &[Value]) {
    let mut differences = Vec::new();
    for (planted, audit) in planted.iter().zip(audits) {
        assert_eq!(audit["domain"], planted.domain());
        let (failed, expected) = (checks(audit, "fail"), set(&planted.fails));
        if failed != expected {
            differences.push(format!(
                "{}: planted {expected:?}, found {failed:?}",
                planted.domain()
            ));
        }
        let unanswered = unanswered(audit);
        let missing: Vec<_> = set(&planted.unanswered)
            .difference(&unanswered)
            .cloned()
            .collect();
        if !missing.is_empty() || (planted.unanswered.is_empty() && !unanswered.is_empty()) {
            differences.push(format!("{}: unanswered {unanswered:?}", planted.domain()));
        }
        let complete = audit["complete"].as_bool();
        // In a stream each line is the model itself.
        if complete != Some(planted.unanswered.is_empty()) {
            differences.push(format!("{}: complete {complete:?}", planted.domain()));
        }
        if let Some(score) = planted.score
            && audit["score"]["total"] != score
        {
            differences.push(format!("{}: score {}", planted.domain(), audit["score"]));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn every_verdict_planted_in_the_zones_of_nsd_comes_out() {
    let Some(nsd) = server::Nsd::start(&planted::zone(&planted::all())) else {
        return;
    };
    let planted = planted::answered();
    assert!(planted.len() >= 60, "{}", planted.len());
    let domains: Vec<_> = planted.iter().map(Planted::domain).collect();
    compare(&planted, &audits(&domains, nsd.address()));
}

#[test]
fn what_nsd_fails_to_answer_and_what_never_arrives_is_unknown_and_never_missing() {
    let Some(nsd) = server::Nsd::start(&planted::zone(&planted::all())) else {
        return;
    };
    let relay = relay::Relay::start(nsd.address(), planted::SILENT);
    let planted = planted::unanswered();
    let domains: Vec<_> = planted.iter().map(Planted::domain).collect();
    let audits = audits(&domains, relay.address());
    compare(&planted, &audits);
    for audit in &audits {
        assert_eq!(audit["score"]["total"], Value::Null, "{}", audit["domain"]);
    }
}

#[test]
fn one_domain_is_one_document() {
    let Some(nsd) = server::Nsd::start(&planted::zone(&planted::all())) else {
        return;
    };
    let audit = &audits(&["example.com".to_owned()], nsd.address())[0];
    assert_eq!(audit["score"]["total"], 100, "{audit:#}");
    assert_eq!(audit["complete"], true);
    assert_eq!(checks(audit, "fail"), BTreeSet::new());
}
