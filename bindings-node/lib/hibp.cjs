'use strict';

const { check } = require('./client.cjs');
const { fromNative } = require('./errors.cjs');
const { list, read, write } = require('./model.cjs');
const native = require('./native.cjs');
const generated = require('../generated/hibp.cjs');

/** Judges breaches from what the catalogue says alone; asks nobody. */
function evaluate(breaches, options) {
  const { profile = 'default', unknownFormIsCritical = false } = check(
    'hibp.evaluate', options, ['profile', 'unknownFormIsCritical'], [],
  );
  const text = typeof breaches === 'string' ? breaches : JSON.stringify(write(list(generated.Breach), breaches));
  try {
    return read(list(generated.Assessment), JSON.parse(native.hibpEvaluate(text, profile, unknownFormIsCritical)));
  } catch (error) {
    throw fromNative(error);
  }
}

/** Judges one breach. */
function classify(breach, options) {
  return evaluate([breach], options)[0];
}

module.exports = { ...generated, classify, evaluate };
