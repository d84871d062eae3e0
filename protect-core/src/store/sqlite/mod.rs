//! The embedded default: one SQLite file, one writer with group commit, readers beside it.
//!
//! Write-ahead log and `synchronous=FULL`: what a commit has answered survives a power cut. Two
//! processes may share a file; everything that decides a commit is read inside its transaction.

mod open;
mod read;
mod rows;
mod trouble;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::SqlitePool;

use super::decide::check;
use super::{Claim, Claimed, Commit, Committed, Page, Query, Select, Store};
use crate::error::{ErrorKind, Result};
use crate::model::TenantId;
use writer::Writer;

/// Where the file is, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// The file; it is made where it is not there, its folder is not.
    pub path: PathBuf,
    /// The most pages of 8192 bytes (4096 in a file that an early version made) that the file may
    /// have; `None` leaves it to the disk.
    pub max_page_count: Option<u32>,
    /// How long to wait for another process that is writing.
    pub busy_timeout: Duration,
}

impl SqliteOptions {
    /// The file at `path`, as large as the disk allows, waiting 5 seconds for another writer.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_page_count: None,
            busy_timeout: Duration::from_secs(5),
        }
    }

    /// Sets the most pages that the file may have.
    #[must_use]
    pub fn max_page_count(mut self, pages: u32) -> Self {
        self.max_page_count = Some(pages);
        self
    }

    /// Sets how long to wait for another process that is writing.
    #[must_use]
    pub fn busy_timeout(mut self, wait: Duration) -> Self {
        self.busy_timeout = wait;
        self
    }
}

/// A [`Store`] in one SQLite file.
pub struct SqliteStore {
    /// As errors name it.
    file: String,
    writer: Writer,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, makes it where it is not there, and brings it up to this version.
    ///
    /// Must be called on a tokio runtime, on which the writer then runs.
    ///
    /// # Errors
    /// `store` where the file is locked (temporary), damaged, no store of ours, newer than this
    /// program, or cannot be made; nothing was written then.
    pub async fn open(options: SqliteOptions) -> Result<Self> {
        let file = options.path.display().to_string();
        let (connection, readers) = open::open(&options)
            .await
            .map_err(|error| error.with_context(FILE, file.clone()))?;
        Ok(Self {
            file,
            writer: Writer::start(connection),
            readers,
        })
    }
}

/// Under which an error names the file.
const FILE: &str = "file";

impl SqliteStore {
    /// Names the file, where it is the file's trouble.
    fn named<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| match error.kind() {
            ErrorKind::Store => error.with_context(FILE, self.file.clone()),
            _ => error,
        })
    }

    async fn read(&self, tenant: &TenantId, query: Query) -> Result<Page> {
        match query.what {
            Select::Ledger => read::ledger(&self.readers, tenant, &query).await,
            Select::LedgerHead => read::ledger_head(&self.readers, tenant).await,
            Select::Keys(kind, _) => {
                read::records(&self.readers, tenant, &query, kind, usize::MAX).await
            }
            Select::All(kind) | Select::Prefix(kind, _) => {
                read::records(&self.readers, tenant, &query, kind, query.limit).await
            }
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, tenant: &TenantId, commit: Commit) -> Result<Committed> {
        check(&commit)?;
        if commit.is_empty() {
            return Ok(Committed::default());
        }
        self.named(self.writer.commit(tenant.clone(), commit).await)
    }

    async fn query(&self, tenant: &TenantId, query: Query) -> Result<Page> {
        self.named(self.read(tenant, query).await)
    }

    async fn claim(&self, claim: Claim) -> Result<Vec<Claimed>> {
        let until = claim.until()?;
        if claim.limit == 0 {
            return Ok(Vec::new());
        }
        self.named(self.writer.claim(claim, until).await)
    }

    /// Folds the write-ahead log into the file, too. Dropping the store loses nothing either, and
    /// leaves the folding to a moment later or to the next one who opens.
    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[cfg(test)]
mod tests;
