'use strict';

const { ProtectError, keep } = require('./errors.cjs');

const PLAIN_NAME = /^[A-Za-z][A-Za-z0-9_]{0,39}$/;

/**
 * Makes of a function what the engine calls from its threads: takes text, gives the JSON of
 * `{ok}` or `{thrown}`, and never rejects. The exception itself stays here, since its text may hold
 * anything.
 */
function callback(run) {
  return async (method, text) => {
    try {
      const answer = JSON.stringify({ ok: (await run(method, text)) ?? null });
      return answer;
    } catch (exception) {
      return JSON.stringify({ thrown: { id: keep(exception), class: className(exception), said: said(exception) } });
    }
  };
}

function className(exception) {
  try {
    const name = exception?.constructor?.name;
    return typeof name === 'string' && PLAIN_NAME.test(name) ? name : null;
  } catch {
    return null;
  }
}

/** What an error of ours says, which the engine keeps. */
function said(exception) {
  if (!(exception instanceof ProtectError)) return null;
  const { kind, retryable, retryAfterMs } = exception;
  return { kind: String(kind), retryable: retryable === true, retry_after_ms: retryAfterMs };
}

module.exports = { callback };
