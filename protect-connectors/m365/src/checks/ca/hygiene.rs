//! What is to be said of the policies as a whole.

use std::collections::BTreeSet;

use jiff::Timestamp;
use protect_core::model::Confidence;
use protect_core::posture::{Decision, Read, Reader, Unread};
use serde::Deserialize;

use super::super::roles::WATCHED;
use super::{security_defaults, told};
use crate::graph::{CA, NAMED_LOCATIONS, OBJECTS, ROLE_DEFINITIONS};
use crate::id::{Name, Names};
use crate::iso::days_before;
use crate::views::{Policies, Policy};

/// Whoever a policy leaves out is excused, or covered by another.
pub(super) fn no_unexcused_exclusions(read: &Reader<'_>) -> Read<Decision> {
    let policies = read.view::<Policies>()?;
    let settings = read.settings();
    let protecting: Vec<_> = policies.0.iter().filter(|it| protects(it)).collect();
    let mut open = Vec::new();
    for policy in &protecting {
        let people = &policy.conditions.users;
        let apps = &policy.conditions.applications;
        let mut what = Vec::new();
        for (list, field, kind, excused) in [
            (
                &people.exclude_users,
                "excludeUsers",
                Excluded::User,
                &settings.excluded_users,
            ),
            (
                &people.exclude_groups,
                "excludeGroups",
                Excluded::Group,
                &settings.excluded_groups,
            ),
            (
                &people.exclude_roles,
                "excludeRoles",
                Excluded::Role,
                &settings.excluded_principals,
            ),
            (
                &apps.excluded,
                "excludeApplications",
                Excluded::App,
                &settings.excluded_applications,
            ),
        ] {
            let names = list.known().ok_or_else(|| {
                Unread::malformed(
                    CA,
                    format!("policy `{}` does not say `{field}`", policy.name()),
                )
            })?;
            let unexcused = names
                .iter()
                .filter(|it| !it.is_in(excused) && !it.is("None"));
            for name in unexcused {
                let covered = protecting
                    .iter()
                    .any(|it| it.id != policy.id && covers(it, policy, kind, name));
                if !covered {
                    what.push(format!("{} {name}", kind.word()));
                }
            }
        }
        if !what.is_empty() {
            open.push((*policy, what));
        }
    }
    if open.is_empty() {
        return Ok(
            Decision::pass("every exclusion is excused or covered by another policy")
                .confidence(Confidence::Medium),
        );
    }
    Ok(
        Decision::fail("policies leave out what no other policy covers")
            .affecting(open.iter().map(|(policy, _)| &policy.id))
            .confidence(Confidence::Medium)
            .detail("exclusions", told(&open)),
    )
}

#[derive(Clone, Copy)]
enum Excluded {
    User,
    Group,
    Role,
    App,
}

impl Excluded {
    fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
            Self::App => "application",
        }
    }
}

/// An enabled policy that demands more than one factor, or blocks.
fn protects(policy: &Policy) -> bool {
    policy.is_enabled()
        && policy.grant().is_some_and(|grant| {
            let controls = &grant.built_in_controls;
            controls.has("mfa") || controls.has("block") || grant.authentication_strength.is_some()
        })
}

/// Whether another policy covers what this one leaves out, under no narrower conditions.
fn covers(other: &Policy, policy: &Policy, kind: Excluded, name: &Name) -> bool {
    let (people, apps) = (&other.conditions.users, &other.conditions.applications);
    let named = |list: &Names| list.iter().any(|it| it == name);
    let everybody = |excluded: &Names| people.include_users.has("All") && !named(excluded);
    let covered = match kind {
        Excluded::User => named(&people.include_users) || everybody(&people.exclude_users),
        Excluded::Group => named(&people.include_groups) || everybody(&people.exclude_groups),
        Excluded::Role => named(&people.include_roles) || everybody(&people.exclude_roles),
        Excluded::App => {
            named(&apps.included) || apps.included.has("All") && !named(&apps.excluded)
        }
    };
    let conditions = &other.conditions;
    let as_wide = |of: &Names, than: &Names, all: &str| {
        of.has(all) || than.iter().all(|it| of.has(it.as_str()))
    };
    let clients = as_wide(
        &conditions.client_app_types,
        &policy.conditions.client_app_types,
        "all",
    );
    let unconditional = conditions.user_risk_levels.is_empty()
        && conditions.sign_in_risk_levels.is_empty()
        && conditions.agent_id_risk_levels.is_empty()
        && conditions.authentication_flows.is_none()
        && conditions.client_applications.is_none()
        && [
            &conditions.platforms,
            &conditions.locations,
            &conditions.devices,
        ]
        .iter()
        .all(|it| it.as_ref().is_none_or(serde_json::Value::is_null));
    let rest = match kind {
        Excluded::App => as_wide(
            &people.include_users,
            &policy.conditions.users.include_users,
            "All",
        ),
        _ => as_wide(
            &apps.included,
            &policy.conditions.applications.included,
            "All",
        ),
    };
    covered && clients && unconditional && rest
}

/// What the policies name is still there.
pub(super) fn dangling_references(read: &Reader<'_>) -> Read<Decision> {
    let policies = read.view::<Policies>()?;
    let mut there: BTreeSet<Name> = WATCHED.iter().map(|role| Name::new(role)).collect();
    read.each(OBJECTS, |object: Object| {
        there.insert(object.id);
    })?;
    let mut knows_roles = false;
    if read.has(ROLE_DEFINITIONS)? {
        knows_roles = true;
        read.each(ROLE_DEFINITIONS, |role: Role| {
            there.extend(role.template_id);
            there.insert(role.id);
        })?;
    }
    let mut dangling = Vec::new();
    for policy in &policies.0 {
        let people = &policy.conditions.users;
        let lists = [
            &people.include_users,
            &people.exclude_users,
            &people.include_groups,
            &people.exclude_groups,
        ];
        let gone = |name: &&Name| name.is_guid() && !there.contains(*name);
        let mut what: Vec<_> = lists
            .iter()
            .flat_map(|list| list.iter())
            .filter(gone)
            .map(|id| format!("object {id}"))
            .collect();
        let roles: Vec<_> = people
            .include_roles
            .iter()
            .chain(people.exclude_roles.iter())
            .filter(gone)
            .collect();
        if !roles.is_empty() && !knows_roles {
            return Err(Unread::absent(ROLE_DEFINITIONS));
        }
        what.extend(roles.iter().map(|id| format!("role {id}")));
        if !what.is_empty() {
            dangling.push((policy, what));
        }
    }
    if dangling.is_empty() {
        return Ok(Decision::pass(
            "every user, group and role that a policy names is there",
        ));
    }
    Ok(Decision::fail("policies name what was deleted")
        .affecting(dangling.iter().map(|(policy, _)| &policy.id))
        .detail("references", told(&dangling)))
}

/// Somebody can still sign in when every blocking policy goes wrong.
pub(super) fn break_glass_excluded(read: &Reader<'_>) -> Read<Decision> {
    let policies = read.view::<Policies>()?;
    let blocking: Vec<_> = policies
        .0
        .iter()
        .filter(|it| it.is_enabled() && it.blocks())
        .collect();
    let mut excluded: Option<BTreeSet<Name>> = None;
    for policy in &blocking {
        let people = &policy.conditions.users;
        for list in [&people.exclude_users, &people.exclude_groups] {
            if list.known().is_none() {
                let why = format!("policy `{}` does not say what it excludes", policy.name());
                return Err(Unread::malformed(CA, why));
            }
        }
        let here = people
            .exclude_users
            .iter()
            .chain(people.exclude_groups.iter());
        let here: BTreeSet<_> = here.filter(|it| it.is_guid()).cloned().collect();
        excluded = Some(match excluded {
            None => here,
            Some(before) => before.intersection(&here).cloned().collect(),
        });
    }
    let Some(excluded) = excluded else {
        return Ok(Decision::pass("no enabled policy blocks anybody"));
    };
    let settings = read.settings();
    let known: Vec<_> = [
        &settings.excluded_users,
        &settings.excluded_groups,
        &settings.excluded_principals,
    ]
    .into_iter()
    .flatten()
    .collect();
    let accounts: Vec<_> = excluded
        .iter()
        .filter(|it| known.is_empty() || it.is_in(&known))
        .collect();
    if accounts.is_empty() {
        let missing = blocking.iter().map(|policy| &policy.id);
        return Ok(Decision::fail(
            "no emergency account is excluded from every policy that blocks",
        )
        .affecting(missing));
    }
    let confidence = if known.is_empty() {
        Confidence::Medium
    } else {
        Confidence::High
    };
    let ids: Vec<_> = accounts.iter().map(ToString::to_string).collect();
    Ok(
        Decision::pass("an account or group is excluded from every policy that blocks")
            .confidence(confidence)
            .detail("excluded_everywhere", ids),
    )
}

/// Policies that only report come to an end.
pub(super) fn report_only_stale(read: &Reader<'_>) -> Read<Decision> {
    let policies = read.view::<Policies>()?;
    let limit = days_before(read.now(), read.number()?);
    let mut stale = Vec::new();
    for policy in &policies.0 {
        if policy
            .state
            .as_ref()
            .is_none_or(|it| !it.is("enabledForReportingButNotEnforced"))
        {
            continue;
        }
        let touched: Option<Timestamp> = policy.modified_date_time.or(policy.created_date_time);
        match touched {
            None => {
                let why = format!("policy `{}` does not say since when", policy.name());
                return Err(Unread::malformed(CA, why));
            }
            Some(touched) if touched < limit => stale.push(&policy.id),
            Some(_) => {}
        }
    }
    Ok(Decision::of(
        stale.is_empty(),
        format!(
            "{} policies have only been reporting for too long",
            stale.len()
        ),
    )
    .affecting(stale))
}

/// The tenant knows a place that it trusts.
pub(super) fn trusted_location(read: &Reader<'_>) -> Read<Decision> {
    let mut trusted = Vec::new();
    read.each(NAMED_LOCATIONS, |location: Location| {
        let addresses = location.odata_type.is("#microsoft.graph.ipNamedLocation");
        let ranges = location.ip_ranges.is_some_and(|ranges| !ranges.is_empty());
        if addresses && ranges && location.is_trusted == Some(true) {
            trusted.push(location.id.to_string());
        }
    })?;
    trusted.sort_unstable();
    let reason = if trusted.is_empty() {
        "no named location of addresses is trusted"
    } else {
        "a named location of addresses is trusted"
    };
    Ok(Decision::of(!trusted.is_empty(), reason).detail("locations", trusted))
}

/// Security defaults or Conditional Access, and not neither.
pub(super) fn security_defaults_coherent(read: &Reader<'_>) -> Read<Decision> {
    let defaults = security_defaults(read)?;
    let policies = read.view::<Policies>()?;
    let demanding = policies.0.iter().any(|policy| {
        let strong = |grant: &crate::views::Grant| {
            grant.built_in_controls.has("mfa") || grant.authentication_strength.is_some()
        };
        policy.is_enabled() && policy.grant().is_some_and(strong)
    });
    Ok(match (defaults, demanding) {
        (true, false) => Decision::pass("security defaults are on"),
        (false, true) => Decision::pass("an enabled policy demands more than one factor"),
        (true, true) => Decision::fail("security defaults are on beside enabled policies"),
        (false, false) => Decision::fail(
            "security defaults are off and no enabled policy demands more than one factor",
        ),
    })
}

#[derive(Deserialize)]
struct Object {
    id: Name,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Role {
    id: Name,
    template_id: Option<Name>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    id: Name,
    #[serde(rename = "@odata.type")]
    odata_type: Name,
    is_trusted: Option<bool>,
    ip_ranges: Option<Vec<serde_json::Value>>,
}
