//! From what the vendor answered to observations.

use protect_core::model::{
    Address, Attributes, Attribution, CheckId, Confidence, FindingKind, Observation, Severity,
    Subject,
};
use protect_core::{Result, model::ConnectionName};
use serde_json::json;

use crate::models::{Breach, BreachName, Paste};
use crate::severity::{CredentialForm, Policy, classify};

/// The checks this connector decides.
#[derive(Clone, Debug)]
pub(crate) struct Checks {
    pub(crate) breach: CheckId,
    pub(crate) paste: CheckId,
    pub(crate) stealer_log: CheckId,
    pub(crate) credential: CheckId,
    pub(crate) plan: CheckId,
    pub(crate) capacity: CheckId,
}

impl Checks {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            breach: CheckId::new("hibp.exposure.breach")?,
            paste: CheckId::new("hibp.exposure.paste")?,
            stealer_log: CheckId::new("hibp.exposure.stealer_log")?,
            credential: CheckId::new("hibp.connection.credential")?,
            plan: CheckId::new("hibp.connection.plan")?,
            capacity: CheckId::new("hibp.connection.capacity")?,
        })
    }

    pub(crate) fn all(&self) -> [&CheckId; 6] {
        [
            &self.breach,
            &self.paste,
            &self.stealer_log,
            &self.credential,
            &self.plan,
            &self.capacity,
        ]
    }
}

/// How an exposure was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// A search over the address's verified domain.
    Domain,
    /// A search by the first digits of the address's hash.
    Range,
    /// A search by the address.
    Account,
    /// The stored answer, judged again.
    Stored,
}

impl Via {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "domain_search",
            Self::Range => "range_search",
            Self::Account => "account_search",
            Self::Stored => "stored_answer",
        }
    }

    /// Without proof of control, sensitive breaches are nobody's business: a range that should name
    /// one all the same is not followed.
    pub(crate) const fn shows_sensitive(self) -> bool {
        matches!(self, Self::Domain | Self::Stored)
    }
}

/// An address in a breach; nothing where the source was withdrawn.
pub(crate) fn breach(
    checks: &Checks,
    policy: &Policy,
    address: &Address,
    breach: &Breach,
    via: Via,
) -> Option<Observation> {
    let assessment = classify(breach, policy);
    if assessment.withdrawn || (breach.is_sensitive && !via.shows_sensitive()) {
        return None;
    }
    let mut reasons: Vec<String> = assessment.reasons.iter().map(ToString::to_string).collect();
    if let Some(modified) = breach.modified_date {
        reasons.push(format!("catalogue_entry_of {modified}"));
    }
    let mut details = breach_details(breach);
    details.insert("form".into(), json!(assessment.form));
    details.insert("found_by".into(), json!(via.as_str()));
    Some(Observation {
        cause: Some(format!("breach:{}", breach.name)),
        severity: assessment.severity,
        confidence: assessment.confidence,
        title: breach_title(breach, assessment.form),
        reasons,
        details,
        ..exposure(&checks.breach, address, breach.name.as_str())
    })
}

/// An address in a breach that the catalogue does not know (any more, or yet).
pub(crate) fn unlisted_breach(
    checks: &Checks,
    address: &Address,
    name: &BreachName,
    via: Via,
) -> Observation {
    Observation {
        cause: Some(format!("breach:{name}")),
        severity: Severity::Medium,
        confidence: Confidence::Low,
        title: "Address in a breach that the catalogue does not list".into(),
        reasons: vec!["not_in_catalogue".into()],
        details: Attributes::from_iter([
            ("breach".to_owned(), json!(name)),
            ("found_by".to_owned(), json!(via.as_str())),
        ]),
        ..exposure(&checks.breach, address, name.as_str())
    }
}

/// An address in a paste.
pub(crate) fn paste(
    checks: &Checks,
    policy: &Policy,
    address: &Address,
    paste: &Paste,
) -> Observation {
    let place = format!("{}/{}", paste.source, paste.id);
    Observation {
        cause: Some(format!("paste:{place}")),
        severity: policy.mildest(),
        confidence: Confidence::Medium,
        title: format!("Address in a paste on {}", paste.source),
        reasons: vec!["paste_only".into()],
        details: Attributes::from_iter([
            ("source".to_owned(), json!(paste.source)),
            ("id".to_owned(), json!(paste.id)),
            ("title".to_owned(), json!(paste.title)),
            ("date".to_owned(), json!(paste.date)),
            ("email_count".to_owned(), json!(paste.email_count)),
        ]),
        ..exposure(&checks.paste, address, &place)
    }
}

/// An address that an information stealer saw being typed at a website.
pub(crate) fn stealer_log(checks: &Checks, address: &Address, website: &str) -> Observation {
    Observation {
        cause: Some(format!("stealer_log:{website}")),
        severity: Severity::Critical,
        confidence: Confidence::High,
        title: format!("Login at {website} recorded by information-stealing malware"),
        reasons: vec!["account_has_stealer_log_row".into()],
        details: Attributes::from_iter([
            ("website".to_owned(), json!(website)),
            ("form".to_owned(), json!(CredentialForm::StealerLog)),
        ]),
        ..exposure(&checks.stealer_log, address, website)
    }
}

/// Something about this installation that somebody must put right.
pub(crate) fn operational(
    check: &CheckId,
    connection: &ConnectionName,
    severity: Severity,
    title: &str,
    reason: String,
) -> Observation {
    Observation {
        check: check.clone(),
        kind: FindingKind::Operational,
        subject: connection_subject(connection),
        discriminator: String::new(),
        cause: Some(format!("connection:{connection}")),
        severity,
        confidence: Confidence::High,
        title: title.to_owned(),
        reasons: vec![reason],
        attribution: None,
        references: Vec::new(),
        details: Attributes::new(),
        from_event: false,
    }
}

/// What operational observations of a connection are about.
pub(crate) fn connection_subject(connection: &ConnectionName) -> Subject {
    Subject::setting(crate::KIND, format!("connections.{connection}"))
}

/// The licence asks for a visible credit wherever the data is shown
/// (<https://haveibeenpwned.com/API/v3#License>).
fn attribution() -> Attribution {
    Attribution {
        source: "Have I Been Pwned".into(),
        url: "https://haveibeenpwned.com".into(),
        licence: "CC BY 4.0".into(),
    }
}

fn exposure(check: &CheckId, address: &Address, discriminator: &str) -> Observation {
    Observation {
        check: check.clone(),
        kind: FindingKind::CredentialExposure,
        subject: Subject::address(address),
        discriminator: discriminator.to_owned(),
        cause: None,
        severity: Severity::Info,
        confidence: Confidence::Low,
        title: String::new(),
        reasons: Vec::new(),
        attribution: Some(attribution()),
        references: Vec::new(),
        details: Attributes::new(),
        from_event: false,
    }
}

/// A sensitive breach is not named where anybody may read: the name stands in the details, for the
/// security role.
fn breach_title(breach: &Breach, form: CredentialForm) -> String {
    let name = match (breach.is_sensitive, breach.title.is_empty()) {
        (true, _) => "a sensitive breach",
        (false, true) => breach.name.as_str(),
        (false, false) => breach.title.as_str(),
    };
    if breach.is_sensitive {
        format!("Address in {name}: {}", form.describe())
    } else {
        format!("Address in the {name} breach: {}", form.describe())
    }
}

fn breach_details(breach: &Breach) -> Attributes {
    let mut details = Attributes::from_iter([
        ("breach".to_owned(), json!(breach.name)),
        ("title".to_owned(), json!(breach.title)),
        ("breach_date".to_owned(), json!(breach.breach_date)),
        ("added_date".to_owned(), json!(breach.added_date)),
        ("data_classes".to_owned(), json!(breach.data_classes)),
        ("sensitive".to_owned(), json!(breach.is_sensitive)),
        ("verified".to_owned(), json!(breach.is_verified)),
    ]);
    if !breach.domain.is_empty() {
        details.insert("site".into(), json!(breach.domain));
    }
    for (flag, name) in [
        (breach.is_fabricated, "fabricated"),
        (breach.is_spam_list, "spam_list"),
        (breach.is_malware, "malware"),
        (breach.is_stealer_log, "stealer_log"),
    ] {
        if flag {
            details.insert(name.to_owned(), json!(true));
        }
    }
    // The provider's own wish, beside the credit that is due to Have I Been Pwned.
    if let Some(provider) = &breach.attribution {
        details.insert("provider_attribution".into(), json!(provider));
    }
    details
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Breach {
        Breach {
            name: "Shop".into(),
            title: "The Shop".into(),
            description: "Plain text passwords.".into(),
            data_classes: vec!["Passwords".into()],
            is_verified: true,
            attribution: Some("A Researcher".into()),
            ..Breach::default()
        }
    }

    fn observe(breach: &Breach, via: Via) -> Option<Observation> {
        let address = Address::new("ann@acme.example").unwrap();
        super::breach(
            &Checks::new().unwrap(),
            &Policy::default(),
            &address,
            breach,
            via,
        )
    }

    #[test]
    fn an_observation_credits_its_source_and_names_no_address() {
        let seen = observe(&sample(), Via::Account).unwrap();
        assert_eq!(seen.attribution.unwrap(), attribution());
        assert_eq!(seen.details["provider_attribution"], "A Researcher");
        assert_eq!(seen.discriminator, "Shop");
        assert_eq!(seen.cause.as_deref(), Some("breach:Shop"));
        assert!(!seen.title.contains("ann"), "{}", seen.title);
        assert_eq!(
            seen.title,
            "Address in the The Shop breach: passwords in plain text"
        );
    }

    #[test]
    fn a_sensitive_breach_is_flagged_not_named_and_only_shown_after_proof_of_control() {
        let mut sensitive = sample();
        sensitive.is_sensitive = true;
        let seen = observe(&sensitive, Via::Domain).unwrap();
        assert!(!seen.title.contains("Shop"));
        assert_eq!(seen.details["sensitive"], true);
        assert_eq!(observe(&sensitive, Via::Range), None);
        assert_eq!(observe(&sensitive, Via::Account), None);
    }

    #[test]
    fn a_withdrawn_source_makes_no_finding() {
        let mut retired = sample();
        retired.is_retired = true;
        assert_eq!(observe(&retired, Via::Domain), None);
    }
}
