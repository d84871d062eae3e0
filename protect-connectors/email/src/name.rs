//! Names in DNS.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use idna::AsciiDenyList;
use protect_core::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest name, in characters without the final dot: 255 octets on the wire (RFC 1035 section
/// 2.3.4), of which one is the first length and one is the root.
pub const LONGEST_NAME: usize = 253;

/// The longest label (RFC 1035 section 2.3.4).
pub const LONGEST_LABEL: usize = 63;

/// A name in DNS: A-labels in lower case, without the final dot; not the root.
///
/// It prints as its A-labels. A name that only looks like another (`аpple.example` with a Cyrillic
/// letter) therefore never prints as the one it imitates. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct DomainName(Arc<str>);

impl DomainName {
    /// What a person or a file calls a domain. Unicode becomes A-labels (UTS #46); labels may begin
    /// with an underscore or hold one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        // No name of legal length is longer in UTF-8, and mapping is not free.
        if text.len() > LONGEST_NAME * 4 {
            return Err(NameError::TooLong);
        }
        let ascii = idna::domain_to_ascii_cow(text.as_bytes(), AsciiDenyList::EMPTY)
            .map_err(|_| NameError::NotInternational)?;
        let name = Self::literal(&ascii)?;
        let odd = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if let Some(character) = name.as_str().chars().find(odd) {
            return Err(NameError::Character(character));
        }
        let last = name.labels().next_back().unwrap_or_default();
        if last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NameError::Numeric);
        }
        Ok(name)
    }

    /// A name as DNS has it, or as a macro makes it: any ASCII that prints may stand in a label.
    ///
    /// # Errors
    /// What makes it impossible to ask for.
    pub fn literal(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some(character) = text.chars().find(|c| !matches!(c, ' '..='~')) {
            return Err(NameError::Character(character));
        }
        if text.len() > LONGEST_NAME {
            return Err(NameError::TooLong);
        }
        for label in text.split('.') {
            match label.len() {
                0 => return Err(NameError::EmptyLabel),
                1..=LONGEST_LABEL => {}
                _ => return Err(NameError::LabelTooLong),
            }
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The labels, from the left.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// How many labels it has; at least one.
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// The name without its first label; `None` for a top-level domain.
    pub fn parent(&self) -> Option<Self> {
        let (_, parent) = self.0.split_once('.')?;
        Some(Self(parent.into()))
    }

    /// Every name above it, nearest first, the top-level domain last.
    pub fn parents(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// A name below it.
    ///
    /// # Errors
    /// Where the labels are none, or the whole is too long.
    pub fn child(&self, labels: &str) -> Result<Self, NameError> {
        Self::literal(&format!("{labels}.{}", self.0))
    }

    /// Whether it is the other name or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0
            .strip_suffix(other.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomainName({})", self.0)
    }
}

impl AsRef<str> for DomainName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for DomainName {
    type Err = NameError;

    /// As [`DomainName::parse`].
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for DomainName {
    type Error = NameError;

    /// As [`DomainName::literal`]: what was written by us is read again.
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::literal(&text)
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.0.as_ref().to_owned()
    }
}

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NameError {
    /// There is nothing, or only a dot.
    Empty,
    /// Two dots in a row, or one at the beginning.
    EmptyLabel,
    /// A label of more than [`LONGEST_LABEL`] characters.
    LabelTooLong,
    /// More than [`LONGEST_NAME`] characters.
    TooLong,
    /// A character that has no place in it.
    Character(char),
    /// Unicode that UTS #46 forbids, or an `xn--` label that says nothing valid.
    NotInternational,
    /// The last label is a number, as in an IP address.
    Numeric,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a domain name is needed"),
            Self::EmptyLabel => f.write_str("not a domain name: nothing between two dots"),
            Self::LabelTooLong => write!(
                f,
                "not a domain name: a part is longer than {LONGEST_LABEL} characters"
            ),
            Self::TooLong => write!(
                f,
                "not a domain name: longer than {LONGEST_NAME} characters"
            ),
            Self::Character(character) => write!(
                f,
                "not a domain name: '{}' cannot stand in it",
                character.escape_default()
            ),
            Self::NotInternational => {
                f.write_str("not a domain name: its international part is not valid (UTS #46)")
            }
            Self::Numeric => f.write_str("not a domain name: it ends in a number"),
        }
    }
}

impl std::error::Error for NameError {}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::invalid_input(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_final_dot_and_blanks_around_do_not_matter() {
        let name = DomainName::parse(" _DMARC.Example.COM. ").unwrap();
        assert_eq!(name.as_str(), "_dmarc.example.com");
        assert_eq!(name.label_count(), 3);
    }

    #[test]
    fn unicode_becomes_a_labels_and_never_prints_as_unicode() {
        let name = DomainName::parse("bücher.example").unwrap();
        assert_eq!(name.to_string(), "xn--bcher-kva.example");
        // The first letter is Cyrillic.
        let imitation = DomainName::parse("\u{430}pple.example").unwrap();
        assert_eq!(imitation.to_string(), "xn--pple-43d.example");
        assert_ne!(imitation, DomainName::parse("apple.example").unwrap());
        assert_eq!(
            DomainName::parse("ａ．example").unwrap().as_str(),
            "a.example"
        );
    }

    #[test]
    fn each_mistake_has_its_name() {
        let wrong = |text: &str| DomainName::parse(text).unwrap_err();
        assert_eq!(wrong(""), NameError::Empty);
        assert_eq!(wrong("."), NameError::Empty);
        assert_eq!(wrong("a..example"), NameError::EmptyLabel);
        assert_eq!(wrong(".example"), NameError::EmptyLabel);
        assert_eq!(wrong("a b.example"), NameError::Character(' '));
        assert_eq!(wrong("a@b.example"), NameError::Character('@'));
        assert_eq!(wrong("192.0.2.1"), NameError::Numeric);
        assert_eq!(wrong("xn--\u{7f}.example"), NameError::NotInternational);
        let label = "a".repeat(64);
        assert_eq!(wrong(&format!("{label}.example")), NameError::LabelTooLong);
        let name = format!("{}example", "a.".repeat(124));
        assert_eq!(wrong(&name), NameError::TooLong);
        assert_eq!(wrong(&"ü".repeat(100_000)), NameError::TooLong);
        assert!(DomainName::parse(&name[2..]).is_ok());
    }

    #[test]
    fn what_dns_may_hold_is_more_than_what_people_may_write() {
        let name = DomainName::literal("macro%percent  Space.example.com").unwrap();
        assert_eq!(name.as_str(), "macro%percent  space.example.com");
        assert_eq!(
            DomainName::literal("a\0.example"),
            Err(NameError::Character('\0'))
        );
    }

    #[test]
    fn parents_go_up_to_the_top_level() {
        let name = DomainName::parse("a.b.example").unwrap();
        let parents: Vec<_> = name.parents().map(String::from).collect();
        assert_eq!(parents, ["b.example", "example"]);
        let example = DomainName::parse("b.example").unwrap();
        assert!(name.is_within(&example) && example.is_within(&example));
        assert!(!DomainName::parse("ab.example").unwrap().is_within(&example));
        assert_eq!(example.child("a").unwrap(), name);
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_parses_parses_again_to_itself(text in "\\PC{0,80}") {
            if let Ok(name) = DomainName::parse(&text) {
                prop_assert_eq!(DomainName::parse(name.as_str()), Ok(name));
            }
        }
    }
}
