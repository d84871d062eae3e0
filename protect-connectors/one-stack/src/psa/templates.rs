//! What tickets say and where they go: the product's templates, each of which the tenant may change.

use std::collections::BTreeMap;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use protect_core::model::{FindingKind, Severity};
use protect_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::Common;
use crate::message::{Message, Seen, severity_word};

/// Subjects end here (<https://docs.theonestack.com/docs/portal/ticket-management>).
const LONGEST_TITLE: usize = 500;

/// A text takes at most so many steps: loops inside of loops over thousands of findings would not end.
const MOST_STEPS: u64 = 10_000_000;

const TITLE: &str = "{{ finding.title }}";
const BODY: &str = include_str!("body.jinja");

/// Every template by its name.
#[derive(Clone, Debug)]
pub(crate) struct Templates(BTreeMap<String, Template>);

/// What one kind of ticket is.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(super) enabled: bool,
    pub(super) board: Option<String>,
    pub(super) kind: String,
    priority: Priority,
    pub(super) assignee: Option<String>,
    pub(super) queue: Option<String>,
    title: String,
    body: String,
    pub(super) min_severity: Severity,
    pub(super) beside_incident: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Priority {
    FromSeverity,
    Low,
    Medium,
    High,
    Critical,
}

/// What a configuration says of a template; what it leaves out stays as it is.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    enabled: Option<bool>,
    board: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    priority: Option<Priority>,
    assignee: Option<String>,
    queue: Option<String>,
    title: Option<String>,
    body: Option<String>,
    min_severity: Option<Severity>,
    beside_incident: Option<bool>,
}

/// PSA's categories (<https://docs.theonestack.com/docs/psa/ticket-management>).
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Incident,
    ServiceRequest,
    Problem,
    ChangeRequest,
}

/// Where a template is wrong.
pub(crate) struct Problem {
    pub(super) place: String,
    pub(super) message: String,
    pub(super) line: Option<usize>,
}

/// What a ticket says.
pub(crate) struct Text {
    pub(super) title: String,
    pub(super) body: String,
}

impl Templates {
    /// The product's templates, changed and added to as the tenant says. Each is tried, so that a
    /// mistake shows now and not at the first ticket.
    ///
    /// # Errors
    /// The place, the line of a text, and what is wrong.
    pub(super) fn parse(given: Option<&Value>) -> Result<Self, Problem> {
        let mut all = standard();
        let tables = given.and_then(Value::as_object);
        for (name, table) in tables.into_iter().flatten() {
            let place = format!("templates.{name}");
            let given = Given::deserialize(table).map_err(|error| Problem {
                place: place.clone(),
                message: error.to_string(),
                line: None,
            })?;
            let entry = all.entry(name.clone()).or_insert_with(ordinary);
            entry.change(given);
            entry.try_out(&place)?;
        }
        Ok(Self(all))
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<(&str, &Template)> {
        let (name, template) = self.0.get_key_value(name)?;
        Some((name, template))
    }

    /// The template of a rule that names none.
    pub(super) fn standard_for(kind: Option<FindingKind>) -> &'static str {
        match kind {
            Some(FindingKind::CredentialExposure) => "dark_web_alert",
            Some(FindingKind::Misconfiguration | FindingKind::Drift) => "saas_remediation",
            Some(FindingKind::EmailAuthentication) => "dmarc_action",
            Some(FindingKind::InsiderThreat) => "insider_threat_escalation",
            _ => "security_alert",
        }
    }
}

impl Template {
    pub(super) fn priority(&self, severity: Severity) -> &'static str {
        match self.priority {
            Priority::FromSeverity => severity_word(severity),
            Priority::Low => "low",
            Priority::Medium => "medium",
            Priority::High => "high",
            Priority::Critical => "critical",
        }
    }

    /// # Errors
    /// `unexpected`: a template that was tried fails all the same.
    pub(super) fn render(&self, message: &Message<'_>, common: &Common) -> Result<Text> {
        let facts = facts(message, common);
        let render = |name: &str, text: &str| {
            environment()
                .render_named_str(name, text, facts.clone())
                .map_err(|error| {
                    // The engine's own text may quote what was filled in.
                    let line = error.line().unwrap_or_default().to_string();
                    Error::new(
                        ErrorKind::ConfigInvalid,
                        "a ticket's template fails on this incident",
                    )
                    .with_context("template", name)
                    .with_context("line", line)
                })
        };
        let title = render("title", &self.title)?;
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Text {
            title: title.chars().take(LONGEST_TITLE).collect(),
            body: render("body", &self.body)?.trim().to_owned(),
        })
    }

    fn change(&mut self, given: Given) {
        let word = given
            .kind
            .and_then(|kind| json!(kind).as_str().map(str::to_owned));
        set(&mut self.enabled, given.enabled);
        set(&mut self.kind, word);
        set(&mut self.priority, given.priority);
        set(&mut self.title, given.title);
        set(&mut self.body, given.body);
        set(&mut self.min_severity, given.min_severity);
        set(&mut self.beside_incident, given.beside_incident);
        self.board = given.board.or(self.board.take());
        self.assignee = given.assignee.or(self.assignee.take());
        self.queue = given.queue.or(self.queue.take());
    }

    /// Parses both texts, compares the names in them with those there are, and fills them in once.
    fn try_out(&self, place: &str) -> Result<(), Problem> {
        for (name, text) in [("title", &self.title), ("body", &self.body)] {
            let wrong = |message: String, line| Problem {
                place: format!("{place}.{name}"),
                message,
                line,
            };
            let environment = environment();
            let told = |error: &minijinja::Error| {
                let detail = error
                    .detail()
                    .map_or_else(|| error.kind().to_string(), str::to_owned);
                wrong(detail, error.line())
            };
            let template = environment
                .template_from_named_str(name, text)
                .map_err(|error| told(&error))?;
            let unknown = template
                .undeclared_variables(true)
                .into_iter()
                .find(|name| !is_known(name));
            if let Some(unknown) = unknown {
                let line = text.lines().position(|line| line.contains(&unknown));
                let message = format!(
                    "`{unknown}` is nothing that a ticket knows; there are: {}",
                    NAMES.join(", ")
                );
                return Err(wrong(message, line.map(|line| line + 1)));
            }
            template.render(example()).map_err(|error| told(&error))?;
        }
        Ok(())
    }
}

fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(MOST_STEPS));
    environment
}

fn ordinary() -> Template {
    Template {
        enabled: true,
        board: Some("Security".to_owned()),
        kind: "incident".to_owned(),
        priority: Priority::FromSeverity,
        assignee: None,
        queue: None,
        title: TITLE.to_owned(),
        body: BODY.to_owned(),
        min_severity: Severity::Info,
        beside_incident: false,
    }
}

/// Board, type and priority of each as the product has them; the names are ours.
fn standard() -> BTreeMap<String, Template> {
    let change = |priority| Template {
        kind: "change_request".to_owned(),
        priority,
        ..ordinary()
    };
    [
        ("dark_web_alert", ordinary()),
        ("saas_remediation", change(Priority::FromSeverity)),
        ("dmarc_action", change(Priority::Medium)),
        ("insider_threat_escalation", ordinary()),
        ("security_alert", ordinary()),
    ]
    .map(|(name, template)| (name.to_owned(), template))
    .into()
}

/// What a template is filled in from.
type Facts = minijinja::Value;

/// What a template may name.
const NAMES: &[&str] = &[
    "title",
    "reason",
    "severity",
    "account",
    "domain",
    "link",
    "text",
    "incident.id",
    "incident.title",
    "finding.title",
    "finding.severity",
    "finding.check",
    "finding.subject",
    "finding.kind",
    "finding.reasons",
    "breach.name",
    "breach.date",
    "breach.data_types",
    "findings",
];

fn is_known(name: &str) -> bool {
    let parent = |known: &&str| {
        known
            .split_once('.')
            .is_some_and(|(parent, _)| parent == name)
    };
    NAMES.contains(&name) || NAMES.iter().any(parent)
}

fn facts(message: &Message<'_>, common: &Common) -> Facts {
    let delivery = message.delivery;
    let worst = message.worst();
    let (name, date, data_types) = worst.and_then(Seen::breach).unwrap_or_default();
    Facts::from(Serde(json!({
        "title": delivery.title,
        "severity": delivery.severity,
        "reason": delivery.body.lines().next().unwrap_or_default(),
        "text": delivery.body,
        "account": worst.map_or("", Seen::account),
        "domain": worst.map_or("", Seen::domain),
        "link": common.link(&message.incident).unwrap_or_default(),
        "incident": { "id": message.incident, "title": delivery.title },
        "finding": worst.map_or_else(|| nothing(&delivery.title), seen),
        "breach": { "name": name, "date": date, "data_types": data_types },
        "findings": message.findings.iter().map(seen).collect::<Vec<_>>(),
    })))
}

fn seen(seen: &Seen) -> Value {
    json!({
        "title": seen.title,
        "severity": seen.severity,
        "check": seen.check,
        "subject": seen.subject.id,
        "kind": seen.kind,
        "reasons": seen.reasons,
    })
}

fn nothing(title: &str) -> Value {
    json!({ "title": title, "severity": "", "check": "", "subject": "", "kind": "", "reasons": [] })
}

/// An incident with everything in it, to try templates on.
fn example() -> Facts {
    let finding = json!({
        "title": "A leaked password", "severity": "high", "check": "hibp.exposure.breach",
        "subject": "jane@example.com", "kind": "credential_exposure", "reasons": ["a reason"],
    });
    Facts::from(Serde(json!({
        "title": "A title", "severity": "high", "reason": "A reason", "text": "A text",
        "account": "jane@example.com", "domain": "example.com", "link": "https://example.com/1",
        "incident": { "id": "1", "title": "A title" },
        "finding": finding, "findings": [finding],
        "breach": { "name": "A", "date": "2026-01-01", "data_types": ["Passwords"] },
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(template: &Value) -> String {
        let given = json!({ "dark_web_alert": template });
        let Err(problem) = Templates::parse(Some(&given)) else {
            return String::new();
        };
        let line = problem
            .line
            .map_or(String::new(), |line| format!(" line {line}"));
        format!("{}{line}: {}", problem.place, problem.message)
    }

    #[test]
    fn the_standard_templates_hold_and_what_a_tenant_writes_replaces_parts_of_them() {
        for template in standard().values() {
            assert!(template.try_out("").is_ok());
        }
        let given = json!({
            "dark_web_alert": { "board": "SOC", "priority": "high", "assignee": "t-1" },
            "own": { "type": "problem", "title": "{{ account }}: {{ breach.name }}" },
        });
        let Ok(all) = Templates::parse(Some(&given)) else {
            panic!("it holds")
        };
        let (_, alert) = all.get("dark_web_alert").unwrap();
        assert_eq!(alert.board.as_deref(), Some("SOC"));
        assert_eq!(alert.priority(Severity::Low), "high");
        assert_eq!(alert.kind, "incident");
        assert_eq!(all.get("own").unwrap().1.kind, "problem");
    }

    #[test]
    fn a_mistake_in_a_template_is_found_at_load_with_its_place_and_line() {
        for (template, parts) in [
            (
                json!({ "body": "one\n{% if %}" }),
                &["dark_web_alert.body line 2"][..],
            ),
            (
                json!({ "body": "one\ntwo\n{{ findin.title }}" }),
                &["line 3", "findin.title", "there are"],
            ),
            (
                json!({ "title": "{{ finding.titel }}" }),
                &["dark_web_alert.title line 1", "finding.titel"],
            ),
            (
                json!({ "title": "{% for a in range(9) %}{% endfor %}" }),
                &["dark_web_alert.title", "range"],
            ),
            (
                json!({ "title": "{{ title | shout }}" }),
                &["dark_web_alert.title line 1", "shout"],
            ),
            (
                json!({ "body": "{% for f in findings %}\n{{ f.wrong }}{% endfor %}" }),
                &["line 2"],
            ),
            (
                json!({ "body": "{% if severity == 'low' %}{{ nobody }}{% endif %}" }),
                &["nobody"],
            ),
            (
                json!({ "bord": "x" }),
                &["templates.dark_web_alert", "bord"],
            ),
            (
                json!({ "type": "task" }),
                &["templates.dark_web_alert", "task"],
            ),
        ] {
            let said = problem(&template);
            for part in parts {
                assert!(said.contains(part), "{said}");
            }
        }
    }

    #[test]
    fn every_name_that_is_offered_is_in_the_example() {
        for name in NAMES {
            let text = format!("{{{{ {name} }}}}");
            assert!(environment().render_str(&text, example()).is_ok(), "{name}");
        }
    }
}
