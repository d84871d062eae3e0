'use strict';

const { check } = require('./client.cjs');
const { fromNative, invalidInput } = require('./errors.cjs');
const { read } = require('./model.cjs');
const native = require('./native.cjs');
const generated = require('../generated/log.cjs');

/** Settled when the last receiver was told everything. */
let ended = Promise.resolve();

/** Has every line of this process told to a function. */
function sendTo(receive, options) {
  const { level = 'warn' } = check('log.sendTo', options, ['level'], []);
  if (typeof receive !== 'function') throw invalidInput('the lines are told to a function', 'log.send_to');
  let end;
  const told = new Promise((resolve) => {
    end = resolve;
  });
  const tell = (line) => {
    if (line === '') return end();
    try {
      receive(read(generated.LogLine, JSON.parse(line)));
    } catch (exception) {
      // Nobody waits for it here: it is the program's.
      setImmediate(() => {
        throw exception;
      });
    }
  };
  try {
    native.logSendTo(level, tell);
  } catch (error) {
    throw fromNative(error);
  }
  ended = told;
}

/** Tells nobody any more, once every line until now is told. */
async function stop() {
  native.logStop();
  // Being told keeps no program alive, but waiting for it does.
  const alive = setInterval(() => {}, 60_000);
  try {
    await ended;
  } finally {
    clearInterval(alive);
  }
}

module.exports = { ...generated, sendTo, stop };
