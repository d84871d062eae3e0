//! `$filter`: comparisons joined by `and`, which is all that the documented requests need.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

/// Comparisons that all must hold.
#[derive(Debug)]
pub(crate) struct Filter(Vec<Test>);

#[derive(Debug)]
struct Test {
    property: String,
    operator: Operator,
    wanted: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    StartsWith,
    EndsWith,
}

impl Filter {
    /// `None` for what is no such expression.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let tests: Option<Vec<Test>> = conjuncts(text).into_iter().map(Test::parse).collect();
        tests.map(Self)
    }

    pub(crate) fn properties(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|test| test.property.as_str())
    }

    /// Whether Entra asks for `ConsistencyLevel: eventual` and `$count=true`.
    pub(crate) fn advanced(&self) -> bool {
        self.0
            .iter()
            .any(|test| matches!(test.operator, Operator::NotEqual | Operator::EndsWith))
    }

    pub(crate) fn holds(&self, row: &Value) -> bool {
        self.0.iter().all(|test| test.holds(row))
    }
}

impl Test {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        for (name, operator) in [
            ("startswith(", Operator::StartsWith),
            ("endswith(", Operator::EndsWith),
        ] {
            let head = text.get(..name.len()).unwrap_or_default();
            if head.eq_ignore_ascii_case(name) {
                let (property, wanted) = text[name.len()..].strip_suffix(')')?.split_once(',')?;
                return Self::of(property, operator, wanted);
            }
        }
        let (property, rest) = text.split_once(' ')?;
        let (operator, wanted) = rest.trim().split_once(' ')?;
        let operator = match operator {
            "eq" => Operator::Equal,
            "ne" => Operator::NotEqual,
            "lt" => Operator::Less,
            "le" => Operator::AtMost,
            "gt" => Operator::Greater,
            "ge" => Operator::AtLeast,
            _ => return None,
        };
        Self::of(property, operator, wanted)
    }

    fn of(property: &str, operator: Operator, wanted: &str) -> Option<Self> {
        let named = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'/');
        let property = property.trim();
        (!property.is_empty() && named(property)).then_some(())?;
        Some(Self {
            property: property.to_owned(),
            operator,
            wanted: literal(wanted.trim())?,
        })
    }

    fn holds(&self, row: &Value) -> bool {
        let found = self
            .property
            .split('/')
            .try_fold(row, |value, part| value.get(part))
            .unwrap_or(&Value::Null);
        let order = || compare(found, &self.wanted);
        match self.operator {
            Operator::Equal => order() == Some(Ordering::Equal),
            Operator::NotEqual => order() != Some(Ordering::Equal),
            Operator::Less => order() == Some(Ordering::Less),
            Operator::Greater => order() == Some(Ordering::Greater),
            Operator::AtMost => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
            Operator::AtLeast => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
            Operator::StartsWith => lower(found).starts_with(&lower(&self.wanted)),
            Operator::EndsWith => lower(found).ends_with(&lower(&self.wanted)),
        }
    }
}

/// The parts between ` and `, but not where that stands inside quotes.
fn conjuncts(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut quoted) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        if character == '\'' {
            quoted = !quoted;
        }
        if !quoted && at >= begin && text[at..].starts_with(" and ") {
            parts.push(&text[begin..at]);
            begin = at + " and ".len();
        }
    }
    parts.push(&text[begin..]);
    parts
}

fn literal(text: &str) -> Option<Value> {
    if let Some(inner) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        let unquoted = inner.replace("''", "");
        return (!unquoted.contains('\'')).then(|| Value::from(inner.replace("''", "'")));
    }
    match text {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        _ if text.parse::<Timestamp>().is_ok() => Some(Value::from(text)),
        _ => text.parse::<i64>().ok().map(Value::from),
    }
}

fn compare(found: &Value, wanted: &Value) -> Option<Ordering> {
    match (found, wanted) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Bool(found), Value::Bool(wanted)) => Some(found.cmp(wanted)),
        (Value::Number(found), Value::Number(wanted)) => {
            found.as_f64()?.partial_cmp(&wanted.as_f64()?)
        }
        (Value::String(text), Value::String(other)) => {
            let times = text.parse::<Timestamp>().ok().zip(other.parse().ok());
            Some(times.map_or_else(
                || text.to_lowercase().cmp(&other.to_lowercase()),
                |(at, other)| at.cmp(&other),
            ))
        }
        _ => None,
    }
}

fn lower(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(filter: &str) -> bool {
        let row = json!({
            "name": "O'Brien and Sons", "on": true, "level": "high", "code": 50126,
            "at": "2026-11-01T10:00:00Z", "status": {"errorCode": 0},
        });
        Filter::parse(filter).unwrap().holds(&row)
    }

    #[test]
    fn comparisons_are_joined_by_and_outside_of_quotes() {
        assert!(holds("name eq 'o''brien and sons' and on eq true"));
        assert!(!holds("on eq true and level ne 'high'"));
        assert!(holds("status/errorCode eq 0 and code ge 50126"));
        assert!(holds("startsWith(name,'O''B')"));
    }

    #[test]
    fn times_are_compared_as_times_and_null_equals_what_is_absent() {
        assert!(holds(
            "at ge 2026-11-01T11:00:00+01:00 and at lt 2026-11-02T00:00:00Z"
        ));
        assert!(holds("missing eq null"));
        assert!(!holds("missing gt 3"));
    }

    #[test]
    fn what_is_no_comparison_is_refused() {
        for text in [
            "",
            "name",
            "name eq",
            "name like 'x'",
            "name eq 'it's'",
            "a b eq 1",
        ] {
            assert!(Filter::parse(text).is_none(), "{text}");
        }
    }
}
