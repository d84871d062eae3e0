"""Have I Been Pwned: its models, and judging breaches without asking anybody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union

from protect import _codec
from protect._generated.hibp_models import *
from protect._protect import hibp_evaluate

Profile = Union[Literal["default", "one_protect"], str]
"""Which reading of severity applies."""

BreachLike = Union[Breach, Mapping[str, Any]]


def evaluate(
    breaches: str | Sequence[BreachLike],
    *,
    profile: Profile = "default",
    unknown_form_is_critical: bool = False,
) -> list[Assessment]:
    """Judges breaches from what the catalogue says alone.

    Args:
        breaches: as Have I Been Pwned answers `/breaches`: its JSON text, or a list.
        profile: `default` has four levels; `one_protect` has three.
        unknown_form_is_critical: whether passwords whose storage nobody states are critical.
    """
    text = breaches if isinstance(breaches, str) else json.dumps(_codec.to_json(breaches))
    judged = json.loads(hibp_evaluate(text, profile, unknown_form_is_critical))
    return [Assessment.from_dict(item) for item in judged]


def classify(
    breach: BreachLike,
    *,
    profile: Profile = "default",
    unknown_form_is_critical: bool = False,
) -> Assessment:
    """Judges one breach; see `evaluate`."""
    judged = evaluate(
        [breach], profile=profile, unknown_form_is_critical=unknown_form_is_critical
    )
    return judged[0]
