"""Messages that come in."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import protect
import pytest

# The example of the Standard Webhooks specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SENT = datetime.fromtimestamp(1614265330, timezone.utc)
BODY = b'{"test": 2432232314}'
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": "1614265330",
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_a_message_that_is_signed_is_good_with_any_of_the_secrets() -> None:
    other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSX"
    for secret in (SECRET, [other, SECRET]):
        message = protect.webhook.verify(HEADERS, BODY, secret, now=SENT)
        assert message.id == HEADERS["Webhook-Id"]
        assert message.sent_at == SENT


def test_a_message_that_is_changed_unsigned_or_old_is_refused() -> None:
    late = SENT + timedelta(minutes=6)
    for headers, body, now in [
        (HEADERS, BODY + b" ", SENT),
        ({}, BODY, SENT),
        (HEADERS, BODY, late),
        (HEADERS, BODY, None),
    ]:
        with pytest.raises(protect.ProtectError) as raised:
            protect.webhook.verify(headers, body, SECRET, now=now)
        assert raised.value.kind == "unauthenticated"
        assert SECRET not in str(raised.value)
