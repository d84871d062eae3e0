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
