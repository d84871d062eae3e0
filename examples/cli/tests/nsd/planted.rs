//! What is planted: domains, their records, and the checks that must fail for each.

use std::fmt::Write as _;

const RSA_512: &str = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAPHNntctsb/9WyyiBK5rOP2ge3mrCKG1k5+fVwbQ8gz9xyllKyZ891hdxxhEqEB41Pq6WPL1RpCBd5/CuGMJA0UCAwEAAQ==";
const RSA_1024: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCa62i+n5qJkkEKoRcj+7Dyl8TGEqHL/y44dm92AnsRGtzswDj/SXKs8WtEn7kIQ0uQF+KYz+EOy4qTxbyHi6PrpoeyCJRyH8FrHRQRQMu9jZc+bsLgFQmfMoHcKkgs7zStWn5q64JZSqUH7NuAZOmqfCYJqxUMoOCg+W8Y6U+UcQIDAQAB";
const RSA_2048: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwdxK2CY6af6toZCbsCbLhriX70076aZcnGKw8VVdDZoluUpHBnnQXqNMy3V4wXgRMJ7CQTaO3Iey12zPi+kL3Ik+zHA6rbF6YgZRr5XbV19mMOuIJL0195q7rsw9lmNkaRA19/KDzB2E41sfn2hfeCnJboqqgysEHpL82Lu1lpXC5Okk3s4eeRvpVpkyJhG3r1x1Y42cDJsG/d79PxmALtPVmqSSlbwUZ8JN3JqEjff+2k0fFoexVdMe53uSHau4k3GKuKRHmC1of9ocNvbZTE51vry2CS1/+juKt+Vg8s+KxphkxCHGXWMh8gdo3XkZCqL1huXt1elao40z5CAFIQIDAQAB";
const RSA_2048_OTHER: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAq4o1xC/A6+E2Bc6oHdnzrhNiKrSrZJTiJmF8/L6OZaY0SH0LoPrnArhQX8QbAJQzkpbAWu9LoAj53pvmGHT0JvaaALYl1sQfSKsggZ4Bi90gVF5uygyXanDSQC0WLrUxO+kYKKbP/CBqOHv9lxGiXAH4+Ct7t19gAaOddYxmjmAIyJRMMnpwpCgwBBtsy0C6FnNvlCLX965ch5HEpHZeq7C21eEXmpRp+NUQeDVEbpZ+PDxpIb4G4YP9yqvjWtjezOLPr/E1LbLdxQx1D5okeJ/q3Q0k3dnNn1gJRHSZAUgLSO1jsd4Dkr1J4WkYbbfz0Yb6kQZMBFZMZoUdSp45YQIDAQAB";
const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// A domain below `test.`, its records, and what must come out.
#[derive(Clone, Debug)]
pub(crate) struct Planted {
    name: &'static str,
    /// Labels before the domain (empty for itself), type, data.
    records: Vec<(String, &'static str, String)>,
    /// Checks that fail, without `email.`; no other may.
    pub(crate) fails: Vec<&'static str>,
    /// Checks that were not answered, without `email.`; empty where every question was.
    pub(crate) unanswered: Vec<&'static str>,
    pub(crate) score: Option<u8>,
}

/// A domain with nothing wrong; the methods change it.
fn domain(name: &'static str) -> Planted {
    let records = [
        ("", "MX", format!("10 mx.{name}.test.")),
        ("mx", "A", "192.0.2.1".to_owned()),
        ("mx", "AAAA", "2001:db8::1".to_owned()),
        ("", "TXT", quoted("v=spf1 mx -all")),
        (
            "_dmarc",
            "TXT",
            quoted(&format!("v=DMARC1; p=reject; rua=mailto:d@{name}.test")),
        ),
        ("default._domainkey", "TXT", quoted(&key(RSA_2048))),
        ("_mta-sts", "TXT", quoted("v=STSv1; id=1")),
        (
            "_smtp._tls",
            "TXT",
            quoted(&format!("v=TLSRPTv1; rua=mailto:t@{name}.test")),
        ),
    ];
    Planted {
        name,
        records: records
            .map(|(at, kind, data)| (at.to_owned(), kind, data))
            .into(),
        fails: Vec::new(),
        unanswered: Vec::new(),
        score: None,
    }
}

impl Planted {
    pub(crate) fn domain(&self) -> String {
        format!("{}.test", self.name)
    }

    fn add(mut self, at: &str, kind: &'static str, data: impl Into<String>) -> Self {
        self.records.push((at.to_owned(), kind, data.into()));
        self
    }

    fn txt(self, at: &str, text: &str) -> Self {
        self.add(at, "TXT", quoted(text))
    }

    fn without(mut self, at: &str, kind: &str) -> Self {
        self.records
            .retain(|record| (record.0.as_str(), record.1) != (at, kind));
        self
    }

    fn spf(self, text: &str) -> Self {
        self.without("", "TXT").txt("", text)
    }

    fn dmarc(self, text: &str) -> Self {
        self.without("_dmarc", "TXT").txt("_dmarc", text)
    }

    fn dkim(self, selector: &str, text: &str) -> Self {
        self.txt(&format!("{selector}._domainkey"), text)
    }

    fn no_dkim(self) -> Self {
        self.without("default._domainkey", "TXT")
    }

    fn fails(mut self, checks: &[&'static str]) -> Self {
        self.fails = checks.to_vec();
        self
    }

    fn unanswered(mut self, checks: &[&'static str]) -> Self {
        self.unanswered = checks.to_vec();
        self
    }

    fn score(mut self, score: u8) -> Self {
        self.score = Some(score);
        self
    }
}

fn key(p: &str) -> String {
    format!("v=DKIM1; k=rsa; p={p}")
}

/// Text as a zone file has it: strings of at most 255 bytes.
fn quoted(text: &str) -> String {
    let escaped = |part: &[u8]| String::from_utf8_lossy(part).replace('"', "\\\"");
    let parts = text
        .as_bytes()
        .chunks(255)
        .map(|part| format!("\"{}\"", escaped(part)));
    parts.collect::<Vec<_>>().join(" ")
}

pub(crate) fn all() -> Vec<Planted> {
    [answered(), unanswered()].concat()
}

/// Domains about which NSD answers every question.
pub(crate) fn answered() -> Vec<Planted> {
    [clean(), dmarc(), dkim(), spf(), transport()].concat()
}

fn clean() -> Vec<Planted> {
    vec![
        domain("good").score(100),
        domain("good-ed25519")
            .no_dkim()
            .dkim("default", &format!("k=ed25519; p={ED25519}"))
            .score(100),
        domain("good-parked")
            .without("", "MX")
            .without("mx", "A")
            .without("_mta-sts", "TXT")
            .without("_smtp._tls", "TXT")
            .no_dkim()
            .add("", "MX", "0 .")
            .spf("v=spf1 -all")
            .dmarc("v=DMARC1; p=reject; rua=mailto:d@good.test")
            .txt("good-parked.test._report._dmarc.good.test.", "v=DMARC1")
            .score(100),
        domain("upper-case")
            .spf("V=SPF1 MX -ALL")
            .dmarc("V=DMARC1; P=REJECT; RUA=MAILTO:d@upper-case.test")
            .score(100),
        domain("multi-string")
            .without("", "TXT")
            .add("", "TXT", "\"v=sp\" \"\" \"f1 mx\" \" -all\"")
            .score(100),
        domain("type-99")
            .add("", "TYPE99", "\\# 12 0b763d73706631202b616c6c")
            .score(100),
    ]
}

fn dmarc() -> Vec<Planted> {
    const NONE: &str = "dmarc.policy_none";
    vec![
        domain("dmarc-missing").without("_dmarc", "TXT").fails(&["dmarc.missing"]),
        domain("dmarc-two")
            .txt("_dmarc", "v=DMARC1; p=none")
            .fails(&["dmarc.missing", "dmarc.multiple"]),
        domain("dmarc-lower-case")
            .dmarc("v=dmarc1; p=reject")
            .fails(&["dmarc.missing", "dmarc.syntax"]),
        domain("dmarc-leading-blank")
            .dmarc(" v=DMARC1; p=reject")
            .fails(&["dmarc.missing", "dmarc.syntax"]),
        domain("dmarc-apex")
            .without("_dmarc", "TXT")
            .txt("", "v=DMARC1; p=reject")
            .fails(&["dmarc.missing", "dmarc.wrong_place"]),
        domain("dmarc-spf-inside")
            .txt("_dmarc", "v=spf1 -all")
            .fails(&["dmarc.wrong_place", "spf.wrong_place"]),
        domain("dmarc-bogus").dmarc("v=DMARC1; p=bogus").fails(&["dmarc.syntax", "dmarc.no_rua"]),
        domain("dmarc-bogus-rua")
            .dmarc("v=DMARC1; p=bogus; rua=mailto:d@dmarc-bogus-rua.test")
            .fails(&["dmarc.syntax", NONE]),
        domain("dmarc-none")
            .dmarc("v=DMARC1; p=none; rua=mailto:d@dmarc-none.test")
            .fails(&[NONE])
            .score(65),
        domain("dmarc-quarantine")
            .dmarc("v=DMARC1; p=quarantine; rua=mailto:d@dmarc-quarantine.test")
            .fails(&["dmarc.policy_quarantine"])
            .score(94),
        domain("dmarc-test-reject")
            .dmarc("v=DMARC1; p=reject; t=y; rua=mailto:d@dmarc-test-reject.test")
            .fails(&["dmarc.testing", "dmarc.policy_quarantine"]),
        domain("dmarc-test-quarantine")
            .dmarc("v=DMARC1; p=quarantine; t=y; rua=mailto:d@dmarc-test-quarantine.test")
            .fails(&["dmarc.testing", NONE]),
        domain("dmarc-sp-none")
            .dmarc("v=DMARC1; p=reject; sp=none; rua=mailto:d@dmarc-sp-none.test")
            .fails(&["dmarc.subdomain_weaker"])
            .score(94),
        domain("dmarc-np-none")
            .dmarc("v=DMARC1; p=reject; np=none; rua=mailto:d@dmarc-np-none.test")
            .fails(&["dmarc.subdomain_weaker"]),
        domain("dmarc-pct-50")
            .dmarc("v=DMARC1; p=reject; pct=50; rua=mailto:d@dmarc-pct-50.test")
            .fails(&["dmarc.pct_partial"])
            .score(97),
        domain("dmarc-old-tags")
            .dmarc("v=DMARC1; p=reject; pct=100; rf=afrf; ri=86400; rua=mailto:d@dmarc-old-tags.test")
            .fails(&["dmarc.removed_tags"]),
        domain("dmarc-no-rua").dmarc("v=DMARC1; p=reject").fails(&["dmarc.no_rua"]).score(92),
        domain("dmarc-rua-outside")
            .dmarc("v=DMARC1; p=reject; rua=mailto:d@good.test")
            .fails(&["dmarc.rua_unauthorised"])
            .score(92),
        domain("dmarc-rua-agreed")
            .dmarc("v=DMARC1; p=reject; rua=mailto:d@good.test")
            .txt("dmarc-rua-agreed.test._report._dmarc.good.test.", "v=DMARC1")
            .score(100),
        domain("dmarc-rua-nowhere")
            .dmarc("v=DMARC1; p=reject; rua=mailto:d@sub.dmarc-rua-nowhere.test")
            .fails(&["dmarc.rua_undeliverable"]),
        domain("dmarc-rua-odd")
            .dmarc("v=DMARC1; p=reject; rua=dmarc@dmarc-rua-odd.test")
            .fails(&["dmarc.rua_undeliverable", "dmarc.syntax"]),
        domain("dmarc-rua-three")
            .dmarc("v=DMARC1; p=reject; rua=mailto:a@dmarc-rua-three.test,mailto:b@dmarc-rua-three.test,mailto:c@dmarc-rua-three.test")
            .fails(&["dmarc.rua_undeliverable"]),
        domain("dmarc-ruf-outside")
            .dmarc("v=DMARC1; p=reject; rua=mailto:d@dmarc-ruf-outside.test; ruf=mailto:f@good.test")
            .fails(&["dmarc.ruf_unauthorised"]),
        domain("sub.good").without("_dmarc", "TXT").fails(&["dmarc.inherited"]),
        domain("dmarc-psd-n")
            .dmarc("v=DMARC1; p=reject; psd=n; rua=mailto:d@dmarc-psd-n.test"),
    ]
}

fn dkim() -> Vec<Planted> {
    vec![
        domain("dkim-none").no_dkim().fails(&["dkim.not_found"]),
        domain("dkim-512")
            .no_dkim()
            .dkim("default", &key(RSA_512))
            .fails(&["dkim.key_weak"]),
        domain("dkim-1024")
            .no_dkim()
            .dkim("default", &key(RSA_1024))
            .fails(&["dkim.key_1024"])
            .score(96),
        domain("dkim-not-base64")
            .dkim("k1", "v=DKIM1; p=***")
            .fails(&["dkim.key_invalid"]),
        domain("dkim-no-p")
            .dkim("k1", "v=DKIM1; k=rsa")
            .fails(&["dkim.key_invalid"]),
        domain("dkim-two-records")
            .dkim("default", &key(RSA_2048_OTHER))
            .dkim("k1", &key(RSA_2048))
            .fails(&["dkim.key_invalid"]),
        domain("dkim-revoked-all")
            .no_dkim()
            .dkim("default", "v=DKIM1; p=")
            .fails(&["dkim.not_found", "dkim.revoked"]),
        domain("dkim-revoked-one")
            .dkim("k1", "v=DKIM1; p=")
            .fails(&["dkim.revoked"]),
        domain("dkim-testing")
            .no_dkim()
            .dkim("default", &format!("{}; t=y", key(RSA_2048)))
            .fails(&["dkim.testing"])
            .score(98),
        domain("dkim-sha1")
            .no_dkim()
            .dkim("default", &format!("{}; h=sha1", key(RSA_2048)))
            .fails(&["dkim.sha1_only"]),
        domain("dkim-shared")
            .dkim("k1", &key(RSA_2048))
            .fails(&["dkim.shared_key"]),
        domain("dkim-wildcard")
            .no_dkim()
            .txt("*._domainkey", &key(RSA_2048))
            .fails(&["dkim.wildcard", "dkim.not_found"]),
        domain("dkim-dangling")
            .no_dkim()
            .without("", "MX")
            .add("", "MX", "10 dkim-dangling.mail.protection.outlook.com.")
            .add("selector1._domainkey", "CNAME", "selector1.gone.test.")
            .add("selector2._domainkey", "CNAME", "selector2.gone.test.")
            .fails(&["dkim.not_found", "dkim.cname_dangling", "spf.too_many_void"]),
        domain("dkim-half-pair")
            .no_dkim()
            .without("", "MX")
            .add("", "MX", "10 dkim-half-pair.mail.protection.outlook.com.")
            .spf("v=spf1 ip4:93.184.216.34 -all")
            .add(
                "selector1._domainkey",
                "CNAME",
                "default._domainkey.good.test.",
            )
            .add("selector2._domainkey", "CNAME", "selector2.gone.test.")
            .fails(&["dkim.cname_dangling"]),
    ]
}

fn spf() -> Vec<Planted> {
    let terms = |count: usize, term: &dyn Fn(usize) -> String| {
        let terms: Vec<_> = (0..count).map(term).collect();
        format!(" {}", terms.join(" "))
    };
    let eleven = terms(11, &|n| format!("exists:e{n}.good.test"));
    let ten = terms(10, &|n| format!("a:mx{n}.spf-ten.test"));
    let long = terms(30, &|n| format!("ip4:93.184.{n}.34"));
    let hosts = |planted: Planted, count: usize, at: &str| {
        (0..count).fold(planted, |planted, n| {
            planted.add(&format!("{at}{n}"), "A", "192.0.2.9").add(
                &format!("{at}{n}"),
                "AAAA",
                "2001:db8::9",
            )
        })
    };
    let many_mx = (0..11).fold(domain("spf-mx-many"), |planted, n| {
        planted.add("", "MX", format!("20 mx{n}.spf-mx-many.test."))
    });
    vec![
        domain("spf-missing")
            .without("", "TXT")
            .fails(&["spf.missing"]),
        domain("spf-two")
            .txt("", "v=spf1 -all")
            .fails(&["spf.multiple"]),
        domain("spf-unknown-mechanism")
            .spf("v=spf1 mx ipv4:1.2.3.4 -all")
            .fails(&["spf.syntax"]),
        domain("spf-bad-cidr")
            .spf("v=spf1 mx ip4:93.184.216.34/33 -all")
            .fails(&["spf.syntax"]),
        domain("spf-plus-all")
            .spf("v=spf1 mx +all")
            .fails(&["spf.plus_all"])
            .score(30),
        domain("spf-neutral-all")
            .spf("v=spf1 mx ?all")
            .fails(&["spf.neutral_all"]),
        domain("spf-no-all")
            .spf("v=spf1 mx")
            .fails(&["spf.neutral_all"]),
        domain("spf-softfail")
            .spf("v=spf1 mx ~all")
            .fails(&["spf.softfail"])
            .score(99),
        domain("spf-eleven")
            .spf(&format!("v=spf1{eleven} -all"))
            .fails(&["spf.too_many_lookups", "spf.too_many_void"]),
        hosts(domain("spf-ten"), 10, "mx")
            .spf(&format!("v=spf1{ten} -all"))
            .fails(&["spf.lookups_near_limit"]),
        domain("spf-void")
            .spf("v=spf1 mx a:x1.good.test a:x2.good.test a:x3.good.test -all")
            .fails(&["spf.too_many_void"]),
        domain("spf-include-empty")
            .spf("v=spf1 mx include:mx.good.test -all")
            .fails(&["spf.include_broken"]),
        domain("spf-include-gone")
            .spf("v=spf1 mx include:_spf.nobody-has-this.test -all")
            .fails(&["spf.include_dangling"]),
        domain("spf-loop")
            .spf("v=spf1 mx include:l.spf-loop.test -all")
            .txt("l", "v=spf1 include:spf-loop.test -all")
            .fails(&["spf.include_broken"]),
        domain("spf-ptr")
            .spf("v=spf1 mx ptr -all")
            .fails(&["spf.ptr"])
            .score(98),
        hosts(many_mx, 11, "mx").fails(&["spf.mx_too_many"]),
        domain("spf-after-all")
            .spf("v=spf1 mx -all ip4:93.184.216.34")
            .fails(&["spf.redundant"]),
        domain("spf-long")
            .spf(&format!("v=spf1 mx{long} -all"))
            .fails(&["spf.too_long"]),
        domain("spf-wide")
            .spf("v=spf1 mx ip4:93.0.0.0/9 -all")
            .fails(&["spf.wide_range"]),
        domain("spf-private")
            .spf("v=spf1 mx ip4:10.0.0.0/24 -all")
            .fails(&["spf.private_range"]),
        domain("spf-macro")
            .spf("v=spf1 mx exists:%{i}.list.good.test -all")
            .fails(&["spf.macro_dynamic"]),
        domain("spf-leading-blank")
            .spf(" v=spf1 mx -all")
            .fails(&["spf.missing", "spf.wrong_place"]),
        domain("spf-parked")
            .without("", "MX")
            .without("mx", "A")
            .without("_mta-sts", "TXT")
            .without("_smtp._tls", "TXT")
            .no_dkim()
            .add("", "MX", "0 .")
            .without("", "TXT")
            .dmarc("v=DMARC1; p=reject; rua=mailto:d@good.test")
            .txt("spf-parked.test._report._dmarc.good.test.", "v=DMARC1")
            .fails(&["spf.parked_not_locked"]),
    ]
}

fn transport() -> Vec<Planted> {
    vec![
        domain("sts-missing")
            .without("_mta-sts", "TXT")
            .fails(&["mta_sts.missing"]),
        domain("sts-two")
            .txt("_mta-sts", "v=STSv1; id=2")
            .fails(&["mta_sts.syntax"]),
        domain("sts-bad-id")
            .without("_mta-sts", "TXT")
            .txt("_mta-sts", "v=STSv1; id=a-b")
            .fails(&["mta_sts.syntax"]),
        domain("tls-missing")
            .without("_smtp._tls", "TXT")
            .fails(&["tls_rpt.missing"]),
        domain("tls-no-rua")
            .without("_smtp._tls", "TXT")
            .txt("_smtp._tls", "v=TLSRPTv1")
            .fails(&["tls_rpt.syntax"]),
        domain("null-mixed")
            .add("", "MX", "0 .")
            .fails(&["mx.null_mixed"]),
    ]
}

/// Names about which, and below which, no answer ever arrives.
pub(crate) const SILENT: &[&str] = &[
    "silent.test",
    "_dmarc.silent-dmarc.test",
    "default._domainkey.silent-dkim.test",
];

/// Domains about which NSD, or the way to it, leaves a question open.
pub(crate) fn unanswered() -> Vec<Planted> {
    let everything = [
        "dmarc.missing",
        "dkim.not_found",
        "spf.missing",
        "mta_sts.missing",
        "tls_rpt.missing",
    ];
    vec![
        domain("silent").unanswered(&everything),
        domain("a.servfail").unanswered(&everything),
        domain("silent-dmarc").unanswered(&["dmarc.missing"]),
        domain("silent-dkim").unanswered(&["dkim.not_found"]),
        domain("silent-include")
            .spf("v=spf1 include:x.silent.test -all")
            .unanswered(&["spf.include_broken"]),
        domain("servfail-include")
            .spf("v=spf1 include:x.servfail.test -all")
            .unanswered(&["spf.include_broken"]),
        domain("servfail-rua")
            .dmarc("v=DMARC1; p=reject; rua=mailto:d@b.servfail.test")
            .unanswered(&["dmarc.rua_unauthorised", "dmarc.rua_undeliverable"]),
    ]
}

/// The zone `test.` with every domain.
pub(crate) fn zone(planted: &[Planted]) -> String {
    let mut zone = begun("test.");
    for domain in planted {
        // NSD has no file for this one.
        if domain.name.ends_with("servfail") {
            continue;
        }
        write(&mut zone, domain, &format!("{}.test.", domain.name));
    }
    zone
}

/// The zone `com.` with `example.com`, in which nothing is wrong.
pub(crate) fn com_zone() -> String {
    let mut zone = begun("com.");
    let good = domain("example");
    write(&mut zone, &good, "example.com.");
    zone.replace("example.test", "example.com")
}

fn begun(apex: &str) -> String {
    format!(
        "$ORIGIN {apex}\n$TTL 60\n@ SOA ns.{apex} hostmaster.{apex} 1 3600 600 86400 60\n@ NS ns.{apex}\nns A 127.0.0.1\n"
    )
}

fn write(zone: &mut String, planted: &Planted, domain: &str) {
    for (at, kind, data) in &planted.records {
        let name = match at.as_str() {
            "" => domain.to_owned(),
            absolute if absolute.ends_with('.') => absolute.to_owned(),
            labels => format!("{labels}.{domain}"),
        };
        writeln!(zone, "{name} {kind} {data}").unwrap();
    }
}
