//! How people sign in: `google.auth.*` but for passwords.

use protect_core::model::Severity;
use protect_core::posture::{Check, Decision, Level, LevelForm, Read, Reader};

use super::property::Expected;
use super::setting::{Rule, decide, is, must, word};
use super::table::{OF_LOG, OF_POLICIES, OF_SETTINGS, cis, prowler, scuba};

/// Where nobody may enrol, nothing else about the second factor has an effect.
const ALLOWED: Rule = is(
    "security.two_step_verification_enrollment:allowEnrollment",
    true,
)
.where_said();
const ALLOWED_IN_LOG: Rule = is("event:ALLOW_STRONG_AUTHENTICATION", true);

const FACTORS: &str = "security.two_step_verification_enforcement_factor:allowedSignInFactorSet";
const FACTORS_IN_LOG: &str = "event:ALLOWED_TWO_STEP_VERIFICATION_METHODS";

const DAY: u64 = 86_400;

fn enforced(read: &Reader<'_>) -> Read<Decision> {
    let enforcement = "security.two_step_verification_enforcement:enforcedFrom";
    decide(
        read,
        &[must(enforcement, Expected::Since), ALLOWED],
        &[
            is("event:ENFORCE_STRONG_AUTHENTICATION", true),
            ALLOWED_IN_LOG,
        ],
    )
}

fn phishing_resistant(read: &Reader<'_>) -> Read<Decision> {
    decide(
        read,
        &[
            word(
                FACTORS,
                &["PASSKEY_ONLY"],
                &["ALL", "NO_TELEPHONY", "PASSKEY_PLUS_*"],
            ),
            ALLOWED,
        ],
        &[
            word(
                FACTORS_IN_LOG,
                &["ONLY_SECURITY_KEY"],
                &["ANY", "NO_TELEPHONY*"],
            ),
            ALLOWED_IN_LOG.where_said(),
        ],
    )
}

fn no_telephony(read: &Reader<'_>) -> Read<Decision> {
    decide(
        read,
        &[
            word(
                FACTORS,
                &["NO_TELEPHONY", "PASSKEY_ONLY", "PASSKEY_PLUS_*"],
                &["ALL"],
            ),
            ALLOWED,
        ],
        &[
            word(
                FACTORS_IN_LOG,
                &["ONLY_SECURITY_KEY", "NO_TELEPHONY*"],
                &["ANY"],
            ),
            ALLOWED_IN_LOG.where_said(),
        ],
    )
}

fn enrollment_window(read: &Reader<'_>) -> Read<Decision> {
    let window = Expected::Seconds {
        least: DAY,
        most: 7 * DAY,
    };
    decide(
        read,
        &[
            must(
                "security.two_step_verification_grace_period:enrollmentGracePeriod",
                window,
            ),
            ALLOWED,
        ],
        &[
            must(
                "event:TWO_STEP_VERIFICATION_ENROLLMENT_PERIOD_DURATION",
                window,
            ),
            ALLOWED_IN_LOG.where_said(),
        ],
    )
}

fn no_device_trust(read: &Reader<'_>) -> Read<Decision> {
    let trust = "security.two_step_verification_device_trust:allowTrustingDevice";
    decide(
        read,
        &[is(trust, false), ALLOWED],
        &[
            word(
                "event:TWO_STEP_VERIFICATION_FREQUENCY",
                &["DISABLE_USERS_TO_TRUST_DEVICE"],
                &["ENABLE_USERS_TO_TRUST_DEVICE"],
            ),
            ALLOWED_IN_LOG.where_said(),
        ],
    )
}

fn session_length(read: &Reader<'_>) -> Read<Decision> {
    let length = Expected::Seconds {
        least: 1,
        most: u64::from(read.number()?) * 3_600,
    };
    decide(
        read,
        &[must("security.session_controls:webSessionDuration", length)],
        &[must(
            "Security:Session management settings - Session length in seconds",
            length,
        )],
    )
}

fn super_admin_recovery_off(read: &Reader<'_>) -> Read<Decision> {
    decide(
        read,
        &[is(
            "security.super_admin_account_recovery:enableAccountRecovery",
            false,
        )],
        &[is(
            "Security:AdminAccountRecoverySettingsProto Enable admin account recovery",
            false,
        )],
    )
}

/// The baselines want the opposite of one another.
fn user_recovery(read: &Reader<'_>) -> Read<Decision> {
    let wanted = read.profile() == "cis";
    let recovery = "security.user_account_recovery:enableAccountRecovery";
    decide(read, &[is(recovery, wanted)], &[])
}

/// Checks of how people sign in.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "google.auth.2sv_enforced_policy",
        title: "A second factor is enforced by policy",
        severity: Severity::High,
        references: &[
            scuba("GWS.COMMONCONTROLS.1.2"),
            cis("4.1.1.3"),
            prowler("security_2sv_enforced"),
        ],
        hint: "Enforce it in the Admin console: Security > Authentication > 2-step verification.",
        decide: enforced,
        ..OF_SETTINGS
    },
    Check {
        id: "google.auth.2sv_phishing_resistant",
        title: "Only passkeys and security keys do as a second factor",
        severity: Severity::High,
        references: &[
            scuba("GWS.COMMONCONTROLS.1.1"),
            cis("4.1.1.2"),
            prowler("security_2sv_hardware_keys_admins"),
        ],
        hint: "Choose the methods in the Admin console: Security > Authentication > 2-step verification.",
        decide: phishing_resistant,
        ..OF_SETTINGS
    },
    Check {
        id: "google.auth.2sv_no_telephony",
        title: "Codes by text message and call do not do as a second factor",
        severity: Severity::High,
        references: &[scuba("GWS.COMMONCONTROLS.1.3"), cis("4.1.1.2")],
        hint: "Choose the methods in the Admin console: Security > Authentication > 2-step verification.",
        decide: no_telephony,
        ..OF_SETTINGS
    },
    Check {
        id: "google.auth.2sv_enrollment_window",
        title: "New users have between a day and a week to enrol a second factor",
        references: &[scuba("GWS.COMMONCONTROLS.1.4")],
        hint: "Set the enrolment period in the Admin console: Security > Authentication > 2-step verification.",
        decide: enrollment_window,
        ..OF_SETTINGS
    },
    Check {
        id: "google.auth.2sv_no_device_trust",
        title: "No device is spared the second factor",
        references: &[scuba("GWS.COMMONCONTROLS.1.5")],
        hint: "Do not let users trust devices, in the Admin console: Security > Authentication > 2-step verification.",
        decide: no_device_trust,
        ..OF_SETTINGS
    },
    Check {
        id: "google.auth.context_aware_access",
        title: "Access depends on device and place",
        references: &[scuba("GWS.COMMONCONTROLS.2.1")],
        hint: "Turn it on in the Admin console: Security > Access and data control > Context-Aware Access.",
        decide: |read| {
            let toggle = word("event:TOGGLE_CAA_ENABLEMENT", &["ENABLED"], &["DISABLED"]);
            decide(read, &[], &[toggle])
        },
        ..OF_LOG
    },
    Check {
        id: "google.auth.post_sso_verification",
        title: "Who comes from another identity provider is challenged too",
        // CIS and Prowler have a near rule, not the same.
        references: &[
            scuba("GWS.COMMONCONTROLS.3.1"),
            cis("4.1.4.1"),
            prowler("security_login_challenges_configured"),
        ],
        hint: "Turn it on in the Admin console: Security > Authentication > Login challenges.",
        decide: |read| {
            let behaviour = word(
                "Security:SsoPolicyProto challenge_selection_behavior",
                &["PERFORM_CHALLENGE_SELECTION"],
                &["BYPASS_ADDITIONAL_CHALLENGES"],
            );
            decide(read, &[], &[behaviour])
        },
        ..OF_LOG
    },
    Check {
        id: "google.auth.session_length",
        title: "Sessions in the browser are short",
        references: &[
            scuba("GWS.COMMONCONTROLS.4.1"),
            cis("4.2.4.1"),
            prowler("security_session_duration_limited"),
        ],
        level: Some(Level {
            form: LevelForm::Number,
            docs: "the longest session, in hours",
            defaults: &[("", "12")],
        }),
        hint: "Set it in the Admin console: Security > Access and data control > Google session control.",
        decide: session_length,
        ..OF_SETTINGS
    },
    Check {
        id: "google.auth.super_admin_recovery_off",
        title: "Super administrators cannot recover their accounts by themselves",
        severity: Severity::High,
        references: &[
            scuba("GWS.COMMONCONTROLS.8.1"),
            cis("4.1.2.1"),
            prowler("security_super_admin_recovery_disabled"),
        ],
        hint: "Turn it off in the Admin console: Security > Authentication > Account recovery.",
        decide: super_admin_recovery_off,
        ..OF_SETTINGS
    },
    Check {
        id: "google.auth.user_recovery",
        title: "Whether users can recover their accounts by themselves is as the baseline wants it",
        severity: Severity::Low,
        references: &[
            scuba("GWS.COMMONCONTROLS.8.2"),
            cis("4.1.2.2"),
            prowler("security_user_recovery_enabled"),
        ],
        default_compliant: None,
        hint: "Set it in the Admin console: Security > Authentication > Account recovery.",
        decide: user_recovery,
        ..OF_POLICIES
    },
];
