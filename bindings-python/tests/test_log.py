"""What protect logs, for Python's `logging` or a function."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import protect
import pytest
from protect import Sandbox, log


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    yield
    log.stop()


def unreliable(sandbox: Sandbox) -> None:
    """Has something asked twice, since it is refused once."""
    sandbox.set_fault("unavailable", vendor="onepassword", count=1)
    with sandbox.open() as p:
        p.tenant("acme").scan()


def test_a_logger_gets_records_with_their_tenant(
    protect_sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="protect.test"):
        log.send_to(logging.getLogger("protect.test"))
        unreliable(protect_sandbox)
        log.stop()
    again = [it for it in caplog.records if it.getMessage().startswith("trying again")]
    assert [(it.levelno, it.tenant) for it in again] == [(logging.WARNING, "acme")]  # type: ignore[attr-defined]
    assert "tenant=acme" in again[0].getMessage() and "attempt=1" in again[0].getMessage()
    assert all(it.levelno >= logging.WARNING for it in caplog.records)


def test_a_function_gets_lines_until_it_is_stopped(protect_sandbox: Sandbox) -> None:
    lines: list[log.LogLine] = []
    log.send_to(lines.append, level="debug")
    unreliable(protect_sandbox)
    log.stop()
    told = len(lines)
    assert {line.tenant for line in lines} == {"acme"}
    assert {"debug", "warn"} <= {line.level for line in lines}
    assert all(line.target.startswith("protect") for line in lines)
    secrets = protect_sandbox.secrets().values()
    assert not [it for it in secrets for line in lines if str(it) in str(line.to_dict())]
    unreliable(protect_sandbox)
    log.stop()
    assert len(lines) == told


def test_the_latest_receiver_is_told_and_a_level_that_there_is_not_is_refused(
    protect_sandbox: Sandbox,
) -> None:
    first: list[log.LogLine] = []
    second: list[log.LogLine] = []
    log.send_to(first.append, level="trace")
    log.send_to(second.append, level="trace")
    with pytest.raises(protect.exceptions.InvalidInputError):
        log.send_to(first.append, level="loud")
    unreliable(protect_sandbox)
    log.stop()
    assert first == [] and second != []


def test_what_was_logged_is_told_before_the_program_ends() -> None:
    program = """
import protect
sandbox = protect.Sandbox()
protect.log.send_to(lambda line: print(line.message), level="warn")
sandbox.set_fault("unavailable", vendor="onepassword", count=1)
sandbox.open().tenant("acme").scan()
"""
    settings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "python")}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=settings, capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "trying again"), ran.stderr
