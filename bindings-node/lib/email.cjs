'use strict';

const generated = require('../generated/index.cjs');

/** Takes `resolver` out of the options: it belongs to the client, the rest to the call. */
function client(options = {}) {
  const { resolver, ...call } = options ?? {};
  return [new generated.Email({ resolver }), call];
}

/** Everything about a domain's mail authentication. */
async function audit(domain, options) {
  const [email, call] = client(options);
  return email.audit(domain, call);
}

/** The records to publish for a domain. */
async function propose(domain, options) {
  const [email, call] = client(options);
  return email.propose(domain, call);
}

/** What a receiver would answer for one message by SPF. */
async function spf(ip, sender, options) {
  const [email, call] = client(options);
  return email.spf(ip, sender, call);
}

module.exports = { ...generated.email, audit, propose, spf };
