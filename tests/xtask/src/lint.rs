//! `cargo xtask lint`: all that can be judged without running a test.

use std::path::PathBuf;
use std::process::Command;

use crate::cargo::cargo;
use crate::generate::{self, Mode};
use crate::process::{Result, Trouble, answer, run};
use crate::steps::Steps;
use crate::workspace::Workspace;

/// The version `.ci/run` installs; any other does on a developer's machine.
const DENY: &str = "cargo install cargo-deny --locked --version 0.20.2";

/// Features that the core is looked at with by themselves.
const CORE_ALONE: [&str; 4] = ["", "engine", "people", "report"];

/// Runs each lint; one that fails does not keep the others from running.
pub(crate) fn lint(workspace: &Workspace, steps: &mut Steps) {
    steps.step("formatting", |_| {
        run(&mut cargo(workspace, &["fmt", "--all", "--check"]))
    });
    steps.step("clippy", |_| {
        run(&mut cargo(
            workspace,
            &[
                "clippy",
                "--workspace",
                // Not all targets: the exports of the Node binding are compiled out of a test build,
                // which leaves everything below them unused.
                "--lib",
                "--bins",
                "--tests",
                "--",
                "-D",
                "warnings",
            ],
        ))
    });
    // The workspace builds the core with everything; whoever embeds it need not.
    for features in CORE_ALONE {
        steps.step(&format!("clippy of the core with `{features}`"), |_| {
            run(&mut cargo(
                workspace,
                &[
                    "clippy",
                    "--package",
                    "protect-core",
                    "--lib",
                    "--features",
                    features,
                    "--",
                    "-D",
                    "warnings",
                ],
            ))
        });
    }
    steps.step("rustdoc", |_| {
        // With the examples, which bring the features of the tests' dependencies: those that clippy
        // has just checked.
        run(cargo(
            workspace,
            &[
                "doc",
                "--workspace",
                "--no-deps",
                "--lib",
                "--bins",
                "--examples",
            ],
        )
        .env("RUSTDOCFLAGS", "-D warnings"))
    });
    generate::generate(workspace, steps, Mode::Check);
    steps.step("licences, bans and sources", |_| deny(workspace));
}

fn deny(workspace: &Workspace) -> Result<()> {
    let program =
        find_deny(workspace).ok_or_else(|| Trouble::missing(format!("needs `{DENY}`")))?;
    let mut command = crate::process::program(program, &workspace.root);
    run(command.args([
        "--all-features",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))
}

/// Beside the builds, where `.ci/run` puts it, or wherever the machine has it.
fn find_deny(workspace: &Workspace) -> Option<PathBuf> {
    [
        workspace.target.join("tools/bin/cargo-deny"),
        PathBuf::from("cargo-deny"),
    ]
    .into_iter()
    .find(|program| answer(Command::new(program).arg("--version")).is_some())
}
