//! Where things are. Every path is absolute.

use std::env;
use std::path::{Path, PathBuf};

use crate::process::{Result, Trouble};

/// The checkout and the directories that its builds go to.
pub(crate) struct Workspace {
    /// The directory of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Finds the workspace this program belongs to.
    pub(crate) fn find() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest.ancestors().nth(2).map(Path::to_path_buf);
        let program = env::current_exe()
            .map_err(|error| Trouble::failed(format!("this program's own path: {error}")))?;
        // `<target>/debug/xtask`.
        let target = program.ancestors().nth(2).map(Path::to_path_buf);
        match (root, target) {
            (Some(root), Some(target)) => Ok(Self { root, target }),
            _ => Err(Trouble::failed("run this as `cargo xtask`")),
        }
    }

    /// The Python package's directory.
    pub(crate) fn python(&self) -> PathBuf {
        self.root.join("bindings-python")
    }

    /// The Node package's directory.
    pub(crate) fn node(&self) -> PathBuf {
        self.root.join("bindings-node")
    }

    /// What the tests read from outside the checkout, if it is there and nobody chose another:
    /// the catalogue of real breaches. Without it the tests generate one.
    pub(crate) fn catalogue(&self) -> Option<PathBuf> {
        let beside = self.root.join("../shared/data/hibp/breaches.json");
        (env::var_os("PROTECT_HIBP_CATALOGUE").is_none())
            .then(|| beside.canonicalize().ok())
            .flatten()
    }
}

/// Whether a build server runs this, where nothing may be left out.
pub(crate) fn on_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}
