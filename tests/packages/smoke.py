"""Run by `cargo xtask package` with the wheel installed and nothing else."""

from importlib.metadata import version

import protect

assert protect.__version__ == version("protect-sdk")
print("protect-sdk", protect.__version__, "imports from a wheel")
