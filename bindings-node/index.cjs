'use strict';

const { ProtectError } = require('./lib/errors.cjs');
const hibp = require('./lib/hibp.cjs');
const { open } = require('./lib/open.cjs');
const native = require('./lib/native.cjs');
const { Sandbox } = require('./lib/sandbox.cjs');
const generated = require('./generated/index.cjs');

module.exports = { ...generated, ProtectError, Sandbox, hibp, open, version: native.version };
