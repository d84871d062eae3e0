//! The reference page of a catalogue: made from its table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::catalogue::{Catalogue, Check};

/// A catalogue as Markdown: which checks give a verdict with no more than these permissions, which
/// permission each other one lacks, and every check with what it can be tuned by.
pub fn reference_markdown(catalogue: &'static Catalogue, granted: &[&str]) -> String {
    let lacking = |check: &&'static Check| !catalogue.lacking(check, granted).is_empty();
    let (waiting, decided): (Vec<&Check>, Vec<&Check>) = catalogue.checks.iter().partition(lacking);
    let mut out = String::new();
    let _ = write!(
        out,
        "## With {} alone\n\n{} of {} checks give a verdict",
        code(granted, ", "),
        decided.len(),
        catalogue.checks.len()
    );
    let licensed = decided.iter().filter(|it| !it.licences.is_empty()).count();
    if licensed > 0 {
        let _ = write!(
            out,
            " ({licensed} of them where the tenant has the licence)"
        );
    }
    out.push_str(". Each other one lacks:\n\n| Permission | Opens |\n|---|---|\n");
    let mut opens: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for check in waiting {
        let permissions = catalogue.lacking(check, granted);
        opens
            .entry(code(&permissions, " and "))
            .or_default()
            .push(check.id);
    }
    for (permission, checks) in opens {
        let _ = writeln!(out, "| {permission} | {} |", code(&checks, ", "));
    }
    out.push_str("\n## The checks\n\n| Check | Severity | Holds where it passes | Level |\n|---|---|---|---|\n");
    for check in catalogue.checks {
        let licence = match check.licences {
            [] => String::new(),
            plans => format!(" (with {})", code(plans, " or ")),
        };
        let _ = writeln!(
            out,
            "| `{}` | {} | {}{licence} | {} |",
            check.id,
            check.severity,
            check.title,
            level(check)
        );
    }
    out
}

/// What the level means, and its values.
fn level(check: &Check) -> String {
    let Some(level) = check.level else {
        return String::new();
    };
    let several = level.defaults.len() > 1;
    let written = |(profile, value): &(&str, &str)| match *profile {
        "" if several => format!("else `{value}`"),
        "" => format!("`{value}`"),
        profile => format!("{profile} `{value}`"),
    };
    let defaults: Vec<_> = level.defaults.iter().map(written).collect();
    format!("{}: {}", level.docs, defaults.join(", "))
}

fn code(words: &[&str], between: &str) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(between)
}
