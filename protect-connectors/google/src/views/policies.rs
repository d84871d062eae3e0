//! The settings as the Policy API has them
//! ([policies](https://docs.cloud.google.com/identity/docs/concepts/policy-api-concepts)).

use std::collections::{BTreeMap, BTreeSet};

use protect_core::posture::{Read, Reader, View};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Directory, bare, each};
use crate::settings::{Settings, Target};
use crate::workspace::{GROUPS, ORG_UNITS, POLICIES};

/// The settings by `<application>.<setting>:<field>`, the alert rules by
/// `rule.system_defined_alerts:<name>`.
#[derive(Debug)]
pub(crate) struct Policies(pub(crate) Settings);

impl View for Policies {
    const PATHS: &'static [&'static str] = &[POLICIES, ORG_UNITS, GROUPS];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let directory = read.view::<Directory>()?;
        let mut policies = Vec::new();
        each(read, POLICIES, |policy: PolicyWire| policies.push(policy))?;
        let root = root(&directory, &policies);
        let mut fields: BTreeMap<(String, Target), Field> = BTreeMap::new();
        for policy in policies {
            let Some(target) = target(&policy.policy_query, root.as_deref(), &directory) else {
                continue;
            };
            let order = Order {
                sort_order: policy.policy_query.sort_order.unwrap_or_default(),
                own: !policy.is_systems(),
            };
            for (name, value) in policy.setting.fields() {
                fields
                    .entry((name, target.clone()))
                    .or_default()
                    .take(order, value);
            }
        }
        let mut settings = Settings::new(directory);
        for ((name, target), field) in fields {
            settings.put(&name, target, field.values);
        }
        Ok(Self(settings))
    }
}

/// The id of the org unit above all others: as listed, else the one that all of Google's own policies
/// are for.
fn root(directory: &Directory, policies: &[PolicyWire]) -> Option<Box<str>> {
    if let Some(root) = directory.root() {
        return Some(root.into());
    }
    let systems = policies.iter().filter(|policy| policy.is_systems());
    let ids: BTreeSet<_> = systems
        .filter_map(|it| it.policy_query.org_unit())
        .collect();
    let mut ids = ids.into_iter();
    ids.next().filter(|_| ids.next().is_none())
}

/// What a policy is for; `None` for an org unit that was deleted.
fn target(query: &Query, root: Option<&str>, directory: &Directory) -> Option<Target> {
    if let Some(group) = query.group.as_deref().filter(|group| !group.is_empty()) {
        return Some(Target::Group(bare(group)));
    }
    match query.org_unit() {
        None => Some(Target::Root),
        Some(id) if Some(&*id) == root => Some(Target::Root),
        Some(id) if directory.is_deleted(&id) => None,
        Some(id) => Some(Target::OrgUnit(id)),
    }
}

/// Which of several policies for one target holds: the highest.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
struct Order {
    sort_order: f64,
    own: bool,
}

/// A field of the highest policy that has it.
#[derive(Debug, Default)]
struct Field {
    order: Order,
    values: Vec<Value>,
}

impl Field {
    fn take(&mut self, order: Order, value: Value) {
        if self.values.is_empty() || order > self.order {
            self.order = order;
            self.values = vec![value];
        } else if order == self.order && !self.values.contains(&value) {
            self.values.push(value);
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyWire {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    policy_query: Query,
    setting: Setting,
}

impl PolicyWire {
    /// Whether it is one of Google's own.
    fn is_systems(&self) -> bool {
        self.kind.as_deref() == Some("SYSTEM")
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Query {
    org_unit: Option<String>,
    group: Option<String>,
    sort_order: Option<f64>,
}

impl Query {
    fn org_unit(&self) -> Option<Box<str>> {
        let id = self.org_unit.as_deref().map(bare);
        id.filter(|id| !id.is_empty())
    }
}

#[derive(Deserialize)]
struct Setting {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    value: Map<String, Value>,
}

impl Setting {
    /// Its fields by name. Alert rules are many settings of one type, told apart by their own names.
    fn fields(self) -> Vec<(String, Value)> {
        let kind = self.kind.strip_prefix("settings/").unwrap_or(&self.kind);
        if kind == "rule.system_defined_alerts" {
            let name = self.value.get("displayName").and_then(Value::as_str);
            let state = self.value.get("state").cloned().unwrap_or(Value::Null);
            return Vec::from_iter(name.map(|name| (format!("{kind}:{}", name.trim()), state)));
        }
        let fields = self.value.iter();
        fields
            .map(|(field, value)| (format!("{kind}:{field}"), value.clone()))
            .collect()
    }
}
