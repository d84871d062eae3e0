import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startSandbox } from 'protect-sdk/testing';

test('somebody leaves, and access ends once somebody else approved', async (t) => {
  const sandbox = startSandbox({}, t);
  const protect = await sandbox.open();
  t.after(() => protect.close());
  const acme = protect.tenant('acme');
  const { mistyped } = await sandbox.planted();
  const list = `last_name,work_email\nLee,${mistyped.email}\n`;
  assert.equal((await acme.importEmployees(list, { by: 'hr' })).hired, 1);
  const employee = await acme.employee(mistyped.email);
  const started = await acme.offboard(employee.id, '2099-12-31', 'found another job', {
    by: 'hr',
    atOnce: true,
  });
  await assert.rejects(acme.approve(started.plan, { by: 'hr' }), { kind: 'refused' });
  await acme.apply(await acme.approve(started.plan, { by: 'alice' }));
  const changed = (await sandbox.transitions()).map((it) => it.id);
  assert.ok(changed.includes(mistyped.id));
  assert.equal((await acme.workflow(started.workflow.id)).steps[0].outcome, 'applied');
});

test('a user of a SCIM application is suspended and let in again', async (t) => {
  const sandbox = startSandbox({}, t);
  const wiki = await sandbox.scim();
  t.after(() => wiki.close());
  const { leaked } = await sandbox.planted();
  const user = await wiki.findUser(leaked.email);
  assert.equal((await wiki.suspendUser(user.id)).active, false);
  assert.equal((await wiki.reactivateUser(user.id)).active, true);
  assert.deepEqual(await sandbox.violations(), []);
});

test('reviews are imported, and the evidence of somebody who leaves is a page', async (t) => {
  const sandbox = startSandbox({}, t);
  const protect = await sandbox.open();
  t.after(() => protect.close());
  const acme = protect.tenant('acme');
  const { mistyped } = await sandbox.planted();
  const list = `number,last_name,work_email\n1,Lee,${mistyped.email}\n`;
  await acme.importEmployees(list, { by: 'hr' });
  const employee = await acme.employee(mistyped.email);
  const rows = 'employee,title,due_on\n1,Year 2026,2026-12-01\n';
  assert.equal(await acme.importPersonnelRecords('review', rows, { by: 'hr' }), 1);
  const wrong = acme.importPersonnelRecords('review', `${rows}9,Nobody,\n`, { by: 'hr' });
  await assert.rejects(wrong, { kind: 'invalid_input' });
  const own = await acme.personnelRecords({ employee: employee.id });
  assert.deepEqual(own.map((it) => it.title), ['Year 2026']);
  const started = await acme.offboard(employee.id, '2099-12-31', 'moves on', { by: 'hr' });
  assert.match(await acme.workflowPage(started.workflow.id), /nobody consented yet/);
});

test('a policy is signed at Legal, and nobody complies while it is away', async (t) => {
  const sandbox = startSandbox({}, t);
  const config = await sandbox.config();
  const { legal } = await sandbox.connections();
  config.connections.legal = legal.connection;
  config.tenants.acme.connectors.legal = { ...legal.connector, connection: 'legal' };
  const protect = sandbox.engine(config);
  t.after(() => protect.close());
  const acme = protect.tenant('acme');
  await acme.importEmployees('last_name,work_email\nLee,ann@acme.example\n', { by: 'hr' });
  const ann = await acme.employee('ann@acme.example');
  const { policy } = (await acme.syncPolicies({ by: 'hr' })).find((it) => it.pending.length > 0);
  const { contentHtml, title } = await acme.policyText(policy.id, policy.version);
  assert.ok(contentHtml.includes(title));
  const signature = {
    policyId: policy.id,
    version: policy.version,
    ipAddress: '192.0.2.7',
    userAgent: 'a browser',
    typedName: 'Ann Lee',
  };
  const signed = await acme.acknowledgePolicy(ann.id, signature, { by: 'ann' });
  assert.deepEqual(await acme.acknowledgePolicy(ann.id, signature, { by: 'ann' }), signed);
  assert.deepEqual([signed.ipAddress, signed.userAgent], ['192.0.2.7', 'a browser']);
  const [recorded, ...others] = (await sandbox.state()).one_stack.items;
  assert.deepEqual([recorded.id, recorded.fields.typed_name, others], [signed.id, 'Ann Lee', []]);
  const standing = async () => (await acme.policiesOf(ann.id)).map(({ status, stale, compliant }) => [status, stale, compliant]);
  assert.deepEqual(await standing(), [['acknowledged', false, true]]);

  await sandbox.setFault('unavailable', { vendor: 'one_stack' });
  await assert.rejects(acme.syncPolicies({ by: 'hr' }), { kind: 'unavailable', retryable: true });
  assert.deepEqual(await standing(), [['acknowledged', true, false]]);
  assert.ok((await acme.policies()).every((it) => !it.compliant));
  assert.deepEqual(await sandbox.violations(), []);
});

test('many leave with one plan, and policies are taken from elsewhere', async (t) => {
  const sandbox = startSandbox({}, t);
  const protect = await sandbox.open();
  t.after(() => protect.close());
  const acme = protect.tenant('acme');
  await acme.importEmployees('last_name,work_email\nLee,ann@acme.example\nRay,bob@acme.example\n', { by: 'hr' });
  const everybody = (await acme.employees()).map(({ id }) => id);
  const why = ['2099-12-31', 'a site is closed', { by: 'hr' }];
  await assert.rejects(acme.offboardMany([], ...why), { kind: 'invalid_input' });
  const policy = { id: 'p-1', title: 'Conduct', version: '1', requiresAcknowledgment: true };
  const [standing] = await acme.takePolicies([policy], { by: 'hr' });
  assert.deepEqual([standing.required, standing.compliant], [2, false]);
  const { workflows } = await acme.offboardMany(everybody, ...why);
  assert.deepEqual(workflows.map(({ employee }) => employee), everybody);
  await assert.rejects(acme.offboardMany(everybody, ...why), { kind: 'conflict' });
});
