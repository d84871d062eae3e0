"""The package as it is meant to read."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import protect
import pytest
from protect import Sandbox
from protect._client import Client


def toml(sandbox: Sandbox, folder: Path) -> str:
    """The sandbox's configuration as a file, with its secrets in files of their own."""
    for name, secret in sandbox.secrets().items():
        (folder / name).write_text(secret)

    def inline(value: Any) -> str:
        if isinstance(value, dict) and "provided" in value:
            value = {"file": str(folder / value["provided"])}
        if isinstance(value, dict):
            pairs = (f"{json.dumps(key)} = {inline(item)}" for key, item in value.items())
            return "{ " + ", ".join(pairs) + " }"
        if isinstance(value, list):
            return "[" + ", ".join(map(inline, value)) + "]"
        return json.dumps(value)

    path = folder / "protect.toml"
    path.write_text("\n".join(f"{key} = {inline(it)}" for key, it in sandbox.config().items()))
    return str(path)


def test_a_vendors_own_client(
    protect_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted, where = protect_sandbox.credentials(), protect_sandbox.addresses()
    user_id = protect_sandbox.planted().leaked.id

    def callback() -> str:
        return accepted.respond_client_secret

    with protect.OnePassword(
        account_id=accepted.account_id,
        client_id=accepted.respond_client_id,
        client_secret=callback,
        region="eu",
        base_url=where.onepassword_api,
    ) as op:
        print(op.suspend_user(user_id, timeout=30).to_dict())
    assert "'state': 'suspended'" in capsys.readouterr().out


def test_the_engine(
    protect_sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with protect.open(toml(protect_sandbox, tmp_path)) as p:
        acme = p.tenant("acme")
        acme.scan(progress=print)
        plan = acme.plan()
        outcomes = acme.apply(acme.approve(plan, by="alice"))
    assert "ScanProgress(" in capsys.readouterr().out
    assert [step.outcome.status for step in outcomes if step.outcome] == ["applied", "applied"]


async def test_the_engine_awaited(protect_sandbox: Sandbox, tmp_path: Path) -> None:
    async with protect.aio.open(toml(protect_sandbox, tmp_path)) as p:
        acme = p.tenant("acme")
        await acme.scan(progress=lambda _: None)
        plan = await acme.plan()
        outcomes = await acme.apply(await acme.approve(plan, by="alice"))
    assert [step.outcome.status for step in outcomes if step.outcome] == ["applied", "applied"]


def test_every_blocking_name_exists_to_be_awaited() -> None:
    def public(of: type) -> set[str]:
        return {name for name in dir(of) if not name.startswith("_")}

    blocking = {
        name: of
        for name, of in vars(protect).items()
        if isinstance(of, type) and issubclass(of, Client)
    }
    assert {*blocking, "email", "open"} == {*protect.aio.__all__}
    for name, of in blocking.items():
        assert public(of) - {"aio"} == public(getattr(protect.aio, name)), name
    for name in ("audit", "propose", "read_reports", "spf"):
        assert callable(getattr(protect.email, name))
        assert inspect.iscoroutinefunction(getattr(protect.aio.email, name)), name
