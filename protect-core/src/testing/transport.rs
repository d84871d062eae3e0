use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;

use crate::clock::Clock;
use crate::http::{HttpError, HttpErrorKind, HttpTransport};

/// A transport that plays a script: each request takes the first expectation that fits it.
///
/// A request that fits none is refused and noted; [`ScriptedTransport::assert_done`] tells.
pub struct ScriptedTransport {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    expectations: Vec<Expectation>,
    requests: Vec<Request<Bytes>>,
    unexpected: Vec<String>,
}

/// One request that is expected and what comes back: by default an empty answer with status 200,
/// once.
#[derive(Clone)]
pub struct Expectation {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: BTreeMap<String, Option<String>>,
    body: Body,
    left: usize,
    after: Duration,
    outcome: Outcome,
}

#[derive(Clone)]
enum Body {
    Exactly(Bytes),
    Json(Value),
    Any,
}

#[derive(Clone)]
enum Outcome {
    Answer {
        status: StatusCode,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    },
    Failure(HttpErrorKind),
    Never,
}

impl ScriptedTransport {
    /// A transport without expectations; `clock` times delayed answers.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Adds an expectation behind the others.
    pub fn expect(&self, expectation: Expectation) {
        self.state().expectations.push(expectation);
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.state().requests.clone()
    }

    /// What was expected and did not come, then what came and was not expected; without header
    /// values and bodies.
    pub fn complaints(&self) -> Vec<String> {
        let state = self.state();
        let unmet = state
            .expectations
            .iter()
            .filter(|expected| expected.left > 0 && expected.left < usize::MAX)
            .map(|expected| {
                format!(
                    "expected {} more: {} {}",
                    expected.left, expected.method, expected.path
                )
            });
        unmet.chain(state.unexpected.iter().cloned()).collect()
    }

    /// Checks that everything that was expected came, and nothing else.
    ///
    /// # Panics
    /// Where that is not so, with the list.
    pub fn assert_done(&self) {
        let complaints = self.complaints();
        assert!(
            complaints.is_empty(),
            "the script was not followed:\n  {}",
            complaints.join("\n  ")
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the request and takes the expectation that fits.
    fn take(&self, request: Request<Bytes>) -> Option<(Duration, Outcome)> {
        let mut state = self.state();
        let found = state
            .expectations
            .iter_mut()
            .find(|expected| expected.left > 0 && expected.fits(&request));
        let taken = found.map(|expected| {
            if expected.left < usize::MAX {
                expected.left -= 1;
            }
            (expected.after, expected.outcome.clone())
        });
        if taken.is_none() {
            let line = format!(
                "not expected: {} {}",
                request.method(),
                request.uri().path()
            );
            state.unexpected.push(line);
        }
        state.requests.push(request);
        taken
    }
}

impl Expectation {
    /// A request with this method and percent-encoded path (host aside), no query and no body.
    pub fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            query: Vec::new(),
            headers: BTreeMap::new(),
            body: Body::Exactly(Bytes::new()),
            left: 1,
            after: Duration::ZERO,
            outcome: Outcome::Answer {
                status: StatusCode::OK,
                headers: Vec::new(),
                body: Bytes::new(),
            },
        }
    }

    /// A query parameter, decoded; all of them, in order.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A header that must be there with this value.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), Some(value.to_owned()));
        self
    }

    /// A header that must not be there.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.insert(name.to_owned(), None);
        self
    }

    /// This body, byte for byte.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Body::Exactly(body.into());
        self
    }

    /// A body of this JSON value.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Body::Json(body);
        self
    }

    /// Any body.
    #[must_use]
    pub fn any_body(mut self) -> Self {
        self.body = Body::Any;
        self
    }

    /// So often.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.left = times;
        self
    }

    /// As often as it comes, also never.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// The outcome comes so much later on the clock.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// Answers with a status and a JSON body.
    #[must_use]
    pub fn answer(self, status: u16, body: &Value) -> Self {
        self.answer_bytes(status, "application/json", body.to_string())
    }

    /// Answers with a status and any body.
    ///
    /// # Panics
    /// Where the status or content type is none.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a wrong script is a wrong test")]
    pub fn answer_bytes(mut self, status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let content_type = HeaderValue::from_str(content_type).expect("a content type");
        self.outcome = Outcome::Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: vec![(http::header::CONTENT_TYPE, content_type)],
            body: body.into(),
        };
        self
    }

    /// Adds a header to the answer.
    ///
    /// # Panics
    /// Where name or value is none, or there is no answer.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a wrong script is a wrong test")]
    #[expect(clippy::panic, reason = "a wrong script is a wrong test")]
    pub fn answer_header(mut self, name: &str, value: &str) -> Self {
        let Outcome::Answer { headers, .. } = &mut self.outcome else {
            panic!("this expectation does not answer");
        };
        headers.push((
            HeaderName::try_from(name).expect("a header name"),
            HeaderValue::from_str(value).expect("a header value"),
        ));
        self
    }

    /// Fails like this.
    #[must_use]
    pub fn fail(mut self, kind: HttpErrorKind) -> Self {
        self.outcome = Outcome::Failure(kind);
        self
    }

    /// Neither answers nor fails.
    #[must_use]
    pub fn never(mut self) -> Self {
        self.outcome = Outcome::Never;
        self
    }

    fn fits(&self, request: &Request<Bytes>) -> bool {
        let query = request.uri().query().unwrap_or_default();
        let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        request.method() == self.method
            && request.uri().path() == self.path
            && query == self.query
            && self.headers.iter().all(|(name, value)| {
                let found = request.headers().get(name).map(HeaderValue::as_bytes);
                found == value.as_ref().map(String::as_bytes)
            })
            && match &self.body {
                Body::Exactly(body) => request.body() == body,
                Body::Json(value) => {
                    serde_json::from_slice(request.body()).is_ok_and(|found: Value| found == *value)
                }
                Body::Any => true,
            }
    }
}

#[async_trait]
impl HttpTransport for ScriptedTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let Some((after, outcome)) = self.take(request) else {
            return Err(HttpError::new(
                HttpErrorKind::Refused,
                "the script does not expect this request",
            ));
        };
        if !after.is_zero() {
            self.clock.sleep(after).await;
        }
        match outcome {
            Outcome::Never => std::future::pending().await,
            Outcome::Failure(kind) => Err(HttpError::new(kind, "so says the script")),
            Outcome::Answer {
                status,
                headers,
                body,
            } => {
                let mut response = Response::new(body);
                *response.status_mut() = status;
                response.headers_mut().extend(headers);
                Ok(response)
            }
        }
    }
}

impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedTransport")
            .field("requests", &self.state().requests.len())
            .finish_non_exhaustive()
    }
}
