//! The ledger as a file that stands on its own.

use std::io::{self, Write};

use super::entry::canonical;
use crate::error::{Error, Result};
use crate::model::TenantId;
use crate::store::{Query, Store};

/// Writes a tenant's whole ledger and gives the number of entries.
///
/// One line per entry, in the order of the sequence numbers from 1: the canonical JSON (RFC 8785)
/// of the entry, then a line feed. Frozen: [`verify`](super::verify) accepts no other spelling.
///
/// # Errors
/// `store`; `unavailable` where `out` cannot be written.
pub async fn export(
    store: &dyn Store,
    tenant: &TenantId,
    out: &mut (dyn Write + Send),
) -> Result<u64> {
    let mut written = 0;
    let mut query = Query::ledger();
    loop {
        let page = store.query(tenant, query.clone()).await?;
        for entry in &page.entries {
            let mut line = canonical(entry)?;
            line.push('\n');
            out.write_all(line.as_bytes()).map_err(unwritten)?;
            written += 1;
        }
        match page.next {
            Some(next) => query = query.after(next),
            None => break,
        }
    }
    out.flush().map_err(unwritten)?;
    Ok(written)
}

fn unwritten(error: io::Error) -> Error {
    Error::new(
        crate::error::ErrorKind::Unavailable,
        "the export cannot be written; check room and rights",
    )
    .with_source(error)
}
