//! `[connections.NAME]`, and what it shares with `[tenants.ID.connectors.NAME]`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use url::{Host, Url};

use super::secret;
use crate::config::kind::{CredentialSpec, KindSpec, SettingSpec, SettingType};
use crate::config::model::{ConnectionConfig, TenantScope};
use crate::config::read::{Node, Table};
use crate::model::{ConnectionName, TenantId};

/// The connections as far as they could be read.
#[derive(Default)]
pub(super) struct Connections(BTreeMap<ConnectionName, Declared>);

/// What tenants need to know of a connection, even where the rest of it is wrong.
pub(super) struct Declared {
    pub(super) kind: Option<String>,
    pub(super) tenants: Option<TenantScope>,
    whole: Option<ConnectionConfig>,
}

impl Connections {
    pub(super) fn get(&self, name: &str) -> Option<(&ConnectionName, &Declared)> {
        self.0.iter().find(|(known, _)| known.as_str() == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(ConnectionName::as_str)
    }

    /// All of them; `None` where something is wrong with one.
    pub(super) fn into_whole(self) -> Option<BTreeMap<ConnectionName, ConnectionConfig>> {
        let whole = |(name, declared): (_, Declared)| Some((name, declared.whole?));
        self.0.into_iter().map(whole).collect()
    }
}

pub(super) fn read_all(node: &Node<'_>, tenants: &[String]) -> Connections {
    let mut all = Connections::default();
    let Some(table) = node.table() else {
        return all;
    };
    for (key, node) in table.entries() {
        match ConnectionName::new(key) {
            Ok(name) => {
                let node = node.at(|place| place.connection = Some(key.to_owned()));
                all.0.insert(name, read(&node, tenants));
            }
            Err(error) => {
                node.wrong::<()>(error.message());
            }
        }
    }
    all
}

fn read(node: &Node<'_>, tenants: &[String]) -> Declared {
    let mut declared = Declared {
        kind: None,
        tenants: None,
        whole: None,
    };
    let Some(table) = node.table() else {
        return declared;
    };
    let scope = table.need(
        "tenants",
        "say whom it may serve: [\"*\"] or a list of tenants",
    );
    declared.tenants = scope.and_then(|node| read_scope(&node, tenants));
    let kind = table.need("kind", "the kind of connector, such as \"hibp\"");
    let spec = kind.and_then(|node| read_kind(&node));
    declared.kind = spec.map(|spec| spec.name.clone());
    // Which other keys there may be depends on the kind: without it, nothing can be said of them.
    if let Some(spec) = spec {
        declared.whole = read_of_kind(table, spec, declared.tenants.clone());
    }
    declared
}

fn read_of_kind(
    table: Table<'_>,
    spec: &KindSpec,
    scope: Option<TenantScope>,
) -> Option<ConnectionConfig> {
    if !spec.needs_connection {
        return table.node.wrong(format!(
            "kind `{}` needs no connection: put its settings at the tenant's connector",
            spec.name
        ));
    }
    let endpoints = read_endpoints(&table, spec);
    let scan = read_credential(&table, "scan", spec.scan.as_ref());
    let respond = read_credential(&table, "respond", spec.respond.as_ref());
    let settings = read_settings(&table, &spec.connection_settings);
    table.finish();
    Some(ConnectionConfig {
        kind: spec.name.clone(),
        endpoints: endpoints?,
        scan: scan?.unwrap_or_default(),
        respond: respond?,
        tenants: scope?,
        settings: settings?,
    })
}

/// A kind that this program knows.
pub(super) fn read_kind<'a>(node: &Node<'a>) -> Option<&'a KindSpec> {
    let name = node.text()?;
    let registry = node.reader.registry;
    match registry.spec(name) {
        Some(spec) => Some(spec),
        None => node.unknown("kind of connector", name, registry.kinds()),
    }
}

fn read_scope(node: &Node<'_>, tenants: &[String]) -> Option<TenantScope> {
    let items = node.list()?;
    if items.is_empty() {
        return node.wrong("an empty list: say whom it may serve, [\"*\"] or a list of tenants");
    }
    if items.iter().any(|item| item.value == "*") {
        return match items.len() {
            1 => Some(TenantScope::Every),
            _ => node.wrong("\"*\" means every tenant and stands alone"),
        };
    }
    let ids = node.each(|item| {
        let text = item.text()?;
        if !tenants.iter().any(|known| known == text) {
            return item.unknown("tenant", text, tenants.iter().map(String::as_str));
        }
        item.parsed(|text| TenantId::new(text))
    })?;
    Some(TenantScope::Only(ids))
}

fn read_endpoints(table: &Table<'_>, spec: &KindSpec) -> Option<BTreeMap<String, String>> {
    let mut endpoints = BTreeMap::new();
    let required = spec.endpoints.iter().find(|endpoint| endpoint.required);
    let node = match required {
        Some(endpoint) => table.need(
            "endpoints",
            &format!("{{ {} = \"https://...\" }}", endpoint.name),
        )?,
        None => match table.get("endpoints") {
            Some(node) => node,
            None => return Some(endpoints),
        },
    };
    let table = node.table()?;
    let mut whole = true;
    for endpoint in &spec.endpoints {
        let node = if endpoint.required {
            table.need(&endpoint.name, &endpoint.docs)
        } else {
            table.get(&endpoint.name)
        };
        let Some(node) = node else {
            whole &= !endpoint.required;
            continue;
        };
        let url = if endpoint.mail_server {
            mail_server(&node)
        } else {
            root_url(&node, endpoint.whole_url)
        };
        match url {
            Some(url) => {
                endpoints.insert(endpoint.name.clone(), url);
            }
            None => whole = false,
        }
    }
    table.finish();
    whole.then_some(endpoints)
}

/// An absolute URL: https, or http to this machine; without a user; unless it is a whole URL, also
/// without query, fragment or trailing slash. Never repeated in a message.
pub(super) fn root_url(node: &Node<'_>, whole_url: bool) -> Option<String> {
    let text = node.text()?;
    let Ok(url) = Url::parse(text) else {
        return node.wrong("not an absolute URL: write it with https:// and a host");
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return node.wrong("must begin with https:// and name a host");
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return node.wrong("http is for this machine only (127.0.0.1, localhost): write https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return node.wrong("a URL with a user or password in it: credentials are references");
    }
    if url.fragment().is_some() {
        return node.wrong("must have no fragment (`#...`)");
    }
    if !whole_url && url.query().is_some() {
        return node.wrong("must have no query (`?...`)");
    }
    if !whole_url && text.ends_with('/') {
        return node.wrong("must not end in a slash");
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return node.wrong("must contain no white space");
    }
    Some(text.to_owned())
}

/// A mail server: `smtp://host` or `smtps://host`, with a port where it is another than usual.
fn mail_server(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    let Ok(url) = Url::parse(text) else {
        return node.wrong("not a mail server: write it as smtp://host or smtps://host");
    };
    if !matches!(url.scheme(), "smtp" | "smtps") || url.host_str().is_none_or(str::is_empty) {
        return node.wrong("must begin with smtp:// (STARTTLS) or smtps:// and name a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return node.wrong("a URL with a user or password in it: credentials are references");
    }
    if !url.path().is_empty() || url.query().is_some() || url.fragment().is_some() {
        return node.wrong("nothing may stand behind the host and port");
    }
    Some(text.to_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// A credential; `Some(None)` where there is none and none is needed.
#[expect(
    clippy::option_option,
    reason = "wrong, left out and there are three different things"
)]
fn read_credential(
    table: &Table<'_>,
    name: &str,
    spec: Option<&CredentialSpec>,
) -> Option<Option<Map<String, Value>>> {
    let Some(spec) = spec else {
        return Some(None);
    };
    let node = if spec.required {
        table.need(name, &example(spec))?
    } else {
        match table.get(name) {
            Some(node) => node,
            None => return Some(None),
        }
    };
    let table = node.table()?;
    let mut fields = Map::new();
    let mut whole = true;
    for field in &spec.fields {
        let needed = spec.requires(field);
        let found = if needed {
            table.need(&field.name, &field.docs)
        } else {
            table.get(&field.name)
        };
        let Some(node) = found else {
            whole &= !needed;
            continue;
        };
        let value = if field.secret {
            secret::read(&node).map(|reference| json!(reference))
        } else {
            node.text().map(Value::from)
        };
        // What is there and wrong was noted; it counts as there for the alternatives.
        whole &= value.is_some();
        fields.insert(field.name.clone(), value.unwrap_or_default());
    }
    table.finish();
    whole &= check_alternatives(&node, spec, &fields).is_some();
    whole.then_some(Some(fields))
}

fn example(spec: &CredentialSpec) -> String {
    let fields: Vec<_> = spec
        .fields
        .iter()
        .map(|field| {
            let value = if field.secret {
                "{ env = \"NAME\" }"
            } else {
                "\"...\""
            };
            format!("{} = {value}", field.name)
        })
        .collect();
    format!("{{ {} }}", fields.join(", "))
}

fn check_alternatives(
    node: &Node<'_>,
    spec: &CredentialSpec,
    found: &Map<String, Value>,
) -> Option<()> {
    let (whole, partial): (Vec<_>, Vec<_>) = spec
        .alternatives
        .iter()
        .partition(|set| set.iter().all(|field| found.contains_key(field)));
    for set in partial {
        let stray = set.iter().find(|field| {
            found.contains_key(*field) && !whole.iter().any(|set| set.contains(field))
        });
        if let Some(stray) = stray {
            let missing: Vec<_> = set.iter().filter(|f| !found.contains_key(*f)).collect();
            let missing: Vec<_> = missing.iter().map(|field| format!("`{field}`")).collect();
            return node.wrong(format!("`{stray}` also needs {}", missing.join(" and ")));
        }
    }
    if whole.is_empty() && !spec.alternatives.is_empty() {
        let sets: Vec<_> = spec
            .alternatives
            .iter()
            .map(|set| {
                let set: Vec<_> = set.iter().map(|field| format!("`{field}`")).collect();
                set.join(" with ")
            })
            .collect();
        return node.wrong(format!("missing: {}", sets.join(", or ")));
    }
    Some(())
}

/// The settings that a kind declares.
pub(super) fn read_settings(
    table: &Table<'_>,
    specs: &[SettingSpec],
) -> Option<Map<String, Value>> {
    let mut settings = Map::new();
    let mut whole = true;
    for spec in specs {
        let node = if spec.required {
            table.need(&spec.name, &spec.docs)
        } else {
            table.get(&spec.name)
        };
        let Some(node) = node else {
            whole &= !spec.required;
            continue;
        };
        match read_setting(&node, &spec.kind) {
            Some(value) => {
                settings.insert(spec.name.clone(), value);
            }
            None => whole = false,
        }
    }
    whole.then_some(settings)
}

/// A setting, in the form in which it reaches the connector.
pub(super) fn read_setting(node: &Node<'_>, kind: &SettingType) -> Option<Value> {
    match kind {
        SettingType::Text => node.text().map(Value::from),
        SettingType::OneOf(words) => {
            let known: Vec<_> = words.iter().map(|word| (word.as_str(), word)).collect();
            node.word("value", &known).map(|word| json!(word))
        }
        SettingType::Integer { min, max } => node.integer(*min, *max).map(Value::from),
        SettingType::Boolean => node.boolean().map(Value::from),
        SettingType::Duration => node.duration().map(|span| json!(span.as_secs())),
        SettingType::Path => node.path().map(|path| json!(path)),
        SettingType::TextList => node
            .each(|item| item.text().map(Value::from))
            .map(Value::Array),
        SettingType::TextTable => {
            let entries: Vec<_> = node
                .table()?
                .entries()
                .map(|(key, value)| Some((key.to_owned(), Value::from(value.text()?))))
                .collect();
            let entries: Option<Map<_, _>> = entries.into_iter().collect();
            entries.map(Value::Object)
        }
        SettingType::Table => match node.value {
            Value::Object(table) => Some(Value::Object(table.clone())),
            _ => node.wrong("expected a table"),
        },
    }
}
