// The scenarios of tests/scenarios; Rust and Python run the same files.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import express from 'express';
import * as protect from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

const FOLDER = new URL('../../tests/scenarios/', import.meta.url);
/** What a tenant's own program reads of it. */
const LISTS = ['findings', 'incidents', 'plans', 'actions', 'tickets', 'accounts', 'verdicts', 'monitorList'];
/** Where a look around begins: the first page, and what none links to. */
const PAGES = ['', 'api/me', 'api/overview', 'api/findings', 'api/incidents', 'api/plans', 'api/evidence'];

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
  const lines = [];
  protect.log.sendTo((line) => lines.push(line), { level: 'trace' });
  const { opened, client } = await connect(t, scenario, sandbox, known);
  const named = new Map([[undefined, client], ['sandbox', sandbox], ['engine', opened]]);
  for (const step of scenario.steps) await take(named.get(step.on) ?? opened.tenant(step.on), step, known);
  const wanted = { violations: [], ...scenario };
  for (const journal of ['violations', 'transitions', 'requests']) {
    if (journal in wanted) expect(plain(await sandbox[journal]()), resolve(wanted[journal], known), journal);
  }
  const apart = resolve(scenario.apart ?? {}, known);
  await lookAround(t, sandbox, opened, apart);
  await protect.log.stop();
  if (scenario.log) expect(plain(lines), scenario.log, 'log');
  for (const line of scenario.apart ? lines : []) {
    const text = JSON.stringify(line);
    const named = Object.keys(apart).filter((tenant) => apart[tenant].words.some((word) => text.includes(word)));
    assert.ok(new Set([...named, ...(line.tenant === null ? [] : [line.tenant])]).size <= 1, text);
  }
}

/** Everything that each tenant's own program and staff see, and what they get for the others' addresses. */
async function lookAround(t, sandbox, opened, apart) {
  const tenants = Object.keys(apart);
  if (tenants.length === 0) return;
  const server = express().use(protect.toExpress(opened)).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((ready) => server.once('listening', ready));
  const get = async (path, headers = {}) => {
    const url = `http://127.0.0.1:${server.address().port}${path}`;
    const response = await fetch(url, { headers, redirect: 'manual' });
    return { status: response.status, cookie: response.headers.getSetCookie()[0]?.split(';')[0], text: await response.text() };
  };
  const signIn = async (tenant) => {
    const token = await sandbox.hubToken(apart[tenant].organisation, { email: `staff@${tenant}.example` });
    return (await get(`/auth/hub-sso?token=${token}`)).cookie;
  };
  const assertApart = (text, tenant, place) => {
    const others = tenants.filter((other) => other !== tenant).flatMap((other) => apart[other].words);
    assert.deepEqual(others.filter((word) => text.includes(word)), [], `${tenant}, ${place}: ${text}`);
  };
  const looked = new Map();
  for (const tenant of tenants) {
    for (const name of LISTS) assertApart(JSON.stringify(await ask(opened.tenant(tenant), name, [], {})), tenant, name);
    const cookie = await signIn(tenant);
    const seen = new Map();
    const waiting = PAGES.map((path) => `/t/${tenant}/${path}`);
    while (waiting.length > 0) {
      const path = waiting.pop();
      if (seen.has(path)) continue;
      const { status, text } = await get(path, { cookie, accept: 'text/html' });
      assert.equal(status, 200, `${path}: ${text}`);
      seen.set(path, text);
      assertApart(text, tenant, path);
      const links = [...text.matchAll(/href="(\/[^"]*)/g)].map(([, link]) => link.replaceAll('&#x2f;', '/').replaceAll('&amp;', '&'));
      waiting.push(...links.filter((link) => link.startsWith('/t/')).map((link) => link.split('#')[0]));
    }
    const together = [...seen.values()].join('');
    assert.deepEqual(apart[tenant].shown.filter((word) => !together.includes(word)), []);
    looked.set(tenant, [...seen.keys()]);
  }
  for (const tenant of tenants) {
    const cookie = await signIn(tenant);
    for (const path of tenants.filter((other) => other !== tenant).flatMap((other) => looked.get(other))) {
      const { status, text } = await get(path, { cookie });
      assert.ok([403, 404].includes(status), `${path}: ${status}`);
      assertApart(text, tenant, path);
    }
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
