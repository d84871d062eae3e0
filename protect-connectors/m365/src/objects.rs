//! What else there is to ask, once the tenant's collections are known: about single groups,
//! applications and their principals. Only what a check reads is asked.

use std::collections::BTreeSet;

use protect_core::posture::{Evaluation, Profile, Question, Read, Reader, Snapshot};
use serde::Deserialize;

use crate::CATALOGUE;
use crate::checks::grants;
use crate::checks::roles::PRIVILEGED;
use crate::graph::{
    APPLICATION_OWNERS, CA, CLASSIFICATIONS, ELIGIBLE_INSTANCES, GROUP_MEMBERS, OBJECTS,
    PRINCIPAL_OWNERS, PRINCIPAL_ROLES, ROLE_ASSIGNMENTS, ROLE_MEMBERS, ROLES,
};
use crate::id::{Name, Names};
use crate::views::{Apps, Principals, Roles};

/// The second round: members of roles and groups, permissions of applications, and which of the
/// named objects are there.
pub(crate) fn second_round(snapshot: &Snapshot) -> Vec<Question> {
    look(snapshot, |read| {
        let mut questions = Vec::new();
        questions.extend(of(GROUP_MEMBERS, &groups_with_roles(read)));
        if !read.has(ROLE_ASSIGNMENTS).unwrap_or_default() {
            questions.extend(of(ROLE_MEMBERS, &activated_roles(read).unwrap_or_default()));
        }
        if let Ok(principals) = read.view::<Principals>() {
            let (graph, others) = principals_to_ask(&principals);
            questions.extend(of(CLASSIFICATIONS, &graph));
            questions.extend(of(PRINCIPAL_ROLES, &others));
        }
        if read.has(CA).unwrap_or_default() {
            questions.push(Question::of(OBJECTS));
        }
        questions
    })
}

/// The third round: owners of what holds privileged roles, which is known only by now.
pub(crate) fn third_round(snapshot: &Snapshot) -> Vec<Question> {
    look(snapshot, |read| {
        let (Ok(roles), Ok(principals)) = (read.view::<Roles>(), read.view::<Principals>()) else {
            return Vec::new();
        };
        let apps = read.view::<Apps>().ok();
        let mut questions = Vec::new();
        for id in roles.service_principals(PRIVILEGED) {
            let Some(principal) = principals.by_id(id) else {
                continue;
            };
            questions.push(Question::about(PRINCIPAL_OWNERS, id.as_str()));
            let app = apps
                .iter()
                .flat_map(|apps| &apps.0)
                .find(|app| app.client_id.is_some() && app.client_id == principal.client_id);
            questions.extend(app.map(|app| Question::about(APPLICATION_OWNERS, app.id.as_str())));
        }
        questions
    })
}

/// The users and groups that Conditional Access policies name, so that it can be seen which of them
/// are gone.
pub(crate) fn named(snapshot: &Snapshot) -> Vec<String> {
    let mut named = BTreeSet::new();
    look(snapshot, |read| {
        // What cannot be read is found out by the checks.
        drop(read.each(CA, |policy: Policy| {
            let users = policy
                .conditions
                .unwrap_or_default()
                .users
                .unwrap_or_default();
            let lists = [
                &users.include_users,
                &users.exclude_users,
                &users.include_groups,
                &users.exclude_groups,
            ];
            let ids = lists.into_iter().flat_map(|list| list.iter());
            named.extend(ids.filter(|id| id.is_guid()).map(ToString::to_string));
        }));
    });
    named.into_iter().collect()
}

fn look<T>(snapshot: &Snapshot, at: impl FnOnce(&Reader<'_>) -> T) -> T {
    let profile = Profile::default();
    let evaluation = Evaluation::new(&CATALOGUE, snapshot, &profile);
    let paths: Vec<_> = CATALOGUE.resources.iter().map(|it| it.path).collect();
    at(&evaluation.reader(&paths))
}

fn of<'a>(
    template: &'static str,
    ids: &'a BTreeSet<Name>,
) -> impl Iterator<Item = Question> + use<'a> {
    // What is no GUID could be another path, and nothing has such an id.
    let ids = ids.iter().filter(|id| id.is_guid());
    ids.map(move |id| Question::about(template, id.as_str()))
}

fn groups_with_roles(read: &Reader<'_>) -> BTreeSet<Name> {
    let mut groups = BTreeSet::new();
    for path in [ROLE_ASSIGNMENTS, ELIGIBLE_INSTANCES] {
        // As above.
        drop(read.each(path, |it: Assignment| {
            let kind = it.principal.and_then(|it| it.odata_type);
            if kind.is_some_and(|kind| kind.is("#microsoft.graph.group")) {
                groups.insert(it.principal_id);
            }
        }));
    }
    groups
}

fn activated_roles(read: &Reader<'_>) -> Read<BTreeSet<Name>> {
    let mut roles = BTreeSet::new();
    read.each(ROLES, |role: Object| {
        roles.insert(role.id);
    })?;
    Ok(roles)
}

/// Graph's own principal, and those that are not Microsoft's.
fn principals_to_ask(principals: &Principals) -> (BTreeSet<Name>, BTreeSet<Name>) {
    let mut graph = BTreeSet::new();
    let mut others = BTreeSet::new();
    for principal in &principals.0 {
        let is_graph = principal.client_id.as_ref();
        if is_graph.is_some_and(|id| id.is(grants::GRAPH)) {
            graph.insert(principal.id.clone());
        }
        if !grants::is_microsofts(principal) {
            others.insert(principal.id.clone());
        }
    }
    (graph, others)
}

#[derive(Deserialize)]
struct Object {
    id: Name,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    principal_id: Name,
    principal: Option<Expanded>,
}

#[derive(Deserialize)]
struct Expanded {
    #[serde(rename = "@odata.type")]
    odata_type: Option<Name>,
}

#[derive(Deserialize)]
struct Policy {
    conditions: Option<Conditions>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Conditions {
    users: Option<People>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct People {
    include_users: Names,
    exclude_users: Names,
    include_groups: Names,
    exclude_groups: Names,
}
