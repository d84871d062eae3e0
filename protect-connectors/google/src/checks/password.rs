//! Passwords: `google.auth.password_*`.

use protect_core::model::Severity;
use protect_core::posture::{Check, Decision, Level, LevelForm, Read, Reader};

use super::property::Expected;
use super::setting::{decide, is, must, word};
use super::table::{OF_SETTINGS, cis, prowler, scuba};

/// Google takes no longer ones.
const LONGEST: u64 = 100;

fn strength(read: &Reader<'_>) -> Read<Decision> {
    decide(
        read,
        &[word(
            "security.password:allowedStrength",
            &["STRONG"],
            &["WEAK", "STRENGTH_UNSPECIFIED"],
        )],
        &[word(
            "Security:Password Management - Enforce strong password",
            &["on"],
            &["off"],
        )],
    )
}

fn length(read: &Reader<'_>) -> Read<Decision> {
    let length = Expected::Number {
        least: read.number()?.into(),
        most: LONGEST,
    };
    decide(
        read,
        &[must("security.password:minimumLength", length)],
        &[must(
            "Security:Password Management - Minimum password length",
            length,
        )],
    )
}

fn enforce_now(read: &Reader<'_>) -> Read<Decision> {
    decide(
        read,
        &[is("security.password:enforceRequirementsAtLogin", true)],
        &[is(
            "Security:Password Management - Enforce password policy at next login",
            true,
        )],
    )
}

fn reuse(read: &Reader<'_>) -> Read<Decision> {
    decide(
        read,
        &[is("security.password:allowReuse", false)],
        &[is(
            "Security:Password Management - Enable password reuse",
            false,
        )],
    )
}

fn no_expiry(read: &Reader<'_>) -> Read<Decision> {
    let never = Expected::Seconds { least: 0, most: 0 };
    decide(
        read,
        &[must("security.password:expirationDuration", never)],
        &[must(
            "Security:Password Management - Password reset frequency",
            never,
        )],
    )
}

const PASSWORD: Check = Check {
    hint: "Set it in the Admin console: Security > Authentication > Password management.",
    ..OF_SETTINGS
};

const PROWLER: &str = "security_password_policy_strong";

/// Checks of passwords.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "google.auth.password_strength",
        title: "Passwords must be strong",
        references: &[
            scuba("GWS.COMMONCONTROLS.5.1"),
            cis("4.1.5.1"),
            prowler(PROWLER),
        ],
        default_compliant: Some(true),
        decide: strength,
        ..PASSWORD
    },
    Check {
        id: "google.auth.password_length",
        title: "Passwords must be long",
        references: &[
            scuba("GWS.COMMONCONTROLS.5.2"),
            scuba("GWS.COMMONCONTROLS.5.3"),
            cis("4.1.5.1"),
            prowler(PROWLER),
        ],
        level: Some(Level {
            form: LevelForm::Number,
            docs: "the fewest characters; 16 are advised",
            defaults: &[("", "12")],
        }),
        decide: length,
        ..PASSWORD
    },
    Check {
        id: "google.auth.password_enforce_now",
        title: "What passwords must be holds from the next sign-in",
        severity: Severity::Low,
        references: &[
            scuba("GWS.COMMONCONTROLS.5.4"),
            cis("4.1.5.1"),
            prowler(PROWLER),
        ],
        decide: enforce_now,
        ..PASSWORD
    },
    Check {
        id: "google.auth.password_reuse",
        title: "Passwords are not used again",
        references: &[
            scuba("GWS.COMMONCONTROLS.5.5"),
            cis("4.1.5.1"),
            prowler(PROWLER),
        ],
        default_compliant: Some(true),
        decide: reuse,
        ..PASSWORD
    },
    Check {
        id: "google.auth.password_no_expiry",
        title: "Passwords do not expire on a schedule",
        severity: Severity::Low,
        references: &[scuba("GWS.COMMONCONTROLS.5.6")],
        default_compliant: Some(true),
        decide: no_expiry,
        ..PASSWORD
    },
];
