//! Searches by account and by range, pastes, and the catalogue.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Hibp,
    catalogue::Breach,
    exposures::{Exposure, PREFIX},
    hibp_error, parameter,
};
use crate::{
    request::{Call, Context, Reply},
    rng::Rng,
};

const SUFFIX: usize = 34;

impl Hibp {
    pub(super) fn account(&self, call: &Call, cx: &mut Context) -> Result<Reply, Reply> {
        let account = parameter(call, cx)?;
        well_formed(&account, cx)?;
        let truncate = boolean(call, "truncateresponse", cx)?.unwrap_or(true);
        let unverified = boolean(call, "includeunverified", cx)?.unwrap_or(true);
        let site = option(call, "domain");
        let exposure = self.exposures.get(&account).ok_or_else(not_found)?;
        let found: Vec<&Breach> = self
            .public(exposure)
            .into_iter()
            .filter(|breach| unverified || breach.verified)
            .filter(|breach| site.is_none_or(|site| site.eq_ignore_ascii_case(&breach.domain)))
            .collect();
        if found.is_empty() {
            return Err(not_found());
        }
        let shown: Vec<Value> = found
            .into_iter()
            .map(|breach| {
                if truncate {
                    json!({"Name": breach.name})
                } else {
                    breach.body.clone()
                }
            })
            .collect();
        Ok(Reply::json(200, &Value::from(shown)))
    }

    pub(super) fn range(&self, call: &Call, cx: &mut Context) -> Result<Reply, Reply> {
        Self::needs(self.plan.k_anonymity, "IncludesKAnon", cx)?;
        let prefix = parameter(call, cx)?.to_uppercase();
        if prefix.len() != PREFIX || !prefix.bytes().all(|b| b.is_ascii_hexdigit()) {
            cx.violate("hash_prefix", "six hexadecimal digits");
            return Err(hibp_error(400, "The hash prefix is not valid."));
        }
        let mut rows = self.strangers(&prefix);
        for (suffix, email) in self.exposures.of_prefix(&prefix) {
            let exposure = self.exposures.get(email);
            let breaches = exposure.map(|own| self.public(own)).unwrap_or_default();
            if !breaches.is_empty() {
                let names: Vec<&str> = breaches.iter().map(|b| b.name.as_str()).collect();
                rows.push((suffix.clone(), json!(names)));
            }
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        let rows: Vec<Value> = rows
            .into_iter()
            .map(|(suffix, names)| json!({"hashSuffix": suffix, "websites": names}))
            .collect();
        Ok(Reply::json(200, &Value::from(rows)))
    }

    pub(super) fn pastes(&self, call: &Call, cx: &mut Context) -> Result<Reply, Reply> {
        let account = parameter(call, cx)?;
        if !account.contains('@') {
            cx.violate(
                "account_malformed",
                "pastes are found by e-mail address only",
            );
            return Err(hibp_error(400, "The account is not an e-mail address."));
        }
        well_formed(&account, cx)?;
        let exposure = self.exposures.get(&account).ok_or_else(not_found)?;
        if exposure.pastes.is_empty() {
            return Err(not_found());
        }
        Ok(Reply::json(200, &json!(exposure.pastes)))
    }

    pub(super) fn breaches(&self, call: &Call, cx: &mut Context) -> Result<Reply, Reply> {
        let spam_list = boolean(call, "isspamlist", cx)?;
        let site = option(call, "domain");
        let shown: Vec<&Value> = self
            .catalogue
            .all()
            .iter()
            .filter(|breach| spam_list.is_none_or(|wanted| wanted == breach.spam_list))
            .filter(|breach| site.is_none_or(|site| site.eq_ignore_ascii_case(&breach.domain)))
            .map(|breach| &breach.body)
            .collect();
        let body = serde_json::to_vec(&shown).unwrap_or_default();
        Ok(Reply::rendered(200, Bytes::from(body)))
    }

    pub(super) fn breach(&self, call: &Call) -> Result<Reply, Reply> {
        let name = call
            .segments
            .last()
            .and_then(|name| crate::request::decode(name));
        let breach = name.and_then(|name| self.catalogue.find(&name));
        let breach = breach.ok_or_else(not_found)?;
        Ok(Reply::json(200, &breach.body))
    }

    pub(super) fn latest(&self) -> Reply {
        match self.catalogue.latest() {
            Some(breach) => Reply::json(200, &breach.body),
            None => not_found(),
        }
    }

    pub(super) fn data_classes(&self) -> Reply {
        let all = self
            .catalogue
            .all()
            .iter()
            .flat_map(|breach| &breach.classes);
        let sorted: BTreeSet<&String> = all.collect();
        Reply::json(200, &json!(sorted))
    }

    /// What a search without proof of control shows, by title.
    fn public(&self, exposure: &Exposure) -> Vec<&Breach> {
        let names = exposure.breaches.iter();
        let mut breaches: Vec<&Breach> = names
            .filter_map(|name| self.catalogue.get(name))
            .filter(|breach| !breach.sensitive && !breach.retired)
            .collect();
        breaches.sort_by(|a, b| a.title.cmp(&b.title));
        breaches
    }

    /// Other people's rows: the same for a prefix as long as the catalogue stays.
    fn strangers(&self, prefix: &str) -> Vec<(String, Value)> {
        let mut rng = Rng::new(self.seed, &format!("range {prefix}"));
        let all = self.catalogue.all();
        (0..self.range_rows)
            .map(|_| {
                let count = rng.between(1, 3);
                let names: BTreeSet<&str> =
                    (0..count).map(|_| rng.pick(all).name.as_str()).collect();
                (rng.hex(SUFFIX).to_uppercase(), json!(names))
            })
            .collect()
    }
}

/// 404 says "nothing found" and has no body worth reading.
pub(super) fn not_found() -> Reply {
    Reply::empty(404)
}

/// Names of query parameters do not care for case.
fn option<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    let found = call
        .query
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn boolean(call: &Call, name: &str, cx: &mut Context) -> Result<Option<bool>, Reply> {
    let Some(value) = option(call, name) else {
        return Ok(None);
    };
    if value.eq_ignore_ascii_case("true") {
        return Ok(Some(true));
    }
    if value.eq_ignore_ascii_case("false") {
        return Ok(Some(false));
    }
    cx.violate("query_not_boolean", "true or false is needed");
    Err(hibp_error(400, "The query is not valid."))
}

/// An account may be a user name; with an at sign it must be an address.
pub(super) fn well_formed(account: &str, cx: &mut Context) -> Result<(), Reply> {
    let mut parts = account.split('@');
    let (local, domain, rest) = (parts.next(), parts.next(), parts.next());
    let good = match (local, domain) {
        (Some(_), None) => true,
        (Some(local), Some(domain)) => {
            !local.is_empty() && domain.contains('.') && rest.is_none() && !account.contains(' ')
        }
        _ => false,
    };
    if good {
        return Ok(());
    }
    cx.violate("account_malformed", "not an address");
    Err(hibp_error(400, "The account is not valid."))
}
