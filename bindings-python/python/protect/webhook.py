"""Signed messages that come to you (Standard Webhooks): their model, and whether they are good."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from protect._generated.webhook_models import *
from protect._protect import webhook_verify


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secret: str | Sequence[str],
    *,
    now: datetime | None = None,
) -> VerifiedMessage:
    """Whether a message is signed by whom it says; raises `ProtectError` of kind `unauthenticated` where
    it is not. Keep the ids for ten minutes and act on each once.

    Args:
        headers: of the request, by name in any case.
        body: as it came, before anybody parsed it; at most a mebibyte.
        secret: `whsec_` and base64; of several any one may have signed.
        now: another time than now.
    """
    secrets = [secret] if isinstance(secret, str) else list(secret)
    seconds = None if now is None else int(now.timestamp())
    verified = webhook_verify(list(headers.items()), body, secrets, seconds)
    return VerifiedMessage.from_dict(json.loads(verified))
