import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { ProtectError, m365 } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const started = async (t, application = 'respond') => {
  const sandbox = startSandbox({}, t);
  const client = await sandbox.m365(application);
  t.after(() => client.close());
  return { sandbox, client };
};

test('a compromised account is locked out and let in again', async (t) => {
  const { client, sandbox } = await started(t);
  const { id } = (await sandbox.planted()).m365.suspicious;
  assert.equal((await client.disableUser(id)).accountEnabled, false);
  const { signInSessionsValidFromDateTime: before } = await client.getUser(id);
  const { signInSessionsValidFromDateTime: after } = await client.revokeSessions(id);
  assert.ok(after > before);
  assert.ok((await client.resetPassword(id)).password.length >= 20);
  assert.equal((await client.enableUser(id)).accountEnabled, true);
  assert.deepEqual(await sandbox.violations(), []);
});

test('every user and guest is given as a typed model', async (t) => {
  const { client, sandbox } = await started(t, 'scan');
  const ids = new Set();
  for await (const user of client.users()) {
    assert.ok(user instanceof m365.User);
    ids.add(user.id);
  }
  assert.ok(ids.has((await sandbox.planted()).m365.guest.id));
});

test('what is collected is judged', async (t) => {
  const { client } = await started(t, 'scan');
  const folder = await mkdtemp(join(tmpdir(), 'protect-m365-'));
  t.after(() => rm(folder, { recursive: true }));
  assert.ok((await client.collect(folder, { timeoutMs: 300_000 })) > 20);
  const results = m365.evaluate({ path: folder });
  assert.equal(results.length, 60);
  assert.ok(results.some(({ verdict }) => verdict === 'fail'));
});

test('refusals are typed', async (t) => {
  const { client } = await started(t);
  await assert.rejects(client.getUser('a@acme.example'), (error) => {
    assert.ok(error instanceof ProtectError);
    return error.kind === 'invalid_input';
  });
  const nobody = '11111111-1111-4111-8111-111111111111';
  await assert.rejects(client.getUser(nobody), { kind: 'not_found' });
});
