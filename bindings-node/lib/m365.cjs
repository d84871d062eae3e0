'use strict';

const posture = require('./posture.cjs');
const generated = require('../generated/m365.cjs');

/** Decides every check of Microsoft 365 over a snapshot; asks nobody. */
function evaluate(snapshot, options) {
  return posture.evaluate('m365', snapshot, options);
}

module.exports = { ...generated, evaluate };
