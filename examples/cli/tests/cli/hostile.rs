//! What strangers may send or publish: each costs no more than 256 MiB and ten seconds, and is
//! answered by words that name file and place.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use protect_sandbox::DnsServer;
use serde_json::{Value, json};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{Ran, protect_within};

/// All that the process may take, its program and stacks included.
const MEMORY: u64 = 256 << 20;

const PATIENCE: Duration = Duration::from_secs(10);

/// Runs under the limits.
fn run(folder: &Path, words: &[&str]) -> Ran {
    let begun = Instant::now();
    let ran = protect_within(folder, words, MEMORY);
    let took = begun.elapsed();
    assert!(took < PATIENCE, "{words:?} took {took:?}");
    ran
}

/// Reads one file under the limits.
fn read(name: &str, bytes: &[u8]) -> (Value, i32) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let ran = run(folder.path(), &["email", "reports", name, "--json"]);
    (ran.json(), ran.status)
}

/// That a file is refused as a whole, and the words.
fn refused(name: &str, bytes: &[u8]) -> String {
    let (document, status) = read(name, bytes);
    let error = &document["errors"][0];
    assert_eq!(status, 3, "{name}: {document}");
    assert_eq!(document["complete"], false, "{name}");
    assert_eq!(error["file"], name, "{document}");
    let words = [&error["place"], &error["part"], &error["message"]];
    words
        .map(|word| word.as_str().unwrap_or_default())
        .join(" | ")
}

/// A report of one record.
fn report(source: &str, count: &str, begin: &str, author: &str) -> String {
    format!(
        "<feedback><report_metadata><org_name>R</org_name><report_id>1</report_id><date_range>\
         <begin>{begin}</begin><end>1709769599</end></date_range></report_metadata><policy_published>\
         <domain>example.com</domain><p>none</p></policy_published>{}{}</feedback>",
        record(source, count, author),
        record("192.0.2.1", "1", "example.com"),
    )
}

fn record(source: &str, count: &str, author: &str) -> String {
    format!(
        "<record><row><source_ip>{source}</source_ip><count>{count}</count></row><identifiers>\
         <header_from>{author}</header_from></identifiers></record>"
    )
}

fn good() -> String {
    report("192.0.2.7", "1", "1709683200", "example.com")
}

fn gzip(bytes: &[u8], times: usize) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..times {
        gzip.write_all(bytes).unwrap();
    }
    gzip.finish().unwrap()
}

fn archive(entries: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_file_that_is_no_report_is_refused_with_its_name_and_place() {
    let laughs = "<!DOCTYPE feedback [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>\
                  <feedback>&b;</feedback>";
    let inner = archive([("r.xml".to_owned(), good().into_bytes())]);
    let crowd = (0..10_000).map(|n| (format!("{n}.xml"), good().into_bytes()));
    let filler = record("192.0.2.1", "1", "example.com").repeat(1_000);
    for (name, bytes, expected) in [
        (
            "entities.xml",
            laughs.into(),
            "byte 0 |  | not an aggregate report: it has a document type declaration",
        ),
        (
            "bomb.gz",
            gzip(filler.as_bytes(), 30),
            "the document is too long",
        ),
        (
            "crowd.zip",
            archive(crowd),
            "a zip archive of more than 16 entries",
        ),
        (
            "nested.zip",
            archive([("inner.zip".to_owned(), inner)]),
            "entry 1 | a zip archive within a zip archive",
        ),
        ("empty.xml", Vec::new(), "it is empty"),
        (
            "page.xml",
            b"<!doctype html><html><body>Sorry</body></html>".into(),
            "not an aggregate report",
        ),
        (
            "page2.xml",
            b"<html><body>Sorry</body></html>".into(),
            "byte 0 |  | not an aggregate report: it is a web page",
        ),
        (
            "cut.xml",
            b"<feedback><report_metadata><org_n".into(),
            "byte 27 |  | not an aggregate report",
        ),
    ] {
        let words = refused(name, &bytes);
        assert!(words.contains(expected), "{name}: {words}");
    }
}

#[test]
fn a_bomb_is_read_up_to_its_limit_and_said_to_be_one() {
    let head = good().replace("</feedback>", "");
    let filler = record("192.0.2.1", "1", "example.com").repeat(1_000);
    let bomb = [gzip(head.as_bytes(), 1), gzip(filler.as_bytes(), 30)].concat();
    let (document, status) = read("bomb.gz", &bomb);
    assert_eq!(status, 3, "{}", document["errors"]);
    let issues = document["reports"][0]["issues"].to_string();
    assert!(issues.contains("too_long"), "{issues}");
    assert_eq!(document["summary"]["incomplete"], 1);
}

#[test]
fn one_text_of_two_hundred_megabytes_is_not_held() {
    let head = good().replace("</feedback>", "");
    let text = vec![b'a'; 200_000_000];
    let bytes = [head.as_bytes(), b"<extension><x>", &text].concat();
    let (document, status) = read("long.xml", &bytes);
    assert_eq!(status, 3);
    assert_eq!(
        document["reports"][0]["records"].as_array().unwrap().len(),
        2
    );
    let issue = &document["reports"][0]["issues"]["listed"][0];
    assert_eq!(issue["problem"], "too_long", "{issue}");
    let nothing_before = [b"<feedback><x>".as_slice(), &text].concat();
    let words = refused("long.xml", &nothing_before);
    assert!(words.contains("is too long"), "{words}");
}

#[test]
fn one_bad_record_is_listed_with_its_place_and_the_others_are_kept() {
    let begin = "1709683200";
    for (xml, place, problem) in [
        (
            report("192.0.2.7", "99999999999999999999", begin, "example.com"),
            "row/count",
            "not_a_number",
        ),
        (
            report("192.0.2.7", "-1", begin, "example.com"),
            "row/count",
            "not_a_number",
        ),
        (
            report("mail.example.com", "1", begin, "example.com"),
            "row/source_ip",
            "not_an_address",
        ),
        (
            report("192.0.2.7", "1", begin, &"a.".repeat(200)),
            "identifiers/header_from",
            "too_long",
        ),
    ] {
        let (document, status) = read("r.xml", xml.as_bytes());
        assert_eq!(status, 3, "{document}");
        let report = &document["reports"][0];
        assert_eq!(report["records"].as_array().unwrap().len(), 1, "{place}");
        let issue = &report["issues"]["listed"][0];
        assert_eq!(issue["problem"], problem, "{issue}");
        assert_eq!(issue["place"]["element"], place, "{issue}");
        assert_eq!(issue["place"]["record"], 1, "{issue}");
    }
}

#[test]
fn dates_out_of_range_and_cut_off_ends_are_issues_and_the_records_count() {
    let far = report("192.0.2.7", "1", "99999999999999", "example.com");
    let (document, _) = read("far.xml", far.as_bytes());
    let issues = document["reports"][0]["issues"].to_string();
    assert!(issues.contains("out_of_range"), "{issues}");
    assert_eq!(document["summary"]["records"], 2);
    let (cut, _) = good()
        .rsplit_once("<record>")
        .map(|(cut, end)| (cut.to_owned(), end.to_owned()))
        .unwrap();
    let (document, status) = read("cut.xml", cut.as_bytes());
    assert_eq!(status, 3);
    assert_eq!(document["summary"]["records"], 1);
    assert_eq!(
        document["reports"][0]["issues"]["listed"][0]["problem"],
        "ends_early"
    );
}

#[test]
fn a_wrong_character_set_is_said_and_a_look_alike_stays_another_domain() {
    let look_alike = good().replacen(
        "<header_from>example.com",
        "<header_from>ex\u{430}mple.com",
        1,
    );
    let (document, status) = read("homoglyph.xml", look_alike.as_bytes());
    assert_eq!(status, 0);
    let authors = document["reports"][0]["records"].as_array().unwrap();
    assert_eq!(authors[0]["header_from"], "xn--exmple-4nf.com");
    assert_eq!(authors[1]["header_from"], "example.com");
    let wrong = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{}", good());
    let wrong = wrong.replacen(">R<", ">Caf\u{1}<", 1).into_bytes();
    let wrong: Vec<u8> = wrong
        .into_iter()
        .map(|byte| if byte == 1 { 0xe9 } else { byte })
        .collect();
    let (document, _) = read("charset.xml", &wrong);
    assert_eq!(document["reports"][0]["lossy"], true);
    assert_eq!(
        document["reports"][0]["metadata"]["org_name"],
        "Caf\u{fffd}"
    );
}

/// What a domain's owner may publish against whoever looks.
const TRAPS: &str = r#"
ZONE example
include.example       TXT   "v=spf1 include:include.example -all"
round.example         TXT   "v=spf1 include:about.example -all"
about.example         TXT   "v=spf1 include:round.example -all"
redirect.example      TXT   "v=spf1 redirect=redirect.example"
alias.example         CNAME saila.example
saila.example         CNAME alias.example
large.example         FAULT oversize
other.example         FAULT other_question
silent.example        FAULT timeout
"#;

#[tokio::test(flavor = "multi_thread")]
async fn no_zone_makes_an_audit_loop_hang_or_believe() {
    let server = DnsServer::start(TRAPS).await.unwrap();
    let resolver = format!("--resolver={}", server.address());
    let folder = TempDir::new().unwrap();
    for (domain, check, verdict, words) in [
        (
            "include.example",
            "email.spf.include_broken",
            "fail",
            "leads back",
        ),
        (
            "round.example",
            "email.spf.include_broken",
            "fail",
            "leads back",
        ),
        (
            "redirect.example",
            "email.spf.include_broken",
            "fail",
            "leads back",
        ),
        ("alias.example", "email.spf.missing", "not_evaluated", ""),
        ("large.example", "email.spf.missing", "not_evaluated", ""),
        ("other.example", "email.spf.missing", "not_evaluated", ""),
        ("silent.example", "email.spf.missing", "not_evaluated", ""),
    ] {
        let words_of = [
            "email",
            "audit",
            domain,
            &resolver,
            "--timeout=1s",
            "--no-fetch",
            "--json",
        ];
        let ran = run(folder.path(), &words_of);
        let document = ran.json();
        let results = document["results"].as_array().unwrap();
        let result = results.iter().find(|it| it["check"] == check).unwrap();
        assert_eq!(result["verdict"], verdict, "{domain}: {result}");
        assert!(result.to_string().contains(words), "{domain}: {result}");
        if verdict == "not_evaluated" {
            assert_eq!(
                (ran.status, &document["complete"]),
                (3, &json!(false)),
                "{domain}"
            );
        }
    }
    let long = format!("{}example", "a23456789.".repeat(26));
    let ran = run(
        folder.path(),
        &["email", "audit", &long, &resolver, "--json"],
    );
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.out.contains("253"), "{ran:?}");
}
