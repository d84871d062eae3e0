//! What an event loop is to be told: queued by the engine's threads, fetched by the loop all at once.
//!
//! Each entry into Python makes the loop's thread and the engine's take turns, and with a thousand
//! calls under way the loop did little else. So a thread of the engine enters Python only to wake a
//! loop that has nothing waiting for it yet.

use std::sync::{Arc, Mutex, PoisonError};

use protect_connectors::core::Result;
use pyo3::prelude::*;

use crate::attach::attached;
use crate::errors::exception;

/// The queue of one event loop.
#[pyclass(frozen, module = "protect._protect")]
pub(crate) struct Inbox {
    items: Mutex<Vec<Item>>,
    wake: Py<PyAny>,
}

/// One thing to be told, and to whom.
struct Item {
    /// Called with a text or None, and an exception or None.
    receive: Arc<Py<PyAny>>,
    what: Result<String>,
    /// What was called.
    named: String,
}

/// A function, and what it is called with.
type Told = (Py<PyAny>, Option<String>, Option<Py<PyAny>>);

#[pymethods]
impl Inbox {
    /// `wake` is called with this inbox, on a thread of the engine, when it is no longer empty.
    #[new]
    fn new(wake: Py<PyAny>) -> Self {
        Self {
            items: Mutex::default(),
            wake,
        }
    }

    /// Takes what is there: the functions to call, each with a text or None, and an exception or None.
    fn take(&self, py: Python<'_>) -> Vec<Told> {
        let items = std::mem::take(&mut *self.items());
        let items = items.into_iter().map(|item| {
            let receive = item.receive.clone_ref(py);
            match item.what {
                Ok(text) => (receive, Some(text), None),
                Err(error) => {
                    let raised = exception(py, &error, &item.named);
                    (receive, None, Some(raised.into_value(py).into_any()))
                }
            }
        });
        items.collect()
    }
}

impl Inbox {
    /// Puts something in, without entering Python unless the loop has to be woken.
    pub(crate) fn put(
        inbox: &Py<Self>,
        receive: Arc<Py<PyAny>>,
        what: Result<String>,
        named: &str,
    ) {
        let item = Item {
            receive,
            what,
            named: named.to_owned(),
        };
        let is_first = {
            let mut items = inbox.get().items();
            items.push(item);
            items.len() == 1
        };
        if is_first {
            attached(|py| {
                if let Err(raised) = inbox.get().wake.call1(py, (inbox.clone_ref(py),)) {
                    // The loop is closed: nobody waits for the answer any more.
                    raised.write_unraisable(py, None);
                }
            });
        }
    }

    fn items(&self) -> std::sync::MutexGuard<'_, Vec<Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
