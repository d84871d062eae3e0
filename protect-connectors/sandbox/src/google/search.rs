//! `query` of `users.list` (admin-sdk/directory/v1/guides/search-users): fields that are searched,
//! clauses apart by spaces that must all hold.

use serde_json::Value;

#[derive(Debug, Default)]
pub(crate) struct Search {
    clauses: Vec<Clause>,
}

#[derive(Debug)]
struct Clause {
    /// The field as users show it.
    field: &'static str,
    wanted: Wanted,
}

#[derive(Debug)]
enum Wanted {
    Flag(bool),
    Is(String),
    BeginsWith(String),
}

/// Name in a query, field of a user, whether it is a flag.
const FIELDS: [(&str, &str, bool); 9] = [
    ("isAdmin", "isAdmin", true),
    ("isDelegatedAdmin", "isDelegatedAdmin", true),
    ("isSuspended", "suspended", true),
    ("isArchived", "archived", true),
    ("orgUnitPath", "orgUnitPath", false),
    ("email", "primaryEmail", false),
    ("givenName", "/name/givenName", false),
    ("familyName", "/name/familyName", false),
    ("name", "/name/fullName", false),
];

impl Search {
    /// `None` for what is no query, or has a field that is not searched.
    pub(crate) fn parse(query: &str) -> Option<Self> {
        let mut rest = query.trim();
        let mut clauses = Vec::new();
        while !rest.is_empty() {
            let at = rest.find(['=', ':'])?;
            let (name, tail) = rest.split_at(at);
            let (value, after) = value(&tail[1..])?;
            clauses.push(Clause::new(name.trim(), &tail[..1], &value)?);
            rest = after.trim_start();
        }
        (!clauses.is_empty()).then_some(Self { clauses })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Whether a user, as it is shown, is one of those.
    pub(crate) fn fits(&self, user: &Value) -> bool {
        self.clauses.iter().all(|clause| clause.holds(user))
    }
}

impl Clause {
    fn new(name: &str, operator: &str, value: &str) -> Option<Self> {
        let (_, field, flag) = FIELDS.into_iter().find(|(known, ..)| *known == name)?;
        let wanted = match (flag, operator) {
            (true, "=") => Wanted::Flag(value.to_lowercase().parse().ok()?),
            (false, "=") => Wanted::Is(value.to_lowercase()),
            (false, _) => Wanted::BeginsWith(value.trim_end_matches('*').to_lowercase()),
            _ => return None,
        };
        Some(Self { field, wanted })
    }

    fn holds(&self, user: &Value) -> bool {
        let found = match self.field.strip_prefix('/') {
            Some(_) => user.pointer(self.field),
            None => user.get(self.field),
        };
        let text = || {
            found
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_lowercase()
        };
        match &self.wanted {
            Wanted::Flag(on) => found.and_then(Value::as_bool) == Some(*on),
            Wanted::Is(wanted) => text() == *wanted,
            Wanted::BeginsWith(wanted) => text().starts_with(wanted.as_str()),
        }
    }
}

/// A value, quoted where it holds spaces, and what comes after it.
fn value(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('\'') {
        let (value, rest) = quoted.split_once('\'')?;
        return Some((value.to_owned(), rest));
    }
    let end = text.find(' ').unwrap_or(text.len());
    let (value, rest) = text.split_at(end);
    (!value.is_empty()).then(|| (value.to_owned(), rest))
}
