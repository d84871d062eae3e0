//! Steps with headings, elapsed time, and a verdict at the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::process::{Result, Trouble};
use crate::tally::Tally;
use crate::workspace::on_ci;

/// The steps of one task: what ran, what failed, what could not run.
pub(crate) struct Steps {
    /// Tests counted over all runners.
    pub(crate) tally: Tally,
    failed: Vec<String>,
    skipped: Vec<String>,
    begun: Instant,
}

impl Steps {
    /// Starts the clock.
    pub(crate) fn begin() -> Self {
        Self {
            tally: Tally::default(),
            failed: Vec::new(),
            skipped: Vec::new(),
            begun: Instant::now(),
        }
    }

    /// Runs one step under its heading. `None` means that what builds on it cannot go on;
    /// what does not build on it may.
    pub(crate) fn step<T>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Tally) -> Result<T>,
    ) -> Option<T> {
        println!("\n=== {name}");
        let begun = Instant::now();
        let before = self.tally;
        let result = work(&mut self.tally);
        let took = seconds(begun.elapsed());
        match result {
            Ok(value) => {
                println!("--- {name}: ok, {took}");
                Some(value)
            }
            Err(Trouble::Missing(why)) if !on_ci() => {
                println!("--- skipped: {name}: {why}");
                self.skipped.push(name.to_owned());
                None
            }
            Err(trouble) => {
                println!("--- {name}: FAILED, {took}: {trouble}");
                self.tally.account_for_failure_since(before);
                self.failed.push(name.to_owned());
                None
            }
        }
    }

    /// Says aloud that a step cannot run because an earlier one did not pass.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("\n--- skipped: {name}: {why}");
        self.skipped.push(name.to_owned());
    }

    /// Prints the verdict; its last line is the count of the tests.
    pub(crate) fn finish(self) -> ExitCode {
        println!();
        for name in &self.skipped {
            println!("skipped: {name}");
        }
        for name in &self.failed {
            println!("failed: {name}");
        }
        println!("elapsed: {}", seconds(self.begun.elapsed()));
        if !self.tally.is_empty() {
            println!("{}", self.tally);
        }
        if self.failed.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
