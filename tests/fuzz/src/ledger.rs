//! The exported ledger, its entries' canonical form, and the key that signs it.

use protect_core::ledger::{FIRST_PREVIOUS, LedgerKey, canonical, hash_of, seal, verify};
use protect_core::model::{EvidenceEntry, TenantId};
use protect_core::secret::SecretString;
use protect_core::store::NewEntry;
use serde_json::Value;

/// A whole file.
pub(crate) fn file(data: &[u8]) {
    let _ = verify(data, None, None);
}

/// Whatever facts an entry holds, it reads back as it was sealed, with the same hash.
#[expect(clippy::unwrap_used, reason = "what fails here is a defect")]
pub(crate) fn entry(data: &[u8]) {
    let Ok(Value::Object(facts)) = serde_json::from_slice(data) else {
        return;
    };
    let new = NewEntry {
        kind: "fuzz.sealed".to_owned(),
        actor: "fuzz".to_owned(),
        at: "2026-11-23T08:00:00Z".parse().unwrap(),
        data: facts,
    };
    let tenant = TenantId::new("acme").unwrap();
    let sealed = seal(FIRST_PREVIOUS, 1, &tenant, new).unwrap();
    let line = canonical(&sealed).unwrap();
    let again: EvidenceEntry = serde_json::from_str(&line).unwrap();
    assert_eq!(again, sealed, "it reads back as it was sealed");
    assert_eq!(canonical(&again).unwrap(), line, "its form does not move");
    assert_eq!(hash_of(&again).unwrap(), sealed.hash, "nor does its hash");
    let report = verify(line.as_bytes(), None, None).unwrap();
    assert!(report.valid, "{report:?}");
}

pub(crate) fn key(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = LedgerKey::parse(&SecretString::from(text));
    }
}
