"""Run by `cargo xtask package` with the wheel installed and nothing else."""

from importlib.metadata import version

import protect

assert protect.__version__ == version("protect-sdk")
with protect.Sandbox() as sandbox, sandbox.open() as p:
    assert p.tenant("acme").scan().complete
print("protect-sdk", protect.__version__, "scans from a wheel")
