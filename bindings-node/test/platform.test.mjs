// What comes from The One Stack: people from Hub's menu, and what its products tell by webhook.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import express from 'express';
import { open, toExpress } from 'protect-sdk';
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
