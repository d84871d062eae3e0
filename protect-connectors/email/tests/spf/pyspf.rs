//! Against `pyspf`, which has been checking mail since 2004.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use protect_core::clock::SystemClock;
use protect_core::dns::DnsLookup;
use protect_email::resolve::Run;
use protect_email::spf::{Decision, Message, check_host};

use crate::corpus::{Case, Corpus};

const RECORDS: usize = 5_000;
const SEED: u64 = 7_208;

/// What pyspf answered, why it may answer so where that is not our answer, and its own words.
type Theirs = (String, Option<String>, String);

#[tokio::test]
async fn no_verdict_of_five_thousand_records_differs_from_pyspf_but_for_listed_reasons() {
    let Some(python) = python() else {
        return;
    };
    let corpus = Corpus::new(SEED, RECORDS);
    let ours = decided(&corpus).await;
    let theirs = ask(&python, &corpus, &ours);
    assert_eq!(theirs.len(), RECORDS);
    let mut by_reason = BTreeMap::new();
    let mut unexplained = Vec::new();
    let mut same = 0;
    for ((case, ours), (result, reason, words)) in corpus.cases.iter().zip(&ours).zip(theirs) {
        if ours.result.as_str() == result {
            same += 1;
        } else if let Some(reason) = reason {
            *by_reason.entry(reason).or_insert(0) += 1;
        } else {
            unexplained.push(told(case, ours, &result, &words));
        }
    }
    println!("{same} of {RECORDS} the same; else {by_reason:#?}");
    let count = unexplained.len();
    unexplained.truncate(40);
    assert!(
        count == 0,
        "{count} unexplained:\n{}",
        unexplained.join("\n")
    );
}

async fn decided(corpus: &Corpus) -> Vec<Decision> {
    let run = Run::new(Arc::new(corpus.dns()) as Arc<dyn DnsLookup>);
    let mut decisions = Vec::new();
    for case in &corpus.cases {
        let message = Message {
            ip: case.ip,
            sender: &case.sender,
            domain: None,
            helo: case.helo,
            receiver: "receiver.example",
        };
        let resolver = run.resolver_with_budget(10_000);
        decisions.push(check_host(&message, &resolver, &SystemClock::new()).await);
    }
    decisions
}

fn told(case: &Case, ours: &Decision, result: &str, words: &str) -> String {
    format!(
        "`{}` from {} for {}:\n  ours {} {:?} {:?}\n  theirs {result}: {words}",
        case.record, case.ip, case.sender, ours.result, ours.problem, ours.matched,
    )
}

fn ask(python: &Path, corpus: &Corpus, ours: &[Decision]) -> Vec<Theirs> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spf/pyspf_oracle.py");
    let mut process = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let document = corpus.document(ours).to_string();
    let mut input = process.stdin.take().unwrap();
    input.write_all(document.as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The interpreter of the test environment; `None`, aloud, where it has no pyspf.
fn python() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let python = target.join(if cfg!(windows) {
        "python/Scripts/python.exe"
    } else {
        "python/bin/python"
    });
    let code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('spf') is None)";
    let ran = Command::new(&python).args(["-c", code]).output();
    if ran.is_ok_and(|ran| ran.status.success()) {
        return Some(python);
    }
    println!("skipped: no pyspf in target/python; `cargo xtask test` installs it");
    None
}
