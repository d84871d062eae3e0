// test/listings.mts, compiled and run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { startSandbox } from 'protect-sdk/testing';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TSC = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
const skip = existsSync(TSC) ? false : 'skipped: needs typescript, which `npm ci` installs';

// Beside the tests, where `protect-sdk` is this package itself.
const folder = mkdtempSync(join(HERE, '.compiled-'));
after(() => rmSync(folder, { recursive: true }));

const compiled = async () => {
  const options = ['--target', 'es2022', '--module', 'nodenext', '--skipLibCheck', '--outDir', folder, '--rootDir', HERE];
  const libraries = ['--lib', 'es2023,esnext.disposable', '--types', 'node', '--noCheck', '--ignoreConfig'];
  await promisify(execFile)(process.execPath, [TSC, ...options, ...libraries, join(HERE, 'listings.mts')]);
  return import(pathToFileURL(join(folder, 'listings.mjs')));
};

/** A value as TOML writes it in one line; JSON's texts, numbers and words are TOML's, too. */
const inline = (value) => {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([key, it]) => `${JSON.stringify(key)} = ${inline(it)}`).join(', ')} }`;
};

test('the listings run as they read', { skip }, async (t) => {
  const { engine, retrying, vendor } = await compiled();
  const sandbox = startSandbox({}, t);
  const { leaked, leaver } = await sandbox.planted();
  const scanner = await sandbox.onepassword('scan');
  const op = await sandbox.onepassword();
  t.after(() => [scanner, op].forEach((client) => client.close()));

  await assert.rejects(vendor(scanner, leaked.id, new AbortController().signal), { kind: 'permission_denied' });
  const active = [];
  for await (const user of scanner.users({ filter: 'active' })) active.push(user.id);
  assert.ok(active.includes(leaked.id) && !active.includes(leaver.id));

  await sandbox.setFault('rate_limited_seconds', { route: '/users', seconds: 3600 });
  const waiting = await retrying(() => op.getUser(leaked.id), () => {});
  assert.equal(waiting._idleTimeout, 3_600_000);
  clearTimeout(waiting);
  await sandbox.clearFaults();

  for (const [name, secret] of Object.entries(await sandbox.secrets())) writeFileSync(join(folder, name), secret);
  const file = (value) => {
    if (value?.provided) return { file: join(folder, value.provided) };
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value).map(([key, it]) => [key, file(it)]);
    return Array.isArray(value) ? value.map(file) : Object.fromEntries(entries);
  };
  const config = join(folder, 'protect.toml');
  const lines = Object.entries(file(await sandbox.config())).map(([key, value]) => `${key} = ${inline(value)}`);
  writeFileSync(config, lines.join('\n'));
  const heard = [];
  const protect = await engine(config, (progress) => heard.push(progress.connector));
  assert.deepEqual([...new Set(heard)].sort(), ['breaches', 'passwords']);
  assert.equal((await sandbox.transitions()).length, 2);
  await assert.rejects(protect.tenants(), { kind: 'invalid_input' }, 'it was closed where its block ended');
});
