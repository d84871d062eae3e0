"""Models: typed, unchangeable, and patient with what they do not know."""

from __future__ import annotations

import copy
import dataclasses
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from protect.models import AccountRef, Action, ActionTarget, Actor, Finding, Subject
from protect.onepassword import User

USER: dict[str, Any] = {
    "id": "S576",
    "email": "ann@acme.example",
    "display_name": "Ann",
    "state": "active",
    "create_time": "2025-10-30T00:44:05Z",
    "path": "accounts/A/users/S576",
}


def test_a_model_says_the_same_in_its_plain_form() -> None:
    assert User.from_dict(USER).to_dict() == USER


def test_a_word_that_is_not_known_is_kept() -> None:
    user = User.from_dict({**USER, "state": "transferring"})
    assert user.state == "transferring"
    assert user.to_dict()["state"] == "transferring"


def test_a_field_that_is_not_known_is_kept() -> None:
    user = User.from_dict({**USER, "badge": {"colour": "red"}})
    assert user.extra == {"badge": {"colour": "red"}}
    assert user.to_dict()["badge"] == {"colour": "red"}


def test_a_moment_is_aware_and_keeps_its_microseconds() -> None:
    user = User.from_dict({**USER, "create_time": "2025-10-30T02:44:05.123456789+02:00"})
    assert user.create_time == datetime(2025, 10, 30, 0, 44, 5, 123456, timezone.utc)
    assert user.create_time is not None and user.create_time.utcoffset() == timedelta(hours=2)
    assert user.to_dict()["create_time"] == "2025-10-30T00:44:05.123456Z"


def test_a_moment_without_a_zone_is_refused() -> None:
    user = dataclasses.replace(User.from_dict(USER), create_time=datetime(2025, 10, 30))
    with pytest.raises(ValueError, match="time zone"):
        user.to_dict()


def test_a_model_cannot_be_changed_and_compares_by_content() -> None:
    user = User.from_dict(USER)
    with pytest.raises(dataclasses.FrozenInstanceError):
        user.state = "suspended"  # type: ignore[misc]
    assert user == User.from_dict(USER)
    assert dataclasses.replace(user, state="suspended") != user


def test_a_repr_shows_no_address() -> None:
    subject = Subject(kind="address", id="ann@acme.example")
    shown = repr([User.from_dict(USER), subject])
    assert "@" not in shown
    assert "state='active'" in shown


def test_a_field_named_like_a_keyword_gets_an_underscore_in_python_alone() -> None:
    action = Action(
        id="0" * 32,
        kind="suspend_account",
        target=ActionTarget(account=AccountRef(connector="passwords", id="S576")),
        reason="leaked",
        requested_by=Actor(kind="person", id="alice", authenticated_by="unverified"),
        for_=3600,
    )
    assert action.to_dict()["for"] == 3600
    assert Action.from_dict(action.to_dict()) == action


def test_a_plain_form_is_json_and_what_was_left_out_stays_out() -> None:
    plain = {
        "id": "f" * 32,
        "tenant": "acme",
        "source": "breaches",
        "check": "hibp.exposure.breach",
        "kind": "credential_exposure",
        "subject": {"kind": "address", "id": "ann@acme.example"},
        "discriminator": "Adobe",
        "severity": "high",
        "confidence": "high",
        "title": "Address in a breach",
        "reasons": ["passwords"],
        "from_event": False,
        "status": "new",
        "baseline": False,
        "occurrence": 1,
        "first_seen": "2026-01-01T00:00:00Z",
        "last_seen": "2026-01-01T00:00:00Z",
    }
    finding = Finding.from_dict(copy.deepcopy(plain))
    written = json.loads(json.dumps(finding.to_dict()))
    assert written.items() >= plain.items()
    assert "resolved_at" not in written
