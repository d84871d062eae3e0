//! Calling JavaScript from the engine's threads.

use std::fmt;

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
    },
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
/// `kind` with `message` where it threw; `cancelled` where its environment is gone.
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
        Ok(Answer::Thrown { id, class }) => {
            let error = Error::new(kind, message).with_source(Thrown { id });
            Err(match class {
                Some(class) => error.with_context("exception", class),
                None => error,
            })
        }
        // The text may be a secret: serde would quote it.
        Err(_) => Err(Error::unexpected("a callback's answer cannot be read")),
    }
}
