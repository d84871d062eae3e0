//! The one opaque handle that every generated class calls through.

use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use protect_connectors::core::operation::{Callable, ProgressSink};
use protect_connectors::core::{Error, ErrorKind, Result};
use protect_connectors::http::SystemSecrets;
use protect_connectors::operations;
use pyo3::prelude::*;
use serde_json::Value;
use tokio::task::AbortHandle;

use crate::attach::attached;
use crate::callback::EventLoop;
use crate::errors::{Raised, exception};
use crate::inbox::Inbox;
use crate::{runtime, secrets};

/// Something that can be called by name: a vendor's client, the engine, a tenant.
#[pyclass(frozen, module = "protect._protect")]
pub(crate) struct Handle {
    callable: Mutex<Option<Arc<dyn Callable>>>,
    class: &'static str,
    kind: &'static str,
    event_loop: EventLoop,
    secrets: Arc<SystemSecrets>,
    pid: u32,
}

/// A call under way that somebody awaits.
#[pyclass(frozen, module = "protect._protect")]
pub(crate) struct Call {
    task: AbortHandle,
}

/// What becomes of a call that somebody awaits.
#[derive(IntoPyObject)]
pub(crate) enum Started {
    /// It is answered.
    Answered(String),
    /// It is under way.
    Under(Call),
}

#[pymethods]
impl Handle {
    /// Calls an operation with a JSON object and waits for its JSON; seconds for the timeout.
    #[pyo3(signature = (operation, arguments, timeout=None, progress=None))]
    fn call(
        &self,
        py: Python<'_>,
        operation: &str,
        arguments: &str,
        timeout: Option<f64>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let waited = self
            .prepare(operation, arguments, timeout)
            .and_then(|(callable, arguments, timeout)| {
                let work = begin(callable, operation, arguments, progress.map(told));
                runtime::wait(py, timeout, work)
            })
            .map(|answer| answer.to_string());
        waited.map_err(|error| exception(py, &error, &self.named(operation)))
    }

    /// Gives the JSON of an operation whose answer is at hand, else starts it and gives the call. Its
    /// JSON or its exception is then put into `inbox` for `receive`, and what `progress` is to hear
    /// before it. Callbacks' coroutines run on `event_loop`.
    #[pyo3(signature = (operation, arguments, receive, inbox, event_loop, timeout=None, progress=None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "more than a dataclass would be worth"
    )]
    fn start(
        &self,
        py: Python<'_>,
        operation: &str,
        arguments: &str,
        receive: Py<PyAny>,
        inbox: Py<Inbox>,
        event_loop: Py<PyAny>,
        timeout: Option<f64>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Started> {
        self.event_loop.set(event_loop);
        let named = self.named(operation);
        let progress = progress.map(|function| posted(function, inbox.clone_ref(py)));
        let begun = self.prepare(operation, arguments, timeout).and_then(
            |(callable, arguments, timeout)| {
                let at_hand = callable.is_at_hand(operation);
                let work = begin(callable, operation, arguments, progress);
                if at_hand {
                    return runtime::wait(py, timeout, work)
                        .map(|answer| Started::Answered(answer.to_string()));
                }
                let named = named.clone();
                let task = runtime::runtime()?.spawn(async move {
                    let result = runtime::limited(timeout, work).await;
                    let text = result.map(|answer| answer.to_string());
                    Inbox::put(&inbox, Arc::new(receive), text, &named);
                });
                Ok(Started::Under(Call {
                    task: task.abort_handle(),
                }))
            },
        );
        begun.map_err(|error| exception(py, &error, &named))
    }

    /// Opens what an operation of this handle gives, such as a tenant.
    fn open(&self, py: Python<'_>, operation: &str, arguments: &str) -> PyResult<Self> {
        let opened = self
            .prepare(operation, arguments, None)
            .and_then(|(callable, arguments, _)| callable.open(operation, arguments));
        match opened {
            Ok(callable) => Ok(Self::new(
                callable,
                self.event_loop.clone(),
                Arc::clone(&self.secrets),
            )),
            Err(error) => Err(exception(py, &error, &self.named(operation))),
        }
    }

    /// Hands over a secret, as a string or a callable, and gives the name under which an argument
    /// refers to it.
    fn provide(&self, py: Python<'_>, secret: Py<PyAny>) -> PyResult<String> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("call.{}", COUNT.fetch_add(1, Ordering::Relaxed));
        secrets::hand_over(py, &name, secret, &self.secrets, &self.event_loop)?;
        Ok(name)
    }

    /// Forgets a secret that was handed over.
    fn withdraw(&self, name: &str) {
        self.secrets.withdraw(name);
    }

    /// Lets go of connections and files, which are no longer in use then. A call after it is an error; calls
    /// under way go on, but for those of the engine that still need its store.
    fn close(&self, py: Python<'_>) {
        let callable = self.slot().take();
        if let (Some(callable), Ok(runtime)) = (callable, runtime::runtime())
            && self.pid == process::id()
        {
            py.detach(|| runtime.block_on(callable.close()));
        }
    }

    fn __repr__(&self) -> String {
        format!("<Handle of {}>", self.class)
    }
}

#[pymethods]
impl Call {
    /// Gives the call up: its connection is closed.
    fn cancel(&self) {
        self.task.abort();
    }
}

impl Handle {
    pub(crate) fn new(
        callable: Arc<dyn Callable>,
        event_loop: EventLoop,
        secrets: Arc<SystemSecrets>,
    ) -> Self {
        let class = callable.class();
        Self {
            callable: Mutex::new(Some(callable)),
            class: class.name,
            kind: class.kind,
            event_loop,
            secrets,
            pid: process::id(),
        }
    }

    fn named(&self, operation: &str) -> String {
        format!("{}.{operation}", self.kind)
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<dyn Callable>>> {
        self.callable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prepare(
        &self,
        operation: &str,
        arguments: &str,
        timeout: Option<f64>,
    ) -> Result<(Arc<dyn Callable>, Value, Option<Duration>)> {
        runtime::same_process(self.pid)?;
        let callable = self.slot().as_ref().map(Arc::clone).ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "it was closed; make a new one")
                .with_context("called", operation)
        })?;
        let arguments = serde_json::from_str(arguments)
            .map_err(|_| Error::invalid_input("the arguments are no JSON"))?;
        let timeout = timeout
            .map(|seconds| {
                Duration::try_from_secs_f64(seconds).map_err(|_| {
                    Error::invalid_input("a timeout is a number of seconds, not negative")
                })
            })
            .transpose()?;
        Ok((operations::within(callable, timeout), arguments, timeout))
    }
}

fn begin(
    callable: Arc<dyn Callable>,
    operation: &str,
    arguments: Value,
    progress: Option<ProgressSink>,
) -> BoxFuture<'static, Result<Value>> {
    match progress {
        Some(progress) => callable.call_with_progress(operation, arguments, progress),
        None => callable.call(operation, arguments),
    }
}

/// Tells a function at once; what it raises ends the call.
fn told(function: Py<PyAny>) -> ProgressSink {
    Arc::new(move |progress: Value| {
        let told = attached(|py| function.call1(py, (progress.to_string(),)).map(drop));
        told.unwrap_or(Ok(())).map_err(Raised::as_it_is)
    })
}

/// Tells a function by way of its event loop.
fn posted(function: Py<PyAny>, inbox: Py<Inbox>) -> ProgressSink {
    let function = Arc::new(function);
    Arc::new(move |progress: Value| {
        Inbox::put(&inbox, Arc::clone(&function), Ok(progress.to_string()), "");
        Ok(())
    })
}
