"""The playbooks in examples/python, against the simulated vendors."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import protect
import pytest
from protect import Sandbox

PLAYBOOKS = Path(__file__).parents[2] / "examples" / "python"


def playbook(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, PLAYBOOKS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_flagged_users_are_suspended_and_one_that_cannot_be_does_not_stop_the_others(
    protect_sandbox: Sandbox,
) -> None:
    planted = protect_sandbox.planted()
    flagged = [planted.leaked.id, planted.owner.id, planted.suspicious.id]
    with protect_sandbox.onepassword() as op:
        first, owner, last = playbook("suspend_flagged").suspend(op, flagged)
    assert (first["state"], last["state"]) == ("suspended", "suspended")
    assert "error" in owner and not owner["retryable"]
    assert {it.id for it in protect_sandbox.transitions()} == {first["id"], last["id"]}


async def test_leaked_credentials_come_with_the_worst_first(protect_sandbox: Sandbox) -> None:
    planted = protect_sandbox.planted()
    where = protect_sandbox.addresses()
    addresses = [planted.forgotten.email, planted.leaked.email, planted.mistyped.email]
    async with protect.aio.Hibp(
        api_key=protect_sandbox.credentials().hibp_api_key, api_url=where.hibp_api
    ) as client:
        found = await playbook("leaked_credentials").exposures(client, addresses)
    [(address, assessment)] = found
    assert (address, assessment.name) == (planted.leaked.email, planted.leaked_breach)
    assert assessment.severity == "critical"


def test_what_a_scan_finds_is_contained_once(
    protect_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    contain = playbook("contain_exposed").contain
    with protect_sandbox.open() as p:
        acme = p.tenant("acme")
        assert contain(acme, None) == []
        assert protect_sandbox.transitions() == []
        steps = contain(acme, "alice")
        assert [it.outcome.status for it in steps] == ["applied", "applied"]
        assert contain(acme, "alice") == []
    assert "needs_approval suspend_account" in capsys.readouterr().out
    assert len(protect_sandbox.transitions()) == 2


@pytest.mark.parametrize("path", sorted(PLAYBOOKS.glob("*.py")), ids=lambda path: path.stem)
def test_a_playbook_is_short_and_says_what_it_is_for(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) < 60
    assert source.startswith('"""')
