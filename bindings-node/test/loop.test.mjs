import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { startSandbox } from 'protect-sdk/testing';

import { optionsOf } from './support.mjs';

test('a thousand awaited calls leave the event loop free', async (t) => {
  const sandbox = startSandbox({ rateLimits: false }, t);
  const client = await sandbox.hibp();
  t.after(() => client.close());
  const gaps = [];
  let last = performance.now();
  const heartbeat = setInterval(() => {
    const now = performance.now();
    gaps.push(now - last - 10);
    last = now;
  }, 10);
  t.after(() => clearInterval(heartbeat));
  const calls = Array.from({ length: 1000 }, () => client.latestBreach());
  const answers = await Promise.all(calls);
  assert.ok(answers.every(({ name }) => name === answers[0].name));
  // How long a beat may lag belongs to the bench; here it is only that it beats at all before the last answer.
  assert.ok(gaps.length > 0, 'no beat while the calls were under way');
});

const CALLING = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { OnePassword } = require(workerData.module);
  const op = new OnePassword({ ...workerData.options, clientSecret: () => new Promise(() => {}) });
  for (let i = 0; i < 50; i++) op.getUser('B'.repeat(26)).catch(() => {});
  setTimeout(() => parentPort.postMessage('calling'), 50);
`;

test('a worker that ends with calls in flight takes nothing down', async (t) => {
  const sandbox = startSandbox({}, t);
  const workerData = {
    module: new URL('../index.cjs', import.meta.url).pathname,
    options: { ...(await optionsOf(sandbox)), clientSecret: undefined },
  };
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(CALLING, { eval: true, workerData });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    assert.equal(await worker.terminate(), 1);
  }
  const op = await sandbox.onepassword();
  t.after(() => op.close());
  const { leaked } = await sandbox.planted();
  assert.equal((await op.getUser(leaked.id)).id, leaked.id);
});

test('an open client and a secret function keep no program alive', async (t) => {
  const sandbox = startSandbox({}, t);
  const { clientSecret, ...options } = await optionsOf(sandbox);
  const { leaked } = await sandbox.planted();
  const script = `
    const { OnePassword } = require(${JSON.stringify(new URL('../index.cjs', import.meta.url).pathname)});
    const op = new OnePassword({ ...${JSON.stringify(options)}, clientSecret: async () => ${JSON.stringify(clientSecret)} });
    op.getUser(${JSON.stringify(leaked.id)}).then((user) => console.log(user.id));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { timeout: 20_000 });
  assert.equal(stdout.trim(), leaked.id);
});
