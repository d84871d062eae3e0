//! The accounts of everybody: `google.user.*`.

use protect_core::model::{NotEvaluatedReason, Severity};
use protect_core::posture::{Check, Decision, Level, LevelForm, Read, Reader, Unread};

use super::table::{OF_USERS, cis, scuba};
use crate::time::days_before;
use crate::views::{Seen, User, Users, both};
use crate::workspace::USERS;

/// An account may be unused for so long after it was made.
const NEW: u32 = 14;

/// Which accounts a check is about, what is wrong with one, and the words for both.
pub(super) struct Accounts<'w> {
    pub(super) who: &'w dyn Fn(&User) -> Option<bool>,
    pub(super) wrong: &'w dyn Fn(&User) -> Option<bool>,
    /// What there is none of, where there is nobody.
    pub(super) nobody: &'static str,
    /// What is said behind the number of those that are wrong.
    pub(super) what: &'static str,
    /// The fields that tell.
    pub(super) fields: &'static str,
}

impl Accounts<'_> {
    /// Decides. Whoever is wrong for certain is enough to fail; whoever is not known is enough not to
    /// pass.
    pub(super) fn decide(&self, read: &Reader<'_>) -> Read<Decision> {
        let users = read.view::<Users>()?;
        let excused = &read.settings().excluded_users;
        let (mut wrong, mut unknown, mut anybody) = (Vec::new(), 0_usize, false);
        for user in users.all().filter(|user| !user.is_in(excused)) {
            let who = (self.who)(user);
            anybody |= who != Some(false);
            match both(who, (self.wrong)(user)) {
                Some(true) => wrong.push(&*user.id),
                Some(false) => {}
                None => unknown += 1,
            }
        }
        if !anybody {
            return Ok(Decision::not_applicable(self.nobody));
        }
        if wrong.is_empty() && unknown > 0 {
            return Err(unsaid(unknown, self.fields));
        }
        let reason = format!("{} {}", wrong.len(), self.what);
        let decision = Decision::of(wrong.is_empty(), reason).affecting(wrong);
        Ok(if unknown > 0 {
            decision.detail("unknown", unknown)
        } else {
            decision
        })
    }
}

/// Accounts that were collected without what tells.
pub(super) fn unsaid(count: usize, fields: &str) -> Unread {
    let why = format!("{count} accounts do not say {fields}");
    Unread::new(NotEvaluatedReason::NoObservation, USERS, why)
}

pub(super) fn no(it: Option<bool>) -> Option<bool> {
    it.map(|it| !it)
}

/// Whether an account was last used before so many days; one that never was used counts where
/// `never` does and it was made before then.
pub(super) fn unused(read: &Reader<'_>, user: &User, days: u32, never: bool) -> Option<bool> {
    let since = days_before(read.now(), days);
    match user.seen()? {
        Seen::At(at) => Some(at < since),
        Seen::Never if never => user.older_than(since),
        Seen::Never => Some(false),
    }
}

/// Active accounts that are no longer new.
fn in_second_factor(
    read: &Reader<'_>,
    factor: fn(&User) -> Option<bool>,
    what: &'static str,
    fields: &'static str,
) -> Read<Decision> {
    let grace = days_before(read.now(), read.number()?);
    Accounts {
        // A moment that nobody knows gives no grace.
        who: &|user| both(user.active(), user.older_than(grace).or(Some(true))),
        wrong: &|user| no(factor(user)),
        nobody: "there is no active account",
        what,
        fields,
    }
    .decide(read)
}

fn enrolled(read: &Reader<'_>) -> Read<Decision> {
    in_second_factor(
        read,
        |user| user.enrolled,
        "active accounts have no second factor",
        "`isEnrolledIn2Sv`, `suspended` or `archived`",
    )
}

fn enforced(read: &Reader<'_>) -> Read<Decision> {
    in_second_factor(
        read,
        |user| user.enforced,
        "active accounts need no second factor",
        "`isEnforcedIn2Sv`, `suspended` or `archived`",
    )
}

fn stale(read: &Reader<'_>) -> Read<Decision> {
    let (days, new) = (read.number()?, days_before(read.now(), NEW));
    Accounts {
        who: &|user| both(user.active(), user.older_than(new)),
        wrong: &|user| unused(read, user, days, false),
        nobody: "there is no active account that is not new",
        what: "active accounts are unused",
        fields: "`lastLoginTime`, `creationTime`, `suspended` or `archived`",
    }
    .decide(read)
}

fn never_signed_in(read: &Reader<'_>) -> Read<Decision> {
    let new = days_before(read.now(), read.number()?);
    Accounts {
        who: &|user| both(user.active(), user.older_than(new)),
        wrong: &|user| Some(user.seen()? == Seen::Never),
        nobody: "there is no active account that is not new",
        what: "active accounts were never used",
        fields: "`lastLoginTime`, `creationTime`, `suspended` or `archived`",
    }
    .decide(read)
}

fn guest_admin(read: &Reader<'_>) -> Read<Decision> {
    Accounts {
        who: &|user| user.guest,
        wrong: &User::admin,
        nobody: "there is no guest",
        what: "guests are administrators",
        fields: "`isGuestUser`, `isAdmin` or `isDelegatedAdmin`",
    }
    .decide(read)
}

fn legacy_ip_allowlist(read: &Reader<'_>) -> Read<Decision> {
    Accounts {
        who: &|_| Some(true),
        wrong: &|user| user.ip_listed,
        nobody: "there is no account",
        what: "accounts are on the list of trusted addresses",
        fields: "`ipWhitelisted`",
    }
    .decide(read)
}

const fn days(docs: &'static str, default: &'static [(&'static str, &'static str)]) -> Level {
    Level {
        form: LevelForm::Number,
        docs,
        defaults: default,
    }
}

const GRACE: Level = days(
    "how old an account may be without one, in days",
    &[("", "7")],
);

/// Checks of everybody's accounts.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "google.user.2sv_enrolled",
        title: "Active users have a second factor",
        severity: Severity::High,
        references: &[scuba("GWS.COMMONCONTROLS.1.2"), cis("4.1.1.3")],
        level: Some(GRACE),
        hint: "Ask the users to enrol, or suspend the accounts.",
        decide: enrolled,
        ..OF_USERS
    },
    Check {
        id: "google.user.2sv_enforced",
        title: "Active users need a second factor",
        severity: Severity::High,
        references: &[scuba("GWS.COMMONCONTROLS.1.2"), cis("4.1.1.3")],
        level: Some(GRACE),
        hint: "Enforce 2-Step Verification in the Admin console: Security > Authentication > 2-step verification.",
        decide: enforced,
        ..OF_USERS
    },
    Check {
        id: "google.user.stale",
        title: "No active account is unused",
        level: Some(days(
            "how long an account may be unused, in days",
            &[("", "90")],
        )),
        hint: "Suspend the accounts.",
        decide: stale,
        ..OF_USERS
    },
    Check {
        id: "google.user.never_signed_in",
        title: "No active account was never used",
        severity: Severity::Low,
        level: Some(days(
            "how old an account may be before its first use, in days",
            &[("", "14")],
        )),
        hint: "Suspend or delete the accounts.",
        decide: never_signed_in,
        ..OF_USERS
    },
    Check {
        id: "google.user.external_guest_admin",
        title: "No guest is an administrator",
        severity: Severity::High,
        hint: "Take the roles away from the guests.",
        decide: guest_admin,
        ..OF_USERS
    },
    Check {
        id: "google.user.legacy_ip_allowlist",
        title: "No account is on the deprecated list of trusted addresses",
        severity: Severity::Low,
        hint: "Clear `ipWhitelisted` of the accounts.",
        decide: legacy_ip_allowlist,
        ..OF_USERS
    },
];
