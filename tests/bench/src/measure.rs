//! What every bench needs: medians, peers from `PyPI`, and what the machine was doing meanwhile.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How often each thing is measured; the median is told.
pub(crate) const RUNS: usize = 5;

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// So many in such a time, a second.
pub(crate) fn rate(count: usize, took: Duration) -> f64 {
    count_as_f64(count) / took.as_secs_f64()
}

/// Counts here are far below 2^53, up to which this is exact.
#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub(crate) fn count_as_f64(count: usize) -> f64 {
    count as f64
}

/// How many processors there are, and how many wanted one of late: with more than there are, every
/// figure is too small.
pub(crate) fn machine() -> String {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    format!("processors: {processors}, load of the last minute: {load}")
}

/// The target directory, in which this program's profile is built and peers are installed.
pub(crate) fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(2).map(Path::to_owned).unwrap()
}

/// The interpreter of a Python environment below the target directory with this package in it,
/// which is installed where it is not yet; `None` where that fails.
pub(crate) fn python_with(package: &str) -> Option<PathBuf> {
    let succeeds = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    let home = target().join("bench").join(package);
    let python = home.join("bin/python");
    if !python.exists() {
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&home)).then_some(())?;
    }
    let pip = ["-m", "pip", "install", "--quiet", package];
    succeeds(Command::new(&python).args(pip)).then_some(python)
}
