// A leak is told to every receiver there is, from the finding to what the vendors saw.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const CHAT = 'POST /services/{team}/{app}/{token}';
const PRODUCTS = {
  psa: 'POST /psa/api/tickets',
  security: 'POST /security/api/incidents',
  oncall: 'POST /oncall/api/webhooks/ingest',
  bus: 'POST /bus/api/bus/events',
  compliance: 'POST /compliance/api/internal/evidence',
  rmm: 'POST /rmm/api/internal/remediations',
  hub: 'POST /hub/api/internal/users/revoke-access',
};

async function everything(sandbox) {
  const { oneStack: [organisation], slackWebhookUrl } = await sandbox.credentials();
  const { oneStack: root } = await sandbox.addresses();
  const config = structuredClone(await sandbox.config());
  const secrets = {
    ...(await sandbox.secrets()),
    api: organisation.apiKey,
    integration: organisation.integrationKey,
    slack: slackWebhookUrl,
  };
  const { acme } = config.tenants;
  for (const kind of Object.keys(PRODUCTS)) {
    const external = ['psa', 'security'].includes(kind);
    config.connections[kind] = {
      kind,
      endpoints: { api: `${root}/${kind}` },
      respond: external ? { api_key: { provided: 'api' } } : { integration_key: { provided: 'integration' } },
      tenants: ['acme'],
    };
    acme.connectors[kind] = { connection: kind, organisation_id: organisation.id };
    if (['rmm', 'hub'].includes(kind)) acme.connectors[kind].owners = [];
  }
  config.connections.chat = {
    kind: 'notify',
    format: 'slack',
    respond: { webhook_url: { provided: 'slack' } },
    tenants: ['acme'],
  };
  acme.connectors.chat = { connection: 'chat' };
  acme.route = {
    open_ticket: ['psa'],
    open_security_incident: ['security'],
    emit_event: ['bus'],
    notify: ['chat'],
  };
  acme.rules[0].then = [
    'suspend_account', 'open_security_incident', 'page', 'emit_event', 'notify', 'force_password_reset', 'revoke_access',
  ];
  // Security opens the tickets of its own incidents: this one is about something else.
  acme.rules[1].then = ['suspend_account', 'open_ticket'];
  return { config, secrets };
}

const asked = async (sandbox) =>
  (await sandbox.requests()).filter(({ changing }) => changing).map(({ method, route }) => `${method} ${route}`);

test('a leak reaches every receiver once', async (t) => {
  const sandbox = startSandbox({}, t);
  const { config, secrets } = await everything(sandbox);
  const protect = await open(config, { secrets });
  t.after(() => protect.close());
  const acme = protect.tenant('acme');
  await acme.scan();
  for (const plan of [await acme.plan(), await acme.planEvidence()]) {
    const steps = await acme.apply(await acme.approve(plan, { by: 'alice' }));
    assert.deepEqual([...new Set(steps.map(({ outcome }) => outcome?.status))], ['applied']);
  }
  const before = await asked(sandbox);
  for (const route of [...Object.values(PRODUCTS), CHAT]) assert.ok(before.includes(route), route);
  await acme.scan();
  assert.equal((await acme.plan()).actions.length, 0);
  assert.deepEqual(await asked(sandbox), before);
  assert.deepEqual(await sandbox.violations(), []);
});
