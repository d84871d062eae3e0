//! Rules about how mail reaches the domain.

use protect_core::model::Severity::{High, Low, Medium};

use super::{Check, Decision, Facts, Wrong};
use crate::tags::RecordIssue;
use crate::transport::{MailHosts, MtaStsMode, MtaStsPolicy, MtaStsPolicyAt, RecordAt};

/// Shorter policies protect against nobody who waits a day (RFC 8461 section 3.2 asks for weeks).
const SHORTEST_AGE: u32 = 86_400;

/// The rules, in the order of the reference page.
pub const CHECKS: &[Check] = &[
    Check {
        id: "email.mta_sts.missing",
        title: "senders are told to use TLS (MTA-STS)",
        severity: Low,
        scuba: None,
        decide: missing,
    },
    Check {
        id: "email.mta_sts.syntax",
        title: "the MTA-STS record can be read",
        severity: Low,
        scuba: None,
        decide: syntax,
    },
    Check {
        id: "email.mta_sts.policy",
        title: "the MTA-STS policy can be fetched and used",
        severity: Medium,
        scuba: None,
        decide: policy_usable,
    },
    Check {
        id: "email.mta_sts.mode",
        title: "the MTA-STS policy is enforced",
        severity: Low,
        scuba: None,
        decide: mode,
    },
    Check {
        id: "email.mta_sts.max_age",
        title: "senders keep the MTA-STS policy for a day or longer",
        severity: Low,
        scuba: None,
        decide: max_age,
    },
    Check {
        id: "email.mta_sts.mx_uncovered",
        title: "the MTA-STS policy names every mail host",
        severity: High,
        scuba: None,
        decide: mx_uncovered,
    },
    Check {
        id: "email.tls_rpt.missing",
        title: "failures of TLS are reported (TLS-RPT)",
        severity: Low,
        scuba: None,
        decide: tls_rpt_missing,
    },
    Check {
        id: "email.tls_rpt.syntax",
        title: "the TLS-RPT record can be read",
        severity: Low,
        scuba: None,
        decide: tls_rpt_syntax,
    },
    Check {
        id: "email.mx.null_mixed",
        title: "a null MX stands alone",
        severity: Medium,
        scuba: None,
        decide: null_mixed,
    },
];

/// Transport matters where mail is taken.
fn for_mail(facts: &Facts<'_>) -> Option<Decision> {
    match facts.mail {
        MailHosts::Unknown { failure } => Some(Decision::Unknown(format!("mail hosts: {failure}"))),
        mail if mail.takes_mail() == Some(false) => Some(Decision::NotApplicable(
            "the domain takes no mail".to_owned(),
        )),
        _ => None,
    }
}

/// Whether a record that a domain with mail should have is there.
fn is_there<R>(what: &str, at: &RecordAt<R>, without: &str) -> Decision {
    match at {
        RecordAt::Record { .. } | RecordAt::Several { .. } => Decision::pass("there is a record"),
        RecordAt::Nothing => Decision::fail(Low, format!("there is no {what} record: {without}")),
        RecordAt::Unknown { failure } => Decision::Unknown(format!("{what} record: {failure}")),
    }
}

/// Whether there is one record, and nothing wrong in it.
fn is_readable<R>(what: &str, at: &RecordAt<R>, issues: fn(&R) -> &[RecordIssue]) -> Decision {
    match at {
        RecordAt::Record { record } => {
            let wrong = issues(record)
                .iter()
                .map(|issue| Wrong::new(Low, issue.text.clone()).about(issue.tag.clone()));
            Decision::of(wrong.collect(), "the record can be read")
        }
        RecordAt::Several { texts } => {
            let text = format!("there are {} {what} records, so none is used", texts.len());
            Decision::fail(Low, text)
        }
        RecordAt::Nothing => Decision::NotApplicable(format!("there is no {what} record")),
        RecordAt::Unknown { failure } => Decision::Unknown(format!("{what} record: {failure}")),
    }
}

fn missing(facts: &Facts<'_>) -> Decision {
    for_mail(facts).unwrap_or_else(|| {
        is_there(
            "MTA-STS",
            &facts.transport.mta_sts.record,
            "whoever sits between two mail servers can read the mail",
        )
    })
}

fn syntax(facts: &Facts<'_>) -> Decision {
    is_readable("MTA-STS", &facts.transport.mta_sts.record, |record| {
        &record.issues
    })
}

/// The policy; a decision where there is none or nobody could say.
fn policy<'a>(facts: &Facts<'a>) -> Result<&'a MtaStsPolicy, Decision> {
    if let RecordAt::Unknown { failure } = facts.transport.mta_sts.record {
        return Err(Decision::Unknown(format!("MTA-STS record: {failure}")));
    }
    match &facts.transport.mta_sts.policy {
        MtaStsPolicyAt::Policy { policy } => Ok(policy),
        MtaStsPolicyAt::Unusable { .. } => Err(Decision::NotApplicable(
            "there is no usable policy".to_owned(),
        )),
        MtaStsPolicyAt::Unknown { why } => Err(Decision::Unknown(why.clone())),
        MtaStsPolicyAt::NotAsked => Err(not_asked(facts)),
    }
}

fn not_asked(facts: &Facts<'_>) -> Decision {
    match facts.transport.mta_sts.record {
        RecordAt::Record { .. } => {
            Decision::NotConfigured("fetching MTA-STS policies is turned off".to_owned())
        }
        _ => Decision::NotApplicable("there is no usable MTA-STS record".to_owned()),
    }
}

fn policy_usable(facts: &Facts<'_>) -> Decision {
    match &facts.transport.mta_sts.policy {
        MtaStsPolicyAt::Unusable { why } => Decision::fail(
            Medium,
            format!("there is an MTA-STS record and no usable policy: {why}"),
        ),
        _ => match policy(facts) {
            Ok(_) => Decision::pass("the policy can be used"),
            Err(decision) => decision,
        },
    }
}

fn mode(facts: &Facts<'_>) -> Decision {
    match policy(facts) {
        Err(decision) => decision,
        Ok(policy) => match policy.mode {
            MtaStsMode::Enforce => Decision::pass("the policy is enforced"),
            MtaStsMode::Testing => Decision::fail(
                Low,
                "mode `testing`: senders deliver without TLS and report it",
            ),
            MtaStsMode::None => Decision::fail(Low, "mode `none`: the policy is withdrawn"),
        },
    }
}

fn max_age(facts: &Facts<'_>) -> Decision {
    match policy(facts) {
        Err(decision) => decision,
        Ok(policy) if policy.max_age < SHORTEST_AGE => Decision::fail(
            Low,
            format!(
                "senders keep the policy for {} seconds, less than a day",
                policy.max_age
            ),
        ),
        Ok(_) => Decision::pass("senders keep the policy for a day or longer"),
    }
}

fn mx_uncovered(facts: &Facts<'_>) -> Decision {
    let policy = match policy(facts) {
        Err(decision) => return decision,
        Ok(policy) if policy.mode == MtaStsMode::None => {
            return Decision::NotApplicable("the policy is withdrawn".to_owned());
        }
        Ok(policy) => policy,
    };
    if let Some(decision) = for_mail(facts) {
        return decision;
    }
    let uncovered = facts
        .mail
        .hosts()
        .iter()
        .filter(|host| !policy.covers(host));
    let wrong = uncovered.map(|host| {
        let wrong = if policy.mode == MtaStsMode::Enforce {
            Wrong::new(
                High,
                format!("the policy does not name {host}: mail to it is not delivered"),
            )
        } else {
            Wrong::new(Low, format!("the policy does not name {host}"))
        };
        wrong.about(host.clone())
    });
    Decision::of(wrong.collect(), "the policy names every mail host")
}

fn tls_rpt_missing(facts: &Facts<'_>) -> Decision {
    for_mail(facts).unwrap_or_else(|| {
        is_there(
            "TLS-RPT",
            &facts.transport.tls_rpt,
            "nobody tells the domain that its mail cannot be delivered by TLS",
        )
    })
}

fn tls_rpt_syntax(facts: &Facts<'_>) -> Decision {
    is_readable("TLS-RPT", &facts.transport.tls_rpt, |record| &record.issues)
}

fn null_mixed(facts: &Facts<'_>) -> Decision {
    match facts.mail {
        MailHosts::Unknown { failure } => Decision::Unknown(format!("mail hosts: {failure}")),
        MailHosts::Mx {
            null_beside: true, ..
        } => Decision::fail(
            Medium,
            "a null MX says that the domain takes no mail, and other MX records that it does",
        ),
        _ => Decision::pass("no null MX stands beside a mail host"),
    }
}
