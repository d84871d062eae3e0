//! Names that Graph compares without regard to case: ids, and words of its enumerations.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// An id or a word of an enumeration. Two that differ in case alone are the same.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name(Box<str>);

impl Name {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim().to_ascii_lowercase().into())
    }

    /// In lower case.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }

    /// Whether it is one of a list, whatever the case.
    pub(crate) fn is_in(&self, list: &[impl AsRef<str>]) -> bool {
        list.iter().any(|text| self.is(text.as_ref()))
    }

    /// Whether it has the form of a GUID, which words such as `All` have not.
    pub(crate) fn is_guid(&self) -> bool {
        let lengths: Vec<_> = self.0.split('-').map(str::len).collect();
        lengths == [8, 4, 4, 4, 12] && self.0.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", self.0)
    }
}

impl From<&Name> for String {
    fn from(name: &Name) -> Self {
        name.0.to_string()
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::new(&String::deserialize(from)?))
    }
}

/// A list as Graph answers it. One that is missing is not the same as an empty one: nobody knows what
/// stood there. Null is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names(Option<Vec<Name>>);

impl Names {
    /// The names, where Graph said.
    pub(crate) fn known(&self) -> Option<&[Name]> {
        self.0.as_deref()
    }

    /// The names; none where Graph did not say.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Name> {
        self.0.as_deref().unwrap_or_default().iter()
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.iter().any(|name| name.is(text))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// A list; also the form that Graph gives to flags: one text with commas.
impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            List(Vec<Name>),
            Flags(String),
        }
        Ok(Self(Some(match Option::deserialize(from)? {
            None => Vec::new(),
            Some(Written::List(names)) => names,
            Some(Written::Flags(text)) => {
                let flags = text.split(',').map(Name::new);
                flags.filter(|name| !name.as_str().is_empty()).collect()
            }
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_a_list_and_null_is_an_empty_one_and_nothing_is_unknown() {
        #[derive(Deserialize)]
        struct Holder {
            #[serde(default)]
            names: Names,
        }
        let names = |text: &str| serde_json::from_str::<Holder>(text).unwrap().names;
        let flags = names(r#"{"names":"deviceCodeFlow, authenticationTransfer"}"#);
        assert!(flags.has("DeviceCodeFlow") && flags.has("authenticationTransfer"));
        assert_eq!(names(r#"{"names":null}"#).known(), Some(&[][..]));
        assert_eq!(names("{}").known(), None);
        assert!(names(r#"{"names":["All"]}"#).has("all"));
    }
}
