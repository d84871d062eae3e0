import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { log } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

/** Has something asked twice, since it is refused once. */
async function unreliable(t) {
  const sandbox = startSandbox({}, t);
  await sandbox.setFault('unavailable', { vendor: 'onepassword', count: 1 });
  const p = await sandbox.open();
  t.after(() => p.close());
  await p.tenant('acme').scan();
}

test('a function gets lines with their tenant until it is stopped', async (t) => {
  const lines = [];
  log.sendTo((line) => lines.push(line));
  await unreliable(t);
  await log.stop();
  assert.deepEqual(lines.map(({ level, tenant, message }) => [level, tenant, message]), [['warn', 'acme', 'trying again']]);
  assert.ok(lines[0] instanceof log.LogLine);
  assert.equal(lines[0].fields.attempt, 1);
  await unreliable(t);
  await log.stop();
  assert.equal(lines.length, 1);
});

test('the latest receiver is told, from its own level up', async (t) => {
  const first = [];
  const second = [];
  log.sendTo((line) => first.push(line), { level: 'trace' });
  log.sendTo((line) => second.push(line), { level: 'debug' });
  assert.throws(() => log.sendTo(() => {}, { level: 'loud' }), { kind: 'invalid_input' });
  assert.throws(() => log.sendTo('console'), { kind: 'invalid_input' });
  await unreliable(t);
  await log.stop();
  assert.deepEqual(first, []);
  assert.ok(second.some(({ level }) => level === 'debug'));
});

test('what was logged is told before the program ends, where it waits for that', () => {
  const program = `
    import { Sandbox, log } from ${JSON.stringify(new URL('../index.mjs', import.meta.url).href)};
    const sandbox = new Sandbox();
    log.sendTo(({ message }) => console.log(message));
    await sandbox.setFault('unavailable', { vendor: 'onepassword', count: 1 });
    const p = await sandbox.open();
    await p.tenant('acme').scan();
    await log.stop();
    p.close();
    sandbox.close();
  `;
  const told = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(told.trim(), 'trying again');
});
