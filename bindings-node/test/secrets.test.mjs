import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';

import { OnePassword, open } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const CANARY = 'canary-1f0c9d';

const showing = (value) => [String(value), inspect(value, { depth: 9, showHidden: true }), value?.stack, JSON.stringify(value)].join('\n');

test('a function gives the secret when it is needed, at once or in time', async (t) => {
  const sandbox = await startSandbox({}, t);
  const { clientSecret, ...rest } = sandbox.onepassword();
  const { leaked } = await sandbox.planted();
  for (const give of [() => clientSecret, async () => clientSecret]) {
    let asked = 0;
    const op = new OnePassword({ ...rest, clientSecret: () => (asked++, give()) });
    assert.equal(asked, 0);
    assert.equal((await op.getUser(leaked.id)).id, leaked.id);
    assert.ok(asked >= 1);
    op.close();
  }
});

test('what a function for a secret throws is the cause, and in no message', async (t) => {
  const sandbox = await startSandbox({}, t);
  const thrown = new RangeError(`vault: ${CANARY}`);
  const clientSecret = () => {
    throw thrown;
  };
  const op = new OnePassword({ ...sandbox.onepassword(), clientSecret });
  await assert.rejects(op.getUser('B'.repeat(26)), (error) => {
    assert.equal(error.kind, 'config_invalid');
    assert.equal(error.cause, thrown);
    assert.equal(error.context.exception, 'RangeError');
    assert.ok(![error.message, JSON.stringify(error)].join().includes(CANARY));
    return true;
  });
});

test('a function that gives no string is an error that does not show what it gave', async (t) => {
  const sandbox = await startSandbox({}, t);
  const op = new OnePassword({ ...sandbox.onepassword(), clientSecret: () => ({ key: CANARY }) });
  await assert.rejects(op.getUser('B'.repeat(26)), (error) => {
    assert.equal(error.kind, 'config_invalid');
    assert.ok(!showing(error).includes(CANARY));
    return true;
  });
  assert.throws(
    () => new OnePassword({ ...sandbox.onepassword(), clientSecret: { key: CANARY } }),
    (error) => error.kind === 'invalid_input' && !showing(error).includes(CANARY),
  );
});

test('no secret is in what a client or an error shows', async (t) => {
  const sandbox = await startSandbox({}, t);
  const secrets = { clientSecret: `${CANARY}-secret`, eventsToken: `${CANARY}-token` };
  const op = new OnePassword({ ...sandbox.onepassword(), ...secrets });
  assert.ok(!showing(op).includes(CANARY));
  for (const call of [() => op.getUser('B'.repeat(26)), () => op.introspect()]) {
    const error = await call().then(
      () => assert.fail('a wrong secret was accepted'),
      (error) => error,
    );
    assert.equal(error.kind, 'unauthenticated');
    assert.ok(!showing(error).includes(CANARY));
  }
});

test('a secret written into a configuration is refused and not repeated', async () => {
  const config = {
    connections: { acme: { kind: 'onepassword', region: 'eu', scan: { client_secret: CANARY }, tenants: ['*'] } },
  };
  await assert.rejects(open(config), (error) => {
    assert.equal(error.kind, 'config_invalid');
    assert.ok(!showing(error).includes(CANARY));
    return true;
  });
});
