"""Google Workspace: its models, and deciding how a customer is set up from what Google answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Union

from protect import _posture
from protect._generated.engine_models import CheckResult
from protect._generated.google_models import *
from protect._posture import Snapshot

Profile = Union[Literal["scuba", "cis"], str]
"""Which baseline's reading of the checks applies."""


def evaluate(
    snapshot: Snapshot,
    *,
    profile: Profile | None = None,
    config: Mapping[str, Any] | None = None,
) -> list[CheckResult]:
    """Decides every check over a snapshot. Asks nobody; now is when the snapshot was collected.

    Args:
        snapshot: its JSON text, the mapping of it, or the path of its file or folder.
        profile: a baseline; else what `config` or the snapshot says, else `scuba`.
        config: exclusions and levels per check, before those that the snapshot carries.
    """
    return _posture.evaluate("google", snapshot, profile, config)
