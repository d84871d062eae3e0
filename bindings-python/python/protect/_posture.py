"""Deciding posture checks over what a vendor answered, without asking anybody."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Union

from protect._generated.engine_models import CheckResult
from protect._protect import posture_evaluate

Snapshot = Union[str, "os.PathLike[str]", Mapping[str, Any]]
"""A snapshot: its JSON text, the mapping of it, or the path of its file or folder."""


def evaluate(
    kind: str,
    snapshot: Snapshot,
    profile: str | None,
    config: Mapping[str, Any] | None,
) -> list[CheckResult]:
    """Decides the checks of a kind."""
    is_path = isinstance(snapshot, os.PathLike)
    if isinstance(snapshot, os.PathLike):
        text = os.fspath(snapshot)
    elif isinstance(snapshot, str):
        text = snapshot
    else:
        text = json.dumps(snapshot)
    settings = None if config is None else json.dumps(config)
    decided = json.loads(posture_evaluate(kind, text, is_path, profile, settings))
    return [CheckResult.from_dict(item) for item in decided]
