//! A rule's `then`, and the names of connectors that it and others use.

use serde_json::Value;

use super::connection::{Connections, read_setting};
use crate::config::built_in_parameters;
use crate::config::kind::{SettingSpec, SettingType};
use crate::config::model::RuleAction;
use crate::config::read::Node;
use crate::model::{ActionKind, Attributes};

/// A tenant's connectors and their kinds, as far as those can be told.
pub(super) struct Connectors<'a>(Vec<(&'a str, Option<&'a str>)>);

impl<'a> Connectors<'a> {
    /// What the table names, whatever else is wrong with it.
    pub(super) fn declared(node: Option<&Node<'a>>, connections: &'a Connections) -> Self {
        let entries = node.and_then(|node| node.value.as_object());
        let kind_of = |value: &'a Value| match value.get("connection") {
            Some(name) => connections.get(name.as_str()?)?.1.kind.as_deref(),
            None => value.get("kind")?.as_str(),
        };
        let entries = entries.into_iter().flatten();
        Self(
            entries
                .map(|(name, value)| (name.as_str(), kind_of(value)))
                .collect(),
        )
    }

    /// A connector's name.
    pub(super) fn by_name(&self, node: &Node<'_>) -> Option<String> {
        let text = node.text()?;
        if self.0.iter().any(|(name, _)| *name == text) {
            return Some(text.to_owned());
        }
        node.unknown("connector", text, self.0.iter().map(|(name, _)| *name))
    }

    /// A connector's name, or a kind that just one of them has.
    pub(super) fn by_name_or_kind(&self, node: &Node<'_>) -> Option<String> {
        let text = node.text()?;
        if self.0.iter().any(|(name, _)| *name == text) {
            return Some(text.to_owned());
        }
        let of_kind = self.0.iter().filter(|(_, kind)| *kind == Some(text));
        let names: Vec<_> = of_kind.map(|(name, _)| *name).collect();
        match names.len() {
            0 => node.unknown("connector", text, self.words()),
            1 => Some(text.to_owned()),
            _ => node.wrong(format!(
                "several connectors are of kind `{text}`; name one: {}",
                names.join(", ")
            )),
        }
    }

    /// A connector's name, or a kind that any of them has.
    pub(super) fn source(&self, node: &Node<'_>) -> Option<String> {
        let text = node.text()?;
        if self.words().any(|word| word == text) {
            return Some(text.to_owned());
        }
        node.unknown("connector", text, self.words())
    }

    fn words(&self) -> impl Iterator<Item = &'a str> + Clone {
        let names = self.0.iter().map(|(name, _)| *name);
        let kinds = self.0.iter().filter_map(|(_, kind)| *kind);
        let mut words: Vec<_> = names.chain(kinds).collect();
        words.sort_unstable();
        words.dedup();
        words.into_iter()
    }
}

/// An action's name.
pub(super) fn kind(node: &Node<'_>, name: &str) -> Option<ActionKind> {
    let known = ActionKind::ALL.iter();
    match known.clone().find(|kind| kind.as_str() == name) {
        Some(kind) => Some(*kind),
        None => node.unknown("action", name, known.map(|kind| kind.as_str())),
    }
}

/// `"action"` or `{ action = "...", on = [...], for = "24h", ... }`.
pub(super) fn read(node: &Node<'_>, connectors: &Connectors<'_>) -> Option<RuleAction> {
    if let Value::String(name) = node.value {
        return Some(RuleAction {
            kind: kind(node, name)?,
            on: Vec::new(),
            lasts: None,
            parameters: Attributes::new(),
        });
    }
    if !node.value.is_object() {
        return node.wrong("expected an action's name, or a table with `action`");
    }
    let table = node.table()?;
    let action = table.need("action", "what to do, such as \"suspend_account\"")?;
    let kind = kind(&action, action.text()?)?;
    let on = match table.get("on") {
        None => Some(Vec::new()),
        Some(node) if !kind.acts_everywhere() => node.wrong(format!(
            "`{kind}` goes to one place, which the tenant's `route.{kind}` names"
        )),
        Some(node) => node.one_or_more(|node| connectors.by_name_or_kind(node)),
    };
    let lasts = match table.get("for") {
        None => Some(None),
        Some(node) if kind.undo().is_none() => node.wrong(format!(
            "`{kind}` cannot be undone, so it cannot end by itself"
        )),
        Some(node) => node.duration().map(Some),
    };
    let mut parameters = Attributes::new();
    let mut whole = true;
    for spec in parameters_of(node, kind) {
        if let Some(node) = table.get(&spec.name) {
            match read_setting(&node, &spec.kind) {
                Some(value) => {
                    parameters.insert(spec.name, value);
                }
                None => whole = false,
            }
        }
    }
    table.finish();
    Some(RuleAction {
        kind,
        on: on?,
        lasts: lasts?,
        parameters: whole.then_some(parameters)?,
    })
}

/// What an action may be told: `template` for whatever tells somebody something, what the program itself
/// takes, and what the kinds of connector declare. Anything else would be a misspelt `for` that never ends.
fn parameters_of(node: &Node<'_>, kind: ActionKind) -> Vec<SettingSpec> {
    let template = kind
        .tells()
        .then(|| SettingSpec::new("template", SettingType::Text, "which text to use"));
    let declared = node.reader.registry.specs().flat_map(|spec| {
        let parameters = spec.action_parameters.iter();
        parameters.filter(|(action, _)| *action == kind)
    });
    let declared = declared.map(|(_, parameter)| parameter.clone());
    let built_in = built_in_parameters(kind);
    template
        .into_iter()
        .chain(built_in)
        .chain(declared)
        .collect()
}
