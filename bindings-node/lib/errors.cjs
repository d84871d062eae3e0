'use strict';

/** Why a call failed: the same envelope in all languages. Match on `kind`; nobody parses text. */
class ProtectError extends Error {
  constructor({ kind, message, retryable = false, retry, retryAfterMs, operation, httpStatus, context }, options) {
    super(message, options);
    this.kind = kind;
    this.retryable = retryable;
    this.retry = retry ?? (retryable ? 'temporary' : 'permanent');
    // Left out rather than null, so that `setTimeout` takes it as it is.
    this.retryAfterMs = retryAfterMs ?? undefined;
    this.operation = operation ?? '';
    this.httpStatus = httpStatus ?? null;
    this.context = Object.freeze({ ...context });
  }

  toJSON() {
    return {
      kind: this.kind,
      message: this.message,
      retryable: this.retryable,
      retry: this.retry,
      retry_after_ms: this.retryAfterMs ?? null,
      operation: this.operation,
      http_status: this.httpStatus,
      context: this.context,
    };
  }
}

Object.defineProperty(ProtectError.prototype, 'name', {
  value: 'ProtectError',
  configurable: true,
  writable: true,
});

/** What people's own functions threw, until the call that it ended gives it back as its cause. */
const thrown = new Map();
const KEPT = 100;
let last = 0;

/** Keeps an exception under a number that may cross to the engine. */
function keep(exception) {
  last = (last + 1) % 0xffff_ffff;
  thrown.set(last, exception);
  if (thrown.size > KEPT) thrown.delete(thrown.keys().next().value);
  return last;
}

/** The error for what the native half threw, which carries the envelope as its message. */
function fromNative(error) {
  let envelope;
  try {
    envelope = JSON.parse(error.message);
  } catch {
    return error;
  }
  const { thrown: id } = envelope;
  if (!thrown.has(id)) return fromEnvelope(envelope);
  const cause = thrown.get(id);
  thrown.delete(id);
  return fromEnvelope(envelope, { cause });
}

/** The error for an envelope, as it crosses. */
function fromEnvelope({ retry_after_ms: retryAfterMs, http_status: httpStatus, ...same }, options) {
  return new ProtectError({ retryAfterMs, httpStatus, ...same }, options);
}

/** A call that the caller gave up: a `ProtectError` that the platform's own checks know, too. */
function aborted(signal, operation, error) {
  const envelope = error?.toJSON() ?? {
    kind: 'cancelled',
    message: `cancelled at ${operation}: the call was given up before it began`,
    operation,
  };
  const cancelled = fromEnvelope(envelope, { cause: signal.reason });
  const own = (value) => ({ value, configurable: true, writable: true });
  return Object.defineProperties(cancelled, { name: own('AbortError'), code: own('ABORT_ERR') });
}

/** What the caller passed cannot be right. */
function invalidInput(message, operation = '') {
  return new ProtectError({ kind: 'invalid_input', message: `invalid_input: ${message}`, operation });
}

module.exports = { ProtectError, aborted, fromNative, invalidInput, keep };
