"""What every test of the Python package shares."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

if importlib.util.find_spec("protect._protect") is not None:
    from protect import OnePassword, Sandbox
    from protect.testing import protect_sandbox as protect_sandbox


def pytest_sessionstart(session: pytest.Session) -> None:
    """Says what is missing, before a hundred tests fail to import it."""
    if importlib.util.find_spec("protect._protect") is None:
        pytest.exit("protect._protect is not built: run `cargo xtask test`", returncode=4)


@pytest.fixture
def op(protect_sandbox: Sandbox) -> Iterator[OnePassword]:
    """A client of the simulated 1Password that may suspend."""
    with protect_sandbox.onepassword() as client:
        yield client
