"""Testing what is built on this library, without a tenant: simulated vendors in the process.

With the package installed, pytest knows the fixture `protect_sandbox`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from protect._generated.sandbox_models import *
from protect._sandbox import Sandbox

__all__ = ["Sandbox", "protect_sandbox"]


@pytest.fixture
def protect_sandbox() -> Iterator[Sandbox]:
    """Simulated vendors, fresh for each test."""
    with Sandbox() as sandbox:
        yield sandbox
