//! A vendor that answers with whatever it is given.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use protect_core::Context;
use protect_core::http::{HttpError, HttpTransport};
use protect_core::testing::impatient_context;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    status: StatusCode,
    headers: Vec<(http::HeaderName, http::HeaderValue)>,
    body: Bytes,
}

impl Said {
    pub(crate) fn ok(body: &[u8]) -> Self {
        Self::with(StatusCode::OK, body)
    }

    pub(crate) fn with(status: StatusCode, body: &[u8]) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::copy_from_slice(body),
        }
    }

    /// Bytes that no header may hold add none.
    pub(crate) fn header(mut self, name: http::HeaderName, value: &[u8]) -> Self {
        if let Ok(value) = http::HeaderValue::from_bytes(value) {
            self.headers.push((name, value));
        }
        self
    }
}

/// Answers by the end of the path, and everything else with the same.
#[derive(Debug)]
struct Vendor {
    fixed: &'static [(&'static str, &'static str)],
    said: Said,
}

#[async_trait]
impl HttpTransport for Vendor {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let path = request.uri().path();
        let fixed = self.fixed.iter().find(|(end, _)| path.ends_with(end));
        let said = fixed.map_or_else(|| self.said.clone(), |(_, body)| Said::ok(body.as_bytes()));
        let mut response = Response::new(said.body);
        *response.status_mut() = said.status;
        response.headers_mut().extend(said.headers);
        Ok(response)
    }
}

/// A context over such a vendor, in which waiting takes no time.
pub(crate) fn context(fixed: &'static [(&'static str, &'static str)], said: Said) -> Context {
    Context {
        transport: Arc::new(Vendor { fixed, said }),
        ..impatient_context().context
    }
}

/// Runs what never waits for anything outside.
#[expect(
    clippy::expect_used,
    reason = "without a runtime nothing can be tested"
)]
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(future)
}
