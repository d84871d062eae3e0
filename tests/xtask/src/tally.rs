//! Counting tests over runners that each say it their own way.

use std::fmt;

/// How many tests passed and failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// Whether no runner has reported a test.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// A step that failed without a failed test (it did not compile, say) counts as one, so that the
    /// last line never reads "0 failed" when something did.
    pub(crate) fn account_for_failure_since(&mut self, before: Self) {
        if self.failed == before.failed {
            self.failed += 1;
        }
    }

    /// Adds a line of `cargo test`: `test result: ok. 3 passed; 1 failed; 0 ignored; ...`.
    pub(crate) fn cargo(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.add(counts.split([';', '.']));
        }
    }

    /// Adds a line of `pytest -q`: `3 passed, 1 failed, 1 error in 0.52s`.
    pub(crate) fn pytest(&mut self, line: &str) {
        if let Some((counts, _)) = line.trim_matches(['=', ' ']).rsplit_once(" in ") {
            self.add(counts.split(','));
        }
    }

    /// Adds a line of `node --test --test-reporter=tap`: `# pass 3`, `# fail 1`, `# cancelled 1`.
    pub(crate) fn node(&mut self, line: &str) {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["#", "pass", count] => self.passed += number(count),
            ["#", "fail" | "cancelled", count] => self.failed += number(count),
            _ => {}
        }
    }

    fn add<'line>(&mut self, counts: impl Iterator<Item = &'line str>) {
        for count in counts {
            match count.split_whitespace().collect::<Vec<_>>()[..] {
                [count, "passed"] => self.passed += number(count),
                [count, "failed" | "error" | "errors"] => self.failed += number(count),
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// A count; a word that is none counts nothing.
fn number(word: &str) -> u64 {
    word.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn the_three_runners_are_summed() {
        let mut tally = Tally::default();
        tally.cargo("test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.1s");
        tally.pytest("===== 1 failed, 4 passed, 2 errors in 0.52s =====");
        for line in ["# tests 6", "# pass 5", "# fail 1", "# cancelled 0"] {
            tally.node(line);
        }
        assert_eq!(tally.to_string(), "12 passed, 5 failed");
    }

    #[test]
    fn a_step_that_fails_without_a_failed_test_counts_as_one() {
        let mut tally = Tally::default();
        tally.account_for_failure_since(Tally::default());
        assert_eq!(tally.to_string(), "0 passed, 1 failed");
        tally.account_for_failure_since(Tally::default());
        assert_eq!(tally.to_string(), "0 passed, 1 failed");
    }

    #[test]
    fn other_lines_count_nothing() {
        let mut tally = Tally::default();
        for line in [
            "test a ... ok",
            "running 3 tests",
            "3 passed",
            "",
            "# Subtest: 5 passed",
            "done in 3 s",
        ] {
            tally.cargo(line);
            tally.pytest(line);
            tally.node(line);
        }
        assert!(tally.is_empty());
    }
}
