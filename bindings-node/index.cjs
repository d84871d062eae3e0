'use strict';

const email = require('./lib/email.cjs');
const { ProtectError } = require('./lib/errors.cjs');
const google = require('./lib/google.cjs');
const hibp = require('./lib/hibp.cjs');
const log = require('./lib/log.cjs');
const m365 = require('./lib/m365.cjs');
const { open } = require('./lib/open.cjs');
const native = require('./lib/native.cjs');
const { Sandbox } = require('./lib/sandbox.cjs');
const { handle, toExpress } = require('./lib/web.cjs');
const webhook = require('./lib/webhook.cjs');
const generated = require('./generated/index.cjs');

module.exports = { ...generated, ProtectError, Sandbox, email, google, hibp, log, m365, open, handle, toExpress, webhook, version: native.version };
