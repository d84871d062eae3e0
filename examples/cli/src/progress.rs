//! Progress on a terminal, on standard error; nothing elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use protect_connectors::core::engine::ScanProgress;

use crate::output::Output;

/// A line that says what is going on, and goes away when it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Shows `words` while something takes its time.
    pub(crate) fn start(output: Output, words: impl Into<String>) -> Self {
        if !output.shows_progress() {
            return Self {
                bar: ProgressBar::hidden(),
            };
        }
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(100));
        bar.set_message(words.into());
        Self { bar }
    }

    /// Says something else.
    pub(crate) fn say(&self, words: impl Into<String>) {
        self.bar.set_message(words.into());
    }

    /// Goes away while something is printed.
    pub(crate) fn pause<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// What a scan tells after every page.
    pub(crate) fn of_scan(&self) -> Arc<dyn Fn(&ScanProgress) + Send + Sync> {
        let bar = self.bar.clone();
        let connectors: Mutex<BTreeMap<String, String>> = Mutex::default();
        Arc::new(move |progress| {
            let mut connectors = connectors.lock().unwrap_or_else(PoisonError::into_inner);
            connectors.insert(progress.connector.to_string(), line(progress));
            let lines: Vec<_> = connectors.values().cloned().collect();
            bar.set_message(format!("{}: {}", progress.tenant, lines.join("; ")));
        })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn line(scan: &ScanProgress) -> String {
    let counts = &scan.counts;
    let far = match scan.progress {
        Some(progress) => match progress.total {
            Some(total) => format!(" ({} of {total})", progress.done),
            None => format!(" ({})", progress.done),
        },
        None => String::new(),
    };
    let connector = &scan.connector;
    format!("{connector} {} new, {} known{far}", counts.new, counts.seen)
}
