//! One attempt: rate limit, auth, attempt timeout, log, transport.

use std::time::Duration;

use ::http::{Request, Response, StatusCode};
use bytes::Bytes;
use jiff::Timestamp;

use super::answer::Answer;
use super::client::Inner;
use super::deadline::{Deadline, within};
use super::errors::{self, ErrorAnswer};
use super::request::Call;
use super::transport::{HttpError, HttpErrorKind};
use crate::auth::AuthorizationMark;
use crate::connector::OpContext;
use crate::error::{Error, ErrorKind, Result};

/// Why an attempt did not do.
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether the vendor may have seen the request.
    pub(super) sent: bool,
    /// The authorisation that a 401 rejected.
    pub(super) rejected: Option<AuthorizationMark>,
    /// When the budget opens again, where a 429 closed it, on the monotonic clock.
    pub(super) gate_opens: Option<Duration>,
}

/// The outer error is final (no room in the budget, no token); the inner one may be tried again.
pub(super) async fn once(
    client: &Inner,
    cx: &OpContext,
    call: &Call,
    number: u32,
) -> Result<Result<Answer, Failure>> {
    let context = &client.context;
    // The token comes before the permit, and again after a long wait for it: a permit that grew old
    // while a token was fetched would let too many requests go at one moment.
    let (mut request, mut mark) = authorized(client, cx, call).await?;
    if let Some(key) = &call.budget {
        let asked = context.clock.monotonic();
        context
            .limits
            .acquire(key, call.weight, &*context.clock, cx.deadline)
            .await?;
        if context.clock.monotonic().saturating_sub(asked) > LONG_WAIT {
            (request, mark) = authorized(client, cx, call).await?;
        }
    }
    let outcome = match exchange(client, cx, call, number, request).await {
        Ok(response) => judge(client, call, mark, response),
        Err(error) => Err(Failure {
            sent: !errors::never_sent(error.kind()),
            error: errors::transport_error(error, call.changes),
            rejected: None,
            gate_opens: None,
        }),
    };
    Ok(outcome)
}

const LONG_WAIT: Duration = Duration::from_secs(1);

async fn authorized(
    client: &Inner,
    cx: &OpContext,
    call: &Call,
) -> Result<(Request<Bytes>, Option<AuthorizationMark>)> {
    let mut request = call.request.clone();
    let mark = match &client.auth {
        Some(source) if call.authenticated => Some(source.authorize(cx, &mut request).await?),
        _ => None,
    };
    Ok((request, mark))
}

/// Attempt timeout and log around the transport.
async fn exchange(
    client: &Inner,
    cx: &OpContext,
    call: &Call,
    number: u32,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let clock = &*client.context.clock;
    let limit = Deadline::of(cx)
        .remaining(clock)
        .map_or(client.attempt_timeout, |left| {
            left.min(client.attempt_timeout)
        });
    let method = request.method().clone();
    let started = clock.monotonic();
    let sent = client.context.transport.send(request);
    let outcome = match within(clock, limit, sent).await {
        Some(Ok(response)) if response.body().len() > client.max_body.0 => Err(HttpError::new(
            HttpErrorKind::TooLarge,
            "the body exceeds the cap",
        )),
        Some(outcome) => outcome,
        None => Err(HttpError::new(
            HttpErrorKind::Timeout,
            "the attempt's time is over",
        )),
    };
    let elapsed = clock.monotonic().saturating_sub(started);
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    let (host, path) = (&client.host, &*call.template);
    match &outcome {
        Ok(response) => tracing::debug!(
            target: "protect::http",
            %method, host, path, attempt = number, status = response.status().as_u16(), elapsed_ms,
            "answered"
        ),
        Err(error) => tracing::debug!(
            target: "protect::http",
            %method, host, path, attempt = number, error = ?error.kind(), elapsed_ms,
            "not answered"
        ),
    }
    outcome
}

fn judge(
    client: &Inner,
    call: &Call,
    mark: Option<AuthorizationMark>,
    response: Response<Bytes>,
) -> Result<Answer, Failure> {
    let context = &client.context;
    let (parts, body) = response.into_parts();
    let is_taken = call.takes_redirect && parts.status.is_redirection();
    if parts.status.is_success() || is_taken {
        settle(client, call, false, None);
        return Ok(Answer {
            operation: call.operation,
            changes: call.changes,
            status: parts.status,
            headers: parts.headers,
            body,
        });
    }
    let answer = ErrorAnswer {
        operation: call.operation,
        status: parts.status,
        headers: parts.headers,
        body,
    };
    let error = if answer.status.is_redirection() && answer.status != StatusCode::NOT_MODIFIED {
        errors::redirect_refused(&answer, &client.host)
    } else {
        (call.errors)(&answer)
    };
    // Some vendors name the wait in the body alone, which only their error table can read.
    let named_wait =
        errors::retry_after(&answer.headers, context.clock.now()).or(error.retry_after());
    let throttled =
        answer.status == StatusCode::TOO_MANY_REQUESTS || error.kind() == ErrorKind::RateLimited;
    let gate_opens = settle(client, call, throttled, named_wait);
    Err(Failure {
        error: complete(error, &answer, named_wait, context.clock.now()),
        sent: true,
        rejected: mark.filter(|_| answer.status == StatusCode::UNAUTHORIZED),
        gate_opens,
    })
}

/// Tells the budget how the vendor took the request; when it opens again, where it closed.
fn settle(
    client: &Inner,
    call: &Call,
    throttled: bool,
    named_wait: Option<Duration>,
) -> Option<Duration> {
    let key = call.budget.as_ref()?;
    let limits = &client.context.limits;
    let now = client.context.clock.monotonic();
    if throttled {
        return Some(limits.throttled(key, named_wait, now));
    }
    limits.answered(key, now);
    None
}

/// Adds what every error of an answer carries.
fn complete(
    error: Error,
    answer: &ErrorAnswer,
    named_wait: Option<Duration>,
    now: Timestamp,
) -> Error {
    let mut error = error
        .with_operation(answer.operation)
        .with_http_status(answer.status.as_u16());
    if matches!(answer.status.as_u16(), 400 | 401 | 403)
        && let Some(clock) = errors::wrong_clock(&answer.headers, now)
    {
        error = error.and_say(&clock);
    }
    match named_wait {
        Some(wait) if error.retry_after().is_none() => error.with_retry_after(wait),
        _ => error,
    }
}
