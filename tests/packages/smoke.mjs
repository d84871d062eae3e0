// Run by `cargo xtask package` with the npm package installed and nothing else.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { version } from 'protect-sdk';

const require = createRequire(import.meta.url);
assert.equal(version(), require('protect-sdk/package.json').version);
assert.equal(require('protect-sdk').version(), version());
console.log('protect-sdk', version(), 'loads from an npm package');
