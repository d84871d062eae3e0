'use strict';

/**
 * What every model is: a frozen object with its fields in camel case. `toJSON()` gives the form
 * that crosses to the engine, to Python and to `--json`, so `JSON.stringify` of a model is that.
 * What this version does not know is kept under its own name.
 */
class Model {
  constructor(plain) {
    if (plain === null || typeof plain !== 'object') {
      throw new TypeError(`${new.target.name} is made from an object`);
    }
    const { fields, known } = new.target;
    for (const { wire, name, type } of fields) {
      const value = plain[wire] !== undefined ? plain[wire] : plain[name];
      if (value !== undefined) this[name] = type === undefined ? value : read(type, value);
    }
    for (const key of Object.keys(plain)) {
      if (!known.has(key)) this[key] = plain[key];
    }
    Object.freeze(this);
  }

  toJSON() {
    const { fields, known } = this.constructor;
    const plain = {};
    for (const { wire, name, type } of fields) {
      const value = this[name];
      if (value !== undefined) plain[wire] = type === undefined ? value : write(type, value);
    }
    for (const key of Object.keys(this)) {
      if (!known.has(key)) plain[key] = this[key];
    }
    return plain;
  }
}

/** Gives a model its fields: `[name in JSON, name here, type]`, the type left out for plain values. */
function describe(Class, fields) {
  const own = (value) => ({ value });
  Object.defineProperties(Class, {
    fields: own(fields.map(([wire, name, type]) => ({ wire, name, type }))),
    known: own(new Set(fields.flatMap(([wire, name]) => [wire, name]))),
  });
}

/** Several of a type. */
const list = (type) => ({
  read: (value) => (Array.isArray(value) ? Object.freeze(value.map((it) => read(type, it))) : value),
  write: (value) => (Array.isArray(value) ? value.map((it) => write(type, it)) : value),
});

/** Values of a type by text. */
const map = (type) => {
  const each = (convert) => (value) =>
    Object.fromEntries(Object.entries(value).map(([key, it]) => [key, convert(type, it)]));
  return { read: (value) => Object.freeze(each(read)(value)), write: each(write) };
};

/** From JSON, or from a plain object in either form. */
function read(type, value) {
  if (type === undefined || value === null || value === undefined) return value;
  if (typeof type !== 'function') return type.read(value);
  return value instanceof type ? value : new type(value);
}

/** To JSON, from a model or its plain form. */
function write(type, value) {
  if (type === undefined || value === null || value === undefined) return value;
  if (typeof type !== 'function') return type.write(value);
  return read(type, value).toJSON();
}

module.exports = { Model, describe, list, map, read, write };
