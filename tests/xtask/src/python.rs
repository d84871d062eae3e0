//! The Python side: its environment and its runners.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Result, Trouble, answer, program, run, watch};
use crate::tally::Tally;
use crate::workspace::Workspace;

/// An environment with the pinned test requirements, apart from whatever the machine has.
pub(crate) struct Python {
    /// The machine's interpreter that the environment stands on.
    base: &'static str,
    /// The environment's interpreter.
    pub(crate) interpreter: PathBuf,
}

/// Interpreters in the order they are tried. `PyO3`'s build looks for the first two by itself.
const CANDIDATES: [&str; 7] = [
    "python3",
    "python",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
];
const WANTED: &str = "import sys, venv, ensurepip; print(sys.version_info >= (3, 10))";

impl Python {
    /// Makes the environment, or keeps the one that has exactly what is asked for.
    pub(crate) fn prepare(workspace: &Workspace) -> Result<Self> {
        let base = find_base()?;
        let home = workspace.target.join("python");
        let requirements = workspace.python().join("requirements-test.txt");
        let python = Self {
            base,
            interpreter: interpreter_in(&home),
        };
        let wanted = fs::read_to_string(&requirements)
            .map_err(|error| Trouble::failed(format!("requirements-test.txt: {error}")))?;
        let stamp = home.join("requirements-installed.txt");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && python.starts()
        {
            println!("the environment has what requirements-test.txt asks for");
            return Ok(python);
        }
        run(program(base, &workspace.root)
            .args(["-m", "venv", "--clear"])
            .arg(&home))?;
        run(python
            .module(workspace, "pip")
            .args(["install", "--quiet", "--requirement"])
            .arg(&requirements))?;
        fs::write(&stamp, wanted)
            .map_err(|error| Trouble::failed(format!("the environment's stamp: {error}")))?;
        Ok(python)
    }

    /// Makes an environment with nothing in it.
    pub(crate) fn empty(&self, workspace: &Workspace, home: &Path) -> Result<Self> {
        run(program(self.base, &workspace.root)
            .args(["-m", "venv", "--clear"])
            .arg(home))?;
        Ok(Self {
            base: self.base,
            interpreter: interpreter_in(home),
        })
    }

    /// `python -m NAME` in the Python package's directory, with the package's source to be found.
    pub(crate) fn module(&self, workspace: &Workspace, name: &str) -> Command {
        let mut command = program(&self.interpreter, &workspace.python());
        let source = workspace.python().join("python");
        command
            .args(["-m", name])
            .env("PYTHONPATH", &source)
            .env("MYPYPATH", &source)
            .env_remove("PYTHONHOME");
        command
    }

    /// Names this interpreter to `PyO3`'s build where it would not find it by itself. Where it would,
    /// nothing is set, so that this build and a plain `cargo build` agree and share their work.
    pub(crate) fn choose_for_build(&self, command: &mut Command) {
        if self.base != CANDIDATES[0] {
            command.env("PYO3_PYTHON", self.base);
        }
    }

    fn starts(&self) -> bool {
        answer(Command::new(&self.interpreter).args(["-c", "print(1)"])).is_some()
    }
}

/// Runs the tests of the Python package.
pub(crate) fn test(
    workspace: &Workspace,
    python: &Python,
    tally: &mut Tally,
    settings: &[(&str, &str)],
) -> Result<()> {
    let mut command = python.module(workspace, "pytest");
    command.arg("--quiet").envs(settings.iter().copied());
    if let Some(catalogue) = workspace.catalogue() {
        command.env("PROTECT_HIBP_CATALOGUE", catalogue);
    }
    watch(&mut command, |line| tally.pytest(line))
}

/// Checks the package, its tests and the playbooks with `mypy --strict`, and the stubs against the module.
pub(crate) fn types(workspace: &Workspace, python: &Python) -> Result<()> {
    let mut mypy = python.module(workspace, "mypy");
    mypy.args(["--strict", "python/protect", "tests"]);
    let playbooks = workspace.root.join("examples/python");
    if playbooks.is_dir() {
        mypy.arg(&playbooks);
    }
    run(&mut mypy)?;
    run(python.module(workspace, "mypy.stubtest").args([
        "protect",
        "--mypy-config-file",
        "pyproject.toml",
    ]))
}

fn find_base() -> Result<&'static str> {
    CANDIDATES
        .into_iter()
        .find(|name| {
            answer(Command::new(name).args(["-c", WANTED])).is_some_and(|answer| answer == "True")
        })
        .ok_or_else(|| Trouble::missing("needs Python 3.10 or newer with venv"))
}

fn interpreter_in(home: &Path) -> PathBuf {
    home.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    })
}
