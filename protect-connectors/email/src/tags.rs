//! Lists of `tag=value`, as records of DMARC, DKIM, MTA-STS and TLS-RPT are written (RFC 6376
//! section 3.2, RFC 9989 section 4.7, RFC 8461 section 3.1, RFC 8460 section 3).

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One tag of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tag {
    /// Its name as written.
    pub name: String,
    /// Its value, without the blanks around it.
    pub value: String,
    /// Where it begins, in bytes from the start of the record.
    pub at: usize,
}

/// Something wrong with a record, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordIssue {
    /// Which sort of wrong.
    pub problem: Problem,
    /// The tag it is about; empty where it is about none.
    pub tag: String,
    /// Where, in bytes from the start of the record.
    pub at: usize,
    /// One sentence for people.
    pub text: String,
}

/// Which sort of wrong a [`RecordIssue`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "RecordProblem")]
pub enum Problem {
    /// What stands there is no `tag=value`.
    NotATag,
    /// The tag stands there more than once; the first counts.
    Duplicate,
    /// The value is none that the tag may have; its default counts.
    BadValue,
    /// Letters are in the wrong case, and case counts here.
    WrongCase,
    /// Nobody knows the tag; receivers pass over it.
    UnknownTag,
    /// The tag was removed from the standard; some receivers still read it.
    Removed,
    /// A tag that must be there is not.
    Missing,
    /// The tag stands where it has no effect.
    NoEffect,
}

/// The tags of a record, in order, and what was wrong with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags {
    pub(crate) tags: Vec<Tag>,
    pub(crate) issues: Vec<RecordIssue>,
}

/// Whether the letters of a tag's name may be in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameCase {
    /// As in DMARC (RFC 9989 section 4.8: names are ABNF strings).
    Either,
    /// As in DKIM (RFC 6376 section 3.2).
    Exact,
}

impl Tags {
    /// Reads a record. What is no tag becomes an issue; of a tag that is repeated the first counts.
    pub(crate) fn read(text: &str, case: NameCase) -> Self {
        let mut read = Self::default();
        for part in parts(text) {
            let written = &text[part.clone()];
            if written.trim().is_empty() {
                continue;
            }
            let at = part.start + (written.len() - written.trim_start().len());
            match written.split_once('=') {
                Some((name, value)) if is_name(name.trim()) => {
                    read.add(name.trim(), value.trim(), at, case);
                }
                _ => read.issue(
                    Problem::NotATag,
                    "",
                    at,
                    "this is no tag: a tag is written `name=value` and ends with a semicolon",
                ),
            }
        }
        read
    }

    fn add(&mut self, name: &str, value: &str, at: usize, case: NameCase) {
        let same = |tag: &Tag| match case {
            NameCase::Either => tag.name.eq_ignore_ascii_case(name),
            NameCase::Exact => tag.name == name,
        };
        if self.tags.iter().any(same) {
            let text = format!("`{name}` is repeated; the first one counts");
            return self.issue(Problem::Duplicate, name, at, text);
        }
        self.tags.push(Tag {
            name: name.to_owned(),
            value: value.to_owned(),
            at,
        });
    }

    /// Takes a tag out, by its name in lower case.
    pub(crate) fn take(&mut self, name: &str, case: NameCase) -> Option<Tag> {
        let index = self.tags.iter().position(|tag| match case {
            NameCase::Either => tag.name.eq_ignore_ascii_case(name),
            NameCase::Exact => tag.name == name,
        })?;
        Some(self.tags.remove(index))
    }

    /// Notes an issue.
    pub(crate) fn issue(
        &mut self,
        problem: Problem,
        tag: &str,
        at: usize,
        text: impl Into<String>,
    ) {
        self.issues.push(RecordIssue {
            problem,
            tag: tag.to_owned(),
            at,
            text: text.into(),
        });
    }

    /// Notes that a tag's value is none of those it may have.
    pub(crate) fn bad_value(&mut self, tag: &Tag, allowed: &str) {
        let text = format!("`{}` may be {allowed}; its default counts", tag.name);
        self.issue(Problem::BadValue, &tag.name, tag.at, text);
    }
}

/// The pieces between semicolons.
fn parts(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split(';').map(move |part| {
        let range = start..start + part.len();
        start = range.end + 1;
        range
    })
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// How the beginning of a text stands to a version tag such as `v=DMARC1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// It begins with it: the text is such a record.
    Exact,
    /// It begins with it, but for the case of the version's letters.
    WrongCase,
    /// It would, but for blanks or marks before it.
    Shifted,
    /// It is something else.
    Other,
}

/// Whether a text is a record of a version. Blanks are allowed around `=`, not before `v`, and the
/// version ends at a semicolon, a blank or the end.
pub(crate) fn version(text: &str, version: &str) -> Version {
    match version_at_start(text, version) {
        Version::Other => {}
        found => return found,
    }
    let marks =
        |c: char| c.is_whitespace() || "\"'\u{feff}\u{201c}\u{201d}\u{2018}\u{2019}".contains(c);
    let trimmed = text.trim_start_matches(marks);
    if trimmed.len() < text.len() && version_at_start(trimmed, version) != Version::Other {
        return Version::Shifted;
    }
    Version::Other
}

fn version_at_start(text: &str, version: &str) -> Version {
    let Some(rest) = text.strip_prefix(['v', 'V']) else {
        return Version::Other;
    };
    let Some(rest) = rest.trim_start_matches([' ', '\t']).strip_prefix('=') else {
        return Version::Other;
    };
    let rest = rest.trim_start_matches([' ', '\t']);
    let end = rest.find([';', ' ', '\t']).unwrap_or(rest.len());
    match &rest[..end] {
        word if word == version => Version::Exact,
        word if word.eq_ignore_ascii_case(version) => Version::WrongCase,
        _ => Version::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_are_read_in_order_with_their_places() {
        let read = Tags::read("v=DMARC1 ; p = none;; rua=a=b", NameCase::Either);
        let tags: Vec<_> = read
            .tags
            .iter()
            .map(|t| (&*t.name, &*t.value, t.at))
            .collect();
        assert_eq!(
            tags,
            [("v", "DMARC1", 0), ("p", "none", 11), ("rua", "a=b", 22)]
        );
        assert!(read.issues.is_empty());
    }

    #[test]
    fn what_is_no_tag_and_what_is_repeated_is_said_with_its_place() {
        let read = Tags::read("v=DMARC1; none; p=none; P=reject", NameCase::Either);
        let issues: Vec<_> = read.issues.iter().map(|i| (i.problem, i.at)).collect();
        assert_eq!(issues, [(Problem::NotATag, 10), (Problem::Duplicate, 24)]);
        let exact = Tags::read("p=a; P=b", NameCase::Exact);
        assert_eq!(exact.tags.len(), 2);
    }

    #[test]
    fn a_version_is_exact_in_the_wrong_case_shifted_or_another() {
        for (text, found) in [
            ("v=DMARC1", Version::Exact),
            ("v=DMARC1;p=none", Version::Exact),
            ("V \t=  DMARC1 ; p=none", Version::Exact),
            ("v=dmarc1; p=none", Version::WrongCase),
            (" v=DMARC1; p=none", Version::Shifted),
            ("\u{201c}v=DMARC1; p=none", Version::Shifted),
            ("v=DMARC12; p=none", Version::Other),
            ("p=none; v=DMARC1", Version::Other),
            ("", Version::Other),
        ] {
            assert_eq!(version(text, "DMARC1"), found, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_text_every_place_lies_within_it(text in ".{0,80}") {
            let read = Tags::read(&text, NameCase::Exact);
            prop_assert!(read.tags.iter().all(|tag| tag.at < text.len()));
            prop_assert!(read.issues.iter().all(|issue| issue.at < text.len()));
            let _ = version(&text, "DMARC1");
        }
    }
}
