//! What comes in: requests that a connector, or a part of the engine, answers for one tenant.
//!
//! A connector names its [routes](Inbound::routes): method, path, how the caller is known, how large a
//! body may be, whether it changes something. The engine finds the tenant, knows the caller, holds the
//! limits, and only then hands the parsed request over; no socket is opened here. What is answered, also
//! where something is wrong, has the platform's form.
//!
//! ```
//! use std::collections::BTreeMap;
//! use protect_core::inbound::{InboundAnswer, InboundRequest, Route, TenantFrom};
//! use protect_core::Result;
//!
//! // What a calendar pulls from the workforce, with the key that both sides hold.
//! let route = Route::get("people.time_off", "/api/psa/time-off")
//!     .tenant(TenantFrom::query("tenantId"))
//!     .integration_key();
//!
//! fn time_off(request: &InboundRequest) -> Result<InboundAnswer> {
//!     let wanted = request.list("status");
//!     InboundAnswer::json(&BTreeMap::from([("asked_for", wanted)]))
//! }
//! # assert!(route.matches("/api/psa/time-off").is_some());
//! ```

mod answer;
mod refusal;
mod request;
mod route;
#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

pub use answer::{InboundAnswer, News};
pub use refusal::{body_too_large, refusal};
pub use request::{InboundRequest, PeerAddress};
pub use route::{Access, DEFAULT_BODY_LIMIT, Route, TenantFrom};

use crate::connector::{Connector, OpContext};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::SecretRef;

/// A connector that others call.
#[async_trait]
pub trait Inbound: Connector {
    /// What it answers.
    fn routes(&self) -> &[Route];

    /// What the callers name this tenant, for routes whose request says it ([`TenantFrom`]); our own id
    /// where nothing else is known.
    fn tenant_alias(&self) -> &str {
        self.info().tenant.as_str()
    }

    /// The keys that open [`Access::IntegrationKey`] routes: any of them, so that one can be replaced.
    fn integration_keys(&self) -> &[SecretRef] {
        &[]
    }

    /// Whether an [`Access::Signed`] request is from whom it says. Only then it is handled.
    ///
    /// # Errors
    /// `unauthenticated` for one that is not signed well, or too old; `config_invalid` without a secret.
    async fn verify(&self, _cx: &OpContext, _request: &InboundRequest) -> Result<SignedMessage> {
        Err(Error::new(
            ErrorKind::Unsupported,
            "this connector verifies no messages",
        ))
    }

    /// Answers one request. `cx.actor` is who calls.
    ///
    /// A signed message whose answer was an error may come again: handling it twice must come to the
    /// same.
    ///
    /// # Errors
    /// Each becomes an answer with the fitting status ([`refusal`]).
    async fn handle(&self, cx: &OpContext, request: &InboundRequest) -> Result<InboundAnswer>;
}

/// A message whose signature is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedMessage {
    /// What tells it from every other one: sent again, it has the same.
    pub id: String,
    /// When it was signed, where it says so: sent again, it says later. The same message with the same
    /// time is somebody else's copy.
    pub signed_at: Option<Timestamp>,
    /// How long it must be remembered.
    pub remember: Duration,
}
