//! Accounts and their passwords: `m365.user.*`.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use protect_core::model::{Confidence, NotEvaluatedReason, Severity};
use protect_core::posture::{
    Affects, Check, Decision, Level, LevelForm, Needs, Read, Reader, Unread,
};
use serde::Deserialize;

use super::privileged::{ASSIGNMENTS, BEHIND};
use super::roles::PRIVILEGED;
use super::table::{BASE, cis, prowler, scuba};
use crate::graph::{ACTIVE_USERS, DOMAINS, GROUP_SETTINGS, SIGN_IN_ACTIVITY, USERS};
use crate::id::Name;
use crate::iso::days_before;
use crate::views::{Roles, User, Users};

/// Passwords that never expire, in days.
const NEVER: i64 = 2_147_483_647;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Domain {
    id: Name,
    authentication_type: Name,
    is_verified: bool,
    is_root: bool,
    password_validity_period_in_days: Option<i64>,
}

fn password_never_expires(read: &Reader<'_>) -> Read<Decision> {
    let mut domains = Vec::new();
    read.each(DOMAINS, |domain: Domain| domains.push(domain))?;
    domains.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    let verified = || domains.iter().filter(|it| it.is_verified);
    let unknown = verified().find(|it| !it.authentication_type.is_in(&["Managed", "Federated"]));
    if unknown.is_some() {
        return Err(Unread::malformed(
            DOMAINS,
            "a domain has a way of signing in that is not known",
        ));
    }
    let managed: Vec<_> = verified()
        .filter(|it| it.authentication_type.is("Managed"))
        .collect();
    let federated: Vec<_> = verified()
        .filter(|it| it.authentication_type.is("Federated"))
        .map(|it| it.id.to_string())
        .collect();
    if managed.is_empty() {
        let reason = "no verified domain keeps passwords in Microsoft 365";
        return Ok(if read.profile() == "scuba" {
            Decision::fail(reason)
        } else {
            Decision::not_applicable(reason)
        });
    }
    let expiring = managed.iter().filter(|it| {
        let days = governing(it, &domains).password_validity_period_in_days;
        days.is_some_and(|days| days != NEVER)
    });
    let expiring: Vec<_> = expiring.map(|it| &it.id).collect();
    let reason = format!(
        "passwords expire in {} of {} domains",
        expiring.len(),
        managed.len()
    );
    let decision = Decision::of(expiring.is_empty(), reason).affecting(expiring);
    Ok(if federated.is_empty() {
        decision
    } else {
        decision.detail("federated", federated)
    })
}

/// The domain whose setting counts: the domain itself where it is a root, else the longest root that it
/// belongs to.
fn governing<'d>(domain: &'d Domain, domains: &'d [Domain]) -> &'d Domain {
    if domain.is_root {
        return domain;
    }
    let is_below = |root: &&Domain| {
        let rest = domain.id.as_str().strip_suffix(root.id.as_str());
        root.is_root && rest.is_some_and(|rest| rest.ends_with('.'))
    };
    let roots = domains.iter().filter(is_below);
    roots
        .max_by_key(|root| root.id.as_str().len())
        .unwrap_or(domain)
}

fn stale_accounts(read: &Reader<'_>) -> Read<Decision> {
    let users = read.view::<Users>()?;
    let all: Vec<_> = users.enabled()?.collect();
    stale(read, &users, &all)
}

fn admins_stale(read: &Reader<'_>) -> Read<Decision> {
    let users = read.view::<Users>()?;
    let roles = read.view::<Roles>()?;
    users.asked_enabled()?;
    let holders = roles.users(PRIVILEGED);
    let admins = holders.into_iter().filter_map(|id| users.by_id(id));
    let admins: Vec<_> = admins.filter(|user| user.enabled).collect();
    let decision = stale(read, &users, &admins)?;
    let confidence = decision.confidence.min(roles.confidence());
    Ok(decision.confidence(confidence))
}

/// Those of these accounts that nobody used for longer than the level.
fn stale(read: &Reader<'_>, users: &Users, accounts: &[&User]) -> Read<Decision> {
    let limit = days_before(read.now(), read.number()?);
    let excused = &read.settings().excluded_users;
    let knows_sign_ins = read.has(SIGN_IN_ACTIVITY)? && users.knows_activity();
    let reported = if knows_sign_ins {
        None
    } else {
        Some(reported(read)?)
    };
    let (mut stale, mut unknown) = (Vec::new(), 0_usize);
    for user in accounts.iter().filter(|user| !user.id.is_in(excused)) {
        let seen = match &reported {
            None => user.seen,
            Some(seen) => seen.get(user.upn.as_ref()).copied().flatten(),
        };
        match seen.max(user.created) {
            None => unknown += 1,
            Some(last) if last < limit => stale.push(&user.id),
            Some(_) => {}
        }
    }
    if stale.is_empty() && unknown > 0 {
        let why = format!("{unknown} accounts have neither a sign-in nor a date of creation");
        return Err(Unread::new(NotEvaluatedReason::NoObservation, USERS, why));
    }
    let reason = format!(
        "{} of {} enabled accounts were not used for too long",
        stale.len(),
        accounts.len()
    );
    let confidence = if reported.is_none() {
        Confidence::High
    } else {
        Confidence::Medium
    };
    Ok(Decision::of(stale.is_empty(), reason)
        .affecting(stale)
        .confidence(confidence))
}

/// When each user was last active, by the report on Microsoft 365's services: the way without
/// `AuditLog.Read.All`. It knows who used mail, files and Teams, not who signed in.
fn reported(read: &Reader<'_>) -> Read<HashMap<String, Option<Timestamp>>> {
    if !read.has(ACTIVE_USERS)? {
        return Err(if read.has(SIGN_IN_ACTIVITY)? {
            Users::without_activity()
        } else {
            let why = "the permission AuditLog.Read.All was not granted";
            Unread::new(NotEvaluatedReason::MissingPermission, SIGN_IN_ACTIVITY, why)
        });
    }
    let report: String = read.one(ACTIVE_USERS)?;
    let mut lines = report.lines();
    let head = lines
        .next()
        .unwrap_or_default()
        .trim_start_matches('\u{feff}');
    let columns: Vec<_> = head.split(',').map(str::trim).collect();
    let Some(name) = columns.iter().position(|it| *it == "User Principal Name") else {
        return Err(Unread::malformed(
            ACTIVE_USERS,
            "the report has no `User Principal Name`",
        ));
    };
    let mut seen = HashMap::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let cells: Vec<_> = line.split(',').map(str::trim).collect();
        let Some(user) = cells.get(name) else {
            continue;
        };
        if !user.contains('@') {
            let why = "the report hides who is who";
            return Err(Unread::new(
                NotEvaluatedReason::NoObservation,
                ACTIVE_USERS,
                why,
            ));
        }
        let dated = columns
            .iter()
            .zip(&cells)
            .filter(|(column, _)| column.ends_with("Last Activity Date"));
        let last = dated
            .filter_map(|(_, cell)| cell.parse::<Date>().ok())
            .max();
        let last = last
            .and_then(|date| date.to_zoned(TimeZone::UTC).ok())
            .map(|it| it.timestamp());
        seen.insert(user.to_ascii_lowercase(), last);
    }
    Ok(seen)
}

fn password_policy_exceptions(read: &Reader<'_>) -> Read<Decision> {
    let users = read.view::<Users>()?;
    users.asked_password_policies()?;
    let excused = &read.settings().excluded_users;
    let weak = users
        .all()
        .filter(|user| user.strong_password_disabled && !user.id.is_in(excused));
    let weak: Vec<_> = weak.map(|user| &user.id).collect();
    let reason = format!("{} users may have weak passwords", weak.len());
    Ok(Decision::of(weak.is_empty(), reason).affecting(weak))
}

/// The template of the password settings.
const PASSWORD_SETTINGS: &str = "5cf42378-d67d-4f36-ba46-e8b86229381d";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupSetting {
    template_id: Name,
    values: Vec<SettingValue>,
}

#[derive(Deserialize)]
struct SettingValue {
    name: Name,
    value: Option<String>,
}

fn smart_lockout(read: &Reader<'_>) -> Read<Decision> {
    let mut values: BTreeMap<Name, String> = BTreeMap::new();
    read.each(GROUP_SETTINGS, |setting: GroupSetting| {
        if setting.template_id.is(PASSWORD_SETTINGS) {
            let given = setting.values.into_iter();
            values.extend(given.map(|it| (it.name, it.value.unwrap_or_default())));
        }
    })?;
    // What is not there is as Microsoft has it.
    let number = |name: &str, default: u32| -> Read<u32> {
        match values.get(&Name::new(name)) {
            None => Ok(default),
            Some(text) => text.trim().parse().map_err(|_| {
                Unread::malformed(GROUP_SETTINGS, format!("`{name}` is not a number"))
            }),
        }
    };
    let text = |name: &str| {
        values
            .get(&Name::new(name))
            .map(|it| it.trim())
            .unwrap_or_default()
    };
    let (threshold, duration) = (
        number("LockoutThreshold", 10)?,
        number("LockoutDurationInSeconds", 60)?,
    );
    let mut wrong = Vec::new();
    if threshold > 10 {
        wrong.push(format!("an account is locked after {threshold} attempts"));
    }
    if duration < 60 {
        wrong.push(format!("an account is locked for {duration} seconds"));
    }
    if !text("EnableBannedPasswordCheck").eq_ignore_ascii_case("true") {
        wrong.push("the organisation's own banned passwords are not checked".to_owned());
    } else if text("BannedPasswordList").is_empty() {
        wrong.push("the organisation bans no password of its own".to_owned());
    }
    if wrong.is_empty() {
        return Ok(Decision::pass(
            "accounts are locked in time and passwords are banned",
        ));
    }
    Ok(Decision::fail(wrong.join("; ")))
}

const OVER_USERS: Check = Check {
    needs: Needs {
        all: &[USERS],
        ..BASE.needs
    },
    affects: Affects::Accounts,
    ..BASE
};

/// Checks of accounts and passwords.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "m365.user.password_never_expires",
        title: "Passwords do not expire on a schedule",
        severity: Severity::Low,
        needs: Needs {
            all: &[DOMAINS],
            ..BASE.needs
        },
        references: &[
            scuba("MS.AAD.6.1v1"),
            cis("1.3.1"),
            prowler("admincenter_settings_password_never_expire"),
        ],
        affects: Affects::Domains,
        hint: "Set the password validity period of the domain to never.",
        decide: password_never_expires,
        ..BASE
    },
    Check {
        id: "m365.user.stale_accounts",
        title: "No enabled account is unused",
        needs: Needs {
            all: &[USERS],
            any: &[&[SIGN_IN_ACTIVITY, ACTIVE_USERS]],
            ..BASE.needs
        },
        level: Some(Level {
            form: LevelForm::Number,
            docs: "how long an account may be unused, in days",
            defaults: &[("", "90")],
        }),
        hint: "Disable the account.",
        decide: stale_accounts,
        ..OVER_USERS
    },
    Check {
        id: "m365.user.admins_stale",
        title: "No privileged account is unused",
        severity: Severity::High,
        needs: Needs {
            all: &[USERS],
            any: &[&[SIGN_IN_ACTIVITY, ACTIVE_USERS], ASSIGNMENTS],
            also: &[BEHIND],
            ..BASE.needs
        },
        level: Some(Level {
            form: LevelForm::Number,
            docs: "how long an account may be unused, in days",
            defaults: &[("", "45")],
        }),
        hint: "Disable the account or remove its role.",
        decide: admins_stale,
        ..OVER_USERS
    },
    Check {
        id: "m365.user.password_policy_exceptions",
        title: "No user may have a weak password",
        hint: "Remove `DisableStrongPassword` from the user's password policies.",
        decide: password_policy_exceptions,
        ..OVER_USERS
    },
    Check {
        id: "m365.user.smart_lockout",
        title: "Accounts are locked in time and own words are banned",
        needs: Needs {
            all: &[GROUP_SETTINGS],
            ..BASE.needs
        },
        references: &[
            cis("5.2.3.8"),
            cis("5.2.3.9"),
            cis("5.2.3.2"),
            prowler("entra_password_protection_lockout_threshold_limited"),
            prowler("entra_password_protection_lockout_duration_configured"),
            prowler("entra_password_protection_custom_banned_list_enforced"),
        ],
        affects: Affects::Setting(GROUP_SETTINGS),
        default_compliant: Some(false),
        hint: "Set lockout threshold, duration and the custom banned password list.",
        decide: smart_lockout,
        ..BASE
    },
];
