//! What is wrong with a configuration: all of it at once, each with its place.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// One thing that is wrong with a configuration. Never repeats a secret, an address or a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConfigProblem {
    /// [`ErrorKind::ConfigInvalid`], or [`ErrorKind::Unsupported`] for what is planned.
    pub kind: ErrorKind,
    /// Where: `tenants.acme.rules[0].when.severity`.
    pub place: String,
    /// What is wrong and what to write instead.
    pub message: String,
    /// The tenant it concerns.
    pub tenant: Option<String>,
    /// The connection it concerns.
    pub connection: Option<String>,
    /// The tenant's connector it concerns.
    pub connector: Option<String>,
    /// The tenant's rule it concerns.
    pub rule: Option<String>,
    /// The nearest word that would be right, where something was misspelt.
    pub suggestion: Option<String>,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)?;
        if let Some(rule) = &self.rule {
            write!(f, " (in rule `{rule}`)")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with a configuration; the source of the [`Error`] that parsing gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigErrors(Vec<ConfigProblem>);

impl ConfigErrors {
    /// What an error says about a configuration, where it is one of those.
    pub fn of(error: &Error) -> Option<&Self> {
        std::error::Error::source(error)?.downcast_ref()
    }

    /// The problems, in the order they were found.
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.0
    }

    /// The problems as one error; `None` where there are none.
    pub(super) fn into_error(problems: Vec<ConfigProblem>) -> Option<Error> {
        let first = problems.first()?;
        let error = if problems.len() == 1 {
            about_one(first)
        } else {
            about_many(&problems)
        };
        Some(error.with_source(Self(problems)))
    }
}

impl fmt::Display for ConfigErrors {
    /// Only how many there are: the error above it has the lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "problems in the configuration: {}", self.0.len())
    }
}

impl std::error::Error for ConfigErrors {}

fn about_one(problem: &ConfigProblem) -> Error {
    let mut error = Error::new(problem.kind, problem.message.clone());
    if !problem.place.is_empty() {
        error = error.with_context("field", problem.place.clone());
    }
    let facts = [
        ("tenant", &problem.tenant),
        ("connection", &problem.connection),
        ("connector", &problem.connector),
        ("rule", &problem.rule),
    ];
    for (key, value) in facts {
        if let Some(value) = value {
            error = error.with_context(key, value.clone());
        }
    }
    error
}

fn about_many(problems: &[ConfigProblem]) -> Error {
    let lines: Vec<_> = problems.iter().map(|p| format!("\n  {p}")).collect();
    let message = format!(
        "{} problems in the configuration:{}",
        problems.len(),
        lines.concat()
    );
    Error::new(ErrorKind::ConfigInvalid, message)
}

/// Where something stands, and whose it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) tenant: Option<String>,
    pub(super) connection: Option<String>,
    pub(super) connector: Option<String>,
    pub(super) rule: Option<String>,
}

impl Place {
    /// The place of a key below this one.
    pub(super) fn key(&self, key: &str) -> Self {
        let mut place = self.clone();
        if !place.path.is_empty() {
            place.path.push('.');
        }
        place.path.push_str(&shown_key(key));
        place
    }

    /// The place of an item below this one.
    pub(super) fn item(&self, index: usize) -> Self {
        let mut place = self.clone();
        place.path = format!("{}[{index}]", place.path);
        place
    }

    /// A problem here.
    pub(super) fn problem(&self, message: impl Into<String>) -> ConfigProblem {
        ConfigProblem {
            kind: ErrorKind::ConfigInvalid,
            place: self.path.clone(),
            message: message.into(),
            tenant: self.tenant.clone(),
            connection: self.connection.clone(),
            connector: self.connector.clone(),
            rule: self.rule.clone(),
            suggestion: None,
        }
    }
}

/// A key as errors show it. What does not look like a key may be an address or a secret.
fn shown_key(key: &str) -> String {
    let is_key = !key.is_empty()
        && key.len() <= 63
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_key {
        key.to_owned()
    } else {
        "\"…\"".to_owned()
    }
}

/// What to say of a word that is none of the known ones, and the nearest of them.
///
/// The word itself is repeated only where it is so near to a known one that it can be nothing but
/// a misspelling: somebody may have put a secret in the wrong place.
pub(super) fn unknown_word<'a>(
    what: &str,
    word: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> (String, Option<String>) {
    if let Some(near) = nearest(word, known.clone()) {
        let message = format!("unknown {what} `{word}`; did you mean `{near}`?");
        return (message, Some(near.to_owned()));
    }
    let known: Vec<_> = known.collect();
    let message = if known.is_empty() {
        format!("unknown {what}; there is none")
    } else {
        format!("unknown {what}; known: {}", known.join(", "))
    };
    (message, None)
}

/// The known word that is nearest to this one, where one is near: at most a third of its letters
/// (rounded up) differ, whatever the case, `-` and `_` being the same.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 64 {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let word = plain(word);
    known
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&word, &plain(candidate));
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min()
        .map(|(_, candidate)| candidate)
}
