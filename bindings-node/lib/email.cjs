'use strict';

const { fromNative, invalidInput } = require('./errors.cjs');
const { read } = require('./model.cjs');
const native = require('./native.cjs');
const generated = require('../generated/index.cjs');
const models = require('../generated/email.cjs');

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

/**
 * Reads one report from bytes: XML, JSON, gzip, a zip archive or a whole message. What cannot be used
 * of it is listed under `issues`; what is no report is an error with the place.
 */
function parseReport(data) {
  if (!(data instanceof Uint8Array)) throw invalidInput('a report is a Buffer or a Uint8Array', 'email.parse_report');
  try {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const { kind, head, records } = native.emailParseReport(bytes);
    const plain = JSON.parse(head);
    if (kind !== 'aggregate') return read(KINDS[kind], plain);
    return read(models.AggregateReport, { ...plain, records: JSON.parse(records) });
  } catch (error) {
    throw fromNative(error);
  }
}

/** Reads a file of reports, or every file below a folder, and gives what they say together. */
async function readReports(path) {
  try {
    return read(models.ReportsOverview, JSON.parse(await native.emailReadReports(String(path))));
  } catch (error) {
    throw fromNative(error);
  }
}

/** Takes `resolver` out of the options: it belongs to the client, the rest to the call. */
function client(options = {}) {
  const { resolver, ...call } = options ?? {};
  return [new generated.Email({ resolver }), call];
}

const KINDS = { failure: models.FailureReport, tls: models.TlsReport };

module.exports = { ...models, audit, parseReport, propose, readReports, spf };
