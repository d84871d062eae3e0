//! The wheel and the npm package, as their users would get them: built, then installed where nothing else is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::modules::{self, Profile};
use crate::node::{Node, npm};
use crate::process::{Result, Trouble, program, run};
use crate::python::Python;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Builds both packages and uses each from an empty environment.
pub(crate) fn package(workspace: &Workspace, steps: &mut Steps) {
    let python = steps.step("Python environment", |_| Python::prepare(workspace));
    let node = steps.step("Node packages", |_| Node::prepare(workspace));
    if steps
        .step("extension modules", |_| {
            modules::build(workspace, python.as_ref(), Profile::Dev)
        })
        .is_some()
    {
        built(workspace, steps, python.as_ref(), node.as_ref());
    }
}

/// The same, from extension modules that are already built.
pub(crate) fn built(
    workspace: &Workspace,
    steps: &mut Steps,
    python: Option<&Python>,
    node: Option<&Node>,
) {
    if let Some(python) = python {
        steps.step("wheel", |_| wheel(workspace, python));
    }
    if node.is_some() {
        steps.step("npm package", |_| npm_package(workspace));
    }
}

/// Dev profile: the same code as the modules that were just built, so cargo has nothing to do again.
fn wheel(workspace: &Workspace, python: &Python) -> Result<()> {
    let wheels = fresh(&workspace.target.join("package/wheels"))?;
    let mut maturin = python.module(workspace, "maturin");
    maturin
        .args([
            "build",
            "--profile",
            "dev",
            "--compatibility",
            "linux",
            "--out",
        ])
        .arg(&wheels);
    maturin.env("CARGO_TARGET_DIR", &workspace.target);
    run(&mut maturin)?;
    let home = workspace.target.join("package/python");
    let empty = python.empty(workspace, &home)?;
    let pip = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps"];
    run(program(&empty.interpreter, &home)
        .args(pip)
        .arg(only_file(&wheels)?))?;
    run(program(&empty.interpreter, &home)
        .arg("-I")
        .arg(workspace.root.join("tests/packages/smoke.py")))
}

fn npm_package(workspace: &Workspace) -> Result<()> {
    let packed = fresh(&workspace.target.join("package/packed"))?;
    run(npm(&workspace.node())
        .args(["pack", "--silent", "--pack-destination"])
        .arg(&packed))?;
    let home = fresh(&workspace.target.join("package/node"))?;
    let install = [
        "install",
        "--silent",
        "--offline",
        "--no-audit",
        "--no-fund",
        "--prefix",
        ".",
    ];
    run(npm(&home).args(install).arg(only_file(&packed)?))?;
    let smoke = home.join("smoke.mjs");
    fs::copy(workspace.root.join("tests/packages/smoke.mjs"), &smoke)
        .map_err(|error| Trouble::failed(format!("smoke.mjs: {error}")))?;
    run(program("node", &home).arg(&smoke))
}

/// Empties a directory, or makes it.
fn fresh(directory: &Path) -> Result<PathBuf> {
    let emptied = if directory.exists() {
        fs::remove_dir_all(directory)
    } else {
        Ok(())
    };
    emptied
        .and_then(|()| fs::create_dir_all(directory))
        .map_err(|error| Trouble::failed(format!("{}: {error}", directory.display())))?;
    Ok(directory.to_path_buf())
}

fn only_file(directory: &Path) -> Result<PathBuf> {
    let files: Vec<_> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    match &files[..] {
        [file] => Ok(file.clone()),
        _ => Err(Trouble::failed(format!(
            "{} should hold one package and holds {}",
            directory.display(),
            files.len()
        ))),
    }
}
