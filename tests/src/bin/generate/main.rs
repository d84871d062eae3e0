//! Writes the files that are made from the code, or, with `--check`, names those that differ from it.
//! `cargo xtask generate` builds what this reads and runs it. A language is a module with a function
//! that gives its files; add it to [`artifacts`].
#![expect(clippy::print_stdout, reason = "a command line tool")]

mod catalogue;
mod docs;
mod names;
mod node;
mod python;
mod schema;
mod stubs;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::catalogue::Catalogue;

/// A file in the repository that nobody edits.
pub(crate) struct Artifact {
    /// Where it is, from the root of the repository.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) contents: String,
}

/// Folders with nothing else in them: a file that is no longer made is removed.
const FOLDERS: &[&str] = &[python::FOLDER, node::FOLDER];

fn artifacts(python_module: &Path) -> Result<Vec<Artifact>, String> {
    let catalogue = Catalogue::read()?;
    let mut artifacts = vec![Artifact {
        path: "bindings-python/python/protect/_protect.pyi".to_owned(),
        contents: stubs::render(python_module)?,
    }];
    artifacts.extend(python::artifacts(&catalogue));
    artifacts.extend(node::artifacts(&catalogue));
    artifacts.extend(docs::artifacts(&catalogue));
    Ok(artifacts)
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|arguments| generate(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    root: PathBuf,
    python_module: PathBuf,
    check: bool,
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Arguments, String> {
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
        (Some(root), Some(module)) => Ok(Arguments {
            root: root.into(),
            python_module: module.into(),
            check,
        }),
        _ => Err("usage: generate --root DIRECTORY --python-module FILE [--check]".to_owned()),
    }
}

fn generate(arguments: &Arguments) -> Result<(), String> {
    let artifacts = artifacts(&arguments.python_module)?;
    let mut stale = Vec::new();
    for Artifact { path, contents } in &artifacts {
        let file = arguments.root.join(path);
        if fs::read_to_string(&file).is_ok_and(|present| present == *contents) {
            continue;
        }
        if arguments.check {
            stale.push(path.clone());
        } else {
            write(&file, contents).map_err(|why| format!("{path}: {why}"))?;
            println!("wrote {path}");
        }
    }
    for path in left_over(&arguments.root, &artifacts) {
        if arguments.check {
            stale.push(path);
        } else {
            fs::remove_file(arguments.root.join(&path)).map_err(|why| format!("{path}: {why}"))?;
            println!("removed {path}");
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

fn left_over(root: &Path, artifacts: &[Artifact]) -> BTreeSet<String> {
    let made: BTreeSet<&str> = artifacts.iter().map(|it| it.path.as_str()).collect();
    let mut found = BTreeSet::new();
    for folder in FOLDERS {
        let entries = fs::read_dir(root.join(folder)).into_iter().flatten();
        for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if !made.contains(path.as_str()) {
                found.insert(path);
            }
        }
    }
    found
}

fn write(path: &Path, contents: &str) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, contents)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn every_table_of_this_build_is_understood_and_every_file_has_a_path_of_its_own() {
        let catalogue = Catalogue::read().unwrap();
        let mut paths: Vec<String> = python::artifacts(&catalogue)
            .into_iter()
            .chain(node::artifacts(&catalogue))
            .chain(docs::artifacts(&catalogue))
            .map(|artifact| artifact.path)
            .collect();
        assert!(
            paths
                .iter()
                .all(|path| !path.starts_with('/') && !path.contains(".."))
        );
        let all = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), all);
    }
}
