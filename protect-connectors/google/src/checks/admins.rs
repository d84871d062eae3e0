//! The accounts of administrators: `google.admin.*`.

use protect_core::model::{Confidence, Severity};
use protect_core::posture::{Check, Decision, Level, LevelForm, Read, Reader};

use super::table::{OF_USERS, cis, prowler, scuba};
use super::users::{Accounts, no, unsaid, unused};
use crate::views::{User, Users, both};

const FLAGS: &str = "`isAdmin`, `suspended` or `archived`";

fn is_active_super_admin(user: &User) -> Option<bool> {
    both(user.super_admin, user.active())
}

/// The active super administrators, and how many accounts may be another.
fn super_admins(users: &Users) -> (Vec<&str>, usize) {
    let (mut certain, mut unknown) = (Vec::new(), 0);
    for user in users.all() {
        match is_active_super_admin(user) {
            Some(true) => certain.push(&*user.id),
            Some(false) => {}
            None => unknown += 1,
        }
    }
    (certain, unknown)
}

fn counted(count: usize) -> String {
    format!("{count} active super administrators")
}

fn super_admin_min(read: &Reader<'_>) -> Read<Decision> {
    let users = read.view::<Users>()?;
    let (admins, unknown) = super_admins(&users);
    let least = usize::try_from(read.number()?).unwrap_or(usize::MAX);
    if admins.len() < least && admins.len() + unknown >= least {
        return Err(unsaid(unknown, FLAGS));
    }
    Ok(Decision::of(admins.len() >= least, counted(admins.len())).detail("count", admins.len()))
}

fn super_admin_max(read: &Reader<'_>) -> Read<Decision> {
    let users = read.view::<Users>()?;
    let (admins, unknown) = super_admins(&users);
    let most = usize::try_from(read.number()?).unwrap_or(usize::MAX);
    let count = admins.len();
    let reason = format!("{}, {most} at most are right", counted(count));
    if count > most {
        let decision = Decision::fail(reason).detail("count", count);
        return Ok(decision.affecting(admins));
    }
    if count + unknown > most {
        return Err(unsaid(unknown, FLAGS));
    }
    Ok(Decision::pass(reason).detail("count", count))
}

fn super_admin_enrolled(read: &Reader<'_>) -> Read<Decision> {
    Accounts {
        who: &is_active_super_admin,
        wrong: &|user| no(user.enrolled),
        nobody: "there is no active super administrator",
        what: "super administrators have no second factor",
        fields: "`isEnrolledIn2Sv`, `isAdmin`, `suspended` or `archived`",
    }
    .decide(read)
}

fn admin_enforced(read: &Reader<'_>) -> Read<Decision> {
    Accounts {
        who: &|user| both(user.admin(), user.active()),
        wrong: &|user| no(user.enforced),
        nobody: "there is no active administrator",
        what: "administrators need no second factor",
        fields: "`isEnforcedIn2Sv`, `isAdmin`, `isDelegatedAdmin`, `suspended` or `archived`",
    }
    .decide(read)
}

fn stale_admin(read: &Reader<'_>) -> Read<Decision> {
    let days = read.number()?;
    Accounts {
        who: &|user| both(user.admin(), user.active()),
        wrong: &|user| unused(read, user, days, true),
        nobody: "there is no active administrator",
        what: "administrators are unused",
        fields: "`lastLoginTime`, `isAdmin`, `isDelegatedAdmin`, `suspended` or `archived`",
    }
    .decide(read)
}

fn suspended_with_privilege(read: &Reader<'_>) -> Read<Decision> {
    Accounts {
        who: &|user| user.suspended,
        wrong: &User::admin,
        nobody: "no account is suspended",
        what: "suspended accounts are administrators",
        fields: "`suspended`, `isAdmin` or `isDelegatedAdmin`",
    }
    .decide(read)
}

fn recovery_contact(read: &Reader<'_>) -> Read<Decision> {
    let decision = Accounts {
        who: &|user| user.super_admin,
        wrong: &|user| Some(user.recovery),
        nobody: "there is no super administrator",
        what: "super administrators have a recovery address or number",
        fields: "`isAdmin`",
    }
    .decide(read)?;
    // Google leaves out what is not set, so that a list without any may not have been asked for it.
    let known = read.view::<Users>()?.know_recovery();
    Ok(if known {
        decision
    } else {
        decision.confidence(Confidence::Medium)
    })
}

const fn number(docs: &'static str, defaults: &'static [(&'static str, &'static str)]) -> Level {
    Level {
        form: LevelForm::Number,
        docs,
        defaults,
    }
}

/// Checks of the accounts of administrators.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "google.admin.super_admin_min",
        title: "There is more than one active super administrator",
        severity: Severity::High,
        references: &[
            scuba("GWS.COMMONCONTROLS.6.2"),
            cis("1.1.1"),
            prowler("directory_super_admin_count"),
        ],
        level: Some(number("how many there are at least", &[("", "2")])),
        hint: "Make a second account for a super administrator alone.",
        decide: super_admin_min,
        ..OF_USERS
    },
    Check {
        id: "google.admin.super_admin_max",
        title: "There are few super administrators",
        references: &[
            scuba("GWS.COMMONCONTROLS.6.2"),
            cis("1.1.2"),
            prowler("directory_super_admin_count"),
        ],
        level: Some(number(
            "how many there are at most",
            &[("cis", "4"), ("", "8")],
        )),
        hint: "Take the role away from those who do not need it.",
        decide: super_admin_max,
        ..OF_USERS
    },
    Check {
        id: "google.admin.super_admin_2sv_enrolled",
        title: "Every super administrator has a second factor",
        severity: Severity::Critical,
        references: &[
            scuba("GWS.COMMONCONTROLS.1.1"),
            scuba("GWS.COMMONCONTROLS.1.2"),
            cis("4.1.1.1"),
        ],
        hint: "Enrol the accounts, or suspend them.",
        decide: super_admin_enrolled,
        ..OF_USERS
    },
    Check {
        id: "google.admin.admin_2sv_enforced",
        title: "Every administrator needs a second factor",
        severity: Severity::High,
        references: &[
            scuba("GWS.COMMONCONTROLS.1.2"),
            cis("4.1.1.1"),
            prowler("security_2sv_enforced"),
        ],
        hint: "Move the administrators to an org unit in which 2-Step Verification is enforced.",
        decide: admin_enforced,
        ..OF_USERS
    },
    Check {
        id: "google.admin.stale_admin",
        title: "No administrator is unused",
        severity: Severity::High,
        level: Some(number(
            "how long an account may be unused, in days",
            &[("", "45")],
        )),
        hint: "Suspend the accounts, or take their roles away.",
        decide: stale_admin,
        ..OF_USERS
    },
    Check {
        id: "google.admin.suspended_with_privilege",
        title: "Suspended accounts are no administrators",
        hint: "Take their roles away.",
        decide: suspended_with_privilege,
        ..OF_USERS
    },
    Check {
        id: "google.admin.recovery_contact",
        title: "Super administrators have no recovery contact of their own",
        // These are related rules, not the same.
        references: &[
            scuba("GWS.COMMONCONTROLS.8.1"),
            scuba("GWS.COMMONCONTROLS.8.3"),
            cis("4.1.2.1"),
        ],
        hint: "Clear the recovery address and number of the accounts.",
        decide: recovery_contact,
        ..OF_USERS
    },
];
