//! A rule's `when`: a table over the model, parsed into its enums.

use super::action::Connectors;
use crate::config::read::{Node, Table};
use crate::config::rule::{Condition, SeverityBound, When};
use crate::model::{AccountState, CheckId, Confidence, FindingKind, Severity};

/// Deeper than anybody writes, and shallow enough for any stack.
const MAX_DEPTH: usize = 16;

/// The first word of the checks that are this library's own rather than a connector's.
const OWN_CHECKS: &str = "protect";

/// Reads a condition.
pub(super) fn read(node: &Node<'_>, connectors: &Connectors<'_>) -> Option<When> {
    if node.value.is_string() {
        return node.wrong(
            "text is reserved for an expression language; write a table such as { severity = \">=high\" }",
        );
    }
    read_table(node, connectors, MAX_DEPTH)
}

fn read_table(node: &Node<'_>, connectors: &Connectors<'_>, depth: usize) -> Option<When> {
    if depth == 0 {
        return node.wrong(format!("nested more than {MAX_DEPTH} deep"));
    }
    let table = node.table()?;
    if table.is_empty() {
        return node.wrong("an empty condition would mean everything; say what is meant");
    }
    let inner = |node: &Node<'_>| read_table(node, connectors, depth - 1);
    let mut parts = Parts::default();
    parts.add(table.get("kind"), read_kind);
    parts.add(table.get("severity"), read_severity);
    parts.add(table.get("confidence"), read_confidence);
    parts.add(table.get("check"), read_check);
    parts.add(table.get("source"), |node| {
        let sources = node.one_or_more(|node| connectors.source(node))?;
        Some(When::Is(Condition::Source(sources)))
    });
    parts.add(table.get("account"), read_account);
    parts.add(table.get("employee"), read_employee);
    parts.add(table.get("occurrence"), read_occurrence);
    parts.add(table.get("under_attack"), |node| {
        Some(When::Is(Condition::UnderAttack(node.boolean()?)))
    });
    parts.add(table.get("any"), |node| {
        Some(When::Any(conditions(node, inner)?))
    });
    parts.add(table.get("all"), |node| {
        Some(When::All(conditions(node, inner)?))
    });
    parts.add(table.get("not"), |node| {
        Some(When::Not(Box::new(inner(node)?)))
    });
    table.finish();
    parts.joined()
}

/// The parts of a condition, all of which must hold.
#[derive(Default)]
struct Parts {
    parts: Vec<When>,
    spoilt: bool,
}

impl Parts {
    fn add(&mut self, node: Option<Node<'_>>, read: impl FnOnce(&Node<'_>) -> Option<When>) {
        if let Some(node) = node {
            match read(&node) {
                Some(part) => self.parts.push(part),
                None => self.spoilt = true,
            }
        }
    }

    /// `None` where a part was wrong, which was noted, or where there is none, because every key
    /// was unknown or null.
    fn joined(mut self) -> Option<When> {
        match self.parts.len() {
            _ if self.spoilt => None,
            0 => None,
            1 => self.parts.pop(),
            _ => Some(When::All(self.parts)),
        }
    }
}

fn conditions(node: &Node<'_>, read: impl Fn(&Node<'_>) -> Option<When>) -> Option<Vec<When>> {
    if !node.value.is_array() {
        return node.wrong("expected a list of conditions");
    }
    node.one_or_more(read)
}

fn read_kind(node: &Node<'_>) -> Option<When> {
    let known = FindingKind::ALL.map(|kind| (kind.as_str(), kind));
    let kinds = node.one_or_more(|node| node.word("kind of finding", &known))?;
    Some(When::Is(Condition::Kind(kinds)))
}

/// An operator in front of a word or number.
#[derive(Clone, Copy)]
enum Bound {
    Exactly,
    AtLeast,
    AtMost,
}

fn split_bound(text: &str) -> (Bound, &str) {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix(">=") {
        (Bound::AtLeast, rest.trim_start())
    } else if let Some(rest) = text.strip_prefix("<=") {
        (Bound::AtMost, rest.trim_start())
    } else {
        (Bound::Exactly, text)
    }
}

/// A bound over words that have an order.
fn read_bound<T: Copy>(node: &Node<'_>, what: &str, known: &[(&str, T)]) -> Option<(Bound, T)> {
    let (bound, word) = split_bound(node.text()?);
    if word.starts_with(['<', '>', '=']) {
        return node.wrong("write the word alone, or with \">=\" or \"<=\" before it");
    }
    match known.iter().find(|(name, _)| *name == word) {
        Some((_, value)) => Some((bound, *value)),
        None => node.unknown(what, word, known.iter().map(|(name, _)| *name)),
    }
}

fn read_severity(node: &Node<'_>) -> Option<When> {
    let known = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let bounds = node.one_or_more(|node| {
        let (bound, severity) = read_bound(node, "severity", &known)?;
        Some(When::Is(Condition::Severity(match bound {
            Bound::Exactly => SeverityBound::Exactly(severity),
            Bound::AtLeast => SeverityBound::AtLeast(severity),
            Bound::AtMost => SeverityBound::AtMost(severity),
        })))
    })?;
    Some(one_of(bounds))
}

fn read_confidence(node: &Node<'_>) -> Option<When> {
    let levels = [Confidence::Low, Confidence::Medium, Confidence::High];
    let known = levels.map(|level| (level.as_str(), level));
    let bounds = node.one_or_more(|node| {
        let (bound, level) = read_bound(node, "confidence", &known)?;
        let at_least = When::Is(Condition::Confidence(level));
        let next = levels.into_iter().find(|other| *other > level);
        let at_most = next.map(|next| When::Not(Box::new(When::Is(Condition::Confidence(next)))));
        Some(between(bound, at_least, at_most))
    })?;
    Some(one_of(bounds))
}

fn read_occurrence(node: &Node<'_>) -> Option<When> {
    let how = "write a number of times such as \">=2\"";
    let (bound, count) = match node.value.as_u64() {
        Some(count) => (Bound::Exactly, u32::try_from(count).ok()),
        None if node.value.is_string() => {
            let (bound, number) = split_bound(node.text()?);
            (bound, number.parse().ok())
        }
        None => return node.wrong(how),
    };
    let Some(count) = count.filter(|count: &u32| *count > 0) else {
        return node.wrong(how);
    };
    let at_least = When::Is(Condition::OccurrenceAtLeast(count));
    let next = count.checked_add(1);
    let at_most =
        next.map(|next| When::Not(Box::new(When::Is(Condition::OccurrenceAtLeast(next)))));
    Some(between(bound, at_least, at_most))
}

/// A bound, of what can only say "at least"; `at_most` is `None` where nothing is greater.
fn between(bound: Bound, at_least: When, at_most: Option<When>) -> When {
    match (bound, at_most) {
        (Bound::AtLeast, _) | (Bound::Exactly, None) => at_least,
        (Bound::AtMost, None) => When::All(Vec::new()),
        (Bound::AtMost, Some(at_most)) => at_most,
        (Bound::Exactly, Some(at_most)) => When::All(vec![at_least, at_most]),
    }
}

fn one_of(conditions: Vec<When>) -> When {
    match <[When; 1]>::try_from(conditions) {
        Ok([only]) => only,
        Err(several) => When::Any(several),
    }
}

fn read_check(node: &Node<'_>) -> Option<When> {
    let checks = node.one_or_more(read_one_check)?;
    let mut exact = Vec::new();
    let mut conditions = Vec::new();
    for check in checks {
        match check {
            Condition::Check(ids) => exact.extend(ids),
            other => conditions.push(When::Is(other)),
        }
    }
    if !exact.is_empty() {
        conditions.push(When::Is(Condition::Check(exact)));
    }
    Some(one_of(conditions))
}

fn read_one_check(node: &Node<'_>) -> Option<Condition> {
    let text = node.text()?;
    let kinds = node.reader.registry.kinds().chain([OWN_CHECKS]);
    let first = text.split('.').next().unwrap_or_default();
    if !kinds.clone().any(|kind| kind == first) {
        return node.unknown("first word of a check", first, kinds);
    }
    match text.strip_suffix('*') {
        None => Some(Condition::Check(vec![
            node.parsed(|text| CheckId::new(text))?,
        ])),
        // An id made of the prefix must be one: that is what the prefix can then match.
        Some(prefix) if prefix.ends_with('.') && CheckId::new(format!("{prefix}x.x.x")).is_ok() => {
            Some(Condition::CheckPrefix(prefix.to_owned()))
        }
        Some(_) => node.wrong("write a check's id, or an area like \"hibp.exposure.*\""),
    }
}

fn read_account(node: &Node<'_>) -> Option<When> {
    let table = some_keys(node)?;
    let mut parts = Parts::default();
    parts.add(table.get("privileged"), |node| {
        Some(When::Is(Condition::AccountPrivileged(node.boolean()?)))
    });
    parts.add(table.get("provider"), |node| {
        let registry = node.reader.registry;
        let known: Vec<_> = registry.kinds().map(|kind| (kind, kind)).collect();
        let providers = node.one_or_more(|node| node.word("provider", &known))?;
        let providers = providers.into_iter().map(str::to_owned).collect();
        Some(When::Is(Condition::AccountProvider(providers)))
    });
    parts.add(table.get("state"), |node| {
        let registry = node.reader.registry;
        let ours = [
            AccountState::Active,
            AccountState::Suspended,
            AccountState::Deleted,
        ];
        let ours = ours.iter().map(AccountState::as_str);
        let theirs = registry.specs().flat_map(|spec| &spec.account_states);
        let known: Vec<_> = ours
            .chain(theirs.map(String::as_str))
            .map(|state| (state, state))
            .collect();
        let states = node.one_or_more(|node| node.word("state of an account", &known))?;
        let states = states.into_iter().map(str::to_owned).collect();
        Some(When::Is(Condition::AccountState(states)))
    });
    table.finish();
    parts.joined()
}

fn read_employee(node: &Node<'_>) -> Option<When> {
    let table = some_keys(node)?;
    let mut parts = Parts::default();
    parts.add(table.get("department"), |node| {
        let departments = node.one_or_more(|node| node.text().map(str::to_owned))?;
        Some(When::Is(Condition::EmployeeDepartment(departments)))
    });
    table.finish();
    parts.joined()
}

fn some_keys<'a>(node: &Node<'a>) -> Option<Table<'a>> {
    let table = node.table()?;
    if table.is_empty() {
        return node.wrong("an empty condition would mean everything; say what is meant");
    }
    Some(table)
}
