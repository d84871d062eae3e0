//! The retry layer. Layers further in see one attempt.

use std::time::Duration;

use tracing::Instrument;

use super::answer::Answer;
use super::attempt::{self, Failure};
use super::client::Inner;
use super::deadline::Deadline;
use super::request::Call;
use crate::auth::AuthorizationMark;
use crate::connector::OpContext;
use crate::error::{Error, ErrorKind, Result, Retry};

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Sends a call until it is answered, until trying again is not safe or cannot help, or until
/// attempts or time run out.
pub(super) async fn send(client: &Inner, cx: &OpContext, call: &Call) -> Result<Answer> {
    // There wherever a warning within it is, which is about the tenant that the span names.
    let span = tracing::warn_span!(
        target: "protect::http",
        "operation",
        operation = call.operation,
        tenant = %cx.tenant,
        correlation = %cx.correlation,
    );
    attempts(client, cx, call).instrument(span).await
}

async fn attempts(client: &Inner, cx: &OpContext, call: &Call) -> Result<Answer> {
    let clock = &*client.context.clock;
    let deadline = Deadline::of(cx);
    let mut may_refresh = true;
    let mut sent = false;
    let mut number = 1;
    loop {
        if !deadline.allows(clock, Duration::ZERO) {
            return Err(unless(sent, too_late()));
        }
        let once = attempt::once(client, cx, call, number).await;
        let mut failure = match once.map_err(|error| unless(sent, error))? {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        sent |= failure.sent;
        failure.error = unless(sent, failure.error);
        if let Some(mark) = &failure.rejected
            && std::mem::take(&mut may_refresh)
            && refreshed(client, cx, call, mark).await?
        {
            continue;
        }
        let safe = call.idempotent || !failure.sent;
        if failure.error.retry() != Retry::Temporary || !safe {
            return Err(failure.error);
        }
        let wait = pause(client, &failure, number);
        if number >= client.max_attempts || !deadline.allows(clock, wait.needed()) {
            return Err(failure.error.persistent());
        }
        tracing::warn!(
            target: "protect::http",
            attempt = number,
            kind = %failure.error.kind(),
            wait_ms = u64::try_from(wait.needed().as_millis()).unwrap_or(u64::MAX),
            "trying again"
        );
        if let Pause::Sleep(wait) = wait {
            clock.sleep(wait).await;
        }
        number += 1;
    }
}

/// How the wait before the next attempt is spent.
#[derive(Clone, Copy)]
enum Pause {
    /// Here.
    Sleep(Duration),
    /// At the closed gate of the budget, in turn with everybody else.
    Gate(Duration),
}

impl Pause {
    fn needed(self) -> Duration {
        match self {
            Self::Sleep(wait) | Self::Gate(wait) => wait,
        }
    }
}

fn pause(client: &Inner, failure: &Failure, number: u32) -> Pause {
    if let Some(opens) = failure.gate_opens {
        return Pause::Gate(opens.saturating_sub(client.context.clock.monotonic()));
    }
    let ceiling = FIRST_WAIT
        .saturating_mul(1 << (number - 1).min(16))
        .min(LONGEST_WAIT);
    let jittered = ceiling.mul_f64(client.context.random.fraction().clamp(0.0, 1.0));
    // The vendor's wait is the least; the jitter keeps those who wait from coming back together.
    Pause::Sleep(failure.error.retry_after().unwrap_or_default() + jittered)
}

/// After a 401: whether there is another token to try with.
async fn refreshed(
    client: &Inner,
    cx: &OpContext,
    call: &Call,
    mark: &AuthorizationMark,
) -> Result<bool> {
    let Some(source) = &client.auth else {
        return Ok(false);
    };
    tracing::debug!(target: "protect::http", operation = call.operation, "the token was rejected");
    source.refresh(cx, mark).await
}

/// Says of an error that nothing was touched, unless something was sent.
fn unless(sent: bool, error: Error) -> Error {
    if sent { error } else { error.untouched() }
}

fn too_late() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "the deadline passed before the request was sent",
    )
    .temporary()
}

#[cfg(test)]
mod tests;
