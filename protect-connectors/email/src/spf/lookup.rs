//! Finding the one record of a domain (RFC 7208 section 4.5).

use super::record::Record;
use crate::name::DomainName;
use crate::resolve::{Lookup, LookupFailure, Resolver};

/// How many terms of one check may ask DNS (section 4.6.4).
pub const LOOKUP_LIMIT: u32 = 10;

/// How many questions of one check may find nothing (section 4.6.4).
pub const VOID_LIMIT: u32 = 2;

/// How many names an `mx` may lead to, and how many names of an address are looked at (section
/// 4.6.4).
pub(super) const NAME_LIMIT: usize = 10;

/// What stands at a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// One record, as text and parsed.
    One(String, Record),
    /// No record.
    Nothing {
        /// Nothing was found at all: a void lookup.
        void: bool,
        /// The name does not exist.
        no_name: bool,
    },
    /// More than one, and so none that counts.
    Several(Vec<String>),
    /// Nobody could say.
    Failed(LookupFailure),
}

/// Asks for a domain's record. Type 99 is not asked for (section 3.1).
pub(super) async fn published(domain: &DomainName, dns: &Resolver) -> Published {
    let answer = dns.txt(domain).await;
    let no_name = matches!(answer, Lookup::NoName);
    let texts = match answer.known() {
        Ok(Some(texts)) => texts,
        Ok(None) => {
            return Published::Nothing {
                void: true,
                no_name,
            };
        }
        Err(failure) => return Published::Failed(failure),
    };
    let mut texts: Vec<String> = texts
        .iter()
        .map(protect_core::dns::TxtRecord::joined)
        .filter(|text| Record::is_spf(text))
        .collect();
    if texts.len() > 1 {
        return Published::Several(texts);
    }
    let parsed = texts.pop().and_then(|text| {
        let record = Record::parse(&text)?;
        Some(Published::One(text, record))
    });
    parsed.unwrap_or(Published::Nothing {
        void: false,
        no_name: false,
    })
}
