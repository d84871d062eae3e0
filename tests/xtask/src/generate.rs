//! `cargo xtask generate`: the work is done by `protect-tests`' binary `generate`, which may depend on the
//! crates it describes; this program stays light.

use crate::modules::{self, Profile};
use crate::process::{program, run};
use crate::python::Python;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// What to do with a generated file that differs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write it.
    Write,
    /// Name it and fail.
    Check,
}

/// Generates, from the tables and from the built Python module, whatever is generated.
pub(crate) fn generate(workspace: &Workspace, steps: &mut Steps, mode: Mode) {
    let Some(python) = steps.step("Python environment", |_| Python::prepare(workspace)) else {
        return steps.skip(
            "generated files",
            "the stubs are read from the Python module",
        );
    };
    if steps
        .step("extension modules", |_| {
            modules::build(workspace, Some(&python), Profile::Dev)
        })
        .is_none()
    {
        return steps.skip(
            "generated files",
            "the stubs are read from the Python module",
        );
    }
    steps.step("generated files", |_| {
        let folder = Profile::Dev.folder(workspace);
        // Built with the modules; `cargo run` would build it again with features of its own.
        let mut command = program(folder.join("generate"), &workspace.root);
        command.arg("--root").arg(&workspace.root);
        command
            .arg("--python-module")
            .arg(modules::library(&folder, "_protect"));
        if mode == Mode::Check {
            command.arg("--check");
        }
        run(&mut command)
    });
}
