'use strict';

const native = require('./protect.node');

module.exports = {
  version: native.version,
};
