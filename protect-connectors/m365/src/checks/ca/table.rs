//! The table of `m365.ca.*`.

use protect_core::model::Severity;
use protect_core::posture::{Affects, Check, Level, LevelForm, Needs};

use super::super::roles::{ADMINISTRATIVE, PRIVILEGED};
use super::super::table::{BASE, P2, cis, cis4, prowler, scuba};
use super::{STRENGTHS, Want, hygiene, or_security_defaults, some_policy};
use crate::graph::{CA, NAMED_LOCATIONS, OBJECTS, ROLE_DEFINITIONS, SECURITY_DEFAULTS};

/// A check over the policies alone.
const OVER: Check = Check {
    needs: needs(&[CA], &[STRENGTHS]),
    affects: Affects::Setting(CA),
    default_compliant: Some(false),
    ..BASE
};

/// One that security defaults satisfy too.
const OVER_DEFAULTS: Check = Check {
    needs: needs(&[CA], &[STRENGTHS, &[SECURITY_DEFAULTS]]),
    default_compliant: None,
    ..OVER
};

/// One whose failures are policies.
const ABOUT: Check = Check {
    affects: Affects::Objects(CA),
    default_compliant: None,
    ..OVER
};

const fn needs(all: &'static [&'static str], also: &'static [&'static [&'static str]]) -> Needs {
    Needs {
        all,
        also,
        ..BASE.needs
    }
}

/// The service behind Azure's management interfaces. Its id is stated by no document we could read.
const AZURE_MANAGEMENT: &str = "797f4846-ba00-4fd7-ba43-dac1f8f63013";

/// Microsoft 365's checks of Conditional Access.
pub(in crate::checks) const CHECKS: &[Check] = &[
    Check {
        id: "m365.ca.legacy_auth_blocked",
        title: "Legacy authentication is blocked",
        severity: Severity::Critical,
        references: &[
            scuba("MS.AAD.1.1v1"),
            cis("5.2.2.3"),
            prowler("entra_legacy_authentication_blocked"),
        ],
        hint: "Create a Conditional Access policy that blocks Exchange ActiveSync and other clients for all users.",
        decide: |read| {
            let clients = &["other", "exchangeActiveSync"];
            let wants = [
                Want::Everyone,
                Want::AllApps,
                Want::ClientApps(clients),
                Want::Block,
            ];
            or_security_defaults(read, some_policy(read, &wants))
        },
        ..OVER_DEFAULTS
    },
    Check {
        id: "m365.ca.mfa_all_users",
        title: "More than one factor is required of all users for all applications",
        severity: Severity::Critical,
        references: &[
            scuba("MS.AAD.3.2v2"),
            cis("5.2.2.2"),
            prowler("entra_users_mfa_enabled"),
        ],
        hint: "Create a Conditional Access policy that requires multifactor authentication of all users for all applications.",
        decide: |read| {
            let wants = [Want::Everyone, Want::AllApps, Want::Mfa];
            or_security_defaults(read, some_policy(read, &wants))
        },
        ..OVER_DEFAULTS
    },
    Check {
        id: "m365.ca.phishing_resistant_all",
        title: "Phishing-resistant factors are required of all users",
        severity: Severity::Medium,
        references: &[scuba("MS.AAD.3.1v1")],
        hint: "Require an authentication strength that allows only phishing-resistant factors.",
        decide: |read| {
            some_policy(
                read,
                &[Want::Everyone, Want::AllApps, Want::PhishingResistant],
            )
        },
        ..OVER
    },
    Check {
        id: "m365.ca.mfa_admins",
        title: "More than one factor is required of administrators",
        severity: Severity::Critical,
        references: &[cis("5.2.2.1"), prowler("entra_admin_users_mfa_enabled")],
        hint: "Create a Conditional Access policy that requires multifactor authentication of the administrative roles.",
        decide: |read| {
            some_policy(
                read,
                &[Want::Holders(ADMINISTRATIVE), Want::AllApps, Want::Mfa],
            )
        },
        ..OVER
    },
    Check {
        id: "m365.ca.phishing_resistant_admins",
        title: "Phishing-resistant factors are required of privileged roles",
        severity: Severity::High,
        references: &[
            scuba("MS.AAD.3.6v1"),
            cis("5.2.2.5"),
            prowler("entra_admin_users_phishing_resistant_mfa_enabled"),
        ],
        hint: "Require a phishing-resistant authentication strength of the privileged roles.",
        decide: |read| {
            some_policy(
                read,
                &[
                    Want::Holders(PRIVILEGED),
                    Want::AllApps,
                    Want::PhishingResistant,
                ],
            )
        },
        ..OVER
    },
    Check {
        id: "m365.ca.high_user_risk_blocked",
        title: "Users at high risk are blocked",
        severity: Severity::High,
        licences: P2,
        references: &[
            scuba("MS.AAD.2.1v1"),
            cis("5.2.2.6"),
            prowler("entra_identity_protection_user_risk_enabled"),
        ],
        level: Some(Level {
            form: LevelForm::Words(&["block", "mfa_and_password_change"]),
            docs: "what high risk must lead to",
            defaults: &[
                ("cis", "mfa_and_password_change"),
                ("prowler", "mfa_and_password_change"),
                ("", "block"),
            ],
        }),
        hint: "Create a Conditional Access policy for high user risk.",
        decide: |read| {
            let demand = if read.level()? == "block" {
                Want::Block
            } else {
                Want::MfaAndPasswordChange
            };
            some_policy(
                read,
                &[Want::Everyone, Want::AllApps, Want::HighUserRisk, demand],
            )
        },
        ..OVER
    },
    Check {
        id: "m365.ca.high_signin_risk_blocked",
        title: "Sign-ins at high risk are blocked",
        severity: Severity::High,
        licences: P2,
        references: &[
            scuba("MS.AAD.2.3v1"),
            cis("5.2.2.7"),
            cis("5.2.2.8"),
            prowler("entra_identity_protection_sign_in_risk_enabled"),
            prowler("entra_conditional_access_policy_block_high_medium_sign_in_risk"),
        ],
        level: Some(Level {
            form: LevelForm::Words(&["block", "mfa"]),
            docs: "what high risk must lead to at least",
            defaults: &[("cis", "mfa"), ("prowler", "mfa"), ("", "block")],
        }),
        hint: "Create a Conditional Access policy for high sign-in risk.",
        decide: |read| {
            let demand = if read.level()? == "block" {
                Want::Block
            } else {
                Want::MfaOrBlock
            };
            some_policy(
                read,
                &[Want::Everyone, Want::AllApps, Want::HighSignInRisk, demand],
            )
        },
        ..OVER
    },
    Check {
        id: "m365.ca.managed_device_required",
        title: "A managed device is required",
        severity: Severity::Medium,
        references: &[
            scuba("MS.AAD.3.7v1"),
            cis("5.2.2.9"),
            prowler("entra_managed_device_required_for_authentication"),
        ],
        hint: "Require a compliant or a hybrid joined device of all users.",
        decide: |read| {
            some_policy(
                read,
                &[Want::Everyone, Want::AllApps, Want::ManagedDeviceAlone],
            )
        },
        ..OVER
    },
    Check {
        id: "m365.ca.managed_device_mfa_registration",
        title: "A managed device is required to register factors",
        severity: Severity::Medium,
        references: &[
            scuba("MS.AAD.3.8v1"),
            cis("5.2.2.10"),
            prowler("entra_managed_device_required_for_mfa_registration"),
        ],
        hint: "Require a managed device for the user action of registering security information.",
        decide: |read| {
            let registering = Want::UserAction("urn:user:registersecurityinfo");
            some_policy(read, &[Want::Everyone, registering, Want::ManagedDevice])
        },
        ..OVER
    },
    Check {
        id: "m365.ca.device_code_blocked",
        title: "The device code flow is blocked",
        severity: Severity::High,
        references: &[
            scuba("MS.AAD.3.9v1"),
            cis("5.2.2.12"),
            prowler("entra_conditional_access_policy_device_code_flow_blocked"),
        ],
        hint: "Create a Conditional Access policy that blocks the device code flow.",
        decide: |read| {
            some_policy(
                read,
                &[
                    Want::Everyone,
                    Want::AllApps,
                    Want::Transfer("deviceCodeFlow"),
                    Want::Block,
                ],
            )
        },
        ..OVER
    },
    Check {
        id: "m365.ca.auth_transfer_blocked",
        title: "Authentication transfer is blocked",
        severity: Severity::Medium,
        references: &[
            cis("5.2.2.17"),
            prowler("entra_conditional_access_policy_authentication_transfer_blocked"),
        ],
        hint: "Create a Conditional Access policy that blocks authentication transfer.",
        decide: |read| {
            some_policy(
                read,
                &[
                    Want::Everyone,
                    Want::AllApps,
                    Want::Transfer("authenticationTransfer"),
                    Want::Block,
                ],
            )
        },
        ..OVER
    },
    Check {
        id: "m365.ca.guest_mfa",
        title: "More than one factor is required of guests",
        severity: Severity::High,
        references: &[prowler(
            "entra_conditional_access_policy_mfa_enforced_for_guest_users",
        )],
        hint: "Require multifactor authentication of every type of guest.",
        decide: |read| some_policy(read, &[Want::Guests, Want::AllApps, Want::Mfa]),
        ..OVER
    },
    Check {
        id: "m365.ca.azure_mgmt_mfa",
        title: "More than one factor is required to manage Azure",
        severity: Severity::High,
        references: &[prowler(
            "entra_conditional_access_policy_require_mfa_for_management_api",
        )],
        hint: "Require multifactor authentication for the Azure management application.",
        decide: |read| {
            some_policy(
                read,
                &[Want::Everyone, Want::App(AZURE_MANAGEMENT), Want::Mfa],
            )
        },
        ..OVER
    },
    Check {
        id: "m365.ca.admin_signin_frequency",
        title: "Administrators' sessions are short and not kept by browsers",
        severity: Severity::Medium,
        references: &[
            cis("5.2.2.4"),
            prowler("entra_admin_users_sign_in_frequency_enabled"),
        ],
        level: Some(Level {
            form: LevelForm::Number,
            docs: "the longest session, in hours",
            defaults: &[("", "4")],
        }),
        hint: "Set a sign-in frequency and non-persistent browser sessions for the administrative roles.",
        decide: |read| {
            let short = Want::ShortSession(read.number()?);
            some_policy(read, &[Want::Holders(ADMINISTRATIVE), Want::AllApps, short])
        },
        ..OVER
    },
    Check {
        id: "m365.ca.no_unexcused_exclusions",
        title: "What policies exclude is reviewed or covered",
        severity: Severity::Medium,
        references: &[prowler("entra_conditional_access_policy_no_exclusion_gaps")],
        hint: "Review the exclusions; list those that stay as excused.",
        decide: hygiene::no_unexcused_exclusions,
        ..ABOUT
    },
    Check {
        id: "m365.ca.dangling_references",
        title: "Policies name nothing that was deleted",
        severity: Severity::Medium,
        needs: needs(&[CA, OBJECTS], &[STRENGTHS, &[ROLE_DEFINITIONS]]),
        references: &[prowler(
            "entra_conditional_access_policy_no_deleted_object_references",
        )],
        hint: "Remove what was deleted from the policies.",
        decide: hygiene::dangling_references,
        ..ABOUT
    },
    Check {
        id: "m365.ca.break_glass_excluded",
        title: "An emergency account is excluded from policies that block",
        severity: Severity::High,
        references: &[cis("1.1.2"), prowler("entra_emergency_access_exclusion")],
        hint: "Exclude an emergency account from every policy that blocks, and watch it.",
        decide: hygiene::break_glass_excluded,
        ..ABOUT
    },
    Check {
        id: "m365.ca.report_only_stale",
        title: "No policy only reports for long",
        severity: Severity::Low,
        level: Some(Level {
            form: LevelForm::Number,
            docs: "how long a policy may only report, in days",
            defaults: &[("", "30")],
        }),
        hint: "Enable the policy or delete it.",
        decide: hygiene::report_only_stale,
        ..ABOUT
    },
    Check {
        id: "m365.ca.trusted_location",
        title: "A trusted location is defined",
        severity: Severity::Low,
        needs: needs(&[NAMED_LOCATIONS], &[]),
        references: &[
            cis("5.2.2.14"),
            prowler("entra_conditional_access_trusted_named_location_exists"),
        ],
        affects: Affects::Setting(NAMED_LOCATIONS),
        hint: "Define a named location with the organisation's addresses and mark it as trusted.",
        decide: hygiene::trusted_location,
        ..OVER
    },
    Check {
        id: "m365.ca.agent_risk_blocked",
        title: "AI agents at high risk are blocked",
        severity: Severity::Low,
        needs: Needs {
            missing_in_clouds: &["gcc_high", "dod"],
            ..needs(&[CA], &[STRENGTHS])
        },
        licences: P2,
        references: &[scuba("MS.AAD.9.1v1")],
        hint: "Create a Conditional Access policy that blocks agents at high risk.",
        decide: |read| {
            let clients = &["all"];
            let wants = [
                Want::AllApps,
                Want::ClientApps(clients),
                Want::HighAgentRisk,
                Want::Block,
            ];
            // Graph v1.0 may not answer what the policies say of agents.
            some_policy(read, &wants)
                .map(|decision| decision.confidence(protect_core::model::Confidence::Low))
        },
        ..OVER
    },
    Check {
        id: "m365.id.security_defaults_coherent",
        title: "Security defaults or Conditional Access are on, and not neither",
        severity: Severity::High,
        needs: needs(&[SECURITY_DEFAULTS, CA], &[STRENGTHS]),
        references: &[cis4("5.1.1.1")],
        default_compliant: Some(true),
        affects: Affects::Setting(SECURITY_DEFAULTS),
        hint: "Turn security defaults on where no Conditional Access policy demands more than one factor.",
        decide: hygiene::security_defaults_coherent,
        ..OVER
    },
];
