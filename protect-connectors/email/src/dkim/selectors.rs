//! Which selectors to try: DNS does not list them (spec: RFC 6376 section 3.1 gives no way to).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::DomainName;

/// How many names are tried for one domain.
pub(super) const MOST: usize = 60;

/// Tried last, whatever the domain; the first [`USUAL`] always, the others where none of those leads
/// to a key. Google's dated ones are tried for whoever uses Google.
const COMMON: [&str; 20] = [
    "default",
    "google",
    "selector1",
    "s1",
    "k1",
    "k2",
    "dkim",
    "mail",
    "selector2",
    "s2",
    "email",
    "mandrill",
    "smtpapi",
    "smtp",
    "key1",
    "key2",
    "dk",
    "mx",
    "sig1",
    "mxvault",
];

/// How many of [`COMMON`] most domains that sign use one of.
const USUAL: usize = 8;

/// How far names are guessed beyond those that there is a reason to believe in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guess {
    /// Not at all.
    Never,
    /// The usual names; more only where no key was found, or where one was whose name differs only in
    /// its number. What was not asked is said.
    #[default]
    UntilFound,
    /// Every name that many domains use.
    All,
}

/// A mail provider that is known by its hosts, and the selectors that its customers publish.
struct Provider {
    name: &'static str,
    /// What its MX hosts and SPF includes end in.
    hosts: &'static [&'static str],
    selectors: &'static [&'static str],
}

/// From the providers' own set-up pages.
const PROVIDERS: [Provider; 15] = [
    provider(
        "microsoft365",
        &[
            "mail.protection.outlook.com",
            "protection.outlook.com",
            "mx.microsoft",
        ],
        &["selector1", "selector2"],
    ),
    provider(
        "google",
        &["google.com", "googlemail.com"],
        &["google", "20161025", "20210112", "20230601"],
    ),
    provider("sendgrid", &["sendgrid.net"], &["s1", "s2", "smtpapi"]),
    provider("mailchimp", &["mcsv.net"], &["k1", "k2", "k3"]),
    provider(
        "mandrill",
        &["mandrillapp.com"],
        &["mandrill", "mte1", "mte2"],
    ),
    provider(
        "zoho",
        &["zoho.com", "zoho.eu", "zohomail.com"],
        &["zoho", "zmail"],
    ),
    provider(
        "proton",
        &["protonmail.ch"],
        &["protonmail", "protonmail2", "protonmail3"],
    ),
    provider("fastmail", &["messagingengine.com"], &["fm1", "fm2", "fm3"]),
    provider("mailgun", &["mailgun.org"], &["mg", "smtp", "k1", "pic"]),
    provider("zendesk", &["zendesk.com"], &["zendesk1", "zendesk2"]),
    provider("hubspot", &["hubspotemail.net"], &["hs1", "hs2"]),
    provider(
        "everlytic",
        &["everlytic.net", "everlytic.com"],
        &["everlytickey1", "everlytickey2"],
    ),
    provider("hetzner", &["your-server.de"], &["dkim"]),
    provider(
        "ovh",
        &["ovh.net"],
        &["ovhmo-selector-1", "ovhmo-selector-2"],
    ),
    provider("icloud", &["mail.icloud.com", "icloud.com"], &["sig1"]),
];

const fn provider(
    name: &'static str,
    hosts: &'static [&'static str],
    selectors: &'static [&'static str],
) -> Provider {
    Provider {
        name,
        hosts,
        selectors,
    }
}

/// Why a selector is tried.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SelectorSource {
    /// Aggregate reports show mail that it signed, that verified, and that is aligned. A failing
    /// signature proves nothing: anybody can write one, and choose what we would ask DNS.
    Reports,
    /// The tenant named it.
    Configured,
    /// A key stood there when the domain was looked at before.
    Seen,
    /// The domain's mail goes through a provider that uses it.
    Provider {
        /// The provider.
        provider: String,
    },
    /// Many domains use it.
    Common,
}

impl Candidate {
    /// Whether it is tried at once; other guesses may have to wait.
    pub(super) fn comes_first(&self) -> bool {
        !self.source.is_guess() || COMMON.iter().take(USUAL).any(|name| *name == self.selector)
    }

    /// Whether both are names of one series: `s1` and `s2`, as keys are rotated.
    pub(super) fn is_sibling(&self, other: &Self) -> bool {
        let series = |candidate: &Self| {
            let name = candidate.selector.as_str();
            let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
            (!stem.is_empty() && stem.len() < name.len()).then(|| stem.to_owned())
        };
        series(self).is_some_and(|stem| series(other) == Some(stem))
    }
}

impl SelectorSource {
    /// Whether there is a reason to believe that the domain uses it.
    pub const fn is_guess(&self) -> bool {
        matches!(self, Self::Common)
    }
}

/// A selector to try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// Its name.
    pub selector: String,
    /// Why.
    pub source: SelectorSource,
}

/// Whether a text is a selector that may be asked for: one to ten labels of letters, digits, `-` and
/// `_`.
pub fn is_selector(text: &str) -> bool {
    let mut labels = 0;
    let fits = text.split('.').all(|label| {
        labels += 1;
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    });
    fits && labels <= 10
}

/// The providers that a domain's mail hosts and SPF includes name.
pub fn providers(hosts: &[DomainName]) -> Vec<&'static str> {
    let uses = |provider: &&Provider| {
        hosts.iter().any(|host| {
            provider.hosts.iter().any(|end| {
                host.as_str()
                    .strip_suffix(end)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        })
    };
    PROVIDERS
        .iter()
        .filter(uses)
        .map(|provider| provider.name)
        .collect()
}

/// What the search goes by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hints<'a> {
    /// Named by the tenant.
    pub(crate) configured: &'a [String],
    /// Seen with a key before.
    pub(crate) seen: &'a [String],
    /// Seen in reports.
    pub(crate) learnt: &'a [String],
    /// Used by whoever uses these.
    pub(crate) providers: &'a [&'static str],
    /// How far names are guessed beyond them.
    pub(crate) guess: Guess,
}

/// What to try, the likeliest first: at most [`MOST`], each once, in lower case. `guess` says whether
/// a guess can prove anything.
pub(super) fn candidates(hints: Hints<'_>, guess: bool) -> Vec<Candidate> {
    let named = |names: &'_ [String], source: SelectorSource| -> Vec<_> {
        let names = names.iter().map(String::as_str);
        names
            .map(|name| (name.to_owned(), source.clone()))
            .collect()
    };
    let known = [
        named(hints.configured, SelectorSource::Configured),
        named(hints.seen, SelectorSource::Seen),
        named(hints.learnt, SelectorSource::Reports),
    ];
    let derived = PROVIDERS
        .iter()
        .filter(|provider| hints.providers.contains(&provider.name));
    let derived = derived.flat_map(|provider| {
        provider.selectors.iter().map(|name| {
            let provider = provider.name.to_owned();
            ((*name).to_owned(), SelectorSource::Provider { provider })
        })
    });
    let common = COMMON
        .iter()
        .filter(|_| guess && hints.guess != Guess::Never)
        .map(|name| ((*name).to_owned(), SelectorSource::Common));
    let mut candidates: Vec<Candidate> = Vec::new();
    for (selector, source) in known.into_iter().flatten().chain(derived).chain(common) {
        let selector = selector.to_ascii_lowercase();
        let known = candidates.iter().any(|known| known.selector == selector);
        if !known && is_selector(&selector) && candidates.len() < MOST {
            candidates.push(Candidate { selector, source });
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(candidates: &[Candidate]) -> Vec<&str> {
        candidates
            .iter()
            .map(|candidate| candidate.selector.as_str())
            .collect()
    }

    #[test]
    fn the_likeliest_come_first_each_once_and_never_more_than_sixty() {
        let learnt: Vec<_> = (0..30).map(|n| format!("learnt{n}")).collect();
        let configured = ["Mine".to_owned(), "google".to_owned()];
        let all = candidates(
            Hints {
                learnt: &learnt,
                configured: &configured,
                providers: &["google", "sendgrid"],
                ..Hints::default()
            },
            true,
        );
        assert_eq!(all.len(), 2 + 30 + 3 + 3 + COMMON.len() - 4);
        assert_eq!(names(&all)[..3], ["mine", "google", "learnt0"]);
        assert_eq!(all[1].source, SelectorSource::Configured);
        let many: Vec<_> = (0..100).map(|n| format!("s{n}")).collect();
        let hints = Hints {
            learnt: &many,
            ..Hints::default()
        };
        assert_eq!(candidates(hints, true).len(), MOST);
    }

    #[test]
    fn a_selector_that_could_be_another_question_is_never_tried() {
        for odd in [
            "",
            ".",
            "a..b",
            "a b",
            "a/b",
            "*",
            "ü",
            "1.2.3.4.5.6.7.8.9.10.11",
        ] {
            assert!(!is_selector(odd), "{odd}");
        }
        assert!(!is_selector(&"a".repeat(64)));
        let learnt = ["../x".to_owned(), "ok.one".to_owned()];
        let hints = Hints {
            learnt: &learnt,
            ..Hints::default()
        };
        assert_eq!(names(&candidates(hints, false)), ["ok.one"]);
    }

    #[test]
    fn a_provider_is_known_by_its_mail_hosts_and_includes() {
        let host = |name| DomainName::parse(name).unwrap();
        let hosts = [
            host("acme-example.mail.protection.outlook.com"),
            host("_spf.google.com"),
        ];
        assert_eq!(providers(&hosts), ["microsoft365", "google"]);
        assert!(providers(&[host("notgoogle.com")]).is_empty());
    }
}
