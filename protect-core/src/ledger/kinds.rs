/// Every kind of ledger entry that the engine writes, and what it records. A new one is added here
/// first; a test compares this list with the sources.
pub const ENTRY_KINDS: &[(&str, &str)] = &[
    (
        "action.attempted",
        "the attempt of an action, before the vendor is called",
    ),
    (
        "action.begun_again",
        "the vendor does not know an interrupted attempt: it is made again",
    ),
    (
        "action.delayed",
        "an attempt that did not reach the vendor and is made later",
    ),
    (
        "action.ends",
        "a temporary action ran out, and its undoing is due",
    ),
    (
        "action.finished",
        "an action came to its outcome, which never changes",
    ),
    (
        "action.unknown",
        "nobody can say yet whether an attempt took effect",
    ),
    (
        "certifications.imported",
        "somebody imported certifications",
    ),
    (
        "directory.failed",
        "a directory could not be read to its end",
    ),
    ("directory.refreshed", "a directory was read to its end"),
    (
        "employee.changed",
        "somebody changed what is said of an employee",
    ),
    (
        "employee.entered",
        "somebody entered an employee, or hired one again",
    ),
    (
        "employee.left_by_force",
        "somebody let an employee leave without an offboarding, for a reason",
    ),
    (
        "employee.profile_changed",
        "what employees change themselves was changed",
    ),
    (
        "employees.imported",
        "somebody imported a list of employees",
    ),
    (
        "employees.synced",
        "somebody took a directory over into the workforce",
    ),
    ("engine.paused", "somebody stopped all effects"),
    ("engine.resumed", "somebody let effects go on"),
    (
        "finding.accepted",
        "somebody accepted a finding until a day, for a reason",
    ),
    (
        "finding.acceptance_ended",
        "the acceptance of a finding ran out",
    ),
    ("finding.acknowledged", "somebody took notice of a finding"),
    (
        "finding.false_positive",
        "somebody judged a finding to be wrong",
    ),
    (
        "finding.resolved",
        "somebody judged a finding to be settled",
    ),
    (
        "findings.observed",
        "findings that were given to the engine and not scanned",
    ),
    ("incident.opened", "an incident was opened"),
    (
        "incident.resolved",
        "the last finding of an incident was settled",
    ),
    ("incident.status_changed", "somebody moved an incident"),
    (
        "incident.status_told",
        "a receiver was told where an incident stands",
    ),
    ("incident.updated", "an open incident gained findings"),
    ("insider.judged", "somebody judged an insider-threat signal"),
    (
        "insider.received",
        "another product told of an insider-threat signal",
    ),
    ("monitor.added", "somebody had an address watched"),
    ("monitor.imported", "somebody had a list of people watched"),
    (
        "monitor.removed",
        "somebody had an address watched no longer",
    ),
    (
        "offboarding.access_gone",
        "every access of somebody who leaves is known to be gone",
    ),
    (
        "offboarding.access_left",
        "access that was to end is still there, or nobody knows",
    ),
    ("offboarding.started", "somebody began an offboarding"),
    ("onboarding.started", "somebody began an onboarding"),
    (
        "personnel.imported",
        "somebody imported reviews, trainings or documents to be signed",
    ),
    ("plan.approved", "somebody consented to a plan"),
    ("plan.made", "a plan was made"),
    ("plan.rejected", "somebody turned a plan down"),
    (
        "policies.seen",
        "what a publisher says of its policies was taken over",
    ),
    (
        "policy.acknowledged",
        "somebody acknowledged a version of a policy",
    ),
    (
        "report.made",
        "a month is over, and its report was made and kept",
    ),
    ("scan.completed", "a scan came to its end"),
    ("scan.failed", "a scan did not come to its end"),
    ("scan.page", "one page of a scan"),
    ("session.opened", "somebody signed in"),
    (
        "ticket.moved",
        "a ticket stands otherwise at its receiver than when it was last looked up",
    ),
    (
        "time_off.balances_imported",
        "somebody imported balances of time off",
    ),
    (
        "time_off.decided",
        "somebody approved, denied or cancelled time off",
    ),
    ("time_off.requested", "somebody asked for time off"),
    (
        "usage.counted",
        "a month is over, and how many people were watched in it is known",
    ),
    (
        "usage.lapsed",
        "a month's usage was never told, and is too old to be",
    ),
    (
        "workflow.cancelled",
        "somebody called an onboarding or offboarding off",
    ),
    (
        "workflow.completed",
        "nothing is left of an onboarding or offboarding",
    ),
    ("workflow.task", "somebody said where a task stands"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::ENTRY_KINDS;

    /// Words with a point in the engine's sources that name something else.
    fn is_no_entry(line: &str) -> bool {
        ["kill_point", "Error::config(", "//", "const ", "\"people."]
            .iter()
            .any(|other| line.contains(other))
    }

    fn is_kind(text: &str) -> bool {
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        text.split_once('.')
            .is_some_and(|(thing, what)| is_word(thing) && is_word(what))
    }

    #[test]
    fn the_list_names_exactly_the_kinds_that_the_engine_writes() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let folders = ["engine", "people"].map(|name| sources.join(name));
        let items = folders.iter().flat_map(|it| std::fs::read_dir(it).unwrap());
        let files = items.map(|item| item.unwrap().path());
        let mut written = BTreeSet::new();
        for path in files.chain([sources.join("report/kept.rs")]) {
            if !path.is_file() {
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            for line in text.lines().filter(|line| !is_no_entry(line)) {
                let literals = line.split('"').skip(1).step_by(2);
                written.extend(literals.filter(|text| is_kind(text)).map(str::to_owned));
            }
        }
        let listed: BTreeSet<String> = ENTRY_KINDS
            .iter()
            .map(|(kind, _)| (*kind).to_owned())
            .collect();
        assert_eq!(written, listed);
        assert_eq!(listed.len(), ENTRY_KINDS.len(), "each once");
    }
}
