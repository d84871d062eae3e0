/**
 * Which of these addresses stand in a breach that exposed credentials, and how bad is it?
 *
 * Only six digits of each address's hash leave. Prints the worst first. Data: Have I Been Pwned,
 * https://haveibeenpwned.com (CC BY 4.0).
 *
 *     HIBP_API_KEY=... node leaked_credentials.mjs alice@acme.example bob@acme.example
 */
import { pathToFileURL } from 'node:url';

import { Hibp, hibp } from 'protect-sdk';

const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'];

/**
 * Pairs of address and judged breach, the worst first. All addresses are asked about at once; the
 * client keeps to the plan's rate by itself.
 *
 * @param {Hibp} client
 * @param {readonly string[]} addresses
 * @param {string} [atLeast]
 */
export async function exposures(client, addresses, atLeast = 'high') {
  const catalogue = new Map((await client.breaches()).map((breach) => [breach.name, breach]));
  const answers = await Promise.all(
    addresses.map(async (address) => ({ address, references: await client.breachedAccountRange(address) })),
  );
  const found = answers.flatMap(({ address, references }) =>
    references.flatMap(({ name }) => {
      const breach = catalogue.get(name);
      return breach ? [{ address, assessment: hibp.classify(breach) }] : [];
    }),
  );
  return found.filter((it) => rank(it) >= SEVERITIES.indexOf(atLeast)).sort((a, b) => rank(b) - rank(a));
}

/** @param {{ assessment: hibp.Assessment }} exposure */
function rank({ assessment }) {
  return SEVERITIES.indexOf(assessment.severity);
}

/** @param {readonly string[]} addresses */
async function main(addresses) {
  const client = new Hibp({ apiKey: () => process.env['HIBP_API_KEY'] ?? '' });
  const found = await exposures(client, addresses);
  for (const { address, assessment } of found) {
    console.log(`${assessment.severity.padEnd(9)} ${address}: ${assessment.name} (${assessment.form})`);
  }
  process.exitCode = found.length > 0 ? 1 : 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main(process.argv.slice(2));
