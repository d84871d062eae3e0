'use strict';

const { Connectors } = require('./connector.cjs');
const { check } = require('./client.cjs');
const { fromNative, invalidInput } = require('./errors.cjs');
const native = require('./native.cjs');
const { SecretBag } = require('./secrets.cjs');
const generated = require('../generated/index.cjs');

/** Opens the engine from a configuration file, or from an object of the same shape. */
async function open(source, options) {
  const { connectors = [], secrets = {} } = check('open', options, ['connectors', 'secrets'], []);
  const bag = new SecretBag();
  for (const [name, secret] of Object.entries(secrets)) bag.set(name, secret);
  const made = new Connectors(connectors, generated);
  const [path, config] = read(source, bag);
  const opened = await native
    .open(path, config, bag.values, made.declared, made.dispatchers)
    .catch((error) => Promise.reject(fromNative(error)));
  const protect = new generated.Protect(opened.handle());
  try {
    made.make(JSON.parse(opened.connectors()));
  } catch (error) {
    protect.close();
    throw error;
  }
  return protect;
}

function read(source, bag) {
  if (typeof source === 'string') return [source, undefined];
  if (source instanceof URL && source.protocol === 'file:') return [require('node:url').fileURLToPath(source), undefined];
  if (source !== null && typeof source === 'object') {
    return [undefined, JSON.stringify(bag.takeFunctions(source))];
  }
  throw invalidInput('a configuration is the path of a file, or an object', 'engine.open');
}

module.exports = { open };
