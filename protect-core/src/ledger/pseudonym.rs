//! How the ledger names people without naming them.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::context::Random;
use crate::error::{Error, ErrorKind, Result};
use crate::model::hex;
use crate::model::{TenantId, hash_fields};
use crate::store::{Change, Commit, Expect, Put, Query, RecordKind, Store};

/// The name under which the ledger knows a person, address or account of a tenant.
///
/// `subject` is whatever names them elsewhere, always in the same spelling. The pseudonym is
/// `p-` and the first 128 bits of HMAC-SHA-256 over the subject, keyed with 32 random bytes kept
/// for that subject alone. The salt is made where there is none yet.
///
/// # Errors
/// `store`.
pub async fn pseudonym(
    store: &dyn Store,
    random: &dyn Random,
    tenant: &TenantId,
    subject: &str,
) -> Result<String> {
    let mut all = pseudonyms(store, random, tenant, &[subject]).await?;
    all.pop()
        .ok_or_else(|| Error::unexpected("a subject got no pseudonym"))
}

/// The pseudonyms of many subjects, in their order, with one look into the store.
///
/// # Errors
/// `store`.
pub async fn pseudonyms(
    store: &dyn Store,
    random: &dyn Random,
    tenant: &TenantId,
    subjects: &[&str],
) -> Result<Vec<String>> {
    let keys: Vec<String> = subjects.iter().map(|one| key_of(tenant, one)).collect();
    let mut salts = read(store, tenant, &keys).await?;
    // Another writer may make one first, or erase one: each round at least one of us gets on.
    while keys.iter().any(|key| !salts.contains_key(key)) {
        make(store, random, tenant, &keys, &salts).await?;
        salts = read(store, tenant, &keys).await?;
    }
    subjects
        .iter()
        .zip(&keys)
        .map(|(subject, key)| {
            let salt = salts.get(key).map_or("", String::as_str);
            named(salt, subject)
        })
        .collect()
}

/// Destroys the salt of a subject, so that no entry about them can be traced to them any more. The
/// chain still verifies. Says whether there was one.
///
/// # Errors
/// `store`.
pub async fn erase(store: &dyn Store, tenant: &TenantId, subject: &str) -> Result<bool> {
    let key = key_of(tenant, subject);
    let known = read(store, tenant, std::slice::from_ref(&key)).await?;
    let gone = Change::Delete {
        kind: RecordKind::Salt,
        key,
        expect: Expect::Anything,
    };
    let commit = Commit {
        changes: vec![gone],
        entries: Vec::new(),
    };
    store.commit(tenant, commit).await?;
    Ok(!known.is_empty())
}

/// What a [`RecordKind::Salt`] holds.
#[derive(Serialize, Deserialize)]
struct Salt {
    /// 32 random bytes in hexadecimal.
    salt: String,
}

/// No address stands among the keys.
fn key_of(tenant: &TenantId, subject: &str) -> String {
    hash_fields("salt", &[tenant.as_str(), subject])
}

async fn read(
    store: &dyn Store,
    tenant: &TenantId,
    keys: &[String],
) -> Result<HashMap<String, String>> {
    let query = Query::keys(RecordKind::Salt, keys.to_vec());
    let page = store.query(tenant, query).await?;
    page.records
        .into_iter()
        .map(|record| Ok((record.key.clone(), record.read::<Salt>()?.salt)))
        .collect()
}

async fn make(
    store: &dyn Store,
    random: &dyn Random,
    tenant: &TenantId,
    keys: &[String],
    known: &HashMap<String, String>,
) -> Result<()> {
    let mut missing: Vec<&String> = keys
        .iter()
        .filter(|key| !known.contains_key(*key))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    let mut commit = Commit::default();
    for key in missing {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        let salt = Salt { salt: hex(&bytes) };
        commit =
            commit.put(Put::new(RecordKind::Salt, key.as_str(), &salt)?.expect(Expect::Absent));
    }
    match store.commit(tenant, commit).await {
        Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
        _ => Ok(()),
    }
}

fn named(salt: &str, subject: &str) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt.as_bytes())
        .map_err(|_| Error::unexpected("a salt of a length that HMAC refuses"))?;
    mac.update(subject.as_bytes());
    Ok(format!("p-{}", hex(&mac.finalize().into_bytes()[..16])))
}
