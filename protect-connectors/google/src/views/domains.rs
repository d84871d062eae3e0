//! The domains and their aliases
//! ([domains](https://developers.google.com/workspace/admin/directory/reference/rest/v1/domains)).

use std::collections::BTreeMap;

use protect_core::posture::{Read, Reader, View};
use serde::Deserialize;

use super::each;
use crate::workspace::{DOMAIN_ALIASES, DOMAINS};

/// The names in which mail is sent, in lower case, and whether Google verified each.
#[derive(Debug)]
pub(crate) struct Domains(pub(crate) BTreeMap<String, Option<bool>>);

impl View for Domains {
    const PATHS: &'static [&'static str] = &[DOMAINS, DOMAIN_ALIASES];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let mut names = BTreeMap::new();
        let mut put = |name: &str, verified| {
            // One that is listed twice is verified where both say so.
            let known = names.entry(name.to_lowercase()).or_insert(verified);
            *known = super::both(*known, verified);
        };
        each(read, DOMAINS, |domain: Listed| {
            put(&domain.domain_name, domain.verified);
            for alias in domain.domain_aliases.into_iter().flatten() {
                put(&alias.domain_alias_name, alias.verified);
            }
        })?;
        for alias in aliases(read)? {
            put(&alias.domain_alias_name, alias.verified);
        }
        Ok(Self(names))
    }
}

/// The aliases: a list, or Google's reply.
fn aliases(read: &Reader<'_>) -> Read<Vec<Alias>> {
    if let Ok(reply) = read.one::<Aliases>(DOMAIN_ALIASES) {
        return Ok(reply.domain_aliases);
    }
    let mut aliases = Vec::new();
    each(read, DOMAIN_ALIASES, |alias: Alias| aliases.push(alias))?;
    Ok(aliases)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    domain_name: String,
    verified: Option<bool>,
    domain_aliases: Option<Vec<Alias>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Aliases {
    domain_aliases: Vec<Alias>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alias {
    domain_alias_name: String,
    verified: Option<bool>,
}
