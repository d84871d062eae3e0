//! Calling JavaScript from the engine's threads.

use std::fmt;
use std::time::Duration;

use napi::Status;
use napi::bindgen_prelude::{FnArgs, Promise};
use napi::threadsafe_function::ThreadsafeFunction;
use protect_connectors::core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::Value;

/// A JavaScript function of (method, JSON) that gives the JSON of an [`Answer`] in time, and never
/// rejects: `lib/callback.cjs` wraps what people write. It keeps no program alive.
pub(crate) type Callback = ThreadsafeFunction<
    FnArgs<(String, String)>,
    Promise<String>,
    FnArgs<(String, String)>,
    Status,
    false,
    true,
>;

/// What came of calling what somebody wrote.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// It gave this.
    Ok(Value),
    /// It threw.
    Thrown {
        /// Where `lib/callback.cjs` keeps the exception.
        id: u32,
        /// The exception's class, where it has a plain name.
        class: Option<String>,
        /// What it says of itself, where it is one of our errors.
        #[serde(default)]
        said: Option<Said>,
    },
}

/// What an error of ours says that somebody's own code threw.
#[derive(Deserialize)]
struct Said {
    kind: String,
    retryable: bool,
    retry_after_ms: Option<f64>,
}

impl Said {
    /// `None` for a kind that there is not.
    fn error(&self, message: &'static str) -> Option<Error> {
        let kind = ErrorKind::ALL
            .into_iter()
            .find(|it| it.as_str() == self.kind)?;
        let mut error = Error::new(kind, message);
        if self.retryable {
            error = error.temporary();
        }
        let seconds = self
            .retry_after_ms
            .map(|milliseconds| milliseconds / 1000.0);
        match seconds.map(Duration::try_from_secs_f64) {
            Some(Ok(wait)) => Some(error.with_retry_after(wait)),
            _ => Some(error),
        }
    }
}

/// An exception on its way through the engine; JavaScript keeps it under this number. Its text may
/// hold anything, so it does not come along.
#[derive(Debug)]
pub(crate) struct Thrown {
    pub(crate) id: u32,
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JavaScript exception")
    }
}

impl std::error::Error for Thrown {}

/// Calls a JavaScript function and waits for what it gives, without holding a thread.
///
/// # Errors
/// What it threw where that is one of our errors, else `kind` with `message`; `cancelled` where its environment is gone.
pub(crate) async fn call(
    function: &Callback,
    method: &'static str,
    arguments: String,
    kind: ErrorKind,
    message: &'static str,
) -> Result<Value> {
    let arguments = FnArgs::from((method.to_owned(), arguments));
    let promised = function.call_async_catch(arguments).await;
    let answered = match promised {
        Ok(promise) => promise.await,
        Err(error) => Err(error),
    };
    let Ok(json) = answered else {
        return Err(Error::new(
            ErrorKind::Cancelled,
            "JavaScript is shutting down",
        ));
    };
    match serde_json::from_str(&json) {
        Ok(Answer::Ok(value)) => Ok(value),
        Ok(Answer::Thrown { id, class, said }) => {
            let said = said.and_then(|said| said.error(message));
            let error = said.unwrap_or_else(|| Error::new(kind, message));
            let error = error.with_source(Thrown { id });
            Err(match class {
                Some(class) => error.with_context("exception", class),
                None => error,
            })
        }
        // The text may be a secret: serde would quote it.
        Err(_) => Err(Error::unexpected("a callback's answer cannot be read")),
    }
}
