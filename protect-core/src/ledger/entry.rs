//! What an entry is hashed over.

use serde::Serialize;
use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::model::hex;
use crate::model::{Attributes, EvidenceEntry, TenantId};
use crate::store::NewEntry;

/// What the first entry of a chain names as the one before: 64 zeros.
pub const FIRST_PREVIOUS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The largest integer that every JSON reader keeps exactly (RFC 7493 section 2.2).
const MAX_EXACT: u64 = (1 << 53) - 1;

/// Gives an entry its place and its hashes. Every store calls this inside its commit.
///
/// `previous` is the hash of the entry before, or [`FIRST_PREVIOUS`]; `sequence` counts from 1.
/// Integers beyond 2^53 - 1 in the data become decimal text, since canonical JSON (RFC 8785
/// section 3.2.2.3) would round them.
///
/// # Errors
/// `unexpected` where the entry has no canonical form, which no data from JSON lacks.
pub fn seal(
    previous: &str,
    sequence: u64,
    tenant: &TenantId,
    entry: NewEntry,
) -> Result<EvidenceEntry> {
    seal_as_text(previous, sequence, tenant, entry).map(|(entry, _)| entry)
}

/// As [`seal`], and gives the [`canonical`] text too, which costs little at this moment.
pub(crate) fn seal_as_text(
    previous: &str,
    sequence: u64,
    tenant: &TenantId,
    entry: NewEntry,
) -> Result<(EvidenceEntry, String)> {
    let mut entry = EvidenceEntry {
        sequence,
        tenant: tenant.clone(),
        at: entry.at,
        kind: entry.kind,
        actor: entry.actor,
        data: exact_map(entry.data),
        previous: previous.to_owned(),
        hash: String::new(),
    };
    let body = Body::of(&entry)?;
    entry.hash = body.hash();
    let text = body.with_hash(&entry.hash);
    Ok((entry, text))
}

/// The canonical JSON (RFC 8785) of an entry, as it stands in a store and, with a line feed, in
/// an export.
///
/// # Errors
/// `unexpected` where the entry has no canonical form.
pub fn canonical(entry: &EvidenceEntry) -> Result<String> {
    Ok(Body::of(entry)?.with_hash(&entry.hash))
}

/// The hash that an entry should hold: SHA-256 over its canonical JSON without `hash`, in
/// lower-case hexadecimal.
///
/// # Errors
/// `unexpected` where the entry has no canonical form.
pub fn hash_of(entry: &EvidenceEntry) -> Result<String> {
    Ok(Body::of(entry)?.hash())
}

/// The canonical JSON of an entry without its hash.
pub(super) struct Body {
    text: String,
    /// Where `"hash"` belongs: behind `"data"`, before `"kind"`.
    place: usize,
}

impl Body {
    pub(super) fn of(entry: &EvidenceEntry) -> Result<Self> {
        let before = canonical_json(&Before {
            actor: &entry.actor,
            at: entry.at,
            data: &entry.data,
        })?;
        let behind = canonical_json(&Behind {
            kind: &entry.kind,
            previous: &entry.previous,
            sequence: entry.sequence,
            tenant: &entry.tenant,
        })?;
        let before = before.strip_suffix('}').unwrap_or_default();
        let behind = behind.strip_prefix('{').unwrap_or_default();
        Ok(Self {
            text: format!("{before},{behind}"),
            place: before.len() + 1,
        })
    }

    /// What the entry's hash should be.
    pub(super) fn hash(&self) -> String {
        hex(&Sha256::digest(&self.text))
    }

    /// The canonical JSON of the entry with this hash, which may be any text.
    pub(super) fn with_hash(&self, hash: &str) -> String {
        let (before, behind) = self.text.split_at(self.place);
        let hash = serde_json::Value::from(hash);
        format!("{before}\"hash\":{hash},{behind}")
    }
}

/// The fields whose names sort before `hash`.
#[derive(Serialize)]
struct Before<'a> {
    actor: &'a str,
    at: jiff::Timestamp,
    data: &'a Attributes,
}

/// The fields whose names sort behind `hash`.
#[derive(Serialize)]
struct Behind<'a> {
    kind: &'a str,
    previous: &'a str,
    sequence: u64,
    tenant: &'a TenantId,
}

fn canonical_json(value: &impl Serialize) -> Result<String> {
    serde_json_canonicalizer::to_string(value)
        .map_err(|error| Error::unexpected("an entry has no canonical form").with_source(error))
}

fn exact_map(map: Attributes) -> Attributes {
    map.into_iter()
        .map(|(key, value)| (key, exact(value)))
        .collect()
}

/// The value as it reads back from its canonical form.
fn exact(value: Value) -> Value {
    match value {
        Value::Number(number) => exact_number(number),
        Value::Array(items) => Value::Array(items.into_iter().map(exact).collect()),
        Value::Object(map) => Value::Object(exact_map(map)),
        other => other,
    }
}

fn exact_number(number: Number) -> Value {
    let size = number
        .as_u64()
        .or_else(|| number.as_i64().map(i64::unsigned_abs));
    match size {
        Some(size) if size > MAX_EXACT => Value::String(number.to_string()),
        Some(_) => Value::Number(number),
        None => reread(number),
    }
}

/// `1.0` is written `1` and reads back as an integer: what a commit returns is what is read later.
fn reread(number: Number) -> Value {
    serde_json_canonicalizer::to_string(&number)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or(Value::Number(number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn entry(data: &Value) -> NewEntry {
        NewEntry {
            kind: "action.attempted".to_owned(),
            actor: "rule:leaked".to_owned(),
            at: "2026-11-23T08:00:00.5Z".parse().unwrap(),
            data: data.as_object().unwrap().clone(),
        }
    }

    fn sealed(data: &Value) -> EvidenceEntry {
        let tenant = TenantId::new("acme").unwrap();
        seal(FIRST_PREVIOUS, 1, &tenant, entry(data)).unwrap()
    }

    #[test]
    fn the_form_of_an_entry_does_not_move() {
        let entry = sealed(
            &json!({ "é": "€", "a": [1.0, 1e21, true, null], "b": 9_007_199_254_740_993_u64 }),
        );
        assert_eq!(
            canonical(&entry).unwrap(),
            concat!(
                r#"{"actor":"rule:leaked","at":"2026-11-23T08:00:00.5Z","#,
                r#""data":{"a":[1,1e+21,true,null],"b":"9007199254740993","é":"€"},"#,
                r#""hash":"777cc927bec6bab3c6e0a5b8bc13b80cadeb5e0c0225abda586c86823c19d97c","#,
                r#""kind":"action.attempted","#,
                r#""previous":"0000000000000000000000000000000000000000000000000000000000000000","#,
                r#""sequence":1,"tenant":"acme"}"#,
            )
        );
    }

    #[test]
    fn keys_are_ordered_by_utf_16_code_units() {
        let entry = sealed(&json!({ "\u{fb33}": 1, "\u{1f600}": 2 }));
        let text = canonical(&entry).unwrap();
        assert!(text.find('\u{1f600}').unwrap() < text.find('\u{fb33}').unwrap());
    }

    proptest! {
        #[test]
        fn an_entry_reads_back_as_it_was_sealed(
            text in ".*",
            float in proptest::num::f64::NORMAL | proptest::num::f64::ZERO,
            integer in any::<i64>(),
            large in any::<u64>(),
        ) {
            let entry = sealed(&json!({ text.clone(): [float, integer, large, text] }));
            let line = canonical(&entry).unwrap();
            let again: EvidenceEntry = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(&again, &entry);
            prop_assert_eq!(&canonical(&again).unwrap(), &line);
            prop_assert_eq!(hash_of(&again).unwrap(), entry.hash.clone());
            prop_assert_eq!(serde_json_canonicalizer::to_string(&entry).unwrap(), line);
        }
    }
}
