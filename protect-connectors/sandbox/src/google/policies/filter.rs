//! The part of CEL that `filter` takes here: comparisons joined by `&&` and `||`.

use serde_json::Value;

use super::pattern::Pattern;

/// Alternatives of conditions that must all hold; none where everything fits.
#[derive(Debug, Default)]
pub(super) struct Filter {
    alternatives: Vec<Vec<Condition>>,
}

#[derive(Debug)]
enum Condition {
    Customer(String),
    Is(String),
    Matches(Pattern),
}

impl Filter {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let alternatives: Option<Vec<_>> = text
            .split("||")
            .map(|all| all.split("&&").map(Condition::parse).collect())
            .collect();
        alternatives.map(|alternatives| Self { alternatives })
    }

    pub(super) fn fits(&self, policy: &Value) -> bool {
        let all = |it: &Vec<Condition>| it.iter().all(|condition| condition.holds(policy));
        self.alternatives.is_empty() || self.alternatives.iter().any(all)
    }

    /// Whether it asks for the policies of another customer.
    pub(super) fn names_another(&self, customer: &str) -> bool {
        let another = |it: &Condition| match it {
            Condition::Customer(given) => given != "customers/my_customer" && given != customer,
            _ => false,
        };
        self.alternatives.iter().flatten().any(another)
    }
}

impl Condition {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = match text.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
            Some(inner) => inner.trim(),
            None => text,
        };
        if let Some(call) = text.strip_prefix("setting.type.matches(") {
            let pattern = quoted(call.strip_suffix(')')?)?;
            return Some(Self::Matches(Pattern::parse(&pattern)?));
        }
        let (field, value) = text.split_once("==")?;
        let value = quoted(value)?;
        match field.trim() {
            "customer" => Some(Self::Customer(value)),
            "setting.type" => Some(Self::Is(value)),
            _ => None,
        }
    }

    fn holds(&self, policy: &Value) -> bool {
        let kind = policy["setting"]["type"].as_str().unwrap_or_default();
        match self {
            Self::Customer(_) => true,
            Self::Is(wanted) => kind == wanted,
            Self::Matches(pattern) => pattern.is_in(kind),
        }
    }
}

/// A text in either sort of quotes, without its escapes.
fn quoted(text: &str) -> Option<String> {
    let text = text.trim();
    let inner = ['\'', '"'].iter().find_map(|quote| {
        let inner = text.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (!inner.contains(*quote)).then_some(inner)
    })?;
    Some(inner.replace("\\\\", "\\"))
}
