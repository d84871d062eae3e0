// The playbooks in examples/node, against the simulated vendors.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { register } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { startSandbox } from 'protect-sdk/testing';

const PLAYBOOKS = new URL('../../examples/node/', import.meta.url);
const NAMES = readdirSync(PLAYBOOKS).filter((name) => name.endsWith('.mjs'));

// A playbook finds `protect-sdk` and `express` where they are installed; here that is this package itself.
const HERE = new URL('../index.mjs', import.meta.url).href;
const HOOK = `data:text/javascript,${encodeURIComponent(`
  export const resolve = (name, context, next) =>
    next(name, name.startsWith('protect-sdk') || name === 'express' ? { ...context, parentURL: '${HERE}' } : context);
`)}`;
register(HOOK);

const playbook = (name) => import(new URL(`${name}.mjs`, PLAYBOOKS));

/** What Node is told, to run a playbook as a program. */
function command(name, args) {
  const hook = `data:text/javascript,${encodeURIComponent(
    `import { register } from 'node:module'; register(${JSON.stringify(HOOK)});`,
  )}`;
  return ['--import', hook, fileURLToPath(new URL(`${name}.mjs`, PLAYBOOKS)), ...args];
}

/** Runs a playbook as a program; gives what it printed and its exit status. */
async function run(name, args, { input = '', env = {} } = {}) {
  const running = promisify(execFile)(process.execPath, command(name, args), {
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  running.child.stdin.end(input);
  const { stdout, code = 0 } = await running.catch((failed) => failed);
  return { stdout, code };
}

test('flagged users are suspended, and one that cannot be does not stop the others', async (t) => {
  const sandbox = startSandbox({}, t);
  const { leaked, owner, suspicious } = await sandbox.planted();
  const { suspend } = await playbook('suspend_flagged');
  const op = await sandbox.onepassword();
  t.after(() => op.close());
  const lines = [];
  for await (const line of suspend(op, [leaked.id, owner.id, suspicious.id])) lines.push(line);
  assert.deepEqual(lines, [
    { id: leaked.id, state: 'suspended' },
    { id: owner.id, error: 'refused', retryable: false },
    { id: suspicious.id, state: 'suspended' },
  ]);
  assert.deepEqual((await sandbox.transitions()).map(({ id }) => id), [leaked.id, suspicious.id]);
});

test('leaked credentials come with the worst first', async (t) => {
  const sandbox = startSandbox({}, t);
  const { forgotten, leaked, mistyped, leakedBreach } = await sandbox.planted();
  const { exposures } = await playbook('leaked_credentials');
  const client = await sandbox.hibp();
  t.after(() => client.close());
  const [found, ...others] = await exposures(client, [forgotten.email, leaked.email, mistyped.email]);
  assert.deepEqual(others, []);
  assert.equal(found.address, leaked.email);
  assert.equal(found.assessment.name, leakedBreach);
  assert.equal(found.assessment.severity, 'critical');
});

test('what a scan finds is contained once', async (t) => {
  const sandbox = startSandbox({}, t);
  const { contain } = await playbook('contain_exposed');
  const protect = await sandbox.open();
  t.after(() => protect.close());
  const printed = t.mock.method(console, 'log', () => {});
  t.mock.method(console, 'error', () => {});
  const acme = protect.tenant('acme');
  assert.deepEqual(await contain(acme, undefined), []);
  assert.deepEqual(await sandbox.transitions(), []);
  const steps = await contain(acme, 'alice');
  assert.deepEqual(steps.map(({ outcome }) => outcome.status), ['applied', 'applied']);
  assert.deepEqual(await contain(acme, 'alice'), []);
  assert.equal((await sandbox.transitions()).length, 2);
  assert.match(printed.mock.calls.map(({ arguments: [line] }) => line).join('\n'), /^needs_approval suspend_account/m);
});

test('a playbook runs as a program over a configuration file', async (t) => {
  const sandbox = startSandbox({}, t);
  const folder = mkdtempSync(join(tmpdir(), 'protect-playbook-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const secrets = await sandbox.secrets();
  const reference = (_, value) => (value?.provided ? { file: join(folder, value.provided) } : value);
  for (const [name, secret] of Object.entries(secrets)) writeFileSync(join(folder, name), secret);
  const config = join(folder, 'protect.json');
  writeFileSync(config, JSON.stringify(await sandbox.config(), reference));
  const { stdout, code } = await run('contain_exposed', [config, 'acme', '--approve-as', 'alice']);
  assert.equal(code, 0, stdout);
  assert.equal(stdout.match(/^suspend_account applied$/gm)?.length, 2);
  assert.equal((await sandbox.transitions()).length, 2);
});

test('a playbook that fails says so in its exit status', async () => {
  const env = { OP_ACCOUNT_ID: 'A'.repeat(26), OP_CLIENT_ID: 'id' };
  const { stdout, code } = await run('suspend_flagged', [], { input: 'not an id\n', env });
  assert.equal(code, 3, stdout);
  assert.equal(JSON.parse(stdout).error, 'invalid_input');
});

test('the pages are served by Express until somebody stops it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'protect-serve-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = join(folder, 'protect.toml');
  writeFileSync(config, '[store]\nkind = "memory"\n[tenants.acme]\nname = "Acme"\n');
  const serving = spawn(process.execPath, command('serve_express', [config, '0']), { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(serving, 'exit');
  t.after(() => serving.kill());
  const [line] = await once(serving.stdout.setEncoding('utf8'), 'data');
  const root = line.trim().replace('localhost', '127.0.0.1');
  const page = await fetch(`${root}/t/acme/`, { headers: { accept: 'text/html' } });
  assert.equal(page.status, 401);
  assert.match(await page.text(), /<h1>Sign in<\/h1>/);
  serving.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
});

for (const name of NAMES) {
  test(`${name} is short and says what it is for`, () => {
    const source = readFileSync(new URL(name, PLAYBOOKS), 'utf8');
    assert.ok(source.split('\n').length < 62, name);
    assert.ok(source.startsWith('/**\n * '), name);
  });
}
