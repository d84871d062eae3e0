"""The playbooks in examples/python, against the simulated vendors."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

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


CONFIG = '[store]\nkind = "memory"\n[tenants.acme]\nname = "Acme"\n'


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing there")
def test_the_pages_are_served_by_wsgi_until_somebody_stops_it(tmp_path: Path) -> None:
    config = tmp_path / "protect.toml"
    config.write_text(CONFIG)
    program = [sys.executable, str(PLAYBOOKS / "serve_wsgi.py"), str(config), "0"]
    settings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "python")}
    pipe = subprocess.PIPE
    with subprocess.Popen(program, env=settings, stdout=pipe, stderr=pipe, text=True) as serving:
        try:
            assert serving.stdout is not None
            root = serving.stdout.readline().strip().replace("localhost", "127.0.0.1")
            request = Request(f"{root}/t/acme/", headers={"accept": "text/html"})
            with pytest.raises(HTTPError) as refused:
                urlopen(request, timeout=30)
            assert refused.value.code == 401
            assert b"<h1>Sign in</h1>" in refused.value.read()
            serving.send_signal(signal.SIGINT)
            _, said = serving.communicate(timeout=30)
            assert (serving.returncode, "Traceback" in said) == (0, False), said
        finally:
            serving.kill()


async def test_the_pages_are_served_by_asgi_between_startup_and_shutdown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "protect.toml"
    config.write_text(CONFIG)
    monkeypatch.setenv("PROTECT_CONFIG", str(config))
    application = playbook("serve_asgi").application
    turns: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    living = asyncio.create_task(application({"type": "lifespan"}, turns.get, said.put))
    await turns.put({"type": "lifespan.startup"})
    assert await said.get() == {"type": "lifespan.startup.complete"}
    scope = {"type": "http", "method": "GET", "path": "/t/acme/", "query_string": b"", "headers": []}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    await application(scope, receive, said.put)
    assert (await said.get())["status"] == 401
    await said.get()
    await turns.put({"type": "lifespan.shutdown"})
    assert await said.get() == {"type": "lifespan.shutdown.complete"}
    await living


@pytest.mark.parametrize("path", sorted(PLAYBOOKS.glob("*.py")), ids=lambda path: path.stem)
def test_a_playbook_is_short_and_says_what_it_is_for(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) < 60
    assert source.startswith('"""')
