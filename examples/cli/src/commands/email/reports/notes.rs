//! What came twice or could not be used: listed up to a point, counted beyond.

use protect_connectors::email::reports::issue::ParseIssue;
use protect_connectors::email::reports::{BrokenReport, Told};
use serde::Serialize;

/// How many of each sort are listed.
const LISTED: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Notes {
    /// The part of the file that is being read.
    part: String,
    pub(super) duplicates: Vec<Duplicate>,
    pub(super) errors: Vec<BrokenReport>,
    pub(super) issues: Vec<Issue>,
}

/// A report that was read before.
#[derive(Debug, Serialize)]
pub(super) struct Duplicate {
    pub(super) file: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) part: String,
    /// Whether it says something else than the first did.
    pub(super) contradicts: bool,
}

/// A value or record that could not be used; the document holds it with its report.
#[derive(Debug)]
pub(super) struct Issue {
    pub(super) file: String,
    pub(super) part: String,
    pub(super) found: ParseIssue,
}

impl Notes {
    pub(super) fn take(&mut self, file: &str, told: &Told<'_>) {
        match told {
            Told::Begin { part } => (*part).clone_into(&mut self.part),
            Told::End { issues, .. } => {
                for issue in &issues.listed {
                    let issue = Issue {
                        file: file.to_owned(),
                        part: self.part.clone(),
                        found: issue.clone(),
                    };
                    push(&mut self.issues, issue);
                }
            }
            Told::Duplicate { part, contradicts } => push(
                &mut self.duplicates,
                Duplicate {
                    file: file.to_owned(),
                    part: (*part).to_owned(),
                    contradicts: *contradicts,
                },
            ),
            Told::Broken { part, error } => {
                push(&mut self.errors, BrokenReport::new(file, part, error));
            }
            Told::Record(_) | Told::Tls { .. } | Told::Failure { .. } => {}
        }
    }
}

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < LISTED {
        list.push(item);
    }
}
