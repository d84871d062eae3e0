'use strict';

module.exports = require('../protect.node');
