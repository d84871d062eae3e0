//! Connectors written in JavaScript: which function is called how. What it means is the facade's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;
use protect_connectors::ProtectBuilder;
use protect_connectors::core::{Error, ErrorKind, Result};
use protect_connectors::foreign::{self, ForeignConnector, ForeignKind};
use serde_json::{Value, json};

use crate::callback::{self, Callback};

/// The connectors that a configuration asked for: `{"id", "kind", "setup"}` each, for JavaScript
/// to make an object of.
#[derive(Clone, Default)]
pub(crate) struct Wanted(Arc<(AtomicU32, Mutex<Vec<Value>>)>);

impl Wanted {
    fn add(&self, kind: &str, setup: &Value) -> u32 {
        let (next, list) = &*self.0;
        let id = next.fetch_add(1, Ordering::Relaxed);
        let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(json!({ "id": id, "kind": kind, "setup": setup }));
        id
    }

    /// All of them, once.
    pub(crate) fn take(&self) -> Vec<Value> {
        let mut list = self.0.1.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *list)
    }
}

/// Registers a kind from the JSON of what it declares and the function that its connectors are
/// called through.
pub(crate) fn register(
    builder: ProtectBuilder,
    declared: &str,
    dispatch: Callback,
    wanted: &Wanted,
) -> Result<ProtectBuilder> {
    let kind: ForeignKind = serde_json::from_str(declared).map_err(|error| {
        Error::invalid_input("what the connector's class declares is not right").with_source(error)
    })?;
    let dispatch = Arc::new(dispatch);
    let wanted = wanted.clone();
    let name = kind.kind.clone();
    builder.try_register(|registry| {
        foreign::register(registry, kind, move |setup| {
            Ok(Arc::new(JavaScriptConnector {
                id: wanted.add(&name, &setup),
                dispatch: Arc::clone(&dispatch),
            }) as Arc<dyn ForeignConnector>)
        })
    })
}

/// One connector: a number that JavaScript knows it by.
struct JavaScriptConnector {
    id: u32,
    dispatch: Arc<Callback>,
}

impl ForeignConnector for JavaScriptConnector {
    fn call(&self, method: &'static str, arguments: Value) -> BoxFuture<'static, Result<Value>> {
        let dispatch = Arc::clone(&self.dispatch);
        let arguments = json!({ "id": self.id, "arguments": arguments }).to_string();
        Box::pin(async move {
            callback::call(
                &dispatch,
                method,
                arguments,
                ErrorKind::Unexpected,
                "a connector written in JavaScript threw an exception",
            )
            .await
        })
    }
}
