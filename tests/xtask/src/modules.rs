//! The two extension modules, built by one cargo call so that they share every dependency.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::Path;

use crate::cargo::{BINDINGS, cargo};
use crate::process::{Result, Trouble, run};
use crate::python::Python;
use crate::workspace::Workspace;

/// What Python imports as `protect._protect`.
const PYTHON_MODULE: &str = if cfg!(windows) {
    "_protect.pyd"
} else {
    "_protect.abi3.so"
};

/// Builds the modules and lays each where its package looks for it. Without Python only Node's is built.
pub(crate) fn build(workspace: &Workspace, python: Option<&Python>) -> Result<()> {
    let mut command = cargo(workspace, &["build"]);
    for package in BINDINGS
        .iter()
        .filter(|package| python.is_some() || **package != "protect-python")
    {
        command.args(["--package", package]);
    }
    if let Some(python) = python {
        python.choose_for_build(&mut command);
    }
    run(&mut command)?;
    if python.is_some() {
        lay(
            &library(workspace, "_protect"),
            &workspace
                .python()
                .join("python/protect")
                .join(PYTHON_MODULE),
        )?;
    }
    lay(
        &library(workspace, "protect_node"),
        &workspace.node().join("protect.node"),
    )
}

/// Where cargo leaves the library of a binding.
pub(crate) fn library(workspace: &Workspace, name: &str) -> std::path::PathBuf {
    workspace
        .artifacts
        .join(format!("{DLL_PREFIX}{name}{DLL_SUFFIX}"))
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
