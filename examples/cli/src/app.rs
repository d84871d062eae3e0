//! What every command begins with: the configuration opened, the tenant chosen.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use protect_connectors::Protect;
use protect_connectors::core::engine::Tenant;
use protect_connectors::core::model::Actor;
use protect_connectors::core::{Error, ErrorKind, Result};

use crate::args::By;
use crate::output::Output;

/// The application of one call.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) config: PathBuf,
    /// Whether the configuration was named, and not only where it usually is.
    pub(crate) config_typed: bool,
    pub(crate) output: Output,
}

impl App {
    /// Opens the configuration.
    pub(crate) async fn open(&self) -> Result<Protect> {
        if !self.config.exists() {
            return Err(Error::new(
                ErrorKind::ConfigInvalid,
                "there is no configuration; `protect init` writes one, `protect demo` needs none",
            )
            .with_context("file", self.config.display().to_string()));
        }
        Protect::open(&self.config).await
    }

    /// The named tenant, or the only one.
    pub(crate) async fn tenant(&self, name: Option<&str>) -> Result<Tenant> {
        choose(&self.open().await?, name)
    }

    /// The named tenant, or all of them.
    pub(crate) async fn tenants(&self, name: Option<&str>) -> Result<Vec<Tenant>> {
        let protect = self.open().await?;
        match name {
            Some(name) => Ok(vec![protect.tenant(name)?]),
            None => Ok(protect.tenants()),
        }
    }
}

/// The named tenant, or the only one.
pub(crate) fn choose(protect: &Protect, name: Option<&str>) -> Result<Tenant> {
    if let Some(name) = name {
        return protect.tenant(name);
    }
    let mut tenants = protect.tenants();
    if tenants.len() == 1 {
        return Ok(tenants.remove(0));
    }
    let known: Vec<_> = tenants.iter().map(|tenant| tenant.id().as_str()).collect();
    Err(Error::invalid_input(format!(
        "say which tenant, with `--tenant`: {}",
        known.join(", ")
    )))
}

impl By {
    /// Who it is: nobody checked.
    pub(crate) fn actor(&self) -> Actor {
        Actor::unverified(&self.by)
    }
}

/// A file's content; `-` is standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(path).map(|content| bytes = content)
    };
    read.map_err(|error| about(path, "cannot be read", error))?;
    Ok(bytes)
}

/// A file's content as text; `-` is standard input.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|error| {
        about(
            path,
            "is not UTF-8",
            std::io::Error::other(error.utf8_error()),
        )
    })
}

/// Writes a file.
pub(crate) fn write(path: &Path, content: &str) -> Result<()> {
    std::fs::write(path, content).map_err(|error| about(path, "cannot be written", error))
}

/// An error about a file.
pub(crate) fn about(path: &Path, what: &str, error: std::io::Error) -> Error {
    Error::invalid_input(format!("the file {what}: {}", error.kind()))
        .with_context("file", path.display().to_string())
        .with_source(error)
}

/// Completes when somebody wants this program to stop.
pub(crate) async fn stopped() -> Result<()> {
    let cannot =
        |error| Error::new(ErrorKind::Unavailable, "cannot listen for Ctrl-C").with_source(error);
    #[cfg(unix)]
    {
        let kind = tokio::signal::unix::SignalKind::terminate();
        let mut terminated = tokio::signal::unix::signal(kind).map_err(cannot)?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed.map_err(cannot),
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(cannot)
}

/// Writes a file that must not be there yet: made anew or not at all, so that whoever wrote one
/// meanwhile keeps it.
pub(crate) fn write_new(path: &Path, content: &str) -> Result<()> {
    write_anew(path, content, OpenOptions::new())
}

/// As [`write_new`], for a file that only its owner may read.
pub(crate) fn write_secret(path: &Path, content: &str) -> Result<()> {
    write_anew(path, content, private())
}

/// Opens a file to be written from its beginning; one that is new is for its owner alone.
pub(crate) fn create_private(path: &Path) -> Result<File> {
    let file = private().write(true).create(true).truncate(true).open(path);
    file.map_err(|error| about(path, "cannot be written", error))
}

/// Files made with these can be read and written by their owner alone, where the system knows
/// modes.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn write_anew(path: &Path, content: &str, mut options: OpenOptions) -> Result<()> {
    let file = options.write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(content.as_bytes()))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => exists(path),
            _ => about(path, "cannot be written", error),
        })
}

/// An error about a file that must not be there yet.
pub(crate) fn exists(path: &Path) -> Error {
    Error::invalid_input("the file is there already; it is left as it is")
        .with_context("file", path.display().to_string())
}
