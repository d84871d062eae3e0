//! Cases of domains.

use protect_core::model::NotEvaluatedReason as Reason;
use protect_core::posture::Profile;
use serde_json::{Value, json};

use crate::customer::Expected::{self, Fail, NotApplicable, NotEvaluated, Pass};
use crate::customer::{Case, good, hold, result};

const NOT_SEEN: Expected = NotEvaluated(Reason::NoObservation);
const NO_ANSWER: Expected = NotEvaluated(Reason::VendorError);

const VERIFIED: &str = "google.domain.verified";
const SPF: &str = "google.domain.spf";
const DKIM: &str = "google.domain.dkim";
const DMARC: &str = "google.domain.dmarc";
const REJECT: &str = "google.domain.dmarc_reject";

fn no_domains(customer: &mut Value) {
    customer["domains"] = json!({ "domains": [] });
    customer["domain_aliases"] = json!([]);
}

fn text(customer: &mut Value, name: &str, text: &str) {
    customer["dns"][name] = json!({ "TXT": [text] });
}

fn fails(customer: &mut Value, name: &str) {
    customer["dns"][name] = json!({ "error": "SERVFAIL" });
}

fn unasked(customer: &mut Value, name: &str) {
    customer["dns"].as_object_mut().unwrap().remove(name);
}

const CASES: &[Case] = &[
    (
        VERIFIED,
        "a domain is not",
        |c| c["domains"][1]["verified"] = false.into(),
        Fail,
    ),
    (
        VERIFIED,
        "an alias is not",
        |c| c["domain_aliases"]["domainAliases"][0]["verified"] = false.into(),
        Fail,
    ),
    (
        VERIFIED,
        "a domain does not say",
        |c| c["domains"][1]["verified"] = Value::Null,
        NOT_SEEN,
    ),
    (VERIFIED, "no domain", no_domains, NotApplicable),
    (
        SPF,
        "no record",
        |c| text(c, "acme.example", "something else"),
        Fail,
    ),
    (
        SPF,
        "no such name",
        |c| c["dns"]["acme.example"] = json!({ "error": "NXDOMAIN" }),
        Fail,
    ),
    (
        SPF,
        "two records",
        |c| c["dns"]["acme.example"] = json!({ "TXT": ["v=spf1 -all", "v=spf1 -all"] }),
        Fail,
    ),
    (
        SPF,
        "an open end",
        |c| text(c, "acme.example", "v=spf1 include:_spf.google.com ?all"),
        Fail,
    ),
    (
        SPF,
        "a soft end",
        |c| text(c, "acme.example", "v=spf1 include:_spf.google.com ~all"),
        Fail,
    ),
    (
        SPF,
        "a soft end that may be",
        |c| {
            text(c, "acme.example", "v=spf1 include:_spf.google.com ~all");
            c["config"]["checks"][SPF] = json!({ "level": "softfail" });
        },
        Pass,
    ),
    (
        SPF,
        "a mistake",
        |c| text(c, "acme.example", "v=spf1 ip4:999.1.1.1 -all"),
        Fail,
    ),
    (
        SPF,
        "an alias of itself",
        |c| text(c, "alias.example", "v=spf1 redirect=alias.example"),
        Fail,
    ),
    (
        SPF,
        "a domain that is not verified",
        |c| {
            c["domains"][1]["verified"] = false.into();
            text(c, "mail.acme.example", "x");
        },
        Pass,
    ),
    (
        SPF,
        "a domain that is left out",
        |c| {
            text(c, "mail.acme.example", "x");
            c["config"]["checks"][SPF] = json!({ "excluded_principals": ["Mail.acme.example"] });
        },
        Pass,
    ),
    (SPF, "no answer", |c| fails(c, "acme.example"), NO_ANSWER),
    (
        SPF,
        "no answer for one and no record for another",
        |c| {
            fails(c, "acme.example");
            text(c, "mail.acme.example", "x");
        },
        Fail,
    ),
    (
        SPF,
        "nobody asked",
        |c| unasked(c, "acme.example"),
        NOT_SEEN,
    ),
    (SPF, "no domain", no_domains, NotApplicable),
    (
        DKIM,
        "no key",
        |c| c["dns"]["google._domainkey.acme.example"] = json!({ "TXT": [] }),
        Fail,
    ),
    (
        DKIM,
        "a key that was withdrawn",
        |c| text(c, "google._domainkey.acme.example", "v=DKIM1; p="),
        Fail,
    ),
    (
        DKIM,
        "another selector",
        |c| {
            for name in ["acme.example", "alias.example", "mail.acme.example"] {
                let key = c["dns"][format!("google._domainkey.{name}")].take();
                c["dns"][format!("s1._domainkey.{name}")] = key;
                c["dns"][format!("google._domainkey.{name}")] = json!({ "error": "NXDOMAIN" });
            }
            c["config"]["checks"][DKIM] = json!({ "level": "google, s1" });
        },
        Pass,
    ),
    (
        DKIM,
        "selectors that are none",
        |c| c["config"]["checks"][DKIM] = json!({ "level": "a b" }),
        NotEvaluated(Reason::NotConfigured),
    ),
    (
        DKIM,
        "no answer",
        |c| fails(c, "google._domainkey.acme.example"),
        NO_ANSWER,
    ),
    (
        DKIM,
        "nobody asked",
        |c| unasked(c, "google._domainkey.acme.example"),
        NOT_SEEN,
    ),
    (DKIM, "no domain", no_domains, NotApplicable),
    (
        DMARC,
        "no record",
        |c| text(c, "_dmarc.alias.example", "x"),
        Fail,
    ),
    (
        DMARC,
        "an organisation without a record",
        |c| text(c, "_dmarc.acme.example", "x"),
        Fail,
    ),
    (
        DMARC,
        "two records",
        |c| {
            c["dns"]["_dmarc.alias.example"] =
                json!({ "TXT": ["v=DMARC1; p=none", "v=DMARC1; p=none"] });
        },
        Fail,
    ),
    (
        DMARC,
        "no policy",
        |c| text(c, "_dmarc.alias.example", "v=DMARC1"),
        Fail,
    ),
    (
        DMARC,
        "no action",
        |c| text(c, "_dmarc.alias.example", "v=DMARC1; p=none"),
        Pass,
    ),
    (
        DMARC,
        "no answer",
        |c| fails(c, "_dmarc.acme.example"),
        NO_ANSWER,
    ),
    (
        DMARC,
        "nobody asked",
        |c| unasked(c, "_dmarc.mail.acme.example"),
        NOT_SEEN,
    ),
    (DMARC, "no domain", no_domains, NotApplicable),
    (
        REJECT,
        "quarantine",
        |c| {
            text(
                c,
                "_dmarc.alias.example",
                "v=DMARC1; p=quarantine; rua=mailto:p=reject@x.example",
            );
        },
        Fail,
    ),
    (
        REJECT,
        "subdomains are spared",
        |c| text(c, "_dmarc.acme.example", "v=DMARC1; p=reject; sp=none"),
        Fail,
    ),
    (
        REJECT,
        "still testing",
        |c| text(c, "_dmarc.alias.example", "v=DMARC1; p=reject; t=y"),
        Fail,
    ),
    (
        REJECT,
        "no record",
        |c| text(c, "_dmarc.alias.example", "x"),
        Fail,
    ),
    (
        REJECT,
        "no answer",
        |c| fails(c, "_dmarc.alias.example"),
        NO_ANSWER,
    ),
    (
        REJECT,
        "nobody asked",
        |c| unasked(c, "_dmarc.alias.example"),
        NOT_SEEN,
    ),
    (REJECT, "no domain", no_domains, NotApplicable),
];

#[test]
fn domains_are_judged_case_by_case() {
    hold(&good(), CASES);
}

#[test]
fn the_domains_that_are_wrong_are_named() {
    let mut customer = good();
    text(&mut customer, "mail.acme.example", "v=spf1 ?all");
    text(&mut customer, "acme.example", "v=spf1 ?all");
    let found = result(&customer, &Profile::scuba(), SPF);
    // The alias takes its record from the domain.
    assert_eq!(
        found.affected,
        ["acme.example", "alias.example", "mail.acme.example"]
    );
}
