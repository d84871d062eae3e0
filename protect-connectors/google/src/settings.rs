//! The settings of a customer, whoever told of them: by name, and for each org unit or group that they
//! were made for.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use crate::views::Directory;

/// What a setting is made for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// Everybody.
    Root,
    /// An org unit, by its id, or by its name where only that is known.
    OrgUnit(Box<str>),
    /// A group, by its id, or by its address where only that is known.
    Group(Box<str>),
}

impl Target {
    /// Its stable name.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Root => "root".to_owned(),
            Self::OrgUnit(id) => id.to_string(),
            Self::Group(id) => format!("groups/{id}"),
        }
    }
}

/// The settings, from one source.
#[derive(Debug)]
pub(crate) struct Settings {
    /// By name and target. There are several values where nobody can say which one holds.
    values: BTreeMap<String, BTreeMap<Target, Vec<Value>>>,
    /// Org units that are not in the list.
    gone: BTreeSet<Target>,
    pub(crate) directory: Rc<Directory>,
}

impl Settings {
    pub(crate) fn new(directory: Rc<Directory>) -> Self {
        Self {
            values: BTreeMap::new(),
            gone: BTreeSet::new(),
            directory,
        }
    }

    /// Puts the values of a setting.
    pub(crate) fn put(&mut self, name: &str, target: Target, values: Vec<Value>) {
        let of_name = self.values.entry(name.to_lowercase()).or_default();
        of_name.entry(target).or_default().extend(values);
    }

    /// Says that an org unit is not in the list.
    pub(crate) fn mark_gone(&mut self, target: Target) {
        self.gone.insert(target);
    }

    pub(crate) fn is_gone(&self, target: &Target) -> bool {
        self.gone.contains(target)
    }

    /// Every value, with its name and what it was made for.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Target, &[Value])> {
        self.values.iter().flat_map(|(name, of_name)| {
            let of_name = of_name.iter();
            of_name.map(|(target, values)| (name.as_str(), target, values.as_slice()))
        })
    }

    /// The names that fit a pattern.
    pub(crate) fn names(&self, pattern: &str) -> Vec<&str> {
        if !pattern.contains('*') {
            let found = self.values.get_key_value(&pattern.to_lowercase());
            return found.into_iter().map(|(name, _)| name.as_str()).collect();
        }
        let names = self.values.keys().map(String::as_str);
        names.filter(|name| fits(pattern, name)).collect()
    }

    /// What a setting was made for.
    pub(crate) fn targets<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s Target> {
        self.values.get(name).into_iter().flat_map(BTreeMap::keys)
    }

    /// What holds for a target: its own, or what it takes from above.
    pub(crate) fn at(&self, name: &str, target: &Target) -> &[Value] {
        let Some(of_name) = self.values.get(name) else {
            return &[];
        };
        let (mut at, mut steps) = (target.clone(), 0);
        loop {
            if let Some(values) = of_name.get(&at) {
                return values;
            }
            // An org unit that lies within itself has no values from above.
            steps += 1;
            if at == Target::Root || steps > DEEPEST {
                return &[];
            }
            at = self.directory.parent(&at);
        }
    }
}

/// Org units are not nested deeper.
const DEEPEST: usize = 64;

/// Whether a text fits a pattern, in which `*` stands for anything; the case of letters has no meaning.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<_> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = left.split_once(part) else {
            return false;
        };
        left = after;
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_case_for_nothing() {
        for (pattern, text, expected) in [
            ("ALL", "all", true),
            ("ALL", "ALLOW", false),
            (
                "TRUSTED_DOMAINS_ALLOWED*",
                "trusted_domains_allowed_with_warning",
                true,
            ),
            ("*_WITH_WARNING", "SHARING_ALLOWED_WITH_WARNING", true),
            (
                "enable*script*",
                "enableAttachmentWithScriptsProtection",
                true,
            ),
            ("enable*script*", "attachmentWithScriptsConsequence", false),
            ("a*a", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
