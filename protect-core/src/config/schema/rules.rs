//! Rules in the schema.

use serde_json::{Value, json};

use super::build::{documented, object, one_or_more, reference, text};
use super::kinds::setting;
use crate::config::built_in_parameters;
use crate::model::{ActionKind, Confidence, Severity};
use crate::registry::Registry;

pub(super) fn rule() -> Value {
    let mut rule = object(
        "When this, then these actions.",
        &[
            (
                "name",
                documented(text(), "Its name, unique within the tenant."),
            ),
            (
                "when",
                documented(reference("condition"), "When it applies."),
            ),
            (
                "then",
                documented(one_or_more(&reference("then")), "What to do."),
            ),
            (
                "approval",
                documented(
                    json!({ "enum": ["required", "auto"], "default": "required" }),
                    "Whether somebody must consent.",
                ),
            ),
            ("enabled_by", documented(text(), "Who decided on `auto`.")),
            (
                "max_per_hour",
                documented(
                    json!({ "type": "integer", "minimum": 1 }),
                    "How many of its actions are attempted within an hour; the others wait.",
                ),
            ),
            (
                "dry_run",
                documented(
                    json!({ "type": "boolean", "default": false }),
                    "Whether it is tried out: its actions stand in plans, and none is done.",
                ),
            ),
        ],
        &["name", "when", "then"],
    );
    rule["if"] = json!({
        "properties": { "approval": { "const": "auto" } },
        "required": ["approval"],
    });
    rule["then"] = json!({ "required": ["enabled_by"] });
    rule["else"] = json!({ "properties": { "enabled_by": false } });
    rule
}

pub(super) fn condition() -> Value {
    let conditions = json!({ "type": "array", "items": reference("condition"), "minItems": 1 });
    let mut condition = object(
        "A condition over a finding; all its keys must hold. A list means one of these.",
        &[
            (
                "kind",
                documented(
                    one_or_more(&reference("finding_kind")),
                    "The finding's kind.",
                ),
            ),
            (
                "severity",
                documented(
                    one_or_more(&bounded(Severity::ALL.map(Severity::as_str).as_slice())),
                    "The finding's severity: `high`, `>=high`, `<=low`.",
                ),
            ),
            (
                "confidence",
                documented(
                    one_or_more(&bounded(
                        [Confidence::Low, Confidence::Medium, Confidence::High]
                            .map(Confidence::as_str)
                            .as_slice(),
                    )),
                    "The finding's confidence: `high`, `>=medium`.",
                ),
            ),
            (
                "check",
                documented(
                    one_or_more(&text()),
                    "The finding's check, or an area such as `hibp.exposure.*`.",
                ),
            ),
            (
                "source",
                documented(
                    one_or_more(&text()),
                    "The connector that saw it, by name or kind.",
                ),
            ),
            ("account", reference("account_condition")),
            ("employee", reference("employee_condition")),
            (
                "occurrence",
                documented(
                    json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, text()] }),
                    "How often the finding has come: `2`, `>=2`.",
                ),
            ),
            (
                "under_attack",
                documented(
                    json!({ "type": "boolean" }),
                    "Whether a connector has an alert about the login that nobody has dealt with yet (`security`). Asked while planning, where everything else holds.",
                ),
            ),
            (
                "any",
                documented(conditions.clone(), "At least one of them holds."),
            ),
            ("all", documented(conditions, "All of them hold.")),
            (
                "not",
                documented(reference("condition"), "It does not hold."),
            ),
        ],
        &[],
    );
    condition["minProperties"] = json!(1);
    condition["examples"] = json!([{ "kind": "credential_exposure", "severity": ">=high" }]);
    condition
}

pub(super) fn account_condition(registry: &Registry) -> Value {
    let kinds: Vec<_> = registry.kinds().collect();
    let theirs = registry.specs().flat_map(|spec| &spec.account_states);
    let states: Vec<_> = ["active", "suspended", "deleted"]
        .into_iter()
        .chain(theirs.map(String::as_str))
        .collect();
    let mut condition = object(
        "A condition over the account; it does not hold where there is none.",
        &[
            (
                "privileged",
                documented(
                    json!({ "type": "boolean" }),
                    "Whether it can change other accounts or settings; false where the vendor does not say.",
                ),
            ),
            (
                "provider",
                documented(
                    one_or_more(&json!({ "enum": kinds })),
                    "The kind of the connector that has it.",
                ),
            ),
            (
                "state",
                documented(
                    one_or_more(&json!({ "enum": states })),
                    "Whether it can be used.",
                ),
            ),
        ],
        &[],
    );
    condition["minProperties"] = json!(1);
    condition
}

pub(super) fn employee_condition() -> Value {
    let mut condition = object(
        "A condition over the employee; it does not hold where there is none.",
        &[(
            "department",
            documented(
                one_or_more(&text()),
                "The employee's department, whatever the case.",
            ),
        )],
        &[],
    );
    condition["minProperties"] = json!(1);
    condition
}

pub(super) fn then(registry: &Registry) -> Value {
    let mut properties = vec![
        ("action", documented(reference("action"), "What to do.")),
        (
            "on",
            documented(
                one_or_more(&text()),
                "Where, for actions that act wherever the person has an account: connectors of this tenant, or kinds that just one of them has.",
            ),
        ),
        (
            "for",
            documented(
                reference("duration"),
                "After which time it is undone by itself, for actions that can be.",
            ),
        ),
        (
            "template",
            documented(
                text(),
                "Which text to use, for actions that tell somebody something.",
            ),
        ),
    ];
    let built_in: Vec<_> = ActionKind::ALL
        .iter()
        .flat_map(|kind| built_in_parameters(*kind))
        .collect();
    for parameter in &built_in {
        properties.push((&parameter.name, setting(parameter)));
    }
    for spec in registry.specs() {
        for (_, parameter) in &spec.action_parameters {
            properties.push((&parameter.name, setting(parameter)));
        }
    }
    let table = object("An action with what it needs.", &properties, &["action"]);
    json!({
        "description": "An action, by name or as a table.",
        "anyOf": [reference("action"), table],
    })
}

fn bounded(words: &[&str]) -> Value {
    let written = |word: &&str| [(*word).to_owned(), format!(">={word}"), format!("<={word}")];
    json!({ "enum": words.iter().flat_map(written).collect::<Vec<_>>() })
}
