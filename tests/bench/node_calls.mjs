/**
 * What a call from Node costs. Prints figures and judges nothing.
 *
 * Run with the package built and optimised, see README.md:
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

const say = (name, value, unit) => console.log(`node ${name}: ${value.toFixed(2)} ${unit}`);

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
  say('call with a scalar, native', each(version, 100_000), 'µs');
  say('call with an empty list, native', each(() => native.hibpEvaluate('[]', 'default', false), 20_000), 'µs');
}

/** Ratios to `JSON.parse` of the same data. */
function modelCalls(breaches) {
  const text = JSON.stringify(breaches);
  const parse = each(() => JSON.parse(text), 5);
  const plain = JSON.parse(text);
  const read = each(() => plain.map((it) => new hibp.Breach(it)), 5);
  const write = each(() => breaches.map((it) => it.toJSON()), 5);
  const judge = each(() => hibp.evaluate(text), 5);
  say(`${breaches.length} models read, to JSON.parse`, (parse + read) / parse, 'times');
  say(`${breaches.length} models written, to JSON.parse`, write / parse, 'times');
  say(`${breaches.length} breaches judged, to JSON.parse`, judge / parse, 'times');
}

async function awaits(protect, op, id) {
  const task = promisify(randomBytes);
  const ours = await eachAwaited(() => protect.tenants(), 2_000);
  const libuv = await eachAwaited(() => task(1), 2_000);
  say('awaited no-op', ours, 'µs');
  say('awaited no-op, to a resolved libuv task', ours / libuv, 'times');
  for (const [name, call] of [['no-ops', () => protect.tenants()], ['requests', () => op.getUser(id)]]) {
    const begun = performance.now();
    const lag = await lagUnder(() => Promise.all(Array.from({ length: 1_000 }, call)));
    say(`1000 awaited ${name}`, 1_000 / ((performance.now() - begun) / 1e3), 'a second');
    say(`longest lag of a 10 ms heartbeat under them, ${name}`, lag, 'ms');
  }
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
const [client, op, protect] = await Promise.all([sandbox.hibp(), sandbox.onepassword(), sandbox.open()]);
const { leaked } = await sandbox.planted();
scalarCalls();
modelCalls(await client.breaches());
await awaits(protect, op, leaked.id);
for (const it of [client, op, protect, sandbox]) it.close();
