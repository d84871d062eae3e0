import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';

import { OnePassword, ProtectError } from 'protect-sdk';

/** A vendor that takes connections and never answers. */
const silent = async (t) => {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.resume();
    server.emit('open', socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  const op = new OnePassword({
    accountId: 'A'.repeat(26),
    clientId: 'id',
    clientSecret: 'secret',
    baseUrl: url,
  });
  t.after(() => op.close());
  return { server, op };
};

const ID = 'B'.repeat(26);

test('an abort closes the connection and rejects as the platform does', async (t) => {
  const { server, op } = await silent(t);
  const controller = new AbortController();
  const call = op.suspendUser(ID, { signal: controller.signal });
  const [socket] = await once(server, 'open');
  const closed = once(socket, 'close');
  const reason = new Error('changed my mind');
  controller.abort(reason);
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof ProtectError);
    assert.equal(error.kind, 'cancelled');
    assert.equal(error.name, 'AbortError');
    assert.equal(error.code, 'ABORT_ERR');
    assert.equal(error.cause, reason);
    return true;
  });
  await closed;
});

test('a signal that was aborted before sends nothing', async (t) => {
  const { server, op } = await silent(t);
  server.on('open', () => assert.fail('a connection was opened'));
  await assert.rejects(op.getUser(ID, { signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('a stream is aborted in the middle of a page', async (t) => {
  const { server, op } = await silent(t);
  const controller = new AbortController();
  const reading = (async () => {
    for await (const user of op.users({ signal: controller.signal })) assert.fail(user.id);
  })();
  await once(server, 'open');
  controller.abort();
  await assert.rejects(reading, { name: 'AbortError', kind: 'cancelled' });
});

test('a timeout is an error of its own kind, and worth another try', async (t) => {
  const { op } = await silent(t);
  await assert.rejects(op.getUser(ID, { timeoutMs: 50 }), { kind: 'timeout', retryable: true });
  await assert.rejects(op.getUser(ID, { timeoutMs: -1 }), { kind: 'invalid_input' });
});

test('a signal that outlives its calls keeps no listeners', async (t) => {
  const { op } = await silent(t);
  const { signal } = new AbortController();
  let listening = 0;
  const [add, remove] = [signal.addEventListener, signal.removeEventListener];
  signal.addEventListener = (...given) => (listening++, add.apply(signal, given));
  signal.removeEventListener = (...given) => (listening--, remove.apply(signal, given));
  await assert.rejects(op.getUser(ID, { signal, timeoutMs: 20 }), { kind: 'timeout' });
  assert.equal(listening, 0);
});
