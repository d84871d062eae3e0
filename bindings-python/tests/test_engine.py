"""The guarded road, from Python."""

from __future__ import annotations

import dataclasses
import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import protect
import pytest
from protect import Protect, Sandbox, Tenant
from protect.exceptions import (
    ConfigInvalidError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    RefusedError,
    StoreError,
)
from protect.models import ScanProgress

CANARY = "canary-7f3a91"


@pytest.fixture
def p(protect_sandbox: Sandbox) -> Any:
    with protect_sandbox.open() as opened:
        yield opened


@pytest.fixture
def acme(p: Protect) -> Tenant:
    return p.tenant("acme")


def test_a_scan_becomes_a_plan_and_an_approved_plan_is_applied_once(
    protect_sandbox: Sandbox, acme: Tenant
) -> None:
    planted = protect_sandbox.planted()
    assert acme.scan().complete
    plan = acme.plan()
    assert {it.action.kind for it in plan.actions} == {"suspend_account"}
    assert protect_sandbox.transitions() == []
    outcomes = acme.apply(acme.approve(plan, by="alice"))
    assert [it.outcome.status for it in outcomes if it.outcome] == ["applied", "applied"]
    suspended = {it.id for it in protect_sandbox.transitions()}
    assert suspended == {planted.leaked.id, planted.suspicious.id}
    assert acme.scan().complete
    assert acme.plan().actions == ()
    assert protect_sandbox.violations() == []


def test_the_plan_is_what_was_shown_and_nothing_else(acme: Tenant) -> None:
    acme.scan()
    plan = acme.plan()
    first, *others = plan.actions
    changed = dataclasses.replace(plan, actions=(first,))
    assert others
    with pytest.raises(InvalidInputError):
        acme.approve(changed, by="alice")
    approved = acme.approve(plan, by="alice")
    assert approved.approval.by.id == "alice"
    assert approved.approval.by.authenticated_by == "unverified"
    assert approved.approval.expires_at > datetime.now(timezone.utc)


def test_a_plan_that_nobody_approved_is_not_applied(
    protect_sandbox: Sandbox, acme: Tenant
) -> None:
    acme.scan()
    plan = acme.plan()
    now = datetime.now(timezone.utc)
    forged = protect.models.ApprovedPlan(
        plan=plan,
        approval=protect.models.Approval(
            plan=plan.id,
            by=protect.models.Actor(kind="person", id="mallory", authenticated_by="sso"),
            at=now,
            expires_at=now + timedelta(hours=1),
        ),
    )
    with pytest.raises(RefusedError):
        acme.apply(forged)
    assert protect_sandbox.transitions() == []


def test_nobody_approves_their_own_request(protect_sandbox: Sandbox, acme: Tenant) -> None:
    address = protect_sandbox.planted().mistyped.email
    plan = acme.request("suspend_account", address, "reported stolen", by="alice")
    with pytest.raises(RefusedError):
        acme.approve(plan, by="alice")
    [step] = acme.apply(acme.approve(plan, by="bob"))
    assert step.outcome is not None and step.outcome.status == "applied"
    undo = acme.undo(step.action.id, "found again", by="carol")
    [undone] = acme.apply(acme.approve(undo, by="bob"))
    assert undone.outcome is not None and undone.outcome.after["state"] == "active"


def test_the_owner_is_protected(protect_sandbox: Sandbox, acme: Tenant) -> None:
    address = protect_sandbox.planted().owner.email
    plan = acme.request("suspend_account", address, "test", by="alice")
    assert [it.guard.decision for it in plan.actions] == ["refuse"]


def test_a_paused_tenant_attempts_nothing(protect_sandbox: Sandbox, acme: Tenant) -> None:
    acme.scan()
    approved = acme.approve(acme.plan(), by="alice")
    acme.pause("an odd feeling", by="bob")
    paused = acme.paused()
    assert paused is not None and paused.by.id == "bob"
    acme.apply(approved)
    assert protect_sandbox.transitions() == []
    acme.resume(by="bob")
    assert acme.paused() is None


def test_findings_are_judged_by_people(acme: Tenant) -> None:
    acme.scan()
    [worst] = acme.findings(min_severity="critical")
    assert worst.kind == "credential_exposure"
    assert acme.finding(worst.id) == worst
    until = datetime.now(timezone.utc) + timedelta(days=30)
    accepted = acme.accept_finding(worst.id, until, "known", by="alice")
    assert accepted.status == "accepted"
    assert accepted.acceptance is not None and accepted.acceptance.until == until
    assert [it.id for it in acme.findings(statuses=["accepted"])] == [worst.id]
    with pytest.raises(ConflictError):
        acme.acknowledge_finding(worst.id, by="alice")
    with pytest.raises(NotFoundError):
        acme.finding("0" * 32)


def test_incidents_reports_and_states_are_typed(acme: Tenant) -> None:
    acme.scan()
    incident = acme.incidents()[0]
    moved = acme.set_incident_status(incident.id, "investigating", by="alice")
    assert (moved.id, moved.status) == (incident.id, "investigating")
    assert acme.incident(incident.id) == moved
    assert acme.status().open_incidents
    assert all(checkup.healthy for checkup in acme.doctor())
    total = acme.score().total
    assert total is not None and 0 <= total <= 100
    month = datetime.now(timezone.utc).strftime("%Y-%m")
    assert acme.report(month).month == month


def test_progress_is_heard_on_the_way(acme: Tenant) -> None:
    heard: list[ScanProgress] = []
    acme.scan(progress=heard.append)
    assert {it.connector for it in heard} == {"breaches", "passwords"}
    assert max(it.counts.pages for it in heard) > 1


def test_what_progress_raises_ends_the_scan_and_reaches_the_caller(acme: Tenant) -> None:
    class Enough(Exception):
        pass

    def stop(_: ScanProgress) -> None:
        raise Enough

    begun = time.monotonic()
    with pytest.raises(Enough):
        acme.scan(progress=stop)
    assert acme.scan().complete
    assert time.monotonic() - begun < 10, "the next scan waited for the lease of the first"


def test_a_configuration_may_be_a_file(protect_sandbox: Sandbox, tmp_path: Path) -> None:
    config = {**protect_sandbox.config(), "store": {"kind": "sqlite", "path": "protect.db"}}
    path = tmp_path / "protect.json"
    path.write_text(json.dumps(config))
    secrets = protect_sandbox.secrets()
    with protect.open(path, secrets=secrets) as first:
        first.tenant("acme").scan()
        found = {finding.id for finding in first.tenant("acme").findings()}
    assert (tmp_path / "protect.db").exists()
    with protect.open(str(path), secrets=secrets) as second:
        assert {finding.id for finding in second.tenant("acme").findings()} == found


def test_a_secret_in_a_configuration_dict_may_be_a_callable(protect_sandbox: Sandbox) -> None:
    config = protect_sandbox.config()
    secrets = protect_sandbox.secrets()
    key = secrets["sandbox.hibp_api_key"]
    for given in (lambda: key, protect.secret(key), protect.secret(lambda: key)):
        config["connections"]["hibp"]["scan"]["api_key"] = given
        with protect.open(config, secrets=secrets) as p:
            assert p.tenant("acme").scan(connectors=["breaches"]).complete


def test_a_wrong_configuration_says_where(protect_sandbox: Sandbox) -> None:
    config = protect_sandbox.config()
    config["tenants"]["acme"]["rules"][0]["when"]["severty"] = ">=high"
    with pytest.raises(ConfigInvalidError, match="did you mean `severity`"):
        protect.open(config, secrets=protect_sandbox.secrets())
    with pytest.raises(ConfigInvalidError):
        protect.open("no/such/protect.toml")


def test_a_plain_secret_in_a_configuration_is_refused_and_not_repeated(
    protect_sandbox: Sandbox,
) -> None:
    config = protect_sandbox.config()
    config["connections"]["hibp"]["scan"]["api_key"] = CANARY
    with pytest.raises(ConfigInvalidError) as caught:
        protect.open(config, secrets=protect_sandbox.secrets())
    assert CANARY not in str(caught.value) + repr(caught.value)


def test_a_closed_engine_has_let_go_of_its_files(protect_sandbox: Sandbox, tmp_path: Path) -> None:
    store = {"kind": "sqlite", "path": str(tmp_path / "protect.db")}
    config = {**protect_sandbox.config(), "store": store}
    with protect.open(config, secrets=protect_sandbox.secrets()) as p:
        acme = p.tenant("acme")
        assert acme.scan().complete
        assert len(list(tmp_path.iterdir())) > 1
    assert [it.name for it in tmp_path.iterdir()] == ["protect.db"]
    with pytest.raises(StoreError, match="the store is closed"):
        list(acme.findings())
    with pytest.raises(StoreError, match="the store is closed"):
        acme.plan()


def test_an_unknown_tenant_names_the_known_ones(p: Protect) -> None:
    assert p.tenants() == ["acme"]
    with pytest.raises(NotFoundError, match="acme"):
        p.tenant("globex")
