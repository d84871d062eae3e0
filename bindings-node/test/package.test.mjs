import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import * as imported from 'protect-sdk';

const required = createRequire(import.meta.url)('protect-sdk');
const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

test('import and require give the same names', () => {
  const names = Object.keys(imported).filter((name) => name !== 'default');
  assert.deepEqual(names.sort(), Object.keys(required).sort());
});

test('the package carries the version of the engine inside it', () => {
  assert.equal(JSON.parse(read('package.json')).version, imported.version());
});

test('the lock file carries no download address', () => {
  assert.doesNotMatch(read('package-lock.json'), /"resolved"/);
});
