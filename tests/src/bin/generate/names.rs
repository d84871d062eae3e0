//! The one table of every name that users write, read or store.

use std::fmt::Write as _;

use protect_connectors::core::config::{KindSpec, schema};
use protect_connectors::core::engine::ENGINE_CHECKS;
use protect_connectors::core::ledger::ENTRY_KINDS;
use protect_connectors::core::model::{ActionKind, FindingKind};
use protect_connectors::core::registry::Registry;
use serde_json::Value;

use crate::docs::cell;

const INTRODUCTION: &str = "# Names

Every name that somebody writes into a configuration, reads in an answer or finds in a store. A new
one is declared where this page is made from; it never changes its meaning afterwards.
";

/// The page `docs/reference/names.md`.
pub(crate) fn names() -> String {
    let registry = protect_connectors::registry();
    let mut page = String::from(INTRODUCTION);
    kinds(&mut page, &registry);
    actions(&mut page);
    finding_kinds(&mut page);
    checks(&mut page, &registry);
    signals(&mut page, &registry);
    events(&mut page);
    keys(&mut page, &registry);
    page
}

fn kinds(page: &mut String, registry: &Registry) {
    head(page, "Kinds of connector", &["Kind", "Is"]);
    for spec in registry.specs() {
        row(page, &spec.name, &[&cell(&spec.docs)]);
    }
}

fn actions(page: &mut String) {
    head(page, "Actions", &["Action", "Undo", "Acts"]);
    for action in ActionKind::ALL {
        let undo = action
            .undo()
            .map_or("none".to_owned(), |undo| format!("`{undo}`"));
        let acts = if action.acts_everywhere() {
            "wherever the person has an account"
        } else {
            "in one place"
        };
        row(page, action.as_str(), &[&undo, acts]);
    }
}

fn finding_kinds(page: &mut String) {
    page.push_str("\n## Kinds of finding\n\n");
    let names: Vec<_> = FindingKind::ALL
        .iter()
        .map(|kind| format!("`{}`", kind.as_str()))
        .collect();
    let _ = writeln!(page, "{}.", names.join(", "));
}

fn checks(page: &mut String, registry: &Registry) {
    head(page, "Checks", &["Check", "At worst", "Says"]);
    for (check, docs) in ENGINE_CHECKS {
        row(page, check, &["medium", docs]);
    }
    for check in registry.specs().flat_map(|spec| &spec.checks) {
        row(
            page,
            &check.id,
            &[check.severity.as_str(), &cell(&check.docs)],
        );
    }
}

fn signals(page: &mut String, registry: &Registry) {
    head(page, "Signals", &["Signal", "Happened"]);
    for signal in registry.specs().flat_map(|spec: &KindSpec| &spec.signals) {
        row(page, &signal.name, &[&cell(&signal.docs)]);
    }
}

fn events(page: &mut String) {
    head(page, "Events in the ledger", &["Event", "Records"]);
    for (kind, docs) in ENTRY_KINDS {
        row(page, kind, &[docs]);
    }
}

/// The keys of each table of the configuration; what they mean stands on a page of their own.
fn keys(page: &mut String, registry: &Registry) {
    let schema = schema(registry);
    head(page, "Configuration keys", &["Table", "Keys"]);
    row(page, "(top level)", &[&keys_of(&schema)]);
    let tables = schema.get("$defs").and_then(Value::as_object);
    for (name, table) in tables.into_iter().flatten() {
        let keys = keys_of(table);
        if !keys.is_empty() {
            row(page, name, &[&keys]);
        }
    }
    page.push_str("\nWhat each means: [configuration](configuration.md).\n");
}

fn keys_of(table: &Value) -> String {
    let keys = table.get("properties").and_then(Value::as_object);
    let names = keys
        .into_iter()
        .flatten()
        .map(|(key, _)| format!("`{key}`"));
    names.collect::<Vec<_>>().join(", ")
}

fn head(page: &mut String, title: &str, columns: &[&str]) {
    let rule = "---|".repeat(columns.len());
    let _ = writeln!(page, "\n## {title}\n\n| {} |\n|{rule}", columns.join(" | "));
}

fn row(page: &mut String, name: &str, cells: &[&str]) {
    let _ = writeln!(page, "| `{name}` | {} |", cells.join(" | "));
}
