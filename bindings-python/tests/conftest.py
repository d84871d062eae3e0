"""What every test of the Python package shares."""

from __future__ import annotations

import importlib.util

import pytest


def pytest_sessionstart(session: pytest.Session) -> None:
    """Says what is missing, before a hundred tests fail to import it."""
    if importlib.util.find_spec("protect._protect") is None:
        pytest.exit("protect._protect is not built: run `cargo xtask test`", returncode=4)
