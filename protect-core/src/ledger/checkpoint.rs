//! A signed statement of how long a ledger was and what its last entry was.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;

use super::key::{KEY_NAME, LedgerKey, LedgerPublicKey};
use crate::error::{Error, ErrorKind, Result};
use crate::model::TenantId;
use crate::model::hex;
use crate::store::{Query, Store};

/// What every origin begins with; the tenant follows.
const ORIGIN: &str = "protect-evidence/";

/// A signed head of one tenant's ledger, as text that can be published.
///
/// The text is a C2SP `tlog-checkpoint` inside a C2SP `signed-note`: origin
/// (`protect-evidence/<tenant>`), number of entries, head in base64, one extension line with the
/// time (`at 2026-11-23T08:00:00Z`), an empty line, and an Ed25519 signature. The head is the hash
/// of the last entry of a hash chain, not the root of a tree. Frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose ledger it is.
    pub tenant: TenantId,
    /// How many entries it had.
    pub size: u64,
    /// The hash of the last of them, in lower-case hexadecimal.
    pub head: String,
    /// When that was.
    pub at: Timestamp,
    signatures: Vec<String>,
}

impl Checkpoint {
    /// Whether this key signed it.
    ///
    /// # Errors
    /// `refused` where it did not.
    pub fn check(&self, key: &LedgerPublicKey) -> Result<()> {
        let text = self.signed_text();
        if self.signatures.iter().any(|one| key.has_signed(&text, one)) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Refused,
            "the checkpoint was not signed by this key, or was changed since",
        ))
    }

    fn signed_text(&self) -> String {
        let head = from_hex(&self.head).unwrap_or_default();
        format!(
            "{ORIGIN}{}\n{}\n{}\nat {}\n",
            self.tenant,
            self.size,
            BASE64.encode(head),
            self.at
        )
    }
}

/// Signs the head of a tenant's ledger as it stands.
///
/// # Errors
/// `not_found` where the ledger is empty; `store`.
pub async fn checkpoint(
    store: &dyn Store,
    tenant: &TenantId,
    key: &LedgerKey,
    at: Timestamp,
) -> Result<Checkpoint> {
    let page = store.query(tenant, Query::ledger_head()).await?;
    let head = page.entries.into_iter().next().ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "the ledger is empty: there is nothing to sign",
        )
    })?;
    let mut checkpoint = Checkpoint {
        tenant: tenant.clone(),
        size: head.sequence,
        head: head.hash,
        at,
        signatures: Vec::new(),
    };
    checkpoint
        .signatures
        .push(key.sign(&checkpoint.signed_text()));
    Ok(checkpoint)
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.signed_text())?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "\u{2014} {KEY_NAME} {signature}"))
    }
}

impl FromStr for Checkpoint {
    type Err = Error;

    /// Reads the text without checking the signature. Signatures of other keys are left out.
    fn from_str(text: &str) -> Result<Self> {
        let checkpoint = parse(text)
            .ok_or_else(|| Error::invalid_input("not a checkpoint of a ledger of this program"))?;
        // One spelling only: what was signed is what is shown.
        let (signed, _) = text.split_once("\n\n").unwrap_or_default();
        if format!("{signed}\n") != checkpoint.signed_text() {
            return Err(Error::invalid_input(
                "a checkpoint of a form that this program does not know",
            ));
        }
        Ok(checkpoint)
    }
}

fn parse(text: &str) -> Option<Checkpoint> {
    let (signed, signatures) = text.split_once("\n\n")?;
    let mut lines = signed.lines();
    let tenant = TenantId::new(lines.next()?.strip_prefix(ORIGIN)?).ok()?;
    let size = lines.next()?.parse().ok()?;
    let head = BASE64.decode(lines.next()?).ok()?;
    let at = lines.next()?.strip_prefix("at ")?.parse().ok()?;
    let prefix = format!("\u{2014} {KEY_NAME} ");
    Some(Checkpoint {
        tenant,
        size,
        head: (head.len() == 32).then(|| hex(&head))?,
        at,
        signatures: signatures
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .map(str::to_owned)
            .collect(),
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
