//! Sharing files: `google.drive.*`.

use protect_core::model::Severity;
use protect_core::posture::{Check, Decision, Read, Reader};

use super::setting::{decide_of, is, word};
use super::table::{OF_SETTINGS, cis, prowler, scuba};

const SERVICE: &str = "drive_and_docs";
const MODE: &str = "drive_and_docs.external_sharing:externalSharingMode";
const LOG_MODE: &str = "Drive and Docs:SHARING_OUTSIDE_DOMAIN";

fn external_sharing(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[word(
            MODE,
            &["ALLOWLISTED_DOMAINS", "DISALLOWED"],
            &["ALLOWED"],
        )],
        &[word(
            LOG_MODE,
            &[
                "SHARING_NOT_ALLOWED",
                "SHARING_NOT_ALLOWED_BUT_MAY_RECEIVE_FILES",
                "TRUSTED_DOMAINS_ALLOWED*",
            ],
            &["SHARING_ALLOWED*"],
        )],
    )
}

/// Each way of sharing has a warning of its own.
fn sharing_warning(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[
            is(
                "drive_and_docs.external_sharing:warnForExternalSharing",
                true,
            )
            .unless(MODE, &["ALLOWLISTED_DOMAINS", "DISALLOWED"]),
            is(
                "drive_and_docs.external_sharing:warnForSharingOutsideAllowlistedDomains",
                true,
            )
            .unless(MODE, &["ALLOWED", "DISALLOWED"]),
        ],
        &[word(
            LOG_MODE,
            &[
                "*_WITH_WARNING",
                "SHARING_NOT_ALLOWED",
                "SHARING_NOT_ALLOWED_BUT_MAY_RECEIVE_FILES",
            ],
            &["SHARING_ALLOWED*", "TRUSTED_DOMAINS_ALLOWED*"],
        )],
    )
}

fn publish_off(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[is(
            "drive_and_docs.external_sharing:allowPublishingFiles",
            false,
        )],
        &[word(
            "Drive and Docs:PUBLISHING_TO_WEB",
            &["NOT_ALLOWED"],
            &["ALLOWED"],
        )],
    )
}

fn access_checker(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[word(
            "drive_and_docs.external_sharing:accessCheckerSuggestions",
            &["RECIPIENTS_ONLY"],
            &["RECIPIENTS_OR_AUDIENCE", "RECIPIENTS_OR_AUDIENCE_OR_PUBLIC"],
        )],
        &[word(
            "Drive and Docs:SHARING_ACCESS_CHECKER_OPTIONS",
            &["NAMED_PARTIES_ONLY"],
            &["DOMAIN_OR_NAMED_PARTIES", "ALL"],
        )],
    )
}

fn default_private(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[word(
            "drive_and_docs.general_access_default:defaultFileAccess",
            // Google's own table of defaults calls it by the second name.
            &["PRIVATE_TO_OWNER", "LINK_SHARING_PRIVATE"],
            &["PRIMARY_AUDIENCE_WITH_LINK*"],
        )],
        &[word(
            "Drive and Docs:DEFAULT_LINK_SHARING_FOR_NEW_DOCS",
            &["PRIVATE"],
            &["PEOPLE_WITH_LINK*", "PUBLIC*", "*_WITH_LINK"],
        )],
    )
}

fn shared_drive_override(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[is(
            "drive_and_docs.shared_drive_creation:allowManagersToOverrideSettings",
            false,
        )],
        &[is(
            "Drive and Docs:Shared Drive Creation new_team_drive_admin_only",
            true,
        )],
    )
}

const DRIVE: Check = Check {
    hint: "Set it in the Admin console: Apps > Google Workspace > Drive and Docs > Sharing settings.",
    ..OF_SETTINGS
};

/// Checks of sharing files.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "google.drive.external_sharing",
        title: "Files are shared with known domains at most",
        severity: Severity::High,
        references: &[
            scuba("GWS.DRIVEDOCS.1.1"),
            cis("3.1.2.1.1.3"),
            prowler("drive_sharing_allowlisted_domains"),
        ],
        decide: external_sharing,
        ..DRIVE
    },
    Check {
        id: "google.drive.sharing_warning",
        title: "Users are warned before they share with others",
        references: &[
            scuba("GWS.DRIVEDOCS.1.3"),
            cis("3.1.2.1.1.1"),
            cis("3.1.2.1.1.4"),
            prowler("drive_external_sharing_warn_users"),
            prowler("drive_warn_sharing_with_allowlisted_domains"),
        ],
        default_compliant: Some(true),
        decide: sharing_warning,
        ..DRIVE
    },
    Check {
        id: "google.drive.publish_off",
        title: "Files are not published on the web",
        severity: Severity::High,
        references: &[
            scuba("GWS.DRIVEDOCS.1.5"),
            cis("3.1.2.1.1.2"),
            prowler("drive_publishing_files_disabled"),
        ],
        decide: publish_off,
        ..DRIVE
    },
    Check {
        id: "google.drive.access_checker",
        title: "Access is proposed for the recipients alone",
        severity: Severity::Low,
        references: &[
            scuba("GWS.DRIVEDOCS.1.6"),
            cis("3.1.2.1.1.5"),
            prowler("drive_access_checker_recipients_only"),
        ],
        decide: access_checker,
        ..DRIVE
    },
    Check {
        id: "google.drive.default_private",
        title: "New files are private",
        references: &[scuba("GWS.DRIVEDOCS.1.8")],
        default_compliant: Some(true),
        decide: default_private,
        ..DRIVE
    },
    Check {
        id: "google.drive.shared_drive_override",
        title: "Managers of shared drives cannot override the settings",
        severity: Severity::Low,
        references: &[
            scuba("GWS.DRIVEDOCS.2.1"),
            cis("3.1.2.1.2.2"),
            prowler("drive_shared_drive_managers_cannot_override"),
        ],
        decide: shared_drive_override,
        ..DRIVE
    },
];
