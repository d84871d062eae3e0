//! `[tenants.ID]`.

use std::collections::BTreeMap;

use url::Host;

use super::action::{self, Connectors};
use super::client;
use super::connection::{self, Connections};
use super::{people, when};
use crate::config::kind::KindSpec;
use crate::config::model::{
    ApprovalConfig, ApprovalMode, ConnectorConfig, CsvMonitor, GuardConfig, MonitorConfig,
    SelfApproval, TenantConfig, UnverifiedActors,
};
use crate::config::read::{Node, Table};
use crate::config::rule::Rule;
use crate::model::{ActionKind, Address, ConnectionName, ConnectorName, TenantId};

/// The tenants that the table names, whatever else is wrong with them.
pub(super) fn declared(node: &Node<'_>) -> Vec<String> {
    let names = node.value.as_object().into_iter().flatten();
    names.map(|(name, _)| name.clone()).collect()
}

pub(super) fn read_all(
    node: &Node<'_>,
    connections: &Connections,
) -> Option<BTreeMap<TenantId, TenantConfig>> {
    let tenants: Vec<_> = node
        .table()?
        .entries()
        .map(|(key, node)| match TenantId::new(key) {
            Ok(id) => {
                let node = node.at(|place| place.tenant = Some(key.to_owned()));
                let tenant = read(&node, &id, connections)?;
                Some((id, tenant))
            }
            Err(error) => node.wrong(error.message()),
        })
        .collect();
    tenants.into_iter().collect()
}

fn read(node: &Node<'_>, id: &TenantId, connections: &Connections) -> Option<TenantConfig> {
    let table = node.table()?;
    let name = match table.get("name") {
        Some(node) => node.text().map(str::to_owned),
        None => Some(id.to_string()),
    };
    let domains = optional(table.get("domains"), |node| node.each(domain));
    let protected = optional(table.get("protected"), |node| node.each(protected));
    let monitor = table.get("monitor");
    let route = table.get("route");
    let connectors = table.get("connectors");
    let rules = table.get("rules");
    let approval = optional(table.get("approval"), read_approval);
    let guard = optional(table.get("guard"), read_guard);
    let client_view = optional(table.get("client_view"), client::read_view);
    let branding = optional(table.get("branding"), client::read_branding);
    let people = table.get("people");
    table.finish();

    let declared = Connectors::declared(connectors.as_ref(), connections);
    let connectors = optional(connectors, |node| read_connectors(node, id, connections));
    // Domains that are wrong were noted, and are there.
    let has_domains = domains.as_ref().is_none_or(|domains| !domains.is_empty());
    let monitor = optional(monitor, |node| read_monitor(node, has_domains, &declared));
    let route = optional(route, |node| read_route(node, &declared));
    let rules = optional(rules, |node| read_rules(node, &declared));
    let people = optional(people, |node| people::read(node, &declared));
    Some(TenantConfig {
        name: name?,
        domains: domains?,
        protected: protected?,
        monitor: monitor?,
        route: route?,
        connectors: connectors?,
        rules: rules?,
        approval: approval?,
        guard: guard?,
        client_view: client_view?,
        branding: branding?,
        people: people?,
    })
}

/// What is left out counts as its default; what is wrong was noted.
pub(super) fn optional<T: Default>(
    node: Option<Node<'_>>,
    read: impl FnOnce(&Node<'_>) -> Option<T>,
) -> Option<T> {
    node.map_or_else(|| Some(T::default()), |node| read(&node))
}

fn domain(node: &Node<'_>) -> Option<String> {
    let text = node.text()?.trim().trim_end_matches('.').to_lowercase();
    match Host::parse(&text) {
        Ok(Host::Domain(ascii)) if ascii.contains('.') => Some(text),
        _ => node.wrong("not a domain: write it like \"acme.example\""),
    }
}

fn protected(node: &Node<'_>) -> Option<String> {
    let text = node.text()?.trim().to_lowercase();
    if text.chars().any(char::is_control) {
        return node.wrong("neither an address nor an account's id");
    }
    if text.contains('@') {
        return node.parsed(|text| Address::new(text)).map(String::from);
    }
    Some(text)
}

fn read_monitor(
    node: &Node<'_>,
    has_domains: bool,
    connectors: &Connectors<'_>,
) -> Option<MonitorConfig> {
    let table = node.table()?;
    let domains = match table.get("domains") {
        None => Some(false),
        Some(node) => match node.boolean() {
            Some(true) if !has_domains => node.wrong("the tenant has no `domains` to watch"),
            other => other,
        },
    };
    let addresses = optional(table.get("addresses"), |node| {
        node.each(|node| node.parsed(|text| Address::new(text)))
    });
    let csv = optional(table.get("csv"), |node| {
        Some(Some(CsvMonitor { path: node.path()? }))
    });
    let directories = optional(table.get("directories"), |node| {
        node.each(|node| {
            let name = connectors.by_name(node)?;
            ConnectorName::new(name).ok()
        })
    });
    table.finish();
    Some(MonitorConfig {
        domains: domains?,
        addresses: addresses?,
        csv: csv?,
        directories: directories?,
    })
}

fn read_route(
    node: &Node<'_>,
    connectors: &Connectors<'_>,
) -> Option<BTreeMap<ActionKind, Vec<String>>> {
    let entries: Vec<_> = node
        .table()?
        .entries()
        .map(|(key, node)| {
            let kind = action::kind(&node, key)?;
            if kind.acts_everywhere() {
                return node.wrong(format!(
                    "`{kind}` acts wherever the person has an account; a rule's `on` says where"
                ));
            }
            Some((
                kind,
                node.one_or_more(|node| connectors.by_name_or_kind(node))?,
            ))
        })
        .collect();
    entries.into_iter().collect()
}

fn read_connectors(
    node: &Node<'_>,
    tenant: &TenantId,
    connections: &Connections,
) -> Option<BTreeMap<ConnectorName, ConnectorConfig>> {
    let entries: Vec<_> = node
        .table()?
        .entries()
        .map(|(key, node)| match ConnectorName::new(key) {
            Ok(name) => {
                let node = node.at(|place| place.connector = Some(key.to_owned()));
                Some((name, read_connector(&node, tenant, connections)?))
            }
            Err(error) => node.wrong(error.message()),
        })
        .collect();
    entries.into_iter().collect()
}

fn read_connector(
    node: &Node<'_>,
    tenant: &TenantId,
    connections: &Connections,
) -> Option<ConnectorConfig> {
    let table = node.table()?;
    let kind = table.get("kind");
    if let Some(connection) = table.get("connection") {
        let (name, kind) = read_connected(&connection, kind, tenant, connections)?;
        let spec = node.reader.registry.spec(&kind)?;
        let table = table.at(|place| place.connection = Some(name.to_string()));
        return finish_connector(table, spec, Some(name));
    }
    let Some(kind) = kind else {
        return node.wrong("missing: `connection`, or `kind` where it needs none");
    };
    let spec = connection::read_kind(&kind)?;
    if spec.needs_connection {
        return node.wrong(format!(
            "kind `{}` needs a `connection`, one of [connections]",
            spec.name
        ));
    }
    finish_connector(table, spec, None)
}

/// The connection that a connector names, and its kind.
fn read_connected(
    node: &Node<'_>,
    kind: Option<Node<'_>>,
    tenant: &TenantId,
    connections: &Connections,
) -> Option<(ConnectionName, String)> {
    let text = node.text()?;
    let Some((name, declared)) = connections.get(text) else {
        return node.unknown("connection", text, connections.names());
    };
    let node = node.at(|place| place.connection = Some(name.to_string()));
    if let Some(scope) = &declared.tenants
        && !scope.includes(tenant)
    {
        return node.wrong(format!(
            "connection `{name}` may not serve this tenant; its `tenants` say whom it may"
        ));
    }
    let expected = declared.kind.clone()?;
    if let Some(kind) = kind
        && kind.text()? != expected
    {
        return kind.wrong(format!(
            "connection `{name}` is of kind `{expected}`; leave `kind` out"
        ));
    }
    Some((name.clone(), expected))
}

fn finish_connector(
    table: Table<'_>,
    spec: &KindSpec,
    connection: Option<ConnectionName>,
) -> Option<ConnectorConfig> {
    let settings = connection::read_settings(&table, &spec.settings);
    table.finish();
    Some(ConnectorConfig {
        kind: spec.name.clone(),
        connection,
        settings: settings?,
    })
}

fn read_rules(node: &Node<'_>, connectors: &Connectors<'_>) -> Option<Vec<Rule>> {
    let mut names: Vec<&str> = Vec::new();
    let rules: Vec<_> = node
        .list()?
        .iter()
        .map(|node| {
            let name = node.value.get("name").and_then(|name| name.as_str());
            let name = name.map(str::trim);
            let node = &node.at(|place| place.rule = name.and_then(shown_name));
            if name.is_some_and(|name| names.contains(&name)) {
                node.wrong::<()>("another rule of this tenant has the same name");
            }
            names.extend(name);
            read_rule(node, connectors)
        })
        .collect();
    rules.into_iter().collect()
}

/// A rule's name as errors show it.
fn shown_name(name: &str) -> Option<String> {
    let is_short = !name.is_empty() && name.len() <= 80;
    (is_short && !name.contains(['@', ':']) && !name.chars().any(char::is_control))
        .then(|| name.to_owned())
}

fn read_rule(node: &Node<'_>, connectors: &Connectors<'_>) -> Option<Rule> {
    let table = node.table()?;
    let name = table
        .need("name", "a name, unique within the tenant")
        .and_then(|node| rule_name(&node));
    let when = table
        .need("when", "a table such as { kind = \"credential_exposure\" }")
        .and_then(|node| when::read(&node, connectors));
    let then = table
        .need("then", "a list of actions such as [\"suspend_account\"]")
        .and_then(|node| node.one_or_more(|node| action::read(node, connectors)));
    let approval = read_rule_approval(&table);
    let max_per_hour = table.get("max_per_hour").map_or(Some(None), |node| {
        let most = node.integer(1, i64::from(u32::MAX))?;
        u32::try_from(most).ok().map(Some)
    });
    let dry_run = table
        .get("dry_run")
        .map_or(Some(false), |node| node.boolean());
    table.finish();
    Some(Rule {
        name: name?,
        when: when?,
        then: then?,
        approval: approval?,
        max_per_hour: max_per_hour?,
        dry_run: dry_run?,
    })
}

fn rule_name(node: &Node<'_>) -> Option<String> {
    let name = node.text()?;
    if name.chars().any(char::is_control) || name.chars().count() > 80 {
        return node.wrong("a rule's name is one line of at most 80 characters");
    }
    Some(name.trim().to_owned())
}

fn read_rule_approval(table: &Table<'_>) -> Option<ApprovalMode> {
    let auto = match table.get("approval") {
        Some(node) => node.word("approval", &[("required", false), ("auto", true)])?,
        None => false,
    };
    if auto {
        let by = table.need("enabled_by", "who decided that nobody needs to consent")?;
        let enabled_by = by.text()?.to_owned();
        return Some(ApprovalMode::Auto { enabled_by });
    }
    match table.get("enabled_by") {
        Some(node) => node.wrong("only goes with approval = \"auto\""),
        None => Some(ApprovalMode::Required),
    }
}

fn read_approval(node: &Node<'_>) -> Option<ApprovalConfig> {
    let default = ApprovalConfig::default();
    let table = node.table()?;
    let self_approval = table
        .get("self")
        .map_or(Some(default.self_approval), |node| {
            node.word(
                "value",
                &[
                    ("refuse", SelfApproval::Refuse),
                    ("allow_recorded", SelfApproval::AllowRecorded),
                ],
            )
        });
    let unverified = table
        .get("unverified")
        .map_or(Some(default.unverified), |node| {
            node.word(
                "value",
                &[
                    ("allow", UnverifiedActors::Allow),
                    ("refuse", UnverifiedActors::Refuse),
                ],
            )
        });
    let expires = table
        .get("expires")
        .map_or(Some(default.expires), |node| node.duration());
    table.finish();
    Some(ApprovalConfig {
        self_approval: self_approval?,
        unverified: unverified?,
        expires: expires?,
    })
}

fn read_guard(node: &Node<'_>) -> Option<GuardConfig> {
    let default = GuardConfig::default();
    let table = node.table()?;
    let max_accounts = table
        .get("max_accounts")
        .map_or(Some(default.max_accounts), |node| {
            u32::try_from(node.integer(0, i64::from(u32::MAX))?).ok()
        });
    let max_percent = table
        .get("max_percent")
        .map_or(Some(default.max_percent), |node| node.percent());
    let cool_down = table
        .get("cool_down")
        .map_or(Some(default.cool_down), |node| node.duration());
    table.finish();
    Some(GuardConfig {
        max_accounts: max_accounts?,
        max_percent: max_percent?,
        cool_down: cool_down?,
    })
}
