'use strict';

const { fileURLToPath } = require('node:url');

const { check } = require('./client.cjs');
const { fromNative } = require('./errors.cjs');
const { list, read } = require('./model.cjs');
const native = require('./native.cjs');
const { CheckResult } = require('../generated/engine.cjs');

/** Decides the checks of a kind over a snapshot: its text, the object of it, or `{ path }`. */
function evaluate(kind, snapshot, options) {
  const { profile, config } = check(`${kind}.evaluate`, options, ['profile', 'config'], []);
  const path = snapshot instanceof URL ? fileURLToPath(snapshot) : snapshot?.path;
  const isPath = typeof path === 'string';
  const text = isPath ? path : typeof snapshot === 'string' ? snapshot : JSON.stringify(snapshot ?? null);
  const settings = config === undefined ? undefined : JSON.stringify(config);
  try {
    return read(list(CheckResult), JSON.parse(native.postureEvaluate(kind, text, isPath, profile, settings)));
  } catch (error) {
    throw fromNative(error);
  }
}

module.exports = { evaluate };
