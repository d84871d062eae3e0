// How the package is meant to read. Checked by `tsc` and, compiled, run by listings.test.mjs: Node 20
// has no `await using` of its own.
import * as protect from 'protect-sdk';
import { ProtectError, type OnePassword, type ScanProgress } from 'protect-sdk';

export async function vendor(op: OnePassword, id: string, signal: AbortSignal): Promise<string[]> {
  const active: string[] = [];
  for await (const user of op.users({ filter: 'active', signal })) active.push(user.id);
  await op.suspendUser(id, { signal });
  return active;
}

export async function engine(config: string, onProgress: (progress: ScanProgress) => void): Promise<protect.Protect> {
  await using p = await protect.open(config);
  await p.tenant('acme').scan({ onProgress });
  const acme = p.tenant('acme');
  const plan = await acme.plan();
  await acme.apply(await acme.approve(plan, { by: 'alice' }));
  return p;
}

export async function retrying(call: () => Promise<unknown>, retry: () => void): Promise<NodeJS.Timeout | undefined> {
  try {
    await call();
  } catch (e) {
    if (e instanceof ProtectError && e.retryable) return setTimeout(retry, e.retryAfterMs);
    throw e;
  }
  return undefined;
}
