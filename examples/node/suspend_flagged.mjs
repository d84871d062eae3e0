/**
 * Suspend the 1Password users that another tool flagged.
 *
 * Reads one user id per line from standard input, so that any alert can be piped into it, and prints
 * one JSON line for each. Acts at once; `contain_exposed.mjs` does the same by the guarded road.
 *
 *     OP_ACCOUNT_ID=... OP_CLIENT_ID=... OP_CLIENT_SECRET=... node suspend_flagged.mjs < flagged.txt
 */
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

import { OnePassword, ProtectError } from 'protect-sdk';

/**
 * Suspends each user; one that cannot be suspended does not stop the others.
 *
 * @param {OnePassword} op
 * @param {Iterable<string> | AsyncIterable<string>} userIds
 */
export async function* suspend(op, userIds) {
  for await (const id of userIds) {
    try {
      const { state } = await op.suspendUser(id, { timeoutMs: 30_000 });
      yield { id, state };
    } catch (error) {
      if (!(error instanceof ProtectError)) throw error;
      yield { id, error: error.kind, retryable: error.retryable };
    }
  }
}

async function main() {
  const env = process.env;
  const op = new OnePassword({
    accountId: env['OP_ACCOUNT_ID'] ?? '',
    clientId: env['OP_CLIENT_ID'],
    clientSecret: () => env['OP_CLIENT_SECRET'] ?? '',
    region: env['OP_REGION'] ?? 'com',
  });
  for await (const line of suspend(op, createInterface(process.stdin))) {
    if ('error' in line) process.exitCode = 3;
    console.log(JSON.stringify(line));
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
