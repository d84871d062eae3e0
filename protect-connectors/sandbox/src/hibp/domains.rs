//! Domain search, domain verification and stealer logs: what needs proof of control.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    Hibp, hibp_error, parameter,
    search::{not_found, well_formed},
    zoneless,
};
use crate::{
    clock::{later, seconds},
    request::{Call, Context, Reply},
    rng::Rng,
};

const EMAIL_ALIASES: [&str; 5] = ["admin", "hostmaster", "info", "security", "webmaster"];

#[derive(Debug)]
pub(crate) struct Domains {
    verified: BTreeSet<String>,
    tokens: BTreeMap<String, String>,
    /// The TXT records the world publishes, as far as this vendor looks.
    txt: BTreeMap<String, BTreeSet<String>>,
    failure_status: u16,
    rng: Rng,
}

impl Domains {
    pub(crate) fn new(rng: &mut Rng, verified: &str) -> Self {
        Self {
            verified: BTreeSet::from([verified.to_owned()]),
            tokens: BTreeMap::new(),
            txt: BTreeMap::new(),
            failure_status: 200,
            rng: Rng::new(rng.next(), "domains"),
        }
    }

    pub(crate) fn verified(&self) -> &BTreeSet<String> {
        &self.verified
    }

    pub(crate) fn set_verified(&mut self, domain: &str, verified: bool) {
        let domain = domain.to_lowercase();
        if verified {
            self.verified.insert(domain);
        } else {
            self.verified.remove(&domain);
        }
    }

    pub(crate) fn publish_txt(&mut self, domain: &str, value: &str) {
        self.txt
            .entry(domain.to_lowercase())
            .or_default()
            .insert(value.to_owned());
    }

    /// Two ways of saying "not verified" were seen: 200 with a message, and 400.
    pub(crate) fn set_failure_status(&mut self, status: u16) {
        self.failure_status = status;
    }

    fn covers(&self, domain: &str, subdomains: bool) -> bool {
        self.verified.iter().any(|own| {
            own == domain
                || (subdomains
                    && domain
                        .strip_suffix(own.as_str())
                        .is_some_and(|d| d.ends_with('.')))
        })
    }
}

impl Hibp {
    pub(super) fn domain(&self, call: &Call, cx: &mut Context) -> Result<Reply, Reply> {
        let domain = parameter(call, cx)?;
        self.controlled(&domain, cx)?;
        let found: BTreeMap<&str, Vec<&str>> = self.breached_aliases(&domain).collect();
        if found.is_empty() {
            return Err(not_found());
        }
        let counted = u32::try_from(self.counted(&domain)).unwrap_or(u32::MAX);
        if self
            .plan
            .largest_domain
            .is_some_and(|largest| counted > largest)
        {
            cx.violate(
                "plan_lacks_feature",
                "the domain is larger than the plan allows",
            );
            return Err(hibp_error(
                403,
                "The domain is too large for the subscription.",
            ));
        }
        Ok(Reply::json(200, &json!(found)))
    }

    pub(super) fn subscribed_domains(&self, cx: &Context) -> Reply {
        let renewal = later(cx.now, jiff::SignedDuration::from_hours(24 * 30));
        let rows: Vec<Value> = self
            .domains
            .verified
            .iter()
            .map(|domain| {
                json!({
                    "DomainName": domain,
                    "PwnCount": self.breached_aliases(domain).count(),
                    "PwnCountExcludingSpamLists": self.counted(domain),
                    "PwnCountExcludingSpamListsAtLastSubscriptionRenewal": null,
                    "NextSubscriptionRenewal": zoneless(&seconds(renewal)),
                })
            })
            .collect();
        Reply::json(200, &Value::from(rows))
    }

    pub(super) fn generate_dns(&mut self, call: &Call, cx: &mut Context) -> Result<Reply, Reply> {
        let domain = self.verification(call, cx)?;
        let token = format!("hibp-verify=dweb_{}", self.domains.rng.hex(24));
        self.domains.tokens.insert(domain, token.clone());
        Ok(Reply::json(200, &json!({"txtRecordValue": token})))
    }

    pub(super) fn verify_dns(&mut self, call: &Call, cx: &mut Context) -> Result<Reply, Reply> {
        let domain = self.verification(call, cx)?;
        let Some(token) = self.domains.tokens.get(&domain) else {
            cx.violate("no_dns_token", "no token was generated for this domain");
            return Err(hibp_error(400, "No token was generated for this domain."));
        };
        let published = self.domains.txt.get(&domain);
        if !published.is_some_and(|records| records.contains(token)) {
            let message = "The TXT record was not found.";
            return Ok(if self.domains.failure_status == 200 {
                Reply::json(200, &json!({"message": message}))
            } else {
                hibp_error(self.domains.failure_status, message)
            });
        }
        if self.domains.verified.insert(domain.clone()) {
            cx.change("domain", &domain, "unverified", "verified");
        }
        Ok(Reply::empty(200))
    }

    pub(super) fn send_email(&mut self, call: &Call, cx: &mut Context) -> Result<Reply, Reply> {
        let domain = self.verification(call, cx)?;
        let body = call.json().unwrap_or_default();
        let alias = body.get("EmailAlias").and_then(Value::as_str);
        if !alias.is_some_and(|alias| EMAIL_ALIASES.contains(&alias)) {
            cx.violate("email_alias", "one of five aliases is needed");
            return Err(hibp_error(400, "The alias is not one of those allowed."));
        }
        cx.change("domain", &domain, "unverified", "verification mail sent");
        Ok(Reply::empty(200))
    }

    pub(super) fn stealer_by_email(&self, call: &Call, cx: &mut Context) -> Result<Reply, Reply> {
        Self::needs(self.plan.stealer_logs, "IncludesStealerLogs", cx)?;
        let email = parameter(call, cx)?;
        well_formed(&email, cx)?;
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.controlled(domain, cx)?;
        let sites = self.exposures.get(&email).map(|own| &own.stealer_sites);
        match sites.filter(|sites| !sites.is_empty()) {
            Some(sites) => Ok(Reply::json(200, &json!(sites))),
            None => Err(not_found()),
        }
    }

    pub(super) fn stealer_by_website(&self, call: &Call, cx: &mut Context) -> Result<Reply, Reply> {
        Self::needs(self.plan.stealer_logs, "IncludesStealerLogs", cx)?;
        let site = parameter(call, cx)?;
        self.controlled(&site, cx)?;
        let emails: BTreeSet<&String> = self
            .exposures
            .all()
            .filter(|(_, exposure)| exposure.stealer_sites.contains(&site))
            .map(|(email, _)| email)
            .collect();
        if emails.is_empty() {
            return Err(not_found());
        }
        Ok(Reply::json(200, &json!(emails)))
    }

    pub(super) fn stealer_by_email_domain(
        &self,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Reply> {
        Self::needs(self.plan.stealer_logs, "IncludesStealerLogs", cx)?;
        let domain = parameter(call, cx)?;
        self.controlled(&domain, cx)?;
        let found: BTreeMap<&str, &BTreeSet<String>> = self
            .exposures
            .of_domain(&domain)
            .filter(|(_, exposure)| !exposure.stealer_sites.is_empty())
            .map(|(alias, exposure)| (alias, &exposure.stealer_sites))
            .collect();
        if found.is_empty() {
            return Err(not_found());
        }
        Ok(Reply::json(200, &json!(found)))
    }

    /// Control was proven, so sensitive breaches are shown here; retired ones are shown nowhere.
    fn breached_aliases<'a>(
        &'a self,
        domain: &'a str,
    ) -> impl Iterator<Item = (&'a str, Vec<&'a str>)> {
        self.exposures.of_domain(domain).filter_map(|(alias, own)| {
            let names = own.breaches.iter().filter(|name| {
                let breach = self.catalogue.get(name);
                breach.is_some_and(|breach| !breach.retired)
            });
            let names: Vec<&str> = names.map(String::as_str).collect();
            (!names.is_empty()).then_some((alias, names))
        })
    }

    /// How many addresses count towards the size of a domain: those only in spam lists do not.
    fn counted(&self, domain: &str) -> usize {
        self.breached_aliases(domain)
            .filter(|(_, names)| {
                names.iter().any(|name| {
                    let breach = self.catalogue.get(name);
                    breach.is_some_and(|breach| !breach.spam_list)
                })
            })
            .count()
    }

    fn controlled(&self, domain: &str, cx: &mut Context) -> Result<(), Reply> {
        if self.domains.covers(domain, self.plan.bulk_domains) {
            return Ok(());
        }
        cx.violate(
            "domain_not_verified",
            "the key has not verified this domain",
        );
        Err(hibp_error(
            403,
            "The domain has not been verified for this key.",
        ))
    }

    fn verification(&self, call: &Call, cx: &mut Context) -> Result<String, Reply> {
        Self::needs(self.plan.bulk_domains, "IncludesBulkDomainAdd", cx)?;
        let body = call
            .json()
            .filter(|_| call.content_type_is("application/json"));
        let body = body.unwrap_or_default();
        let domain = body.get("DomainName").and_then(Value::as_str);
        let domain = domain.filter(|domain| domain.contains('.') && !domain.contains('@'));
        domain.map(str::to_lowercase).ok_or_else(|| {
            cx.violate("domain_body", "a JSON body with DomainName is needed");
            hibp_error(400, "The domain is not valid.")
        })
    }
}
