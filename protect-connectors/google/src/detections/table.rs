//! The events that matter, each a row: what Google calls it, and how bad it is
//! ([login](https://developers.google.com/workspace/admin/reports/v1/appendix/activity/login),
//! [admin](https://developers.google.com/workspace/admin/reports/v1/appendix/activity/admin-event-names),
//! [token](https://developers.google.com/workspace/admin/reports/v1/appendix/activity/token)).

use protect_core::model::{FindingKind, Severity};

use super::{Spec, ToldBy, When};

/// Attempts to sign in that Google stopped.
pub(super) const BLOCKED: &[&str] = &[
    "suspicious_login",
    "suspicious_login_less_secure_app",
    "suspicious_programmatic_login",
];

const SIGN_IN: Spec = Spec {
    check: "",
    title: "",
    events: &[],
    told_by: ToldBy::Accounts,
    kind: FindingKind::SuspiciousSignIn,
    severity: Severity::High,
    of_admin: Severity::High,
    when: When::Always,
    about: "activities/login",
};

const ADMIN: Spec = Spec {
    told_by: ToldBy::Admin,
    kind: FindingKind::Drift,
    about: "activities/admin",
    ..SIGN_IN
};

/// Every event that matters.
pub(crate) static SPECS: [Spec; 21] = [
    Spec {
        check: "google.event.password_leaked",
        title: "Google stopped an account whose password is known to others",
        events: &["account_disabled_password_leak"],
        kind: FindingKind::CredentialExposure,
        severity: Severity::Critical,
        of_admin: Severity::Critical,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.account_hijacked",
        title: "Google stopped an account that somebody else took over",
        events: &["account_disabled_hijacked"],
        severity: Severity::Critical,
        of_admin: Severity::Critical,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.account_disabled",
        title: "Google stopped an account",
        events: &[
            "account_disabled_generic",
            "account_disabled_spamming",
            "account_disabled_spamming_through_relay",
        ],
        ..SIGN_IN
    },
    Spec {
        check: "google.event.suspicious_login_blocked",
        title: "Google stopped a suspicious attempt to sign in",
        events: BLOCKED,
        severity: Severity::Medium,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.suspicious_login_success",
        title: "A suspicious sign-in succeeded",
        events: &["login_success"],
        when: When::Suspicious,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.government_attack",
        title: "Google believes that a government attacks the account",
        events: &["gov_attack_warning"],
        severity: Severity::Critical,
        of_admin: Severity::Critical,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.session_stolen",
        title: "Google ended a session whose cookie somebody else used",
        events: &["user_signed_out_due_to_suspicious_session_cookie"],
        ..SIGN_IN
    },
    Spec {
        check: "google.event.second_factor_removed",
        title: "An account no longer has a second factor",
        events: &["2sv_disable"],
        of_admin: Severity::Critical,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.advanced_protection_left",
        title: "An account left the Advanced Protection Program",
        events: &["titanium_unenroll"],
        severity: Severity::Medium,
        of_admin: Severity::Medium,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.forwarding_outside",
        title: "Mail is forwarded to another domain",
        events: &["email_forwarding_out_of_domain"],
        kind: FindingKind::InsiderThreat,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.credentials_changed_after_suspicion",
        title: "A password or recovery contact was changed within a day of something suspicious",
        events: &[
            "recovery_email_edit",
            "recovery_phone_edit",
            "password_edit",
        ],
        when: When::AfterSuspicion,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.sensitive_action_blocked",
        title: "Google stopped a sensitive action",
        events: &["risky_sensitive_action_blocked"],
        severity: Severity::Medium,
        of_admin: Severity::Medium,
        ..SIGN_IN
    },
    Spec {
        check: "google.event.sensitive_action_allowed",
        title: "A sensitive action was allowed though it was suspicious",
        events: &["risky_sensitive_action_allowed"],
        ..SIGN_IN
    },
    Spec {
        check: "google.event.admin_role_granted",
        title: "An account became an administrator, or was given another role",
        events: &[
            "GRANT_ADMIN_PRIVILEGE",
            "GRANT_DELEGATED_ADMIN_PRIVILEGES",
            "ASSIGN_ROLE",
        ],
        about: "roles",
        ..ADMIN
    },
    Spec {
        check: "google.event.admin_role_changed",
        title: "A role of administrators was made, or may do more",
        events: &["CREATE_ROLE", "ADD_PRIVILEGE"],
        severity: Severity::Medium,
        of_admin: Severity::Medium,
        about: "roles",
        ..ADMIN
    },
    Spec {
        check: "google.event.delegation_granted",
        title: "A client may act as every account of the domain",
        events: &["AUTHORIZE_API_CLIENT_ACCESS"],
        severity: Severity::Critical,
        of_admin: Severity::Critical,
        about: "domain_wide_delegation",
        ..ADMIN
    },
    Spec {
        check: "google.event.second_factor_removed_by_admin",
        title: "An administrator took an account's second factor away",
        events: &[
            "TURN_OFF_2_STEP_VERIFICATION",
            "UNENROLL_USER_FROM_STRONG_AUTH",
            "UNENROLL_USER_FROM_TITANIUM",
        ],
        kind: FindingKind::SuspiciousSignIn,
        of_admin: Severity::Critical,
        ..ADMIN
    },
    Spec {
        check: "google.event.backup_codes_made",
        title: "An administrator made backup codes for an account",
        events: &["GENERATE_2SV_SCRATCH_CODES"],
        kind: FindingKind::SuspiciousSignIn,
        severity: Severity::Medium,
        ..ADMIN
    },
    Spec {
        check: "google.event.mail_monitored",
        title: "An account's mail is copied to somebody else",
        events: &["CREATE_EMAIL_MONITOR"],
        kind: FindingKind::InsiderThreat,
        ..ADMIN
    },
    Spec {
        check: "google.event.domain_trusted",
        title: "Another domain is trusted",
        events: &["ADD_TRUSTED_DOMAINS"],
        severity: Severity::Medium,
        of_admin: Severity::Medium,
        about: "trusted_domains",
        ..ADMIN
    },
    Spec {
        check: "google.event.far_reaching_grant",
        title: "An application was given access to mail, files, the vault or the administration",
        events: &["authorize"],
        told_by: ToldBy::Token,
        severity: Severity::Medium,
        when: When::FarReaching,
        about: "activities/token",
        ..SIGN_IN
    },
];
