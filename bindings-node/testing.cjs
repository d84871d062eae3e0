'use strict';

module.exports = require('./lib/sandbox.cjs');
