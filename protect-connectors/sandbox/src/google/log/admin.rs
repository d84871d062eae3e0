//! The log of administrators: settings, services, roles and accounts that they changed.

use super::template::{
    Given::{Somebody, Text, Unit},
    Template,
};
use crate::google::users::{SUBJECT, Users};

const ON_OFF: &[&str] = &["true", "false"];
const SETTING: &str = "APPLICATION_SETTINGS";
const SECURITY: &str = "SECURITY_SETTINGS";

/// Who acts: administrators that are no people of the cast, now and then an unlucky one.
pub(super) fn actor(drawn: usize, users: &Users) -> usize {
    match drawn % 20 {
        0 => 0,
        1 => users.dormant_admin.unwrap_or(SUBJECT),
        _ => SUBJECT,
    }
}

macro_rules! setting {
    ($weight:expr, $event:expr, $application:expr, $setting:expr, $values:expr) => {
        Template::new(
            $weight,
            SETTING,
            $event,
            &[
                Text("APPLICATION_NAME", &[$application]),
                Text("SETTING_NAME", &[$setting]),
                Text("NEW_VALUE", $values),
                Unit,
            ],
        )
    };
}

macro_rules! security {
    ($weight:expr, $event:expr, $values:expr) => {
        Template::new(
            $weight,
            SECURITY,
            $event,
            &[Text("NEW_VALUE", $values), Unit],
        )
    };
}

macro_rules! about_user {
    ($weight:expr, $event:expr) => {
        Template::new($weight, "USER_SETTINGS", $event, &[Somebody("USER_EMAIL")])
    };
}

/// Names and values as the log has them; the settings are those that checks look for.
pub(super) const TEMPLATES: &[Template] = &[
    setting!(
        8,
        "CHANGE_APPLICATION_SETTING",
        "Security",
        "Password Management - Enforce strong password",
        &["on", "off"]
    ),
    setting!(
        8,
        "CHANGE_APPLICATION_SETTING",
        "Security",
        "Password Management - Minimum password length",
        &["8", "12", "16"]
    ),
    setting!(
        6,
        "CHANGE_APPLICATION_SETTING",
        "Security",
        "Password Management - Enable password reuse",
        ON_OFF
    ),
    setting!(
        6,
        "CHANGE_APPLICATION_SETTING",
        "Security",
        "Session management settings - Session length in seconds",
        &["43200", "63072000"]
    ),
    setting!(
        6,
        "CREATE_APPLICATION_SETTING",
        "Security",
        "AdminAccountRecoverySettingsProto Enable admin account recovery",
        ON_OFF
    ),
    setting!(
        4,
        "DELETE_APPLICATION_SETTING",
        "Security",
        "Session management settings - Session length in seconds",
        &["INHERIT_FROM_PARENT"]
    ),
    setting!(
        6,
        "CHANGE_APPLICATION_SETTING",
        "Google Workspace Marketplace",
        "Apps Access Setting Allowlist access",
        &["ALLOW_ALL", "ALLOW_SPECIFIED"]
    ),
    Template::new(
        10,
        "DOCS_SETTINGS",
        "CHANGE_DOCS_SETTING",
        &[
            Text("SETTING_NAME", &["SHARING_OUTSIDE_DOMAIN"]),
            Text(
                "NEW_VALUE",
                &[
                    "SHARING_ALLOWED_WITH_WARNING",
                    "TRUSTED_DOMAINS_ALLOWED_WITH_WARNING",
                    "SHARING_NOT_ALLOWED",
                ],
            ),
            Unit,
        ],
    ),
    Template::new(
        6,
        "DOCS_SETTINGS",
        "CHANGE_DOCS_SETTING",
        &[
            Text("SETTING_NAME", &["PUBLISHING_TO_WEB"]),
            Text("NEW_VALUE", &["ALLOWED", "NOT_ALLOWED"]),
            Unit,
        ],
    ),
    Template::new(
        6,
        "CALENDAR_SETTINGS",
        "CHANGE_CALENDAR_SETTING",
        &[
            Text("SETTING_NAME", &["SHARING_OUTSIDE_DOMAIN"]),
            Text(
                "NEW_VALUE",
                &["SHOW_ONLY_FREE_BUSY_INFORMATION", "READ_ONLY_ACCESS"],
            ),
            Unit,
        ],
    ),
    Template::new(
        6,
        "EMAIL_SETTINGS",
        "CHANGE_EMAIL_SETTING",
        &[
            Text("SETTING_NAME", &["ENABLE_EMAIL_AUTOFORWARDING"]),
            Text("NEW_VALUE", ON_OFF),
            Unit,
        ],
    ),
    Template::new(
        6,
        "EMAIL_SETTINGS",
        "CHANGE_GMAIL_SETTING",
        &[
            Text(
                "SETTING_NAME",
                &[
                    "Links and external images safety Enable: scan linked images",
                    "Attachment safety Enable: protect against attachments with scripts from \
                     untrusted senders",
                    "Spoofing and authentication safety Enable: protect against spoofing of \
                     employee names",
                ],
            ),
            Text("NEW_VALUE", ON_OFF),
            Unit,
        ],
    ),
    Template::new(
        6,
        SETTING,
        "TOGGLE_SERVICE_ENABLED",
        &[
            Text("SERVICE_NAME", &["Google Takeout", "Google Photos"]),
            Text("NEW_VALUE", ON_OFF),
            Unit,
        ],
    ),
    security!(4, "TOGGLE_CAA_ENABLEMENT", &["ENABLED", "DISABLED"]),
    security!(6, "ALLOW_STRONG_AUTHENTICATION", &["true"]),
    security!(6, "ENFORCE_STRONG_AUTHENTICATION", ON_OFF),
    security!(
        6,
        "CHANGE_TWO_STEP_VERIFICATION_ENROLLMENT_PERIOD_DURATION",
        &["1 day", "1 week", "2 weeks"]
    ),
    security!(
        4,
        "CHANGE_TWO_STEP_VERIFICATION_FREQUENCY",
        &[
            "DISABLE_USERS_TO_TRUST_DEVICE",
            "ENABLE_USERS_TO_TRUST_DEVICE"
        ]
    ),
    security!(
        4,
        "WEAK_PROGRAMMATIC_LOGIN_SETTINGS_CHANGED",
        &["DENIED", "ALLOWED"]
    ),
    // The value is where an older form of the event has it.
    Template::new(
        6,
        SECURITY,
        "CHANGE_ALLOWED_TWO_STEP_VERIFICATION_METHODS",
        &[
            Text(
                "ALLOWED_TWO_STEP_VERIFICATION_METHOD",
                &["ANY", "NO_TELEPHONY", "ONLY_SECURITY_KEY"],
            ),
            Unit,
        ],
    ),
    Template::new(4, SECURITY, "UNTRUST_DOMAIN_OWNED_OAUTH2_APPS", &[Unit]),
    Template::new(4, SECURITY, "BLOCK_ALL_THIRD_PARTY_API_ACCESS", &[Unit]),
    Template::new(
        6,
        "SYSTEM_DEFINED_RULE",
        "SYSTEM_DEFINED_RULE_UPDATED",
        &[
            Text(
                "SYSTEM_DEFINED_RULE_NAME",
                &[
                    "Leaked password",
                    "Suspicious login",
                    "Government-backed attacks",
                ],
            ),
            Text(
                "SYSTEM_DEFINED_RULE_ACTION_STATUS_CHANGE",
                &["OFF -> ON", "ON -> OFF"],
            ),
        ],
    ),
    Template::new(
        8,
        "DELEGATED_ADMIN_SETTINGS",
        "ASSIGN_ROLE",
        &[
            Text("ROLE_NAME", &["_HELP_DESK_ADMIN_ROLE", "Security Auditor"]),
            Somebody("USER_EMAIL"),
        ],
    ),
    Template::new(
        1,
        "DOMAIN_SETTINGS",
        "AUTHORIZE_API_CLIENT_ACCESS",
        &[
            Text("API_CLIENT_NAME", &["105611223344556677889"]),
            Text("API_SCOPES", &["https://www.googleapis.com/auth/drive"]),
        ],
    ),
    about_user!(300, "CREATE_USER"),
    about_user!(220, "CHANGE_PASSWORD"),
    about_user!(120, "CHANGE_RECOVERY_EMAIL"),
    about_user!(80, "SUSPEND_USER"),
    about_user!(40, "UNSUSPEND_USER"),
    about_user!(10, "TURN_OFF_2_STEP_VERIFICATION"),
    about_user!(10, "GENERATE_2SV_SCRATCH_CODES"),
    about_user!(2, "GRANT_ADMIN_PRIVILEGE"),
];
