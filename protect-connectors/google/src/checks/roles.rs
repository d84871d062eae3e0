//! Who holds which role
//! ([role assignments](https://developers.google.com/workspace/admin/directory/reference/rest/v1/roleAssignments)).

use std::collections::{BTreeMap, BTreeSet};

use protect_core::model::{Confidence, NotEvaluatedReason};
use protect_core::posture::{Affects, Check, Decision, Needs, Read, Reader, Unread};
use serde::{Deserialize, Deserializer};

use super::table::{BASE, cis, prowler};
use crate::views::each;
use crate::workspace::{ROLE_ASSIGNMENTS, ROLES};

/// The first account of a domain holds it besides; it is as good as super administrator.
const FIRST_ACCOUNT: &str = "_SEED_ADMIN_ROLE";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleWire {
    #[serde(deserialize_with = "id")]
    role_id: String,
    role_name: Option<String>,
    is_super_admin_role: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    #[serde(deserialize_with = "id")]
    assigned_to: String,
    #[serde(deserialize_with = "id")]
    role_id: String,
    assignee_type: Option<String>,
}

/// An id is a text of digits; a bare number is one too.
fn id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Number(u64),
    }
    Ok(match Written::deserialize(from)? {
        Written::Text(text) => text,
        Written::Number(number) => number.to_string(),
    })
}

/// Whether each role is that of a super administrator. One that does not say so is not, where another
/// does.
fn roles(read: &Reader<'_>) -> Read<BTreeMap<String, bool>> {
    let (mut roles, mut said) = (BTreeMap::new(), false);
    each(read, ROLES, |role: RoleWire| {
        let super_admin = role.is_super_admin_role == Some(true);
        said |= super_admin;
        let first = role.role_name.as_deref() == Some(FIRST_ACCOUNT);
        roles.insert(role.role_id, super_admin || first);
    })?;
    if !said {
        let why = "no role says that it is the super administrators'";
        return Err(Unread::new(NotEvaluatedReason::NoObservation, ROLES, why));
    }
    Ok(roles)
}

fn mixed_roles(read: &Reader<'_>) -> Read<Decision> {
    let roles = roles(read)?;
    let excused = &read.settings().excluded_users;
    let (mut supers, mut others) = (BTreeSet::new(), BTreeSet::new());
    let (mut through_groups, mut unknown) = (false, false);
    each(read, ROLE_ASSIGNMENTS, |it: Assignment| {
        let is_group = it
            .assignee_type
            .is_some_and(|kind| kind.eq_ignore_ascii_case("group"));
        through_groups |= is_group;
        match roles.get(&it.role_id) {
            _ if is_group => {}
            Some(true) => drop(supers.insert(it.assigned_to)),
            Some(false) => drop(others.insert(it.assigned_to)),
            None => unknown = true,
        }
    })?;
    if supers.is_empty() {
        let why = "nobody is assigned the role of super administrators";
        return Err(Unread::new(
            NotEvaluatedReason::NoObservation,
            ROLE_ASSIGNMENTS,
            why,
        ));
    }
    let mixed: Vec<_> = supers
        .intersection(&others)
        .filter(|id| !excused.contains(id))
        .collect();
    if mixed.is_empty() && unknown {
        let why = "a role that somebody holds is not in the list";
        return Err(Unread::new(NotEvaluatedReason::NoObservation, ROLES, why));
    }
    let reason = format!("{} super administrators hold other roles", mixed.len());
    let decision = Decision::of(mixed.is_empty(), reason).affecting(mixed);
    Ok(if through_groups {
        // Who holds a role through a group is not seen.
        decision.confidence(Confidence::Medium)
    } else {
        decision
    })
}

/// Checks of the roles.
pub(super) const CHECKS: &[Check] = &[Check {
    id: "google.admin.mixed_roles",
    title: "Super administrators hold no other role",
    needs: Needs {
        all: &[ROLES, ROLE_ASSIGNMENTS],
        ..BASE.needs
    },
    references: &[
        cis("1.1.3"),
        prowler("directory_super_admin_only_admin_roles"),
    ],
    affects: Affects::Accounts,
    hint: "Take the other roles away, or use another account for them.",
    decide: mixed_roles,
    ..BASE
}];
