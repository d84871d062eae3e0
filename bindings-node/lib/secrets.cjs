'use strict';

const { callback } = require('./callback.cjs');
const { invalidInput } = require('./errors.cjs');

/** Secrets on their way to the engine: in JSON only names stand for them. */
class SecretBag {
  /** By name, a string or a function as the engine calls it. */
  values = {};

  /** Adds a string, or a function that gives one each time it is needed; gives what stands for it. */
  add(place, secret) {
    const name = `${place}#${Object.keys(this.values).length}`;
    this.set(name, secret);
    return { provided: name };
  }

  set(name, secret) {
    if (typeof secret !== 'string' && typeof secret !== 'function') {
      throw invalidInput(`the secret \`${name}\` must be a string, or a function that gives one`);
    }
    this.values[name] = typeof secret === 'string' ? secret : callback(() => secret());
  }

  /** A copy of a configuration in which every function has become a reference to it. */
  takeFunctions(value, place = '') {
    if (typeof value === 'function') return this.add(place, value);
    if (Array.isArray(value)) return value.map((it, i) => this.takeFunctions(it, `${place}[${i}]`));
    if (value === null || typeof value !== 'object' || value instanceof Date) return value;
    const entries = Object.entries(value).map(([key, it]) => [
      key,
      this.takeFunctions(it, place ? `${place}.${key}` : key),
    ]);
    return Object.fromEntries(entries);
  }
}

module.exports = { SecretBag };
