import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { handle, open, toExpress } from '../index.mjs';

const SECRET = 's'.repeat(40);

/** Opens an engine for one test. */
async function opened(test) {
  const p = await open({
    mode: 'enforce',
    store: { kind: 'memory' },
    connections: { hub: { kind: 'hub', scan: { sso_secret: () => SECRET }, tenants: ['*'] } },
    tenants: {
      acme: { name: 'Acme', connectors: { hub: { connection: 'hub', organisation_id: 'org-1' } } },
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
