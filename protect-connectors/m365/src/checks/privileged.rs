//! Who holds the directory roles, and how they come to: `m365.role.*`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use protect_core::model::{NotEvaluatedReason, Severity, Verdict};
use protect_core::posture::{
    Affects, Check, Decision, Level, LevelForm, Needs, Read, Reader, Unread,
};
use serde::Deserialize;

use super::roles::{FINER_GRAINED, GLOBAL_ADMINISTRATOR, PRIVILEGED};
use super::table::{BASE, P2, cis, prowler, scuba};
use crate::graph::{
    ACTIVE_INSTANCES, ELIGIBLE_INSTANCES, GROUP_MEMBERS, ROLE_ASSIGNMENTS, ROLE_DEFINITIONS,
    ROLE_MEMBERS, ROLE_POLICIES, ROLES, USERS,
};
use crate::id::Name;
use crate::views::{Answer, Roles, Users};

/// Where it is said who holds a role: the newer form, or the older.
pub(super) const ASSIGNMENTS: &[&str] = &[ROLE_ASSIGNMENTS, ROLES];
/// What the holders are taken apart with.
pub(super) const BEHIND: &[&str] = &[
    ROLE_DEFINITIONS,
    ROLE_MEMBERS,
    GROUP_MEMBERS,
    ELIGIBLE_INSTANCES,
];

fn global_admin_count(read: &Reader<'_>) -> Read<Decision> {
    let roles = read.view::<Roles>()?;
    let (least, most) = read.range()?;
    let admins = roles.users_with_eligible(&[GLOBAL_ADMINISTRATOR]);
    let count = u32::try_from(admins.len()).unwrap_or(u32::MAX);
    let reason = format!(
        "{count} users are or can become global administrator; {least} to {most} are right"
    );
    let decision = Decision::of((least..=most).contains(&count), reason)
        .detail("count", count)
        .detail("eligible_counted", roles.knows_eligible())
        .confidence(roles.confidence());
    Ok(if count > most {
        decision.affecting(admins)
    } else {
        decision
    })
}

fn ga_ratio(read: &Reader<'_>) -> Read<Decision> {
    let counted = global_admin_count(read)?;
    if counted.verdict != Verdict::Pass {
        return Ok(counted);
    }
    let roles = read.view::<Roles>()?;
    let global = roles.users_with_eligible(&[GLOBAL_ADMINISTRATOR]);
    let finer = roles.users_with_eligible(FINER_GRAINED);
    let finer = finer.difference(&global).count();
    let reason = format!(
        "{} global administrators, {finer} users with finer roles",
        global.len()
    );
    Ok(Decision::of(global.len() <= finer, reason).confidence(roles.confidence()))
}

fn admins_cloud_only(read: &Reader<'_>) -> Read<Decision> {
    let roles = read.view::<Roles>()?;
    let users = read.view::<Users>()?;
    users.asked_source()?;
    let excused = &read.settings().excluded_users;
    let (mut synced, mut unknown) = (Vec::new(), 0_usize);
    for id in roles
        .users(PRIVILEGED)
        .into_iter()
        .filter(|id| !id.is_in(excused))
    {
        match users.by_id(id) {
            Some(user) if user.synced => synced.push(id),
            Some(_) => {}
            None => unknown += 1,
        }
    }
    if synced.is_empty() && unknown > 0 {
        let why = format!("{unknown} holders of privileged roles are not among the users");
        return Err(Unread::new(NotEvaluatedReason::NoObservation, USERS, why));
    }
    let reason = format!("{} privileged accounts come from elsewhere", synced.len());
    Ok(Decision::of(synced.is_empty(), reason)
        .affecting(synced)
        .confidence(roles.confidence()))
}

/// A role that is held now, however it came to
/// ([unifiedRoleAssignmentScheduleInstance](https://learn.microsoft.com/graph/api/resources/unifiedroleassignmentscheduleinstance)).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instance {
    principal_id: Name,
    role_definition_id: Name,
    /// Null where there is none; missing is not the same.
    #[serde(default)]
    start_date_time: Answer<Timestamp>,
    #[serde(default)]
    end_date_time: Answer<Timestamp>,
}

/// The holders of privileged roles for whom a moment is null.
fn holders_without(
    read: &Reader<'_>,
    moment: impl Fn(&Instance) -> Answer<Timestamp>,
    what: &str,
) -> Read<Decision> {
    let excused = &read.settings().excluded_principals;
    let (mut holders, mut unsaid) = (Vec::new(), false);
    read.each(ACTIVE_INSTANCES, |it: Instance| {
        if it.role_definition_id.is_in(PRIVILEGED) && !it.principal_id.is_in(excused) {
            match moment(&it) {
                Answer::Missing => unsaid = true,
                Answer::Null => holders.push(it.principal_id),
                Answer::Is(_) => {}
            }
        }
    })?;
    if unsaid && holders.is_empty() {
        return Err(Unread::malformed(
            ACTIVE_INSTANCES,
            "an assignment does not say how long it lasts",
        ));
    }
    holders.sort_unstable();
    holders.dedup();
    let reason = format!("{} principals hold privileged roles {what}", holders.len());
    Ok(Decision::of(holders.is_empty(), reason).affecting(&holders))
}

/// The rules of activating and assigning a role
/// ([unifiedRoleManagementPolicyAssignment](https://learn.microsoft.com/graph/api/resources/unifiedrolemanagementpolicyassignment)).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RolePolicy {
    role_definition_id: Name,
    policy: Rules,
}

#[derive(Deserialize)]
struct Rules {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: Name,
    setting: Option<Setting>,
    notification_recipients: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Setting {
    is_approval_required: Option<bool>,
}

fn role_policies(read: &Reader<'_>) -> Read<BTreeMap<Name, Vec<Rule>>> {
    let mut policies = BTreeMap::new();
    read.each(ROLE_POLICIES, |it: RolePolicy| {
        policies.insert(it.role_definition_id, it.policy.rules);
    })?;
    Ok(policies)
}

/// The rule of a role.
fn rule<'r>(policies: &'r BTreeMap<Name, Vec<Rule>>, role: &str, id: &str) -> Read<&'r Rule> {
    let rules = policies.get(&Name::new(role));
    let rule = rules.and_then(|rules| rules.iter().find(|rule| rule.id.is(id)));
    rule.ok_or_else(|| {
        let why = format!("role {role} has no rule `{id}`");
        Unread::new(NotEvaluatedReason::NoObservation, ROLE_POLICIES, why)
    })
}

fn ga_activation_approval(read: &Reader<'_>) -> Read<Decision> {
    let policies = role_policies(read)?;
    let rule = rule(
        &policies,
        GLOBAL_ADMINISTRATOR,
        "Approval_EndUser_Assignment",
    )?;
    let required = rule.setting.as_ref().and_then(|it| it.is_approval_required);
    let Some(required) = required else {
        return Err(Unread::malformed(
            ROLE_POLICIES,
            "`isApprovalRequired` is not there",
        ));
    };
    Ok(Decision::of(
        required,
        if required {
            "somebody must approve before anybody becomes global administrator"
        } else {
            "nobody must approve before somebody becomes global administrator"
        },
    ))
}

/// Whether somebody is told by these rules, of every privileged role.
fn told(read: &Reader<'_>, ids: &[&str]) -> Read<Decision> {
    let policies = role_policies(read)?;
    let (mut silent, mut unread) = (Vec::new(), None);
    for role in PRIVILEGED {
        for id in ids {
            match rule(&policies, role, id) {
                Err(error) => unread = Some(error),
                Ok(rule) => match &rule.notification_recipients {
                    None => {
                        let why = "`notificationRecipients` is not there";
                        unread = Some(Unread::malformed(ROLE_POLICIES, why));
                    }
                    Some(to) if to.is_empty() => silent.push(*role),
                    Some(_) => {}
                },
            }
        }
    }
    match unread {
        Some(unread) if silent.is_empty() => Err(unread),
        _ => {
            silent.dedup();
            let reason = format!("nobody else is told of {} privileged roles", silent.len());
            Ok(Decision::of(silent.is_empty(), reason).affecting(silent))
        }
    }
}

const HELD: Check = Check {
    needs: Needs {
        any: &[ASSIGNMENTS],
        also: &[BEHIND],
        ..BASE.needs
    },
    affects: Affects::Accounts,
    ..BASE
};

const SCHEDULED: Check = Check {
    severity: Severity::High,
    needs: Needs {
        all: &[ACTIVE_INSTANCES],
        ..BASE.needs
    },
    licences: P2,
    affects: Affects::Accounts,
    default_compliant: Some(false),
    ..BASE
};

const RULED: Check = Check {
    needs: Needs {
        all: &[ROLE_POLICIES],
        ..BASE.needs
    },
    affects: Affects::Objects("/roleManagement/directory/roleDefinitions"),
    ..SCHEDULED
};

const GLOBAL_ADMINISTRATORS: Level = Level {
    form: LevelForm::Range,
    docs: "how few and how many global administrators are right",
    defaults: &[("cis", "2-4"), ("prowler", "2-4"), ("", "2-8")],
};

/// Checks of the directory roles.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "m365.role.global_admin_count",
        title: "There are few global administrators, and more than one",
        severity: Severity::High,
        references: &[
            scuba("MS.AAD.7.1v1"),
            cis("1.1.3"),
            prowler("admincenter_users_between_two_and_four_global_admins"),
        ],
        level: Some(GLOBAL_ADMINISTRATORS),
        hint: "Move administrators to finer roles, or appoint a second one.",
        decide: global_admin_count,
        ..HELD
    },
    Check {
        id: "m365.role.ga_ratio",
        title: "Finer roles are preferred to global administrator",
        references: &[scuba("MS.AAD.7.2v1")],
        level: Some(GLOBAL_ADMINISTRATORS),
        hint: "Give administrators the finest role that does.",
        decide: ga_ratio,
        ..HELD
    },
    Check {
        id: "m365.role.admins_cloud_only",
        title: "Privileged accounts exist in the cloud alone",
        severity: Severity::High,
        needs: Needs {
            all: &[USERS],
            ..HELD.needs
        },
        references: &[
            scuba("MS.AAD.7.3v1"),
            cis("1.1.1"),
            prowler("entra_admin_users_cloud_only"),
        ],
        hint: "Give administrators accounts that are not synchronised.",
        decide: admins_cloud_only,
        ..HELD
    },
    Check {
        id: "m365.role.no_permanent_active",
        title: "Nobody holds a privileged role for ever",
        references: &[scuba("MS.AAD.7.4v1"), cis("5.3.1")],
        hint: "Make the holders eligible instead, but for emergency accounts.",
        decide: |read| holders_without(read, |it| it.end_date_time, "without end"),
        ..SCHEDULED
    },
    Check {
        id: "m365.role.pim_only",
        title: "Privileged roles are assigned through Privileged Identity Management",
        severity: Severity::Medium,
        references: &[scuba("MS.AAD.7.5v1"), cis("5.3.1")],
        hint: "Remove the assignment and make it through Privileged Identity Management.",
        decide: |read| {
            holders_without(
                read,
                |it| it.start_date_time,
                "past Privileged Identity Management",
            )
        },
        ..SCHEDULED
    },
    Check {
        id: "m365.role.ga_activation_approval",
        title: "Becoming global administrator needs approval",
        references: &[
            scuba("MS.AAD.7.6v1"),
            cis("5.3.4"),
            prowler("entra_pim_global_administrator_approval_required"),
        ],
        affects: Affects::Setting(ROLE_POLICIES),
        hint: "Require approval to activate the role.",
        decide: ga_activation_approval,
        ..RULED
    },
    Check {
        id: "m365.role.assignment_alerts",
        title: "Somebody is told when a privileged role is assigned",
        severity: Severity::Medium,
        references: &[scuba("MS.AAD.7.7v1")],
        hint: "Add recipients to the notifications of assignments and eligibility.",
        decide: |read| {
            told(
                read,
                &[
                    "Notification_Admin_Admin_Assignment",
                    "Notification_Admin_Admin_Eligibility",
                ],
            )
        },
        ..RULED
    },
    Check {
        id: "m365.role.activation_alerts",
        title: "Somebody is told when a privileged role is activated",
        severity: Severity::Medium,
        references: &[scuba("MS.AAD.7.8v1"), scuba("MS.AAD.7.9v1")],
        hint: "Add recipients to the notifications of activations.",
        decide: |read| told(read, &["Notification_Admin_EndUser_Assignment"]),
        ..RULED
    },
];
