//! What a call costs from Python and from Node: scripts beside this crate, run where the
//! interpreter and the built module are there.
//!
//! A script prints one JSON object a line for the table: `name`, `unit`, `figure`, and where it has
//! them `bare` and `target`. Any other line is shown as it is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::table::{Row, Table};

/// An interpreter and what it needs.
struct Language {
    name: &'static str,
    /// What its scripts' names end in.
    suffix: &'static str,
    interpreter: PathBuf,
    /// The built module, without which nothing can be called.
    module: PathBuf,
    environment: Option<(&'static str, PathBuf)>,
}

/// Every script there is.
pub(crate) fn measure(table: &mut Table) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for language in languages(&root) {
        let scripts = scripts(&root.join("tests/bench"), language.suffix);
        match language.lacks(&scripts) {
            Some(why) => table.remark(format!("skipped: calls from {}: {why}", language.name)),
            None => scripts
                .iter()
                .for_each(|script| language.run(script, table)),
        }
    }
}

fn languages(root: &Path) -> [Language; 2] {
    let target = std::env::current_exe().unwrap();
    let target = target.ancestors().nth(2).unwrap();
    let python = root.join("bindings-python/python");
    let (programs, python_exe, extension) = if cfg!(windows) {
        ("Scripts", "python.exe", "pyd")
    } else {
        ("bin", "python", "abi3.so")
    };
    [
        Language {
            name: "Python",
            suffix: "_calls.py",
            interpreter: target.join("python").join(programs).join(python_exe),
            module: python.join(format!("protect/_protect.{extension}")),
            environment: Some(("PYTHONPATH", python)),
        },
        Language {
            name: "Node",
            suffix: "_calls.mjs",
            interpreter: PathBuf::from("node"),
            module: root.join("bindings-node/protect.node"),
            environment: None,
        },
    ]
}

fn scripts(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .collect();
    scripts.sort();
    scripts
}

impl Language {
    /// Why nothing can be run.
    fn lacks(&self, scripts: &[PathBuf]) -> Option<String> {
        let starts = Command::new(&self.interpreter)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if scripts.is_empty() {
            Some(format!("no script *{}", self.suffix))
        } else if !starts.is_ok_and(|status| status.success()) {
            Some("no interpreter; `cargo xtask bench` prepares it".to_owned())
        } else if !self.module.exists() {
            Some("the extension module is not built; `cargo xtask bench` builds it".to_owned())
        } else {
            None
        }
    }

    fn run(&self, script: &Path, table: &mut Table) {
        let name = script.file_name().unwrap().to_string_lossy();
        let mut command = Command::new(&self.interpreter);
        command.arg(script).stderr(Stdio::inherit());
        if let Some((variable, value)) = &self.environment {
            command.env(variable, value);
        }
        let output = command.output().unwrap();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            match serde_json::from_str::<Row>(line) {
                Ok(row) => table.row(row),
                Err(_) => println!("  {line}"),
            }
        }
        if !output.status.success() {
            table.remark(format!("FAILED: {name}: {}", output.status));
        }
    }
}
