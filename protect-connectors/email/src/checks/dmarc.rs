//! Rules about DMARC.

use jiff::ToSpan as _;
use protect_core::model::Severity::{High, Info, Low, Medium};

use super::dmarc_reporting::{
    no_rua, not_reporting_to_us, our_address_missing_auth, rua_unauthorised, rua_undeliverable,
    ruf_unauthorised,
};
use super::{Check, Decision, Facts, Wrong};
use crate::dmarc::{Alignment, DmarcAt, DmarcRecord, DmarcStep, EffectivePolicies, Policy};
use crate::tags::{self, Problem, Version};

/// How long a domain may watch before watching is all it does.
const MONITORING_DAYS: i64 = 90;

/// The rules, in the order of the reference page.
pub const CHECKS: &[Check] = &[
    Check {
        id: "email.dmarc.missing",
        title: "a DMARC record applies to the domain",
        severity: High,
        scuba: Some("MS.EXO.4.1v1"),
        decide: missing,
    },
    Check {
        id: "email.dmarc.multiple",
        title: "there is one DMARC record, not several",
        severity: High,
        scuba: None,
        decide: multiple,
    },
    Check {
        id: "email.dmarc.syntax",
        title: "the DMARC record can be read by every receiver",
        severity: High,
        scuba: None,
        decide: syntax,
    },
    Check {
        id: "email.dmarc.policy_none",
        title: "receivers are asked to act on mail that fails DMARC",
        severity: High,
        scuba: None,
        decide: policy_none,
    },
    Check {
        id: "email.dmarc.policy_quarantine",
        title: "receivers are asked to refuse mail that fails DMARC",
        severity: Low,
        scuba: Some("MS.EXO.4.2v1"),
        decide: policy_quarantine,
    },
    Check {
        id: "email.dmarc.testing",
        title: "the policy is not under test",
        severity: Low,
        scuba: None,
        decide: testing,
    },
    Check {
        id: "email.dmarc.subdomain_weaker",
        title: "subdomains are protected as the domain is",
        severity: High,
        scuba: None,
        decide: subdomain_weaker,
    },
    Check {
        id: "email.dmarc.pct_partial",
        title: "older receivers apply the policy to all mail",
        severity: Medium,
        scuba: None,
        decide: pct_partial,
    },
    Check {
        id: "email.dmarc.removed_tags",
        title: "the record holds no tag that RFC 9989 removed",
        severity: Info,
        scuba: None,
        decide: removed_tags,
    },
    Check {
        id: "email.dmarc.no_rua",
        title: "aggregate reports are asked for",
        severity: Medium,
        scuba: None,
        decide: no_rua,
    },
    Check {
        id: "email.dmarc.rua_unauthorised",
        title: "whoever receives aggregate reports has agreed to it",
        severity: High,
        scuba: None,
        decide: rua_unauthorised,
    },
    Check {
        id: "email.dmarc.rua_undeliverable",
        title: "aggregate reports can be delivered",
        severity: Medium,
        scuba: None,
        decide: rua_undeliverable,
    },
    Check {
        id: "email.dmarc.ruf_unauthorised",
        title: "whoever receives failure reports has agreed to it",
        severity: Low,
        scuba: None,
        decide: ruf_unauthorised,
    },
    Check {
        id: "email.dmarc.strict_alignment",
        title: "strict alignment refuses no mail of the domain's own",
        severity: Medium,
        scuba: None,
        decide: strict_alignment,
    },
    Check {
        id: "email.dmarc.no_dkim_under_reject",
        title: "a domain that asks for rejection signs its mail",
        severity: High,
        scuba: None,
        decide: no_dkim_under_reject,
    },
    Check {
        id: "email.dmarc.inherited",
        title: "the domain has a DMARC record of its own",
        severity: Info,
        scuba: None,
        decide: inherited,
    },
    Check {
        id: "email.dmarc.wrong_place",
        title: "DMARC records stand where receivers look for them",
        severity: Medium,
        scuba: None,
        decide: wrong_place,
    },
    Check {
        id: "email.dmarc.not_reporting_to_us",
        title: "aggregate reports come to our mailbox",
        severity: Low,
        scuba: None,
        decide: not_reporting_to_us,
    },
    Check {
        id: "email.dmarc.our_address_missing_auth",
        title: "our reporting host says that it takes the domain's reports",
        severity: High,
        scuba: None,
        decide: our_address_missing_auth,
    },
    Check {
        id: "email.dmarc.org_domain_disagrees",
        title: "older and newer receivers see the same organisational domain",
        severity: Info,
        scuba: None,
        decide: org_domain_disagrees,
    },
];

/// The record that applies; a decision where there is none or nobody could say.
pub(super) fn record<'a>(facts: &Facts<'a>) -> Result<&'a DmarcRecord, Decision> {
    if let Some(record) = facts.dmarc.record() {
        return Ok(record);
    }
    Err(match facts.dmarc.failure {
        Some(failure) => Decision::Unknown(format!("DMARC record: {failure}")),
        None => Decision::NotApplicable("no DMARC record applies".to_owned()),
    })
}

/// The policies; a decision where there are none or nobody could say.
fn policies<'a>(facts: &Facts<'a>) -> Result<&'a EffectivePolicies, Decision> {
    record(facts)?;
    facts
        .dmarc
        .policies
        .as_ref()
        .ok_or_else(|| match facts.dmarc.failure {
            Some(failure) => Decision::Unknown(format!("DMARC record of a parent: {failure}")),
            None => Decision::NotApplicable("no DMARC policy applies".to_owned()),
        })
}

/// What receivers do with mail of the domain; a decision where there is nothing or nobody could say.
fn applied(facts: &Facts<'_>) -> Result<Policy, Decision> {
    let from_own = |policies: &EffectivePolicies| policies.domain.applied;
    // Its own record settles the domain's own policy, whatever is unknown about its parents.
    let own = facts.dmarc.own().and_then(DmarcStep::record);
    let policy = match own {
        Some(record) => record.policy().map(|policy| record.applied(policy)),
        None => from_own(policies(facts)?),
    };
    policy.ok_or_else(|| Decision::NotApplicable("the DMARC record asks for nothing".to_owned()))
}

fn missing(facts: &Facts<'_>) -> Decision {
    if let Some(at) = &facts.dmarc.applied_at {
        return Decision::pass(format!("a DMARC record stands at {at}"));
    }
    if let Some(failure) = facts.dmarc.failure {
        return Decision::Unknown(format!("DMARC record: {failure}"));
    }
    Decision::fail(
        High,
        "no DMARC record applies: receivers accept forged mail in the domain's name, and nobody reports it",
    )
}

/// Whether the question at the domain itself was answered.
fn own<'a>(facts: &Facts<'a>) -> Result<&'a DmarcStep, Decision> {
    let own = facts.dmarc.own();
    match own.map(|own| (own, own.failure())) {
        Some((own, None)) => Ok(own),
        Some((_, Some(failure))) => Err(Decision::Unknown(format!("DMARC record: {failure}"))),
        None => Err(Decision::Unknown("DMARC record: not asked".to_owned())),
    }
}

fn multiple(facts: &Facts<'_>) -> Decision {
    match &need!(own(facts)).found {
        DmarcAt::Several { texts } => Decision::fail(
            High,
            format!(
                "{} DMARC records stand at the domain, so receivers use none",
                texts.len()
            ),
        ),
        _ => Decision::pass("there are not several records"),
    }
}

fn syntax(facts: &Facts<'_>) -> Decision {
    let own = need!(own(facts));
    if let Some(text) = own.almost().next() {
        let why = match tags::version(text, crate::dmarc::VERSION) {
            Version::Shifted => "something stands before `v=DMARC1`",
            _ => "`DMARC1` must be in capitals",
        };
        return Decision::fail(High, format!("receivers pass over the record: {why}"));
    }
    let Some(record) = own.record() else {
        return Decision::NotApplicable("the domain has no record of its own".to_owned());
    };
    if record.policy().is_none() {
        return Decision::fail(
            High,
            "the record does nothing: it has no readable policy and nowhere to report to",
        );
    }
    let wrong = record.issues.iter().filter_map(|issue| {
        let severity = match issue.problem {
            Problem::BadValue
                if matches!(issue.tag.to_ascii_lowercase().as_str(), "p" | "sp" | "np") =>
            {
                High
            }
            Problem::BadValue | Problem::NotATag | Problem::Duplicate | Problem::Missing => Low,
            _ => return None,
        };
        let text = format!("{} (at byte {})", issue.text, issue.at);
        Some(Wrong::new(severity, text).about(issue.tag.to_ascii_lowercase()))
    });
    Decision::of(wrong.collect(), "the record can be read")
}

fn policy_none(facts: &Facts<'_>) -> Decision {
    match need!(applied(facts)) {
        Policy::None => {}
        policy => return Decision::pass(format!("receivers are asked to {policy}")),
    }
    let limit = facts.at.checked_sub((MONITORING_DAYS * 24).hours());
    let long = facts
        .known
        .monitoring_since
        .zip(limit.ok())
        .is_some_and(|(since, limit)| since <= limit);
    if long {
        return Decision::fail(
            High,
            format!(
                "receivers are asked for nothing, and have been for more than {MONITORING_DAYS} days"
            ),
        );
    }
    Decision::fail(
        Medium,
        "receivers are asked for nothing: the monitoring phase, in which forged mail is delivered",
    )
}

fn policy_quarantine(facts: &Facts<'_>) -> Decision {
    match need!(applied(facts)) {
        Policy::Quarantine => Decision::fail(
            Low,
            "receivers are asked to quarantine, not to refuse: not fully enforced",
        ),
        Policy::None => Decision::NotApplicable("the policy is `none`".to_owned()),
        Policy::Reject => Decision::pass("receivers are asked to refuse"),
    }
}

fn testing(facts: &Facts<'_>) -> Decision {
    let record = need!(record(facts));
    match record.policy() {
        Some(policy) if record.testing && policy != Policy::None => Decision::fail(
            Low,
            format!(
                "`t=y`: receivers apply `{}`, not `{policy}`",
                policy.under_test()
            ),
        ),
        _ => Decision::pass("the policy is not under test"),
    }
}

fn subdomain_weaker(facts: &Facts<'_>) -> Decision {
    let policies = need!(policies(facts));
    let Some(domain) = policies.domain.applied else {
        return Decision::NotApplicable("the DMARC record asks for nothing".to_owned());
    };
    let mut wrong = Vec::new();
    for (what, policy) in [
        ("sp", &policies.subdomain),
        ("np", &policies.missing_subdomain),
    ] {
        let Some(applied) = policy.applied.filter(|applied| *applied < domain) else {
            continue;
        };
        let severity = match (domain, applied) {
            (Policy::Reject, Policy::None) if what == "sp" => High,
            _ => Medium,
        };
        let which = if what == "sp" {
            "subdomains"
        } else {
            "subdomains that do not exist"
        };
        let text = format!("receivers apply `{applied}` to {which} and `{domain}` to the domain");
        wrong.push(Wrong::new(severity, text).about(what));
    }
    Decision::of(wrong, "subdomains are protected as the domain is")
}

fn pct_partial(facts: &Facts<'_>) -> Decision {
    match need!(record(facts)).pct {
        Some(percent) if percent < 100 => Decision::fail(
            Medium,
            format!(
                "`pct={percent}`: older receivers apply the policy to {percent} % of the mail, newer ones to all of it"
            ),
        ),
        _ => Decision::pass("the policy is for all mail"),
    }
}

fn removed_tags(facts: &Facts<'_>) -> Decision {
    let record = need!(record(facts));
    let removed = record.issues.iter().filter(|issue| {
        // A share is worse than old, and has a rule of its own.
        issue.problem == Problem::Removed
            && !(issue.tag.eq_ignore_ascii_case("pct") && record.pct.is_some_and(|pct| pct < 100))
    });
    let wrong = removed.map(|issue| Wrong::new(Info, issue.text.clone()).about(issue.tag.clone()));
    Decision::of(wrong.collect(), "there is no such tag")
}

fn strict_alignment(facts: &Facts<'_>) -> Decision {
    let record = need!(record(facts));
    let strict: Vec<_> = [("adkim", record.adkim), ("aspf", record.aspf)]
        .into_iter()
        .filter(|(_, alignment)| *alignment == Alignment::Strict)
        .map(|(tag, _)| format!("`{tag}=s`"))
        .collect();
    if strict.is_empty() {
        return Decision::pass("alignment is relaxed");
    }
    match &facts.known.reports {
        None => Decision::NoReports,
        Some(seen) if seen.relaxed_only > 0 => Decision::fail(
            Medium,
            format!(
                "{} messages of the last 30 days failed although another name of the organisation signed or sent them: {} asks for the very same name",
                seen.relaxed_only,
                strict.join(" and "),
            ),
        ),
        Some(_) => Decision::pass("alignment is strict, and no mail is lost by it"),
    }
}

fn no_dkim_under_reject(facts: &Facts<'_>) -> Decision {
    if need!(applied(facts)) != Policy::Reject {
        return Decision::NotApplicable("the policy is not `reject`".to_owned());
    }
    match &facts.known.reports {
        None => Decision::NoReports,
        Some(seen) if seen.evidence.messages == 0 => Decision::NoReports,
        Some(seen) if seen.by_dkim == 0 => Decision::fail(
            High,
            "no mail of the last 30 days passed by a signature of the domain: under `reject`, forwarded mail is lost",
        ),
        Some(_) => Decision::pass("signed mail is seen in reports"),
    }
}

fn inherited(facts: &Facts<'_>) -> Decision {
    need!(record(facts));
    match &facts.dmarc.applied_at {
        Some(at) if facts.dmarc.is_inherited() => {
            Decision::fail(Info, format!("the record that applies stands at {at}"))
        }
        _ => Decision::pass("the domain has a record of its own"),
    }
}

fn wrong_place(facts: &Facts<'_>) -> Decision {
    let own = need!(own(facts));
    let mut wrong = Vec::new();
    let at_apex = facts
        .texts
        .iter()
        .any(|text| tags::version(text, crate::dmarc::VERSION) != Version::Other);
    if at_apex {
        let text = "a DMARC record stands at the domain itself, where nobody looks; it belongs to `_dmarc`";
        wrong.push(Wrong::new(Medium, text).about("apex"));
    }
    let spf = |text: &String| tags::version(text, "spf1") != Version::Other;
    if own.other_texts.iter().any(spf) {
        let text = "an SPF record stands at `_dmarc`; it belongs to the domain itself";
        wrong.push(Wrong::new(Medium, text).about("spf"));
    }
    Decision::of(wrong, "records stand where receivers look")
}

fn org_domain_disagrees(facts: &Facts<'_>) -> Decision {
    let (Some(new), Some(old)) = (
        &facts.dmarc.organisational_domain,
        &facts.dmarc.old_receivers,
    ) else {
        return match facts.dmarc.failure {
            Some(failure) => Decision::Unknown(format!("organisational domain: {failure}")),
            None => Decision::NotApplicable("there is no organisational domain".to_owned()),
        };
    };
    need!(record(facts));
    match &old.organisational_domain {
        Some(old) if old != new => Decision::fail(
            Info,
            format!(
                "older receivers see {old}, newer ones {new}, and may judge alignment differently"
            ),
        ),
        _ => Decision::pass("both see the same"),
    }
}
