//! Against `pyspf`, which has been checking mail since 2004.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use protect_core::clock::SystemClock;
use protect_core::dns::DnsLookup;
use protect_email::resolve::Run;
use protect_email::spf::{Decision, Message, Problem, check_host};

use crate::corpus::{Case, Corpus};

const RECORDS: usize = 5_000;
const SEED: u64 = 7_208;

/// What pyspf answered.
struct Theirs {
    result: String,
    words: String,
}

#[tokio::test]
async fn no_verdict_of_five_thousand_records_differs_from_pyspf_but_for_listed_reasons() {
    let corpus = Corpus::new(SEED, RECORDS);
    let Some(theirs) = ask(&corpus) else {
        return;
    };
    let run = Run::new(Arc::new(corpus.dns()) as Arc<dyn DnsLookup>);
    let mut by_reason = BTreeMap::new();
    let mut unexplained = Vec::new();
    let mut same = 0;
    assert_eq!(theirs.len(), RECORDS);
    for (case, theirs) in corpus.cases.iter().zip(theirs) {
        let message = Message {
            ip: case.ip,
            sender: &case.sender,
            domain: None,
            helo: case.helo,
            receiver: "receiver.example",
        };
        let resolver = run.resolver_with_budget(10_000);
        let ours = check_host(&message, &resolver, &SystemClock::new()).await;
        if ours.result.as_str() == theirs.result {
            same += 1;
        } else if let Some(reason) = REASONS.iter().find(|r| (r.holds)(case, &ours, &theirs)) {
            *by_reason.entry(reason.why).or_insert(0) += 1;
        } else {
            unexplained.push(format!(
                "`{}` from {} for {}:\n  ours {} {:?} {:?}\n  theirs {}: {}",
                case.record,
                case.ip,
                case.sender,
                ours.result,
                ours.problem,
                ours.matched,
                theirs.result,
                theirs.words
            ));
        }
    }
    println!("{same} of {RECORDS} the same; {by_reason:#?}");
    let count = unexplained.len();
    unexplained.truncate(40);
    assert!(
        count == 0,
        "{count} unexplained:\n{}",
        unexplained.join("\n")
    );
}

/// Why a verdict may differ.
struct Reason {
    why: &'static str,
    holds: fn(&Case, &Decision, &Theirs) -> bool,
}

const REASONS: &[Reason] = &[];

/// Asks pyspf about all cases; `None`, aloud, where it is not.
fn ask(corpus: &Corpus) -> Option<Vec<Theirs>> {
    let python = python();
    let has = |code: &str| {
        let ran = Command::new(&python).args(["-c", code]).output();
        ran.is_ok_and(|ran| ran.status.success())
    };
    if !has("import importlib.util, sys; sys.exit(importlib.util.find_spec('spf') is None)") {
        println!("skipped: pyspf is not in target/python; `cargo xtask test` installs it");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spf/pyspf_oracle.py");
    let mut process = Command::new(&python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let document = corpus.document().to_string();
    let mut input = process.stdin.take().unwrap();
    input.write_all(document.as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers: Vec<(String, String)> = serde_json::from_slice(&output.stdout).unwrap();
    let answers = answers.into_iter();
    Some(
        answers
            .map(|(result, words)| Theirs { result, words })
            .collect(),
    )
}

/// The interpreter of the test environment.
fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join(if cfg!(windows) {
        "python/Scripts/python.exe"
    } else {
        "python/bin/python"
    })
}
