//! Writes the files that are made from the code, or, with `--check`, names those that differ from it.
//! `cargo xtask generate` builds what this reads and runs it. To generate another file, add a line to
//! [`ARTIFACTS`].
#![expect(clippy::print_stdout, reason = "a command line tool")]

mod stubs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A file in the repository that nobody edits.
struct Artifact {
    /// Where it is, from the root of the repository.
    path: &'static str,
    /// What is in it.
    render: fn(&Inputs) -> Result<String, String>,
}

/// What is read besides the crates that are compiled in.
struct Inputs {
    /// The built extension module of Python.
    python_module: PathBuf,
}

const ARTIFACTS: &[Artifact] = &[Artifact {
    path: "bindings-python/python/protect/_protect.pyi",
    render: stubs::render,
}];

fn main() -> ExitCode {
    match parse(std::env::args().skip(1))
        .and_then(|(root, check, inputs)| generate(&root, check, &inputs))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<(PathBuf, bool, Inputs), String> {
    let (mut root, mut check, mut python_module) = (None, false, None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--root" => root = arguments.next(),
            "--python-module" => python_module = arguments.next(),
            "--check" => check = true,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    match (root, python_module) {
        (Some(root), Some(module)) => Ok((
            root.into(),
            check,
            Inputs {
                python_module: module.into(),
            },
        )),
        _ => Err("usage: generate --root DIRECTORY --python-module FILE [--check]".to_owned()),
    }
}

fn generate(root: &Path, check: bool, inputs: &Inputs) -> Result<(), String> {
    let mut stale = Vec::new();
    for artifact in ARTIFACTS {
        let wanted =
            (artifact.render)(inputs).map_err(|why| format!("{}: {why}", artifact.path))?;
        let path = root.join(artifact.path);
        if fs::read_to_string(&path).is_ok_and(|present| present == wanted) {
            continue;
        }
        if check {
            stale.push(artifact.path);
        } else {
            write(&path, &wanted).map_err(|why| format!("{}: {why}", artifact.path))?;
            println!("wrote {}", artifact.path);
        }
    }
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "stale, run `cargo xtask generate`: {}",
            stale.join(", ")
        ))
    }
}

fn write(path: &Path, contents: &str) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, contents)
}

#[cfg(test)]
mod tests {
    use super::{ARTIFACTS, parse};

    fn arguments(line: &str) -> impl Iterator<Item = String> {
        line.split_whitespace().map(str::to_owned)
    }

    #[test]
    fn an_unknown_argument_is_named() {
        assert_eq!(
            parse(arguments("--root . --chekc")).err().as_deref(),
            Some("unknown argument --chekc")
        );
    }

    #[test]
    fn every_artifact_has_a_path_of_its_own_inside_the_repository() {
        let mut paths: Vec<_> = ARTIFACTS.iter().map(|artifact| artifact.path).collect();
        assert!(
            paths
                .iter()
                .all(|path| !path.starts_with('/') && !path.contains(".."))
        );
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), ARTIFACTS.len());
    }
}
