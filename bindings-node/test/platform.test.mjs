// What comes in: people from Hub's menu, and what The One Stack and a receiver of one's own tell by webhook.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';

import express from 'express';
import { handle, open, toExpress } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const HOOK = 'what-psa-and-we-share';

/** The engine, with Hub's sign-in and a PSA that tells what moved, served by Express. */
async function served(t) {
  const sandbox = startSandbox({}, t);
  const config = structuredClone(await sandbox.config());
  const { acme } = config.tenants;
  const more = await sandbox.connections();
  for (const name of ['hub', 'psa']) {
    config.connections[name] = { ...more[name].connection };
    acme.connectors[name] = { ...more[name].connector, connection: name };
  }
  config.connections.psa.scan = { webhook_secret: () => HOOK };
  acme.route = { open_ticket: ['psa'] };
  acme.rules[0].then = ['suspend_account', 'open_ticket'];
  const p = await open(config, { secrets: await sandbox.secrets() });
  t.after(() => p.close());
  const server = express().use(toExpress(p)).listen(0, '127.0.0.1');
  await new Promise((ready) => server.once('listening', ready));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const [{ id: organisation }] = (await sandbox.credentials()).oneStack;
  return { sandbox, p, organisation, root: `http://127.0.0.1:${server.address().port}` };
}

test('what a scan finds is approved by who came from Hub and done at the vendor', async (t) => {
  const { sandbox, p, organisation, root } = await served(t);
  const { leaked, suspicious } = await sandbox.planted();
  const acme = p.tenant('acme');
  await acme.scan();
  const path = `${root}/t/acme/plans/${(await acme.plan()).id}`;
  const approve = async (role) => {
    const landing = `${root}/auth/hub-sso?token=${await sandbox.hubToken(organisation, { role })}`;
    const landed = await fetch(landing, { redirect: 'manual' });
    assert.equal(landed.status, 303);
    assert.equal((await fetch(landing, { redirect: 'manual' })).status, 401, 'a token lands once');
    const cookie = landed.headers.getSetCookie()[0].split(';')[0];
    const shown = await (await fetch(path, { headers: { cookie, accept: 'text/html' } })).text();
    assert.ok(shown.includes(leaked.email));
    const body = new URLSearchParams({ csrf: shown.match(/name="csrf" value="([^"]+)"/)[1] });
    return (await fetch(`${path}/approve`, { method: 'POST', headers: { cookie }, body, redirect: 'manual' })).status;
  };
  const suspended = async () => {
    await acme.applyWaiting();
    return (await sandbox.transitions()).filter(({ vendor }) => vendor === 'onepassword').map(({ id }) => id);
  };
  assert.equal(await approve('viewer'), 403);
  assert.deepEqual(await suspended(), []);
  assert.equal(await approve('admin'), 303);
  assert.deepEqual((await suspended()).sort(), [leaked.id, suspicious.id].sort());
  assert.deepEqual(await sandbox.violations(), []);
});

test('what people do with a ticket is read back as soon as PSA says so', async (t) => {
  const { sandbox, p, organisation, root } = await served(t);
  const acme = p.tenant('acme');
  await acme.scan();
  await acme.apply(await acme.approve(await acme.plan(), { by: 'alice' }));
  const [{ id }] = await acme.tickets();
  const url = `${root}/in/acme/psa/events`;
  assert.ok(await sandbox.subscribeOneStack(organisation, 'psa', url, HOOK));
  assert.ok(await sandbox.setOneStackStatus(id, 'closed'));
  assert.equal(await sandbox.sendOneStackWebhooks(), 1);

  // The same with another's secret is not taken, and waits.
  assert.ok(await sandbox.subscribeOneStack(organisation, 'psa', url, 'another'));
  assert.ok(await sandbox.setOneStackStatus(id, 'open'));
  assert.equal(await sandbox.sendOneStackWebhooks(), 1);

  const authorization = `Bearer ${await sandbox.hubToken(organisation, { session: true })}`;
  const { entries } = await (await fetch(`${root}/t/acme/api/evidence`, { headers: { authorization } })).json();
  const moves = entries.filter(({ kind }) => kind === 'ticket.moved').map(({ data }) => data.open);
  assert.deepEqual(moves, [false, true]);
  assert.deepEqual(await sandbox.violations(), []);
});

test('a receiver of one\'s own has us look by a signed message and by no other', async (t) => {
  const sandbox = startSandbox({}, t);
  const key = Buffer.from('what-the-desk-signs-with');
  const config = structuredClone(await sandbox.config());
  config.connections.tickets.scan = { webhook_secret: () => `whsec_${key.toString('base64')}` };
  config.tenants.acme.rules[0].then = ['open_ticket'];
  const p = await open(config, { secrets: await sandbox.secrets() });
  t.after(() => p.close());
  const acme = p.tenant('acme');
  await acme.scan();
  await acme.apply(await acme.approve(await acme.plan(), { by: 'alice' }));
  const [{ id }] = await acme.tickets();
  const body = JSON.stringify({ type: 'ticket.updated', data: { id } });
  const sent = String(Math.floor(Date.now() / 1000));
  const told = async (number, secret) => {
    const signature = createHmac('sha256', secret).update(`msg_${number}.${sent}.${body}`).digest('base64');
    const headers = { 'webhook-id': `msg_${number}`, 'webhook-timestamp': sent, 'webhook-signature': `v1,${signature}` };
    return (await handle(p, new Request('http://localhost/in/acme/tickets/events', { method: 'POST', headers, body }))).status;
  };
  const asked = async () => (await sandbox.requests()).filter(({ route }) => route === '/webhook/items').length;
  const before = await asked();
  assert.equal(await told('1', 'somebody-elses-secret'), 401);
  assert.equal(await asked(), before);
  assert.equal(await told('2', key), 204);
  assert.equal(await asked(), before + 1);
  assert.equal(await told('2', key), 409);
  assert.deepEqual(await sandbox.violations(), []);
});
