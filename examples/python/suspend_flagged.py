"""Suspend the 1Password users that another tool flagged.

Reads one user id per line from standard input, so that any alert can be piped into it, and prints
one JSON line for each. Acts at once; `contain_exposed.py` does the same by the guarded road.

    OP_ACCOUNT_ID=... OP_CLIENT_ID=... OP_CLIENT_SECRET=... python suspend_flagged.py < flagged.txt
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import protect


def suspend(op: protect.OnePassword, user_ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Suspends each user; one that cannot be suspended does not stop the others."""
    for user_id in user_ids:
        try:
            user = op.suspend_user(user_id, timeout=30)
        except protect.ProtectError as error:
            yield {"id": user_id, "error": error.kind, "retryable": error.retryable}
        else:
            yield {"id": user.id, "state": user.state}


def main() -> int:
    with protect.OnePassword(
        account_id=os.environ["OP_ACCOUNT_ID"],
        client_id=os.environ["OP_CLIENT_ID"],
        client_secret=lambda: os.environ["OP_CLIENT_SECRET"],
        region=os.environ.get("OP_REGION", "com"),
    ) as op:
        failed = 0
        for line in suspend(op, (line.strip() for line in sys.stdin)):
            failed += "error" in line
            print(json.dumps(line))
    return 3 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
