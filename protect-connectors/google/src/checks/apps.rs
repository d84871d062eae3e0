//! What applications may do, and what administrators are told: `google.apps.*`, `google.data.*`,
//! `google.alerts.*` and the approval of administrators' changes.

use protect_core::model::{Confidence, Severity, Verdict};
use protect_core::posture::{Check, Decision, Read, Reader};

use super::property::Expected;
use super::setting::{Rule, decide, is, must, word};
use super::table::{OF_POLICIES, OF_SETTINGS, cis, prowler, scuba};

fn google_service_access(read: &Reader<'_>) -> Read<Decision> {
    let services = must(
        "api_controls.google_services:services",
        Expected::NoneEnabled,
    );
    decide(read, &[services], &[])
}

/// The baselines want the opposite of one another.
fn internal_apps(read: &Reader<'_>) -> Read<Decision> {
    let trust = read.profile() == "cis";
    let trusted = word("event:DOMAIN_OWNED_OAUTH2_APPS", &["TRUST"], &["UNTRUST"]);
    let untrusted = word("event:DOMAIN_OWNED_OAUTH2_APPS", &["UNTRUST"], &["TRUST"]);
    decide(
        read,
        &[is("api_controls.internal_apps:trustInternalApps", trust)],
        &[if trust { trusted } else { untrusted }],
    )
}

fn unconfigured_third_party(read: &Reader<'_>) -> Read<Decision> {
    decide(
        read,
        // What UNSPECIFIED_UBER_BLOCK means is not documented, so that it decides nothing.
        &[word(
            "api_controls.unconfigured_third_party_apps:accessLevel",
            &["BLOCK_ALL_SCOPES"],
            &["ALLOW_SIGN_IN_SCOPES_ONLY", "ALLOW_ALL*"],
        )],
        &[word(
            "event:THIRD_PARTY_API_ACCESS",
            &["BLOCK_ALL"],
            &["UNBLOCK_ALL", "SIGN_IN_ONLY"],
        )],
    )
}

fn less_secure_off(read: &Reader<'_>) -> Read<Decision> {
    decide(
        read,
        &[is("security.less_secure_apps:allowLessSecureApps", false)],
        &[word(
            "event:WEAK_PROGRAMMATIC_LOGIN",
            &["DENIED"],
            &["ALLOWED"],
        )],
    )
}

fn marketplace_allowlist(read: &Reader<'_>) -> Read<Decision> {
    const ACCESS: &str = "workspace_marketplace.apps_access_options:accessLevel";
    const INTERNAL: &str = "workspace_marketplace.apps_access_options:allowAllInternalApps";
    const LOG_ACCESS: &str = "Google Workspace Marketplace:Apps Access Setting Allowlist access";
    const LOG_INTERNAL: &str =
        "Google Workspace Marketplace:Apps Access Setting allow_all_internal_apps";
    decide(
        read,
        &[
            word(ACCESS, &["ALLOW_LISTED_APPS", "ALLOW_NONE"], &["ALLOW_ALL"]),
            is(INTERNAL, false).unless(ACCESS, &["ALLOW_NONE"]),
        ],
        &[
            word(
                LOG_ACCESS,
                &["ALLOW_SPECIFIED", "ALLOW_NONE"],
                &["ALLOW_ALL"],
            ),
            is(LOG_INTERNAL, false).unless(LOG_ACCESS, &["ALLOW_NONE"]),
        ],
    )
}

const fn takeout(name: &'static str) -> Rule {
    word(name, &["Disabled"], &["Enabled"])
}

/// Takeout as a whole, and the services that have a switch of their own.
fn takeout_off(read: &Reader<'_>) -> Read<Decision> {
    let decision = decide(
        read,
        &[
            word(
                "takeout.service_status:serviceState",
                &["DISABLED"],
                &["ENABLED"],
            ),
            word("*.user_takeout:takeoutStatus", &["DISABLED"], &["ENABLED"]),
        ],
        &[
            is("service:Google Takeout", false),
            takeout("Blogger:UserTakeoutSettingsProto User Takeout"),
            takeout("Google Books:UserTakeoutSettingsProto User Takeout"),
            takeout("Google Maps:UserTakeoutSettingsProto User Takeout"),
            takeout("Google Pay:UserTakeoutSettingsProto User Takeout"),
            takeout("Google Photos:UserTakeoutSettingsProto User Takeout"),
            takeout("Google Play:UserTakeoutSettingsProto User Takeout"),
            takeout("Google Play Console:UserTakeoutSettingsProto User Takeout"),
            takeout("Timeline - Location History:UserTakeoutSettingsProto User Takeout"),
            takeout("YouTube:UserTakeoutSettingsProto User Takeout"),
        ],
    )?;
    // Which services the policies name is not documented, so that one may be left out.
    Ok(match (decision.verdict, decision.confidence) {
        (Verdict::Pass, Confidence::High) => decision.confidence(Confidence::Medium),
        _ => decision,
    })
}

/// The alert rules that must be on, as the policies and as the log name them.
macro_rules! alert_rules {
    ($($name:literal),+ $(,)?) => {
        const ALERT_POLICIES: &[Rule] =
            &[$(must(concat!("rule.system_defined_alerts:", $name), Expected::SwitchedOn)),+];
        const ALERT_LOG: &[Rule] = &[$(must(concat!("rule:", $name), Expected::SwitchedOn)),+];
    };
}

alert_rules!(
    "User's password changed",
    "Government-backed attacks",
    "User suspended due to suspicious activity",
    "User granted Admin privilege",
    "Suspicious programmatic login",
    "Suspicious login",
    "Leaked password",
    "Gmail potential employee spoofing",
);

fn multi_party_approval(read: &Reader<'_>) -> Read<Decision> {
    decide(
        read,
        &[must(
            "multi_party_approval.require_approvals:multiPartyApprovalState",
            Expected::SwitchedOn,
        )],
        &[must(
            "Multi Party Approval:Multi Party Approval (MPA) Control Multi Party Approval Control",
            Expected::SwitchedOn,
        )],
    )
}

const API_CONTROLS: Check = Check {
    severity: Severity::High,
    hint: "Set it in the Admin console: Security > Access and data control > API controls.",
    ..OF_SETTINGS
};

/// Checks of applications, data and alerts.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "google.apps.google_service_access",
        title: "Applications get no scope of Google's services unasked",
        references: &[
            scuba("GWS.COMMONCONTROLS.10.1"),
            cis("4.2.1.1"),
            prowler("security_app_access_restricted"),
        ],
        decide: google_service_access,
        severity: API_CONTROLS.severity,
        hint: API_CONTROLS.hint,
        ..OF_POLICIES
    },
    Check {
        id: "google.apps.internal_apps",
        title: "Whether own applications are trusted unasked is as the baseline wants it",
        severity: Severity::Medium,
        references: &[
            scuba("GWS.COMMONCONTROLS.10.3"),
            cis("4.2.1.3"),
            prowler("security_internal_apps_trusted"),
        ],
        default_compliant: None,
        decide: internal_apps,
        ..API_CONTROLS
    },
    Check {
        id: "google.apps.unconfigured_third_party",
        title: "Applications that nobody looked at get no access",
        references: &[scuba("GWS.COMMONCONTROLS.10.4"), cis("4.2.1.1")],
        decide: unconfigured_third_party,
        ..API_CONTROLS
    },
    Check {
        id: "google.apps.less_secure_off",
        title: "Applications that ask for the password get no access",
        references: &[
            scuba("GWS.COMMONCONTROLS.10.5"),
            cis("4.2.6.1"),
            prowler("security_less_secure_apps_disabled"),
        ],
        default_compliant: Some(true),
        hint: "Turn them off in the Admin console: Security > Overview > Less secure apps.",
        decide: less_secure_off,
        ..API_CONTROLS
    },
    Check {
        id: "google.apps.marketplace_allowlist",
        title: "Only applications on a list are installed from the Marketplace",
        references: &[
            scuba("GWS.COMMONCONTROLS.11.1"),
            cis("3.1.9.1.1"),
            prowler("marketplace_apps_access_restricted"),
        ],
        hint: "Set it in the Admin console: Apps > Google Workspace Marketplace apps > Settings.",
        decide: marketplace_allowlist,
        ..OF_SETTINGS
    },
    Check {
        id: "google.data.takeout_off",
        title: "Users cannot take their data out",
        references: &[scuba("GWS.COMMONCONTROLS.12.1")],
        hint: "Turn it off in the Admin console: Data > Data import and export > Google Takeout.",
        decide: takeout_off,
        ..OF_SETTINGS
    },
    Check {
        id: "google.alerts.system_rules",
        title: "Administrators are told of attacks and takeovers",
        references: &[
            scuba("GWS.COMMONCONTROLS.13.1"),
            cis("6.1"),
            cis("6.2"),
            cis("6.3"),
            cis("6.4"),
            cis("6.5"),
            cis("6.6"),
            cis("6.7"),
            cis("6.8"),
        ],
        default_compliant: None,
        hint: "Turn the rules on in the Admin console: Rules, type System defined.",
        decide: |read| decide(read, ALERT_POLICIES, ALERT_LOG),
        ..OF_SETTINGS
    },
    Check {
        id: "google.admin.multi_party_approval",
        title: "A second administrator approves sensitive changes",
        references: &[scuba("GWS.COMMONCONTROLS.17.1")],
        hint: "Turn it on in the Admin console: Security > Multi-party approval settings.",
        decide: multi_party_approval,
        ..OF_SETTINGS
    },
];
