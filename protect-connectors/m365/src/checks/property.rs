//! Checks that compare one property of one object.

use protect_core::model::Severity;
use protect_core::posture::{
    Affects, Check, Decision, Level, LevelForm, Needs, Read, Reader, Unread,
};
use serde_json::Value;

use super::table::{BASE, cis, prowler, scuba};
use crate::graph::{ADMIN_CONSENT, AUTHORIZATION};

/// What a property may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    /// This truth value.
    Flag(bool),
    /// One of the first words; the second are known to be wrong. A word that nobody knows decides
    /// nothing.
    Word {
        right: &'static [&'static str],
        wrong: &'static [&'static str],
    },
}

/// Compares the property at a JSON pointer.
pub(super) fn property(
    read: &Reader<'_>,
    path: &'static str,
    pointer: &str,
    expected: Expected,
) -> Read<Decision> {
    compare(&read.one(path)?, path, pointer, expected)
}

/// The same of an object that was read.
pub(super) fn compare(
    object: &Value,
    path: &str,
    pointer: &str,
    expected: Expected,
) -> Read<Decision> {
    let name = pointer.trim_start_matches('/').replace('/', ".");
    let found = object.pointer(pointer).unwrap_or(&Value::Null);
    let holds = match (expected, found) {
        (Expected::Flag(wanted), Value::Bool(found)) => *found == wanted,
        (Expected::Word { right, wrong }, Value::String(found)) => {
            let is_in = |words: &[&str]| words.iter().any(|it| it.eq_ignore_ascii_case(found));
            if !is_in(right) && !is_in(wrong) {
                return Err(Unread::malformed(
                    path,
                    format!("`{name}` has a value that is not known"),
                ));
            }
            is_in(right)
        }
        (_, Value::Null) => return Err(Unread::malformed(path, format!("`{name}` is not there"))),
        _ => {
            return Err(Unread::malformed(
                path,
                format!("`{name}` has an unexpected form"),
            ));
        }
    };
    let found = found
        .as_str()
        .map_or_else(|| found.to_string(), str::to_owned);
    Ok(Decision::of(holds, format!("`{name}` is `{found}`")).detail("observed", found))
}

const AT_AUTHORIZATION: Check = Check {
    needs: Needs {
        all: &[AUTHORIZATION],
        ..BASE.needs
    },
    affects: Affects::Setting(AUTHORIZATION),
    default_compliant: Some(false),
    ..BASE
};

/// Guests as restricted as can be.
const RESTRICTED_GUEST: &str = "2af84b1e-32c8-42b7-82bc-daa82404023b";
/// Guests as Microsoft has them by default.
const LIMITED_GUEST: &str = "10dae51f-b6af-4016-8d66-8c2a99b929b3";
/// Guests with the rights of members.
const MEMBER: &str = "a0b1b346-4d3e-4e8b-98f8-753987be4970";

/// Checks of one property.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "m365.app.user_registration_blocked",
        title: "Users cannot register applications",
        severity: Severity::High,
        references: &[
            scuba("MS.AAD.5.1v1"),
            cis("5.1.2.2"),
            prowler("entra_thirdparty_integrated_apps_not_allowed"),
        ],
        hint: "Set `allowedToCreateApps` of the authorization policy to false.",
        decide: |read| {
            property(
                read,
                AUTHORIZATION,
                "/defaultUserRolePermissions/allowedToCreateApps",
                Expected::Flag(false),
            )
        },
        ..AT_AUTHORIZATION
    },
    Check {
        id: "m365.app.admin_consent_workflow",
        title: "Users can ask an administrator for consent",
        needs: Needs {
            all: &[ADMIN_CONSENT],
            ..BASE.needs
        },
        references: &[
            scuba("MS.AAD.5.3v1"),
            cis("5.1.5.2"),
            prowler("entra_admin_consent_workflow_enabled"),
        ],
        affects: Affects::Setting(ADMIN_CONSENT),
        hint: "Turn the admin consent workflow on and name its reviewers.",
        decide: |read| property(read, ADMIN_CONSENT, "/isEnabled", Expected::Flag(true)),
        ..AT_AUTHORIZATION
    },
    Check {
        id: "m365.guest.access_restricted",
        title: "Guests see little of the directory",
        references: &[
            scuba("MS.AAD.8.1v1"),
            cis("5.1.6.2"),
            prowler("entra_policy_guest_users_access_restrictions"),
        ],
        level: Some(Level {
            form: LevelForm::Words(&["limited", "strict"]),
            docs: "`strict` accepts only guests who see nothing but themselves",
            defaults: &[("", "limited")],
        }),
        default_compliant: Some(true),
        hint: "Set `guestUserRoleId` of the authorization policy to a restricted role.",
        decide: |read| {
            let (right, wrong): (&[_], &[_]) = match read.level()? {
                "strict" => (&[RESTRICTED_GUEST], &[LIMITED_GUEST, MEMBER]),
                _ => (&[RESTRICTED_GUEST, LIMITED_GUEST], &[MEMBER]),
            };
            property(
                read,
                AUTHORIZATION,
                "/guestUserRoleId",
                Expected::Word { right, wrong },
            )
        },
        ..AT_AUTHORIZATION
    },
    Check {
        id: "m365.guest.invite_restricted",
        title: "Only administrators and guest inviters invite guests",
        references: &[
            scuba("MS.AAD.8.2v1"),
            cis("5.1.6.3"),
            prowler("entra_policy_guest_invite_only_for_admin_roles"),
        ],
        hint: "Set `allowInvitesFrom` of the authorization policy to `adminsAndGuestInviters`.",
        decide: |read| {
            let expected = Expected::Word {
                right: &["adminsAndGuestInviters", "none"],
                wrong: &["adminsGuestInvitersAndAllMembers", "everyone"],
            };
            property(read, AUTHORIZATION, "/allowInvitesFrom", expected)
        },
        ..AT_AUTHORIZATION
    },
];
