//! The Node side: its packages and its runners.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process::{Result, Trouble, answer, program, run, watch};
use crate::tally::Tally;
use crate::workspace::Workspace;

/// Proof that Node is there and `node_modules` is what the lock file says.
pub(crate) struct Node(());

impl Node {
    /// Installs the locked packages, or keeps those that are exactly the locked ones.
    pub(crate) fn prepare(workspace: &Workspace) -> Result<Self> {
        find()?;
        let home = workspace.node();
        let locked = fs::read_to_string(home.join("package-lock.json"))
            .map_err(|error| Trouble::failed(format!("package-lock.json: {error}")))?;
        let stamp = home.join("node_modules/.locked.json");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == locked) {
            println!("node_modules has what package-lock.json asks for");
            return Ok(Self(()));
        }
        run(npm(&home).args(["ci", "--no-audit", "--no-fund"]))?;
        fs::write(&stamp, locked)
            .map_err(|error| Trouble::failed(format!("the stamp in node_modules: {error}")))?;
        Ok(Self(()))
    }
}

/// Runs the tests of the Node package.
pub(crate) fn test(
    workspace: &Workspace,
    _: &Node,
    tally: &mut Tally,
    settings: &[(&str, &str)],
) -> Result<()> {
    let mut command = program("node", &workspace.node());
    command
        .args(["--test", "--test-reporter=tap"])
        .envs(settings.iter().copied());
    if let Some(catalogue) = workspace.catalogue() {
        command.env("PROTECT_HIBP_CATALOGUE", catalogue);
    }
    watch(&mut command, |line| tally.node(line))
}

/// Checks the declared types with `tsc`.
pub(crate) fn types(workspace: &Workspace, _: &Node) -> Result<()> {
    run(npm(&workspace.node()).args(["run", "types"]))
}

/// `npm` in a directory.
pub(crate) fn npm(directory: &Path) -> Command {
    program(if cfg!(windows) { "npm.cmd" } else { "npm" }, directory)
}

fn find() -> Result<()> {
    let wanted = || Trouble::missing("needs Node 20 or newer with npm");
    let version = answer(Command::new("node").arg("--version")).ok_or_else(wanted)?;
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    let npm = answer(npm(Path::new(".")).arg("--version"));
    if major.is_some_and(|major| major >= 20) && npm.is_some() {
        Ok(())
    } else {
        Err(wanted())
    }
}
