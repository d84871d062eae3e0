//! Tasks of the workspace: `cargo xtask TASK`. Standard library only, so that it builds in a moment.
#![expect(
    clippy::print_stdout,
    reason = "a task runner talks to whoever started it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a task runner is an edge: it reads the environment it was started in"
)]

mod bench;
mod cargo;
mod fuzz;
mod generate;
mod lint;
mod modules;
mod node;
mod package;
mod process;
mod python;
mod steps;
mod tally;
mod test;
mod workspace;

use std::process::ExitCode;
use std::time::Duration;

use steps::Steps;
use workspace::Workspace;

const USAGE: &str = "\
cargo xtask TASK

  test                what a change must pass: Rust, Python, Node, their types and packages
  lint                formatting, clippy, rustdoc, generated files, licences and banned crates
  generate [--check]  write the generated files; with --check, name those that are stale
  package             build the wheel and the npm package, install each into an empty environment
  bench [NAME]...     rates and ratios of everything that is measured, or of those named
  fuzz [SECONDS [TARGET]...]
                      fuzz each parser of outside data, or those named; 600 seconds each unless said
  full                test with its long runs, the benches, and fuzzing
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let workspace = match Workspace::find() {
        Ok(workspace) => workspace,
        Err(trouble) => {
            println!("{trouble}");
            return ExitCode::FAILURE;
        }
    };
    let mut steps = Steps::begin();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => test::test(&workspace, &mut steps, test::Length::Short),
        ["full"] => test::test(&workspace, &mut steps, test::Length::Full),
        ["lint"] => lint::lint(&workspace, &mut steps),
        ["generate"] => generate::generate(&workspace, &mut steps, generate::Mode::Write),
        ["generate", "--check"] => {
            generate::generate(&workspace, &mut steps, generate::Mode::Check);
        }
        ["bench", ref names @ ..] => bench::bench(&workspace, &mut steps, names),
        ["fuzz"] => fuzz::fuzz(&workspace, &mut steps, fuzz::LONG, &[]),
        ["fuzz", seconds, ref names @ ..] if seconds.parse::<u64>().is_ok() => {
            let each = seconds.parse().map_or(fuzz::LONG, Duration::from_secs);
            fuzz::fuzz(&workspace, &mut steps, each, names);
        }
        ["package"] => package::package(&workspace, &mut steps),
        _ => {
            print!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    steps.finish()
}
