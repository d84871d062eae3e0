"""Watch an organisation's identities and settings, open incidents, and put them right."""

from protect import aio, connectors, exceptions, models
from protect._generated import engine as _engine
from protect._open import open, secret
from protect._protect import version
from protect.connectors import Connector, Directory, Remediator, Scanner
from protect.exceptions import ProtectError

Protect = _engine.Protect
Tenant = _engine.Tenant

__version__ = version()
