//! Opening a file: whose it is, how old it is, and bringing it up to date.

use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool};

use super::SqliteOptions;
use super::trouble::Trouble;
use crate::error::{Error, ErrorKind, Result};

/// What every version so far added. Migration 1 is frozen; a new one goes to the end.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_records.sql")];

/// How a file is known as ours: `prot` in ASCII.
const APPLICATION: i64 = 0x7072_6f74;

/// The size of a page, in bytes.
pub(super) const PAGE: u32 = 8_192;

/// How many readers may work at once.
const READERS: u32 = 4;

/// Connects the writer and its readers.
pub(super) async fn open(options: &SqliteOptions) -> Result<(SqliteConnection, SqlitePool)> {
    look(options).await?;
    make(options);
    let mut writer = patiently(options, || writer_options(options)).await?;
    migrate(&mut writer).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        // A connection to a file does not die by itself, so nothing is asked before each query.
        .test_before_acquire(false)
        .connect_lazy_with(base(options).pragma("query_only", "on"));
    Ok((writer, readers))
}

/// Refuses a file that is not ours or newer than this program, before anything is written to it:
/// even switching on the write-ahead log would change it.
async fn look(options: &SqliteOptions) -> Result<()> {
    if !std::fs::metadata(&options.path).is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    let mut connection = patiently(options, || base(options).read_only(true)).await?;
    let standing = read_standing(&mut connection).await;
    let _ = connection.close().await;
    standing.map_err(|trouble| trouble.to_error())?.refuse()
}

/// Makes the file where it is not there, on Unix readable for its owner alone; SQLite makes the
/// files beside it with the mode of this one. Where this fails, connecting fails too, and says why.
fn make(options: &SqliteOptions) {
    let mut file = std::fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    let _ = file.write(true).create_new(true).open(&options.path);
}

fn base(options: &SqliteOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(&options.path)
        .busy_timeout(options.busy_timeout)
        .foreign_keys(true)
        .disable_statement_logging()
}

fn writer_options(options: &SqliteOptions) -> SqliteConnectOptions {
    let writer = base(options)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // In a new file; an older one keeps its own. A commit writes whole pages, and of these
        // fewer: it takes half the time in a small file, four fifths at 240,000 findings.
        .page_size(PAGE)
        // 32 MiB, in KiB, since the keys of findings are spread evenly.
        .pragma("cache_size", "-32768")
        // An insert of many rows notes what it changes, to undo it by itself: two thirds as much
        // again as it writes, into a file of its own unless it is told to stay in memory.
        .pragma("temp_store", "memory")
        // 64 MiB, in pages: a page that changes often is folded into the file once.
        .pragma("wal_autocheckpoint", "8000");
    match options.max_page_count {
        Some(pages) => writer.pragma("max_page_count", pages.to_string()),
        None => writer,
    }
}

/// Connects, trying again as long as another process holds the file: changing the journal mode is
/// the one thing for which SQLite itself does not wait.
async fn patiently(
    options: &SqliteOptions,
    connect: impl Fn() -> SqliteConnectOptions,
) -> Result<SqliteConnection> {
    let begun = Instant::now();
    loop {
        let trouble = match connect().connect().await {
            Ok(connection) => return Ok(connection),
            Err(error) => Trouble::from(error),
        };
        if !trouble.is_locked() || begun.elapsed() >= options.busy_timeout {
            return Err(trouble.to_error());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn migrate(connection: &mut SqliteConnection) -> Result<()> {
    let standing = read_standing(connection)
        .await
        .map_err(|trouble| trouble.to_error())?;
    if standing.is_current() {
        return Ok(());
    }
    // Another process may have been quicker: look again under the lock.
    let done = async {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let standing = read_standing(&mut transaction).await?;
        for migration in MIGRATIONS.iter().skip(standing.applied()) {
            sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
        }
        let stamp = format!(
            "pragma application_id = {APPLICATION}; pragma user_version = {};",
            MIGRATIONS.len().max(standing.applied())
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(stamp))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(standing)
    };
    done.await
        .map_err(|trouble: Trouble| trouble.to_error())?
        .refuse()
}

/// Whose a file is and how many migrations it has.
struct Standing {
    application: i64,
    version: i64,
    tables: i64,
}

async fn read_standing(connection: &mut SqliteConnection) -> Result<Standing, Trouble> {
    let (application, version, tables) = sqlx::query_as(
        "select (select application_id from pragma_application_id), \
                (select user_version from pragma_user_version), \
                (select count(*) from sqlite_schema)",
    )
    .fetch_one(connection)
    .await?;
    Ok(Standing {
        application,
        version,
        tables,
    })
}

impl Standing {
    fn applied(&self) -> usize {
        usize::try_from(self.version).unwrap_or_default()
    }

    fn is_current(&self) -> bool {
        self.application == APPLICATION && self.applied() == MIGRATIONS.len()
    }

    fn refuse(&self) -> Result<()> {
        let is_new = self.application == 0 && self.version == 0 && self.tables == 0;
        if !is_new && self.application != APPLICATION {
            return Err(Error::new(
                ErrorKind::Store,
                "the file is a database of another program; name another file",
            ));
        }
        if self.applied() > MIGRATIONS.len() {
            return Err(Error::new(
                ErrorKind::Store,
                "the database was written by a newer version of this program; upgrade the program, \
                 or restore a backup that this version made",
            )
            .with_context("found", self.version.to_string())
            .with_context("known", MIGRATIONS.len().to_string()));
        }
        Ok(())
    }
}
