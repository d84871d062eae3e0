//! Entering Python from the engine's threads, and ending with it.
//!
//! A thread that is inside Python while the interpreter is torn down brings the process down with
//! it. So entries are counted, and when Python ends, no new one begins and those under way are
//! waited for.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::runtime;

static INSIDE: AtomicUsize = AtomicUsize::new(0);
static ENDING: AtomicBool = AtomicBool::new(false);

/// How long the end of Python waits for callbacks.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs something inside Python; `None` where Python is ending.
pub(crate) fn attached<R>(work: impl for<'py> FnOnce(Python<'py>) -> R) -> Option<R> {
    struct Entry;
    impl Drop for Entry {
        fn drop(&mut self) {
            INSIDE.fetch_sub(1, Ordering::SeqCst);
        }
    }
    INSIDE.fetch_add(1, Ordering::SeqCst);
    let _entry = Entry;
    if ENDING.load(Ordering::SeqCst) {
        return None;
    }
    Python::try_attach(work)
}

/// Called when Python ends: waits until no thread of the engine is inside Python any more.
#[pyfunction]
pub(crate) fn finish(py: Python<'_>) {
    if !runtime::is_here() {
        // A fork took no threads along: what the count says is the parent's.
        return;
    }
    ENDING.store(true, Ordering::SeqCst);
    py.detach(|| {
        let begun = Instant::now();
        while INSIDE.load(Ordering::SeqCst) > 0 && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
    });
}
