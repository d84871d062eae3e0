import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';

import { ProtectError, google, m365 } from 'protect-sdk';

const snapshot = () => ({
  provider: 'm365',
  tenant_id: 't',
  collected_at: '2026-11-01T00:00:00Z',
  granted: ['Policy.Read.All'],
  resources: {
    '/policies/adminConsentRequestPolicy': { isEnabled: true },
    '/policies/authorizationPolicy': { guestUserRoleId: '10dae51f-b6af-4016-8d66-8c2a99b929b3' },
  },
});

const verdict = (results, check) => results.find((result) => result.check === check);

test('a snapshot is evaluated as an object, a text and a file', (t) => {
  const results = m365.evaluate(snapshot(), { profile: 'scuba' });
  assert.equal(results.length, 60);
  assert.equal(verdict(results, 'm365.app.admin_consent_workflow').verdict, 'pass');
  assert.equal(verdict(results, 'm365.mfa.users_capable').notEvaluated, 'missing_permission');
  const folder = mkdtempSync(path.join(tmpdir(), 'protect-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'snapshot.json');
  writeFileSync(file, JSON.stringify(snapshot()));
  assert.deepEqual(m365.evaluate({ path: file }), results);
  assert.deepEqual(m365.evaluate(JSON.stringify(snapshot())), results);
});

test('a snapshot of Google Workspace is judged by its own checks', () => {
  const admin = { isAdmin: true, suspended: false, archived: false };
  const customer = {
    provider: 'google',
    customer_id: 'C01',
    collected_at: '2026-11-01T00:00:00Z',
    users: [{ id: '1', ...admin }, { id: '2', ...admin }],
  };
  const results = google.evaluate(customer, { profile: 'cis' });
  assert.equal(results.length, 54);
  assert.equal(verdict(results, 'google.admin.super_admin_min').verdict, 'pass');
  assert.equal(verdict(results, 'google.gmail.links').notEvaluated, 'no_observation');
});

test('a level of a check is configured', () => {
  const check = 'm365.guest.access_restricted';
  assert.equal(verdict(m365.evaluate(snapshot()), check).verdict, 'pass');
  const config = { checks: { [check]: { level: 'strict' } } };
  assert.equal(verdict(m365.evaluate(snapshot(), { config }), check).verdict, 'fail');
});

test('what is no snapshot of ours is a named error', () => {
  for (const [given, kind] of [
    ['{', 'invalid_input'],
    [{ provider: 'google' }, 'invalid_input'],
    [{ ...snapshot(), version: 99 }, 'unsupported'],
    [{ ...snapshot(), config: { checks: { 'm365.no.such': {} } } }, 'invalid_input'],
  ]) {
    assert.throws(() => m365.evaluate(given), (error) => error instanceof ProtectError && error.kind === kind);
  }
});
