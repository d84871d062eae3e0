//! Mail: `google.gmail.*`. The policies' field names are given as patterns, since the documentation and
//! the answers differ.

use protect_core::model::Severity;
use protect_core::posture::{Check, Decision, Read, Reader};

use super::setting::{Rule, decide_of, is, word};
use super::table::{OF_SETTINGS, cis, prowler, scuba};

const SERVICE: &str = "gmail";

/// What is done with a message that a protection catches: it does not stay in the inbox.
const fn away(name: &'static str) -> Rule {
    word(
        name,
        &["SPAM_FOLDER", "QUARANTINE"],
        &["WARNING", "NO_ACTION", "*INBOX*"],
    )
}

/// The same in the words of the log.
const fn away_in_log(name: &'static str) -> Rule {
    word(
        name,
        &["Move to spam", "Quarantine"],
        &["Show warning", "No action"],
    )
    .where_said()
}

fn attachments(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[
            is("gmail.email_attachment_safety:enable*encrypted*", true),
            is("gmail.email_attachment_safety:enable*script*", true),
            is("gmail.email_attachment_safety:enable*anomalous*", true),
            away("gmail.email_attachment_safety:*encrypted*Consequence"),
            away("gmail.email_attachment_safety:*script*Consequence"),
            away("gmail.email_attachment_safety:*anomalous*Consequence"),
        ],
        &[
            is(
                "Gmail:Attachment safety Enable: protect against encrypted attachments from untrusted senders",
                true,
            ),
            is(
                "Gmail:Attachment safety Enable: protect against attachments with scripts from untrusted senders",
                true,
            ),
            is(
                "Gmail:Attachment safety Enable: Protect against anomalous attachment types in emails",
                true,
            ),
            away_in_log("Gmail:Attachment safety Encrypted attachment protection setting action"),
            away_in_log("Gmail:Attachment safety Attachment with scripts protection action"),
            away_in_log("Gmail:Attachment safety Anomalous attachment protection setting action"),
        ],
    )
}

fn links(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[
            is("gmail.links_and_external_images:enable*shorten*", true),
            is("gmail.links_and_external_images:enable*image*", true),
            is("gmail.links_and_external_images:enable*warning*", true),
        ],
        &[
            is(
                "Gmail:Links and external images safety Enable: identify links behind shortened URLs",
                true,
            ),
            is(
                "Gmail:Links and external images safety Enable: scan linked images",
                true,
            ),
            // Google spells one word of it `unstrusted`.
            is(
                "Gmail:Links and external images safety Enable: show warning prompt for click on links to un*trusted domains",
                true,
            ),
        ],
    )
}

fn spoofing(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[
            is("gmail.spoofing_and_authentication:detect*DomainName*", true),
            is(
                "gmail.spoofing_and_authentication:detect*EmployeeName*",
                true,
            ),
            is(
                "gmail.spoofing_and_authentication:detect*UnauthenticatedSender*",
                true,
            ),
            is(
                "gmail.spoofing_and_authentication:detect*UnauthenticatedEmail*",
                true,
            ),
            is("gmail.spoofing_and_authentication:detect*Group*", true),
        ],
        &[
            is(
                "Gmail:Spoofing and authentication safety Enable: protect against domain spoofing using similar domain names",
                true,
            ),
            is(
                "Gmail:Spoofing and authentication safety Enable: protect against spoofing of employee names",
                true,
            ),
            is(
                "Gmail:Spoofing and authentication safety Enable: protect against inbound emails spoofing your domain",
                true,
            ),
            is(
                "Gmail:Spoofing and authentication safety Enable: protect against any unauthenticated emails",
                true,
            ),
            is(
                "Gmail:Spoofing and authentication safety Enable: protect your Groups from inbound emails spoofing your domain",
                true,
            ),
        ],
    )
}

fn pop_imap_off(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[
            is("gmail.imap_access:enableImapAccess", false),
            is("gmail.pop_access:enablePopAccess", false),
        ],
        &[
            word("Gmail:IMAP_ACCESS", &["DISABLED"], &["ENABLED*"]),
            is("Gmail:ENABLE_POP_ACCESS", false),
        ],
    )
}

fn auto_forward_off(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[is("gmail.auto_forwarding:enableAutoForwarding", false)],
        &[is("Gmail:ENABLE_EMAIL_AUTOFORWARDING", false)],
    )
}

fn delegation_off(read: &Reader<'_>) -> Read<Decision> {
    decide_of(
        read,
        SERVICE,
        &[is("gmail.mail_delegation:enableMailDelegation", false)],
        &[is("Gmail:ENABLE_MAIL_DELEGATION_WITHIN_DOMAIN", false)],
    )
}

const SAFETY: Check = Check {
    severity: Severity::High,
    hint: "Turn them on in the Admin console: Apps > Google Workspace > Gmail > Safety.",
    ..OF_SETTINGS
};

const ACCESS: Check = Check {
    hint: "Turn it off in the Admin console: Apps > Google Workspace > Gmail > End User Access.",
    ..OF_SETTINGS
};

/// Checks of mail.
pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "google.gmail.attachments",
        title: "Dangerous attachments do not reach the inbox",
        references: &[
            scuba("GWS.GMAIL.5.1"),
            scuba("GWS.GMAIL.5.2"),
            scuba("GWS.GMAIL.5.3"),
            scuba("GWS.GMAIL.5.5"),
            cis("3.1.3.4.1.1"),
            cis("3.1.3.4.1.2"),
            cis("3.1.3.4.1.3"),
        ],
        decide: attachments,
        ..SAFETY
    },
    Check {
        id: "google.gmail.links",
        title: "Links and linked images are looked at",
        references: &[
            scuba("GWS.GMAIL.6.1"),
            scuba("GWS.GMAIL.6.2"),
            scuba("GWS.GMAIL.6.3"),
            cis("3.1.3.4.2.1"),
            cis("3.1.3.4.2.2"),
            cis("3.1.3.4.2.3"),
            prowler("gmail_shortener_scanning_enabled"),
        ],
        default_compliant: Some(true),
        decide: links,
        ..SAFETY
    },
    Check {
        id: "google.gmail.spoofing",
        title: "Mail with a forged sender is noticed",
        references: &[
            scuba("GWS.GMAIL.7.1"),
            scuba("GWS.GMAIL.7.2"),
            scuba("GWS.GMAIL.7.3"),
            scuba("GWS.GMAIL.7.4"),
            scuba("GWS.GMAIL.7.5"),
            cis("3.1.3.4.3.1"),
            cis("3.1.3.4.3.2"),
            cis("3.1.3.4.3.3"),
            cis("3.1.3.4.3.4"),
            cis("3.1.3.4.3.5"),
            prowler("gmail_unauthenticated_email_protection_enabled"),
        ],
        decide: spoofing,
        ..SAFETY
    },
    Check {
        id: "google.gmail.pop_imap_off",
        title: "Mail is not read by POP or IMAP",
        references: &[
            scuba("GWS.GMAIL.9.1"),
            cis("3.1.3.5.1"),
            prowler("gmail_pop_imap_access_disabled"),
        ],
        decide: pop_imap_off,
        ..ACCESS
    },
    Check {
        id: "google.gmail.auto_forward_off",
        title: "Mail is not forwarded by itself",
        severity: Severity::High,
        references: &[
            scuba("GWS.GMAIL.11.1"),
            cis("3.1.3.5.2"),
            prowler("gmail_auto_forwarding_disabled"),
        ],
        decide: auto_forward_off,
        ..ACCESS
    },
    Check {
        id: "google.gmail.delegation_off",
        title: "Mailboxes are not delegated",
        references: &[
            scuba("GWS.GMAIL.1.1"),
            cis("3.1.3.1.1"),
            prowler("gmail_mail_delegation_disabled"),
        ],
        default_compliant: Some(true),
        hint: "Turn it off in the Admin console: Apps > Google Workspace > Gmail > User Settings.",
        decide: delegation_off,
        ..ACCESS
    },
];
