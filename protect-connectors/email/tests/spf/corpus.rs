//! Records, zones and messages made up from a seed: mostly sensible, often not.

use std::collections::BTreeMap;
use std::net::IpAddr;

use protect_core::Random as _;
use protect_core::dns::{DnsAnswer, DnsFailure, DnsRecord, RecordType, TxtRecord};
use protect_core::testing::{MapDns, SeededRandom};
use protect_email::spf::Decision;
use serde_json::{Value, json};

/// Something to check.
pub(crate) struct Case {
    pub(crate) ip: IpAddr,
    pub(crate) sender: String,
    pub(crate) helo: &'static str,
    /// The record, for whoever reads a failure.
    pub(crate) record: String,
}

/// A zone and what is checked against it.
pub(crate) struct Corpus {
    zone: BTreeMap<String, Vec<DnsRecord>>,
    silent: Vec<&'static str>,
    pub(crate) cases: Vec<Case>,
}

const ADDRESSES: [&str; 8] = [
    "192.0.2.10",
    "192.0.2.20",
    "192.0.2.99",
    "198.51.100.5",
    "203.0.113.77",
    "2001:db8::20",
    "2001:db8::30",
    "::ffff:192.0.2.10",
];

impl Corpus {
    pub(crate) fn new(seed: u64, count: usize) -> Self {
        let mut dice = Dice(SeededRandom::new(seed));
        let mut corpus = Self {
            zone: BTreeMap::new(),
            silent: vec!["silent.example", "77.113.0.203.in-addr.arpa"],
            cases: Vec::new(),
        };
        corpus.world();
        for number in 0..count {
            let domain = format!("d{number}.example");
            let record = dice.record(count);
            corpus.add(&domain, DnsRecord::Txt(TxtRecord(vec![latin(&record)])));
            match dice.below(40) {
                0 => corpus.add(&domain, text("something else")),
                1 => corpus.add(&domain, text("v=spf1 ?all")),
                2 => corpus.add(&domain, address("192.0.2.10")),
                3 => corpus.add(&domain, mail("h1.example")),
                _ => {}
            }
            let sender = match dice.below(12) {
                0 => format!("@{domain}"),
                1 => domain.clone(),
                2 => format!("a-b+c.d@{domain}"),
                _ => format!("user@{domain}"),
            };
            corpus.cases.push(Case {
                ip: dice.pick(&ADDRESSES).parse().unwrap(),
                sender,
                helo: dice.pick(&["mail.example", "h1.example", "[192.0.2.1]", "x"]),
                record,
            });
        }
        corpus
    }

    /// What records may refer to.
    fn world(&mut self) {
        self.add("h0.example", address("192.0.2.10"));
        self.add("h1.example", address("192.0.2.20"));
        self.add("h1.example", address("2001:db8::20"));
        self.add("h2.example", address("2001:db8::30"));
        for last in [10, 11, 20] {
            self.add("h3.example", address(&format!("198.51.100.{last}")));
        }
        self.add("h4.example", DnsRecord::Cname("h0.example".to_owned()));
        self.add("m0.example", mail("h0.example"));
        self.add("m1.example", mail("h3.example"));
        self.add("m1.example", mail("h1.example"));
        self.add("m2.example", mail(""));
        for number in 0..11 {
            let host = format!("n{number}.example");
            self.add("m3.example", mail(&host));
            self.add(&host, address("192.0.2.10"));
        }
        self.add("m4.example", mail("nowhere.example"));
        self.add("m5.example", mail("h2.example"));
        self.add("m6.example", mail("silent.example"));
        for (address, names) in [
            (
                "10.2.0.192.in-addr.arpa",
                &["h0.example", "liar.example"][..],
            ),
            ("20.2.0.192.in-addr.arpa", &["silent.example", "H1.Example"]),
            ("5.100.51.198.in-addr.arpa", &["liar.example"]),
        ] {
            for name in names {
                self.add(address, DnsRecord::Ptr((*name).to_owned()));
            }
        }
        self.add("192.0.2.10.list.example", address("127.0.0.2"));
        self.add("user.list.example", address("127.0.0.2"));
        self.add("h0.example.list.example", address("127.0.0.2"));
        self.add("why.example", text("See %{d} for %{i}"));
        self.add("odd.example", text("100%x"));
    }

    fn add(&mut self, name: &str, record: DnsRecord) {
        self.zone.entry(name.to_owned()).or_default().push(record);
    }

    /// The zone as a map.
    pub(crate) fn dns(&self) -> MapDns {
        let dns = MapDns::default();
        for (name, records) in &self.zone {
            for record in records {
                dns.add(name, record.clone());
            }
        }
        for name in &self.silent {
            for kind in [
                RecordType::A,
                RecordType::Aaaa,
                RecordType::Mx,
                RecordType::Ptr,
                RecordType::Txt,
            ] {
                dns.set(name, kind, DnsAnswer::Failed(DnsFailure::Timeout));
            }
        }
        dns
    }

    /// The zone and the cases, each with our answer, as the other implementation reads them.
    pub(crate) fn document(&self, ours: &[Decision]) -> Value {
        let zone: BTreeMap<_, Vec<Value>> = self
            .zone
            .iter()
            .map(|(name, records)| (name, records.iter().map(written).collect()))
            .collect();
        let case = |(case, ours): (&Case, &Decision)| {
            json!({
                "ip": case.ip,
                "sender": case.sender,
                "helo": case.helo,
                "expected": ours.result,
            })
        };
        let cases: Vec<_> = self.cases.iter().zip(ours).map(case).collect();
        json!({"zone": zone, "silent": self.silent, "cases": cases})
    }
}

fn written(record: &DnsRecord) -> Value {
    let value = match record {
        DnsRecord::A(address) => json!(address),
        DnsRecord::Aaaa(address) => json!(address),
        DnsRecord::Cname(name) | DnsRecord::Ns(name) | DnsRecord::Ptr(name) => json!(name),
        DnsRecord::Mx {
            preference,
            exchange,
        } => json!([preference, exchange]),
        DnsRecord::Txt(text) => {
            let strings = text.0.iter();
            let strings = strings.map(|bytes| bytes.iter().map(|byte| char::from(*byte)));
            json!(strings.map(Iterator::collect).collect::<Vec<String>>())
        }
    };
    json!([record.kind().as_str(), value])
}

fn text(text: &str) -> DnsRecord {
    DnsRecord::Txt(text.into())
}

fn address(text: &str) -> DnsRecord {
    match text.parse().unwrap() {
        IpAddr::V4(address) => DnsRecord::A(address),
        IpAddr::V6(address) => DnsRecord::Aaaa(address),
    }
}

fn mail(exchange: &str) -> DnsRecord {
    DnsRecord::Mx {
        preference: 10,
        exchange: exchange.to_owned(),
    }
}

fn latin(text: &str) -> Vec<u8> {
    text.chars()
        .map(|character| u8::try_from(u32::from(character)).unwrap())
        .collect()
}

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % end as u64).unwrap()
    }

    fn pick<'a>(&self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn record(&mut self, count: usize) -> String {
        let version = match self.below(30) {
            0 => "V=spf1",
            1 => self.pick(&["v=spf10", " v=spf1", "v=spf1\t", "v=spf2"]),
            _ => "v=spf1",
        };
        let mut words = vec![version.to_owned()];
        for _ in 0..self.below(7) {
            words.push(self.term(count));
        }
        if self.below(10) < 7 {
            words.push(
                self.pick(&["-all", "~all", "?all", "all", "+ALL"])
                    .to_owned(),
            );
        }
        words.join(self.pick(&[" ", " ", " ", "  "]))
    }

    fn term(&mut self, count: usize) -> String {
        let sign = self.pick(&["", "", "", "-", "+", "~", "?"]);
        let other = format!("d{}.example", self.below(count));
        let host = self.host();
        match self.below(24) {
            0..=3 => format!("{sign}ip4:{}", self.ip4()),
            4..=5 => format!("{sign}ip6:{}", self.ip6()),
            6..=8 => format!("{sign}a:{host}{}", self.cidr()),
            9 => format!("{sign}a{}", self.cidr()),
            10..=12 => {
                let number = self.below(7);
                format!("{sign}mx:m{number}.example{}", self.cidr())
            }
            13 => format!("{sign}mx{}", self.cidr()),
            14..=16 => format!("{sign}include:{other}"),
            17 => {
                let name = self.pick(&["", ":example", ":h0.example", ":h1.example"]);
                format!("{sign}ptr{name}")
            }
            18..=19 => {
                let name = self.pick(&[
                    "%{i}.list.example",
                    "%{l}.list.example",
                    "%{p}.list.example",
                    "%{d1r}.list.example",
                    "%{ir}.%{v}.%{h}.list.example",
                    "%{o2r-}%%%_.list.example",
                    "h2.example",
                    "silent.example",
                ]);
                format!("{sign}exists:{name}")
            }
            20 => format!("redirect={other}"),
            21 => format!(
                "exp={}",
                self.pick(&["why.example", "odd.example", "gone.example"])
            ),
            22 => self
                .pick(&["foo=bar", "x.y-z=%{d}", "a_b=", "match_subdomains=yes"])
                .to_owned(),
            _ => self.mistake(sign),
        }
    }

    fn host(&mut self) -> String {
        match self.below(12) {
            0 => "gone.example".to_owned(),
            1 => "silent.example".to_owned(),
            2 => "m0.example".to_owned(),
            _ => format!("h{}.example", self.below(5)),
        }
    }

    fn ip4(&mut self) -> String {
        let ip = self.pick(&["192.0.2.10", "192.0.2.0", "198.51.100.5", "203.0.113.64"]);
        let bits = self.pick(&["", "", "/24", "/32", "/0", "/16", "/27"]);
        format!("{ip}{bits}")
    }

    fn ip6(&mut self) -> String {
        let ip = self.pick(&["2001:db8::20", "2001:DB8::", "::1", "::ffff:192.0.2.10"]);
        let bits = self.pick(&["", "/32", "/128", "/0", "/64"]);
        format!("{ip}{bits}")
    }

    fn cidr(&mut self) -> &'static str {
        self.pick(&["", "", "", "", "/24", "//64", "/16//32", "/0"])
    }

    fn mistake(&mut self, sign: &str) -> String {
        let mistake = self.pick(&[
            "ip4:192.0.2",
            "ip4:192.0.2.1/33",
            "ip4:192.0.2.1/024",
            "ip4:",
            "ip4",
            "ip6:::1/129",
            "ip6:192.0.2.1",
            "ip4:192.0.2.1:25",
            "a:",
            "a/33",
            "a//129",
            "a/24/24",
            "a:192.0.2.1",
            "a:example",
            "mx:",
            "include",
            "include:",
            "include:h0.example",
            "include:gone.example",
            "exists",
            "exists:",
            "ptr/24",
            "ptr:",
            "all:x",
            "all/8",
            "moo",
            "moo:x",
            "redirect",
            "a:%{x}.example",
            "a:%.example",
            "a:h0.example,",
            "a:%{d",
            "a:h0\u{e9}.example",
            "exp=",
            "redirect=",
            "=x",
            "1x=y",
            "a=b=c",
            "exists:%{d0}.example",
            "exists:%{t}.example",
            "a:b..example",
            "exp=-all",
            "redirect=-all",
        ]);
        format!("{sign}{mistake}")
    }
}
