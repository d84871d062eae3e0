//! Rules about SPF.

use protect_core::model::Severity::{self, Critical, High, Info, Low, Medium};

use super::{Check, Decision, Facts, Wrong};
use crate::dmarc::Policy;
use crate::spf::{LOOKUP_LIMIT, Qualifier, SpfAudit, SpfFound, SpfIssueKind, SpfTerm, VOID_LIMIT};
use crate::transport::MailHosts;

/// More IPv4 addresses than any sender has: a /8.
const MOST_ADDRESSES: u64 = 1 << 24;

/// An answer over UDP without EDNS (RFC 1035 section 2.3.4).
const LARGEST_ANSWER: u64 = 512;

/// The rules, in the order of the reference page.
pub const CHECKS: &[Check] = &[
    check(
        "email.spf.missing",
        "the domain says who may send mail (SPF)",
        High,
        missing,
    ),
    check(
        "email.spf.multiple",
        "there is one SPF record, not several",
        High,
        multiple,
    ),
    check(
        "email.spf.syntax",
        "the SPF record can be read",
        High,
        syntax,
    ),
    check(
        "email.spf.plus_all",
        "not everybody may send",
        Critical,
        plus_all,
    ),
    check(
        "email.spf.neutral_all",
        "something follows for hosts that may not send",
        High,
        neutral_all,
    ),
    Check {
        scuba: Some("MS.EXO.2.2v3"),
        ..check(
            "email.spf.softfail",
            "hosts that may not send fail outright",
            Info,
            softfail,
        )
    },
    check(
        "email.spf.too_many_lookups",
        "the record costs at most ten lookups",
        High,
        too_many_lookups,
    ),
    check(
        "email.spf.lookups_near_limit",
        "lookups are left for another service",
        Low,
        near_limit,
    ),
    check(
        "email.spf.too_many_void",
        "lookups find something",
        Medium,
        too_many_void,
    ),
    check(
        "email.spf.include_broken",
        "everything that is included has a usable record",
        High,
        include_broken,
    ),
    check(
        "email.spf.include_dangling",
        "nothing that is included can be registered by others",
        Critical,
        include_dangling,
    ),
    check("email.spf.ptr", "`ptr` is not used", Low, ptr),
    check(
        "email.spf.mx_too_many",
        "`mx` leads to at most ten hosts",
        High,
        mx_too_many,
    ),
    check(
        "email.spf.redundant",
        "every term has an effect",
        Low,
        redundant,
    ),
    check(
        "email.spf.too_long",
        "the record fits an answer",
        Medium,
        too_long,
    ),
    check(
        "email.spf.wide_range",
        "no term stands for a whole provider",
        Medium,
        wide_range,
    ),
    check(
        "email.spf.private_range",
        "no term stands for private addresses",
        Low,
        private_range,
    ),
    check(
        "email.spf.macro_dynamic",
        "what terms say can be checked beforehand",
        Info,
        macro_dynamic,
    ),
    check(
        "email.spf.wrong_place",
        "SPF records stand where receivers look for them",
        Low,
        wrong_place,
    ),
    check(
        "email.spf.parked_not_locked",
        "a domain without mail says that nobody may send",
        Medium,
        parked_not_locked,
    ),
];

const fn check(
    id: &'static str,
    title: &'static str,
    severity: Severity,
    decide: fn(&Facts<'_>) -> Decision,
) -> Check {
    Check {
        id,
        title,
        severity,
        scuba: None,
        decide,
    }
}

/// The audit, where there is a record; else what a rule about the record says.
fn record<'a>(facts: &Facts<'a>) -> Result<&'a SpfAudit, Decision> {
    let found = facts.spf.own().map(|own| &own.found);
    match found {
        Some(SpfFound::Record { .. }) => Ok(facts.spf),
        Some(SpfFound::Unknown { failure }) => {
            Err(Decision::Unknown(format!("SPF record: {failure}")))
        }
        Some(SpfFound::Several { .. }) => Err(Decision::NotApplicable(
            "there are several SPF records, of which none counts".to_owned(),
        )),
        _ => Err(Decision::NotApplicable("there is no SPF record".to_owned())),
    }
}

/// The same for rules that need everything the record leads to: what is wrong is wrong whatever else
/// could not be looked at, and all is well only where all was.
fn over_all(
    facts: &Facts<'_>,
    pass: &str,
    wrong: impl FnOnce(&SpfAudit) -> Vec<Wrong>,
) -> Decision {
    match record(facts) {
        Ok(audit) => {
            let wrong = wrong(audit);
            if wrong.is_empty() && !audit.complete {
                return unknown_part(audit);
            }
            Decision::of(wrong, pass)
        }
        Err(decision) => decision,
    }
}

fn unknown_part(audit: &SpfAudit) -> Decision {
    let unknown = audit.nodes.iter().find_map(|node| {
        let failure = match node.found {
            SpfFound::Unknown { failure } => Some(failure),
            _ => node.terms.iter().find_map(|term| term.failure),
        };
        Some((&node.domain, failure?))
    });
    match unknown {
        Some((domain, failure)) => {
            Decision::Unknown(format!("a part of the record at {domain}: {failure}"))
        }
        None => Decision::Unknown("the record leads to more records than are looked at".to_owned()),
    }
}

/// Issues of one kind as what is wrong. What stands in the domain's own record is told by its term,
/// what stands elsewhere by its domain too.
fn issues(audit: &SpfAudit, kind: SpfIssueKind, severity: Severity) -> Vec<Wrong> {
    let wrong = audit.issues_of(kind).map(|issue| {
        let what = if issue.own {
            issue.term.clone()
        } else {
            format!("{} {}", issue.domain, issue.term)
        };
        Wrong::new(severity, issue.text.clone()).about(what)
    });
    wrong.collect()
}

fn own_issues(audit: &SpfAudit, kind: SpfIssueKind, severity: Severity) -> Vec<Wrong> {
    let own = audit.issues_of(kind).filter(|issue| issue.own);
    own.map(|issue| Wrong::new(severity, issue.text.clone()).about(issue.term.clone()))
        .collect()
}

fn missing(facts: &Facts<'_>) -> Decision {
    match facts.spf.own().map(|own| &own.found) {
        Some(SpfFound::Unknown { failure }) => {
            return Decision::Unknown(format!("SPF record: {failure}"));
        }
        Some(SpfFound::Nothing | SpfFound::NoSuchName { .. }) | None => {}
        Some(_) => return Decision::pass("there is a record"),
    }
    match facts.mail {
        MailHosts::Unknown { failure } => Decision::Unknown(format!("mail hosts: {failure}")),
        mail if mail.takes_mail() == Some(true) => {
            let policies = facts.dmarc.policies.as_ref();
            let refused =
                policies.is_some_and(|policies| policies.domain.applied == Some(Policy::Reject));
            let severity = if refused { Medium } else { High };
            let text =
                "there is no SPF record: whoever sends in the domain's name is not told apart";
            Decision::fail(severity, text)
        }
        _ => Decision::NotApplicable("the domain takes no mail".to_owned()),
    }
}

fn multiple(facts: &Facts<'_>) -> Decision {
    match facts.spf.own().map(|own| &own.found) {
        Some(SpfFound::Several { texts }) => {
            let count = texts.len();
            let text = format!("there are {count} SPF records, so receivers use none");
            Decision::fail(High, text)
        }
        _ => match record(facts) {
            Ok(_) => Decision::pass("there is one record"),
            Err(decision) => decision,
        },
    }
}

fn syntax(facts: &Facts<'_>) -> Decision {
    match record(facts) {
        Ok(audit) => {
            let wrong = own_issues(audit, SpfIssueKind::Syntax, High);
            Decision::of(wrong, "the record can be read")
        }
        Err(decision) => decision,
    }
}

fn plus_all(facts: &Facts<'_>) -> Decision {
    over_all(facts, "not everybody may send", |audit| {
        let mut wrong = Vec::new();
        if audit.everybody {
            let text = "everybody may send in the domain's name (`+all`)";
            wrong.push(Wrong::new(Critical, text));
        } else if audit.ip4_addresses > MOST_ADDRESSES {
            let count = audit.ip4_addresses;
            let text = format!("{count} IPv4 addresses may send, which is as good as everybody");
            wrong.push(Wrong::new(Critical, text));
        }
        wrong
    })
}

fn neutral_all(facts: &Facts<'_>) -> Decision {
    over_all(
        facts,
        "something follows for everybody else",
        |audit| match audit.all {
            Some(Qualifier::Neutral) => {
                let text = "`?all`: nothing follows for hosts that may not send";
                vec![Wrong::new(High, text)]
            }
            None if !audit.is_redirected() => {
                let text =
                    "neither `all` nor `redirect`: nothing follows for hosts that may not send";
                vec![Wrong::new(High, text)]
            }
            _ => Vec::new(),
        },
    )
}

/// Not a fault: `-all` may have mail refused before DKIM and DMARC are looked at (RFC 9989 section
/// 7.1), and CISA takes either.
fn softfail(facts: &Facts<'_>) -> Decision {
    over_all(facts, "the record does not end in `~all`", |audit| {
        if audit.all != Some(Qualifier::SoftFail) {
            return Vec::new();
        }
        let text = "`~all`: hosts that may not send are suspicious, not refused; with DMARC that is enough";
        vec![Wrong::new(Info, text)]
    })
}

fn too_many_lookups(facts: &Facts<'_>) -> Decision {
    over_all(facts, "at most ten lookups", |audit| {
        if audit.lookups.count <= LOOKUP_LIMIT {
            return Vec::new();
        }
        let text = format!(
            "the record costs {} lookups, and receivers stop at {LOOKUP_LIMIT}",
            audit.lookups
        );
        vec![Wrong::new(High, text)]
    })
}

fn near_limit(facts: &Facts<'_>) -> Decision {
    over_all(facts, "lookups are left", |audit| {
        match audit.lookups.count {
            count @ (9 | LOOKUP_LIMIT) => {
                let text = format!("the record costs {count} lookups of {LOOKUP_LIMIT}");
                vec![Wrong::new(Low, text)]
            }
            _ => Vec::new(),
        }
    })
}

fn too_many_void(facts: &Facts<'_>) -> Decision {
    over_all(facts, "every lookup finds something", |audit| {
        let void = audit.void_lookups;
        let severity = if void.count > VOID_LIMIT {
            Medium
        } else if audit.terms().any(SpfTerm::finds_nothing) {
            Low
        } else {
            // A host without an IPv6 address is void for IPv6 and as it should be.
            return Vec::new();
        };
        let text = format!("{void} lookups find nothing, and receivers stop beyond {VOID_LIMIT}");
        vec![Wrong::new(severity, text)]
    })
}

fn include_broken(facts: &Facts<'_>) -> Decision {
    over_all(facts, "everything that is included can be used", |audit| {
        issues(audit, SpfIssueKind::IncludeBroken, High)
    })
}

fn include_dangling(facts: &Facts<'_>) -> Decision {
    over_all(
        facts,
        "everything that is included belongs to somebody",
        |audit| issues(audit, SpfIssueKind::IncludeDangling, Critical),
    )
}

fn ptr(facts: &Facts<'_>) -> Decision {
    over_all(facts, "`ptr` is not used", |audit| {
        issues(audit, SpfIssueKind::Ptr, Low)
    })
}

fn mx_too_many(facts: &Facts<'_>) -> Decision {
    over_all(facts, "no `mx` leads to more than ten hosts", |audit| {
        issues(audit, SpfIssueKind::MxTooMany, High)
    })
}

fn redundant(facts: &Facts<'_>) -> Decision {
    match record(facts) {
        Ok(audit) => {
            let kinds = [
                SpfIssueKind::Dead,
                SpfIssueKind::Duplicate,
                SpfIssueKind::Overlap,
            ];
            let wrong = kinds.map(|kind| own_issues(audit, kind, Low));
            Decision::of(wrong.concat(), "every term has an effect")
        }
        Err(decision) => decision,
    }
}

fn too_long(facts: &Facts<'_>) -> Decision {
    match record(facts) {
        Ok(audit) => {
            let mut wrong = own_issues(audit, SpfIssueKind::TooLong, Low);
            if audit.answer_size > LARGEST_ANSWER {
                let size = audit.answer_size;
                let text = format!(
                    "the TXT records of the domain make an answer of {size} bytes, and some receivers take {LARGEST_ANSWER}"
                );
                wrong.push(Wrong::new(Medium, text).about("answer"));
            }
            Decision::of(wrong, "the record fits an answer")
        }
        Err(decision) => decision,
    }
}

fn wide_range(facts: &Facts<'_>) -> Decision {
    // What a provider includes is the provider's: some own such networks, and nobody else can
    // change their records.
    match record(facts) {
        Ok(audit) => {
            let wrong = own_issues(audit, SpfIssueKind::WideRange, Medium);
            Decision::of(wrong, "no term stands for a whole provider")
        }
        Err(decision) => decision,
    }
}

fn private_range(facts: &Facts<'_>) -> Decision {
    match record(facts) {
        Ok(audit) => {
            let wrong = own_issues(audit, SpfIssueKind::PrivateRange, Low);
            Decision::of(wrong, "no term stands for private addresses")
        }
        Err(decision) => decision,
    }
}

fn macro_dynamic(facts: &Facts<'_>) -> Decision {
    over_all(facts, "no term depends on the message", |audit| {
        issues(audit, SpfIssueKind::Dynamic, Info)
    })
}

fn wrong_place(facts: &Facts<'_>) -> Decision {
    if let Some(failure) = facts.spf.failure() {
        return Decision::Unknown(format!("SPF record: {failure}"));
    }
    let wrong = facts.spf.misplaced.iter().map(|misplaced| {
        let text = format!("{}: {}", misplaced.name, misplaced.text);
        Wrong::new(Low, text).about(misplaced.name.as_str())
    });
    Decision::of(wrong.collect(), "records stand where receivers look")
}

fn parked_not_locked(facts: &Facts<'_>) -> Decision {
    match facts.mail.is_parked() {
        None => return Decision::Unknown("mail hosts: nobody could say".to_owned()),
        Some(false) => {
            return Decision::NotApplicable("the domain has mail or may have it".to_owned());
        }
        Some(true) => {}
    }
    if let Some(failure) = facts.spf.failure() {
        return Decision::Unknown(format!("SPF record: {failure}"));
    }
    if facts.spf.is_locked() {
        return Decision::pass("nobody may send");
    }
    Decision::fail(
        Medium,
        "the domain has no mail and does not say so: publish `v=spf1 -all`",
    )
}
