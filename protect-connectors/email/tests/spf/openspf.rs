//! The conformance suite of openspf.org for RFC 7208, read from outside the project: 16 scenarios
//! with a zone each, 203 tests. The tests of the command read it too.

use std::net::IpAddr;
use std::path::PathBuf;

use protect_core::dns::{DnsRecord, RecordType, TxtRecord};
use saphyr::{LoadableYamlNode, Yaml};

/// Messages, and the DNS that they are checked against.
pub(crate) struct Scenario {
    pub(crate) description: String,
    pub(crate) tests: Vec<Test>,
    pub(crate) zone: Vec<(String, Vec<Entry>)>,
}

/// A message and what may come of it.
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) ip: IpAddr,
    pub(crate) sender: String,
    pub(crate) helo: String,
    /// Any of these.
    pub(crate) results: Vec<String>,
    /// `DEFAULT` where the domain has nothing to say.
    pub(crate) explanation: Option<String>,
}

/// What a name has.
pub(crate) enum Entry {
    Record(DnsRecord),
    /// Every type that the name does not have runs into silence.
    Timeout,
}

/// The suite, or `None`, aloud, where it is not.
pub(crate) fn suite() -> Option<Vec<Scenario>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("../shared/data/spf/rfc7208-tests.yml"))
        .find(|path| path.exists());
    let Some(path) = path else {
        println!("skipped: ../shared/data absent");
        return None;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    Some(documents.iter().map(scenario).collect())
}

/// The types that a name has no record of.
pub(crate) fn missing(entries: &[Entry]) -> Vec<RecordType> {
    let has = |kind: &RecordType| {
        entries
            .iter()
            .any(|entry| matches!(entry, Entry::Record(record) if record.kind() == *kind))
    };
    let all = [
        RecordType::A,
        RecordType::Aaaa,
        RecordType::Cname,
        RecordType::Mx,
        RecordType::Ns,
        RecordType::Ptr,
        RecordType::Txt,
    ];
    all.into_iter().filter(|kind| !has(kind)).collect()
}

fn scenario(document: &Yaml<'_>) -> Scenario {
    let tests = document["tests"].as_mapping().unwrap();
    let zone = document["zonedata"].as_mapping().unwrap();
    Scenario {
        description: text(&document["description"]),
        tests: tests
            .iter()
            .map(|(name, test)| message(name, test))
            .collect(),
        zone: zone
            .iter()
            .map(|(name, entries)| (text(name), entries_of(entries.as_sequence().unwrap())))
            .collect(),
    }
}

fn message(name: &Yaml<'_>, test: &Yaml<'_>) -> Test {
    let results = match test["result"].as_sequence() {
        Some(several) => several.iter().map(text).collect(),
        None => vec![text(&test["result"])],
    };
    Test {
        name: text(name),
        ip: text(&test["host"]).parse().unwrap(),
        sender: text(&test["mailfrom"]),
        helo: text(&test["helo"]),
        results,
        explanation: test.as_mapping_get("explanation").map(text),
    }
}

/// Entries of type SPF stand for TXT where a name has no TXT of its own; `TXT: NONE` keeps it so
/// that it has none (the suite was written when type 99 was in use).
fn entries_of(written: &[Yaml<'_>]) -> Vec<Entry> {
    let own_txt = written
        .iter()
        .any(|entry| entry.as_mapping_get("TXT").is_some());
    let entries = written.iter().filter_map(|entry| {
        let Some(fields) = entry.as_mapping() else {
            assert_eq!(entry.as_str(), Some("TIMEOUT"));
            return Some(Entry::Timeout);
        };
        let (kind, value) = fields.iter().next().unwrap();
        record(&text(kind), value, own_txt).map(Entry::Record)
    });
    entries.collect()
}

fn record(kind: &str, value: &Yaml<'_>, own_txt: bool) -> Option<DnsRecord> {
    Some(match kind {
        "TXT" if value.as_str() == Some("NONE") => return None,
        "SPF" if own_txt => return None,
        "TXT" | "SPF" => DnsRecord::Txt(match value.as_sequence() {
            Some(strings) => TxtRecord(strings.iter().map(|string| bytes(&text(string))).collect()),
            None => TxtRecord(vec![bytes(&text(value))]),
        }),
        "A" => DnsRecord::A(text(value).parse().unwrap()),
        "AAAA" => DnsRecord::Aaaa(text(value).parse().unwrap()),
        "PTR" => DnsRecord::Ptr(text(value)),
        "CNAME" => DnsRecord::Cname(text(value)),
        "MX" => DnsRecord::Mx {
            preference: value[0].as_integer().unwrap().try_into().unwrap(),
            exchange: text(&value[1]),
        },
        other => panic!("type {other}"),
    })
}

fn text(value: &Yaml<'_>) -> String {
    match value {
        Yaml::Value(saphyr::Scalar::String(text)) => text.clone().into_owned(),
        Yaml::Value(saphyr::Scalar::Null) => String::new(),
        other => panic!("no text: {other:?}"),
    }
}

/// `"\x96"` in the suite is one byte, which YAML can only write as a character.
fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .map(|character| u8::try_from(u32::from(character)).unwrap())
        .collect()
}
