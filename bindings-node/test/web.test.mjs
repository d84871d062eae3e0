import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, request as send } from 'node:http';
import { test } from 'node:test';

import express from 'express';

import { handle, open, toExpress } from '../index.mjs';

const SECRET = 's'.repeat(40);

/** Opens an engine for one test; with a bus, where sign-ins are to be told. */
async function opened(test, { connections = {}, connectors = {} } = {}) {
  const p = await open({
    mode: 'enforce',
    store: { kind: 'memory' },
    connections: { hub: { kind: 'hub', scan: { sso_secret: () => SECRET }, tenants: ['*'] }, ...connections },
    tenants: {
      acme: { name: 'Acme', connectors: { hub: { connection: 'hub', organisation_id: 'org-1' }, ...connectors } },
      beta: { name: 'Beta', connectors: { hub: { connection: 'hub', organisation_id: 'org-2' } } },
    },
  });
  test.after(() => p.close());
  return p;
}

function token(role) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: 'u-1', email: 'a@acme.example', tenant_id: 'org-1', role, iat: now, exp: now + 60, jti: `${role}-${now}-${Math.random()}` };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

test('a Request is answered with a Response, and a session reaches its own tenant alone', async (t) => {
  const p = await opened(t);
  const ask = (path, init) => handle(p, new Request(`http://localhost${path}`, init));
  const style = await ask('/assets/style.css');
  assert.equal(style.status, 200);
  assert.equal(style.headers.get('x-content-type-options'), 'nosniff');
  assert.match(await style.text(), /color-scheme/);
  const landed = await ask(`/auth/hub-sso?token=${token('viewer')}`);
  assert.equal(landed.status, 303);
  const cookie = landed.headers.get('set-cookie').split(';')[0];
  const page = await ask('/t/acme/', { headers: { cookie, accept: 'text/html' } });
  assert.match(await page.text(), /protection score/);
  assert.equal((await ask('/t/beta/', { headers: { cookie } })).status, 404);
  const post = await ask('/t/acme/api/plans/x/approve', { method: 'POST', headers: { cookie }, body: '{}' });
  assert.equal(post.status, 403);
  const large = await ask('/in/acme/hub/x', { method: 'POST', body: Buffer.alloc(5 * 1024 * 1024) });
  assert.equal(large.status, 413);
});

test('a server of Node answers with toExpress', async (t) => {
  const p = await opened(t);
  const server = createServer(toExpress(p));
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  try {
    const root = `http://127.0.0.1:${server.address().port}`;
    const refused = await fetch(`${root}/t/acme/`, { headers: { accept: 'text/html' } });
    assert.equal(refused.status, 401);
    assert.match(await refused.text(), /<h1>Sign in<\/h1>/);
    const landed = await fetch(`${root}/auth/hub-sso?token=${token('admin')}`, { redirect: 'manual' });
    assert.match(landed.headers.get('set-cookie'), /^__Host-protect_session=acme\./);
  } finally {
    server.close();
  }
});

test('a sign-in is told with the address that the server knows', async (t) => {
  const p = await opened(t, {
    connections: { bus: { kind: 'bus', respond: { integration_key: () => 'k' }, tenants: ['acme'] } },
    connectors: { bus: { connection: 'bus', organisation_id: 'org-1', style: 'a' } },
  });
  const server = createServer(toExpress(p));
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  t.after(() => server.close());
  const landing = () => `/auth/hub-sso?token=${token('admin')}`;
  const root = `http://127.0.0.1:${server.address().port}`;
  await fetch(root + landing(), { redirect: 'manual', headers: { 'user-agent': 'a browser' } });
  const request = () => new Request(`http://localhost${landing()}`);
  await handle(p, request(), { clientAddress: '2001:db8::1' });
  await handle(p, request());
  const told = (await p.tenant('acme').actions()).map(({ action }) => action.parameters.metadata);
  assert.deepEqual(told.map(({ ip }) => ip ?? 'unknown').sort(), ['127.0.0.1', '2001:db8::1', 'unknown']);
  assert.equal(told.find(({ ip }) => ip === '127.0.0.1').user_agent, 'a browser');
});

/** An application of Express with our handler between its own, for one test; its root. */
async function served(t, p) {
  const app = express();
  app.get('/health', (_, response) => response.send('well'));
  app.use(toExpress(p));
  const failures = [];
  app.use((error, _request, response, _next) => {
    failures.push(error);
    response.status(500).end();
  });
  const server = await new Promise((ready) => {
    const listening = app.listen(0, '127.0.0.1', () => ready(listening));
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { root: `http://127.0.0.1:${server.address().port}`, failures };
}

test('Express answers with toExpress: pages, cookies, bodies and their status', async (t) => {
  const p = await opened(t);
  const { root, failures } = await served(t, p);
  assert.equal(await (await fetch(`${root}/health`)).text(), 'well');
  const refused = await fetch(`${root}/t/acme/`, { headers: { accept: 'text/html' } });
  assert.equal(refused.status, 401);
  assert.equal(refused.headers.get('x-powered-by'), 'Express');
  assert.match(refused.headers.get('content-security-policy'), /^default-src 'none'/);
  assert.match(await refused.text(), /<h1>Sign in<\/h1>/);

  const landed = await fetch(`${root}/auth/hub-sso?token=${token('admin')}`, { redirect: 'manual' });
  assert.equal(landed.status, 303);
  const cookies = landed.headers.getSetCookie();
  assert.equal(cookies.length, 1);
  assert.match(cookies[0], /^__Host-protect_session=acme\..*HttpOnly; Secure; SameSite=Lax$/);
  const cookie = cookies[0].split(';')[0];
  const page = await (await fetch(`${root}/t/acme/`, { headers: { cookie, accept: 'text/html' } })).text();
  assert.match(page, /protection score/);
  const csrf = page.match(/name="csrf" value="([^"]+)"/)[1];

  // A body in JSON, with the proof that it comes from a page of ours.
  const post = (path, body, headers) => fetch(`${root}${path}`, { method: 'POST', headers: { cookie, ...headers }, body });
  const employee = JSON.stringify({ employee: { last_name: 'Größe', work_email: 'g@acme.example' } });
  assert.equal((await post('/t/acme/api/people/employees', employee)).status, 403);
  const hired = await post('/t/acme/api/people/employees', employee, { 'x-csrf-token': csrf });
  assert.equal(hired.status, 201);
  assert.equal((await hired.json()).last_name, 'Größe');
  const wrong = await post('/t/acme/api/people/employees', '{', { 'x-csrf-token': csrf });
  assert.equal(wrong.status, 400);
  // A body of a form, sent in pieces.
  const form = new ReadableStream({
    start(controller) {
      for (const part of ['csrf=', csrf]) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });
  const left = await fetch(`${root}/sign-out`, {
    method: 'POST',
    headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    body: form,
    duplex: 'half',
    redirect: 'manual',
  });
  assert.equal(left.status, 303);
  assert.equal((await fetch(`${root}/t/acme/`, { headers: { cookie } })).status, 401);
  const head = await fetch(`${root}/assets/style.css`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
  assert.deepEqual(failures, []);
});

test('Express takes a body up to the limit of its route, and answers a larger one before it was sent', async (t) => {
  const p = await opened(t);
  const { root, failures } = await served(t, p);
  const authorization = `Bearer ${token('admin')}`;
  const list = (size) => {
    const row = (number) => `p${number}@acme.example,Person ${number},${'x'.repeat(150)}\n`;
    let csv = 'work_email,last_name,job_title\n';
    for (let number = 0; csv.length < size; number += 1) csv += row(number);
    return JSON.stringify({ csv, check_only: true });
  };
  const path = '/t/acme/api/people/import';
  const body = list(6 * 1024 * 1024);
  const taken = await fetch(`${root}${path}`, { method: 'POST', headers: { authorization }, body });
  assert.equal(taken.status, 200);
  assert.ok((await taken.json()).hired > 30_000);

  const limit = await p.bodyLimit('POST', path);
  assert.equal(limit, 16 * 1024 * 1024);
  // A hundred megabytes, sent for as long as they are taken.
  const { status, sent } = await new Promise((resolve, reject) => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let sent = 0;
    let over = false;
    const outgoing = send(`${root}${path}`, { method: 'POST', headers: { authorization } }, (response) => {
      over = true;
      response.resume();
      resolve({ status: response.statusCode, sent });
    });
    outgoing.on('error', (error) => over || reject(error));
    const more = () => {
      while (!over && sent < 100 * 1024 * 1024) {
        sent += chunk.length;
        if (!outgoing.write(chunk)) return outgoing.once('drain', more);
      }
      if (!over) outgoing.end();
    };
    more();
  });
  assert.equal(status, 413);
  assert.ok(sent < 60 * 1024 * 1024, `${sent} bytes were sent`);
  assert.deepEqual(failures, []);
});
