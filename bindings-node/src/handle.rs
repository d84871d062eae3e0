//! The one opaque handle that every generated class calls through.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{AbortHandle, AbortRegistration, Abortable, BoxFuture};
use napi::Env;
use napi::bindgen_prelude::{Either, PromiseRaw};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use protect_connectors::core::operation::Callable;
use protect_connectors::core::{Error, ErrorKind, Result};
use protect_connectors::http::SystemSecrets;
use protect_connectors::operations;
use serde_json::Value;
use tokio::runtime;

use crate::errors::to_js;
use crate::secrets::{self, Secrets};

/// Is told, with JSON, how far a call is.
type Progress = ThreadsafeFunction<String, (), String, napi::Status, false, true>;

/// Something that can be called by name: a vendor's client, the engine, a tenant.
#[napi]
pub struct Handle {
    callable: Mutex<Option<Arc<dyn Callable>>>,
    kind: &'static str,
    secrets: Arc<SystemSecrets>,
    runtime: Option<runtime::Handle>,
}

/// A way to give one call up.
#[napi]
pub struct Cancellation {
    handle: AbortHandle,
    registration: Mutex<Option<AbortRegistration>>,
}

#[napi]
impl Cancellation {
    /// For the next call that it is passed to.
    #[napi(constructor)]
    pub fn new() -> Self {
        let (handle, registration) = AbortHandle::new_pair();
        Self {
            handle,
            registration: Mutex::new(Some(registration)),
        }
    }

    /// Gives the call up: its future is dropped, and its connection closed with it.
    #[napi]
    pub fn cancel(&self) {
        self.handle.abort();
    }
}

#[napi]
impl Handle {
    /// Calls an operation with a JSON object: gives its JSON where that is at hand, else a promise of
    /// it. Milliseconds for the timeout.
    ///
    /// # Errors
    /// The envelope of whatever went wrong, as JSON in the message.
    #[napi]
    pub fn call<'env>(
        &self,
        env: &'env Env,
        operation: String,
        arguments: String,
        timeout_ms: Option<f64>,
        cancellation: Option<&Cancellation>,
        progress: Option<Progress>,
    ) -> napi::Result<Either<String, PromiseRaw<'env, String>>> {
        let prepared = self.prepare(&operation, timeout_ms);
        let named = self.named(&operation);
        if let Ok((callable, _)) = &prepared
            && callable.is_at_hand(&operation)
        {
            let callable = Arc::clone(callable);
            let answer = parse(&arguments)
                .and_then(|arguments| at_hand(callable, &operation, arguments))
                .map_err(|error| to_js(&error, &named))?;
            return Ok(Either::A(answer.to_string()));
        }
        let registration = cancellation.and_then(Cancellation::take);
        let promise = env.spawn_future(async move {
            let work = async {
                let (callable, limit) = prepared?;
                let arguments = parse(&arguments)?;
                limited(limit, begin(callable, &operation, arguments, progress)).await
            };
            cancellable(registration, work)
                .await
                .map(|answer| answer.to_string())
                .map_err(|error| to_js(&error, &named))
        })?;
        Ok(Either::B(promise))
    }

    /// Lends secrets, which arguments refer to as `{"provided": name}`, until they are taken back.
    #[napi]
    pub fn lend(&self, secrets: Secrets) {
        secrets::hand_over(secrets, &self.secrets);
    }

    /// Forgets secrets that were lent.
    #[napi]
    pub fn take_back(&self, names: Vec<String>) {
        for name in &names {
            self.secrets.withdraw(name);
        }
    }

    /// Opens what an operation of this handle gives, such as a tenant.
    ///
    /// # Errors
    /// As for `call`.
    #[napi]
    pub fn open(&self, operation: String, arguments: String) -> napi::Result<Self> {
        let opened = self
            .prepare(&operation, None)
            .and_then(|(callable, _)| callable.open(&operation, parse(&arguments)?));
        match opened {
            Ok(callable) => Ok(Self::new(
                callable,
                Arc::clone(&self.secrets),
                self.runtime.clone(),
            )),
            Err(error) => Err(to_js(&error, &self.named(&operation))),
        }
    }

    /// Lets go of connections and files, which are no longer in use then. A call after it is an error; calls
    /// under way go on, but for those of the engine that still need its store.
    #[napi]
    pub fn close(&self) {
        if let (Some(callable), Some(runtime)) = (self.slot().take(), &self.runtime) {
            runtime.block_on(callable.close());
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let callable = self.slot().take();
        // What is inside may need the engine's threads to let go.
        let _inside = self.runtime.as_ref().map(runtime::Handle::enter);
        drop(callable);
    }
}

impl Cancellation {
    fn take(&self) -> Option<AbortRegistration> {
        let mut slot = self
            .registration
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        slot.take()
    }
}

impl Handle {
    pub(crate) fn new(
        callable: Arc<dyn Callable>,
        secrets: Arc<SystemSecrets>,
        runtime: Option<runtime::Handle>,
    ) -> Self {
        Self {
            kind: callable.class().kind,
            callable: Mutex::new(Some(callable)),
            secrets,
            runtime,
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
        timeout_ms: Option<f64>,
    ) -> Result<(Arc<dyn Callable>, Option<Duration>)> {
        let callable = self.slot().as_ref().map(Arc::clone).ok_or_else(|| {
            Error::new(ErrorKind::InvalidInput, "it was closed; make a new one")
                .with_context("called", operation)
        })?;
        let limit = timeout_ms
            .map(|milliseconds| {
                Duration::try_from_secs_f64(milliseconds / 1000.0).map_err(|_| {
                    Error::invalid_input("a timeout is a number of milliseconds, not negative")
                })
            })
            .transpose()?;
        Ok((operations::within(callable, limit), limit))
    }
}

fn parse(arguments: &str) -> Result<Value> {
    serde_json::from_str(arguments).map_err(|_| Error::invalid_input("the arguments are no JSON"))
}

/// The answer of an operation that waits for nothing.
fn at_hand(callable: Arc<dyn Callable>, operation: &str, arguments: Value) -> Result<Value> {
    let answer = callable.call(operation, arguments).now_or_never();
    answer.unwrap_or_else(|| Err(Error::unexpected("an answer that should be at hand is not")))
}

fn begin(
    callable: Arc<dyn Callable>,
    operation: &str,
    arguments: Value,
    progress: Option<Progress>,
) -> BoxFuture<'static, Result<Value>> {
    let Some(function) = progress else {
        return callable.call(operation, arguments);
    };
    let sink = Arc::new(move |progress: Value| {
        // JavaScript ends the call itself where the function throws; nobody waits for it here.
        function.call(
            progress.to_string(),
            ThreadsafeFunctionCallMode::NonBlocking,
        );
        Ok(())
    });
    callable.call_with_progress(operation, arguments, sink)
}

/// `work`, given up when its `Cancellation` says so.
async fn cancellable<T>(
    registration: Option<AbortRegistration>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(registration) = registration else {
        return work.await;
    };
    match Abortable::new(work, registration).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(
            ErrorKind::Cancelled,
            "the call was given up; whether the vendor acted is not known",
        )),
    }
}

/// `work`, given up after `limit`.
async fn limited<T>(limit: Option<Duration>, work: impl Future<Output = Result<T>>) -> Result<T> {
    let Some(limit) = limit else {
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
            "the time given with `timeoutMs` passed; whether the vendor acted is not known",
        )
        .temporary()),
    }
}
