//! The threads that the engine runs on: one runtime for each process that asks.

use std::future::Future;
use std::pin::pin;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use protect_connectors::core::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::attach::attached;
use crate::errors::Raised;

/// How often a blocking call looks whether Ctrl-C was pressed.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);

/// The runtime of one process. A fork takes no threads along, so a child makes its own.
#[derive(Clone, Copy)]
struct Owned {
    pid: u32,
    runtime: &'static Runtime,
}

static RUNTIME: Mutex<Option<Owned>> = Mutex::new(None);

/// This process's runtime.
///
/// # Errors
/// `unavailable` where the machine gives no threads.
pub(crate) fn runtime() -> Result<&'static Runtime> {
    let mut slot = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(owned) = *slot
        && owned.pid == process::id()
    {
        return Ok(owned.runtime);
    }
    let runtime = Builder::new_multi_thread()
        .thread_name("protect")
        .enable_all()
        .build()
        .map_err(|error| {
            Error::new(ErrorKind::Unavailable, "cannot start the engine's threads")
                .with_source(error)
        })?;
    // Never dropped: Python may end while calls are under way.
    let runtime: &'static Runtime = Box::leak(Box::new(runtime));
    *slot = Some(Owned {
        pid: process::id(),
        runtime,
    });
    Ok(runtime)
}

/// Whether this process has a runtime of its own.
pub(crate) fn is_here() -> bool {
    let slot = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    slot.is_some_and(|owned| owned.pid == process::id())
}

/// Refuses to go on in the child of a fork with something made in its parent.
///
/// # Errors
/// `unsupported`.
pub(crate) fn same_process(pid: u32) -> Result<()> {
    if pid == process::id() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        "this was made before a fork, and its threads and connections are the parent's; make a new one in the child",
    ))
}

/// Waits for `work` without holding the interpreter, for at most `timeout`; Ctrl-C ends it.
///
/// Work that need not wait for anything is done at its first poll, without a clock for Ctrl-C or a
/// park: a call that only looks something up costs no more than that.
///
/// # Errors
/// What `work` says, `timeout`, or the exception that a signal's handler raised.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    timeout: Option<Duration>,
    work: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    let runtime = runtime()?;
    py.detach(|| {
        let mut work = pin!(limited(timeout, work));
        let at_once = {
            let _inside = runtime.enter();
            work.as_mut().now_or_never()
        };
        at_once.unwrap_or_else(|| runtime.block_on(interruptible(work)))
    })
}

/// `work`, given up after `timeout`.
///
/// # Errors
/// What `work` says, or `timeout`.
pub(crate) async fn limited<T>(
    timeout: Option<Duration>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(limit) = timeout else {
        return work.await;
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the caller gives up, as by cancelling; no retry loop is told"
    )]
    let limited = tokio::time::timeout(limit, work).await;
    match limited {
        Ok(result) => result,
        Err(_) => Err(Error::new(
            ErrorKind::Timeout,
            "the time given with `timeout` passed; whether the vendor acted is not known",
        )
        .temporary()),
    }
}

async fn interruptible<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut work = pin!(work);
    let mut ticks = tokio::time::interval(SIGNALS_EVERY);
    loop {
        tokio::select! {
            result = &mut work => return result,
            _ = ticks.tick() => {
                #[expect(
                    clippy::redundant_closure_for_method_calls,
                    reason = "the method is not general over the lifetime"
                )]
                let pressed = attached(|py| py.check_signals());
                if let Some(Err(raised)) = pressed {
                    return Err(Raised::as_it_is(raised));
                }
            }
        }
    }
}
