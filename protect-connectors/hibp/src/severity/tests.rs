use super::*;

fn breach(description: &str) -> Breach {
    Breach {
        name: "Example".into(),
        description: description.to_owned(),
        data_classes: vec!["Email addresses".to_owned(), "Passwords".to_owned()],
        is_verified: true,
        ..Breach::default()
    }
}

fn form(description: &str) -> CredentialForm {
    classify(&breach(description), &Policy::default()).form
}

#[test]
fn plain_text_counts_only_where_it_governs_passwords() {
    use CredentialForm as F;
    for (description, expected) in [
        (
            "The shop lost addresses and plain text passwords.",
            F::Plaintext,
        ),
        ("Names and passwords were kept in plaintext.", F::Plaintext),
        (
            "Logins, and their passwords in clear text, were sold.",
            F::Plaintext,
        ),
        ("A number of unencrypted passwords leaked.", F::Plaintext),
        ("Plain text usernames and passwords leaked.", F::Plaintext),
        ("PINs and passwords stored in plain text.", F::Plaintext),
        ("Passwords and PINs stored in plain text.", F::Plaintext),
        (
            "Passwords, most of which were in plain text, leaked.",
            F::Plaintext,
        ),
        (
            "A 40M row <em>combo list</em> of e-mail addresses.",
            F::Plaintext,
        ),
        (
            "Email address and password pairs were shared.",
            F::Plaintext,
        ),
        (
            "Answers in plain text, passwords stored as bcrypt hashes.",
            F::HashedSlow,
        ),
        (
            "Security answers in plain text and MD5 hashes leaked.",
            F::HashedFast,
        ),
        (
            "Passwords stored as bcrypt hashes and phone numbers in plain text.",
            F::HashedSlow,
        ),
        (
            "Passwords and password hints in plain text.",
            F::PasswordFormUnknown,
        ),
        (
            "A plain text password hint and passwords leaked.",
            F::PasswordFormUnknown,
        ),
        (
            "Plain text email addresses and hashed passwords.",
            F::HashedUnspecified,
        ),
        (
            "Passwords were not stored in plain text.",
            F::PasswordFormUnknown,
        ),
        (
            "Postal \"pincodes\" stored in plain text.",
            F::PasswordFormUnknown,
        ),
    ] {
        assert_eq!(form(description), expected, "{description}");
    }
}

#[test]
fn readable_beside_protected_is_mixed() {
    use CredentialForm as F;
    for (description, expected) in [
        (
            "Passwords stored as both MD5 hashes and plain text.",
            F::Mixed,
        ),
        ("Passwords in both plain text and as MD5 hashes.", F::Mixed),
        ("Plain text or hashed passwords from many sites.", F::Mixed),
        (
            "Both password hashes and the cracked, plain text versions.",
            F::Mixed,
        ),
        (
            "Argon2 hashes leaked. Cracked passwords followed.",
            F::Mixed,
        ),
        (
            "\"Encrypted\" passwords; later plain text passwords.",
            F::Mixed,
        ),
    ] {
        assert_eq!(form(description), expected, "{description}");
    }
}

#[test]
fn a_hash_that_was_cracked_is_told_from_one_that_could_be() {
    use CredentialForm as F;
    for (description, expected) in [
        (
            "MD5 hashes, many of which were easily converted back to plain text.",
            F::HashedKnownCracked,
        ),
        (
            "Encrypted passwords; many were quickly resolved back to plain text.",
            F::HashedKnownCracked,
        ),
        (
            "NTLM password hashes, many of which were subsequently cracked.",
            F::HashedKnownCracked,
        ),
        (
            "Thieves cracked most of the password hashes.",
            F::HashedKnownCracked,
        ),
        (
            "Salted hashes of a weak kind enabling many to be rapidly cracked.",
            F::HashedFast,
        ),
        (
            "MD5 password hashes which could have been cracked.",
            F::HashedFast,
        ),
        ("Easily crackable MD5 password hashes.", F::HashedFast),
        (
            "The forum Cracked.to lost passwords stored as bcrypt hashes.",
            F::HashedSlow,
        ),
        (
            "A cracking community lost salted MD5 passwords.",
            F::HashedFast,
        ),
        (
            "SHA1 of the password converted to lower case.",
            F::HashedFast,
        ),
    ] {
        assert_eq!(form(description), expected, "{description}");
    }
}

#[test]
fn hashes_encryption_and_silence_have_their_forms() {
    use CredentialForm as F;
    for (description, expected) in [
        ("Passwords stored as SHA-256 hashes.", F::HashedFast),
        ("Unsalted password hashes.", F::HashedFast),
        ("Password hashes without a salt.", F::HashedFast),
        ("Passwords stored as MD5 or bcrypt hashes.", F::HashedFast),
        ("Passwords stored as PBKDF2 hashes.", F::HashedSlow),
        ("argon2id protected the passwords.", F::HashedSlow),
        ("Salted password hashes.", F::HashedUnspecified),
        ("Cryptographically stored passwords.", F::HashedUnspecified),
        ("A vBulletin forum was dumped.", F::HashedUnspecified),
        ("The passwords were encrypted.", F::EncryptedReversible),
        (
            "Encrypted social security numbers and passwords with a bcrypt hash.",
            F::HashedSlow,
        ),
        ("Names and passwords leaked.", F::PasswordFormUnknown),
        (
            "MD5 hashes of email addresses, and passwords.",
            F::PasswordFormUnknown,
        ),
        ("Stealer logs from infected machines.", F::StealerLog),
    ] {
        assert_eq!(form(description), expected, "{description}");
    }
}

#[test]
fn flags_come_before_words() {
    let policy = Policy::default();
    let mut stealer = breach("Passwords stored as bcrypt hashes.");
    stealer.is_stealer_log = true;
    assert_eq!(classify(&stealer, &policy).form, CredentialForm::StealerLog);
    let mut malware = breach("");
    malware.is_malware = true;
    assert_eq!(
        classify(&malware, &policy).form,
        CredentialForm::MalwareCaptured
    );
    assert_eq!(classify(&malware, &policy).severity, Severity::Critical);
    malware.data_classes = vec!["Email addresses".to_owned()];
    assert_eq!(
        classify(&malware, &policy).form,
        CredentialForm::NoCredential
    );
}

#[test]
fn without_passwords_other_secrets_are_high_and_an_address_alone_is_low() {
    let mut subject = breach("Security answers in plain text.");
    subject.data_classes = vec![
        "Email addresses".to_owned(),
        "Security questions and answers".to_owned(),
    ];
    let found = classify(&subject, &Policy::default());
    assert_eq!(
        (found.form, found.severity),
        (CredentialForm::OtherSecret, Severity::High)
    );
    subject.data_classes = vec!["Email addresses".to_owned(), "Names".to_owned()];
    assert_eq!(
        classify(&subject, &Policy::default()).severity,
        Severity::Medium
    );
    subject.data_classes = vec!["Email addresses".to_owned()];
    assert_eq!(
        classify(&subject, &Policy::default()).severity,
        Severity::Low
    );
    let three_levels = Policy {
        profile: SeverityProfile::OneProtect,
        ..Policy::default()
    };
    assert_eq!(classify(&subject, &three_levels).severity, Severity::Medium);
}

#[test]
fn an_unstated_form_is_high_with_low_confidence_and_may_only_be_raised() {
    let silent = breach("Passwords leaked.");
    let found = classify(&silent, &Policy::default());
    assert_eq!(
        (found.severity, found.confidence),
        (Severity::High, Confidence::Low)
    );
    assert_eq!(found.reasons[0].rule, "storage_form_not_stated");
    let raised = Policy {
        unknown_form_is_critical: true,
        ..Policy::default()
    };
    assert_eq!(classify(&silent, &raised).severity, Severity::Critical);
}

#[test]
fn fabricated_and_spam_lists_are_capped_unverified_is_less_sure_retired_is_withdrawn() {
    let policy = Policy::default();
    let mut subject = breach("Plain text passwords.");
    subject.is_fabricated = true;
    assert_eq!(classify(&subject, &policy).severity, Severity::Medium);
    let mut spam = breach("Plain text passwords.");
    spam.is_spam_list = true;
    assert_eq!(
        classify(&spam, &policy).severity,
        Severity::Critical,
        "a spam list with passwords is not capped"
    );
    spam.data_classes = vec!["Auth tokens".to_owned()];
    assert_eq!(classify(&spam, &policy).severity, Severity::Medium);
    let mut unverified = breach("Plain text passwords.");
    unverified.is_verified = false;
    let found = classify(&unverified, &policy);
    assert_eq!(
        (found.severity, found.confidence),
        (Severity::Critical, Confidence::Medium)
    );
    unverified.is_retired = true;
    assert!(classify(&unverified, &policy).withdrawn);
}

#[test]
fn an_override_is_looked_at_first() {
    let policy = Policy {
        overrides: BTreeMap::from([("Example".into(), CredentialForm::HashedSlow)]),
        ..Policy::default()
    };
    let found = classify(&breach("Plain text passwords."), &policy);
    assert_eq!(found.form, CredentialForm::HashedSlow);
    assert_eq!(found.reasons[0].to_string(), "override");
}

#[test]
fn a_reason_names_its_rule_and_points_at_the_words() {
    let subject = breach("Lost <b>plain text</b> passwords.");
    let found = classify(&subject, &Policy::default());
    let evidence = found.reasons[0];
    assert_eq!(evidence.to_string(), "plain_text_governs_password@8");
    assert!(subject.description[evidence.at.unwrap()..].starts_with("plain text"));
}

#[test]
fn what_is_no_catalogue_is_an_error_without_its_content() {
    let error = evaluate("{\"secret\": 1}", &Policy::default()).unwrap_err();
    assert!(!error.to_string().contains("secret"));
    assert_eq!(evaluate("[]", &Policy::default()).unwrap(), []);
}
