'use strict';

const { debuglog } = require('node:util');

const { callback } = require('./callback.cjs');
const { ProtectError, invalidInput } = require('./errors.cjs');
const { read, write } = require('./model.cjs');

/** Shown where `NODE_DEBUG` names `protect`: what an exception says may be anything. */
const debug = debuglog('protect');

const ROLES = {
  scanner: ['scan'],
  directory: ['list', 'get'],
  remediator: ['preview', 'apply', 'probe'],
  sink: ['deliver'],
};

/** Methods that a role may leave out. */
const EXTRAS = ['changes', 'find'];

/** Connectors written in JavaScript: classes on one side, JSON on the other. */
class Connectors {
  #classes = new Map();
  #made = new Map();
  #methods;

  /** `models` are the generated classes. */
  constructor(classes, models) {
    this.#methods = methods(models);
    for (const Class of classes) this.#classes.set(Class.kind, Class);
  }

  /** What each class declares, as JSON. */
  get declared() {
    return [...this.#classes.values()].map((Class) => JSON.stringify(declaration(Class)));
  }

  /** What the engine calls the connectors of each class through. */
  get dispatchers() {
    return [...this.#classes.values()].map(() => callback((method, text) => this.#dispatch(method, text)));
  }

  /** Makes the connectors that a configuration asks for, `{id, kind, setup}` each. */
  make(wanted) {
    for (const { id, kind, setup } of wanted) {
      const Class = this.#classes.get(kind);
      try {
        this.#made.set(id, new Class(Object.freeze(setup)));
      } catch (cause) {
        const context = { tenant: setup.tenant, connector: setup.name };
        const message = `config_invalid: a connector of kind ${kind} could not be made`;
        throw new ProtectError({ kind: 'config_invalid', message, context, operation: 'engine.open' }, { cause });
      }
    }
  }

  async #dispatch(method, text) {
    const { id, arguments: given } = JSON.parse(text);
    const connector = this.#made.get(id);
    if (connector === undefined) throw new TypeError('the connector is not made yet');
    const { take, give } = this.#methods[method];
    if (typeof connector[method] !== 'function') return MISSING[method]?.();
    try {
      return give(await connector[method](take(given)));
    } catch (exception) {
      if (!(exception instanceof ProtectError)) debug('connector %s: %s threw', connector.constructor.kind, method, exception);
      throw exception;
    }
  }
}

/** What a connector answers that leaves a method out. */
const MISSING = {
  diagnose: () => ({ reachable: true, credentials: [], clock_skew_seconds: null, notes: [] }),
};

function methods(models) {
  const { Account, AccountPage, Action, Applied, Delivered, Delivery, Diagnosis } = models;
  const { Preview, Probe, ScanPage, ScanRequest } = models;
  const giving = (type) => (value) => {
    try {
      return write(type, value);
    } catch {
      // Of another shape: the engine says where.
      return value;
    }
  };
  const action = (value) => read(Action, value);
  return {
    scan: { take: (value) => read(ScanRequest, value), give: giving(ScanPage) },
    list: { take: ({ cursor }) => cursor, give: giving(AccountPage) },
    changes: { take: ({ since }) => since, give: giving(AccountPage) },
    get: { take: ({ id }) => id, give: giving(Account) },
    preview: { take: action, give: giving(Preview) },
    apply: { take: action, give: giving(Applied) },
    probe: { take: action, give: giving(Probe) },
    deliver: { take: (value) => read(Delivery, value), give: giving(Delivered) },
    find: { take: ({ kind, source_reference: sourceReference }) => ({ kind, sourceReference }), give: giving(Delivered) },
    diagnose: { take: () => undefined, give: giving(Diagnosis) },
  };
}

function declaration(Class) {
  const { kind, docs = '', checks = [], actions = {}, scanEverySeconds = null } = Class;
  const { settings = {}, stateKeys = [], templates = null } = Class;
  const has = (method) => typeof Class.prototype?.[method] === 'function';
  const roles = Object.keys(ROLES).filter((role) => ROLES[role].every(has));
  if (typeof kind !== 'string' || roles.length === 0) {
    const wanted = Object.entries(ROLES).map(([role, names]) => `${role}: ${names.join(', ')}`);
    throw invalidInput(
      `a connector is a class with a static \`kind\` and the methods of a role (${wanted.join('; ')})`,
      'engine.open',
    );
  }
  return {
    kind, docs, roles, checks, actions, settings, templates,
    has: EXTRAS.filter(has),
    scan_every_seconds: scanEverySeconds,
    state_keys: stateKeys,
  };
}

module.exports = { Connectors };
