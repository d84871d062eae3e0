'use strict';

const { ProtectError } = require('./lib/errors.cjs');
const { open } = require('./lib/open.cjs');
const native = require('./lib/native.cjs');
const generated = require('./generated/index.cjs');
const email = require('./lib/email.cjs');

module.exports = { ...generated, email, ProtectError, open, version: native.version };
