"""The same names as in `protect`, to be awaited."""

from protect._generated.engine_aio import Protect, Tenant
from protect._open import open_async as open

__all__ = ["Protect", "Tenant", "open"]
