use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Attributes;
use super::id::TenantId;

/// An entry of the append-only, hash-chained ledger of one tenant.
///
/// `hash` is SHA-256 over the canonical JSON (RFC 8785) of the entry without `hash`; `previous`
/// is the `hash` of the entry before, or 64 zeros for the first. People stand in `data` only as
/// pseudonyms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceEntry {
    /// The place in the chain, from 1.
    pub sequence: u64,
    /// Whose ledger it is.
    pub tenant: TenantId,
    /// When it was appended.
    pub at: Timestamp,
    /// `<thing>.<what happened>` (`action.attempted`).
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// The facts.
    pub data: Attributes,
    /// The hash of the entry before, in lower-case hexadecimal.
    pub previous: String,
    /// The hash of this entry, in lower-case hexadecimal.
    pub hash: String,
}
