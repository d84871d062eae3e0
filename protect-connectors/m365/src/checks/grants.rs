//! What applications may do, and what users may allow them.

use std::collections::{BTreeMap, BTreeSet};

use protect_core::model::{Confidence, NotEvaluatedReason, Severity};
use protect_core::posture::{
    Affects, Check, Decision, Level, LevelForm, Needs, Read, Reader, Unread,
};
use serde::Deserialize;

use super::privileged::{ASSIGNMENTS, BEHIND};
use super::roles::{PRIVILEGED, TIER_ZERO};
use super::table::{BASE, cis, prowler, scuba};
use crate::graph::{
    APPLICATION_OWNERS, APPLICATIONS, AUTHORIZATION, CLASSIFICATIONS, GRANTS, PRINCIPAL_OWNERS,
    PRINCIPAL_ROLES, PRINCIPALS,
};
use crate::id::{Name, Names};
use crate::views::{Apps, Principal, Principals, Roles};

/// Microsoft Graph.
pub(crate) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// The tenants that own Microsoft's own applications.
const MICROSOFT: &[&str] = &[
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
];

/// Application permissions with which an application can take a tenant over or read all its mail, by
/// the id of the app role and by name.
const RISKY_ROLES: &[(&str, &str)] = &[
    (
        "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
        "RoleManagement.ReadWrite.Directory",
    ),
    (
        "06b708a9-e830-4db3-a914-8e69da51d44f",
        "AppRoleAssignment.ReadWrite.All",
    ),
    (
        "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
        "Application.ReadWrite.All",
    ),
    (
        "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
        "Directory.ReadWrite.All",
    ),
    ("e2a3a72e-5f79-4c64-b1b1-878b674786c9", "Mail.ReadWrite"),
    ("dc890d15-9560-4a4c-9b7f-a736ec74ec40", "full_access_as_app"),
];

/// Delegated permissions that let an application act where it hurts.
const RISKY_SCOPES: &[&str] = &[
    "RoleManagement.ReadWrite.Directory",
    "AppRoleAssignment.ReadWrite.All",
    "Application.ReadWrite.All",
    "Directory.ReadWrite.All",
    "Directory.AccessAsUser.All",
    "User.ReadWrite.All",
    "Group.ReadWrite.All",
    "Mail.Read",
    "Mail.ReadWrite",
    "Mail.Send",
    "MailboxSettings.ReadWrite",
    "Files.ReadWrite.All",
    "Sites.ReadWrite.All",
    "Sites.FullControl.All",
    "full_access_as_user",
    "EWS.AccessAsUser.All",
];

/// Delegated permissions that tell an application who signs in, and no more.
const HARMLESS_SCOPES: &[&str] = &["openid", "profile", "email", "offline_access", "User.Read"];

/// What users may allow by themselves.
const BY_USERS: &str = "managepermissiongrantsforself.";
const LOW: &str = "managepermissiongrantsforself.microsoft-user-default-low";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authorization {
    default_user_role_permissions: DefaultPermissions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DefaultPermissions {
    #[serde(default)]
    permission_grant_policies_assigned: Names,
}

fn user_consent_restricted(read: &Reader<'_>) -> Read<Decision> {
    let policy: Authorization = read.one(AUTHORIZATION)?;
    let assigned = policy
        .default_user_role_permissions
        .permission_grant_policies_assigned;
    let Some(assigned) = assigned.known() else {
        return Err(Unread::malformed(
            AUTHORIZATION,
            "`permissionGrantPoliciesAssigned` is not there",
        ));
    };
    let by_users: Vec<_> = assigned
        .iter()
        .filter(|it| it.as_str().starts_with(BY_USERS))
        .collect();
    if by_users.is_empty() {
        return Ok(Decision::pass("users cannot consent to applications"));
    }
    let told: Vec<_> = by_users.iter().map(ToString::to_string).collect();
    if read.level()? == "none" || by_users.iter().any(|it| it.as_str() != LOW) {
        return Ok(Decision::fail("users can consent to applications").detail("observed", told));
    }
    low_permissions(read).map(|decision| decision.detail("observed", told))
}

/// Users may consent to what is classified as low: that must be harmless.
fn low_permissions(read: &Reader<'_>) -> Read<Decision> {
    let principals = read.view::<Principals>()?;
    let graph = principals
        .0
        .iter()
        .find(|it| it.client_id.as_ref().is_some_and(|id| id.is(GRAPH)));
    let Some(graph) = graph else {
        let why = "Microsoft Graph is not among the service principals";
        return Err(Unread::new(
            NotEvaluatedReason::NoObservation,
            PRINCIPALS,
            why,
        ));
    };
    let mut low = BTreeSet::new();
    read.each_of(CLASSIFICATIONS, graph.id.as_str(), |it: Classification| {
        if it.classification.is("low") {
            low.insert(it.permission_name);
        }
    })?;
    let risky: Vec<_> = low
        .iter()
        .filter(|it| it.is_in(RISKY_SCOPES))
        .map(ToString::to_string)
        .collect();
    if !risky.is_empty() {
        let reason = format!("users can consent to {}", risky.join(", "));
        return Ok(Decision::fail(reason));
    }
    let harmless = low.iter().all(|it| it.is_in(HARMLESS_SCOPES));
    let confidence = if harmless {
        Confidence::High
    } else {
        Confidence::Medium
    };
    Ok(
        Decision::pass("users can consent only to permissions of low impact")
            .confidence(confidence),
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Classification {
    classification: Name,
    permission_name: Name,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppRoleAssignment {
    app_role_id: Name,
}

fn highrisk_permissions(read: &Reader<'_>) -> Read<Decision> {
    let principals = read.view::<Principals>()?;
    let mut risky: BTreeMap<&Name, &str> = BTreeMap::new();
    for role in principals.0.iter().flat_map(|it| &it.app_roles) {
        let named = RISKY_ROLES
            .iter()
            .find(|(_, name)| role.value.as_deref() == Some(*name));
        if let Some((_, name)) = named {
            risky.insert(&role.id, name);
        }
    }
    let excused = &read.settings().excluded_applications;
    let mut holding: BTreeMap<&Name, BTreeSet<&str>> = BTreeMap::new();
    for principal in principals.0.iter().filter(|it| !is_microsofts(it)) {
        if principal.id.is_in(excused)
            || principal
                .client_id
                .as_ref()
                .is_some_and(|it| it.is_in(excused))
        {
            continue;
        }
        read.each_of(
            PRINCIPAL_ROLES,
            principal.id.as_str(),
            |it: AppRoleAssignment| {
                let known = RISKY_ROLES
                    .iter()
                    .find(|(id, _)| it.app_role_id.is(id))
                    .map(|(_, name)| *name);
                if let Some(name) = known.or_else(|| risky.get(&it.app_role_id).copied()) {
                    holding.entry(&principal.id).or_default().insert(name);
                }
            },
        )?;
    }
    let reason = format!(
        "{} applications hold permissions of high risk",
        holding.len()
    );
    let names: BTreeSet<_> = holding.values().flatten().copied().collect();
    let names: Vec<_> = names.into_iter().collect();
    let decision = Decision::of(holding.is_empty(), reason).affecting(holding.keys().copied());
    Ok(if names.is_empty() {
        decision
    } else {
        decision.detail("permissions", names)
    })
}

pub(crate) fn is_microsofts(principal: &Principal) -> bool {
    let owner = principal.app_owner_organization_id.as_ref();
    owner.is_some_and(|owner| owner.is_in(MICROSOFT))
}

fn tier0_sp_secret(read: &Reader<'_>) -> Read<Decision> {
    let (roles, principals, apps) = (
        read.view::<Roles>()?,
        read.view::<Principals>()?,
        read.view::<Apps>()?,
    );
    let now = read.now();
    let mut affected = Vec::new();
    for id in roles.service_principals(TIER_ZERO) {
        let Some(principal) = principals.by_id(id) else {
            continue;
        };
        let app = apps
            .0
            .iter()
            .find(|app| app.client_id.is_some() && app.client_id == principal.client_id);
        let of_app = app.map(|app| (&app.password_credentials, APPLICATIONS));
        for (secrets, path) in [Some((&principal.password_credentials, PRINCIPALS)), of_app]
            .into_iter()
            .flatten()
        {
            let Some(secrets) = secrets else {
                let why = "the objects were collected without their credentials";
                return Err(Unread::new(NotEvaluatedReason::NoObservation, path, why));
            };
            if secrets.iter().any(|it| it.is_active(now)) {
                affected.push(id);
            }
        }
    }
    affected.dedup();
    let reason = format!(
        "{} service principals with the highest roles have secrets",
        affected.len()
    );
    Ok(Decision::of(affected.is_empty(), reason).affecting(affected))
}

#[derive(Deserialize)]
struct Owner {
    id: Name,
}

fn privileged_sp_owner(read: &Reader<'_>) -> Read<Decision> {
    let (roles, principals, apps) = (
        read.view::<Roles>()?,
        read.view::<Principals>()?,
        read.view::<Apps>()?,
    );
    let excused = &read.settings().excluded_principals;
    let mut affected = Vec::new();
    for id in roles.service_principals(PRIVILEGED) {
        let Some(principal) = principals.by_id(id) else {
            continue;
        };
        let mut owned = false;
        let mut count = |owner: Owner| owned |= !owner.id.is_in(excused);
        read.each_of(PRINCIPAL_OWNERS, id.as_str(), &mut count)?;
        let app = apps
            .0
            .iter()
            .find(|app| app.client_id.is_some() && app.client_id == principal.client_id);
        if let Some(app) = app {
            read.each_of(APPLICATION_OWNERS, app.id.as_str(), &mut count)?;
        }
        if owned {
            affected.push(id);
        }
    }
    let reason = format!(
        "{} service principals with privileged roles have owners",
        affected.len()
    );
    Ok(Decision::of(affected.is_empty(), reason).affecting(affected))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grant {
    id: Name,
    client_id: Name,
    consent_type: Name,
    scope: Option<String>,
}

fn tenantwide_delegated_grants(read: &Reader<'_>) -> Read<Decision> {
    let mut risky: Vec<(Name, Name)> = Vec::new();
    read.each(GRANTS, |grant: Grant| {
        let scopes = grant.scope.as_deref().unwrap_or_default();
        let is_risky = scopes
            .split_whitespace()
            .any(|it| Name::new(it).is_in(RISKY_SCOPES));
        if grant.consent_type.is("AllPrincipals") && is_risky {
            risky.push((grant.id, grant.client_id));
        }
    })?;
    if risky.is_empty() {
        return Ok(Decision::pass("no grant for all users is of high risk"));
    }
    let principals = read.view::<Principals>()?;
    let tenant = Name::new(read.tenant());
    let excused = &read.settings().excluded_applications;
    let (mut affected, mut unknown) = (Vec::new(), 0_usize);
    for (grant, client) in &risky {
        let Some(client) = principals.by_id(client) else {
            unknown += 1;
            continue;
        };
        let own = client.app_owner_organization_id.as_ref() == Some(&tenant);
        let excused = client.id.is_in(excused)
            || client
                .client_id
                .as_ref()
                .is_some_and(|it| it.is_in(excused));
        if !own && !excused && !is_microsofts(client) && !client.is_verified() {
            affected.push(grant);
        }
    }
    if affected.is_empty() && unknown > 0 {
        let why = format!("{unknown} applications are not among the service principals");
        return Err(Unread::new(
            NotEvaluatedReason::NoObservation,
            PRINCIPALS,
            why,
        ));
    }
    let reason = format!(
        "{} grants for all users give unverified applications high risk",
        affected.len()
    );
    Ok(Decision::of(affected.is_empty(), reason).affecting(affected))
}

const HELD: Check = Check {
    severity: Severity::Critical,
    needs: Needs {
        all: &[PRINCIPALS, APPLICATIONS],
        any: &[ASSIGNMENTS],
        also: &[BEHIND],
        ..BASE.needs
    },
    affects: Affects::Objects(PRINCIPALS),
    ..BASE
};

/// Checks of what applications may do.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "m365.app.user_consent_restricted",
        title: "Users' consent to applications is restricted",
        severity: Severity::High,
        needs: Needs {
            all: &[AUTHORIZATION],
            also: &[&[PRINCIPALS, CLASSIFICATIONS]],
            ..BASE.needs
        },
        references: &[
            scuba("MS.AAD.5.2v1"),
            cis("5.1.5.1"),
            prowler("entra_policy_restricts_user_consent_for_apps"),
        ],
        level: Some(Level {
            form: LevelForm::Words(&["none", "low"]),
            docs: "what users may consent to at most: nothing, or what is classified as low",
            defaults: &[("cis", "none"), ("prowler", "none"), ("", "low")],
        }),
        affects: Affects::Setting(AUTHORIZATION),
        default_compliant: Some(false),
        hint: "Assign users no consent policy in the authorization policy.",
        decide: user_consent_restricted,
        ..BASE
    },
    Check {
        id: "m365.app.highrisk_permissions",
        title: "No foreign application holds permissions of high risk",
        severity: Severity::High,
        needs: Needs {
            all: &[PRINCIPALS],
            also: &[&[PRINCIPAL_ROLES]],
            ..BASE.needs
        },
        affects: Affects::Objects(PRINCIPALS),
        hint: "Revoke the permission, or list the application as excused.",
        decide: highrisk_permissions,
        ..BASE
    },
    Check {
        id: "m365.app.tier0_sp_secret",
        title: "Service principals with the highest roles have no secrets",
        references: &[prowler(
            "entra_service_principal_no_secrets_for_permanent_tier0_roles",
        )],
        hint: "Move the application to a certificate.",
        decide: tier0_sp_secret,
        ..HELD
    },
    Check {
        id: "m365.app.privileged_sp_owner",
        title: "Service principals with privileged roles have no owners",
        needs: Needs {
            also: &[BEHIND, &[PRINCIPAL_OWNERS, APPLICATION_OWNERS]],
            ..HELD.needs
        },
        references: &[prowler("entra_service_principal_privileged_role_no_owners")],
        hint: "Remove the owners: each can add a secret and become the application.",
        decide: privileged_sp_owner,
        ..HELD
    },
    Check {
        id: "m365.app.tenantwide_delegated_grants",
        title: "No unverified application acts for all users where it hurts",
        needs: Needs {
            all: &[GRANTS],
            also: &[&[PRINCIPALS]],
            ..BASE.needs
        },
        affects: Affects::Objects(GRANTS),
        hint: "Delete the grant, or list the application as excused.",
        decide: tenantwide_delegated_grants,
        ..BASE
    },
];
