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
        "directory.failed",
        "a directory could not be read to its end",
    ),
    ("directory.refreshed", "a directory was read to its end"),
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
    ("monitor.added", "somebody had an address watched"),
    ("monitor.imported", "somebody had a list of people watched"),
    (
        "monitor.removed",
        "somebody had an address watched no longer",
    ),
    ("plan.approved", "somebody consented to a plan"),
    ("plan.made", "a plan was made"),
    (
        "report.made",
        "a month is over, and its report was made and kept",
    ),
    ("scan.completed", "a scan came to its end"),
    ("scan.failed", "a scan did not come to its end"),
    ("scan.page", "one page of a scan"),
    (
        "usage.counted",
        "a month is over, and how many people were watched in it is known",
    ),
    (
        "usage.lapsed",
        "a month's usage was never told, and is too old to be",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::ENTRY_KINDS;

    /// Words with a point in the engine's sources that name something else.
    fn is_no_entry(line: &str) -> bool {
        ["kill_point", "Error::config(", "//"]
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
        let engine = std::fs::read_dir(sources.join("engine")).unwrap();
        let files = engine.map(|item| item.unwrap().path());
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
