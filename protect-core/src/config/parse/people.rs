//! `people = { ... }` of a tenant.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::action::Connectors;
use crate::config::model::{InsiderThreatConfig, NoticesConfig, PeopleConfig, PeopleRolesConfig};
use crate::config::read::Node;
use crate::error::Error;
use crate::model::{Address, ConnectorName, PeopleRole, Role, SignalSeverity, TaskTemplate};

/// Days between a task and the last or first day, at most.
const FARTHEST: i64 = 3_650;

pub(super) fn read(node: &Node<'_>, connectors: &Connectors<'_>) -> Option<PeopleConfig> {
    let default = PeopleConfig::default();
    let table = node.table()?;
    let time_zone = table
        .get("time_zone")
        .map_or(Some(default.time_zone), |node| node.parsed(time_zone));
    let tasks = |name: &str| {
        let node = table.get(name);
        node.map_or(Some(None), |node| node.each(task).map(Some))
    };
    let offboarding = tasks("offboarding");
    let onboarding = tasks("onboarding");
    let share_leave_type = table
        .get("share_leave_type")
        .map_or(Some(false), |node| node.boolean());
    let insider_threat = table
        .get("insider_threat")
        .map_or(Some(None), |node| insider_threat(&node).map(Some));
    let roles = table
        .get("roles")
        .map_or(Some(default.roles), |node| roles(&node));
    let notices = table
        .get("notices")
        .map_or(Some(None), |node| notices(&node, connectors).map(Some));
    table.finish();
    Some(PeopleConfig {
        time_zone: time_zone?,
        offboarding: offboarding?,
        onboarding: onboarding?,
        share_leave_type: share_leave_type?,
        insider_threat: insider_threat?,
        roles: roles?,
        notices: notices?,
    })
}

fn notices(node: &Node<'_>, connectors: &Connectors<'_>) -> Option<NoticesConfig> {
    let table = node.table()?;
    let connector = table.need(
        "connector",
        "the connector of kind `notify` that sends mail",
    );
    let connector = connector.and_then(|node| {
        let name = connectors.by_name(&node)?;
        ConnectorName::new(name).ok()
    });
    let address = |node: &Node<'_>| node.parsed(|text| Address::new(text));
    let contacts = table
        .entries()
        .filter(|(word, _)| *word != "connector")
        .map(|(word, node)| Some((word.to_owned(), node.each(address)?)))
        .collect::<Option<BTreeMap<_, _>>>();
    Some(NoticesConfig {
        connector: connector?,
        contacts: contacts?,
    })
}

fn roles(node: &Node<'_>) -> Option<PeopleRolesConfig> {
    let default = PeopleRolesConfig::default();
    let table = node.table()?;
    let product = table
        .get("product")
        .map_or(Some(default.product), |node| node.text().map(str::to_owned));
    let organisation = table
        .get("organisation")
        .map_or(Some(default.organisation), |node| {
            by(&node, |name| match Role::named(name) {
                Role::Unknown => Err(Error::invalid_input(
                    "not a role in the organisation: owner, admin, member, billing or viewer",
                )),
                role => Ok(role),
            })
        });
    let addresses = table
        .get("addresses")
        .map_or(Some(default.addresses), |node| {
            by(&node, |text| Address::new(text))
        });
    table.finish();
    Some(PeopleRolesConfig {
        product: product?,
        organisation: organisation?,
        addresses: addresses?,
    })
}

/// A table from something to a role in the workforce.
fn by<K: Ord>(
    node: &Node<'_>,
    key: impl Fn(&str) -> Result<K, Error>,
) -> Option<BTreeMap<K, PeopleRole>> {
    let words = PeopleRole::ALL.map(|role| (role.as_str(), role));
    let table = node.table()?;
    let read = |(name, node): (&str, Node<'_>)| match key(name) {
        Ok(key) => Some((key, node.word("role", &words)?)),
        Err(error) => node.wrong(error.message()),
    };
    let entries: Vec<Option<_>> = table.entries().map(read).collect();
    entries.into_iter().collect()
}

fn insider_threat(node: &Node<'_>) -> Option<InsiderThreatConfig> {
    let table = node.table()?;
    let enabled_by = table.need("enabled_by", "who decided that signals are received");
    let enabled_by = enabled_by.and_then(|node| node.text().map(str::to_owned));
    let words = [
        ("low", SignalSeverity::Low),
        ("medium", SignalSeverity::Medium),
        ("high", SignalSeverity::High),
    ];
    let min_severity = table
        .get("min_severity")
        .map_or(Some(SignalSeverity::Medium), |node| {
            node.word("severity", &words)
        });
    let only_offboarding = table
        .get("only_offboarding")
        .map_or(Some(true), |node| node.boolean());
    table.finish();
    Some(InsiderThreatConfig {
        enabled_by: enabled_by?,
        min_severity: min_severity?,
        only_offboarding: only_offboarding?,
    })
}

fn time_zone(text: &str) -> Result<String, Error> {
    match TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Error::invalid_input(
            "not a time zone: write it like \"Europe/Berlin\"",
        )),
    }
}

fn task(node: &Node<'_>) -> Option<TaskTemplate> {
    let table = node.table()?;
    let text = |name: &str, otherwise: &str| match table.get(name) {
        Some(node) => node.text().map(str::to_owned),
        None => Some(otherwise.to_owned()),
    };
    let title = table.need("title", "what to do");
    let title = title.and_then(|node| node.text().map(str::to_owned));
    let category = text("category", "orientation");
    let assignee = text("assignee", "hr");
    let due = table
        .get("due")
        .map_or(Some(0), |node| node.integer(-FARTHEST, FARTHEST));
    table.finish();
    Some(TaskTemplate {
        title: title?,
        category: category?,
        assignee: assignee?,
        due: i32::try_from(due?).ok()?,
    })
}
