//! How errors cross: as the envelope, in the message of a native error that JavaScript replaces.

use napi::Status;
use protect_connectors::core::Error;
use protect_connectors::core::ErrorEnvelope;
use serde::Serialize;

use crate::callback::Thrown;

/// The envelope, and the exception behind it where JavaScript threw one.
#[derive(Serialize)]
struct Crossing {
    #[serde(flatten)]
    envelope: ErrorEnvelope,
    #[serde(skip_serializing_if = "Option::is_none")]
    thrown: Option<u32>,
}

/// An error of a call as JavaScript gets it.
pub(crate) fn to_js(error: &Error, called: &str) -> napi::Error {
    let thrown = std::error::Error::source(error)
        .and_then(|cause| cause.downcast_ref::<Thrown>())
        .map(|thrown| thrown.id);
    let mut envelope = error.envelope();
    if envelope.operation.is_empty() {
        called.clone_into(&mut envelope.operation);
    }
    let json = serde_json::to_string(&Crossing { envelope, thrown });
    napi::Error::new(
        Status::GenericFailure,
        json.unwrap_or_else(|_| String::new()),
    )
}
