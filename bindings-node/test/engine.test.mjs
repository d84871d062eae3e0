import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import { open, ProtectError } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const opened = async (t, mode = 'enforce') => {
  const sandbox = startSandbox({}, t);
  const config = { ...(await sandbox.config()), mode };
  const protect = await open(config, { secrets: await sandbox.secrets() });
  t.after(() => protect.close());
  return { sandbox, acme: protect.tenant('acme') };
};

test('a flagged sign-in becomes a plan, and an approved plan is applied once', async (t) => {
  const { sandbox, acme } = await opened(t);
  const { leaked, suspicious } = await sandbox.planted();
  const heard = [];
  const summary = await acme.scan({ onProgress: (progress) => heard.push(progress) });
  assert.equal(summary.complete, true);
  assert.ok(heard.length > 0);
  const plan = await acme.plan();
  assert.deepEqual(plan.actions.map((it) => it.action.kind), ['suspend_account', 'suspend_account']);
  assert.deepEqual(await sandbox.transitions(), []);
  const steps = await acme.apply(await acme.approve(plan, { by: 'alice' }));
  assert.deepEqual(steps.map((it) => it.outcome.status), ['applied', 'applied']);
  const changed = await sandbox.transitions();
  assert.deepEqual(changed.map((it) => it.id).sort(), [leaked.id, suspicious.id].sort());
  assert.equal((await acme.plan()).actions.length, 0);
  assert.deepEqual(await sandbox.violations(), []);
});

test('in dry_run nothing can be approved', async (t) => {
  const { sandbox, acme } = await opened(t, 'dry_run');
  await acme.scan();
  await assert.rejects(acme.approve(await acme.plan(), { by: 'alice' }), (error) => {
    assert.ok(error instanceof ProtectError);
    assert.equal(error.kind, 'refused');
    return true;
  });
  assert.deepEqual(await sandbox.transitions(), []);
});

test('a scan that was aborted is taken up by the next one at once', async (t) => {
  const { sandbox, acme } = await opened(t);
  await sandbox.setFault('delay', { vendor: 'onepassword', millis: 20_000 });
  const controller = new AbortController();
  const begun = performance.now();
  const scan = acme.scan({ connectors: ['passwords'], signal: controller.signal });
  while (!(await sandbox.requests()).some(({ vendor }) => vendor === 'onepassword')) await setTimeout(10);
  controller.abort();
  await assert.rejects(scan, { name: 'AbortError', kind: 'cancelled' });
  await sandbox.clearFaults();
  assert.equal((await acme.scan({ connectors: ['passwords'] })).complete, true);
  assert.ok(performance.now() - begun < 10_000, 'the next scan waited for the lease of the first');
});

test('a closed engine has let go of its files', async (t) => {
  const sandbox = startSandbox({}, t);
  const folder = mkdtempSync(join(tmpdir(), 'protect-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = { ...(await sandbox.config()), store: { kind: 'sqlite', path: join(folder, 'protect.db') } };
  const protect = await open(config, { secrets: await sandbox.secrets() });
  const acme = protect.tenant('acme');
  assert.equal((await acme.scan()).complete, true);
  assert.ok(readdirSync(folder).length > 1);
  protect.close();
  assert.deepEqual(readdirSync(folder), ['protect.db']);
  await assert.rejects(acme.plan(), { kind: 'store', message: /the store is closed/ });
});

test('what a listener for progress throws ends the scan and reaches the caller', async (t) => {
  const { acme } = await opened(t);
  for (const onProgress of [() => { throw new RangeError('enough'); }, async () => { throw new RangeError('enough'); }]) {
    await assert.rejects(acme.scan({ onProgress }), RangeError);
  }
  assert.equal((await acme.scan()).complete, true);
});
