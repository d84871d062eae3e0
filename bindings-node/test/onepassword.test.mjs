import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';

import { ProtectError, OnePassword, onepassword } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const started = async (t, application = 'respond', settings = {}) => {
  const sandbox = startSandbox(settings, t);
  const op = await sandbox.onepassword(application);
  t.after(() => op.close());
  return { sandbox, op };
};

const collect = async (stream) => {
  const all = [];
  for await (const item of stream) all.push(item);
  return all;
};

const someone = async (sandbox) => (await sandbox.planted()).leaked.id;

test('every user is given as a typed, frozen model', async (t) => {
  const { op, sandbox } = await started(t, 'scan');
  const users = await collect(op.users());
  assert.equal(users.length, 40);
  for (const user of users) {
    assert.ok(user instanceof onepassword.User);
    assert.ok(Object.isFrozen(user));
    assert.equal(typeof user.displayName, 'string');
  }
  assert.deepEqual(await sandbox.violations(), []);
});

test('a filter lists only those it names', async (t) => {
  const { op, sandbox } = await started(t, 'scan');
  const id = await someone(sandbox);
  assert.equal(await sandbox.setUserSuspended(id, true), true);
  const suspended = await collect(op.users({ filter: 'suspended' }));
  assert.ok(suspended.some((user) => user.id === id));
  assert.ok(suspended.every((user) => user.state === 'suspended'));
});

test('a stream asks for no further page once its reader has left', async (t) => {
  const { op, sandbox } = await started(t, 'scan', { users: 2500, rateLimits: false });
  for await (const user of op.users()) {
    assert.ok(user.id);
    break;
  }
  const lists = (await sandbox.requests()).filter(({ route }) => route.endsWith('/users'));
  assert.equal(lists.length, 1);
});

test('a user is suspended once, and reactivated', async (t) => {
  const { op, sandbox } = await started(t);
  const id = await someone(sandbox);
  assert.equal((await op.getUser(id)).state, 'active');
  assert.equal((await op.suspendUser(id)).state, 'suspended');
  assert.equal((await op.suspendUser(id, {})).state, 'suspended');
  assert.equal((await op.reactivateUser(id)).state, 'active');
  assert.equal((await sandbox.transitions()).length, 2);
  assert.deepEqual(await sandbox.violations(), []);
});

test('a model prints its fields, and JSON has the names that all languages share', async (t) => {
  const { op, sandbox } = await started(t);
  const user = await op.getUser(await someone(sandbox));
  assert.match(inspect(user), /^User \{/);
  const plain = JSON.parse(JSON.stringify(user));
  assert.equal(plain.display_name, user.displayName);
  assert.deepEqual(new onepassword.User(plain), user);
  assert.deepEqual(new onepassword.User({ ...user }), user);
});

test('a field and a word that this version does not know are kept', () => {
  const plain = { id: 'X', display_name: 'Ann', state: 'hibernating', shoe_size: 43 };
  const user = new onepassword.User(plain);
  assert.equal(user.state, 'hibernating');
  assert.equal(user.shoe_size, 43);
  assert.deepEqual(user.toJSON(), plain);
});

test('an error says what went wrong in terms that a program can act on', async (t) => {
  const { op } = await started(t);
  await assert.rejects(op.getUser('NOBODYNOBODYNOBODYNOBODYNO'), (error) => {
    assert.ok(error instanceof ProtectError);
    assert.ok(error instanceof Error);
    assert.equal(error.name, 'ProtectError');
    assert.equal(error.kind, 'not_found');
    assert.equal(error.retryable, false);
    assert.equal(error.operation, 'onepassword.get_user');
    assert.equal(error.httpStatus, 404);
    assert.match(error.stack, /onepassword\.test\.mjs/);
    return true;
  });
});

test('a wrong argument is an error before anything is sent', async (t) => {
  const { op, sandbox } = await started(t);
  await assert.rejects(op.getUser(undefined), { kind: 'invalid_input' });
  await assert.rejects(op.getUser('x', { singal: undefined }), /no option `singal`/);
  await assert.rejects(collect(op.users({ filter: 'sleepy' })), { kind: 'invalid_input' });
  assert.throws(() => new OnePassword({ accountID: 'x' }), /no option `accountID`/);
  assert.deepEqual(await sandbox.requests(), []);
});

test('a call after close is an error', async (t) => {
  const { op, sandbox } = await started(t);
  const id = await someone(sandbox);
  await op[Symbol.asyncDispose]();
  await assert.rejects(op.getUser(id), { kind: 'invalid_input' });
});

test('a vendor that asks us to wait is retryable, with the time', async (t) => {
  const { op, sandbox } = await started(t);
  const id = await someone(sandbox);
  await sandbox.setFault('rate_limited_seconds', { route: '/users', seconds: 3600 });
  await assert.rejects(op.getUser(id), (error) => {
    assert.equal(error.kind, 'rate_limited');
    assert.equal(error.retryable, true);
    assert.equal(error.retryAfterMs, 3_600_000);
    return true;
  });
});
