'use strict';

const { check } = require('./client.cjs');
const { fromNative, invalidInput } = require('./errors.cjs');
const { read } = require('./model.cjs');
const native = require('./native.cjs');
const generated = require('../generated/webhook.cjs');

/** Whether a message is signed by whom it says. */
function verify(headers, body, secret, options) {
  const { now } = check('webhook.verify', options, ['now'], []);
  if (!(body instanceof Uint8Array)) {
    throw invalidInput('the body is a Buffer or a Uint8Array, as it came', 'webhook.verify');
  }
  const pairs = typeof headers.entries === 'function' ? [...headers.entries()] : Object.entries(headers);
  const given = pairs.filter(([, value]) => typeof value === 'string');
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const seconds = now === undefined ? undefined : Math.floor(now.getTime() / 1000);
  try {
    const verified = native.webhookVerify(given, bytes, [secret].flat(), seconds);
    return read(generated.VerifiedMessage, JSON.parse(verified));
  } catch (error) {
    throw fromNative(error);
  }
}

module.exports = { ...generated, verify };
