//! What a breach says about credentials, and how bad that is: pure functions over the catalogue.
//!
//! Have I Been Pwned has one data class `Passwords` and nothing that says how they were stored; the
//! storage form stands, where it stands at all, in the description's prose. So an assessment
//! always carries its reasons and its confidence, and a finding says "this address is in a breach
//! that exposed passwords stored as ...", never "your password leaked".

mod phrases;
mod text;

use std::collections::BTreeMap;

use protect_core::Result;
use protect_core::model::{Confidence, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::models::{Breach, BreachName};
use phrases::Wording;

/// In which form credentials were exposed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CredentialForm {
    /// Logs of malware that records what its victim types, with the sites it was typed on.
    StealerLog,
    /// Captured by malware.
    MalwareCaptured,
    /// Readable.
    Plaintext,
    /// Readable for some accounts, hashed or encrypted for others.
    Mixed,
    /// Stored hashed or encrypted, and known to have been turned back.
    HashedKnownCracked,
    /// A fast or unsalted hash (MD5, SHA-1, NTLM): guessing is cheap.
    HashedFast,
    /// A slow hash (bcrypt, scrypt, PBKDF2, Argon2).
    HashedSlow,
    /// Hashed, nobody says how.
    HashedUnspecified,
    /// Encrypted: readable for whoever has the key.
    EncryptedReversible,
    /// Passwords were exposed and the description does not say how they were stored.
    PasswordFormUnknown,
    /// No passwords, but another secret: tokens, security answers, PINs, keys.
    OtherSecret,
    /// No credential.
    NoCredential,
}

impl CredentialForm {
    /// Every form, in the order in which they are looked for.
    pub const ALL: [Self; 12] = [
        Self::StealerLog,
        Self::MalwareCaptured,
        Self::Plaintext,
        Self::Mixed,
        Self::HashedKnownCracked,
        Self::HashedFast,
        Self::HashedSlow,
        Self::HashedUnspecified,
        Self::EncryptedReversible,
        Self::PasswordFormUnknown,
        Self::OtherSecret,
        Self::NoCredential,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StealerLog => "stealer_log",
            Self::MalwareCaptured => "malware_captured",
            Self::Plaintext => "plaintext",
            Self::Mixed => "mixed",
            Self::HashedKnownCracked => "hashed_known_cracked",
            Self::HashedFast => "hashed_fast",
            Self::HashedSlow => "hashed_slow",
            Self::HashedUnspecified => "hashed_unspecified",
            Self::EncryptedReversible => "encrypted_reversible",
            Self::PasswordFormUnknown => "password_form_unknown",
            Self::OtherSecret => "other_secret",
            Self::NoCredential => "no_credential",
        }
    }

    /// The form as people say it, after "credentials: ".
    pub const fn describe(self) -> &'static str {
        match self {
            Self::StealerLog => "recorded by information-stealing malware",
            Self::MalwareCaptured => "captured by malware",
            Self::Plaintext => "passwords in plain text",
            Self::Mixed => "passwords partly in plain text",
            Self::HashedKnownCracked => "protected passwords, known to have been cracked",
            Self::HashedFast => "passwords under a fast or unsalted hash",
            Self::HashedSlow => "passwords under a slow hash",
            Self::HashedUnspecified => "hashed passwords",
            Self::EncryptedReversible => "encrypted passwords",
            Self::PasswordFormUnknown => "passwords, storage form not stated",
            Self::OtherSecret => "secrets other than passwords",
            Self::NoCredential => "no credentials",
        }
    }

    const fn severity(self, policy: &Policy, only_addresses: bool) -> Severity {
        match self {
            Self::StealerLog
            | Self::MalwareCaptured
            | Self::Plaintext
            | Self::Mixed
            | Self::HashedKnownCracked => Severity::Critical,
            Self::PasswordFormUnknown if policy.unknown_form_is_critical => Severity::Critical,
            Self::HashedFast
            | Self::HashedSlow
            | Self::HashedUnspecified
            | Self::EncryptedReversible
            | Self::PasswordFormUnknown
            | Self::OtherSecret => Severity::High,
            Self::NoCredential if only_addresses => policy.mildest(),
            Self::NoCredential => Severity::Medium,
        }
    }
}

/// Which reading of severity applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeverityProfile {
    /// Four levels; an address alone is low.
    #[default]
    Default,
    /// The One Protect's three levels: what would be low is medium.
    OneProtect,
}

/// What an operator decides about severity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Which reading applies.
    pub profile: SeverityProfile,
    /// Whether passwords whose storage nobody states are critical instead of high; they are never
    /// less than high.
    pub unknown_form_is_critical: bool,
    /// What somebody knows better than the description; looked at first. Empty by default.
    pub overrides: BTreeMap<BreachName, CredentialForm>,
}

impl Policy {
    /// The severity of an address that is merely known: in a spam list's shape, or in a paste.
    pub const fn mildest(&self) -> Severity {
        match self.profile {
            SeverityProfile::Default => Severity::Low,
            SeverityProfile::OneProtect => Severity::Medium,
        }
    }
}

/// Why an assessment says what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evidence {
    /// The rule that held.
    pub rule: &'static str,
    /// The byte in the description where its words begin; absent for flags and data classes.
    pub at: Option<usize>,
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.rule)?;
        match self.at {
            Some(at) => write!(f, "@{at}"),
            None => Ok(()),
        }
    }
}

/// What a breach says about credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CredentialAssessment {
    /// In which form they were exposed.
    pub form: CredentialForm,
    /// How sure that is.
    pub confidence: Confidence,
    /// How bad it is.
    pub severity: Severity,
    /// Why.
    pub reasons: Vec<Evidence>,
    /// Whether the source was withdrawn: no new finding, and an old one is to be closed.
    pub withdrawn: bool,
}

/// One line of `protect evaluate hibp`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Assessment {
    /// The breach's stable name.
    pub name: BreachName,
    /// In which form credentials were exposed.
    pub form: CredentialForm,
    /// How bad it is.
    pub severity: Severity,
    /// How sure that is.
    pub confidence: Confidence,
    /// Why: rule ids, with the offset of their words in the description.
    pub reasons: Vec<String>,
}

/// Assesses every breach of a catalogue, as the `/breaches` endpoint answers it.
///
/// # Errors
/// `invalid_response` where the text is not a JSON array of breaches.
pub fn evaluate(breaches: &str, policy: &Policy) -> Result<Vec<Assessment>> {
    let breaches: Vec<Breach> = crate::wire::parse("hibp.evaluate", breaches.as_bytes())?;
    Ok(breaches
        .iter()
        .map(|breach| {
            let assessment = classify(breach, policy);
            Assessment {
                name: breach.name.clone(),
                form: assessment.form,
                severity: assessment.severity,
                confidence: assessment.confidence,
                reasons: assessment.reasons.iter().map(Evidence::to_string).collect(),
            }
        })
        .collect())
}

/// What a breach says about credentials, and how bad that is.
pub fn classify(breach: &Breach, policy: &Policy) -> CredentialAssessment {
    let mut judged = match policy.overrides.get(&breach.name) {
        Some(form) => Judged::flag(*form, Confidence::High, "override"),
        None => judge(breach),
    };
    let mut severity = judged.form.severity(policy, exposes_only_addresses(breach));
    if breach.data_classes.is_empty() && judged.form == CredentialForm::NoCredential {
        judged.note(Confidence::Low, "no_data_classes");
    }
    if breach.is_fabricated {
        severity = severity.min(Severity::Medium);
        judged.note(judged.confidence, "fabricated_at_most_medium");
    } else if breach.is_spam_list && !breach.exposes(PASSWORDS) {
        severity = severity.min(Severity::Medium);
        judged.note(judged.confidence, "spam_list_without_passwords");
    }
    if !breach.is_verified {
        judged.note(judged.confidence.lowered(), "unverified");
    }
    if breach.is_retired {
        judged.note(judged.confidence, "source_withdrawn");
    }
    CredentialAssessment {
        form: judged.form,
        confidence: judged.confidence,
        severity,
        reasons: judged.reasons,
        withdrawn: breach.is_retired,
    }
}

const PASSWORDS: &str = "Passwords";

/// Data classes that are secrets of their own where no passwords were exposed.
const OTHER_SECRETS: [&str; 6] = [
    "Auth tokens",
    "Security questions and answers",
    "PINs",
    "Encrypted keys",
    "Mnemonic phrases",
    "Historical passwords",
];

fn exposes_only_addresses(breach: &Breach) -> bool {
    breach
        .data_classes
        .iter()
        .all(|class| class.eq_ignore_ascii_case("Email addresses"))
}

/// A form with what led to it.
struct Judged {
    form: CredentialForm,
    confidence: Confidence,
    reasons: Vec<Evidence>,
}

impl Judged {
    fn flag(form: CredentialForm, confidence: Confidence, rule: &'static str) -> Self {
        Self {
            form,
            confidence,
            reasons: vec![Evidence { rule, at: None }],
        }
    }

    fn words(form: CredentialForm, confidence: Confidence, reasons: &[&[Evidence]]) -> Self {
        Self {
            form,
            confidence,
            reasons: reasons.concat(),
        }
    }

    fn note(&mut self, confidence: Confidence, rule: &'static str) {
        self.confidence = confidence;
        self.reasons.push(Evidence { rule, at: None });
    }
}

/// The first form that holds: flags before words, worse words before milder ones.
fn judge(breach: &Breach) -> Judged {
    if breach.is_stealer_log {
        return Judged::flag(
            CredentialForm::StealerLog,
            Confidence::High,
            "flag_stealer_log",
        );
    }
    if !breach.exposes(PASSWORDS) {
        return judge_without_passwords(breach);
    }
    if breach.is_malware {
        return Judged::flag(
            CredentialForm::MalwareCaptured,
            Confidence::High,
            "flag_malware",
        );
    }
    judge_wording(&phrases::wording(&text::clauses(&breach.description)))
}

fn judge_without_passwords(breach: &Breach) -> Judged {
    if OTHER_SECRETS.iter().any(|class| breach.exposes(class)) {
        Judged::flag(
            CredentialForm::OtherSecret,
            Confidence::High,
            "class_other_secret",
        )
    } else {
        Judged::flag(
            CredentialForm::NoCredential,
            Confidence::High,
            "no_credential_class",
        )
    }
}

fn judge_wording(wording: &Wording) -> Judged {
    use CredentialForm as Form;
    let protected = [
        &wording.fast[..],
        &wording.slow[..],
        &wording.hashed[..],
        &wording.encrypted[..],
    ]
    .concat();
    // A site about such lists may itself keep hashes: a list counts where nothing was protected.
    let list: &[Evidence] = if protected.is_empty() {
        &wording.list
    } else {
        &[]
    };
    if !wording.stealer.is_empty() && protected.is_empty() {
        return Judged::words(Form::StealerLog, Confidence::Medium, &[&wording.stealer]);
    }
    if !wording.plain.is_empty() && !protected.is_empty() {
        return Judged::words(Form::Mixed, Confidence::High, &[&wording.plain, &protected]);
    }
    if !wording.plain.is_empty() {
        return Judged::words(Form::Plaintext, Confidence::High, &[&wording.plain]);
    }
    if !list.is_empty() {
        return Judged::words(Form::Plaintext, Confidence::Medium, &[list]);
    }
    if !wording.cracked.is_empty() {
        return Judged::words(
            Form::HashedKnownCracked,
            Confidence::High,
            &[&wording.cracked, &protected],
        );
    }
    let named = if wording.about_passwords {
        Confidence::High
    } else {
        Confidence::Medium
    };
    if !wording.fast.is_empty() {
        return Judged::words(Form::HashedFast, named, &[&wording.fast]);
    }
    if !wording.slow.is_empty() {
        return Judged::words(Form::HashedSlow, named, &[&wording.slow]);
    }
    if !wording.hashed.is_empty() {
        return Judged::words(
            Form::HashedUnspecified,
            Confidence::Medium,
            &[&wording.hashed],
        );
    }
    if !wording.encrypted.is_empty() {
        return Judged::words(
            Form::EncryptedReversible,
            Confidence::Medium,
            &[&wording.encrypted],
        );
    }
    if !wording.forum.is_empty() {
        return Judged::words(Form::HashedUnspecified, Confidence::Low, &[&wording.forum]);
    }
    Judged::flag(
        Form::PasswordFormUnknown,
        Confidence::Low,
        "storage_form_not_stated",
    )
}

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod tests;
