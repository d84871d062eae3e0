"""Watch an organisation's identities and settings, open incidents, and put them right."""

import atexit as _atexit

from protect import (
    aio,
    bus,
    compliance,
    connectors,
    email,
    exceptions,
    google,
    hibp,
    m365,
    models,
    notify,
    oncall,
    onepassword,
    psa,
    scim,
    security,
    stripe,
    webhook,
)
from protect._generated.bus import Bus
from protect._generated.compliance import Compliance
from protect._generated.email import Email
from protect._generated.engine import Protect, Tenant
from protect._generated.google import Google
from protect._generated.hibp import Hibp
from protect._generated.m365 import M365
from protect._generated.notify import Notify
from protect._generated.oncall import OnCall
from protect._generated.onepassword import OnePassword
from protect._generated.psa import Psa
from protect._generated.scim import Scim
from protect._generated.security import Security
from protect._generated.stripe import Stripe
from protect._open import open, secret
from protect._protect import finish as _finish
from protect._protect import version
from protect._sandbox import Sandbox
from protect.connectors import Connector, Directory, Remediator, Scanner, Setup
from protect.exceptions import ProtectError
from protect.models import ScanPage, ScanRequest

__all__ = [
    "M365",
    "Bus",
    "Compliance",
    "Connector",
    "Directory",
    "Email",
    "Google",
    "Hibp",
    "Notify",
    "OnCall",
    "OnePassword",
    "Protect",
    "ProtectError",
    "Psa",
    "Remediator",
    "Sandbox",
    "ScanPage",
    "ScanRequest",
    "Scanner",
    "Scim",
    "Security",
    "Setup",
    "Stripe",
    "Tenant",
    "__version__",
    "aio",
    "bus",
    "compliance",
    "connectors",
    "email",
    "exceptions",
    "google",
    "hibp",
    "m365",
    "models",
    "notify",
    "oncall",
    "onepassword",
    "open",
    "psa",
    "scim",
    "secret",
    "security",
    "stripe",
    "version",
    "webhook",
]

__version__ = version()

_atexit.register(_finish)
