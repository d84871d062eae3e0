/**
 * Scan a tenant, show what its rules would do, and do it once somebody agrees.
 *
 * The guarded road: findings become incidents, incidents become a plan, and only an approved plan is
 * applied, with every step in the ledger. A second run finds nothing left to do.
 *
 *     node contain_exposed.mjs protect.toml acme --approve-as alice
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

import { open } from 'protect-sdk';

/**
 * Scans, plans and, where there is somebody to approve, applies.
 *
 * @param {import('protect-sdk').Tenant} tenant
 * @param {string | undefined} approveAs
 */
export async function contain(tenant, approveAs) {
  await tenant.scan({
    onProgress: ({ connector, counts }) => console.error(`  ${connector}: ${counts.pages} pages`),
  });
  const plan = await tenant.plan();
  for (const { action, guard } of plan.actions) {
    console.log(`${guard.decision.padEnd(14)} ${action.kind}: ${action.reason}`);
  }
  if (approveAs === undefined || plan.actions.length === 0) return [];
  return tenant.apply(await tenant.approve(plan, { by: approveAs }));
}

async function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { 'approve-as': { type: 'string' } },
  });
  const [config, tenant] = positionals;
  if (config === undefined || tenant === undefined) throw new Error('needs a configuration and a tenant');
  const protect = await open(config);
  try {
    const steps = await contain(protect.tenant(tenant), values['approve-as']);
    for (const { action, outcome, waits } of steps) console.log(action.kind, outcome?.status ?? waits);
    const unsettled = steps.some(({ outcome }) => !outcome || outcome.status === 'unknown');
    process.exitCode = unsettled ? 3 : 0;
  } finally {
    protect.close();
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
