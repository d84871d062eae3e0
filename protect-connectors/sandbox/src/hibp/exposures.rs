//! Who is in which breach, paste and stealer log.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::{catalogue::Catalogue, generate::stand_in, passwords::sha1_hash};

/// Digits of a range's prefix.
pub(crate) const PREFIX: usize = 6;

#[derive(Debug, Clone, Default)]
pub(crate) struct Exposure {
    pub(crate) breaches: BTreeSet<String>,
    pub(crate) pastes: Vec<Value>,
    pub(crate) stealer_sites: BTreeSet<String>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Exposures {
    by_email: BTreeMap<String, Exposure>,
    by_prefix: HashMap<String, BTreeMap<String, String>>,
}

impl Exposures {
    pub(crate) fn get(&self, email: &str) -> Option<&Exposure> {
        self.by_email.get(email)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Exposure)> {
        self.by_email.iter()
    }

    /// Addresses of one domain, by their local part.
    pub(crate) fn of_domain(&self, domain: &str) -> impl Iterator<Item = (&str, &Exposure)> {
        self.by_email.iter().filter_map(move |(email, exposure)| {
            let (alias, own) = email.rsplit_once('@')?;
            (own == domain).then_some((alias, exposure))
        })
    }

    /// Hash suffix and address of those whose hash has this prefix.
    pub(crate) fn of_prefix(&self, prefix: &str) -> impl Iterator<Item = (&String, &String)> {
        self.by_prefix.get(prefix).into_iter().flatten()
    }

    pub(crate) fn entry(&mut self, email: &str) -> &mut Exposure {
        let email = email.trim().to_lowercase();
        let hash = sha1_hash(&email);
        let (prefix, suffix) = hash.split_at(PREFIX);
        self.by_prefix
            .entry(prefix.to_owned())
            .or_default()
            .insert(suffix.to_owned(), email.clone());
        self.by_email.entry(email).or_default()
    }

    pub(crate) fn expose(&mut self, email: &str, breach: &str) {
        self.entry(email).breaches.insert(breach.to_owned());
    }
}

/// The vendor's table of integration-test accounts. Opted-out accounts and inactive breaches look
/// from outside like accounts without any, so nothing is stored for them.
pub(crate) fn add_test_accounts(exposures: &mut Exposures, catalogue: &mut Catalogue) {
    let adobe = catalogue.ensure(
        |breach| breach.name == "Adobe",
        stand_in(
            "Adobe",
            "",
            &["Password hints", "Passwords"],
            "Records with encrypted passwords and with password hints in plain text were lost.",
        ),
    );
    let sensitive = flagged(catalogue, "SandboxSensitive", "IsSensitive", |b| {
        b.sensitive
    });
    let spam = flagged(catalogue, "SandboxSpamList", "IsSpamList", |b| b.spam_list);
    let stealer = flagged(catalogue, "SandboxStealerLogs", "IsStealerLog", |b| {
        b.stealer_log
    });
    let free = flagged(catalogue, "SandboxFree", "IsSubscriptionFree", |b| {
        b.subscription_free
    });
    let unverified = catalogue.ensure(
        |breach| !breach.verified && !breach.sensitive && !breach.retired,
        {
            let mut body = stand_in("SandboxUnverified", "", &[], "Nobody could verify this.");
            body["IsVerified"] = Value::from(false);
            body
        },
    );
    let others = catalogue.some(2, |breach| breach.plain_case() && breach.name != adobe);
    let two = others.iter().map(String::as_str);
    let three: Vec<&str> = two.clone().chain([adobe.as_str()]).collect();
    let mut put = |alias: &str, breaches: &[&str]| {
        for breach in breaches {
            exposures.expose(&format!("{alias}@hibp-integration-tests.com"), breach);
        }
    };
    put("account-exists", &[&adobe]);
    put("multiple-breaches", &three);
    put("not-active-and-active-breach", &[&adobe]);
    put(
        "sensitive-and-other-breaches",
        &with(two.clone(), &sensitive),
    );
    put("sensitive-breach", &[&sensitive]);
    put("spam-list-only", &[&spam]);
    put("spam-list-and-others", &with(two.clone(), &spam));
    put("stealer-log", &[&stealer]);
    put("subscription-free-breach", &[&free]);
    put("subscription-free-and-other-breaches", &with(two, &free));
    put("unverified-breach", &[&unverified]);
    for alias in ["account-exists", "paste-sensitive-breach"] {
        let email = format!("{alias}@hibp-integration-tests.com");
        exposures.entry(&email).pastes.push(paste());
    }
    let paste_only = "paste-sensitive-breach@hibp-integration-tests.com";
    exposures.expose(paste_only, &sensitive);
}

fn with<'a>(others: impl Iterator<Item = &'a str>, one: &'a str) -> Vec<&'a str> {
    others.chain([one]).collect()
}

fn flagged(
    catalogue: &mut Catalogue,
    name: &str,
    flag: &str,
    fits: fn(&super::Breach) -> bool,
) -> String {
    catalogue.ensure(
        |breach| fits(breach) && breach.verified && !breach.retired,
        stand_in(
            name,
            flag,
            &["Passwords"],
            "Made up for the integration tests; passwords too.",
        ),
    )
}

fn paste() -> Value {
    json!({
        "Source": "Pastebin",
        "Id": "8Q0BvKD8",
        "Title": "syslog",
        "Date": "2014-03-04T19:14:54Z",
        "EmailCount": 139,
    })
}
