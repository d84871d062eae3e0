"""Exported events against the published schema of OCSF 1.8.0."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from ocsf_json_schema import (  # type: ignore[import-untyped,unused-ignore]
    OcsfJsonSchemaEmbedded,
    get_ocsf_schema,
)
from protect import Sandbox
from protect.exceptions import InvalidInputError

# Every kind of finding, status of an incident, and action and outcome: a Rust test keeps it as it is made.
EVERY_EVENT = (
    Path(__file__).parents[2] / "protect-core" / "src" / "report" / "ocsf" / "events.ndjson"
)

SCHEMA = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0"))


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def validators(found: Iterable[dict[str, Any]]) -> dict[int, Any]:
    classes = {event["class_uid"] for event in found}
    return {
        uid: jsonschema.Draft202012Validator(
            SCHEMA.get_class_schema(SCHEMA.lookup_class_name_from_uid(uid))
        )
        for uid in classes
    }


def complaints(found: list[dict[str, Any]]) -> list[str]:
    known = validators(found)
    return [
        f"{event['class_name']}: {error.json_path}: {error.message}"
        for event in found
        for error in known[event["class_uid"]].iter_errors(event)
    ]


def test_every_event_that_can_be_made_fits_the_published_schema() -> None:
    found = events(EVERY_EVENT.read_text(encoding="utf-8"))
    assert {event["class_uid"] for event in found} == {2003, 2004, 2005, 7001}
    assert complaints(found) == []


def test_the_validator_sees_what_is_wrong() -> None:
    event = events(EVERY_EVENT.read_text(encoding="utf-8"))[0]
    for change in ({"time": "now"}, {"severity_id": 42}, {"of_our_own": 1}, {"class_uid": None}):
        broken = {**event, **change}
        validator = validators([event])[event["class_uid"]]
        assert list(validator.iter_errors(broken)), change


def test_a_month_of_a_whole_road_fits_the_published_schema(protect_sandbox: Sandbox) -> None:
    with protect_sandbox.open() as opened:
        acme = opened.tenant("acme")
        acme.scan()
        acme.apply(acme.approve(acme.plan(), by="alice"))
        month = f"{datetime.now(timezone.utc):%Y-%m}"
        found = events(acme.report_as(month, "ocsf"))
        assert complaints(found) == []
        classes = {event["class_uid"] for event in found}
        assert {2004, 2005, 7001} <= classes
        applied = [event for event in found if event["class_uid"] == 7001]
        assert {event["status_code"] for event in applied} == {"applied"}
        assert events(acme.report_as("2001-01", "ocsf")) == []


def test_a_report_comes_in_every_format_and_in_no_other(protect_sandbox: Sandbox) -> None:
    with protect_sandbox.open() as opened:
        acme = opened.tenant("acme")
        month = f"{datetime.now(timezone.utc):%Y-%m}"
        assert acme.report_as(month, "html").startswith("<!doctype html>")
        assert acme.report_as(month, "md").startswith("# ")
        assert json.loads(acme.report_as(month, "json"))["tenant"] == "acme"
        with pytest.raises(InvalidInputError):
            acme.report_as(month, "pdf")
