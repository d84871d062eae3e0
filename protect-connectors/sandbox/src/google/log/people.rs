//! The logs of what people do: signing in, granting apps access, changing their accounts.

use super::template::{
    Given::{Actor, Flag, Many, Moment, Text},
    Template,
};

const LOGIN_TYPES: &[&str] = &["google_password", "google_password", "reauth", "saml"];

pub(super) const LOGIN: &[Template] = &[
    Template::new(
        600,
        "login",
        "login_success",
        &[
            Text("login_type", LOGIN_TYPES),
            Many("login_challenge_method", &["password", "security_key"]),
            Flag("is_suspicious", false),
        ],
    ),
    Template::new(
        120,
        "login",
        "login_failure",
        &[
            Text("login_type", LOGIN_TYPES),
            Many("login_challenge_method", &["password"]),
        ],
    ),
    Template::new(
        150,
        "login",
        "login_challenge",
        &[
            Text("login_type", LOGIN_TYPES),
            Text(
                "login_challenge_status",
                &["Challenge Passed.", "Challenge Failed."],
            ),
            Many("login_challenge_method", &["google_authenticator"]),
        ],
    ),
    Template::new(
        100,
        "login",
        "login_verification",
        &[
            Text("login_type", LOGIN_TYPES),
            Flag("is_second_factor", true),
        ],
    ),
    Template::new(120, "login", "logout", &[Text("login_type", LOGIN_TYPES)]),
    Template::new(
        4,
        "account_warning",
        "suspicious_login",
        &[Actor("affected_email_address"), Moment("login_timestamp")],
    ),
    Template::new(
        2,
        "account_warning",
        "suspicious_login_less_secure_app",
        &[Actor("affected_email_address"), Moment("login_timestamp")],
    ),
    Template::new(
        1,
        "account_warning",
        "suspicious_programmatic_login",
        &[Actor("affected_email_address"), Moment("login_timestamp")],
    ),
    Template::new(3, "passkey_change", "passkey_enrolled", &[]),
];

pub(super) const TOKEN: &[Template] = &[
    Template::new(
        60,
        "auth",
        "authorize",
        &[
            Text("app_name", &["Calendar Helper", "Survey Tool"]),
            Text(
                "client_id",
                &["610055443322-helper.apps.googleusercontent.com"],
            ),
            Text("client_type", &["WEB"]),
            Many(
                "scope",
                &[
                    "openid",
                    "https://www.googleapis.com/auth/calendar.readonly",
                ],
            ),
        ],
    ),
    Template::new(
        4,
        "auth",
        "authorize",
        &[
            Text("app_name", &["Mail Exporter"]),
            Text(
                "client_id",
                &["720066554433-mail.apps.googleusercontent.com"],
            ),
            Text("client_type", &["NATIVE_DESKTOP"]),
            Many("scope", &["https://mail.google.com/"]),
        ],
    ),
    Template::new(
        20,
        "auth",
        "revoke",
        &[
            Text("app_name", &["Survey Tool"]),
            Text(
                "client_id",
                &["830077665544-survey.apps.googleusercontent.com"],
            ),
            Text("client_type", &["WEB"]),
        ],
    ),
];

pub(super) const ACCOUNTS: &[Template] = &[
    Template::new(40, "2sv_change", "2sv_enroll", &[]),
    Template::new(30, "password_change", "password_edit", &[]),
    Template::new(15, "recovery_info_change", "recovery_email_edit", &[]),
    Template::new(15, "recovery_info_change", "recovery_phone_edit", &[]),
];
