//! Calls of cargo.

use std::env;
use std::num::NonZero;
use std::process::Command;
use std::thread;

use crate::process::{Result, program, watch};
use crate::tally::Tally;
use crate::workspace::Workspace;

/// How many tests run at once.
const THREADS: &str = "RUST_TEST_THREADS";

/// `cargo ARGUMENTS` in the workspace, by the cargo that started us, into our target directory.
pub(crate) fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut command = program(
        env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        &workspace.root,
    );
    command
        .args(arguments)
        .env("CARGO_TARGET_DIR", &workspace.target);
    command
}

/// Runs the Rust tests and the examples in the documentation.
pub(crate) fn test(
    workspace: &Workspace,
    tally: &mut Tally,
    settings: &[(&str, &str)],
) -> Result<()> {
    let mut command = cargo(workspace, &["test", "--workspace", "--no-fail-fast"]);
    command.envs(settings.iter().copied());
    // Most tests wait for a program, a clock or a simulated vendor rather than for a processor.
    if env::var_os(THREADS).is_none() {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        command.env(THREADS, (2 * processors).to_string());
    }
    if let Some(catalogue) = workspace.catalogue() {
        command.env("PROTECT_HIBP_CATALOGUE", catalogue);
    }
    watch(&mut command, |line| tally.cargo(line))
}
