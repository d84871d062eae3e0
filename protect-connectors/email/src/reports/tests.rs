//! Whole files, as they come and as an attacker would make them.

use std::io::{Cursor, Read, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use protect_core::Error;
use zip::write::SimpleFileOptions;

use super::input::Source;
use super::volumes::{Counts, Month, Volumes};
use super::*;

/// A report of one record.
fn report(id: &str, ip: &str, count: u64) -> String {
    format!(
        "<?xml version=\"1.0\"?><feedback><report_metadata><org_name>R</org_name><report_id>{id}</report_id>\
         <date_range><begin>1709683200</begin><end>1709769599</end></date_range></report_metadata>\
         <policy_published><domain>example.com</domain><p>none</p></policy_published>\
         <record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>\
         <dkim>pass</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from>\
         </identifiers><auth_results><dkim><domain>example.com</domain><selector>s1</selector><result>pass</result>\
         </dkim></auth_results></record></feedback>"
    )
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn zip<'a>(entries: impl IntoIterator<Item = (String, &'a [u8])>) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        archive
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn one(name: &str, bytes: &[u8]) -> Vec<u8> {
    zip([(name.to_owned(), bytes)])
}

/// A message with one attachment.
fn message(kind: &str, bytes: &[u8]) -> Vec<u8> {
    format!(
        "From: a@receiver.example\r\nSubject: Report\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
         <html>Here is your feedback</html>\r\n--b\r\nContent-Type: {kind}\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        BASE64_STANDARD.encode(bytes)
    )
    .into_bytes()
}

fn aggregate(bytes: &[u8]) -> AggregateReport {
    match parse_report(bytes).unwrap() {
        Report::Aggregate(report) => report,
        other => panic!("{other:?}"),
    }
}

/// What is wrong with it, found in time.
fn refused(bytes: &[u8]) -> Error {
    let begun = Instant::now();
    let error = parse_report(bytes).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10), "{error}");
    error
}

#[test]
fn one_report_is_the_same_in_every_wrapping() {
    let xml = report("1", "192.0.2.1", 3);
    let plain = aggregate(xml.as_bytes());
    assert_eq!(plain.records[0].count, 3);
    let gz = gzip(&xml);
    let marked = format!("\u{feff}\r\n{xml}");
    let utf_16: Vec<u8> = format!("\u{feff}{xml}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let inner = message("application/gzip", &gz);
    let nested = [
        b"From: b@example.com\r\nMIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"
            .as_slice(),
        &inner,
    ]
    .concat();
    for bytes in [
        gz.clone(),
        marked.into_bytes(),
        utf_16,
        one("anything.bin", xml.as_bytes()),
        one("report.xml.gz", &gz),
        message("application/octet-stream", &gz),
        message("text/plain", xml.as_bytes()),
        message("image/png", &one("report.xml", xml.as_bytes())),
        inner,
        nested,
    ] {
        assert_eq!(aggregate(&bytes), plain);
    }
}

#[test]
fn a_quoted_report_in_a_message_is_read() {
    let xml = report("1", "192.0.2.1", 3).replace('=', "=3D");
    let message = format!(
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/xml; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n{}",
        xml.replace("><", ">=\r\n<")
    );
    assert_eq!(aggregate(message.as_bytes()).records[0].count, 3);
}

#[test]
fn a_report_that_declares_another_character_set_is_read_in_it() {
    let xml = report("1", "192.0.2.1", 3)
        .replace("\"1.0\"", "\"1.0\" encoding=\"iso-8859-1\"")
        .replace(">R<", ">Caf\u{e9}<");
    let bytes: Vec<u8> = xml
        .chars()
        .map(|it| u8::try_from(u32::from(it)).unwrap())
        .collect();
    let read = aggregate(&bytes);
    assert_eq!(read.head.metadata.org_name, "Café");
    assert!(!read.lossy);
    let wrong = xml.replace("iso-8859-1", "klingon");
    let read = aggregate(wrong.as_bytes());
    assert_eq!(
        read.issues.listed[0].problem,
        issue::Problem::UnknownCharset
    );
}

#[test]
fn a_gzip_bomb_ends_early() {
    struct Zeros(u64);
    impl Read for Zeros {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let read = buffer.len().min(usize::try_from(self.0).unwrap());
            self.0 -= read as u64;
            buffer[..read].fill(b' ');
            Ok(read)
        }
    }
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    bomb.write_all(b"<feedback>").unwrap();
    std::io::copy(&mut Zeros(8 << 20), &mut bomb).unwrap();
    let bomb = bomb.finish().unwrap();
    let error = refused(&bomb);
    // Whichever bound is met first: text without end, or more than two hundred times the size.
    assert!(error.message().contains("too long"), "{error}");
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(b"<feedback>").unwrap();
    let filler = format!("{}<a/>", " ".repeat(100_000)).repeat(10);
    for _ in 0..10 {
        bomb.write_all(filler.as_bytes()).unwrap();
    }
    let error = refused(&bomb.finish().unwrap());
    assert!(
        error.message().contains("too long") || error.message().contains("200 times"),
        "{error}"
    );
}

#[test]
fn an_archive_of_ten_thousand_entries_is_refused() {
    let entries = (0..10_000).map(|n| (format!("{n}.xml"), b"<feedback/>".as_slice()));
    let error = refused(&zip(entries));
    assert!(error.message().contains("more than 16 entries"), "{error}");
}

#[test]
fn an_archive_within_an_archive_is_refused_and_says_where() {
    let inner = one("r.xml", report("1", "192.0.2.1", 3).as_bytes());
    let error = refused(&one("a.zip", &inner));
    assert!(error.message().contains("within a zip archive"), "{error}");
    assert_eq!(error.context(), [("part", "entry 1".to_owned())]);
    let error = refused(&one("a.gz", &gzip(&inner)));
    assert!(error.message().contains("within a zip archive"), "{error}");
}

#[test]
fn containers_are_opened_only_so_deep() {
    let mut bytes = report("1", "192.0.2.1", 3).into_bytes();
    for _ in 0..10 {
        bytes = gzip(&bytes);
    }
    assert!(refused(&bytes).message().contains("too deep"));
}

#[test]
fn one_bad_part_does_not_hide_the_others() {
    let good = report("1", "192.0.2.1", 3);
    let archive = zip([
        ("page.html".to_owned(), b"<html></html>".as_slice()),
        ("empty.xml".to_owned(), b"".as_slice()),
        ("good.xml".to_owned(), good.as_bytes()),
    ]);
    let read = parse_reports(&archive).unwrap();
    assert!(read[0].as_ref().unwrap_err().message().contains("web page"));
    assert!(read[1].as_ref().unwrap_err().message().contains("empty"));
    assert!(read[2].is_ok());
    assert_eq!(read[1].as_ref().unwrap_err().context()[0].1, "entry 2");
}

#[test]
fn damaged_and_foreign_files_say_what_they_are() {
    let xml = report("1", "192.0.2.1", 3);
    let gz = gzip(&xml);
    let archive = one("r.xml", xml.as_bytes());
    for (bytes, why) in [
        (b"".as_slice(), "empty"),
        (b" \r\n\t", "empty"),
        (b"\x89PNG\r\n\x1a\n", "neither XML"),
        (b"just some words", "neither XML"),
        (b"Subject: hello\r\n\r\nNothing here.", "no report"),
        (&gz[..5], "damaged"),
        (&archive[..archive.len() / 2], "damaged zip"),
        (b"{\"policies\": 3}", "not a TLS report"),
        (b"<html><body>", "web page"),
    ] {
        let error = refused(bytes);
        assert!(error.message().contains(why), "{why}: {error}");
    }
}

#[test]
fn a_text_of_two_hundred_megabytes_costs_no_memory() {
    let start = report("1", "192.0.2.1", 3).replace("</feedback>", "<record><row><source_ip>");
    let endless = std::io::repeat(b'1').take(200 << 20);
    let mut reader = aggregate::AggregateReader::new(Cursor::new(start).chain(endless)).unwrap();
    let begun = Instant::now();
    assert_eq!(reader.by_ref().count(), 1);
    assert!(begun.elapsed() < Duration::from_secs(10));
    let last = reader.issues().listed.last().unwrap();
    assert_eq!(last.problem, issue::Problem::TooLong);
    assert!(last.place.to_string().contains("byte "));
}

/// What a reading tells, in short.
fn told(files: &[&[u8]]) -> (Vec<String>, Reading) {
    let mut reading = Reading::default();
    let mut lines = Vec::new();
    for bytes in files {
        reading
            .read(Source::Bytes(bytes), &mut |told| {
                lines.push(match told {
                    Told::Begin { .. } => "begin".to_owned(),
                    Told::Record(record) => record.count.to_string(),
                    Told::End { head, .. } => head.metadata.report_id.clone(),
                    Told::Duplicate { contradicts, .. } => format!("again {contradicts}"),
                    Told::Tls { .. } => "tls".to_owned(),
                    Told::Failure { .. } => "failure".to_owned(),
                    Told::Broken { .. } => "broken".to_owned(),
                });
                Ok(())
            })
            .unwrap();
    }
    (lines, reading)
}

#[test]
fn a_report_counts_once_and_the_first_one_holds() {
    let first = report("1", "192.0.2.1", 3);
    let other = report("1", "192.0.2.1", 900);
    let next = report("2", "192.0.2.1", 4);
    let files = [
        first.as_bytes(),
        &gzip(&first),
        other.as_bytes(),
        next.as_bytes(),
    ];
    let (lines, reading) = told(&files);
    let expected = [
        "begin",
        "3",
        "1",
        "again false",
        "again true",
        "begin",
        "4",
        "2",
    ];
    assert_eq!(lines, expected);
    let tally = reading.tally();
    assert_eq!((tally.reports, tally.records, tally.messages), (2, 2, 7));
    assert_eq!((tally.reports_read, tally.records_read), (4, 4));
    assert_eq!((tally.duplicates, tally.contradictions), (2, 1));
    let summary = summary::summarise(reading.volumes());
    assert_eq!(summary[0].counts.messages, 7);
}

#[test]
fn a_report_whose_head_comes_last_counts_once_too() {
    let xml = report("1", "192.0.2.1", 3);
    let (head, record) = xml.split_once("<record>").unwrap();
    let (_, head) = head.split_once("<feedback>").unwrap();
    let record = record.replace("</feedback>", "");
    let turned = format!("<feedback><record>{record}{head}</feedback>");
    let (lines, reading) = told(&[turned.as_bytes(), xml.as_bytes()]);
    assert_eq!(lines, ["begin", "3", "1", "again false"]);
    assert_eq!(reading.volumes().of("example.com").count(), 1);
}

#[test]
fn the_thirteen_real_files_hold_fourteen_records_of_which_twelve_count() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/rua");
    if !folder.is_dir() {
        println!("skipped: ../shared/data absent");
        return;
    }
    let mut reading = Reading::default();
    for file in folder::files(&folder).unwrap() {
        let file = file.unwrap();
        reading
            .read(Source::File(&file.path), &mut |told| {
                assert!(!matches!(told, Told::Broken { .. }), "{told:?}");
                Ok(())
            })
            .unwrap();
    }
    let tally = reading.tally();
    assert!(tally.is_complete(), "{tally:?}");
    assert_eq!(
        (tally.files, tally.reports_read, tally.records_read),
        (13, 13, 14)
    );
    assert_eq!(
        (tally.reports, tally.records, tally.duplicates),
        (11, 12, 2)
    );
}

#[test]
fn a_tls_report_is_read_with_a_word_or_a_list_of_exchangers() {
    for exchangers in ["\"mx.example.com\"", "[\"mx.example.com\"]"] {
        let json = format!(
            r#"{{"organization-name":"R","date-range":{{"start-datetime":"2026-11-01T00:00:00Z",
            "end-datetime":"2026-11-01T23:59:59Z"}},"contact-info":"tls@receiver.example","report-id":"t1",
            "policies":[{{"policy":{{"policy-type":"sts","policy-string":["version: STSv1"],
            "policy-domain":"Example.com","mx-host":{exchangers}}},"summary":{{
            "total-successful-session-count":5,"total-failure-session-count":2}},"failure-details":[
            {{"result-type":"certificate-expired","sending-mta-ip":"192.0.2.1","failed-session-count":2}}]}}],
            "unknown":1}}"#
        );
        let Report::Tls(report) =
            parse_report(&message("application/tlsrpt+gzip", &gzip(json))).unwrap()
        else {
            panic!("not a TLS report");
        };
        let outcome = &report.policies[0];
        assert_eq!(outcome.policy.policy_domain, "example.com");
        assert_eq!(outcome.policy.mx_host, ["mx.example.com"]);
        assert_eq!(outcome.summary.total_failure_session_count, 2);
        assert_eq!(
            outcome.failure_details[0].result_type,
            "certificate-expired"
        );
    }
}

const FAILURE: &str = "From: <mx@receiver.example>\r\nSubject: FW: spam\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n\
Content-Type: text/plain\r\n\r\nThis is a failure report.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n\
Feedback-Type: auth-failure\r\nVersion: 1\r\nAuth-Failure: dmarc\r\nIdentity-Alignment: none\r\n\
Original-Mail-From: <Jane.Doe@example.com>\r\nSource-IP: [192.0.2.7]\r\nReported-Domain: Example.com\r\n\
Arrival-Date: Thu, 8 Mar 2026 14:00:00 +0000\r\nDKIM-Domain: example.com\r\n\
DKIM-Selector:\r\n s1\r\nDelivery-Result: reject\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
From: Jane <jane.doe@example.com>\r\nTo: secret@victim.example\r\nSubject: payroll\r\n\
Message-ID: <42@example.com>\r\n\r\nMy secret.\r\n--b--\r\n";

#[test]
fn a_failure_report_keeps_what_helps_and_no_person() {
    let Report::Failure(report) = parse_report(FAILURE.as_bytes()).unwrap() else {
        panic!("not a failure report");
    };
    assert_eq!(report.auth_failure.as_deref(), Some("dmarc"));
    assert_eq!(report.identity_alignment, ["none"]);
    assert_eq!(report.source_ip, Some("192.0.2.7".parse().unwrap()));
    assert_eq!(report.reported_domain.as_deref(), Some("example.com"));
    assert_eq!(report.dkim_selector.as_deref(), Some("s1"));
    assert_eq!(report.arrived.unwrap().to_string(), "2026-03-08T14:00:00Z");
    // The same person is the same person, and nobody can read who.
    assert_eq!(report.mail_from, report.header_from);
    assert!(
        report
            .mail_from
            .as_deref()
            .unwrap()
            .ends_with("@example.com")
    );
    let shown = format!("{report:?}{}", serde_json::to_string(&report).unwrap()).to_lowercase();
    for word in ["jane", "secret", "payroll", "victim"] {
        assert!(!shown.contains(word), "{word} in {shown}");
    }
}

fn volumes(files: &[(u8, u8, u64)]) -> Volumes {
    let mut reading = Reading::default();
    for (number, (host, day, count)) in files.iter().enumerate() {
        let begin = 1_709_683_200 + u64::from(*day) * 86_400;
        let xml = report(&number.to_string(), &format!("192.0.2.{host}"), *count)
            .replace("1709683200", &begin.to_string())
            .replace("1709769599", &(begin + 86_399).to_string());
        reading
            .read(Source::Bytes(xml.as_bytes()), &mut |_| Ok(()))
            .unwrap();
    }
    reading.into_volumes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn volumes_merge_alike_in_any_grouping_and_survive_storing(
        parts in proptest::collection::vec(
            proptest::collection::vec((0_u8..4, 0_u8..60, 0_u64..1_000), 0..6), 3)
    ) {
        let [a, b, c] = [&parts[0], &parts[1], &parts[2]].map(|part| volumes(part));
        let merged = |parts: [&Volumes; 3]| {
            let mut sum = Volumes::default();
            for part in parts {
                sum.merge(part.clone());
            }
            sum
        };
        let mut right = b.clone();
        right.merge(c.clone());
        let mut grouped = a.clone();
        grouped.merge(right);
        prop_assert_eq!(&merged([&a, &b, &c]), &grouped);
        prop_assert_eq!(&merged([&c, &a, &b]), &grouped);
        let mut stored = Volumes::default();
        for (domain, months) in grouped.domains() {
            for (name, month) in months {
                let json = serde_json::to_string(month).unwrap();
                stored.add(domain, name, serde_json::from_str(&json).unwrap());
            }
        }
        prop_assert_eq!(stored, grouped);
    }

    #[test]
    fn any_bytes_in_any_wrapping_end_in_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..600), kind in 0..5) {
        let wrapped = match kind {
            0 => bytes,
            1 => gzip(&bytes),
            2 => one("a", &bytes),
            3 => message("application/zip", &bytes),
            _ => [b"PK\x03\x04".as_slice(), &bytes].concat(),
        };
        drop(parse_reports(&wrapped));
    }
}

#[test]
fn sums_that_do_not_fit_stop_at_the_largest_number() {
    let volumes = volumes(&[(1, 0, u64::MAX), (1, 0, 5)]);
    let summary = summary::summarise(&volumes);
    assert_eq!(summary[0].counts.messages, u64::MAX);
}

#[test]
fn an_ipv6_source_is_its_network() {
    let mut reading = Reading::default();
    for (id, ip) in [
        ("1", "2001:db8::1"),
        ("2", "2001:db8::ffff:2"),
        ("3", "2001:db8:0:1::1"),
    ] {
        let xml = report(id, ip, 1);
        reading
            .read(Source::Bytes(xml.as_bytes()), &mut |_| Ok(()))
            .unwrap();
    }
    let months: Vec<&Month> = reading.volumes().of("example.com").collect();
    let sources: Vec<_> = months[0]
        .rows()
        .iter()
        .map(|row| row.source.to_string())
        .collect();
    assert_eq!(sources, ["2001:db8::/64", "2001:db8:0:1::/64"]);
}

#[test]
fn a_selector_is_learnt_only_from_what_passed_and_was_aligned() {
    let good = report("1", "192.0.2.1", 1);
    let cases = [
        (good.clone(), 1),
        (good.replace("<result>pass", "<result>fail"), 0),
        (good.replace("<dkim>pass", "<dkim>fail"), 0),
        (
            good.replace("<dkim><domain>example.com", "<dkim><domain>other.example"),
            0,
        ),
        (
            good.replace(
                "<dkim><domain>example.com",
                "<dkim><domain>news.example.com",
            ),
            1,
        ),
        (good.replace(">s1<", ">a b<"), 0),
        (good.replace(">s1<", ">../../x<"), 0),
        (good.replace(">s1<", ">2026.s1<"), 1),
    ];
    for (xml, learnt) in cases {
        let mut reading = Reading::default();
        reading
            .read(Source::Bytes(xml.as_bytes()), &mut |_| Ok(()))
            .unwrap();
        let month = reading.volumes().of("example.com").next().unwrap();
        assert_eq!(month.selectors().count(), learnt, "{xml}");
    }
}

#[test]
fn a_flood_of_sources_costs_detail_and_no_messages() {
    let mut volumes = Volumes::default();
    let Report::Aggregate(report) = parse_report(report("1", "192.0.2.1", 1).as_bytes()).unwrap()
    else {
        panic!("not an aggregate report");
    };
    let mut into = volumes.report(&report.head).unwrap();
    let mut record = report.records[0].clone();
    let sources = u32::try_from(volumes::ROWS).unwrap() + 10;
    for source in 0..sources {
        record.source_ip = std::net::Ipv4Addr::from_bits(source).into();
        into.add(&record);
    }
    let month = volumes.of("example.com").next().unwrap();
    assert_eq!(month.rows().len(), volumes::ROWS);
    assert_eq!(month.without_source().messages, 10);
    let summary = summary::summarise(&volumes);
    assert_eq!(summary[0].counts.messages, u64::from(sources));
}

#[test]
fn what_a_record_is_follows_from_what_passed() {
    use super::volumes::{SourceClass, classify};
    let Report::Aggregate(report) = parse_report(report("1", "192.0.2.1", 1).as_bytes()).unwrap()
    else {
        panic!("not an aggregate report");
    };
    let passing = report.records[0].clone();
    assert_eq!(classify(&passing), SourceClass::Authorised);
    let mut record = passing.clone();
    record.dkim = Some(aggregate::Aligned::Fail);
    record.dkim_results[0].domain = "amazonses.com".to_owned();
    assert_eq!(classify(&record), SourceClass::OwnMisaligned);
    assert_eq!(Counts::of(&record).relaxed_only, 0);
    // A subdomain's signature is of the house, and strict alignment refuses it.
    record.dkim_results[0].domain = format!("news.{}", record.header_from);
    assert_eq!(classify(&record), SourceClass::OwnMisaligned);
    assert_eq!(Counts::of(&record).relaxed_only, record.count);
    record.dkim_results[0].domain = "list.example.org".to_owned();
    assert_eq!(classify(&record), SourceClass::Forwarder);
    record.dkim_results.clear();
    assert_eq!(classify(&record), SourceClass::Unauthorised);
    record.reasons.push(aggregate::OverrideReason {
        kind: Some(aggregate::OverrideKind::MailingList),
        comment: None,
    });
    assert_eq!(classify(&record), SourceClass::Forwarder);
    assert_eq!(Counts::of(&record).forwarded, 1);
}
