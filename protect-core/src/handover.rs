//! The one way out for what only the owner of an account may see: a file of its own in the folder
//! that the configuration names, readable by this user alone. Not a log, not a finding, not the store.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};

/// A file that waits for its secret.
#[derive(Debug)]
pub struct Place(File);

/// Makes the file for an action.
///
/// # Errors
/// `config_invalid` where the folder does not take it, or the action was handed over before.
pub fn prepare(folder: &Path, action: &str) -> Result<Place> {
    fs::create_dir_all(folder).map_err(cannot)?;
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(folder.join(name(action)))
        .map(Place)
        .map_err(cannot)
}

impl Place {
    /// Writes the secret.
    ///
    /// # Errors
    /// A temporary error: by now the secret exists, and nobody was told.
    pub fn write(mut self, secret: &str) -> Result<()> {
        let written = self.0.write_all(secret.as_bytes());
        written
            .and_then(|()| self.0.write_all(b"\n"))
            .map_err(|error| cannot(error).temporary())
    }
}

/// An action's id as the name of a file.
fn name(action: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    action.chars().map(plain).chain(".txt".chars()).collect()
}

fn cannot(error: std::io::Error) -> Error {
    let message = format!(
        "the folder does not take what is handed over: {}",
        error.kind()
    );
    Error::new(ErrorKind::ConfigInvalid, message)
        .with_context("field", "handover")
        .with_source(error)
}
