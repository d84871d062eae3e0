// Connectors written in JavaScript, run by the engine.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';

import { Action, ProtectError, ScanRequest, open } from 'protect-sdk';

const CHECK = 'badges.card.copied';
const CANARY = 'canary-1f0c9d';

/** A kind of connector over cards of its own: id to state. */
function kind(cards = { ann: 'active', bob: 'suspended', cem: 'active' }) {
  const seen = [];
  class Badges {
    static kind = 'badges';
    static docs = 'Cards that open doors.';
    static checks = [CHECK];
    static actions = { suspend_account: 'state_idempotent' };
    static settings = { building: 'text', every: 'duration' };
    static stateKeys = ['runs'];

    constructor(setup) {
      this.setup = setup;
    }

    scan(request) {
      seen.push({ method: 'scan', request, setup: this.setup });
      const ids = Object.keys(cards);
      const number = Number(request.cursor ?? 0);
      const id = ids[number];
      const more = number + 1 < ids.length;
      const copied = {
        check: CHECK,
        kind: 'suspicious_sign_in',
        subject: { kind: 'account', provider: 'badges', id },
        severity: 'high',
        confidence: 'high',
        title: 'Card copied',
        discriminator: '',
        reasons: ['two doors at once'],
      };
      return {
        observations: cards[id] === 'active' ? [copied] : [],
        evaluated: more ? [] : [{ check: CHECK }],
        rejected: number === 0 ? [{ place: 'cards[7]', reason: 'no id' }] : [],
        state: { runs: (request.state.runs ?? 0) + 1 },
        cursor: more ? String(number + 1) : null,
        more,
      };
    }

    async list() {
      return { accounts: Object.keys(cards).map((id) => this.account(id)) };
    }

    get(id) {
      return id in cards ? this.account(id) : null;
    }

    async preview(action) {
      const state = cards[action.target.account.id];
      return { before: { state }, after: { state: 'suspended' }, alreadySo: state === 'suspended' };
    }

    apply(action) {
      seen.push({ method: 'apply', action });
      const { id } = action.target.account;
      const before = { state: cards[id] };
      cards[id] = 'suspended';
      return { status: 'applied', before, after: { state: cards[id] } };
    }

    probe(action) {
      const state = cards[action.target.account.id];
      return { happened: state === 'suspended', state: { state } };
    }

    account(id) {
      const { name } = this.setup;
      return { connector: name, id, provider: 'badges', displayName: id, address: `${id}@acme.example`, state: cards[id] };
    }
  }
  return { Badges, cards, seen };
}

function config(settings = {}) {
  const rule = { name: 'copied card', when: { severity: '>=high' }, then: ['suspend_account'] };
  const connectors = { doors: { kind: 'badges', ...settings } };
  return {
    mode: 'enforce',
    tenants: { acme: { name: 'Acme GmbH', domains: ['acme.example'], connectors, rules: [rule] } },
  };
}

async function acmeOf(t, Class, settings) {
  const protect = await open(config(settings), { connectors: [Class] });
  t.after(() => protect.close());
  return protect.tenant('acme');
}

const scanned = async (tenant) => (await tenant.scan()).connectors[0];
const outcomes = (steps) => steps.map(({ outcome }) => outcome?.status);

test('a connector in JavaScript takes the whole road, and is asked to act once', async (t) => {
  const { Badges, cards, seen } = kind();
  const acme = await acmeOf(t, Badges, { building: 'west', every: '90s' });
  const scan = await scanned(acme);
  assert.deepEqual([scan.complete, scan.pages, scan.new, scan.rejected], [true, 3, 2, 1], JSON.stringify(scan));
  const plan = await acme.plan();
  assert.deepEqual(plan.actions.map(({ preview }) => preview.before), [{ state: 'active' }, { state: 'active' }]);
  assert.deepEqual(outcomes(await acme.apply(await acme.approve(plan, { by: 'alice' }))), ['applied', 'applied']);
  assert.deepEqual([...new Set(Object.values(cards))], ['suspended']);
  const applied = seen.filter(({ method }) => method === 'apply');
  assert.deepEqual(applied.map(({ action }) => action.target.account.id).sort(), ['ann', 'cem']);
  assert.ok(applied.every(({ action }) => action instanceof Action && Object.isFrozen(action)));
  assert.equal((await scanned(acme)).resolved, 2);
  assert.equal((await acme.plan()).actions.length, 0);
  assert.equal(seen.filter(({ method }) => method === 'apply').length, 2);
});

test('a connector is told what it was made for, and gets back what it stored', async (t) => {
  const { Badges, seen } = kind();
  const acme = await acmeOf(t, Badges, { building: 'west', every: '90s' });
  await acme.scan();
  await acme.scan();
  const [{ request, setup }] = seen;
  assert.deepEqual(setup, { tenant: 'acme', name: 'doors', settings: { building: 'west', every: 90 } });
  assert.ok(request instanceof ScanRequest && request.startsRun && request.cursor === null);
  const runs = seen.filter(({ method }) => method === 'scan').map((it) => it.request.state.runs);
  assert.deepEqual(runs, [undefined, 1, 2, 3, 4, 5]);
});

test('its methods may take their time', async (t) => {
  const { Badges } = kind();
  class Slow extends Badges {
    async scan(request) {
      await new Promise(setImmediate);
      return super.scan(request);
    }

    async apply(action) {
      await new Promise(setImmediate);
      return super.apply(action);
    }
  }
  const acme = await acmeOf(t, Slow);
  assert.equal((await scanned(acme)).complete, true);
  const steps = await acme.apply(await acme.approve(await acme.plan(), { by: 'alice' }));
  assert.deepEqual(outcomes(steps), ['applied', 'applied']);
});

for (const [how, scan] of [
  ['at once', () => { throw new RangeError(CANARY); }],
  ['later', async () => { throw new RangeError(CANARY); }],
]) {
  test(`what a scanner throws ${how} ends its scan alone, and its text is not kept`, async (t) => {
    const { Badges } = kind();
    const acme = await acmeOf(t, class extends Badges {
      scan = scan;
    });
    const { complete, error } = await scanned(acme);
    assert.equal(complete, false);
    assert.equal(error.kind, 'unexpected');
    assert.equal(error.context.exception, 'RangeError');
    assert.equal(error.context.method, 'scan');
    const [finding] = await collect(acme.findings());
    assert.equal(finding.kind, 'operational');
    assert.ok(!inspect([error, finding], { depth: 9 }).includes(CANARY));
  });
}

test('one of our errors keeps its kind and when to come back', async (t) => {
  const { Badges } = kind();
  const acme = await acmeOf(t, class extends Badges {
    scan() {
      throw new ProtectError({ kind: 'rate_limited', message: CANARY, retryable: true, retryAfterMs: 1500 });
    }
  });
  const { error } = await scanned(acme);
  assert.deepEqual([error.kind, error.retryable, error.retryAfterMs], ['rate_limited', true, 1500]);
  assert.ok(!JSON.stringify(error).includes(CANARY));
});

for (const [what, answer, place] of [
  ['an observation without its fields', { observations: [{ check: CANARY }] }, /^observations\[0\]/],
  ['observations that are no list', { observations: 7 }, /^observations/],
  ['a number', 7, /^\.?$/],
  ['nothing', undefined, /^\.?$/],
]) {
  test(`${what} in place of a page is an error that names the place`, async (t) => {
    const { Badges } = kind();
    const acme = await acmeOf(t, class extends Badges {
      scan() {
        return answer;
      }
    });
    const { error } = await scanned(acme);
    assert.equal(error.kind, 'invalid_response');
    assert.match(error.context.place, place);
    assert.ok(!JSON.stringify(error).includes(CANARY));
  });
}

test('state under a key that was not declared is refused', async (t) => {
  const { Badges } = kind();
  const acme = await acmeOf(t, class extends Badges {
    scan(request) {
      return { ...super.scan(request), state: { secret: 1 } };
    }
  });
  const { error } = await scanned(acme);
  assert.deepEqual([error.kind, error.context.key], ['invalid_input', 'secret']);
});

test('an apply that breaks after acting is settled by its probe and not sent again', async (t) => {
  const { Badges, seen } = kind({ ann: 'active' });
  const acme = await acmeOf(t, class extends Badges {
    apply(action) {
      super.apply(action);
      throw new Error('the line broke');
    }
  });
  await acme.scan();
  let steps = await acme.apply(await acme.approve(await acme.plan(), { by: 'alice' }));
  if (steps[0].outcome?.status !== 'applied') steps = await acme.applyWaiting();
  assert.deepEqual(outcomes(steps), ['applied']);
  assert.equal(seen.filter(({ method }) => method === 'apply').length, 1);
});

test('a permanent error of ours from apply says that nothing was changed', async (t) => {
  const { Badges, cards } = kind({ ann: 'active' });
  const acme = await acmeOf(t, class extends Badges {
    apply() {
      throw new ProtectError({ kind: 'permission_denied', message: 'no' });
    }
  });
  await acme.scan();
  const [step] = await acme.apply(await acme.approve(await acme.plan(), { by: 'alice' }));
  assert.equal(step.outcome.status, 'failed');
  assert.equal(cards.ann, 'active');
});

test('a class that declares nonsense is refused', async () => {
  const { Badges } = kind();
  class Nameless {
    scan() {}
  }
  class Idle {
    static kind = 'idle';
  }
  class Misspelt extends Badges {
    static actions = { suspend_acount: 'state_idempotent' };
  }
  for (const Class of [Nameless, Idle, Misspelt]) {
    await assert.rejects(open(config(), { connectors: [Class] }), { kind: 'invalid_input' }, Class.name);
  }
});

test('a setting that was not declared is refused', async () => {
  const { Badges } = kind();
  await assert.rejects(open(config({ bilding: 'west' }), { connectors: [Badges] }), /bilding/);
});

test('a constructor that throws is the cause of an error that names tenant and connector', async () => {
  const { Badges } = kind();
  class Broken extends Badges {
    constructor() {
      super();
      throw new TypeError(CANARY);
    }
  }
  await assert.rejects(open(config(), { connectors: [Broken] }), (error) => {
    assert.equal(error.kind, 'config_invalid');
    assert.deepEqual(error.context, { tenant: 'acme', connector: 'doors' });
    assert.ok(error.cause instanceof TypeError && !error.message.includes(CANARY));
    return true;
  });
});

/** A service desk that keeps what it is told. */
function desk() {
  const tickets = new Map();
  const looked = [];
  class Desk {
    static kind = 'desk';
    static actions = { open_ticket: 'search_before_create' };
    static templates = ['door'];

    async deliver(delivery) {
      const id = delivery.noteTo ?? `T${tickets.size + 1}`;
      tickets.set(id, [...(tickets.get(id) ?? []), delivery]);
      return { id, status: 'open' };
    }

    find({ kind, sourceReference }) {
      looked.push(kind);
      for (const [id, [first]] of tickets) if (first.sourceReference === sourceReference) return { id, status: 'open' };
      return null;
    }
  }
  return { Desk, tickets, looked };
}

function withDesk(template = 'door') {
  const wanted = config();
  wanted.tenants.acme.connectors.desk = { kind: 'desk' };
  wanted.tenants.acme.rules[0].then = [{ action: 'open_ticket', template }];
  return wanted;
}

test('a sink in JavaScript gets one ticket for an incident', async (t) => {
  const { Badges } = kind({ ann: 'active' });
  const { Desk, tickets, looked } = desk();
  const protect = await open(withDesk(), { connectors: [Badges, Desk] });
  t.after(() => protect.close());
  const acme = protect.tenant('acme');
  await scanned(acme);
  assert.deepEqual(outcomes(await acme.apply(await acme.approve(await acme.plan(), { by: 'alice' }))), ['applied']);
  await scanned(acme);
  assert.equal((await acme.plan()).actions.length, 0);
  const [[told], ...others] = tickets.values();
  assert.equal(others.length, 0);
  assert.deepEqual([told.kind, told.severity, told.noteTo], ['open_ticket', 'high', null]);
  assert.ok(told.body.includes('Card copied') && told.body.includes('two doors at once'));
  assert.deepEqual([...new Set(looked)], ['open_ticket']);
});

test('a ticket whose answer was lost is found and not opened again', async (t) => {
  const { Badges } = kind({ ann: 'active' });
  const { Desk, tickets } = desk();
  class Forgetful extends Desk {
    async deliver(delivery) {
      await super.deliver(delivery);
      throw new Error('the line broke');
    }
  }
  const protect = await open(withDesk(), { connectors: [Badges, Forgetful] });
  t.after(() => protect.close());
  const acme = protect.tenant('acme');
  await scanned(acme);
  let steps = await acme.apply(await acme.approve(await acme.plan(), { by: 'alice' }));
  if (steps[0].outcome?.status !== 'applied') steps = await acme.applyWaiting();
  assert.deepEqual(outcomes(steps), ['applied']);
  assert.deepEqual([...tickets.values()].map((told) => told.length), [1]);
});

test('a template that the sink does not have is refused', async () => {
  const { Badges } = kind();
  await assert.rejects(open(withDesk('window'), { connectors: [Badges, desk().Desk] }), /known: door/);
});

test('a sink that must look before it creates needs a find', async () => {
  const { Badges } = kind();
  class Blind {
    static kind = 'blind';
    static actions = { open_ticket: 'search_before_create' };

    deliver() {
      return { id: '1', status: null };
    }
  }
  await assert.rejects(open(config(), { connectors: [Badges, Blind] }), { kind: 'invalid_input', message: /find/ });
});

test('a directory that tells what changed is listed once', async (t) => {
  const { Badges } = kind();
  const asked = [];
  const acme = await acmeOf(t, class extends Badges {
    async list(cursor) {
      asked.push('list');
      return { ...(await super.list(cursor)), changesFrom: '1' };
    }

    changes(since) {
      asked.push(`since ${since}`);
      return { accounts: [this.account('ann')], gone: ['bob'], changesFrom: String(Number(since) + 1) };
    }
  });
  for (let run = 0; run < 3; run += 1) await scanned(acme);
  assert.deepEqual(asked, ['list', 'since 1', 'since 2']);
  const bob = (await acme.accounts()).find(({ id }) => id === 'bob');
  assert.ok(bob === undefined || bob.state === 'deleted');
});

async function collect(stream) {
  const all = [];
  for await (const item of stream) all.push(item);
  return all;
}
