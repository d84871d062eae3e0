"""The package as an importer finds it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import protect

ROOT = Path(__file__).parents[2]


def test_the_package_carries_the_version_of_the_workspace() -> None:
    declared = re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    assert declared is not None
    assert protect.__version__ == protect.version() == declared[1]


def test_every_public_name_is_listed_and_exists() -> None:
    def is_submodule(name: str) -> bool:
        return f"protect.{name}" in sys.modules

    public = {name for name in vars(protect) if not name.startswith("_")}
    assert {name for name in public if not is_submodule(name)} <= {*protect.__all__}
    assert all(hasattr(protect, name) for name in protect.__all__)
