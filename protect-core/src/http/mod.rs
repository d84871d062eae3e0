//! Vendor HTTP, as layers around an injected transport: deadline, retry, rate limit, auth, attempt
//! timeout, log. Connectors see [`HttpClient`] alone.

mod answer;
mod attempt;
mod bucket;
mod client;
pub(crate) mod deadline;
mod errors;
mod limit;
mod policy;
mod request;
mod retry;
mod transport;

pub use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
pub use answer::Answer;
pub use bucket::Limit;
pub use client::{HttpClient, HttpClientBuilder, is_loopback};
pub use deadline::within;
pub use errors::{ErrorAnswer, ErrorTable};
pub use limit::{BudgetKey, BudgetStatus, RateLimits};
pub use policy::UrlPolicy;
pub use request::RequestBuilder;
pub use transport::{HttpError, HttpErrorKind, HttpTransport, MaxBody};
