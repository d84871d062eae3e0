import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Hibp, ProtectError, hibp } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const started = async (t, settings = {}) => {
  const sandbox = startSandbox(settings, t);
  const client = await sandbox.hibp();
  t.after(() => client.close());
  return { sandbox, client };
};

const PLAIN = {
  Name: 'Shop',
  Title: 'Shop',
  Domain: 'shop.example',
  BreachDate: '2026-01-01',
  AddedDate: '2026-02-01T00:00:00Z',
  ModifiedDate: '2026-02-01T00:00:00Z',
  PwnCount: 1,
  Description: 'Passwords were stored in plain text.',
  DataClasses: ['Email addresses', 'Passwords'],
  IsVerified: true,
  IsFabricated: false,
  IsSensitive: false,
  IsRetired: false,
  IsSpamList: false,
  IsMalware: false,
  IsSubscriptionFree: false,
  IsStealerLog: false,
};

test('the catalogue is a list of typed, frozen breaches', async (t) => {
  const { client, sandbox } = await started(t);
  const breaches = await client.breaches();
  assert.ok(breaches.length > 10);
  for (const breach of breaches) {
    assert.ok(breach instanceof hibp.Breach && Object.isFrozen(breach) && Object.isFrozen(breach.dataClasses));
    assert.equal(typeof breach.pwnCount, 'number');
  }
  const some = await client.breaches({ domain: breaches[0].domain });
  assert.ok(some.length >= 1 && some.every(({ domain }) => domain === breaches[0].domain));
  assert.deepEqual(await sandbox.violations(), []);
});

test('an address is looked up by a part of its hash, and a clean one has no breaches', async (t) => {
  const { client, sandbox } = await started(t);
  const { leaked, leakedBreach, mistyped } = await sandbox.planted();
  const [found, clean] = await Promise.all([leaked, mistyped].map(({ email }) => client.breachedAccountRange(email)));
  assert.deepEqual(found.map(({ name }) => name), [leakedBreach]);
  assert.deepEqual(clean, []);
  assert.ok((await sandbox.requests()).every(({ route }) => !route.includes('{account}')));
});

test('a password, also from a function, is counted and its text does not leave', async (t) => {
  const { client, sandbox } = await started(t);
  assert.ok((await client.checkPassword('password')) > 1000);
  assert.equal(await client.checkPassword(async () => 'no such password 7f3a91'), 0);
  assert.ok((await sandbox.requests()).every(({ method }) => method === 'GET'));
});

test('nothing is null, and a wrong key is an error and no empty answer', async (t) => {
  const { client, sandbox } = await started(t);
  assert.equal(await client.breach('NoSuchBreach'), null);
  const { hibpApi } = await sandbox.addresses();
  const wrong = new Hibp({ apiKey: '0'.repeat(32), apiUrl: hibpApi });
  await assert.rejects(wrong.breachedAccount('ann@acme.example'), (error) => {
    assert.ok(error instanceof ProtectError);
    assert.equal(error.kind, 'unauthenticated');
    assert.ok(!error.message.includes('ann@'));
    return true;
  });
});

test('a breach is judged without asking anybody, in whichever form it comes', () => {
  const judged = hibp.classify(PLAIN);
  assert.ok(judged instanceof hibp.Assessment);
  assert.equal(judged.name, 'Shop');
  assert.equal(judged.severity, 'critical');
  assert.deepEqual(hibp.evaluate(JSON.stringify([PLAIN])), [judged]);
  const { Name: name, DataClasses: dataClasses, Description: description, ...rest } = PLAIN;
  assert.equal(hibp.evaluate([{ ...rest, name, dataClasses, description }])[0].name, 'Shop');
  assert.equal(hibp.evaluate([PLAIN], { profile: 'one_protect' }).length, 1);
});

test('what is no breach, or no profile, is an error', () => {
  assert.throws(() => hibp.evaluate('[{]'), { name: 'ProtectError', operation: 'hibp.evaluate' });
  assert.throws(() => hibp.evaluate([PLAIN], { profile: 'strict' }), { kind: 'invalid_input' });
  assert.throws(() => hibp.evaluate([PLAIN], { profil: 'default' }), /no option `profil`/);
});
