'use strict';

const native = require('./native.cjs');

const asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
const SETTINGS = { seed: 'seed', users: 'users', catalogue: 'catalogue', rangeRows: 'range_rows', rateLimits: 'rate_limits' };

/**
 * Starts the simulated vendors inside this process. Given `node:test`'s context they stop with the
 * test.
 */
async function startSandbox(settings = {}, test = undefined) {
  const plain = {};
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(SETTINGS, name)) throw new TypeError(`a sandbox has no setting \`${name}\``);
    plain[SETTINGS[name]] = value;
  }
  const sandbox = new Sandbox(await native.startSandbox(JSON.stringify(plain)));
  test?.after(() => sandbox.stop());
  return sandbox;
}

/** The running simulators. */
class Sandbox {
  #native;

  constructor(running) {
    this.#native = running;
    const { credentials, ...urls } = JSON.parse(running.describe());
    /** Addresses, by vendor. */
    this.urls = Object.freeze(urls);
    /** What the simulated vendors accept; it opens nothing but this sandbox. */
    this.credentials = Object.freeze(credentials);
    Object.freeze(this);
  }

  /** What `new OnePassword(...)` takes to call the simulated one; `application` is `scan` or `respond`. */
  onepassword(application = 'respond') {
    return {
      accountId: this.credentials.account_id,
      clientId: this.credentials[`${application}_client_id`],
      clientSecret: this.credentials[`${application}_client_secret`],
      eventsToken: this.credentials.events_token,
      baseUrl: this.urls.onepassword_api,
      eventsUrl: this.urls.onepassword_events,
    };
  }

  /** Who and what was planted to be found. */
  planted() {
    return this.#ask('GET', 'planted');
  }

  /** How things are at the vendors. */
  state() {
    return this.#ask('GET', 'state');
  }

  /** Every request so far. */
  async requests() {
    return (await this.#ask('GET', 'journal')).requests;
  }

  /** Every change of state so far: a client that only looked has left none. */
  async transitions() {
    return (await this.#ask('GET', 'journal')).transitions;
  }

  /** Every broken rule so far; a correct client leaves this empty. */
  violations() {
    return this.#ask('GET', 'violations');
  }

  /** Switches a fault on: its name, or all of it. */
  setFault(fault) {
    return this.#ask('POST', 'faults', typeof fault === 'string' ? { name: fault } : fault);
  }

  /** Switches every fault off. */
  clearFaults() {
    return this.#ask('DELETE', 'faults');
  }

  /** Moves the vendors' clock. */
  advanceClock(seconds) {
    return this.#ask('POST', 'clock', { advance_seconds: seconds });
  }

  /** Changes a 1Password user as a person in the vendor's console would. */
  editUser(id, changes) {
    return this.#ask('PATCH', `onepassword/users/${encodeURIComponent(id)}`, changes);
  }

  /** Appends events as the vendor writes them: `signinattempts`, `itemusages` or `auditevents`. */
  appendEvents(stream, items) {
    return this.#ask('POST', 'onepassword/events', { stream, items });
  }

  /** Publishes a breach, in HIBP's shape, that these addresses are in. */
  publishBreach(breach, accounts) {
    return this.#ask('POST', 'hibp/breaches', { breach, accounts });
  }

  /** Back to the beginning. Credentials stay. */
  reset() {
    return this.#ask('POST', 'reset');
  }

  /** Stops listening. */
  stop() {
    return this.#native.stop();
  }

  [asyncDispose]() {
    return this.stop();
  }

  async #ask(method, path, body) {
    const response = await fetch(`${this.urls.base_url}/_sandbox/${path}`, {
      method,
      headers: { connection: 'close', ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`the sandbox answered ${response.status} to ${method} ${path}`);
    const text = await response.text();
    return text === '' ? undefined : JSON.parse(text);
  }
}

module.exports = { Sandbox, startSandbox };
