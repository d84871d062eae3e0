"""Posture checks over snapshots, without anybody being asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import protect
from protect import ProtectError

CONSENT = "m365.app.admin_consent_workflow"
GUESTS = "m365.guest.access_restricted"


def snapshot() -> dict[str, Any]:
    return {
        "provider": "m365",
        "tenant_id": "t",
        "collected_at": "2026-11-01T00:00:00Z",
        "granted": ["Policy.Read.All"],
        "resources": {
            "/policies/adminConsentRequestPolicy": {"isEnabled": True},
            "/policies/authorizationPolicy": {
                "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
            },
        },
    }


def test_a_snapshot_is_evaluated_as_a_mapping_a_text_and_a_file(tmp_path: Path) -> None:
    results = protect.m365.evaluate(snapshot(), profile="scuba")
    by_check = {result.check: result for result in results}
    assert len(results) == 60
    assert by_check[CONSENT].verdict == "pass"
    assert by_check["m365.mfa.users_capable"].not_evaluated == "missing_permission"
    file = tmp_path / "snapshot.json"
    file.write_text(json.dumps(snapshot()))
    assert protect.m365.evaluate(file) == results
    assert protect.m365.evaluate(file.read_text()) == results


def test_a_snapshot_of_google_workspace_is_judged_by_its_own_checks() -> None:
    admin = {"isAdmin": True, "suspended": False, "archived": False}
    customer = {
        "provider": "google",
        "customer_id": "C01",
        "collected_at": "2026-11-01T00:00:00Z",
        "users": [{"id": "1", **admin}, {"id": "2", **admin}],
    }
    by_check = {result.check: result for result in protect.google.evaluate(customer, profile="cis")}
    assert len(by_check) == 54
    assert by_check["google.admin.super_admin_min"].verdict == "pass"
    assert by_check["google.gmail.links"].not_evaluated == "no_observation"


def test_a_level_of_a_check_is_configured() -> None:
    strict = {"checks": {GUESTS: {"level": "strict"}}}
    verdicts = {result.check: result.verdict for result in protect.m365.evaluate(snapshot())}
    stricter = protect.m365.evaluate(snapshot(), config=strict)
    assert verdicts[GUESTS] == "pass"
    assert {result.check: result.verdict for result in stricter}[GUESTS] == "fail"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("{", "invalid_input"),
        ({"provider": "google"}, "invalid_input"),
        ({**snapshot(), "version": 99}, "unsupported"),
        ({**snapshot(), "config": {"checks": {"m365.no.such": {}}}}, "invalid_input"),
    ],
)
def test_what_is_no_snapshot_of_ours_is_a_named_error(given: Any, kind: str) -> None:
    with pytest.raises(ProtectError) as raised:
        protect.m365.evaluate(given)
    assert raised.value.kind == kind
