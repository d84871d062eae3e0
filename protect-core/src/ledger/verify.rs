//! Whether an exported ledger is what was written, from the file alone.

use std::io::{BufRead, Read as _};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::entry::{Body, FIRST_PREVIOUS};
use super::key::LedgerPublicKey;
use crate::error::{Error, Result};
use crate::model::{EvidenceEntry, TenantId};

/// The longest line that is read, in bytes: no entry comes near it, and no file fills the memory.
const LONGEST_LINE: u64 = 16 << 20;

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifyReport {
    /// Whether nothing is wrong.
    pub valid: bool,
    /// Whose ledger it is; `None` for an empty file.
    pub tenant: Option<TenantId>,
    /// How many entries are good, from the first.
    pub entries: u64,
    /// The hash of the last of them.
    pub head: Option<String>,
    /// What the checkpoint adds.
    pub checkpoint: CheckpointStanding,
    /// The first thing that is wrong.
    pub problem: Option<Problem>,
}

/// What a checkpoint adds to a [`VerifyReport`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckpointStanding {
    /// There was none: the chain agrees with itself, and entries may be missing at the end.
    NotGiven,
    /// It was compared, but there was no public key to check its signature.
    SignatureNotChecked,
    /// It was compared, and its signature is good.
    Signed,
    /// Its signature is not by the given key.
    Refused,
}

/// The first thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The line, from 1; `None` where it is the checkpoint itself.
    pub line: Option<u64>,
    /// What is wrong, for people.
    pub what: String,
}

/// Finds the first changed, missing, inserted, doubled or re-ordered entry of an exported ledger,
/// and with a checkpoint a tail that was cut off or replaced. Needs the memory of one line.
///
/// Without a checkpoint whose signature is checked, somebody who could write the whole file anew
/// is not found out.
///
/// # Errors
/// `invalid_input` where the file cannot be read. What is wrong inside it is in the report.
pub fn verify(
    mut file: impl BufRead,
    checkpoint: Option<&Checkpoint>,
    key: Option<&LedgerPublicKey>,
) -> Result<VerifyReport> {
    let mut walk = Walk::new(checkpoint, key);
    let mut line = Vec::new();
    while walk.problem.is_none() {
        line.clear();
        let read = (&mut file).take(LONGEST_LINE).read_until(b'\n', &mut line);
        let read = read.map_err(|error| {
            Error::invalid_input("the exported ledger cannot be read").with_source(error)
        })?;
        if read == 0 {
            break;
        }
        walk.step(line.strip_suffix(b"\n").unwrap_or(&line));
    }
    Ok(walk.finish())
}

struct Walk<'a> {
    checkpoint: Option<&'a Checkpoint>,
    standing: CheckpointStanding,
    last: Option<EvidenceEntry>,
    problem: Option<Problem>,
}

impl<'a> Walk<'a> {
    fn new(checkpoint: Option<&'a Checkpoint>, key: Option<&LedgerPublicKey>) -> Self {
        let standing = match (checkpoint, key) {
            (None, _) => CheckpointStanding::NotGiven,
            (Some(_), None) => CheckpointStanding::SignatureNotChecked,
            (Some(checkpoint), Some(key)) => match checkpoint.check(key) {
                Ok(()) => CheckpointStanding::Signed,
                Err(_) => CheckpointStanding::Refused,
            },
        };
        let problem = (standing == CheckpointStanding::Refused).then(|| Problem {
            line: None,
            what: "the checkpoint was not signed by this key, or was changed since".to_owned(),
        });
        Self {
            checkpoint,
            standing,
            last: None,
            problem,
        }
    }

    fn step(&mut self, line: &[u8]) {
        match self.read(line) {
            Ok(entry) => self.last = Some(entry),
            Err(what) => self.stop(what),
        }
    }

    /// The entry on a line, or what is wrong with it.
    fn read(&self, line: &[u8]) -> Result<EvidenceEntry, String> {
        let entry: EvidenceEntry =
            serde_json::from_slice(line).map_err(|_| "not an entry of a ledger".to_owned())?;
        let sequence = self.entries() + 1;
        if entry.sequence != sequence {
            return Err(format!(
                "entry {} stands where entry {sequence} belongs",
                entry.sequence
            ));
        }
        let body = Body::of(&entry).map_err(|error| error.to_string())?;
        if body.with_hash(&entry.hash).as_bytes() != line {
            return Err("not as it was exported: the spelling differs".to_owned());
        }
        if entry.hash != body.hash() {
            return Err("changed: its hash does not fit its content".to_owned());
        }
        if entry.previous != self.head() {
            return Err("does not follow the entry before".to_owned());
        }
        self.compare(&entry)?;
        Ok(entry)
    }

    fn compare(&self, entry: &EvidenceEntry) -> Result<(), String> {
        let first = self.last.as_ref().map(|last| &last.tenant);
        if first.is_some_and(|tenant| *tenant != entry.tenant) {
            return Err("belongs to another tenant".to_owned());
        }
        let Some(checkpoint) = self.checkpoint else {
            return Ok(());
        };
        if checkpoint.tenant != entry.tenant {
            return Err("belongs to another tenant than the checkpoint".to_owned());
        }
        if checkpoint.size == entry.sequence && checkpoint.head != entry.hash {
            return Err("is not the entry that the checkpoint names".to_owned());
        }
        Ok(())
    }

    fn finish(mut self) -> VerifyReport {
        let size = self.checkpoint.map_or(0, |checkpoint| checkpoint.size);
        if self.problem.is_none() && self.entries() < size {
            self.stop(format!(
                "missing: the checkpoint covers {size} entries, the file ends before"
            ));
        }
        VerifyReport {
            valid: self.problem.is_none(),
            entries: self.entries(),
            checkpoint: self.standing,
            problem: self.problem,
            tenant: self.last.as_ref().map(|last| last.tenant.clone()),
            head: self.last.map(|last| last.hash),
        }
    }

    fn stop(&mut self, what: String) {
        self.problem = Some(Problem {
            line: Some(self.entries() + 1),
            what,
        });
    }

    fn entries(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.sequence)
    }

    fn head(&self) -> &str {
        self.last.as_ref().map_or(FIRST_PREVIOUS, |last| &last.hash)
    }
}
