//! What delegated scopes are good for: which checks give verdicts, and which scope each other one lacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::CATALOGUE;
use crate::PERMISSIONS;
use crate::api::Access;
use crate::config::Options;
use crate::detections::{self, OTHER_ALERT};
use crate::remediate::ACTIONS;
use crate::scope::Scope;

/// What was found out about a credential's scopes.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) missing: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// The scopes of the `scan` credential: what the product asks for is missing where it is not there;
/// what opens more is told in words. What is delegated without need cannot be found out: Google says
/// of a scope only whether it is, and only to whoever asks for a token of it.
pub(crate) fn scan(access: &Access) -> Judged {
    let granted: Vec<&str> = access.granted.iter().map(|scope| scope.url()).collect();
    let mut opens: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut decided = 0;
    for check in CATALOGUE.checks {
        let lacking = CATALOGUE.lacking(check, &granted);
        if lacking.is_empty() {
            decided += 1;
        } else {
            opens
                .entry(lacking.join(" and "))
                .or_default()
                .insert(check.id);
        }
    }
    let mut closed = |scope: Scope, checks: &[&'static str]| {
        if !access.granted.contains(&scope) {
            let opened = opens.entry(scope.url().to_owned()).or_default();
            opened.extend(checks);
        }
    };
    let events: Vec<_> = detections::checks().map(|(check, ..)| check).collect();
    closed(Scope::Logs, &events);
    closed(Scope::Alerts, &[OTHER_ALERT]);
    let mut notes = vec![format!(
        "{decided} of {} checks give a verdict with the scopes that are delegated",
        CATALOGUE.checks.len()
    )];
    let lacks = |(scope, checks): (&String, &BTreeSet<&str>)| {
        let checks: Vec<_> = checks.iter().copied().collect();
        format!("{scope} is not delegated, and opens {}", checks.join(", "))
    };
    notes.extend(opens.iter().map(lacks));
    if access.granted.contains(&Scope::Policies) {
        for scope in [Scope::OrgUnits, Scope::Groups] {
            if !access.granted.contains(&scope) {
                let scope = scope.url();
                notes.push(format!(
                    "{scope} is not delegated, and says for whom settings are made"
                ));
            }
        }
    } else {
        let scope = Scope::Policies.url();
        notes.push(format!(
            "{scope} is not delegated, so settings are told from changes in the admin log alone, with low confidence"
        ));
    }
    let wanted = PERMISSIONS.iter().filter(|url| !granted.contains(*url));
    Judged {
        missing: wanted.map(|url| (*url).to_owned()).collect(),
        notes,
    }
}

/// The scopes of the `respond` credential.
pub(crate) fn respond(access: &Access, options: &Options) -> Judged {
    let mut judged = Judged::default();
    for action in ACTIONS.iter().filter(|action| action.is_possible(options)) {
        for scope in action.scopes {
            if !access.granted.contains(scope) {
                let scope = scope.url();
                judged.missing.push(scope.to_owned());
                judged
                    .notes
                    .push(format!("without {scope} nothing does {}", action.kind));
            }
        }
    }
    judged.missing.sort_unstable();
    judged.missing.dedup();
    judged
}
