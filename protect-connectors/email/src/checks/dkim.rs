//! Rules about DKIM.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use protect_core::model::Confidence;
use protect_core::model::Severity::{Critical, High, Info, Low, Medium};

use super::{Check, Decision, Facts, Wrong};
use crate::dkim::{DkimKey, DkimSelector, KeyMaterial, SelectorFound, SelectorSource};

/// Verifiers may ignore shorter keys (RFC 8301 section 3.2).
const SHORTEST: u32 = 1_024;
/// What signers should use (RFC 8301 section 3.2).
const GOOD: u32 = 2_048;
/// Verifiers need not support longer ones (RFC 8301 section 3.2).
const LONGEST: u32 = 4_096;
/// After which a key should have been changed.
const ROTATION_DAYS: i64 = 365;
/// Messages of the domain's own from which on reports can say that none is signed.
const MESSAGES: u64 = 100;

/// The rules, in the order of the reference page.
pub const CHECKS: &[Check] = &[
    Check {
        id: "email.dkim.not_found",
        title: "a DKIM key was found",
        severity: High,
        scuba: Some("MS.EXO.3.1v1"),
        decide: not_found,
    },
    Check {
        id: "email.dkim.key_weak",
        title: "no DKIM key can be broken",
        severity: Critical,
        scuba: None,
        decide: key_weak,
    },
    Check {
        id: "email.dkim.key_1024",
        title: "every RSA key for DKIM has 2048 bits",
        severity: Medium,
        scuba: None,
        decide: key_1024,
    },
    Check {
        id: "email.dkim.key_long",
        title: "every verifier can use the DKIM keys",
        severity: Low,
        scuba: None,
        decide: key_long,
    },
    Check {
        id: "email.dkim.key_invalid",
        title: "every DKIM record holds a key",
        severity: High,
        scuba: None,
        decide: key_invalid,
    },
    Check {
        id: "email.dkim.revoked",
        title: "no DKIM key in use is withdrawn",
        severity: High,
        scuba: None,
        decide: revoked,
    },
    Check {
        id: "email.dkim.testing",
        title: "no DKIM key is under test",
        severity: Low,
        scuba: None,
        decide: testing,
    },
    Check {
        id: "email.dkim.sha1_only",
        title: "no DKIM key is for SHA-1 alone",
        severity: High,
        scuba: None,
        decide: sha1_only,
    },
    Check {
        id: "email.dkim.shared_key",
        title: "every selector has a DKIM key of its own",
        severity: Medium,
        scuba: None,
        decide: shared_key,
    },
    Check {
        id: "email.dkim.cname_dangling",
        title: "every DKIM alias leads to a key",
        severity: High,
        scuba: None,
        decide: cname_dangling,
    },
    Check {
        id: "email.dkim.rotation_old",
        title: "DKIM keys are changed once a year",
        severity: Low,
        scuba: None,
        decide: rotation_old,
    },
    Check {
        id: "email.dkim.wildcard",
        title: "not every selector has a key",
        severity: Medium,
        scuba: None,
        decide: wildcard,
    },
];

/// A decision about every key; where none was found, why.
fn each_key(
    facts: &Facts<'_>,
    pass: &str,
    wrong: impl Fn(&DkimSelector, &DkimKey) -> Option<Wrong>,
) -> Decision {
    let keys = facts.dkim.selectors.iter();
    let keys: Vec<_> = keys.filter_map(|at| Some((at, at.key()?))).collect();
    let wrong: Vec<_> = keys
        .iter()
        .filter_map(|(at, key)| {
            wrong(at, key).map(|wrong| wrong.about(at.candidate.selector.clone()))
        })
        .collect();
    // What was seen is wrong whatever else was not seen; what is right needs all that matters.
    if !wrong.is_empty() {
        return Decision::Fail(wrong);
    }
    match facts.dkim.failure {
        Some(failure) => Decision::Unknown(format!("DKIM keys: {failure}")),
        None if keys.is_empty() => {
            Decision::NotApplicable("no DKIM key was found under the names tried".to_owned())
        }
        None => Decision::pass(pass),
    }
}

fn not_found(facts: &Facts<'_>) -> Decision {
    let live = facts.dkim.live().count();
    if live > 0 {
        return Decision::pass(format!("{live} keys were found"));
    }
    if let Some(failure) = facts.dkim.failure {
        return Decision::Unknown(format!("DKIM keys: {failure}"));
    }
    if facts.mail.is_parked() == Some(true) {
        return Decision::NotApplicable(
            "the domain takes no mail and need not sign any".to_owned(),
        );
    }
    let unsigned = facts
        .known
        .reports
        .as_ref()
        .is_some_and(|seen| seen.evidence.messages > MESSAGES && seen.by_dkim == 0);
    if unsigned {
        return Decision::fail(
            High,
            "reports show the domain's mail, and none of it passes by a signature of the domain",
        );
    }
    let text = if facts.dkim.nothing_below {
        "no key was found: there is nothing below `_domainkey`".to_owned()
    } else {
        format!(
            "no key was found under the {} names tried",
            facts.dkim.asked.len()
        )
    };
    Decision::Fail(vec![Wrong::new(Medium, text).confidence(Confidence::Low)])
}

fn bits(key: &DkimKey) -> Option<u32> {
    match key.material {
        KeyMaterial::Rsa { bits } => Some(bits),
        _ => None,
    }
}

fn key_weak(facts: &Facts<'_>) -> Decision {
    each_key(
        facts,
        "no key is so short that it can be broken",
        |at, key| {
            let bits = bits(key).filter(|bits| *bits < SHORTEST)?;
            let text = format!(
                "the key of `{}` has {bits} bits: it can be broken and mail signed in the domain's name",
                at.candidate.selector
            );
            Some(Wrong::new(Critical, text))
        },
    )
}

fn key_1024(facts: &Facts<'_>) -> Decision {
    each_key(facts, "every RSA key has 2048 bits or more", |at, key| {
        let bits = bits(key).filter(|bits| (SHORTEST..GOOD).contains(bits))?;
        let text = format!(
            "the key of `{}` has {bits} bits; use {GOOD}",
            at.candidate.selector
        );
        Some(Wrong::new(Medium, text))
    })
}

fn key_long(facts: &Facts<'_>) -> Decision {
    each_key(
        facts,
        "no key is longer than verifiers must support",
        |at, key| {
            let bits = bits(key).filter(|bits| *bits > LONGEST)?;
            let text = format!(
                "the key of `{}` has {bits} bits, more than verifiers must support",
                at.candidate.selector
            );
            Some(Wrong::new(Low, text))
        },
    )
}

fn key_invalid(facts: &Facts<'_>) -> Decision {
    let several = facts
        .dkim
        .selectors
        .iter()
        .filter_map(|at| match &at.found {
            SelectorFound::Several { texts } => {
                let selector = &at.candidate.selector;
                let text = format!(
                    "`{selector}` has {} records; a verifier may take any",
                    texts.len()
                );
                Some(Wrong::new(High, text).about(selector.clone()))
            }
            _ => None,
        });
    let mut wrong: Vec<_> = several.collect();
    let invalid = each_key(facts, "every record holds a key", |at, key| {
        let KeyMaterial::Unusable { why } = &key.material else {
            return None;
        };
        Some(Wrong::new(
            High,
            format!("`{}`: {why}", at.candidate.selector),
        ))
    });
    match invalid {
        Decision::Fail(more) => wrong.extend(more),
        other if wrong.is_empty() => return other,
        _ => {}
    }
    Decision::Fail(wrong)
}

fn revoked(facts: &Facts<'_>) -> Decision {
    let none_live = facts.dkim.live().next().is_none() && facts.dkim.failure.is_none();
    each_key(facts, "no key is withdrawn", |at, key| {
        if key.material != KeyMaterial::Revoked {
            return None;
        }
        let selector = &at.candidate.selector;
        let signs = facts
            .known
            .reports
            .as_ref()
            .is_some_and(|seen| seen.selectors.contains(selector));
        Some(if signs {
            Wrong::new(
                High,
                format!("`{selector}` is withdrawn and was signing mail in the last 30 days"),
            )
        } else if none_live {
            Wrong::new(
                High,
                format!("`{selector}` is withdrawn, and no other key was found"),
            )
        } else {
            Wrong::new(Info, format!("`{selector}` is withdrawn"))
        })
    })
}

fn testing(facts: &Facts<'_>) -> Decision {
    each_key(facts, "no key is under test", |at, key| {
        key.testing.then(|| {
            let text = format!(
                "`{}` is under test (`t=y`): verifiers treat its mail as unsigned",
                at.candidate.selector
            );
            Wrong::new(Low, text)
        })
    })
}

fn sha1_only(facts: &Facts<'_>) -> Decision {
    each_key(facts, "no key is for SHA-1 alone", |at, key| {
        key.is_sha1_only().then(|| {
            let text = format!(
                "`{}` allows SHA-1 alone, which verifiers must not accept (RFC 8301)",
                at.candidate.selector
            );
            Wrong::new(High, text)
        })
    })
}

fn shared_key(facts: &Facts<'_>) -> Decision {
    let mut holders: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (at, key) in facts.dkim.live() {
        if let Some(print) = &key.fingerprint {
            holders
                .entry(print)
                .or_default()
                .push(at.candidate.selector.clone());
        }
    }
    each_key(facts, "every selector has a key of its own", |at, key| {
        let print = key.fingerprint.as_deref().filter(|_| key.is_live())?;
        let selector = &at.candidate.selector;
        // Two aliases of one provider's name are one key on purpose.
        let mut others: Vec<String> = holders.get(print)?.clone();
        others.retain(|other| other != selector);
        let elsewhere = facts
            .known
            .keys
            .iter()
            .filter(|known| known.fingerprint == print);
        let elsewhere = elsewhere.filter(|known| known.domain != *facts.domain);
        others.extend(elsewhere.map(|known| known.domain.to_string()));
        others.sort();
        others.dedup();
        (!others.is_empty() && at.alias_of.is_none()).then(|| {
            let text = format!("`{selector}` shares its key with {}", others.join(", "));
            Wrong::new(Medium, text)
        })
    })
}

fn cname_dangling(facts: &Facts<'_>) -> Decision {
    let selectors = &facts.dkim.selectors;
    let pair_is_half = facts
        .dkim
        .live()
        .any(|(at, _)| is_microsoft(at) && at.alias_of.is_some());
    let wrong = selectors.iter().filter_map(|at| {
        let selector = &at.candidate.selector;
        let half = is_microsoft(at) && pair_is_half;
        let state = match (&at.found, &at.alias_of) {
            (SelectorFound::Dangling, Some(target)) => {
                format!("`{selector}` leads to {target}, which does not exist")
            }
            (SelectorFound::Nothing, _) if half => format!("`{selector}` is not there"),
            _ => return None,
        };
        let wrong = if half {
            Wrong::new(
                High,
                format!("{state}: when Microsoft changes keys, signing breaks"),
            )
        } else {
            Wrong::new(Medium, state)
        };
        Some(wrong.about(selector.clone()))
    });
    let wrong: Vec<_> = wrong.collect();
    let unknown = selectors.iter().find_map(|at| match at.found {
        SelectorFound::Unknown { failure } => Some(failure),
        _ => None,
    });
    match unknown {
        Some(failure) if wrong.is_empty() => Decision::Unknown(format!("DKIM keys: {failure}")),
        _ => Decision::of(wrong, "every alias leads to a key"),
    }
}

fn is_microsoft(at: &DkimSelector) -> bool {
    matches!(
        &at.candidate.source,
        SelectorSource::Provider { provider } if provider == "microsoft365"
    )
}

fn rotation_old(facts: &Facts<'_>) -> Decision {
    let limit = facts.at.checked_sub((ROTATION_DAYS * 24).hours());
    let Ok(limit) = limit else {
        return Decision::NotApplicable("the time is out of range".to_owned());
    };
    each_key(
        facts,
        "no key is known for longer than a year",
        |at, key| {
            let print = key.fingerprint.as_deref()?;
            let selector = &at.candidate.selector;
            let mut known = facts.known.keys.iter();
            let since = known.find(|known| {
                known.domain == *facts.domain
                    && known.selector == *selector
                    && known.fingerprint == print
            })?;
            (since.since <= limit).then(|| {
                let text =
                    format!("`{selector}` has had the same key for more than {ROTATION_DAYS} days");
                Wrong::new(Low, text)
            })
        },
    )
}

fn wildcard(facts: &Facts<'_>) -> Decision {
    if facts.dkim.wildcard {
        return Decision::fail(
            Medium,
            "every selector has a record (a wildcard): whoever may use that key signs under any name",
        );
    }
    match facts.dkim.failure {
        Some(failure) => Decision::Unknown(format!("DKIM keys: {failure}")),
        None => Decision::pass("a name that nobody chose has no key"),
    }
}
