//! What `protect init` writes.

use std::fmt::Write as _;

use serde_json::Value;

use super::kind::{CredentialSpec, KindSpec, SettingSpec, SettingType};
use super::model::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Address, Attributes, TenantId};
use crate::registry::Registry;

/// What `protect init` asked for.
#[derive(Clone, Debug)]
pub struct TemplateAnswers {
    /// The tenant.
    pub tenant: TenantId,
    /// What people call it.
    pub name: String,
    /// Its mail domains.
    pub domains: Vec<String>,
    /// Break-glass accounts.
    pub protected: Vec<Address>,
    /// The kinds of connector to begin with.
    pub connectors: Vec<TemplateConnector>,
}

/// A connector that `protect init` was asked for; its name is its kind.
#[derive(Clone, Debug)]
pub struct TemplateConnector {
    /// Its kind.
    pub kind: String,
    /// Settings of the connection, and plain fields of its credentials, by name.
    pub connection: Attributes,
    /// Settings of the tenant's connector.
    pub settings: Attributes,
    /// Roots that replace the vendor's own, by name.
    pub endpoints: Attributes,
}

impl TemplateConnector {
    /// A connector for which nothing was answered.
    pub fn new(kind: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            connection: Attributes::new(),
            settings: Attributes::new(),
            endpoints: Attributes::new(),
        }
    }
}

/// A commented `protect.toml`. Secrets become references to environment variables, text that must
/// be there and was not answered becomes `CHANGE-ME`, and nothing in it can change anything.
///
/// # Errors
/// `unsupported` for a kind that this program does not know; what [`Config::from_toml`] says where
/// an answer cannot be right.
pub fn template(answers: &TemplateAnswers, registry: &Registry) -> Result<String> {
    let mut out = String::from(HEAD);
    let tenant = answers.tenant.as_str();
    let specs: Result<Vec<_>> = answers
        .connectors
        .iter()
        .map(|connector| Ok((connector, known(registry, &connector.kind)?)))
        .collect();
    let specs = specs?;
    for (connector, spec) in specs.iter().filter(|(_, spec)| spec.needs_connection) {
        write_connection(&mut out, connector, spec, tenant);
    }
    write_tenant(&mut out, answers);
    for (connector, spec) in &specs {
        write_connector(&mut out, connector, spec, tenant);
    }
    out.push_str(&RULE.replace("TENANT", tenant));
    Config::from_toml(&out, registry)?;
    Ok(out)
}

const HEAD: &str = "\
# Every key: docs/reference/configuration.md, or `protect schema`.
# Then: `protect doctor` says whether it works, `protect scan` looks for the first time.

mode = \"dry_run\"        # \"enforce\" once `protect plan` shows what you want

[store]
kind = \"sqlite\"
path = \"protect.db\"
";

const RULE: &str = "
# A plan waits for `protect approve`. Nothing is changed in dry_run.
[[tenants.TENANT.rules]]
name = \"leaked credential of an ordinary account\"
when = { kind = \"credential_exposure\", severity = \">=high\", account = { privileged = false } }
then = [\"suspend_account\"]
approval = \"required\"
";

fn known<'a>(registry: &'a Registry, kind: &str) -> Result<&'a KindSpec> {
    registry.spec(kind).ok_or_else(|| {
        let (message, _) =
            super::problem::unknown_word("kind of connector", kind, registry.kinds());
        Error::new(ErrorKind::Unsupported, message)
    })
}

fn write_connection(
    out: &mut String,
    connector: &TemplateConnector,
    spec: &KindSpec,
    tenant: &str,
) {
    out.push('\n');
    comment(out, &spec.docs);
    let _ = writeln!(out, "[connections.{}]", spec.name);
    pair(out, "kind", &Value::from(spec.name.as_str()));
    pair(out, "tenants", &Value::from(vec![tenant]));
    let mut roots = connector.endpoints.clone();
    for endpoint in spec.endpoints.iter().filter(|endpoint| endpoint.required) {
        let placeholder = Value::from("https://change-me.example");
        roots.entry(&endpoint.name).or_insert(placeholder);
    }
    if !roots.is_empty() {
        pair(out, "endpoints", &Value::Object(roots));
    }
    write_settings(out, &spec.connection_settings, &connector.connection);
    if let Some(credential) = &spec.scan {
        let scan = credential_table(spec, credential, "SCAN", &connector.connection);
        let _ = writeln!(out, "scan = {scan}");
    }
    if let Some(credential) = &spec.respond {
        let respond = credential_table(spec, credential, "RESPOND", &connector.connection);
        if credential.required {
            let _ = writeln!(out, "respond = {respond}");
        } else {
            comment(out, "Another credential, which may change accounts:");
            let _ = writeln!(out, "# respond = {respond}");
        }
    }
}

/// The first whole set of fields: every one that is required, or named by the first alternative;
/// every field, where none is either.
fn credential_table(
    spec: &KindSpec,
    credential: &CredentialSpec,
    purpose: &str,
    answers: &Attributes,
) -> String {
    let both = spec.scan.is_some() && spec.respond.is_some();
    let first = credential.alternatives.first();
    let is_open = first.is_none() && !credential.fields.iter().any(|f| credential.requires(f));
    let fields: Vec<_> = credential
        .fields
        .iter()
        .filter(|field| {
            let named = first.is_some_and(|set| set.contains(&field.name));
            is_open || named || credential.requires(field)
        })
        .map(|field| {
            let mut variable = format!("{}_{}", spec.name, field.name).to_uppercase();
            if both {
                variable = format!("{}_{purpose}_{}", spec.name, field.name).to_uppercase();
            }
            if let Some(own) = &field.variable {
                variable.clone_from(own);
            }
            let value = if field.secret {
                format!("{{ env = {} }}", toml_text(&variable))
            } else {
                let answer = answers.get(&field.name).and_then(Value::as_str);
                toml_text(answer.unwrap_or(PLACEHOLDER))
            };
            format!("{} = {value}", field.name)
        })
        .collect();
    format!("{{ {} }}", fields.join(", "))
}

const PLACEHOLDER: &str = "CHANGE-ME";

fn write_tenant(out: &mut String, answers: &TemplateAnswers) {
    let _ = writeln!(out, "\n[tenants.{}]", answers.tenant);
    pair(out, "name", &Value::from(answers.name.as_str()));
    pair(out, "domains", &Value::from(answers.domains.clone()));
    comment(
        out,
        "Accounts that nothing may change, such as break-glass ones:",
    );
    let protected: Vec<_> = answers.protected.iter().map(Address::as_str).collect();
    pair(out, "protected", &Value::from(protected));
    comment(out, "Who is watched; also: addresses, csv, directories.");
    let watched = !answers.domains.is_empty();
    let _ = writeln!(out, "monitor = {{ domains = {watched} }}");
}

fn write_connector(out: &mut String, connector: &TemplateConnector, spec: &KindSpec, tenant: &str) {
    let _ = writeln!(out, "\n[tenants.{tenant}.connectors.{}]", spec.name);
    let key = if spec.needs_connection {
        "connection"
    } else {
        "kind"
    };
    pair(out, key, &Value::from(spec.name.as_str()));
    write_settings(out, &spec.settings, &connector.settings);
}

/// What was answered and what must be there; the rest as comments.
fn write_settings(out: &mut String, specs: &[SettingSpec], answers: &Attributes) {
    for spec in specs {
        comment(out, &spec.docs);
        match answers.get(&spec.name) {
            Some(answer) => pair(out, &spec.name, answer),
            None if spec.required => pair(out, &spec.name, &placeholder(spec)),
            None => {
                out.push_str("# ");
                pair(out, &spec.name, &placeholder(spec));
            }
        }
    }
}

fn placeholder(spec: &SettingSpec) -> Value {
    if let Some(default) = &spec.default {
        return default.clone();
    }
    match &spec.kind {
        SettingType::OneOf(words) => Value::from(words.first().map_or(PLACEHOLDER, |w| w)),
        SettingType::Integer { min, .. } => Value::from(*min),
        SettingType::Boolean => Value::from(false),
        SettingType::Duration => Value::from("24h"),
        SettingType::TextList => Value::Array(Vec::new()),
        SettingType::TextTable | SettingType::Table => Value::Object(Attributes::new()),
        SettingType::Text | SettingType::Path => Value::from(PLACEHOLDER),
    }
}

fn comment(out: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(out, "# {line}");
    }
}

fn pair(out: &mut String, key: &str, value: &Value) {
    let _ = writeln!(out, "{key} = {}", toml_value(value));
}

fn toml_text(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn toml_key(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        toml_text(key)
    }
}

/// The value on one line.
fn toml_value(value: &Value) -> String {
    match value {
        Value::Null => toml_text(""),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => toml_text(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(toml_value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let pairs: Vec<_> = map
                .iter()
                .map(|(key, value)| format!("{} = {}", toml_key(key), toml_value(value)))
                .collect();
            if pairs.is_empty() {
                return "{}".to_owned();
            }
            format!("{{ {} }}", pairs.join(", "))
        }
    }
}
