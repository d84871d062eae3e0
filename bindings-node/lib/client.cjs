'use strict';

const { aborted, fromNative, invalidInput } = require('./errors.cjs');
const native = require('./native.cjs');
const { read } = require('./model.cjs');
const { SecretBag } = require('./secrets.cjs');

const asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
const PER_CALL = ['signal', 'timeoutMs'];

/** The native handle behind a client. */
let handleOf;

/** What every class is that calls the engine: an opaque handle, and nothing to print. */
class Client {
  #handle;

  constructor(handle) {
    if (!(handle instanceof native.Handle)) {
      throw new TypeError(`${new.target.name} is not made with \`new\``);
    }
    this.#handle = handle;
  }

  /**
   * Lets go of connections and files, which are no longer in use then. A call after it is an error; calls under way go
   * on, but for those of the engine that still need its store.
   */
  close() {
    this.#handle.close();
  }

  async [asyncDispose]() {
    this.close();
  }

  static {
    handleOf = (client) => client.#handle;
  }
}

/** Makes a vendor's own client: `parameters` are `[name in JSON, name here, is a secret]`. */
function connect(className, parameters, options = {}) {
  const given = check(`new ${className}`, options, parameters.map(([, name]) => name), []);
  const secrets = new SecretBag();
  const constructor = {};
  for (const [wire, name, secret] of parameters) {
    const value = given[name];
    constructor[wire] = secret && value != null ? secrets.add(name, value) : (value ?? undefined);
  }
  try {
    return native.connect(className, JSON.stringify(constructor), secrets.values);
  } catch (error) {
    throw fromNative(error);
  }
}

/** Opens what an operation gives, such as a tenant. */
function open(client, operation, args, Class) {
  try {
    return new Class(handleOf(client).open(operation, JSON.stringify(args)));
  } catch (error) {
    throw fromNative(error);
  }
}

/** How many secrets were lent to a call so far: no two calls may use one name. */
let lent = 0;

/**
 * Calls an operation. `type` reads what it gives; `allowed` are the options it takes beside those of
 * every call; `progress` is the option that is told how far the call is, with the type it is told;
 * `secrets` are arguments that nothing shows.
 */
async function call(client, operation, args, { options, allowed, type, progress, secrets }) {
  const { signal, timeoutMs, ...given } = check(operation, options, allowed);
  if (signal?.aborted) throw aborted(signal, operation);
  const listener = progress && given[progress.name];
  const cancellation = signal || listener ? new native.Cancellation() : undefined;
  const cancel = cancellation && (() => cancellation.cancel());
  const watch = listener && watcher(listener, progress.type, cancel);
  const bag = new SecretBag();
  for (const [name, secret] of Object.entries(secrets ?? {})) {
    if (secret != null) args[name] = bag.add(`${name}#${++lent}`, secret);
  }
  signal?.addEventListener('abort', cancel, { once: true });
  if (secrets) handleOf(client).lend(bag.values);
  try {
    const text = JSON.stringify(args);
    const answer = await handleOf(client).call(operation, text, timeoutMs, cancellation, watch?.tell);
    return read(type, JSON.parse(answer));
  } catch (error) {
    if (watch?.threw) throw watch.exception;
    const failure = fromNative(error);
    throw signal?.aborted && failure.kind === 'cancelled' ? aborted(signal, operation, failure) : failure;
  } finally {
    signal?.removeEventListener('abort', cancel);
    if (secrets) handleOf(client).takeBack(Object.keys(bag.values));
  }
}

/** Calls an operation page by page, as they are asked for; `timeoutMs` is for each page. */
async function* stream(client, operation, args, { type, ...how }) {
  let cursor;
  do {
    const page = await call(client, operation, { ...args, cursor }, how);
    for (const item of page.items) yield read(type, item);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
}

/** Tells a listener; what it throws, now or later, ends the call and is what the caller gets. */
function watcher(listener, type, cancel) {
  const watch = { threw: false, exception: undefined };
  const fail = (exception) => {
    Object.assign(watch, { threw: true, exception });
    cancel();
  };
  watch.tell = (text) => {
    try {
      Promise.resolve(listener(read(type, JSON.parse(text)))).catch(fail);
    } catch (exception) {
      fail(exception);
    }
  };
  return watch;
}

/** The options, where they are an object with no name in it that means nothing. */
function check(operation, options = {}, allowed = [], perCall = PER_CALL) {
  if (options === null || typeof options !== 'object') {
    throw invalidInput('the options must be an object', operation);
  }
  for (const name of Object.keys(options)) {
    if (!allowed.includes(name) && !perCall.includes(name)) {
      const known = [...allowed, ...perCall].join(', ');
      throw invalidInput(`there is no option \`${name}\`; there are: ${known}`, operation);
    }
  }
  return options;
}

module.exports = { Client, call, check, connect, open, stream };
