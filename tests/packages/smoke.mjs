// Run by `cargo xtask package` with the npm package installed and nothing else.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { version } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const require = createRequire(import.meta.url);
assert.equal(version(), require('protect-sdk/package.json').version);
assert.equal(require('protect-sdk').version(), version());

const sandbox = startSandbox();
const protect = await sandbox.open();
assert.equal((await protect.tenant('acme').scan()).complete, true);
protect.close();
sandbox.close();
console.log('protect-sdk', version(), 'scans from an npm package');
