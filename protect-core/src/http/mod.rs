//! Vendor HTTP, as layers around an injected transport.

mod limit;
mod transport;

pub use limit::{BudgetKey, RateLimits};
pub use transport::{HttpError, HttpErrorKind, HttpTransport};
