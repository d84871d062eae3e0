// The scenarios of tests/scenarios; Rust and Python run the same files.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import * as protect from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const FOLDER = new URL('../../tests/scenarios/', import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const camelKeys = (object) => Object.fromEntries(Object.entries(object).map(([key, value]) => [camel(key), value]));
const plain = (answer) => (answer === undefined ? null : JSON.parse(JSON.stringify(answer)));

for (const name of FILES) {
  test(`scenario ${name}`, (t) => play(t, JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))));
}

test('there are scenarios', () => assert.ok(FILES.length > 10));

async function play(t, scenario) {
  t.diagnostic(scenario.about);
  const sandbox = startSandbox(camelKeys(scenario.sandbox ?? {}), t);
  const known = { kept: {} };
  for (const part of ['planted', 'credentials', 'addresses']) known[part] = await sandbox[part]();
  const { opened, client } = await connect(t, scenario, sandbox, known);
  const named = new Map([[undefined, client], ['sandbox', sandbox], ['engine', opened]]);
  for (const step of scenario.steps) await take(named.get(step.on) ?? opened.tenant(step.on), step, known);
  const wanted = { violations: [], ...scenario };
  for (const journal of ['violations', 'transitions', 'requests']) {
    if (journal in wanted) expect(plain(await sandbox[journal]()), resolve(wanted[journal], known), journal);
  }
}

async function connect(t, { client: made, tenant }, sandbox, known) {
  if (made) {
    const client = new protect[made.class](camelKeys(resolve(made.with, known)));
    t.after(() => client.close());
    return { client };
  }
  const config = plain(await sandbox.config());
  for (const [pointer, value] of Object.entries(tenant.set ?? {})) {
    const names = pointer.split('/').slice(1);
    const last = names.pop();
    names.reduce((place, name) => place[name], config)[last] = resolve(value, known);
  }
  const more = plain(await sandbox.connections());
  for (const [id, names] of Object.entries(tenant.connections ?? {})) {
    const connectors = (config.tenants[id].connectors ??= {});
    for (const [connector, name] of Object.entries(names)) {
      config.connections[name] = more[name].connection;
      connectors[connector] = { ...more[name].connector, connection: name, ...connectors[connector] };
    }
  }
  const opened = tenant.time === 'sandbox'
    ? sandbox.engine(config)
    : await protect.open(config, { secrets: await sandbox.secrets() });
  t.after(() => opened.close());
  return { opened, client: opened.tenant(tenant.id) };
}

async function take(client, step, known) {
  const given = resolve(step.given ?? [], known);
  const call = () => ask(client, camel(step.do), given, camelKeys(resolve(step.options ?? {}, known)));
  if (step.fails) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof protect.ProtectError, String(error));
      expect(plain(error), resolve(step.fails, known), step.do);
      return true;
    });
    return;
  }
  const answer = await call();
  if ('gives' in step) expect(plain(answer), resolve(step.gives, known), step.do);
  if (step.as) known.kept[step.as] = answer;
}

/** Calls a method and gives the whole answer. */
async function ask(client, name, given, options) {
  const answer = client[name](...given, options);
  if (typeof answer[Symbol.asyncIterator] !== 'function') return answer;
  const all = [];
  for await (const item of answer) all.push(item);
  return all;
}

/** What is written, with what its `$` texts stand for. */
function resolve(written, known) {
  if (Array.isArray(written)) return written.map((it) => resolve(it, known));
  if (written !== null && typeof written === 'object') {
    return Object.fromEntries(Object.entries(written).map(([key, it]) => [key, resolve(it, known)]));
  }
  if (typeof written !== 'string' || !written.startsWith('$')) return written;
  const [first, second, ...path] = written.slice(1).split('.');
  const found = first === 'kept' ? known.kept[second] : plain(known[first])[second];
  return path.reduce((value, name) => plain(value)[name], found);
}

/** An object has at least these fields; a list has exactly these items. */
function expect(seen, wanted, place) {
  const shown = `${place}: ${JSON.stringify(seen)}`;
  if (wanted?.$count !== undefined) return assert.equal(seen.length, wanted.$count, shown);
  if (wanted?.$has !== undefined) return assert.ok(seen.some((it) => fits(it, wanted.$has)), shown);
  if (wanted?.$none !== undefined) return assert.ok(!seen.some((it) => fits(it, wanted.$none)), shown);
  if (wanted?.$all !== undefined) return wanted.$all.forEach((one) => expect(seen, one, place));
  if (Array.isArray(wanted)) {
    assert.equal(seen?.length, wanted.length, shown);
    return wanted.forEach((one, i) => expect(seen[i], one, `${place}.${i}`));
  }
  if (wanted !== null && typeof wanted === 'object') {
    assert.ok(seen !== null && typeof seen === 'object', shown);
    return Object.entries(wanted).forEach(([key, one]) => expect(seen[key] ?? null, one, `${place}.${key}`));
  }
  return assert.equal(seen, wanted, shown);
}

function fits(seen, wanted) {
  try {
    expect(seen, wanted, '');
    return true;
  } catch {
    return false;
  }
}
