'use strict';

const posture = require('./posture.cjs');
const generated = require('../generated/google.cjs');

/** Decides every check of Google Workspace over a snapshot; asks nobody. */
function evaluate(snapshot, options) {
  return posture.evaluate('google', snapshot, options);
}

module.exports = { ...generated, evaluate };
