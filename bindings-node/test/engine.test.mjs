import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open, ProtectError } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

/** The configuration of one tenant over the sandbox's 1Password. */
function configuration(sandbox, mode = 'enforce') {
  const { credentials, urls } = sandbox;
  const secret = (name) => ({ provided: name });
  return {
    config: {
      mode,
      connections: {
        vault: {
          kind: 'onepassword',
          endpoints: { api: urls.onepassword_api, events: urls.onepassword_events },
          scan: { client_id: credentials.scan_client_id, client_secret: secret('scan'), events_token: secret('events') },
          respond: { client_id: credentials.respond_client_id, client_secret: secret('respond') },
          tenants: ['acme'],
        },
      },
      tenants: {
        acme: {
          name: 'Acme',
          domains: ['acme.example'],
          connectors: { vault: { connection: 'vault', account_id: credentials.account_id } },
          rules: [{ name: 'flagged', when: { kind: 'suspicious_sign_in', severity: '>=high' }, then: ['suspend_account'] }],
        },
      },
    },
    secrets: {
      scan: () => credentials.scan_client_secret,
      events: credentials.events_token,
      respond: async () => credentials.respond_client_secret,
    },
  };
}

test('a flagged sign-in becomes a plan, and an approved plan is applied once', async (t) => {
  const sandbox = await startSandbox({}, t);
  const { suspicious } = await sandbox.planted();
  const { config, secrets } = configuration(sandbox);
  const protect = await open(config, { secrets });
  t.after(() => protect.close());
  const acme = protect.tenant('acme');
  const heard = [];
  const summary = await acme.scan({ onProgress: (progress) => heard.push(progress) });
  assert.equal(summary.complete, true);
  assert.ok(heard.length > 0);
  const plan = await acme.plan();
  assert.deepEqual(plan.actions.map((it) => it.action.kind), ['suspend_account']);
  assert.deepEqual(await sandbox.transitions(), []);
  const steps = await acme.apply(await acme.approve(plan, { by: 'alice' }));
  assert.deepEqual(steps.map((it) => it.outcome.status), ['applied']);
  const changed = await sandbox.transitions();
  assert.deepEqual(changed.map((it) => it.id), [suspicious.id]);
  assert.equal((await acme.plan()).actions.length, 0);
  assert.deepEqual(await sandbox.violations(), []);
});

test('in dry_run nothing can be approved', async (t) => {
  const sandbox = await startSandbox({}, t);
  const { config, secrets } = configuration(sandbox, 'dry_run');
  const protect = await open(config, { secrets });
  t.after(() => protect.close());
  const acme = protect.tenant('acme');
  await acme.scan();
  await assert.rejects(acme.approve(await acme.plan(), { by: 'alice' }), (error) => {
    assert.ok(error instanceof ProtectError);
    assert.equal(error.kind, 'refused');
    return true;
  });
  assert.deepEqual(await sandbox.transitions(), []);
});
