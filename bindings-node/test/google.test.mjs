import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { ProtectError, google } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const started = async (t, account = 'respond') => {
  const sandbox = startSandbox({}, t);
  const client = await sandbox.google(account);
  t.after(() => client.close());
  return { sandbox, client };
};

test('a compromised account is locked out and let in again', async (t) => {
  const { client, sandbox } = await started(t);
  const { id } = (await sandbox.planted()).google.suspicious;
  assert.equal((await client.suspendUser(id)).suspended, true);
  await client.signOut(id);
  assert.ok((await client.revokeGrants(id)).length > 0);
  assert.deepEqual(await client.grants(id), []);
  assert.ok((await client.resetPassword(id)).password.length >= 20);
  assert.equal((await client.restoreUser(id)).suspended, false);
  assert.deepEqual(await sandbox.violations(), []);
});

test('every account is given as a typed model', async (t) => {
  const { client, sandbox } = await started(t, 'scan');
  const ids = new Set();
  for await (const user of client.users()) {
    assert.ok(user instanceof google.User);
    ids.add(user.id);
  }
  assert.ok(ids.has((await sandbox.planted()).google.leaver.id));
});

test('what is collected is judged', async (t) => {
  const { client } = await started(t, 'scan');
  const folder = await mkdtemp(join(tmpdir(), 'protect-google-'));
  t.after(() => rm(folder, { recursive: true }));
  assert.ok((await client.collect(folder, { timeoutMs: 300_000 })) > 8);
  const results = google.evaluate({ path: folder });
  const happened = results.filter(({ check }) => check.startsWith('google.event.'));
  assert.equal(results.length - happened.length, 54);
  assert.ok(happened.length > 0 && happened.every(({ verdict }) => verdict === 'fail'));
  assert.ok(results.some(({ verdict }) => verdict === 'fail'));
});

test('refusals are typed', async (t) => {
  const { client } = await started(t);
  await assert.rejects(client.getUser('a@acme.example'), (error) => {
    assert.ok(error instanceof ProtectError);
    return error.kind === 'invalid_input';
  });
  await assert.rejects(client.getUser('1'), { kind: 'not_found' });
});
