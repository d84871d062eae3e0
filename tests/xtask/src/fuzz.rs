//! Fuzzing: each parser of outside data for a while, on stable Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::cargo::cargo;
use crate::process::{Result, Trouble, answer, program, run};
use crate::steps::Steps;
use crate::workspace::Workspace;

/// The version that is installed.
const CARGO_FUZZ: &str = "0.13.2";

/// How long `cargo xtask full` fuzzes each target.
pub(crate) const LONG: Duration = Duration::from_mins(10);

/// One input that takes longer is a defect, in seconds.
const SLOWEST: &str = "-timeout=10";

/// Fuzzes every target, or those named, for so long each.
pub(crate) fn fuzz(workspace: &Workspace, steps: &mut Steps, each: Duration, names: &[&str]) {
    let Some(tool) = steps.step("cargo fuzz", |_| install(workspace)) else {
        return steps.skip("fuzzing", "cargo fuzz is not there");
    };
    let Some(targets) = steps.step("fuzz targets", |_| targets(workspace, names)) else {
        return;
    };
    for target in targets {
        steps.step(&format!("fuzzing {target}"), |_| {
            fuzz_one(workspace, &tool, &target, each)
        });
    }
}

/// Below the target directory, like every tool that a task needs.
fn install(workspace: &Workspace) -> Result<PathBuf> {
    let tools = workspace.target.join("tools");
    let tool = tools.join("bin/cargo-fuzz");
    let wanted = format!("cargo-fuzz {CARGO_FUZZ}");
    if answer(Command::new(&tool).arg("--version")).is_some_and(|version| version == wanted) {
        println!("{wanted} is there");
        return Ok(tool);
    }
    run(cargo(
        workspace,
        &[
            "install",
            "cargo-fuzz",
            "--quiet",
            "--locked",
            "--version",
            CARGO_FUZZ,
        ],
    )
    .arg("--root")
    .arg(&tools)
    .env("CARGO_TARGET_DIR", tools.join("build")))?;
    Ok(tool)
}

/// The names of the programs in `tests/fuzz/libfuzzer`.
fn targets(workspace: &Workspace, names: &[&str]) -> Result<Vec<String>> {
    let programs = home(workspace).join("libfuzzer/src/bin");
    let unreadable = |error| Trouble::failed(format!("{}: {error}", programs.display()));
    let mut targets = Vec::new();
    for entry in fs::read_dir(&programs).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if names.is_empty() || names.contains(&&*name) {
            targets.push(name.into_owned());
        }
    }
    targets.sort();
    match names
        .iter()
        .find(|name| !targets.iter().any(|target| target == *name))
    {
        Some(name) => Err(Trouble::failed(format!("there is no fuzz target `{name}`"))),
        None => Ok(targets),
    }
}

/// Begins with the corpus of the repository; what is found goes below the target directory.
fn fuzz_one(workspace: &Workspace, tool: &Path, target: &str, each: Duration) -> Result<()> {
    let found = workspace.target.join("fuzz/found").join(target);
    let defects = workspace.target.join("fuzz/defects").join(target);
    for folder in [&found, &defects] {
        fs::create_dir_all(folder)
            .map_err(|error| Trouble::failed(format!("{}: {error}", folder.display())))?;
    }
    let mut command = program(tool, &workspace.root);
    command
        // `--release` leaves assertions to the profile of that manifest.
        .args(["fuzz", "run", "--release", "--sanitizer", "none"])
        .arg("--fuzz-dir")
        .arg(home(workspace).join("libfuzzer"))
        .arg("--target-dir")
        .arg(workspace.target.join("fuzz"))
        .arg(target)
        .arg(&found)
        .arg(home(workspace).join("corpus").join(target))
        .args(["--", SLOWEST, "-print_final_stats=1", "-verbosity=0"])
        .arg(format!("-max_total_time={}", each.as_secs()))
        .arg(format!("-artifact_prefix={}/", defects.display()));
    run(&mut command)
}

fn home(workspace: &Workspace) -> PathBuf {
    workspace.root.join("tests/fuzz")
}
