//! The benches, with everything that they measure optimised.

use crate::modules::{self, Profile};
use crate::node::Node;
use crate::process::{program, run};
use crate::python::Python;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Runs every bench, or those named: rates and ratios, printed, not judged.
///
/// The extension modules that the packages are left with are the optimised ones.
pub(crate) fn bench(workspace: &Workspace, steps: &mut Steps, names: &[&str]) {
    let python = steps.step("Python environment", |_| Python::prepare(workspace));
    steps.step("Node packages", |_| Node::prepare(workspace));
    let built = steps.step("optimised programs and modules", |_| {
        modules::build(workspace, python.as_ref(), Profile::Release)
    });
    if built.is_none() {
        return steps.skip("benches", "they did not build");
    }
    steps.step("benches", |_| {
        let bench = Profile::Release.folder(workspace).join("protect-bench");
        run(program(bench, &workspace.root).args(names))
    });
}
