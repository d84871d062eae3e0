import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { test } from 'node:test';

import { OnePassword, open } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

import { optionsOf } from './support.mjs';

const CANARY = 'canary-1f0c9d';

const showing = (value) => [String(value), inspect(value, { depth: 9, showHidden: true }), value?.stack, JSON.stringify(value)].join('\n');

test('a function gives the secret when it is needed, at once or in time', async (t) => {
  const sandbox = startSandbox({}, t);
  const { clientSecret, ...rest } = await optionsOf(sandbox);
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
  const sandbox = startSandbox({}, t);
  const thrown = new RangeError(`vault: ${CANARY}`);
  const clientSecret = () => {
    throw thrown;
  };
  const op = new OnePassword({ ...(await optionsOf(sandbox)), clientSecret });
  await assert.rejects(op.getUser('B'.repeat(26)), (error) => {
    assert.equal(error.kind, 'config_invalid');
    assert.equal(error.cause, thrown);
    assert.equal(error.context.exception, 'RangeError');
    assert.ok(![error.message, JSON.stringify(error)].join().includes(CANARY));
    return true;
  });
});

test('a function that gives no string is an error that does not show what it gave', async (t) => {
  const sandbox = startSandbox({}, t);
  const op = new OnePassword({ ...(await optionsOf(sandbox)), clientSecret: () => ({ key: CANARY }) });
  await assert.rejects(op.getUser('B'.repeat(26)), (error) => {
    assert.equal(error.kind, 'config_invalid');
    assert.ok(!showing(error).includes(CANARY));
    return true;
  });
  const options = { ...(await optionsOf(sandbox)), clientSecret: { key: CANARY } };
  assert.throws(
    () => new OnePassword(options),
    (error) => error.kind === 'invalid_input' && !showing(error).includes(CANARY),
  );
});

test('no secret is in what a client or an error shows', async (t) => {
  const sandbox = startSandbox({}, t);
  const secrets = { clientSecret: `${CANARY}-secret`, eventsToken: `${CANARY}-token` };
  const op = new OnePassword({ ...(await optionsOf(sandbox)), ...secrets });
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

/** Everything by which a program could show a value. */
const everyShow = (value) => [showing(value), inspect(value, { depth: 9, getters: true, showProxy: true }), `${JSON.stringify({ ...value })}`].join();

test('no canary from any credential is in the engine, a tenant, a model, an error or a file', async (t) => {
  const sandbox = startSandbox({}, t);
  const folder = mkdtempSync(join(tmpdir(), 'protect-canary-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const given = await sandbox.secrets();
  const secrets = Object.fromEntries(Object.keys(given).map((name) => [name, `${CANARY}-${name}`]));
  const config = { ...(await sandbox.config()), store: { kind: 'sqlite', path: join(folder, 'protect.db') } };
  const protect = await open(config, { secrets });
  const acme = protect.tenant('acme');
  const shown = [protect, acme, await acme.scan(), await acme.doctor(), await acme.status()];
  for await (const finding of acme.findings()) shown.push(finding);
  shown.push(await acme.request('suspend_account', 'passwords:AAAAAAAAAAAAAAAAAAAAAAAAAA', 'a test', { by: 'alice' }).catch((error) => error));
  protect.close();
  const kinds = new Set(shown[2].connectors.flatMap(({ error }) => error?.kind ?? []));
  assert.deepEqual([...kinds], ['unauthenticated']);
  for (const value of shown) assert.ok(!everyShow(value).includes(CANARY), String(value));
  for (const file of readdirSync(folder)) {
    assert.ok(!readFileSync(join(folder, file)).includes(CANARY), file);
  }
});

test('an exception that crosses to another thread or process takes no secret along', async (t) => {
  const sandbox = startSandbox({}, t);
  const op = new OnePassword({ ...(await optionsOf(sandbox)), clientSecret: CANARY });
  t.after(() => op.close());
  const error = await op.getUser('B'.repeat(26)).catch((error) => error);
  assert.equal(error.kind, 'unauthenticated');
  assert.ok(!showing(structuredClone(error)).includes(CANARY));
  assert.ok(!showing(structuredClone(op)).includes(CANARY));
});
