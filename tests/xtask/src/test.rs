//! `cargo xtask test` and `cargo xtask full`.

use crate::modules::{self, Profile};
use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{bench, cargo, fuzz, node, package, python};

/// How much of each test to run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// What a change must pass.
    Short,
    /// The same tests with their long counts (`PROTECT_FULL=1`), then the benches and fuzzing.
    Full,
}

/// Runs the tests of the three languages. One that fails does not keep the others from running.
pub(crate) fn test(workspace: &Workspace, steps: &mut Steps, length: Length) {
    let settings: &[(&str, &str)] = if length == Length::Full {
        &[("PROTECT_FULL", "1")]
    } else {
        &[]
    };
    let python = steps.step("Python environment", |_| python::Python::prepare(workspace));
    let node = steps.step("Node packages", |_| node::Node::prepare(workspace));
    let built = steps
        .step("extension modules", |_| {
            modules::build(workspace, python.as_ref(), Profile::Dev)
        })
        .is_some();
    steps.step("Rust tests", |tally| {
        cargo::test(workspace, tally, settings)
    });
    if built {
        if let Some(python) = &python {
            steps.step("Python tests", |tally| {
                python::test(workspace, python, tally, settings)
            });
            steps.step("Python types", |_| python::types(workspace, python));
        }
        if let Some(node) = &node {
            steps.step("Node tests", |tally| {
                node::test(workspace, node, tally, settings)
            });
            steps.step("Node types", |_| node::types(workspace, node));
        }
        package::built(workspace, steps, python.as_ref(), node.as_ref());
    } else {
        steps.skip(
            "tests of Python and Node",
            "their extension modules did not build",
        );
    }
    if length == Length::Full {
        bench::bench(workspace, steps, &[]);
        fuzz::fuzz(workspace, steps, fuzz::LONG, &[]);
    }
}
