use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::context::Random;
use crate::dns::{DnsAnswer, DnsFailure, DnsLookup, DnsRecord, RecordType};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::{SecretRef, SecretResolver, SecretString};

/// DNS from a map; every other name does not exist. Aliases are followed.
#[derive(Debug, Default)]
pub struct MapDns {
    answers: Mutex<BTreeMap<(String, RecordType), DnsAnswer>>,
    asked: Mutex<Vec<(String, RecordType)>>,
}

impl MapDns {
    /// Sets the answer for a name and a type; the name in any case and with or without the final
    /// dot.
    pub fn set(&self, name: &str, kind: RecordType, answer: DnsAnswer) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert((normal(name), kind), answer);
    }

    /// Adds a record to a name.
    pub fn add(&self, name: &str, record: DnsRecord) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers
            .entry((normal(name), record.kind()))
            .or_insert_with(|| DnsAnswer::Records(Vec::new()));
        match answer {
            DnsAnswer::Records(records) => records.push(record),
            other => *other = DnsAnswer::Records(vec![record]),
        }
    }

    /// Sets the TXT records of a name.
    pub fn set_txt(&self, name: &str, records: &[&str]) {
        let records = records.iter().map(|&text| DnsRecord::Txt(text.into()));
        self.set(name, RecordType::Txt, DnsAnswer::Records(records.collect()));
    }

    /// The questions that were asked, in order.
    pub fn asked(&self) -> Vec<(String, RecordType)> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn answer(&self, name: &str, kind: RecordType) -> DnsAnswer {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut name = normal(name);
        // A resolver gives a chain of aliases up after some, and so ends a loop.
        for _ in 0..8 {
            if let Some(answer) = answers.get(&(name.clone(), kind)) {
                return answer.clone();
            }
            let alias = answers.get(&(name.clone(), RecordType::Cname));
            let target = match alias {
                Some(DnsAnswer::Records(records)) => records.first(),
                Some(other) => return other.clone(),
                None => None,
            };
            let Some(DnsRecord::Cname(target)) = target else {
                let below = format!(".{name}");
                let exists = |known: &str| known == name || known.ends_with(&below);
                return if answers.keys().any(|(known, _)| exists(known)) {
                    DnsAnswer::NoData
                } else {
                    DnsAnswer::NoName
                };
            };
            name = normal(target);
        }
        DnsAnswer::Failed(DnsFailure::ServFail)
    }
}

fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[async_trait]
impl DnsLookup for MapDns {
    async fn query(&self, name: &str, kind: RecordType) -> DnsAnswer {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((normal(name), kind));
        self.answer(name, kind)
    }
}

/// Secrets from a map, which may change while a test runs.
#[derive(Default)]
pub struct MapSecrets {
    secrets: Mutex<HashMap<SecretRef, String>>,
}

impl MapSecrets {
    /// Sets a secret.
    pub fn set(&self, reference: SecretRef, value: &str) {
        self.secrets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(reference, value.to_owned());
    }

    /// Sets what `{ env = "name" }` refers to.
    pub fn set_env(&self, name: &str, value: &str) {
        self.set(SecretRef::env(name), value);
    }
}

impl std::fmt::Debug for MapSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MapSecrets(…)")
    }
}

#[async_trait]
impl SecretResolver for MapSecrets {
    async fn resolve(&self, reference: &SecretRef) -> Result<SecretString> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let value = secrets.get(reference).ok_or_else(|| {
            Error::new(ErrorKind::ConfigInvalid, "the secret is not there")
                .with_context("secret", reference.to_string())
        })?;
        Ok(SecretString::from(value.clone()))
    }
}

/// The same numbers for the same seed (`SplitMix64`).
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// A whole number below `end`; 0 where `end` is 0.
    pub fn below(&self, end: usize) -> usize {
        let number = usize::try_from(self.next() >> 32).unwrap_or_default();
        number.checked_rem(end).unwrap_or_default()
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}
