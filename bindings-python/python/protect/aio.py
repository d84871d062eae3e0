"""The same names as in `protect`, to be awaited."""

from protect._generated.engine_aio import Protect, Tenant
from protect._generated.hibp_aio import Hibp
from protect._generated.onepassword_aio import OnePassword
from protect._open import open_async as open
from protect._sandbox import AsyncSandbox as Sandbox

__all__ = ["Hibp", "OnePassword", "Protect", "Sandbox", "Tenant", "open"]
