"""Processes: forks, Ctrl-C, and the end of Python."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="skipped: needs POSIX signals and fork")


def python(code: str) -> subprocess.Popen[str]:
    source = str(Path(__file__).parents[1] / "python")
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "PYTHONPATH": source},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@POSIX
def test_a_client_from_before_a_fork_says_so_and_a_new_one_works() -> None:
    child = python(
        """
import os, protect
sandbox = protect.Sandbox()
op = sandbox.onepassword()
accepted, where = sandbox.credentials(), sandbox.addresses()
user = sandbox.planted().leaked.id
op.get_user(user)
pid = os.fork()
if pid == 0:
    try:
        op.get_user(user)
    except protect.exceptions.UnsupportedError as error:
        assert "fork" in str(error), error
    else:
        os._exit(1)
    fresh = protect.OnePassword(
        account_id=accepted.account_id, client_id=accepted.respond_client_id,
        client_secret=accepted.respond_client_secret, base_url=where.onepassword_api,
    )
    assert fresh.get_user(user, timeout=20).id == user
    os._exit(7)
_, status = os.waitpid(pid, 0)
assert os.waitstatus_to_exitcode(status) == 7, status
assert op.get_user(user).id == user
print("parent done")
"""
    )
    said, _ = child.communicate(timeout=60)
    assert (child.returncode, said.strip()) == (0, "parent done")


@POSIX
def test_ctrl_c_ends_a_blocking_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        child = python(
            f"""
import signal
import protect
# Whoever runs the tests in the background may have them ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
op = protect.OnePassword(
    account_id="A" * 26, client_id="id", client_secret="secret",
    base_url="http://127.0.0.1:{silent.getsockname()[1]}",
)
try:
    op.get_user("Q" * 26)
except KeyboardInterrupt:
    print("interrupted")
"""
        )
        connection, _ = silent.accept()
        with connection:
            begun = time.monotonic()
            child.send_signal(signal.SIGINT)
            said, _ = child.communicate(timeout=20)
    assert (child.returncode, said.strip()) == (0, "interrupted")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("turn", range(5))
def test_python_ends_quietly_while_calls_are_under_way(turn: int) -> None:
    child = python(
        """
import asyncio, protect
async def main():
    sandbox = protect.Sandbox()
    sandbox.set_fault("delay", millis=50)
    async with sandbox.aio.open() as p:
        acme = p.tenant("acme")
        await acme.scan(progress=lambda _: None)
        asyncio.ensure_future(acme.scan(progress=lambda _: None))
        await asyncio.gather(*(acme.status() for _ in range(20)))
asyncio.run(main())
print("done")
"""
    )
    said, _ = child.communicate(timeout=60)
    assert (child.returncode, said.strip()) == (0, "done")
