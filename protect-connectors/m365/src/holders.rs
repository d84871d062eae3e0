//! Who holds which directory role, for telling privileged accounts and for the guards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protect_core::Result;
use protect_core::connector::OpContext;
use protect_core::http::RequestBuilder;
use serde::Deserialize;

use crate::api::Graph;
use crate::checks::roles::{GLOBAL_ADMINISTRATOR, WATCHED};
use crate::error::is_gone;
use crate::graph::{GROUP_MEMBERS, ROLE_ASSIGNMENTS, ROLE_DEFINITIONS};
use crate::id::Name;

/// Who holds which role now, by user; groups taken apart.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    roles: BTreeMap<Name, BTreeSet<Name>>,
    names: BTreeMap<Name, String>,
}

impl Holders {
    /// Asks Graph.
    pub(crate) async fn load(graph: &Graph, cx: &OpContext) -> Result<Self> {
        let mut holders = Self::default();
        let mut templates = BTreeMap::new();
        let same = |request: RequestBuilder| request;
        let definitions: Vec<Definition> = graph.all(cx, ROLES, ROLE_DEFINITIONS, same).await?;
        for definition in definitions {
            let template = definition
                .template_id
                .unwrap_or_else(|| definition.id.clone());
            if let Some(name) = definition.display_name {
                holders.names.insert(template.clone(), name);
            }
            templates.insert(definition.id, template);
        }
        let expand = |request: RequestBuilder| request.query("$expand", "principal");
        let assignments: Vec<Assignment> = graph.all(cx, ROLES, ROLE_ASSIGNMENTS, expand).await?;
        for assignment in assignments {
            let role = templates
                .get(&assignment.role_definition_id)
                .cloned()
                .unwrap_or(assignment.role_definition_id);
            let kind = assignment.principal.and_then(|it| it.odata_type);
            let is_group = kind.is_some_and(|kind| kind.is("#microsoft.graph.group"));
            let principals = if is_group {
                members(graph, cx, &assignment.principal_id).await?
            } else {
                vec![assignment.principal_id]
            };
            for principal in principals {
                holders
                    .roles
                    .entry(principal)
                    .or_default()
                    .insert(role.clone());
            }
        }
        Ok(holders)
    }

    /// Everything that is known, in order.
    pub(crate) fn facts(&self) -> Vec<String> {
        let held = self
            .roles
            .iter()
            .flat_map(|(user, roles)| roles.iter().map(move |role| format!("{user} {role}")));
        let named = self
            .names
            .iter()
            .map(|(role, name)| format!("{role} {name}"));
        held.chain(named).collect()
    }

    /// The names of a user's roles, in order.
    pub(crate) fn names_of(&self, user: &Name) -> Vec<&str> {
        let roles = self.roles.get(user).into_iter().flatten();
        let mut names: Vec<_> = roles
            .map(|role| self.names.get(role).map_or(role.as_str(), String::as_str))
            .collect();
        names.sort_unstable();
        names
    }

    /// Whether a user holds a role that can change others or settings.
    pub(crate) fn is_privileged(&self, user: &Name) -> bool {
        let held = self.roles.get(user).into_iter().flatten();
        held.into_iter().any(|role| role.is_in(WATCHED))
    }

    /// Whether a user is a global administrator.
    pub(crate) fn is_administrator(&self, user: &Name) -> bool {
        self.administrators().any(|id| id == user)
    }

    /// The global administrators.
    pub(crate) fn administrators(&self) -> impl Iterator<Item = &Name> {
        let is_one = |roles: &BTreeSet<Name>| roles.iter().any(|it| it.is(GLOBAL_ADMINISTRATOR));
        let found = self.roles.iter().filter(move |(_, roles)| is_one(roles));
        found.map(|(id, _)| id)
    }
}

const ROLES: &str = "m365.roles";

/// The members of a group, its groups' members among them. One that was deleted has none.
async fn members(graph: &Graph, cx: &OpContext, group: &Name) -> Result<Vec<Name>> {
    let id = group.as_str().to_owned();
    let about = |request: RequestBuilder| request.path("id", id);
    let found: Result<Vec<Object>> = graph.all(cx, ROLES, GROUP_MEMBERS, about).await;
    match found {
        Ok(members) => Ok(members.into_iter().map(|it| it.id).collect()),
        Err(error) if is_gone(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The holders as they were asked last, for as long as a listing may take.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<Option<(Duration, Arc<Holders>)>>);

/// How long who holds which role is remembered.
const KEPT_FOR: Duration = Duration::from_mins(5);

impl Remembered {
    /// The holders, asked again where that was too long ago.
    pub(crate) async fn get(&self, graph: &Graph, cx: &OpContext) -> Result<Arc<Holders>> {
        let now = graph.http.context().clock.monotonic();
        let known = self.lock().clone();
        if let Some((at, holders)) = known
            && now.saturating_sub(at) < KEPT_FOR
        {
            return Ok(holders);
        }
        self.again(graph, cx).await
    }

    /// The holders as they are now.
    pub(crate) async fn again(&self, graph: &Graph, cx: &OpContext) -> Result<Arc<Holders>> {
        let holders = Arc::new(Holders::load(graph, cx).await?);
        let now = graph.http.context().clock.monotonic();
        *self.lock() = Some((now, Arc::clone(&holders)));
        Ok(holders)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Duration, Arc<Holders>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    id: Name,
    template_id: Option<Name>,
    display_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    principal_id: Name,
    role_definition_id: Name,
    principal: Option<Expanded>,
}

#[derive(Deserialize)]
struct Expanded {
    #[serde(rename = "@odata.type")]
    odata_type: Option<Name>,
}

#[derive(Deserialize)]
struct Object {
    id: Name,
}
