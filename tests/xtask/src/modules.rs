//! The two extension modules, built by one cargo call so that they share every dependency.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};

use crate::cargo::cargo;
use crate::process::{Result, Trouble, run};
use crate::python::Python;
use crate::workspace::Workspace;

/// What Python imports as `protect._protect`.
const PYTHON_MODULE: &str = if cfg!(windows) {
    "_protect.pyd"
} else {
    "_protect.abi3.so"
};

/// How much the compiler is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// For the tests.
    Dev,
    /// For the benches.
    Release,
}

impl Profile {
    /// Where cargo leaves programs and libraries.
    pub(crate) fn folder(self, workspace: &Workspace) -> PathBuf {
        workspace.target.join(match self {
            Self::Dev => "debug",
            Self::Release => "release",
        })
    }

    /// What is built.
    ///
    /// Cargo chooses the features of every dependency by what is built together. For the tests, this
    /// is what `cargo test --workspace` builds: all packages, and by naming one test the tests' own
    /// dependencies. So nothing is built twice.
    fn selection(self) -> &'static [&'static str] {
        match self {
            Self::Dev => &["--workspace", "--lib", "--bins", "--test", "corpus"],
            Self::Release => &[
                "--release",
                "--package=protect-bench",
                "--package=protect-cli",
                "--package=protect-node",
            ],
        }
    }
}

/// Builds the modules, with the programs that go with them, and lays each where its package looks for
/// it. Without Python only Node's is built.
pub(crate) fn build(
    workspace: &Workspace,
    python: Option<&Python>,
    profile: Profile,
) -> Result<()> {
    let mut command = cargo(workspace, &["build"]);
    command.args(profile.selection());
    match (profile, python) {
        (Profile::Dev, None) => command.args(["--exclude", "protect-python"]),
        (Profile::Release, Some(_)) => command.args(["--package", "protect-python"]),
        _ => &mut command,
    };
    if let Some(python) = python {
        python.choose_for_build(&mut command);
    }
    run(&mut command)?;
    let folder = profile.folder(workspace);
    if python.is_some() {
        lay(
            &library(&folder, "_protect"),
            &workspace
                .python()
                .join("python/protect")
                .join(PYTHON_MODULE),
        )?;
    }
    lay(
        &library(&folder, "protect_node"),
        &workspace.node().join("protect.node"),
    )
}

/// The library of a binding, in the folder of a profile.
pub(crate) fn library(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"))
}

/// Replaces rather than overwrites: an interpreter that still has the old module mapped keeps it.
fn lay(from: &Path, to: &Path) -> Result<()> {
    let fresh = to.with_extension("new");
    fs::copy(from, &fresh)
        .and_then(|_| fs::rename(&fresh, to))
        .map_err(|error| {
            Trouble::failed(format!(
                "{} cannot be copied to its package: {error}",
                from.display()
            ))
        })
}
