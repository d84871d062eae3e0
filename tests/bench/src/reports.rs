//! Aggregate reports: the same files read by us, by parsedmarc and by `mail-auth`, each as a whole
//! process that prints JSON, on one processor.
//!
//! The peers are installed here: `parsedmarc` from `PyPI` into an environment below the target directory,
//! mail-auth as a package of its own workspace under `peers/`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::measure::{RUNS, count_as_f64, median, python_with, target};
use crate::table::{Row, Table};

const REPORTS: usize = 1_000;
const RECORDS: usize = 50;
/// parsedmarc takes twenty seconds for what takes us a quarter of one.
const SLOW_RUNS: usize = 1;

const PARSEDMARC: &str = "parsedmarc==11.1.0";

pub(crate) fn measure(table: &mut Table) {
    let Some(python) = python_with(PARSEDMARC) else {
        return table.remark("skipped: reports, as parsedmarc could not be installed");
    };
    let folder = tempfile::tempdir().unwrap();
    write_reports(folder.path(), REPORTS);
    let protect = protect();
    let mail_auth = mail_auth();
    let script = peers().join("parsedmarc_peer.py");
    let words = ["email", "reports", "--json"].map(Path::new);
    let ours = run(&python, RUNS, &protect, &words, folder.path());
    let theirs = run(&python, RUNS, &mail_auth, &[], folder.path());
    let slow = run(&python, SLOW_RUNS, &python, &[&script], folder.path());
    let rate = |seconds: f64| count_as_f64(REPORTS * RECORDS) / seconds;
    for (name, peer, target) in [
        ("reports: records beside parsedmarc", slow, "≥ 60 times"),
        ("reports: records beside mail-auth", theirs, "above 1"),
    ] {
        table.row(Row {
            name: name.to_owned(),
            unit: "/s".to_owned(),
            figure: rate(ours.seconds),
            bare: Some(rate(peer.seconds)),
            target: target.to_owned(),
        });
    }
    let many = tempfile::tempdir().unwrap();
    write_reports(many.path(), 4 * REPORTS);
    let four_times = run(&python, 1, &protect, &words, many.path());
    for (name, memory) in [
        ("reports: memory", ours.memory),
        ("reports: memory, four times as many", four_times.memory),
    ] {
        table.row(Row {
            name: name.to_owned(),
            unit: "MiB".to_owned(),
            figure: memory,
            bare: None,
            target: "≤ 32".to_owned(),
        });
    }
    table.remark(
        "reports: 1,000 reports of 50 records, half of them gzip, no source twice; whole processes \
         on one processor, with JSON output. The bare figure is the peer's.",
    );
}

#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    /// MiB.
    memory: f64,
}

/// The median time, and the most memory.
fn run(python: &Path, runs: usize, program: &Path, words: &[&Path], folder: &Path) -> Run {
    let measured: Vec<Run> = (0..runs)
        .map(|_| {
            let output = Command::new(python)
                .arg(peers().join("timed.py"))
                .arg(program)
                .args(words)
                .arg(folder)
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            let text = String::from_utf8(output.stdout).unwrap();
            let mut figures = text.split_whitespace().map(|it| it.parse::<f64>().unwrap());
            let mut next = || figures.next().unwrap();
            Run {
                seconds: next(),
                memory: next() / 1024.0,
            }
        })
        .collect();
    Run {
        seconds: median(measured.iter().map(|run| run.seconds).collect()),
        memory: measured.iter().map(|run| run.memory).fold(0.0, f64::max),
    }
}

fn write_reports(folder: &Path, reports: usize) {
    for number in 0..reports {
        let xml = report(number);
        if number % 2 == 0 {
            fs::write(folder.join(format!("{number}.xml")), xml).unwrap();
            continue;
        }
        let file = fs::File::create(folder.join(format!("{number}.xml.gz"))).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        gzip.write_all(xml.as_bytes()).unwrap();
        gzip.finish().unwrap();
    }
}

/// A report as large receivers write them, with its spaces.
fn report(number: usize) -> String {
    let begin = 1_709_683_200 + (number % 30) * 86_400;
    let end = begin + 86_399;
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<feedback>\n  <report_metadata>\n    \
         <org_name>receiver{org}.example</org_name>\n    <email>dmarc@receiver{org}.example</email>\n    \
         <report_id>{number}</report_id>\n    <date_range>\n      <begin>{begin}</begin>\n      \
         <end>{end}</end>\n    </date_range>\n  </report_metadata>\n  <policy_published>\n    \
         <domain>example.com</domain>\n    <adkim>r</adkim>\n    <aspf>r</aspf>\n    <p>reject</p>\n    \
         <sp>reject</sp>\n    <pct>100</pct>\n  </policy_published>\n",
        org = number % 7
    );
    for record in 0..RECORDS {
        let source = number * RECORDS + record;
        let passes = !source.is_multiple_of(5);
        let verdict = if passes { "pass" } else { "fail" };
        write!(
            xml,
            "  <record>\n    <row>\n      <source_ip>10.{a}.{b}.{c}</source_ip>\n      <count>{count}</count>\n      \
             <policy_evaluated>\n        <disposition>none</disposition>\n        <dkim>{verdict}</dkim>\n        \
             <spf>{verdict}</spf>\n      </policy_evaluated>\n    </row>\n    <identifiers>\n      \
             <header_from>example.com</header_from>\n    </identifiers>\n    <auth_results>\n      <dkim>\n        \
             <domain>example.com</domain>\n        <result>{verdict}</result>\n        <selector>s{selector}</selector>\n      \
             </dkim>\n      <spf>\n        <domain>example.com</domain>\n        <result>{verdict}</result>\n      \
             </spf>\n    </auth_results>\n  </record>\n",
            a = source >> 16,
            b = (source >> 8) & 255,
            c = source & 255,
            count = 1 + source % 90,
            selector = source % 3,
        )
        .unwrap();
    }
    xml.push_str("</feedback>\n");
    xml
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// The reference application, built as a user would.
fn protect() -> PathBuf {
    cargo(&["build", "--release", "-p", "protect-cli"], &target());
    target().join("release/protect")
}

fn mail_auth() -> PathBuf {
    let manifest = peers().join("mail-auth/Cargo.toml");
    let into = target().join("bench/mail-auth");
    let manifest = manifest.to_str().unwrap();
    cargo(
        &[
            "build",
            "--release",
            "--locked",
            "--manifest-path",
            manifest,
        ],
        &into,
    );
    into.join("release/mail-auth-peer")
}

fn cargo(words: &[&str], target: &Path) {
    let status = Command::new(env!("CARGO"))
        .args(words)
        .env("CARGO_TARGET_DIR", target)
        .status()
        .unwrap();
    assert!(status.success(), "cargo {words:?}");
}
