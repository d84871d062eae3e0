//! Who registered which factors: `m365.mfa.*`
//! ([userRegistrationDetails](https://learn.microsoft.com/graph/api/resources/userregistrationdetails)).

use protect_core::model::{Confidence, NotEvaluatedReason, Severity};
use protect_core::posture::{
    Affects, Check, Decision, Level, LevelForm, Needs, Read, Reader, Unread,
};

use super::roles::PRIVILEGED;
use super::table::{BASE, cis, prowler};
use crate::graph::{REGISTRATIONS, USERS};
use crate::id::Name;
use crate::views::{Registrations, Roles, User, Users};

/// Methods that cannot be phished. Not every spelling is documented.
const PHISHING_RESISTANT: &[&str] = &[
    "fido2",
    "fido2SecurityKey",
    "passKeyDeviceBound",
    "passKeyDeviceBoundAuthenticator",
    "passKeyDeviceBoundWindowsHello",
    "passKeySynced",
    "windowsHelloForBusiness",
    "x509Certificate",
    "certificateBasedAuthentication",
];

/// Methods that somebody else can receive.
const INTERCEPTED: &[&str] = &[
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "email",
];

fn users_capable(read: &Reader<'_>) -> Read<Decision> {
    let users = read.view::<Users>()?;
    let now = read.now();
    let members: Vec<&Name> = users
        .enabled()?
        .filter(|user| !user.guest && user.hired.is_none_or(|hired| hired <= now))
        .map(|user| &user.id)
        .collect();
    capable(read, &members, read.number()?)
}

fn admins_capable(read: &Reader<'_>) -> Read<Decision> {
    let users = read.view::<Users>()?;
    users.asked_enabled()?;
    let roles = read.view::<Roles>()?;
    let is_disabled = |id: &&&Name| users.by_id(id).is_some_and(|user: &User| !user.enabled);
    let holders = roles.users(PRIVILEGED);
    let admins: Vec<&Name> = holders
        .iter()
        .filter(|id| !is_disabled(id))
        .copied()
        .collect();
    let decision = capable(read, &admins, 100)?;
    let confidence = roles.confidence().min(decision.confidence);
    Ok(decision.confidence(confidence))
}

/// Whether so many per cent of these users can use more than one factor.
fn capable(read: &Reader<'_>, ids: &[&Name], percent: u32) -> Read<Decision> {
    let registrations = read.view::<Registrations>()?;
    let settings = read.settings();
    let excused =
        |id: &Name| id.is_in(&settings.excluded_users) || id.is_in(&settings.excluded_principals);
    let counted: Vec<_> = ids.iter().filter(|id| !excused(id)).collect();
    let (mut unseen, mut incapable) = (0_usize, Vec::new());
    for id in &counted {
        match registrations.by_user(id).and_then(|it| it.is_mfa_capable) {
            None => unseen += 1,
            Some(true) => {}
            Some(false) => incapable.push(**id),
        }
    }
    if counted.is_empty() {
        return Ok(Decision::not_applicable(
            "there is nobody whom this is about",
        ));
    }
    let capable = counted.len() - incapable.len() - unseen;
    let reaches =
        |count: usize| count * 100 >= counted.len() * usize::try_from(percent).unwrap_or(100);
    let reason = format!(
        "{capable} of {} can use more than one factor",
        counted.len()
    );
    if !reaches(capable + unseen) {
        return Ok(Decision::fail(reason)
            .affecting(incapable)
            .detail("not_reported", unseen));
    }
    if !reaches(capable) {
        let why = format!("{unseen} of {} users are not in the report", counted.len());
        return Err(Unread::new(
            NotEvaluatedReason::NoObservation,
            REGISTRATIONS,
            why,
        ));
    }
    Ok(Decision::pass(reason))
}

fn admins_phishing_resistant_registered(read: &Reader<'_>) -> Read<Decision> {
    let registrations = read.view::<Registrations>()?;
    let mut without = Vec::new();
    let mut admins = 0_usize;
    for it in registrations.all().filter(|it| it.is_admin == Some(true)) {
        admins += 1;
        let Some(methods) = it.methods_registered.known() else {
            return Err(Unread::malformed(
                REGISTRATIONS,
                "`methodsRegistered` is not there",
            ));
        };
        let excused = it.id.is_in(&read.settings().excluded_users);
        if !excused
            && !methods
                .iter()
                .any(|method| method.is_in(PHISHING_RESISTANT))
        {
            without.push(&it.id);
        }
    }
    if admins == 0 {
        return Ok(Decision::not_applicable(
            "the report names no administrator",
        ));
    }
    let reason = format!(
        "{} of {admins} administrators have no phishing-resistant method",
        without.len()
    );
    Ok(Decision::of(without.is_empty(), reason)
        .affecting(without)
        .confidence(Confidence::Medium))
}

fn sms_voice_only_users(read: &Reader<'_>) -> Read<Decision> {
    let registrations = read.view::<Registrations>()?;
    let users = if read.has(USERS)? {
        let users = read.view::<Users>()?;
        users.asked_enabled()?;
        Some(users)
    } else {
        None
    };
    let mut weak = Vec::new();
    for it in registrations.all() {
        let Some(methods) = it.methods_registered.known() else {
            return Err(Unread::malformed(
                REGISTRATIONS,
                "`methodsRegistered` is not there",
            ));
        };
        let user = users.as_ref().and_then(|users| users.by_id(&it.id));
        let counts =
            user.is_none_or(|user| user.enabled) && !it.id.is_in(&read.settings().excluded_users);
        if counts && !methods.is_empty() && methods.iter().all(|it| it.is_in(INTERCEPTED)) {
            weak.push(&it.id);
        }
    }
    let reason = format!(
        "{} users rely on text messages, calls or e-mail alone",
        weak.len()
    );
    let confidence = if users.is_some() {
        Confidence::High
    } else {
        Confidence::Medium
    };
    Ok(Decision::of(weak.is_empty(), reason)
        .affecting(weak)
        .confidence(confidence))
}

const REGISTERED: Check = Check {
    severity: Severity::High,
    needs: Needs {
        all: &[REGISTRATIONS],
        ..BASE.needs
    },
    affects: Affects::Accounts,
    ..BASE
};

/// Checks of what people registered.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "m365.mfa.users_capable",
        title: "Members can use more than one factor",
        needs: Needs {
            all: &[REGISTRATIONS, USERS],
            ..BASE.needs
        },
        references: &[cis("5.2.3.4"), prowler("entra_users_mfa_capable")],
        level: Some(Level {
            form: LevelForm::Number,
            docs: "how many must be able to, in per cent of the enabled members",
            defaults: &[("", "100")],
        }),
        hint: "Have the users register a factor; a temporary access pass lets them begin.",
        decide: users_capable,
        ..REGISTERED
    },
    Check {
        id: "m365.mfa.admins_capable",
        title: "Administrators can use more than one factor",
        severity: Severity::Critical,
        needs: Needs {
            all: &[REGISTRATIONS, USERS],
            any: &[super::privileged::ASSIGNMENTS],
            also: &[super::privileged::BEHIND],
            ..BASE.needs
        },
        hint: "Have the administrators register a factor.",
        decide: admins_capable,
        ..REGISTERED
    },
    Check {
        id: "m365.mfa.admins_phishing_resistant_registered",
        title: "Administrators registered a phishing-resistant method",
        references: &[prowler(
            "entra_break_glass_account_fido2_security_key_registered",
        )],
        hint: "Give the administrators security keys.",
        decide: admins_phishing_resistant_registered,
        ..REGISTERED
    },
    Check {
        id: "m365.mfa.sms_voice_only_users",
        title: "Nobody relies on text messages or calls alone",
        severity: Severity::Medium,
        needs: Needs {
            all: &[REGISTRATIONS],
            also: &[&[USERS]],
            ..BASE.needs
        },
        hint: "Have the users register an authenticator app or a passkey.",
        decide: sms_voice_only_users,
        ..REGISTERED
    },
];
