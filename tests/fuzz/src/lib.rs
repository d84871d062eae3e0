//! The parsers of outside data, each as a function of bytes that must return: no panic, no endless
//! loop, whatever the bytes. Answers are `Ok` or a named error, and not looked at further, except
//! where two ways of reading must agree.
//!
//! `README.md` beside this crate says how to run them and how to add one.

mod config;
mod email;
mod hibp;
mod http;
mod ledger;
mod m365;
mod one_stack;
mod onepassword;
mod people;
mod posture;
mod vendor;
mod webhook;

/// One parser.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its corpus and of its program.
    pub name: &'static str,
    /// Reads the bytes.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target {
        name: "config_json",
        run: config::json,
    },
    Target {
        name: "config_toml",
        run: config::toml,
    },
    Target {
        name: "email_dkim_key",
        run: email::dkim_key,
    },
    Target {
        name: "email_dmarc",
        run: email::dmarc,
    },
    Target {
        name: "email_mta_sts_policy",
        run: email::mta_sts_policy,
    },
    Target {
        name: "email_mta_sts_record",
        run: email::mta_sts_record,
    },
    Target {
        name: "email_name",
        run: email::name,
    },
    Target {
        name: "email_reports",
        run: email::reports,
    },
    Target {
        name: "email_spf",
        run: email::spf,
    },
    Target {
        name: "email_tls_rpt",
        run: email::tls_rpt,
    },
    Target {
        name: "google_snapshot",
        run: posture::google,
    },
    Target {
        name: "hibp_breaches",
        run: hibp::breaches,
    },
    Target {
        name: "hibp_domain",
        run: hibp::domain,
    },
    Target {
        name: "hibp_passwords",
        run: hibp::passwords,
    },
    Target {
        name: "hibp_pastes",
        run: hibp::pastes,
    },
    Target {
        name: "hibp_range",
        run: hibp::range,
    },
    Target {
        name: "hibp_status",
        run: hibp::status,
    },
    Target {
        name: "hibp_stealer_logs",
        run: hibp::stealer_logs,
    },
    Target {
        name: "http_answer",
        run: http::answer,
    },
    Target {
        name: "ledger_entry",
        run: ledger::entry,
    },
    Target {
        name: "ledger_file",
        run: ledger::file,
    },
    Target {
        name: "ledger_key",
        run: ledger::key,
    },
    Target {
        name: "m365_answers",
        run: m365::answers,
    },
    Target {
        name: "m365_errors",
        run: m365::errors,
    },
    Target {
        name: "m365_events",
        run: m365::events,
    },
    Target {
        name: "m365_snapshot",
        run: posture::m365,
    },
    Target {
        name: "m365_token",
        run: m365::token,
    },
    Target {
        name: "monitored_csv",
        run: people::csv,
    },
    Target {
        name: "one_stack_answers",
        run: one_stack::answers,
    },
    Target {
        name: "one_stack_errors",
        run: one_stack::errors,
    },
    Target {
        name: "onepassword_errors",
        run: onepassword::errors,
    },
    Target {
        name: "onepassword_events",
        run: onepassword::events,
    },
    Target {
        name: "onepassword_token",
        run: onepassword::token,
    },
    Target {
        name: "onepassword_users",
        run: onepassword::users,
    },
    Target {
        name: "rule_when",
        run: config::when,
    },
    Target {
        name: "webhook_items",
        run: webhook::items,
    },
    Target {
        name: "webhook_secret",
        run: webhook::secret,
    },
];

/// Runs one target by name; for its program.
///
/// # Panics
/// Where there is no target of this name, or the parser has the defect that is looked for.
#[expect(clippy::expect_used, reason = "a wrong name is a wrong program")]
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("the name of a target").run)(data);
}
