use proptest::prelude::*;
use protect_core::{ErrorKind, Result};

use super::*;
use crate::reports::issue::{Issues, Problem};
use crate::reports::limits;

const METADATA: &str = "<report_metadata><org_name>Receiver</org_name><email>dmarc@receiver.example</email>\
    <report_id>r-1</report_id><date_range><begin>1709683200</begin><end>1709769599</end></date_range></report_metadata>";
const POLICY: &str = "<policy_published><domain>Example.COM</domain><adkim>r</adkim><aspf>S</aspf>\
    <p>Quarantine</p><sp>none</sp><np>reject</np><pct>50</pct><testing>y</testing>\
    <discovery_method>treewalk</discovery_method></policy_published>";

fn record(ip: &str, count: &str) -> String {
    format!(
        "<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>\
         <disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>\
         <identifiers><header_from>example.com</header_from></identifiers><auth_results>\
         <dkim><domain>example.com</domain><selector>s1</selector><result>pass</result></dkim>\
         <spf><domain>bounce.example.net</domain><scope>mfrom</scope><result>fail</result></spf>\
         </auth_results></record>"
    )
}

fn report(inside: &str) -> String {
    format!("<?xml version=\"1.0\"?><feedback>{METADATA}{POLICY}{inside}</feedback>")
}

fn read(xml: impl AsRef<[u8]>) -> Result<(Head, Vec<Record>, Issues)> {
    let mut reader = AggregateReader::new(xml.as_ref())?;
    let records = reader.by_ref().collect::<Result<Vec<_>>>()?;
    let (head, issues) = reader.finish()?;
    Ok((head, records, issues))
}

fn good(xml: impl AsRef<[u8]>) -> (Head, Vec<Record>) {
    let (head, records, issues) = read(xml).unwrap();
    assert!(issues.is_empty(), "{issues:?}");
    (head, records)
}

#[test]
fn a_report_of_either_standard_is_read_whole() {
    let (head, records) = good(report(&record("192.0.2.1", "7")));
    assert_eq!(head.metadata.org_name, "Receiver");
    assert_eq!(head.metadata.begin.unwrap().as_second(), 1_709_683_200);
    assert_eq!(head.policy.domain, "example.com");
    assert_eq!(head.policy.p, Some(PolicyWord::Quarantine));
    assert_eq!(head.policy.np, Some(PolicyWord::Reject));
    assert_eq!(head.policy.aspf, Some(Alignment::S));
    assert_eq!(head.policy.pct, Some(50));
    assert_eq!(head.policy.testing, Some(true));
    assert_eq!(head.policy.discovery_method, Some(Discovery::Treewalk));
    let [record] = records.as_slice() else {
        panic!("{records:?}");
    };
    assert_eq!(record.count, 7);
    assert!(record.passes());
    assert_eq!(record.dkim_results[0].selector.as_deref(), Some("s1"));
    assert_eq!(record.spf_results[0].result, Some(SpfVerdict::Fail));
}

#[test]
fn prefixes_and_namespaces_are_all_the_same() {
    let plain = report(&record("192.0.2.1", "7"));
    let prefixed = plain
        .replace("</", "</ns1:")
        .replace('<', "<ns1:")
        .replace("<ns1:/ns1:", "</ns1:")
        .replace("<ns1:?xml version=\"1.0\"?>", "")
        .replace(
            "<ns1:feedback>",
            "<ns1:feedback xmlns:ns1=\"http://dmarc.org/dmarc-xml/0.1\">",
        );
    assert_eq!(good(prefixed), good(&plain));
    let named = plain.replace(
        "<feedback>",
        "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">",
    );
    assert_eq!(good(named), good(&plain));
}

#[test]
fn a_wrapper_that_is_never_closed_is_ignored() {
    let plain = report(&record("192.0.2.1", "7"));
    let wrapped = plain.replace(
        "<feedback>",
        "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"><feedback>",
    );
    assert_eq!(good(wrapped), good(plain));
}

#[test]
fn tag_like_text_in_a_value_does_not_swallow_what_follows() {
    let xml = report(&record("192.0.2.1", "7"))
        .replace("dmarc@receiver.example", "<dmarc@receiver.example>");
    let (head, records) = good(xml);
    assert_eq!(head.metadata.email, "dmarc@receiver.example");
    assert_eq!(records.len(), 1);
}

#[test]
fn bytes_that_are_not_text_are_marked_and_cost_nothing_else() {
    let mut xml = report(&record("192.0.2.1", "7")).into_bytes();
    let at = xml.windows(8).position(|it| it == b"Receiver").unwrap();
    xml[at] = 0xe9;
    let mut reader = AggregateReader::new(xml.as_slice()).unwrap();
    assert_eq!(reader.by_ref().count(), 1);
    assert!(reader.is_lossy());
    assert_eq!(reader.head().metadata.org_name, "\u{fffd}eceiver");
}

#[test]
fn words_in_any_case_are_known_and_unknown_ones_survive() {
    let xml = report(&record("192.0.2.1", "7"))
        .replace("<dkim>pass", "<dkim>Pass")
        .replace("<disposition>none", "<disposition>Frobnicate");
    let (_, records) = good(xml);
    assert_eq!(records[0].dkim, Some(Aligned::Pass));
    let unknown = Disposition::Other("Frobnicate".to_owned());
    assert_eq!(records[0].disposition, Some(unknown));
    let json = serde_json::to_value(&records[0]).unwrap();
    assert_eq!(json["disposition"], "Frobnicate");
    assert_eq!(serde_json::from_value::<Record>(json).unwrap(), records[0]);
}

#[test]
fn empty_elements_say_nothing() {
    let xml = report(&record("192.0.2.1", "7"))
        .replace("<org_name>Receiver</org_name>", "<org_name/>")
        .replace(
            "<spf>fail</spf>",
            "<spf>fail</spf><reason/><reason></reason>",
        )
        .replace("<selector>s1</selector>", "<selector></selector>");
    let (head, records) = good(xml);
    assert_eq!(head.metadata.org_name, "");
    assert!(records[0].reasons.is_empty());
    assert_eq!(records[0].dkim_results[0].selector, None);
}

#[test]
fn reasons_and_repeated_results_are_all_kept() {
    let reason = "<reason><type>local_policy</type><comment>a &amp; b &#8364; <![CDATA[<c>]]></comment></reason>\
        <reason><type>other</type></reason>";
    let again = "<spf><domain>helo.example.net</domain><scope>helo</scope><result>Hardfail</result></spf></auth_results>";
    let xml = report(&record("192.0.2.1", "7"))
        .replace("<spf>fail</spf>", &format!("<spf>fail</spf>{reason}"))
        .replace("</auth_results>", again);
    let (_, records) = good(xml);
    assert_eq!(records[0].reasons.len(), 2);
    assert_eq!(
        records[0].reasons[0].comment.as_deref(),
        Some("a & b € <c>")
    );
    assert_eq!(records[0].reasons[1].kind, Some(OverrideKind::Unspecified));
    assert_eq!(records[0].spf_results[1].result, Some(SpfVerdict::Hardfail));
    assert_eq!(records[0].spf_results[1].scope.as_deref(), Some("helo"));
}

#[test]
fn extensions_are_passed_over() {
    let extension =
        "<extension><x:row xmlns:x=\"urn:x\"><count>9</count><identifiers/></x:row></extension>";
    let xml = report(&record("192.0.2.1", "7"))
        .replace("</record>", &format!("{extension}</record>{extension}"));
    let (_, records) = good(xml);
    assert_eq!(records[0].count, 7);
}

#[test]
fn metadata_may_follow_the_records() {
    let xml = format!(
        "<feedback>{}{POLICY}{METADATA}</feedback>",
        record("2001:db8::1", "1")
    );
    let (head, records) = good(xml);
    assert_eq!(head.metadata.report_id, "r-1");
    assert_eq!(records.len(), 1);
}

#[test]
fn one_bad_record_is_listed_with_its_place_and_the_others_are_kept() {
    let cases = [
        (
            "mail.example.com",
            "7",
            "row/source_ip",
            Problem::NotAnAddress,
        ),
        ("192.0.2.300", "7", "row/source_ip", Problem::NotAnAddress),
        ("", "7", "row/source_ip", Problem::NotAnAddress),
        (
            "192.0.2.1",
            "18446744073709551616",
            "row/count",
            Problem::NotANumber,
        ),
        ("192.0.2.1", "-1", "row/count", Problem::NotANumber),
        ("192.0.2.1", "many", "row/count", Problem::NotANumber),
    ];
    for (ip, count, element, problem) in cases {
        let xml = report(&format!(
            "{}{}{}",
            record("192.0.2.1", "1"),
            record(ip, count),
            record("192.0.2.3", "3")
        ));
        let (_, records, issues) = read(xml).unwrap();
        let counts: Vec<_> = records.iter().map(|record| record.count).collect();
        assert_eq!(counts, [1, 3], "{ip} {count}");
        let [issue] = issues.listed.as_slice() else {
            panic!("{issues:?}");
        };
        assert_eq!(issue.problem, problem);
        assert_eq!(issue.place.element, element);
        assert_eq!(issue.place.record, Some(2));
        assert!(issue.lost);
        assert_eq!(issues.records_lost, 1);
        let shown = issue.to_string();
        assert!(shown.starts_with("record 2, row/"), "{shown}");
        assert!(!shown.contains("mail.example.com"), "{shown}");
    }
}

#[test]
fn what_is_missing_from_a_record_is_named() {
    for (element, path) in [
        ("source_ip", "row/source_ip"),
        ("count", "row/count"),
        ("header_from", "identifiers/header_from"),
    ] {
        let xml = report(&record("192.0.2.1", "7"))
            .replace(&format!("<{element}>"), "<other>")
            .replace(&format!("</{element}>"), "</other>");
        let (_, records, issues) = read(xml).unwrap();
        assert!(records.is_empty());
        assert_eq!(issues.listed[0].place.element, path);
        assert_eq!(issues.listed[0].problem, Problem::Missing);
    }
}

#[test]
fn a_name_of_more_than_253_octets_is_refused() {
    let long = format!("{}.example", "a.".repeat(130));
    let xml = report(&record("192.0.2.1", "7"))
        .replace("<header_from>example.com", &format!("<header_from>{long}"));
    let (_, records, issues) = read(xml).unwrap();
    assert!(records.is_empty());
    assert_eq!(issues.listed[0].problem, Problem::TooLong);
    assert_eq!(issues.listed[0].place.element, "identifiers/header_from");
}

#[test]
fn a_homoglyph_domain_is_kept_apart_from_what_it_looks_like() {
    let xml = report(&record("192.0.2.1", "7"))
        .replace("<header_from>example.com", "<header_from>ex\u{430}mple.com");
    let (_, records) = good(xml);
    assert_eq!(records[0].header_from, "xn--exmple-4nf.com");
}

#[test]
fn dates_that_cannot_be_are_listed_and_left_out() {
    for (begin, problem) in [
        ("99999999999999999999", Problem::NotANumber),
        ("4102444800000", Problem::OutOfRange),
        ("-5", Problem::OutOfRange),
        ("yesterday", Problem::NotANumber),
    ] {
        let xml = report(&record("192.0.2.1", "7"))
            .replace("<begin>1709683200", &format!("<begin>{begin}"));
        let (head, records, issues) = read(xml).unwrap();
        assert_eq!(head.metadata.begin, None);
        assert_eq!(records.len(), 1);
        assert_eq!(issues.listed[0].problem, problem);
        assert_eq!(issues.listed[0].place.element, "date_range/begin");
    }
    let backwards = report(&record("192.0.2.1", "7")).replace("1709683200", "1809683200");
    let (_, _, issues) = read(backwards).unwrap();
    assert_eq!(issues.listed[0].problem, Problem::OutOfRange);
}

#[test]
fn a_document_type_is_refused_with_its_place() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE feedback [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\
        <feedback><report_metadata><org_name>&b;</org_name></report_metadata></feedback>";
    let error = read(bomb).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("document type"), "{error}");
    assert_eq!(error.context(), [("place", "byte 21".to_owned())]);
}

#[test]
fn what_is_no_report_says_so_with_its_place() {
    for (xml, why) in [
        ("<html><body>sign in</body></html>", "web page"),
        ("<!DOCTYPE html><html></html>", "document type"),
        ("<rss><channel/></rss>", "no `feedback`"),
        ("<feedback>", "ends early"),
        ("<feedback><report_metadata><org_name>x", "ends early"),
        ("<feed", "ends early"),
        ("", "no `feedback`"),
    ] {
        let error = read(xml).unwrap_err();
        assert!(error.message().contains(why), "{xml}: {error}");
        assert!(error.context()[0].1.starts_with("byte "), "{error}");
    }
}

#[test]
fn a_late_document_type_ends_the_report_and_keeps_what_was_read() {
    let late = format!("{}<!DOCTYPE x>", record("192.0.2.1", "1"));
    let (_, records, issues) = read(report(&late)).unwrap();
    assert_eq!(records.len(), 1);
    assert!(issues.incomplete);
}

#[test]
fn what_was_read_before_the_file_breaks_off_is_kept() {
    let whole = report(&format!(
        "{}{}",
        record("192.0.2.1", "1"),
        record("192.0.2.2", "2")
    ));
    let cut = &whole[..whole.len() - 60];
    let (_, records, issues) = read(cut).unwrap();
    assert_eq!(records.len(), 1);
    assert!(issues.incomplete);
    let last = issues.listed.last().unwrap();
    assert_eq!(last.problem, Problem::EndsEarly);
    assert!(last.lost);
}

#[test]
fn a_record_that_is_not_closed_is_ended_by_the_next() {
    let xml = report(&format!(
        "{}{}",
        record("192.0.2.1", "1").replace("</auth_results></record>", ""),
        record("192.0.2.2", "2")
    ));
    let (_, records, issues) = read(xml).unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(issues.listed[0].problem, Problem::Unclosed);
    assert!(!issues.lost_something());
}

#[test]
fn a_long_value_is_listed_and_an_endless_one_ends_the_report() {
    let long = "x".repeat(limits::TEXT + 1);
    let endless = "x".repeat(4 * limits::EVENT);
    let with = |text: &str| {
        let first = record("192.0.2.1", "1");
        let second = first.replace("<org_name>", "").replace(
            "</policy_evaluated>",
            &format!("<reason><comment>{text}</comment></reason></policy_evaluated>"),
        );
        read(report(&format!("{first}{second}{first}"))).unwrap()
    };
    let (_, records, issues) = with(&long);
    assert_eq!(records.len(), 3);
    assert_eq!(issues.listed[0].problem, Problem::TooLong);
    assert!(!issues.lost_something());
    let (_, records, issues) = with(&endless);
    assert_eq!(records.len(), 1);
    assert_eq!(issues.listed[0].problem, Problem::TooLong);
    assert!(issues.incomplete);
}

#[test]
fn elements_that_are_never_closed_end_the_report() {
    let deep = format!("{}{}", record("192.0.2.1", "1"), "<a>".repeat(100_000));
    let (_, records, issues) = read(report(&deep)).unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(issues.listed[0].problem, Problem::TooMany);
    let shallow = "<row><a><b></row>".repeat(20_000);
    let xml = report(&format!("<record>{shallow}</record>"));
    let (_, _, issues) = read(xml).unwrap();
    assert!(issues.incomplete);
}

#[test]
fn a_flood_of_bad_records_is_counted_and_not_listed() {
    let bad = record("nowhere", "1").repeat(1_000);
    let (_, records, issues) = read(report(&bad)).unwrap();
    assert!(records.is_empty());
    assert_eq!(issues.listed.len(), limits::ISSUES);
    assert_eq!(issues.records_lost, 1_000);
    assert_eq!(issues.omitted, 900);
}

#[test]
fn an_ipv4_address_in_ipv6_clothes_is_the_ipv4_address() {
    let (_, records) = good(report(&record("::ffff:192.0.2.1", "1")));
    assert_eq!(records[0].source_ip.to_string(), "192.0.2.1");
}

/// Elements of a section, each with what is in it, in an order and with strangers between them.
fn section(name: &'static str, children: Vec<String>) -> impl Strategy<Value = String> {
    let stranger = prop_oneof![
        Just(String::new()),
        Just("<x:new a=\"1>2\">text<y/></x:new>".to_owned()),
        Just("<!-- <record> -->".to_owned()),
        Just("<future/>\n".to_owned()),
    ];
    let strangers = proptest::collection::vec(stranger, children.len());
    (Just(children).prop_shuffle(), strangers).prop_map(move |(children, strangers)| {
        let inside: String = strangers
            .into_iter()
            .zip(children)
            .map(|(stranger, child)| stranger + &child)
            .collect();
        format!("<{name}>{inside}</{name}>")
    })
}

fn leaf(name: &str, text: &str) -> String {
    format!("<{name}>{text}</{name}>")
}

fn shuffled() -> impl Strategy<Value = String> {
    let evaluated = section(
        "policy_evaluated",
        vec![
            leaf("disposition", "reject"),
            leaf("dkim", "fail"),
            leaf("spf", "pass"),
        ],
    );
    let row = evaluated.prop_flat_map(|evaluated| {
        section(
            "row",
            vec![
                leaf("source_ip", "192.0.2.9"),
                leaf("count", "5"),
                evaluated,
            ],
        )
    });
    let dkim = section(
        "dkim",
        vec![
            leaf("domain", "a.example"),
            leaf("selector", "k1"),
            leaf("result", "pass"),
        ],
    );
    let spf = section(
        "spf",
        vec![leaf("domain", "b.example"), leaf("result", "softfail")],
    );
    let results = (dkim, spf).prop_flat_map(|(dkim, spf)| section("auth_results", vec![dkim, spf]));
    let identifiers = section(
        "identifiers",
        vec![
            leaf("header_from", "example.com"),
            leaf("envelope_from", "b.example"),
        ],
    );
    let record = (row, identifiers, results).prop_flat_map(|(row, identifiers, results)| {
        section("record", vec![row, identifiers, results])
    });
    let metadata = section(
        "report_metadata",
        vec![
            leaf("org_name", "R"),
            leaf("report_id", "1"),
            leaf(
                "date_range",
                "<end>1709769599</end><begin>1709683200</begin>",
            ),
        ],
    );
    let policy = section(
        "policy_published",
        vec![leaf("domain", "example.com"), leaf("p", "none")],
    );
    (record, metadata, policy).prop_flat_map(|(record, metadata, policy)| {
        section(
            "feedback",
            vec![record, metadata, policy, leaf("version", "1.0")],
        )
    })
}

const SOUP: &[&str] = &[
    "<",
    "</",
    ">",
    "/>",
    "&",
    ";",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "feedback",
    "record",
    "row",
    "count",
    "dkim",
    "7",
    " ",
    "\"",
];

proptest! {
    #[test]
    fn the_order_of_elements_and_strangers_between_them_change_nothing(xml in shuffled()) {
        let (head, records, issues) = read(&xml).unwrap();
        prop_assert!(issues.is_empty(), "{issues:?} in {xml}");
        prop_assert_eq!(head.policy.domain, "example.com");
        prop_assert_eq!(head.metadata.version.as_deref(), Some("1.0"));
        prop_assert_eq!(records.len(), 1);
        prop_assert_eq!(records[0].count, 5);
        prop_assert_eq!(&records[0].spf, &Some(Aligned::Pass));
        prop_assert_eq!(records[0].dkim_results[0].selector.as_deref(), Some("k1"));
        prop_assert_eq!(&records[0].spf_results[0].result, &Some(SpfVerdict::Softfail));
        prop_assert_eq!(records[0].envelope_from.as_deref(), Some("b.example"));
    }

    #[test]
    fn a_report_cut_anywhere_ends_in_an_answer(xml in shuffled(), cut in 0.0..1.0_f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
            reason = "a place within a short text")]
        let at = (xml.len() as f64 * cut) as usize;
        let whole = read(&xml).unwrap().1;
        if let Ok((_, records, issues)) = read(&xml.as_bytes()[..at]) {
            prop_assert!(issues.incomplete);
            prop_assert!(records.is_empty() || records == whole);
        }
    }

    #[test]
    fn any_bytes_end_in_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        drop(read(&bytes));
    }

    #[test]
    fn any_soup_of_tags_ends_in_an_answer(
        words in proptest::collection::vec(proptest::sample::select(SOUP), 0..200)
    ) {
        drop(read(words.concat()));
        drop(read(format!("<feedback>{METADATA}{POLICY}{}", words.concat())));
    }
}
