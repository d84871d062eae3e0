import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { Bus, Compliance, Defend, Hub, Legal, OnCall, Portal, Psa, Rmm, Security, psa } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const started = async (t, Product, product, internal = false) => {
  const sandbox = startSandbox({}, t);
  const [own] = (await sandbox.credentials()).oneStack;
  const key = internal ? { integrationKey: own.integrationKey } : { apiKey: () => own.apiKey };
  const baseUrl = `${(await sandbox.addresses()).oneStack}/${product}`;
  const client = new Product({ organisationId: own.id, baseUrl, ...key });
  t.after(() => client.close());
  return { sandbox, client };
};

test('a ticket is opened, found, noted and read', async (t) => {
  const { client, sandbox } = await started(t, Psa, 'psa');
  const ticket = await client.createTicket(new psa.NewTicket({ title: 'A leak', priority: 'high', sourceRef: 'r-1' }));
  assert.ok(ticket instanceof psa.Ticket);
  assert.equal(ticket.status, 'open');
  assert.deepEqual((await client.findTickets('r-1')).map(({ id }) => id), [ticket.id]);
  await client.addNote(ticket.id, 'again');
  assert.equal((await client.getTicket(ticket.id)).sourceRef, 'r-1');
  assert.deepEqual((await client.getTickets([ticket.id, 'nothing'])).map(({ id }) => id), [ticket.id]);
  assert.deepEqual(await sandbox.violations(), []);
  await assert.rejects(client.createTicket({ title: 'x', priority: 'P1', sourceRef: 'r-2' }), { kind: 'invalid_input' });
});

test('an incident moves on', async (t) => {
  const { client } = await started(t, Security, 'security');
  const { id } = await client.createIncident({ title: 'A leak', severity: 'high', sourceRef: 'r-1' });
  await client.updateIncident(id, { status: 'contained' });
  assert.equal((await client.getIncident(id)).status, 'contained');
});

test('a page joins the open one', async (t) => {
  const { client } = await started(t, OnCall, 'oncall', true);
  const page = { title: 'A leak', severity: 'high', dedupKey: 'k' };
  assert.equal((await client.page(page)).id, (await client.page(page)).id);
});

test('an event goes out once', async (t) => {
  const { client, sandbox } = await started(t, Bus, 'bus', true);
  const event = { eventId: 'e-1', eventType: 'protect.scan.failed', severity: 'warning', title: 'x' };
  const first = await client.emit(event);
  assert.equal((await client.emit(event)).id, first.id);
  assert.equal((await sandbox.transitions()).length, 1);
});

test('evidence is handed in with its digest', async (t) => {
  const { client, sandbox } = await started(t, Compliance, 'compliance', true);
  const content = Buffer.from('{}');
  const { linkedControls } = await client.submitEvidence({
    kind: 'own',
    evidenceType: 'log',
    title: 'A log',
    sourceRef: 'r-1',
    effectiveDate: '2026-11-26',
    expirationDate: '2026-12-26',
    controls: [{ framework: 'SOC 2', controlId: 'CC7.4' }],
    contentType: 'application/json',
    sha256: createHash('sha256').update(content).digest('hex'),
    contentBase64: content.toString('base64'),
  });
  assert.deepEqual(linkedControls, ['CC7.4']);
  assert.deepEqual(await sandbox.violations(), []);
});

test('a reset waits for somebody else', async (t) => {
  const { client } = await started(t, Rmm, 'rmm', true);
  const asked = await client.requestRemediation({
    action: 'force_password_reset',
    directory: 'entra',
    email: 'ann@acme.example',
    reason: 'a leak',
    sourceRef: 'r-1',
    requestedBy: 'alice',
    justification: 'a leak',
  });
  assert.equal(asked.status, 'pending_approval');
  await assert.rejects(client.approveRemediation(asked.id, 'alice'));
  await client.approveRemediation(asked.id, 'bob');
  assert.notEqual((await client.getRemediation(asked.id)).status, 'pending_approval');
  assert.deepEqual((await client.findRemediations('r-1')).map(({ id }) => id), [asked.id]);
});

test('access ends at every product', async (t) => {
  const { client } = await started(t, Hub, 'hub', true);
  const { id } = await client.revokeAccess({ email: 'ann@acme.example', reason: 'offboarding', sourceRef: 'r-1' });
  const { status, products } = await client.getAccessChange(id);
  assert.ok(products.length > 1 && products.every((product) => product.status === status));
});

test('what clients see is published', async (t) => {
  const { client, sandbox } = await started(t, Portal, 'portal', true);
  const view = { clientId: '2107', generatedAt: new Date('2026-11-27'), score: null, alerts: [], domains: [], reports: [], credits: [] };
  assert.ok((await client.publishSnapshot(view)).id);
  assert.deepEqual(await sandbox.violations(), []);
});

test('somebody is watched more closely until it is ended', async (t) => {
  const { client, sandbox } = await started(t, Defend, 'defend', true);
  const email = 'jane@acme.example';
  await client.elevateMonitoring({ email, workflowId: 'w-1', reason: 'request' });
  assert.deepEqual((await client.elevations(email)).map(({ status }) => status), ['active']);
  await client.endMonitoring('w-1');
  assert.deepEqual((await client.elevations(email)).map(({ status }) => status), ['ended']);
  assert.deepEqual(await sandbox.violations(), []);
});

test('a policy is read and acknowledged once', async (t) => {
  const { client, sandbox } = await started(t, Legal, 'legal', true);
  const policy = (await client.policies()).find((it) => it.requiresAcknowledgment);
  const { contentHtml } = await client.policyText(policy.id, policy.version);
  assert.ok(contentHtml.includes(policy.title));
  const given = {
    employeeId: 'e-1',
    email: 'jane@acme.example',
    policyId: policy.id,
    policyVersion: policy.version,
    acknowledgedAt: new Date('2020-01-01T00:00:00Z'),
    ipAddress: '192.0.2.7',
    userAgent: 'a browser',
  };
  assert.ok((await client.acknowledge(given)).vaultDocumentId);
  const again = { ...given, acknowledgedAt: new Date('2020-01-02T00:00:00Z') };
  await assert.rejects(client.acknowledge(again), { kind: 'conflict' });
  assert.deepEqual((await client.acknowledgments('e-1')).map(({ status }) => status), ['acknowledged']);
  assert.deepEqual(await sandbox.violations(), []);
});
