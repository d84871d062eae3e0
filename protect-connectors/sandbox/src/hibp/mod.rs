//! Have I Been Pwned, API v3, and Pwned Passwords.
//!
//! Facts: haveibeenpwned.com/API/v3; troyhunt.com of 30 March 2026 for ranges, limits and domain
//! verification; haveibeenpwned.com pricing for the plans.

mod catalogue;
mod domains;
mod exposures;
mod generate;
mod passwords;
mod plan;
mod search;

use axum::http::Method;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use catalogue::{Breach, Catalogue};
pub(crate) use domains::Domains;
pub(crate) use exposures::{Exposure, Exposures};
pub use plan::Plan;

use crate::{
    clock::{later, seconds},
    limits::Window,
    request::{Call, Context, Reply, Route, changes, decode, reads},
    rng::Rng,
    scenario::{Cast, DOMAIN, Part},
};

/// The addresses that any well-formed key may ask about.
const TEST_DOMAIN: &str = "@hibp-integration-tests.com";
/// The vendor does not publish this limit, only that it is low.
const STEALER_DOMAIN_PER_MINUTE: u32 = 10;

pub(crate) struct Hibp {
    pub(crate) key: String,
    pub(crate) plan: Plan,
    pub(crate) catalogue: Catalogue,
    pub(crate) exposures: Exposures,
    pub(crate) domains: Domains,
    pub(crate) leaked_breach: String,
    pub(crate) forgotten_breach: String,
    pub(crate) kanon_weight: u32,
    seed: u64,
    range_rows: usize,
    searches: Window,
    stealer_domains: Window,
}

/// What `/_sandbox/hibp/settings` takes; what is absent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) plan: Option<String>,
    pub(crate) kanon_weight: Option<u32>,
    pub(crate) dns_failure_status: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Account,
    Range,
    Domain,
    SubscribedDomains,
    GenerateDns,
    VerifyDns,
    SendEmail,
    Breaches,
    Breach,
    Latest,
    DataClasses,
    Pastes,
    StealerByEmail,
    StealerByWebsite,
    StealerByEmailDomain,
    Subscription,
    Passwords,
}

impl Hibp {
    pub(crate) fn new(
        seed: u64,
        cast: &Cast,
        mut catalogue: Catalogue,
        plan: Plan,
        range_rows: usize,
    ) -> Self {
        let mut rng = Rng::new(seed, "hibp");
        let leaked_breach = catalogue.ensure(
            |breach| breach.plain_case() && breach.says_plain_text() && !breach.domain.is_empty(),
            generate::stand_in(
                "PlainTextShop",
                "",
                &["Passwords"],
                "The shop lost names, e-mail addresses and passwords stored in plain text.",
            ),
        );
        let forgotten_breach = catalogue.ensure(
            |breach| {
                breach.plain_case()
                    && breach.date.as_str() < "2016"
                    && !breach.classes.iter().any(|class| names_a_secret(class))
            },
            generate::stand_in(
                "OldNewsletter",
                "",
                &["Dates of birth"],
                "The newsletter lost names, e-mail addresses and dates of birth.",
            ),
        );
        let mut exposures = Exposures::default();
        exposures::add_test_accounts(&mut exposures, &mut catalogue);
        expose_cast(&mut exposures, cast, &leaked_breach, &forgotten_breach);
        Self {
            key: rng.hex(32),
            searches: Window::new(plan.rpm, SignedDuration::from_mins(1)),
            stealer_domains: Window::new(STEALER_DOMAIN_PER_MINUTE, SignedDuration::from_mins(1)),
            plan,
            catalogue,
            exposures,
            domains: Domains::new(&mut rng, DOMAIN),
            leaked_breach,
            forgotten_breach,
            kanon_weight: 1,
            seed,
            range_rows,
        }
    }

    pub(crate) fn set_plan(&mut self, plan: Plan) {
        self.searches.set_limit(plan.rpm);
        self.plan = plan;
    }

    pub(crate) fn route(call: &Call) -> Option<Route<Endpoint>> {
        use Endpoint as E;
        // The vendor's paths do not care for case; what is in the place of a parameter is kept.
        let lower: Vec<String> = call.segments.iter().map(|s| s.to_lowercase()).collect();
        let path: Vec<&str> = lower.iter().map(String::as_str).collect();
        let rest = match path[..] {
            ["passwords", "range", _] if call.method == Method::GET => {
                return reads(E::Passwords, "/range/{prefix}");
            }
            ["api", "v3", ref rest @ ..] => rest,
            _ => return None,
        };
        match (&call.method, rest) {
            (&Method::GET, ["breachedaccount", "range", _]) => {
                reads(E::Range, "/breachedaccount/range/{prefix}")
            }
            (&Method::GET, ["breachedaccount", _]) => {
                reads(E::Account, "/breachedaccount/{account}")
            }
            (&Method::GET, ["breacheddomain", _]) => reads(E::Domain, "/breacheddomain/{domain}"),
            (&Method::GET, ["subscribeddomains"]) => {
                reads(E::SubscribedDomains, "/subscribeddomains")
            }
            (&Method::POST, ["domainverification", "generatednstoken"]) => {
                changes(E::GenerateDns, "/domainverification/generatednstoken")
            }
            (&Method::POST, ["domainverification", "verifydnstoken"]) => {
                changes(E::VerifyDns, "/domainverification/verifydnstoken")
            }
            (&Method::POST, ["domainverification", "sendemail"]) => {
                changes(E::SendEmail, "/domainverification/sendemail")
            }
            (&Method::GET, ["breaches"]) => reads(E::Breaches, "/breaches"),
            (&Method::GET, ["breach", _]) => reads(E::Breach, "/breach/{name}"),
            (&Method::GET, ["latestbreach"]) => reads(E::Latest, "/latestbreach"),
            (&Method::GET, ["dataclasses"]) => reads(E::DataClasses, "/dataclasses"),
            (&Method::GET, ["pasteaccount", _]) => reads(E::Pastes, "/pasteaccount/{account}"),
            (&Method::GET, ["stealerlogsbyemail", _]) => {
                reads(E::StealerByEmail, "/stealerlogsbyemail/{email}")
            }
            (&Method::GET, ["stealerlogsbywebsitedomain", _]) => {
                reads(E::StealerByWebsite, "/stealerlogsbywebsitedomain/{domain}")
            }
            (&Method::GET, ["stealerlogsbyemaildomain", _]) => reads(
                E::StealerByEmailDomain,
                "/stealerlogsbyemaildomain/{domain}",
            ),
            (&Method::GET, ["subscription", "status"]) => {
                reads(E::Subscription, "/subscription/status")
            }
            _ => None,
        }
    }

    pub(crate) fn handle(&mut self, endpoint: Endpoint, call: &Call, cx: &mut Context) -> Reply {
        let answer = self
            .admit(endpoint, call, cx)
            .and_then(|()| self.answer(endpoint, call, cx));
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn answer(
        &mut self,
        endpoint: Endpoint,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Reply> {
        match endpoint {
            Endpoint::Account => self.account(call, cx),
            Endpoint::Range => self.range(call, cx),
            Endpoint::Pastes => self.pastes(call, cx),
            Endpoint::Domain => self.domain(call, cx),
            Endpoint::SubscribedDomains => Ok(self.subscribed_domains(cx)),
            Endpoint::GenerateDns => self.generate_dns(call, cx),
            Endpoint::VerifyDns => self.verify_dns(call, cx),
            Endpoint::SendEmail => self.send_email(call, cx),
            Endpoint::StealerByEmail => self.stealer_by_email(call, cx),
            Endpoint::StealerByWebsite => self.stealer_by_website(call, cx),
            Endpoint::StealerByEmailDomain => self.stealer_by_email_domain(call, cx),
            Endpoint::Subscription => {
                let until = later(cx.now, SignedDuration::from_hours(24 * 180));
                Ok(Reply::json(
                    200,
                    &self.plan.status(&zoneless(&seconds(until))),
                ))
            }
            Endpoint::Breaches => self.breaches(call, cx),
            Endpoint::Breach => self.breach(call),
            Endpoint::Latest => Ok(self.latest()),
            Endpoint::DataClasses => Ok(self.data_classes()),
            Endpoint::Passwords => Ok(passwords::range(self.seed, call, cx)),
        }
    }

    /// User agent, then the key's format, then its authenticity, then the rate.
    fn admit(&mut self, endpoint: Endpoint, call: &Call, cx: &mut Context) -> Result<(), Reply> {
        let agent = call.header("user-agent").unwrap_or_default();
        if agent.trim().is_empty() {
            cx.violate("user_agent_missing", "every request needs a user agent");
            return Err(hibp_error(403, "A user agent must be specified"));
        }
        if agent.starts_with("Mozilla/") {
            cx.violate(
                "user_agent_misleading",
                "the user agent must name the consumer",
            );
            return Err(Reply::html(403));
        }
        if !endpoint.needs_key() {
            return Ok(());
        }
        let key = call.header("hibp-api-key").unwrap_or_default();
        if key.len() != 32 || !key.bytes().all(|b| b.is_ascii_hexdigit()) {
            cx.violate("key_format", "a key is 32 hexadecimal digits");
            return Err(hibp_error(
                401,
                "Access denied due to improperly formed hibp-api-key.",
            ));
        }
        if key != self.key && !asks_for_a_test_account(endpoint, call) {
            cx.violate("key_unknown", "not the key of this sandbox");
            return Err(hibp_error(
                401,
                "Access denied due to invalid hibp-api-key.",
            ));
        }
        self.limit(endpoint, cx)
    }

    fn limit(&mut self, endpoint: Endpoint, cx: &mut Context) -> Result<(), Reply> {
        if !cx.limits {
            return Ok(());
        }
        let taken = match endpoint {
            Endpoint::Account | Endpoint::Pastes | Endpoint::StealerByEmail => {
                self.searches.take(cx.now, 1)
            }
            Endpoint::Range => self.searches.take(cx.now, self.kanon_weight),
            Endpoint::StealerByWebsite | Endpoint::StealerByEmailDomain => {
                self.stealer_domains.take(cx.now, 1)
            }
            _ => Ok(()),
        };
        taken.map_err(|wait| {
            cx.violate(
                "rate_limit_exceeded",
                "more requests in a minute than the plan has",
            );
            let message = format!("Rate limit is exceeded. Try again in {wait} seconds.");
            hibp_error(429, &message).retry_after(&wait.to_string())
        })
    }

    /// Fails where the plan lacks a feature: `/subscription/status` would have told.
    fn needs(includes: bool, feature: &str, cx: &mut Context) -> Result<(), Reply> {
        if includes {
            return Ok(());
        }
        cx.violate("plan_lacks_feature", feature);
        Err(hibp_error(
            403,
            &format!("The subscription does not include {feature}."),
        ))
    }
}

impl Endpoint {
    fn needs_key(self) -> bool {
        !matches!(
            self,
            Self::Breaches | Self::Breach | Self::Latest | Self::DataClasses | Self::Passwords
        )
    }
}

/// An error as this vendor prints it.
pub(crate) fn hibp_error(status: u16, message: &str) -> Reply {
    let body: Value = json!({"statusCode": status, "message": message});
    Reply::json(status, &body)
}

/// The parameter at the end of the path. Everything but unreserved characters must be encoded.
fn parameter(call: &Call, cx: &mut Context) -> Result<String, Reply> {
    let raw = call.segments.last().map_or("", String::as_str);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    if !raw.bytes().all(plain) {
        cx.violate(
            "parameter_not_encoded",
            "the parameter must be percent-encoded",
        );
        return Err(hibp_error(400, "The parameter is not URL encoded."));
    }
    let decoded = decode(raw).unwrap_or_default().trim().to_lowercase();
    if decoded.is_empty() {
        cx.violate("parameter_empty", "nothing to search for");
        return Err(hibp_error(400, "Nothing to search for."));
    }
    Ok(decoded)
}

fn asks_for_a_test_account(endpoint: Endpoint, call: &Call) -> bool {
    let account = call.segments.last().and_then(|segment| decode(segment));
    matches!(
        endpoint,
        Endpoint::Account | Endpoint::Pastes | Endpoint::StealerByEmail
    ) && account.is_some_and(|account| account.trim().to_lowercase().ends_with(TEST_DOMAIN))
}

/// Some of the vendor's dates come without a zone.
fn zoneless(at: &str) -> String {
    at.trim_end_matches('Z').to_owned()
}

fn names_a_secret(class: &str) -> bool {
    let class = class.to_lowercase();
    [
        "password",
        "security question",
        "token",
        "pin",
        "key",
        "phrase",
    ]
    .iter()
    .any(|word| class.contains(word))
}

fn expose_cast(exposures: &mut Exposures, cast: &Cast, leaked: &str, forgotten: &str) {
    for member in &cast.members {
        let breach = match member.part {
            Part::Leaked => leaked,
            Part::Forgotten => forgotten,
            _ => continue,
        };
        exposures.expose(&member.email, breach);
    }
}
