//! Domains and their aliases, and the customer.

use serde_json::{Value, json};

use super::{
    Google,
    error::{Answer, Refusal},
    operation::Ask,
    page::{Cut, Named},
    users::{ALIAS_DOMAIN, SECOND_DOMAIN},
};
use crate::{
    request::{Context, Reply},
    scenario::DOMAIN,
};

/// Nobody proved that it is theirs.
const UNVERIFIED: &str = "acme-lost.example";
const DOMAINS: [&str; 3] = [DOMAIN, SECOND_DOMAIN, UNVERIFIED];

impl Google {
    pub(super) fn list_domains(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.check_customer(ask.id(0))?;
        let rows = DOMAINS.map(|name| self.domain(name));
        let named = Named {
            kind: Some("admin#directory#domains"),
            list: "domains",
        };
        let cut = whole(rows.to_vec());
        Ok(self.listed(ask, named, cut, cx))
    }

    pub(super) fn get_domain(&mut self, ask: &Ask<'_>, _: &mut Context) -> Answer {
        self.check_customer(ask.id(0))?;
        check_domain(ask.id(1))?;
        Ok(Reply::json(200, &self.domain(&ask.id(1).to_lowercase())))
    }

    pub(super) fn get_domain_alias(&mut self, ask: &Ask<'_>, _: &mut Context) -> Answer {
        self.check_customer(ask.id(0))?;
        if ask.id(1).eq_ignore_ascii_case(ALIAS_DOMAIN) {
            return Ok(Reply::json(200, &self.alias()));
        }
        Err(Refusal::not_found("domainAlias"))
    }

    pub(super) fn list_domain_aliases(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.check_customer(ask.id(0))?;
        let parent = ask.parameter("parentDomainName").unwrap_or(DOMAIN);
        let rows = if parent == DOMAIN {
            vec![self.alias()]
        } else {
            Vec::new()
        };
        let named = Named {
            kind: Some("admin#directory#domainAliases"),
            list: "domainAliases",
        };
        Ok(self.listed(ask, named, whole(rows), cx))
    }

    pub(super) fn get_customer(&mut self, ask: &Ask<'_>, _: &mut Context) -> Answer {
        self.check_customer(ask.id(0))?;
        let shown = json!({
            "kind": "admin#directory#customer",
            "etag": format!("\"{}\"", self.users.customer),
            "id": self.users.customer,
            "customerDomain": DOMAIN,
            "alternateEmail": "owner@partner.example",
            "language": "en",
        });
        Ok(Reply::json(200, &shown))
    }

    /// Other customers' things are not shown.
    pub(super) fn check_customer(&self, key: &str) -> Result<(), Refusal> {
        if key == "my_customer" || key == self.users.customer {
            return Ok(());
        }
        Err(Refusal::forbidden())
    }

    fn domain(&self, name: &str) -> Value {
        let mut domain = json!({
            "kind": "admin#directory#domain",
            "etag": format!("\"{name}\""),
            "domainName": name,
            "isPrimary": name == DOMAIN,
            "verified": name != UNVERIFIED,
            "creationTime": self.created(),
        });
        if name == DOMAIN {
            domain["domainAliases"] = json!([self.alias()]);
        }
        domain
    }

    fn alias(&self) -> Value {
        json!({
            "kind": "admin#directory#domainAlias",
            "etag": format!("\"{ALIAS_DOMAIN}\""),
            "domainAliasName": ALIAS_DOMAIN,
            "parentDomainName": DOMAIN,
            "verified": true,
            "creationTime": self.created(),
        })
    }

    /// In milliseconds, as a text; the vendor does not say which unit it is.
    fn created(&self) -> String {
        let years = jiff::SignedDuration::from_hours(-24 * 365 * 6);
        let at = crate::clock::later(self.users.begins(), years);
        at.as_millisecond().to_string()
    }
}

/// Refuses a domain that is not of the customer.
pub(crate) fn check_domain(name: &str) -> Result<(), Refusal> {
    let known = DOMAINS.iter().any(|it| it.eq_ignore_ascii_case(name));
    known
        .then_some(())
        .ok_or_else(|| Refusal::not_found("domain"))
}

/// Whether the address is in a domain of the customer.
pub(crate) fn has_address(address: &str) -> bool {
    let domain = address
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    address.contains('@') && (domain == ALIAS_DOMAIN || DOMAINS.contains(&domain.as_str()))
}

pub(super) fn whole(rows: Vec<Value>) -> Cut<usize> {
    Cut { rows, next: None }
}
