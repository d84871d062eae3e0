/**
 * What a call from Node costs. Prints one JSON object a line and judges nothing.
 *
 * `protect-bench calls` runs it; by itself, with the package built (see README.md for an optimised one):
 *
 *     node tests/bench/node_calls.mjs
 */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

import { hibp, version } from '../../bindings-node/index.mjs';
import native from '../../bindings-node/lib/native.cjs';
import { startSandbox } from '../../bindings-node/testing.mjs';

/** Each figure is the median of so many rounds. */
const ROUNDS = 7;

const say = (name, unit, figure, bare, target) =>
  console.log(JSON.stringify({ name: `node: ${name}`, unit, figure, bare, target }));

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Microseconds for one call. */
function each(call, calls) {
  const round = () => {
    const begun = performance.now();
    for (let i = 0; i < calls; i++) call();
    return ((performance.now() - begun) / calls) * 1e3;
  };
  return median(Array.from({ length: ROUNDS }, round));
}

/** Microseconds for one call, awaited one after another. */
async function eachAwaited(call, calls) {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now();
    for (let i = 0; i < calls; i++) await call();
    rounds.push(((performance.now() - begun) / calls) * 1e3);
  }
  return median(rounds);
}

/** In Rust each of these is a look at memory, so that what is measured is the crossing. */
function scalarCalls() {
  const target = 'at most 2 µs over Rust';
  say('pure call, a text', 'µs', each(version, 100_000), undefined, target);
  const judge = () => native.hibpEvaluate('[]', 'default', false);
  say('pure call, an empty list', 'µs', each(judge, 50_000), undefined, target);
}

/** The bare one is `JSON.parse` of the same data. */
function modelCalls(breaches) {
  const text = JSON.stringify(breaches);
  const parse = each(() => JSON.parse(text), 20);
  const plain = JSON.parse(text);
  const read = each(() => plain.map((it) => new hibp.Breach(it)), 20);
  const write = each(() => breaches.map((it) => it.toJSON()), 20);
  const judge = each(() => hibp.evaluate(text), 20);
  say(`${breaches.length} models read`, 'µs', parse + read, parse);
  say(`${breaches.length} models written`, 'µs', write, parse);
  say(`${breaches.length} breaches judged`, 'µs', judge, parse);
}

async function awaits(protect, client) {
  const task = promisify(randomBytes);
  const ours = await eachAwaited(() => protect.tenants(), 2_000);
  const libuv = await eachAwaited(() => task(1), 2_000);
  say('awaited no-op; bare: a task of libuv', 'µs', ours, libuv, 'no slower');
  const acme = protect.tenant('acme');
  const store = await eachAwaited(() => acme.paused(), 2_000);
  say('awaited look into the store; bare: a task of libuv', 'µs', store, libuv);
  for (const [name, call] of [['no-ops', () => protect.tenants()], ['requests', () => client.latestBreach()]]) {
    const begun = performance.now();
    const lag = await lagUnder(() => Promise.all(Array.from({ length: 1_000 }, call)));
    say(`1,000 ${name} awaited at once`, '/s', 1_000 / ((performance.now() - begun) / 1e3));
    say(`longest lag of a 10 ms heartbeat under them, ${name}`, 'ms', lag, undefined, 'less than 50 ms');
  }
  say('longest lag of a 10 ms heartbeat under nothing', 'ms', await lagUnder(() => setTimeout(50)));
}

/** How late the latest beat of the loop was while the work was under way. */
async function lagUnder(work) {
  let beating = true;
  let longest = 0;
  const heart = (async () => {
    while (beating) {
      const due = performance.now() + 10;
      await setTimeout(10);
      longest = Math.max(longest, performance.now() - due);
    }
  })();
  await setTimeout(50);
  await work();
  beating = false;
  await heart;
  return longest;
}

const sandbox = startSandbox({ rateLimits: false });
const [client, protect] = await Promise.all([sandbox.hibp(), sandbox.open()]);
scalarCalls();
modelCalls(await client.breaches());
await awaits(protect, client);
for (const it of [client, protect, sandbox]) it.close();
