//! Progress on a terminal, on standard error; nothing elsewhere.

use std::sync::Arc;
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

    /// What a scan tells after every page.
    pub(crate) fn of_scan(&self) -> Arc<dyn Fn(&ScanProgress) + Send + Sync> {
        let bar = self.bar.clone();
        Arc::new(move |progress| bar.set_message(line(progress)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn line(scan: &ScanProgress) -> String {
    let counts = &scan.counts;
    let mut line = format!(
        "{}/{}: {} new, {} known",
        scan.tenant, scan.connector, counts.new, counts.seen
    );
    if let Some(progress) = scan.progress {
        line.push_str(&format!(", {}", progress.done));
        if let Some(total) = progress.total {
            line.push_str(&format!(" of {total}"));
        }
    }
    line
}
