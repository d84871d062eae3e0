import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';

import { Notify, ProtectError } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

test('a mail is sent with an id that a repeat has too', async (t) => {
  const sandbox = startSandbox({}, t);
  const notices = await sandbox.notify({ to: ['desk@acme.example'] });
  t.after(() => notices.close());
  const sent = await notices.send('A leak', '**Adobe**', { severity: 'high', id: 'leak-1' });
  assert.equal(sent.id, '<protect.leak-1@acme.example>');
  const { mails } = (await sandbox.state()).smtp;
  assert.deepEqual(mails.map((mail) => mail.subject), ['[high] A leak']);
  assert.deepEqual(await sandbox.violations(), []);
});

test('a title that would begin a header is refused', async (t) => {
  const sandbox = startSandbox({}, t);
  const notices = await sandbox.notify({ to: ['desk@acme.example'] });
  t.after(() => notices.close());
  await assert.rejects(
    notices.send('A leak\r\nBcc: thief@evil.example', 'x'),
    (error) => error instanceof ProtectError && error.kind === 'invalid_input',
  );
  assert.deepEqual(await sandbox.transitions(), []);
});

test('Teams is written to by its address, which is shown nowhere', async (t) => {
  const sandbox = startSandbox({}, t);
  const { teamsWebhookUrl } = await sandbox.credentials();
  const notices = new Notify({ url: teamsWebhookUrl, format: 'teams' });
  t.after(() => notices.close());
  await notices.send('A leak', 'x');
  const [card] = (await sandbox.state()).teams.messages;
  assert.equal(card.body[0].text, '[info] A leak');
  assert.ok(!inspect(notices).includes(teamsWebhookUrl));
});

test('usage is told once for an identifier', async (t) => {
  const sandbox = startSandbox({}, t);
  const { stripeCustomerId } = await sandbox.credentials();
  const stripe = await sandbox.stripe();
  t.after(() => stripe.close());
  const event = await stripe.reportUsage(stripeCustomerId, 42, 'protect-users:acme:2026-10');
  assert.equal(event.livemode, false);
  await assert.rejects(
    stripe.reportUsage(stripeCustomerId, 42, 'protect-users:acme:2026-10'),
    (error) => error instanceof ProtectError && error.kind === 'conflict',
  );
  assert.equal((await stripe.meters()).length, 2);
});

test('a month is exported as events that a SIEM reads', async (t) => {
  const sandbox = startSandbox({}, t);
  const opened = await sandbox.open();
  t.after(() => opened.close());
  const acme = opened.tenant('acme');
  await acme.scan();
  const month = new Date().toISOString().slice(0, 7);
  const lines = (await acme.reportAs(month, 'ocsf')).trim().split('\n');
  const classes = new Set(lines.map((line) => JSON.parse(line).class_uid));
  assert.ok(classes.has(2004) && classes.has(2005), [...classes].join());
});
