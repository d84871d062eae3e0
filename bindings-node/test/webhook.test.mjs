import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ProtectError, webhook } from 'protect-sdk';

// The example of the Standard Webhooks specification.
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const SENT = new Date(1614265330_000);
const BODY = Buffer.from('{"test": 2432232314}');
const HEADERS = {
  'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  'webhook-timestamp': '1614265330',
  'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

test('a message that is signed is good with any of the secrets, whatever holds its headers', () => {
  const other = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSX';
  for (const headers of [HEADERS, new Headers(HEADERS), { ...HEADERS, cookie: ['a', 'b'] }]) {
    const message = webhook.verify(headers, BODY, [other, SECRET], { now: SENT });
    assert.equal(message.id, HEADERS['webhook-id']);
    assert.equal(message.sentAt, '2021-02-25T15:02:10Z');
  }
});

test('a message that is changed, unsigned or old is refused, and bytes must be bytes', () => {
  const late = new Date(SENT.getTime() + 360_000);
  for (const [headers, body, now] of [
    [HEADERS, Buffer.from('{}'), SENT],
    [{}, BODY, SENT],
    [HEADERS, BODY, late],
    [HEADERS, BODY, undefined],
  ]) {
    assert.throws(() => webhook.verify(headers, body, SECRET, { now }), (error) => {
      assert.ok(error instanceof ProtectError);
      assert.equal(error.kind, 'unauthenticated');
      return !error.message.includes(SECRET);
    });
  }
  assert.throws(() => webhook.verify(HEADERS, BODY.toString(), SECRET), { kind: 'invalid_input' });
});
