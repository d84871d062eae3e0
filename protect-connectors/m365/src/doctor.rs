//! What granted permissions are good for: which checks give verdicts, which permission each other one
//! lacks, and what is granted without need.

use std::collections::{BTreeMap, BTreeSet};

use crate::CATALOGUE;
use crate::PERMISSIONS;
use crate::config::Options;
use crate::questions::extra_permissions;
use crate::remediate::ACTIONS;
use crate::streams::Stream;

/// What was found out about a credential's permissions.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) missing: Vec<String>,
    pub(crate) excess: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// The permissions of the `scan` credential: what the product asks for is missing where it is not
/// there; what opens more is told in words.
pub(crate) fn scan(granted: &BTreeSet<String>) -> Judged {
    let names: Vec<&str> = granted.iter().map(String::as_str).collect();
    let mut opens: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut decided = 0;
    for check in CATALOGUE.checks {
        let lacking = CATALOGUE.lacking(check, &names);
        if lacking.is_empty() {
            decided += 1;
        } else {
            opens
                .entry(lacking.join(" and "))
                .or_default()
                .push(check.id);
        }
    }
    for stream in Stream::ALL {
        if !stream.permissions().iter().any(|it| granted.contains(*it)) {
            let permission = stream.permissions().first().copied().unwrap_or_default();
            opens
                .entry(permission.to_owned())
                .or_default()
                .push(stream.check());
        }
    }
    let mut notes = vec![format!(
        "{decided} of {} checks give a verdict with the permissions that are granted",
        CATALOGUE.checks.len()
    )];
    let lacks = |(permission, checks): (&String, &Vec<&str>)| {
        format!(
            "{permission} is not granted, and opens {}",
            checks.join(", ")
        )
    };
    notes.extend(opens.iter().map(lacks));
    let is_known = |name: &&String| {
        let declared = CATALOGUE.resources.iter().flat_map(|it| it.permissions);
        let streams = Stream::ALL.iter().flat_map(|it| it.permissions());
        let mut all = declared.chain(streams).chain(extra_permissions());
        all.any(|known| *known == name.as_str())
    };
    let wanted = PERMISSIONS.iter().filter(|name| !granted.contains(**name));
    Judged {
        missing: wanted.map(|name| (*name).to_owned()).collect(),
        excess: granted
            .iter()
            .filter(|name| !is_known(name) && !PERMISSIONS.contains(&name.as_str()))
            .cloned()
            .collect(),
        notes,
    }
}

/// The permissions of the `respond` credential: each action names those of which any will do.
pub(crate) fn respond(granted: &BTreeSet<String>, options: &Options) -> Judged {
    let mut judged = Judged::default();
    let mut known: BTreeSet<&str> = READS.iter().copied().collect();
    for action in ACTIONS.iter().filter(|action| action.is_possible(options)) {
        known.extend(action.permissions);
        if !action.permissions.iter().any(|it| granted.contains(*it)) {
            let permission = action.permissions.first().copied().unwrap_or_default();
            judged.missing.push(permission.to_owned());
            judged
                .notes
                .push(format!("without {permission} nothing does {}", action.kind));
        }
    }
    if !READS.iter().any(|it| granted.contains(*it)) {
        judged
            .missing
            .push(READS.first().copied().unwrap_or_default().to_owned());
    }
    judged.missing.sort_unstable();
    judged.missing.dedup();
    let excess = granted.iter().filter(|name| !known.contains(name.as_str()));
    judged.excess = excess.cloned().collect();
    judged
}

/// What the state before and after a change is read with: any of them will do.
const READS: &[&str] = &[
    "Directory.Read.All",
    "User.Read.All",
    "RoleManagement.Read.Directory",
];
