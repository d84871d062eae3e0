use std::collections::{BTreeMap, BTreeSet};

use protect_core::model::Confidence;
use protect_core::posture::{Read, Reader, View};
use serde::Deserialize;

use crate::checks::roles::WATCHED;
use crate::graph::{
    ELIGIBLE_INSTANCES, GROUP_MEMBERS, ROLE_ASSIGNMENTS, ROLE_DEFINITIONS, ROLE_MEMBERS, ROLES,
};
use crate::id::Name;

/// Who holds which role, groups taken apart.
#[derive(Debug)]
pub(crate) struct Roles {
    active: Vec<Holding>,
    eligible: Option<Vec<Holding>>,
    told_apart: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Holding {
    /// The role's template.
    role: Name,
    principal: Name,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    User,
    Group,
    ServicePrincipal,
    /// Graph was not asked to expand it.
    Unsaid,
}

impl View for Roles {
    const PATHS: &'static [&'static str] = &[
        ROLE_ASSIGNMENTS,
        ROLE_DEFINITIONS,
        ROLES,
        ROLE_MEMBERS,
        GROUP_MEMBERS,
        ELIGIBLE_INSTANCES,
    ];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let templates = templates(read)?;
        let active = if read.has(ROLE_ASSIGNMENTS)? {
            assigned(read, ROLE_ASSIGNMENTS, &templates)?
        } else {
            members(read)?
        };
        let eligible = if read.has(ELIGIBLE_INSTANCES)? {
            let eligible = assigned(read, ELIGIBLE_INSTANCES, &templates)?;
            Some(taken_apart(read, eligible)?)
        } else {
            None
        };
        let told_apart = active.iter().all(|it| it.kind != Kind::Unsaid);
        Ok(Self {
            active: taken_apart(read, active)?,
            eligible,
            told_apart,
        })
    }
}

impl Roles {
    /// The users who hold one of these roles now.
    pub(crate) fn users(&self, roles: &[&str]) -> BTreeSet<&Name> {
        holders(&self.active, roles, |kind| kind != Kind::ServicePrincipal)
    }

    /// The users who hold one of these roles now or can make themselves hold it.
    pub(crate) fn users_with_eligible(&self, roles: &[&str]) -> BTreeSet<&Name> {
        let eligible = self.eligible.as_deref().unwrap_or_default();
        let mut users = self.users(roles);
        users.extend(holders(eligible, roles, |kind| {
            kind != Kind::ServicePrincipal
        }));
        users
    }

    /// The service principals that hold one of these roles.
    pub(crate) fn service_principals(&self, roles: &[&str]) -> BTreeSet<&Name> {
        holders(&self.active, roles, |kind| {
            matches!(kind, Kind::ServicePrincipal | Kind::Unsaid)
        })
    }

    /// How sure we are who is a user: less where the holders were not expanded.
    pub(crate) fn confidence(&self) -> Confidence {
        if self.told_apart {
            Confidence::High
        } else {
            Confidence::Medium
        }
    }

    /// Whether it is known who can make themselves hold a role.
    pub(crate) fn knows_eligible(&self) -> bool {
        self.eligible.is_some()
    }
}

fn holders<'r>(
    holdings: &'r [Holding],
    roles: &[&str],
    is_wanted: impl Fn(Kind) -> bool,
) -> BTreeSet<&'r Name> {
    let held = holdings.iter().filter(|it| it.role.is_in(roles));
    held.filter(|it| is_wanted(it.kind))
        .map(|it| &it.principal)
        .collect()
}

/// The template of each role definition. Built-in roles are their own.
fn templates(read: &Reader<'_>) -> Read<BTreeMap<Name, Name>> {
    let mut templates = BTreeMap::new();
    if read.has(ROLE_DEFINITIONS)? {
        read.each(ROLE_DEFINITIONS, |it: Definition| {
            if let Some(template) = it.template_id {
                templates.insert(it.id, template);
            }
        })?;
    }
    Ok(templates)
}

fn assigned(
    read: &Reader<'_>,
    path: &'static str,
    templates: &BTreeMap<Name, Name>,
) -> Read<Vec<Holding>> {
    let mut holdings = Vec::new();
    read.each(path, |it: Assignment| {
        let template = templates.get(&it.role_definition_id).cloned();
        holdings.push(Holding {
            role: template.unwrap_or(it.role_definition_id),
            principal: it.principal_id,
            kind: kind(it.principal.and_then(|it| it.odata_type).as_ref()),
        });
    })?;
    Ok(holdings)
}

/// The older form: activated roles, each with its members.
fn members(read: &Reader<'_>) -> Read<Vec<Holding>> {
    let mut roles = Vec::new();
    read.each(ROLES, |role: Role| roles.push(role))?;
    let mut holdings = Vec::new();
    for role in roles {
        read.each_of(ROLE_MEMBERS, role.id.as_str(), |member: Object| {
            holdings.push(Holding {
                role: role.role_template_id.clone(),
                kind: kind(member.odata_type.as_ref()),
                principal: member.id,
            });
        })?;
    }
    Ok(holdings)
}

/// Groups that hold a watched role replaced by their members.
fn taken_apart(read: &Reader<'_>, holdings: Vec<Holding>) -> Read<Vec<Holding>> {
    let mut flat = BTreeSet::new();
    for holding in holdings {
        if !holding.role.is_in(WATCHED) {
            continue;
        }
        match holding.kind {
            Kind::User | Kind::ServicePrincipal => {
                flat.insert(holding);
            }
            Kind::Group => flat.extend(group(read, &holding)?),
            // A group is what has members.
            Kind::Unsaid => match group(read, &holding) {
                Ok(members) => flat.extend(members),
                Err(_) => {
                    flat.insert(holding);
                }
            },
        }
    }
    Ok(flat.into_iter().collect())
}

/// The members of a group that holds a role. One that was deleted has none.
fn group(read: &Reader<'_>, holding: &Holding) -> Read<Vec<Holding>> {
    let mut members = Vec::new();
    let gone = read.each_of(GROUP_MEMBERS, holding.principal.as_str(), |it: Object| {
        members.push(Holding {
            role: holding.role.clone(),
            kind: kind(it.odata_type.as_ref()),
            principal: it.id,
        });
    });
    members.retain(|it| it.kind != Kind::Group);
    match gone {
        Err(unread) if unread.code.as_deref() == Some("Request_ResourceNotFound") => Ok(Vec::new()),
        Err(unread) => Err(unread),
        Ok(()) => Ok(members),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    principal_id: Name,
    role_definition_id: Name,
    principal: Option<Expanded>,
}

/// The principal itself, where Graph was asked to expand it.
#[derive(Deserialize)]
struct Expanded {
    #[serde(rename = "@odata.type")]
    odata_type: Option<Name>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    id: Name,
    template_id: Option<Name>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Role {
    id: Name,
    role_template_id: Name,
}

#[derive(Deserialize)]
struct Object {
    id: Name,
    #[serde(rename = "@odata.type")]
    odata_type: Option<Name>,
}

fn kind(odata_type: Option<&Name>) -> Kind {
    match odata_type.map(Name::as_str) {
        Some("#microsoft.graph.user") => Kind::User,
        Some("#microsoft.graph.group") => Kind::Group,
        Some("#microsoft.graph.serviceprincipal") => Kind::ServicePrincipal,
        _ => Kind::Unsaid,
    }
}
